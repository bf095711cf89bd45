"""The z-buffer: what a ray through each sample meets; nothing between faces; normals of a sphere are its radii."""

import dataclasses
import math
import weakref

import numpy as np
import pytest
from solids import box, character, cylinder, figure, sphere

from sfumato.render import raster
from sfumato.render.camera import View, framed
from sfumato.render.scene import Buffers, placed
from sfumato.render.topology import topology


def rays(camera, vertices, faces):
    """Depth (h, w) of the nearest face along the ray through each sample, two to a pixel (Moeller & Trumbore)."""
    width, height = camera.size
    y, x = (np.mgrid[: 2 * height, : 2 * width] + 0.5) / 2
    ways = np.stack((x - width / 2, y - height / 2, np.full_like(x, camera.focal_px)), -1) / camera.focal_px
    seen = (vertices - camera.position) @ camera.rotation.T
    a, u, v = seen[faces[:, 0]], seen[faces[:, 1]] - seen[faces[:, 0]], seen[faces[:, 2]] - seen[faces[:, 0]]
    p = np.cross(ways[..., None, :], v)
    scale = np.einsum("hwfa,fa->hwf", p, u)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.einsum("hwfa,fa->hwf", p, -a) / scale
        q = np.cross(-a, u)
        second = np.einsum("hwa,fa->hwf", ways, q) / scale
        far = np.einsum("fa,fa->f", q, v) / scale
    return np.where((first >= 0) & (second >= 0) & (first + second <= 1) & (far > 0), far, np.inf).min(-1)


def buffers(made, view):
    camera = framed(made.vertices, view)
    return Buffers(placed([made], camera), camera, 0.5), camera


def test_depths_are_those_that_rays_meet():
    made = figure(box((0, 0, 0), (1, 1, 1)), box((0.3, 0.4, -1), (0.5, 2, 0.4)), sphere((0.4, 0, 0.6), 0.3, 8, 5))
    found, camera = buffers(made, View(azimuth_deg=28, elevation_deg=17, field_deg=60, size=(31, 24)))
    wanted = rays(camera, made.vertices, made.character.mesh.faces)
    same = np.isclose(found.nearest, 1 / wanted, rtol=1e-9)
    assert (~same).sum() <= 2  # a sample right on an outline may be in or out
    assert np.isfinite(wanted).mean() > 0.2


def test_there_is_nothing_between_the_faces_of_a_sphere():
    found, _ = buffers(figure(sphere()), View(size=(90, 90), azimuth_deg=3.3, elevation_deg=7))
    rows, columns = np.nonzero(found.ids >= 0)
    for row in np.unique(rows):
        assert np.ptp(columns[rows == row]) + 1 == (rows == row).sum()
    assert (rows.size / math.pi) ** 0.5 == pytest.approx(90 * (1 - 0.12), rel=0.01)


def test_a_pixel_is_covered_if_half_of_it_is():
    nearest = np.zeros((4, 6))
    nearest[0, :3], nearest[3, 4:], nearest[2, 4] = (1, 2, 3), (5, 4), 6
    pixels, samples = raster.picked(nearest)
    assert pixels.tolist() == [0, 5]
    assert nearest.ravel()[samples].tolist() == [1, 5]


def test_normals_of_a_sphere_are_its_radii():
    made = figure(sphere(around=96, down=48))
    found, camera = buffers(made, View(size=(64, 64), azimuth_deg=40, elevation_deg=20))
    normals = found.shown_normals.astype(float)
    covered = found.figures > 0
    depth = 1 / found.nearest.ravel()[found.samples]
    row, column = np.divmod(found.samples, found.ids.shape[1])
    x, y = (column + 0.5) / 2 - 32, (row + 0.5) / 2 - 32
    points = np.stack((x, y, np.full_like(x, camera.focal_px)), -1) * (depth / camera.focal_px)[:, None]
    radii = points - camera.rotation @ -camera.position
    radii /= np.linalg.norm(radii, axis=1, keepdims=True)
    angles = np.degrees(np.arccos(np.clip((radii * normals[covered]).sum(1), -1, 1)))
    assert np.percentile(angles, 95) < 1.5
    assert not normals[~covered].any()
    assert ((points * normals[covered]).sum(1) < 1e-6).all()  # towards the camera


def test_a_box_has_no_round_edges():
    found, camera = buffers(figure(box()), View(size=(40, 40), azimuth_deg=30, elevation_deg=30))
    normals = found.shown_normals[found.figures > 0]
    sides = (camera.rotation @ np.concatenate((np.eye(3), -np.eye(3))).T).T
    assert (normals @ sides.T).max(1).min() > 0.999


def test_vertices_in_one_place_are_one_node():
    whole = topology(character(box()).mesh)
    split = topology(character(box(), split=True).mesh)
    assert len(whole.nodes) == len(split.nodes) == 8
    assert len(whole.edges) == len(split.edges) == 12  # without the six diagonals
    assert (split.sides >= 0).all()
    assert (whole.twins[whole.twins] == np.arange(12)).all() and (whole.twins != np.arange(12)).all()


def test_a_tube_has_two_borders():
    found = topology(character(cylinder(around=16)).mesh)
    assert (found.sides[:, 1] < 0).sum() == 32
    assert len(found.edges) == 48


def test_components_share_no_node():
    found = topology(character(box(), box()).mesh)
    assert len(found.nodes) == 16 and len(found.edges) == 24


def test_other_proportions_have_the_same_topology():
    mesh = character(box()).mesh
    assert topology(dataclasses.replace(mesh, vertices=1.5 * mesh.vertices)) is topology(mesh)
    other = dataclasses.replace(mesh, faces=mesh.faces[::-1].copy())
    assert topology(other) is not topology(mesh)


def test_a_topology_lives_as_long_as_its_mesh():
    mesh = character(box()).mesh
    found = weakref.ref(topology(mesh))
    assert topology(mesh) is found()
    del mesh
    assert found() is None
