"""What machine code finds within a form, against NumPy."""

import numpy as np
import pytest

from sfumato.render import contours, suggestive


def test_how_much_a_surface_faces_the_eye():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(30, 40, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    normals[rng.random((30, 40)) < 0.3] = 0
    y, x = np.mgrid[:30, :40] + 0.5
    rays = np.stack((x - 12, y + 5, np.full_like(x, 60)), -1)
    wanted = np.abs((normals * rays).sum(2)) / np.linalg.norm(rays, axis=2)
    assert suggestive.facing(normals.astype(np.float32), (-12, 5), 60) == pytest.approx(wanted, abs=1e-6)


def test_which_faces_look_at_the_camera():
    rng = np.random.default_rng(0)
    points, eye = rng.normal(size=(40, 3)), np.array([0.5, 1.0, 6.0])
    corners = rng.permuted(np.tile(np.arange(40, dtype=np.int32), (25, 1)), axis=1)[:, :3]
    twins = np.arange(25, dtype=np.int32)
    twins[[3, 8]] = 8, 3
    areas, front = contours._facing(points, corners, twins, eye)
    a, b, c = (points[corners[:, k]] for k in range(3))
    assert areas == pytest.approx(np.cross(b - a, c - a))
    towards = (np.cross(b - a, c - a) * (eye - a)).sum(1)
    wanted = towards > 0
    wanted[[3, 8]] = towards[3] + towards[8] > 0
    assert front.tolist() == wanted.tolist()


def test_curvature_is_the_larger_eigenvalue():
    rng = np.random.default_rng(0)
    xx, yy, xy = rng.normal(size=(3, 20, 30)).astype(np.float32)
    form = rng.random((20, 30)) < 0.7
    hessians = np.stack((xx, xy, xy, yy), -1).reshape(20, 30, 2, 2) / 4
    wanted = np.where(form, suggestive.SIGMA_PX**2 * np.linalg.eigvalsh(hessians)[..., 1], 0)
    assert suggestive._curved(xx, yy, xy, form) == pytest.approx(wanted, abs=1e-6)


def test_more_places_than_rows_of_one_length(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.random((200, 300)).astype(np.float32)
    places = np.nonzero(np.ones(values.shape, bool))
    across = rng.uniform(0, np.pi, values.size).astype(np.float32)
    wanted = suggestive._beside(values, places, across)
    monkeypatch.setattr(suggestive, "ROW", 1)
    assert values.size > suggestive.MOST
    assert np.array_equal(suggestive._beside(values, places, across), wanted)
