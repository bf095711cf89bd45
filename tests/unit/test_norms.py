import pytest
import torch

from sfumato.nets.layers import ReflectConv2d
from sfumato.nets.norms import EPS, ConvMean, Moments, conv_mean, moments


def plain(x):
    return x.mean((2, 3), keepdim=True), (x.var((2, 3), keepdim=True) + EPS).sqrt()


def features(*shape, dtype=torch.float32, order=torch.channels_last):
    return torch.randn(*shape, dtype=dtype).add(3).contiguous(memory_format=order).requires_grad_()


def scalar(statistics):
    """A number that depends on each statistic in another way."""
    mean, std = statistics
    weights = torch.linspace(-1, 2, mean.shape[1])[:, None, None]
    return (weights * mean.square()).sum() + (weights.flip(0) * std.pow(3)).sum()


@pytest.mark.parametrize("order", [torch.channels_last, torch.contiguous_format])
def test_moments_and_their_gradients_are_those_of_autograd(order):
    x = features(2, 5, 7, 4, order=order)
    for ours, theirs in zip(moments(x), plain(x), strict=True):
        torch.testing.assert_close(ours, theirs)
    (ours,) = torch.autograd.grad(scalar(moments(x)), x)
    (theirs,) = torch.autograd.grad(scalar(plain(x)), x)
    torch.testing.assert_close(ours, theirs)
    assert ours.stride() == x.stride()  # another order would slow down all that comes after


def test_moments_have_second_derivatives():
    x = features(2, 3, 4, 4)
    found = []
    for statistics in (moments, plain):
        (gradient,) = torch.autograd.grad(scalar(statistics(x)), x, create_graph=True)
        found += torch.autograd.grad(gradient.square().sum(), x)
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_moments_of_half_precision_are_float32_with_gradients_in_its_own():
    x = features(1, 3, 6, 6, dtype=torch.bfloat16)
    mean, std = moments(x)
    assert mean.dtype == std.dtype == torch.float32
    (gradient,) = torch.autograd.grad(scalar((mean, std)), x)
    assert gradient.dtype == torch.bfloat16
    (exact,) = torch.autograd.grad(scalar(plain(wide := x.detach().float().requires_grad_())), wide)
    torch.testing.assert_close(gradient.float(), exact, rtol=1e-2, atol=1e-3)


def test_of_one_pixel_the_deviation_is_that_of_nothing():
    mean, std = moments(torch.full((1, 2, 1, 1), 0.5))
    assert mean.flatten().tolist() == [0.5, 0.5]
    torch.testing.assert_close(std, torch.full((1, 2, 1, 1), EPS**0.5))


@pytest.mark.parametrize("size", [(9, 14), (2, 2), (2, 5)])
def test_the_mean_of_a_convolution_without_the_convolution(size):
    conv = ReflectConv2d(6, 6, 3, groups=6)
    x = features(2, 6, *size)
    theirs = conv(x).mean((2, 3), keepdim=True)
    torch.testing.assert_close(conv_mean(x, conv), theirs, rtol=1e-5, atol=1e-5)
    goal = torch.randn_like(theirs)
    found = [
        torch.autograd.grad(((y - goal) ** 2).sum(), (x, conv.weight, conv.bias)) for y in (conv_mean(x, conv), theirs)
    ]
    for ours, exact in zip(*found, strict=True):
        torch.testing.assert_close(ours, exact, rtol=1e-4, atol=1e-5)


def test_statistics_as_modules_say_what_they_are_of():
    conv = ReflectConv2d(4, 4, 3, groups=4)
    x = features(1, 4, 6, 8)
    assert Moments().map(x) is x
    torch.testing.assert_close(ConvMean()(x, conv)[0], moments(ConvMean().map(x, conv))[0], rtol=1e-5, atol=1e-5)
