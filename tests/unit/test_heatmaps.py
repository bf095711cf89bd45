"""Heatmaps: closed forms, both conventions, and reading to a fraction of a pixel."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch

from sfumato.data.keypoints import PAIRS
from sfumato.nets import heatmaps

PICTURE, MAPS = (256, 192), (64, 48)


def made(joints, system, sigma=2.0):
    joints = torch.tensor(joints, dtype=torch.float32)[None]
    return heatmaps.targets(
        joints, torch.ones(joints.shape[:2]), picture=PICTURE, maps=MAPS, sigma=sigma, system=system
    )


def test_a_target_is_a_gaussian_about_the_exact_place():
    maps, weights = made([[95.5, 127.5]], "udp")
    x, y = 95.5 * 47 / 191, 127.5 * 63 / 255
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    wanted = torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    near = ((columns - round(x)).abs() <= 6) & ((rows - round(y)).abs() <= 6)
    torch.testing.assert_close(maps[0, 0], wanted * near, atol=1e-5, rtol=1e-4)
    assert weights.tolist() == [[1.0]]


@pytest.mark.parametrize("system", ["udp", "msra"])
def test_joints_far_outside_have_no_weight(system):
    maps, weights = made([[-60.0, 50.0], [50.0, 400.0], [96.0, 128.0]], system)
    assert weights.tolist() == [[0.0, 0.0, 1.0]]
    assert not maps[0, :2].any()


def test_unbiased_places_come_back():
    places = torch.rand(40, 2) * torch.tensor([150.0, 210.0]) + 20
    maps, _ = made(places.tolist(), "udp")
    found, heights = heatmaps.dark(maps, sigma=0)
    back = found[0] * torch.tensor(heatmaps.factors(PICTURE, MAPS, "udp"))
    assert float((back - places).abs().max()) < 0.02
    assert bool((heights > 0.85).all())


def test_reading_a_blurred_map_is_near_the_place_still():
    places = torch.rand(40, 2) * torch.tensor([110.0, 170.0]) + 40
    maps, _ = made(places.tolist(), "udp")
    found, _ = heatmaps.dark(maps, sigma=2)
    back = found[0] * torch.tensor(heatmaps.factors(PICTURE, MAPS, "udp"))
    quarter = heatmaps.quarter_shift(maps)[0][0] * torch.tensor(heatmaps.factors(PICTURE, MAPS, "udp"))
    assert float((back - places).norm(dim=1).mean()) < 0.25
    assert float((quarter - places).norm(dim=1).mean()) > 2 * float((back - places).norm(dim=1).mean())


@pytest.mark.parametrize(("sigma", "side"), [(1.0, 5), (2.0, 11), (3.0, 17)])
def test_maps_are_blurred_as_wide_as_they_were_learned(sigma, side):
    """Two modes: the Newton step is that of logarithms under OpenCV's Gaussian of that side."""
    maps = made([[80.0, 120.0]], "udp", sigma)[0] + 0.6 * made([[80.0 + 7 * sigma, 124.0]], "udp", sigma)[0]
    found, _ = heatmaps.dark(maps, sigma=sigma)
    bell = 0.3 * ((side - 1) / 2 - 1) + 0.8  # OpenCV's own where it has no table
    blurred = cv2.GaussianBlur(maps[0, 0].numpy().astype(np.float64), (side, side), bell)
    smooth = np.log(blurred.clip(min=1e-10))
    x, y = (int(v) for v in heatmaps.peaks(maps)[0][0, 0])
    gy, gx = (g[y, x] for g in np.gradient(smooth))
    p = smooth[y - 1 : y + 2, x - 1 : x + 2]
    cross = (p[2, 2] - p[2, 0] - p[0, 2] + p[0, 0]) / 4
    hessian = [[p[1, 2] - 2 * p[1, 1] + p[1, 0], cross], [cross, p[2, 1] - 2 * p[1, 1] + p[0, 1]]]
    wanted = np.array([x, y]) - np.linalg.solve(hessian, [gx, gy])
    np.testing.assert_allclose(found[0, 0].numpy(), wanted, atol=2e-3)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_places_near_the_border_do_not_lean_inward(sigma):
    """Nearer than the blur reaches, at all four sides and in the corners."""
    near = [4.0, 5.5, 7.0, 9.0, 12.0, 14.5, 17.0, 20.0]
    places = [[a, b] for a in near for b in near] + [[a, 100.3] for a in near] + [[100.3, b] for b in near]
    places += [[191 - x, 255 - y] for x, y in places]
    maps, _ = made(places, "udp", sigma)
    found, _ = heatmaps.dark(maps, sigma=sigma)
    back = found[0] * torch.tensor(heatmaps.factors(PICTURE, MAPS, "udp"))
    apart = (back - torch.tensor(places)).abs()
    assert float(apart.max()) < 0.3
    assert float(apart.mean()) < 0.1


def test_nothing_above_zero_is_read_as_the_corner():
    for read in (heatmaps.peaks, heatmaps.quarter_shift, partial(heatmaps.dark, sigma=2)):
        places, heights = read(-torch.ones(1, 2, 8, 6))
        assert not places.any()
        assert bool((heights == -1).all())


def test_a_mirrored_picture_has_the_mirrored_maps():
    joints = torch.rand(17, 2) * torch.tensor([191.0, 255.0])
    order = list(range(17))
    for a, b in PAIRS:
        order[a], order[b] = b, a
    other = torch.stack((191 - joints[:, 0], joints[:, 1]), 1)[order]
    maps, mirrored = (made(j.tolist(), "udp")[0] for j in (joints, other))
    inside = (
        joints / torch.tensor(heatmaps.factors(PICTURE, MAPS, "udp")) % 1 - 0.5
    ).abs() > 0.01  # no ties of rounding
    same = inside.all(1)
    torch.testing.assert_close(heatmaps.mirrored(mirrored, PAIRS, "udp")[:, same], maps[:, same], atol=1e-4, rtol=1e-3)
