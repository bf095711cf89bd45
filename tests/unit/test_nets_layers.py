import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sfumato.nets.layers import ReflectConv2d, ReplicateConv2d, conv_of_doubled, halved_filters, wrapped


def twin(conv):
    """The same convolution by torch's own module."""
    plain = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        conv.kernel_size[0] // 2,
        groups=conv.groups,
        padding_mode=conv.border,
    )
    plain.load_state_dict(conv.state_dict())
    return plain


CONVOLUTIONS = {
    "dense": {"kernel": 3},
    "of single pixels": {"kernel": 1},
    "grouped, strided": {"kernel": 3, "stride": 2, "groups": 4},
}


@pytest.mark.parametrize("size", [(12, 16), (13, 16), (13, 15)])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("layer", [ReflectConv2d, ReplicateConv2d])
def test_sums_are_those_of_torch(layer, kind, size):
    same_sums(layer(8, 16, **CONVOLUTIONS[kind]), size)


@pytest.mark.parametrize("size", [(12, 16), (13, 16), (13, 15)])  # blocks of 2x2 or, where they do not fit, no blocks
@pytest.mark.parametrize("out_channels", [1, 3, 4, 5])
def test_sums_to_few_channels_are_those_of_torch(out_channels, size):
    same_sums(ReflectConv2d(8, out_channels, 9), size)


def same_sums(conv, size):
    plain = twin(conv)
    x = torch.randn(2, conv.in_channels, *size, requires_grad=True)
    ours, theirs = conv(x), plain(x)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    goal = torch.randn_like(theirs)
    found = torch.autograd.grad(F.mse_loss(ours, goal), (x, *conv.parameters()))
    exact = torch.autograd.grad(F.mse_loss(theirs, goal), (x, *plain.parameters()))
    for a, b in zip(found, exact, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_few_channels_are_computed_in_blocks(monkeypatch):
    seen = []
    conv2d = F.conv2d
    monkeypatch.setattr(
        F, "conv2d", lambda x, weight, *args, **more: seen.append(weight.shape) or conv2d(x, weight, *args, **more)
    )
    ReflectConv2d(8, 3, 9)(torch.rand(1, 8, 12, 16))
    ReflectConv2d(8, 3, 9)(torch.rand(1, 8, 13, 16))
    assert seen == [(12, 8, 10, 10), (3, 8, 9, 9)]


def test_an_exact_convolution_stays_in_float32():
    plain, exact = ReflectConv2d(16, 3, 9), ReflectConv2d(16, 3, 9, exact=True)
    exact.load_state_dict(plain.state_dict())
    x = torch.rand(1, 16, 12, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert plain(x).dtype == torch.bfloat16
        assert torch.equal(exact(x), exact(x.float()))
        assert exact(x.bfloat16()).dtype == torch.float32
    torch.testing.assert_close(exact(x), plain(x))


@pytest.mark.parametrize("margin", [1, 2, 3])
def test_what_wraps_sees_the_opposite_sides(margin):
    x = torch.rand(2, 3, 3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.equal(wrapped(x, margin), torch.nn.functional.pad(x, (margin,) * 4, mode="circular"))
    assert torch.autograd.gradcheck(lambda y: wrapped(y, margin), x)


@pytest.mark.parametrize("border", ["zeros", "reflect", "replicate"])
def test_a_convolution_of_what_is_doubled(border):
    x, weight, bias = torch.randn(2, 4, 5, 3), torch.randn(6, 4, 3, 3), torch.randn(6)
    large = F.interpolate(x, scale_factor=2, mode="nearest")
    plain = F.conv2d(F.pad(large, (1,) * 4, mode="constant" if border == "zeros" else border), weight, bias)
    torch.testing.assert_close(conv_of_doubled(x, weight, bias, border=border), plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [ReflectConv2d, ReplicateConv2d])
def test_doubled_features_with_others_beside(kind):
    conv = kind(7, 6, 3)
    x, beside = torch.randn(2, 4, 5, 3), torch.randn(2, 3, 10, 6)
    plain = conv(torch.cat((F.interpolate(x, scale_factor=2, mode="nearest"), beside), 1))
    torch.testing.assert_close(conv.of_doubled(x, beside), plain, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv.of_doubled(x, beside).dtype == torch.bfloat16


def test_means_of_a_convolution():
    x, weight = torch.randn(2, 4, 6, 8), torch.randn(5, 4, 3, 3)
    plain = F.avg_pool2d(F.conv2d(x, weight, padding=1), 2)
    halved = F.conv2d(x, halved_filters(weight), stride=2, padding=1)
    torch.testing.assert_close(halved, plain, rtol=1e-4, atol=1e-5)
