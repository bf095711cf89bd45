"""Colour keeping: each way holds exactly what its name says."""

import numpy as np
import pytest
import torch

from sfumato.nets.colors import coral, keep_luminance, luminance, match_histogram


def pictures(seed: int, *size: int) -> torch.Tensor:
    mix = torch.tensor([[0.5, 0.3, 0.1], [0.2, 0.4, 0.1], [0.0, 0.2, 0.6]])
    raw = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))
    return torch.einsum("oc,bchw->bohw", mix, raw)


def covariance(images: torch.Tensor) -> torch.Tensor:
    return torch.cov(images[0].flatten(1))


def test_luminance_is_the_results_and_hue_the_contents():
    result, content = pictures(0, 24, 20), pictures(1, 24, 20)
    kept = keep_luminance(result, content)
    assert kept.min() >= 0
    assert kept.max() <= 1
    torch.testing.assert_close(luminance(kept), luminance(result), atol=1e-5, rtol=0)
    wanted, got = content - luminance(content), kept - luminance(kept)
    cosine = (wanted * got).sum(1) / (wanted.norm(dim=1) * got.norm(dim=1)).clamp(min=1e-6)
    assert cosine[got.norm(dim=1) > 1e-3].min() > 0.999


def test_colors_that_do_not_exist_are_weakened_not_shifted():
    red = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    for light in (0.0, 0.05, 0.97, 1.0):
        kept = keep_luminance(torch.full((3, 1, 1), light), red)
        assert luminance(kept).item() == pytest.approx(light, abs=1e-5)
        assert kept[1].item() == pytest.approx(kept[2].item(), abs=1e-6)


def test_luminance_of_the_content_itself_changes_nothing():
    content = pictures(2, 9, 7)
    torch.testing.assert_close(keep_luminance(content, content), content, atol=1e-6, rtol=0)


def test_coral_gives_the_targets_means_and_covariances_whatever_the_sizes():
    source, target = pictures(3, 40, 30), pictures(4, 90, 100) * 0.5 + 0.2
    matched = coral(source, target)
    torch.testing.assert_close(matched.mean((2, 3)), target.mean((2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(covariance(matched), covariance(target), atol=1e-5, rtol=0.02)


def test_coral_of_flat_and_grey_pictures_is_finite_and_calm():
    grey = torch.rand(1, 1, 30, 30, generator=torch.Generator().manual_seed(5)).expand(1, 3, 30, 30)
    noisy = grey + 1e-3 * torch.randn(1, 3, 30, 30, generator=torch.Generator().manual_seed(6))
    colorful = pictures(7, 30, 30)
    flat = torch.full((1, 3, 8, 8), 0.25)
    matched = coral(noisy, colorful)
    assert (matched - coral(grey, colorful)).abs().max() < 0.1
    torch.testing.assert_close(coral(colorful, flat), flat[..., :1, :1].expand_as(colorful), atol=1e-4, rtol=0)
    assert coral(flat, colorful).isfinite().all()
    assert coral(flat[..., :1, :1], colorful).isfinite().all()


def test_histogram_gives_exactly_the_targets_values_in_the_sources_order():
    source, target = torch.randperm(600).view(1, 1, 20, 30) / 600.0, pictures(8, 20, 30)
    source = torch.cat([source, 1 - source, source.square()], 1)
    matched = match_histogram(source, target)
    torch.testing.assert_close(matched.flatten(2).sort(-1).values, target.flatten(2).sort(-1).values)
    order = source.flatten(2).argsort(-1)
    assert (matched.flatten(2).gather(-1, order).diff() >= 0).all()


def test_histogram_keeps_equal_values_equal_and_works_for_other_sizes():
    source = torch.tensor(np.repeat([0.1, 0.5, 0.9], 12), dtype=torch.float32).view(1, 1, 6, 6).expand(1, 3, 6, 6)
    target = torch.linspace(0, 1, 48 * 31).view(1, 1, 48, 31).expand(1, 3, 48, 31)
    matched = match_histogram(source, target)
    assert len(matched.unique()) == 3
    torch.testing.assert_close(matched[0, 0].unique(), torch.tensor([1 / 6, 1 / 2, 5 / 6]), atol=0.02, rtol=0)
    torch.testing.assert_close(match_histogram(target, target), target)
    one = torch.full((1, 3, 1, 1), 0.3)
    assert match_histogram(one, target).shape == one.shape
    torch.testing.assert_close(match_histogram(target, one), one.expand_as(target))
