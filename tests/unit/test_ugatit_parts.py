"""The layers of U-GAT-IT, each against a plain formulation; spectral norm against torch's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sfumato.nets import ugatit
from sfumato.nets.spectral import SpectralConv2d, SpectralLinear, by_place

CLOSE = {"atol": 1e-5, "rtol": 1e-4}


def plain_lin(x, rho, gamma, beta):
    own, common = (
        (x - x.mean(dims, keepdim=True)) / (x.var(dims, keepdim=True) + 1e-5).sqrt() for dims in ((2, 3), (1, 2, 3))
    )
    return (rho * own + (1 - rho) * common) * gamma + beta


def agree(ours, theirs, variables, of_theirs=None):
    """Asserts that two results and their gradients are the same."""
    torch.testing.assert_close(ours, theirs, **CLOSE)
    along = torch.randn_like(ours)
    gradients = [torch.autograd.grad(y, v, along) for y, v in ((ours, variables), (theirs, of_theirs or variables))]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


@pytest.mark.parametrize("watched", [False, True])
def test_adalin(watched):
    norm = ugatit.AdaLIN(6)
    norm.rho.data.uniform_(0, 1)
    x = (3 * torch.randn(2, 6, 5, 7) + torch.arange(6)[:, None, None]).requires_grad_()
    gamma, beta = (torch.randn(2, 6, 1, 1, requires_grad=True) for _ in range(2))
    if watched:
        for moments in (norm.each, norm.all):
            moments.register_forward_hook(lambda *_: None)
    agree(norm(x, gamma, beta), plain_lin(x, norm.rho, gamma, beta), [x, norm.rho, gamma, beta])


def test_lin_has_its_own_scale_and_shift():
    norm, x = ugatit.LIN(6), torch.randn(2, 6, 5, 7, requires_grad=True)
    for p, low in ((norm.rho, 0.0), (norm.gamma, -2.0), (norm.beta, -2.0)):
        p.data.uniform_(low, 1)
    agree(norm(x), plain_lin(x, norm.rho, norm.gamma, norm.beta), [x, *norm.parameters()])


def test_a_channel_that_is_flat_stays_finite():
    norm = ugatit.LIN(3)
    assert torch.isfinite(norm(torch.full((1, 3, 4, 4), 7.0))).all()


@pytest.mark.parametrize("size", [(5, 7), (2, 2)])
def test_doubling(size):
    conv, x = ugatit.DoublingConv2d(6, 4), torch.randn(2, 6, *size, requires_grad=True)
    doubled = F.pad(F.interpolate(x, scale_factor=2, mode="nearest"), (1, 1, 1, 1), mode="reflect")
    agree(conv(x), F.conv2d(doubled, conv.weight), [x, conv.weight])


@pytest.mark.parametrize("spectral", [False, True])
def test_attention(spectral):
    layer, x = ugatit.Attention(5, spectral=spectral), torch.randn(2, 5, 4, 3, requires_grad=True)
    weighed = torch.cat([x * f.weight[:, :, None, None] for f in (layer.gap, layer.gmp)], 1)
    agree(layer(x), layer.merge(weighed), [x, layer.gap.weight, layer.gmp.weight, *layer.merge.parameters()])
    plain = torch.cat(
        [
            f(pooled.flatten(1))
            for f, pooled in ((layer.eval().gap, x.mean((2, 3))), (layer.gmp, F.adaptive_max_pool2d(x, 1)))
        ],
        1,
    )
    agree(layer.logits(x), plain, [x, layer.gap.weight])


def twins(channels, filters, stride):
    """Our convolution and torch's, of the same weights."""
    ours = SpectralConv2d(channels, filters, 4, stride=stride)
    theirs = torch.nn.utils.spectral_norm(nn.Conv2d(channels, filters, 4, stride))
    ours.weight.data = by_place(theirs.weight_orig.detach().flatten(1), 4).clone()
    ours.bias.data = theirs.bias.detach().clone()
    ours.u, ours.v = theirs.weight_u.clone(), by_place(theirs.weight_v, 4).clone()
    return ours, theirs


@pytest.mark.parametrize(("filters", "stride"), [(6, 2), (6, 1), (200, 2)])  # the last is done as a matrix
def test_spectral_norm_is_torchs(filters, stride):
    ours, theirs = twins(3, filters, stride)
    for _ in range(3):
        first, second = torch.randn(2, 2, 3, 8, 8)
        padded = [F.pad(x, (1, 1, 1, 1), mode="reflect") for x in (first, second)]
        expected = torch.cat([theirs(x) for x in padded])
        found = ours(torch.cat((first, second)), 2)
        torch.testing.assert_close(found, expected, **CLOSE)
        torch.testing.assert_close(ours.u, theirs.weight_u, **CLOSE)
        torch.testing.assert_close(ours.v, by_place(theirs.weight_v, 4), **CLOSE)
        along = torch.randn_like(found)
        of_ours = torch.autograd.grad(found, [ours.weight, ours.bias], along)
        weight, bias = torch.autograd.grad(expected, [theirs.weight_orig, theirs.bias], along)
        torch.testing.assert_close(of_ours, (by_place(weight.flatten(1), 4), bias), **CLOSE)
    before = ours.eval().u.clone()
    torch.testing.assert_close(ours(first), theirs.eval()(padded[0]), **CLOSE)
    assert torch.equal(ours.u, before)


def test_what_is_known_of_a_matrix_does_not_depend_on_the_pictures():
    one, other = SpectralConv2d(3, 8, 4), SpectralConv2d(3, 8, 4)
    other.load_state_dict(one.state_dict())
    for part in (torch.rand(1, 3, 8, 8), torch.rand(1, 3, 12, 12)):
        one(part)
        other(-part)
    assert torch.equal(one.u, other.u)
    assert torch.equal(one.v, other.v)


def test_a_row_is_divided_by_its_length():
    layer = SpectralLinear(1, 7)
    x = torch.randn(2, 7)
    layer(x)
    torch.testing.assert_close(layer(x), F.linear(x, F.normalize(layer.weight, dim=1)))
