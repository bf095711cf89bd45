"""Cameras: the projection is the pinhole's, and what is framed fills the picture up to the margin."""

import math

import numpy as np
import pytest

from sfumato.errors import DataError, OptionError
from sfumato.render.camera import View, framed, look_at


def pinhole(camera, points):
    """K [R | t] X with homogeneous coordinates: a second formulation."""
    width, height = camera.size
    inner = np.array([[camera.focal_px, 0, width / 2], [0, camera.focal_px, height / 2], [0, 0, 1]])
    outer = np.concatenate((camera.rotation, -(camera.rotation @ camera.position)[:, None]), 1)
    homogeneous = inner @ outer @ np.concatenate((points, np.ones((len(points), 1))), 1).T
    return (homogeneous[:2] / homogeneous[2]).T


@pytest.mark.parametrize("azimuth_deg", [0, 77, 180, 301])
@pytest.mark.parametrize("elevation_deg", [-40, 0, 89.9, 90])
def test_the_projection_is_the_pinholes(azimuth_deg, elevation_deg):
    points = np.random.default_rng(3).uniform(-1, 1, (500, 3)) * (0.4, 0.9, 0.3) + (3, 1, -2)
    camera = framed(points, View(azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, size=(512, 384)))
    places, depths = camera.project(points)
    assert np.abs(places - pinhole(camera, points)).max() < 1e-8
    assert np.allclose(depths, (points - camera.position) @ camera.rotation[2])
    assert np.allclose(camera.rotation @ camera.rotation.T, np.eye(3))
    assert np.linalg.det(camera.rotation) == pytest.approx(1)


@pytest.mark.parametrize("size", [(512, 512), (300, 500), (640, 200)])
def test_a_framed_figure_fills_the_picture_up_to_the_margin(size):
    points = np.random.default_rng(4).normal(size=(400, 3)) * (0.3, 0.8, 0.2)
    camera = framed(points, View(azimuth_deg=33, elevation_deg=15, size=size, margin=0.1))
    places, _ = camera.project(points)
    free = np.stack((places.min(0), size - places.max(0)))
    assert free.min() == pytest.approx(0.1 * min(size))
    tight = free.min(0).argmin()
    assert free[0, tight] == pytest.approx(free[1, tight])
    assert free[0] == pytest.approx(free[1], rel=0.1)


def test_left_is_right_and_up_is_up_from_the_front():
    camera = framed(np.array([[-1.0, -1, 0], [1, 1, 0]]), View())
    (centre, left, above), _ = camera.project(np.array([[0.0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]]))
    assert centre == pytest.approx([256, 256])
    assert left[0] > 300 and above[1] < 212
    assert camera.position[2] > 0
    assert framed(np.eye(3), View(azimuth_deg=90)).position[0] > 1


def test_the_target_is_in_the_middle():
    camera = look_at(np.array([2.0, 3, 4]), np.array([0.0, 1, 0]), focal_px=500, size=(320, 240))
    places, depths = camera.project(np.array([[0.0, 1, 0], [0, 1.1, 0]]))
    assert places[0] == pytest.approx([160, 120])
    assert depths[0] == pytest.approx(math.sqrt(24))
    assert places[1, 0] == pytest.approx(160) and places[1, 1] < 120


def test_what_cannot_be_seen_is_told():
    with pytest.raises(OptionError, match="cannot look at where it is"):
        look_at(np.zeros(3), np.zeros(3), focal_px=500, size=(64, 64))
    for points in (np.zeros((0, 3)), np.full((4, 3), np.nan)):
        with pytest.raises(DataError, match="check the mesh and the pose"):
            framed(points, View())
    for wrong in ({"field_deg": 180}, {"margin": 0.5}, {"size": (0, 5)}, {"elevation_deg": 91}):
        with pytest.raises(OptionError):
            View(**wrong)
