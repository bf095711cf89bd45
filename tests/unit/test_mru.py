"""Masked residual units, and what networks see of sketches."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sfumato.data.strokes import distances
from sfumato.nets.distance import distance_field, oddity, on_white
from sfumato.nets.mru import ClassNorm, Parts, SoftRelu, _stretched, between, conv_halved, halves, twice

KINDS = [("mru", "minmax"), ("mru", "sigmoid"), ("residual", "minmax"), ("dcgan", "minmax")]


@pytest.mark.parametrize(("block", "gates"), KINDS)
@pytest.mark.parametrize("classes", [0, 3])
def test_units_halve_and_double(block, gates, classes):
    parts = Parts(classes=classes, block=block, gates=gates, spectral=not classes)
    h, image, label = torch.randn(2, 4, 8, 8), torch.randn(2, 3, 8, 8), torch.eye(3)[:2]
    down = parts.unit((4, 6, 3), "down", last=True)(h, image, label)
    assert down.shape == (2, 6, 4, 4)
    up = parts.unit((6, 5, 3), "up")(down, image, label)
    assert up.shape == (2, 5, 8, 8)
    assert parts.unit((5, 5, 3), "up")(up, F.interpolate(image, scale_factor=2), label).shape == (2, 5, 16, 16)


def test_gates_of_constant_maps_are_finite():
    x = torch.ones(1, 2, 4, 4, requires_grad=True)
    between(x).sum().backward()
    assert bool(torch.isfinite(x.grad).all())
    gates = between(torch.randn(2, 3, 5, 5))
    assert gates.amin((2, 3)).eq(0).all()
    assert gates.amax((2, 3)).min() > 0.99


@pytest.mark.parametrize("added", [0.0, 0.5])
def test_the_gradient_of_gates_is_autograds(added):
    x = torch.randn(2, 3, 5, 5, dtype=torch.float64).float()
    x[0, 0, :2] = x[0, 0].min()  # several lowest places
    x[1, 1] = 0.0
    x.requires_grad_()
    plain = _stretched(x, added)
    assert torch.allclose(between(x, added), plain, atol=1e-6)
    goal = torch.randn_like(plain)
    wanted, found = (torch.autograd.grad((y * goal).sum(), x)[0] for y in (plain, between(x, added)))
    assert torch.allclose(found[0], wanted[0], atol=1e-5)
    assert torch.allclose(found[1], wanted[1], rtol=1e-4, atol=1e-3)  # one map is constant: its gradient is large
    twice = [
        torch.autograd.grad(
            torch.autograd.grad((f(x, added) * goal).sum(), x, create_graph=True)[0][0].square().sum(), x
        )
        for f in (between, _stretched)
    ]
    assert torch.allclose(twice[0][0][0], twice[1][0][0], atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_soft_rectifier_and_its_slope(dtype):
    """Far below 0 it and its slope are small, not nothing; wanted is the formula as printed, in double precision."""
    x = torch.cat((torch.linspace(-8, 8, 101), torch.tensor([-100.0, 100]))).to(dtype).requires_grad_()
    exact = x.detach().double().requires_grad_()
    plain = (exact + (exact.square() + 0.09).sqrt()) / 2
    y = SoftRelu()(x)
    wanted, found = (torch.autograd.grad(z.sum(), leaf)[0] for z, leaf in ((plain, exact), (y, x)))
    error = 1e-5 if dtype == torch.float32 else 0.03
    torch.testing.assert_close(y.double(), plain, rtol=error, atol=0)
    torch.testing.assert_close(found.double(), wanted, rtol=error, atol=0)


def test_a_mask_of_nothing_leaves_the_straight_way():
    parts = Parts(classes=1)
    unit = parts.unit((4, 4, 3), "up")
    for conv in (unit.update,):
        torch.nn.init.zeros_(conv.weight)
        torch.nn.init.zeros_(conv.bias)
    h = torch.randn(2, 4, 4, 4)
    assert torch.equal(unit(h, torch.randn(2, 3, 8, 8), torch.ones(2, 1)), F.interpolate(h, scale_factor=2))


def test_the_norm_is_torchs_with_each_class_its_own():
    norm = ClassNorm(4, 2)
    torch.nn.init.normal_(norm.scale)
    torch.nn.init.normal_(norm.shift)
    x, label = torch.randn(6, 4, 5, 5), torch.eye(2)[torch.tensor([0, 1, 1, 0, 1, 0])]
    plain = F.batch_norm(x, None, None, training=True)
    for k in range(6):
        own = int(label[k].argmax())
        expected = plain[k] * norm.scale[own][:, None, None] + norm.shift[own][:, None, None]
        assert torch.allclose(norm(x, label)[k], expected, atol=1e-5)
    norm.eval()
    assert torch.allclose(norm(x, label)[:1], norm(x[:1], label[:1]))


@pytest.mark.parametrize("gates", ["minmax", "sigmoid"])
@pytest.mark.parametrize("leaving", [4, 6])
def test_a_unit_that_doubles_computes_what_one_does_that_doubles_first(gates, leaving):
    unit = Parts(classes=3, gates=gates).unit((4, leaving, 5), "up")
    h, image, label = torch.randn(2, 4, 5, 4), torch.randn(2, 5, 10, 8), torch.eye(3)[:2]
    assert torch.allclose(unit(h, image, label), unit.inner(twice(h), image, label), atol=1e-5)


@pytest.mark.parametrize("spectral", [True, False])
def test_a_convolution_and_means_of_it_at_once(spectral):
    conv = Parts(spectral=spectral).conv(5, 3).eval()
    x = torch.randn(2, 5, 6, 8)
    torch.testing.assert_close(conv_halved(conv, x), F.avg_pool2d(conv(x), 2), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_both_convolutions_see_zeros_beyond_the_border(kernel):
    """Weights of largest singular value 1 are not divided."""
    plain, spectral = (Parts(spectral=spectral).conv(2, 3, kernel).eval() for spectral in (False, True))
    with torch.no_grad():
        u, _, v = torch.linalg.svd(spectral.weight, full_matrices=False)
        spectral.weight.copy_(u @ v)
        spectral.u.copy_(u[:, 0])
        spectral.v.copy_(v[0])
        plain.weight.copy_(spectral.filters(spectral.weight))
        plain.bias.copy_(spectral.bias)
    x = torch.randn(2, 2, 8, 9)
    torch.testing.assert_close(spectral(x), plain(x), rtol=1e-4, atol=1e-5)


def test_halves_are_means():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    assert [x.shape[-1] for x in halves(image, 2)] == [4, 2, 1]
    assert float(halves(image, 2)[-1]) == 7.5


@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_opencv(seed):
    rng = np.random.default_rng(seed)
    sketch = np.where(rng.random((20, 33)) < (0.01, 0.1, 0.6)[seed], 0, 255).astype(np.uint8)
    field = distance_field(torch.from_numpy(sketch)[None, None].float() / 255)[0, 0].numpy()
    far = cv2.distanceTransform((sketch == 255).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    assert np.abs(field - far / far.max()).max() < 1e-4
    assert np.abs(field * 255 - distances(sketch)).max() < 0.51


def test_distances_of_blank_and_black():
    field = distance_field(torch.stack((torch.ones(3, 8, 8), torch.zeros(3, 8, 8))))
    assert field[0].eq(1).all()
    assert field[1].eq(0).all()


def test_what_is_no_sketch():
    sketch = torch.ones(1, 3, 32, 32)
    sketch[:, :, 10], sketch[:, :, :, 20] = 0, 0
    assert oddity(sketch) == ""
    assert "invert it" in oddity(1 - sketch)
    assert "`sfumato sketch`" in oddity(torch.rand(1, 3, 32, 32))


def drawing(size=96):
    sketch = torch.ones(1, 3, size, size)
    sketch[:, :, size // 3], sketch[:, :, :, size // 2] = 0, 0
    return sketch


def test_edge_maps_are_taken_as_they_are():
    soft = F.avg_pool2d(drawing(), 3, 1, 1, count_include_pad=False)
    for sketch in (drawing(), soft, torch.ones(2, 3, 40, 30), drawing(16)):
        assert torch.equal(on_white(sketch), sketch)


@pytest.mark.parametrize("light", ["grey", "uneven", "grainy"])
def test_a_scan_has_the_distances_of_its_lines(light):
    sketch, size = drawing(), 96
    shade = {
        "grey": torch.full((size, size), 240 / 255),
        "uneven": torch.linspace(0.7, 1, size).expand(size, size),
        "grainy": 0.94 - 0.03 * torch.rand(size, size),
    }[light]
    scan = sketch * shade
    assert oddity(scan) == ""
    field = distance_field(on_white(scan))
    assert (field - distance_field(sketch)).abs().max() < 1e-5
    assert field.mean() > 0.2


def test_one_sketch_on_grey_paper_changes_no_other():
    both = torch.cat((drawing(), 0.9 * drawing()))
    white = on_white(both)
    assert torch.equal(white[:1], both[:1])
    assert torch.equal(white[1:], drawing())
