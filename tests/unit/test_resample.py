"""Sizes, patterns and noise to start from."""

import pytest
import torch

from sfumato.nets.resample import cover, fit, noise, resample, scaled

STYLE = torch.rand(1, 3, 40, 30, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.2


def waves(height, width):
    """One cell of an endless pattern."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    return (0.5 + 0.25 * torch.sin(2 * torch.pi * (x + 2 * y)) + 0.2 * torch.cos(2 * torch.pi * y)).expand(1, 3, -1, -1)


@pytest.mark.parametrize("size", [(32, 48), (29, 17), (96, 64)])
def test_patterns_stay_patterns(size):
    larger = resample(waves(48, 48), size, wraps=True)
    assert larger.shape[-2:] == size
    rolled = resample(waves(48, 48).roll((24, 24), (2, 3)), size, wraps=True)
    if size[0] % 2 == 0 and size[1] % 2 == 0:
        torch.testing.assert_close(rolled, larger.roll((size[0] // 2, size[1] // 2), (2, 3)), atol=1e-5, rtol=0)
    for dim in (2, 3):
        steps = larger.diff(dim=dim, append=larger.narrow(dim, 0, 1)).abs().amax((0, 1, 5 - dim))
        assert steps[-1] <= 1.1 * steps.max()


def test_the_same_size_is_the_same_picture():
    assert resample(STYLE, (40, 30)) is STYLE
    assert resample(STYLE, (40, 30), wraps=True) is STYLE


def test_sizes_are_whole_multiples():
    assert scaled((100, 50), 0.5) == (50, 25)
    assert scaled((100, 50), 0.5, 16) == (48, 32)
    assert scaled((100, 1), 0.1) == (10, 1)
    assert fit(STYLE, 20).shape[-2:] == (20, 15)
    assert fit(STYLE, 80).max() <= 1


@pytest.mark.parametrize("size", [(20, 20), (7, 60), (1, 1), (64, 10)])
def test_covering_cuts_and_does_not_squeeze(size):
    assert cover(STYLE, size).shape[-2:] == size
    ramp = torch.arange(30.0).div(29).expand(1, 3, 40, 30)
    middle = cover(ramp, (40, 10))
    torch.testing.assert_close(middle, ramp[..., 10:20], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["gray", "uniform", "normal", "style_stats"])
def test_noise_is_in_bounds_and_the_seeds(kind):
    first = noise(kind, (30, 40), STYLE, 1)
    assert first.shape == (1, 3, 30, 40)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, noise(kind, (30, 40), STYLE, 1))
    assert not torch.equal(first, noise(kind, (30, 40), STYLE, 2))


def test_noise_has_the_colours_of_the_style():
    drawn = noise("style_stats", (60, 60), STYLE, 0)
    torch.testing.assert_close(drawn.mean((2, 3)), STYLE.mean((2, 3)), atol=0.01, rtol=0)
    torch.testing.assert_close(drawn.std((2, 3)), STYLE.std((2, 3)), atol=0.02, rtol=0)
