"""What reaches past the camera is cut off there, in closed form: a floor, its borders, an edge beside the eye."""

import numpy as np
import pytest
from solids import character

from sfumato.render.camera import Camera
from sfumato.render.frame import Figure, Settings
from sfumato.render.native import draw
from sfumato.render.near import NEAR, clipped, clipped_edges

FOCAL, SIZE = 100.0, (120, 90)
CAMERA = Camera(position=np.zeros(3), rotation=np.diag([-1.0, -1, 1]), focal_px=FOCAL, size=SIZE)
"""At the origin, looks along +Z; up in the world is up in the picture."""


def floor(left, right, behind, ahead, height=-1.0):
    points = np.array([(left, height, behind), (left, height, ahead), (right, height, ahead), (right, height, behind)])
    made = character((points, [[0, 1, 2, 3]]))
    return Figure(vertices=made.mesh.vertices, character=made, keypoints=np.zeros((17, 3)))


def test_a_floor_that_goes_on_behind_the_camera_is_seen_up_to_the_lower_border():
    frame = draw([floor(-50, 50, -30, 41)], CAMERA, Settings(contact=False, suggestive=False))
    y = np.arange(SIZE[1]) + 0.5 - SIZE[1] / 2
    depth = np.where(y > 0, FOCAL / np.maximum(y, 1e-9), np.inf)
    wanted = np.where(depth < 41, depth, np.inf)
    seen = np.isfinite(frame.depth)
    assert (seen == (wanted < np.inf)[:, None]).all()
    fine = y[seen[:, 0]]
    # A pixel has the depth of one of its samples, a quarter of a pixel above or below its middle.
    assert np.abs(FOCAL / frame.depth[seen[:, 0]] - fine[:, None]).max() <= 0.2501
    assert np.abs(frame.normals[seen] - (0, -1, 0)).max() < 1e-5


def test_lines_run_on_to_the_border_of_the_picture():
    frame = draw([floor(-1, 1, -30, 40)], CAMERA, Settings(contact=False, suggestive=False, smooth=0))
    points = np.concatenate([stroke.points for stroke in frame.strokes]) - np.array(SIZE) / 2
    sides = points[(np.abs(points[:, 1]) < 44) & (points[:, 1] > FOCAL / 40 + 0.1)]
    assert np.abs(np.abs(sides[:, 0]) - sides[:, 1]).max() < 1e-6  # x = +-1 and y = -1 lie on diagonals
    assert sides[:, 1].max() > 42 and {True, False} == set(sides[:, 0] > 0)


def test_a_triangle_is_cut_where_it_comes_too_near():
    space = np.array([(0.0, 0, 2), (1, 0, -2), (-1, 0.5, -2)])
    corners = np.concatenate((FOCAL * space[:, :2] / space[:, 2:], space[:, 2:]), 1)
    found = np.zeros((4, 3))
    assert clipped(corners, found) == 3
    part = (NEAR - 2) / -4
    for got, end in zip(found[[1, 2]], space[1:]):
        x, y, z = space[0] + part * (end - space[0])
        assert got == pytest.approx((FOCAL * x / NEAR, FOCAL * y / NEAR, NEAR), rel=1e-9) and z == pytest.approx(NEAR)
    assert clipped(corners * (1, 1, -1), found) == 4
    assert clipped(corners * (1, 1, -1) - (0, 0, 9), found) == 0


def test_edges_get_new_ends():
    space = np.array([(0.2, 0.1, 1.0), (0.2, 0.1, -1.0), (0.0, 0.0, 5.0), (0.0, 0.0, -5.0), (3.0, 0.0, 0.5)])
    places, depths = CAMERA.project(space)
    edges = np.array([(0, 2), (0, 1), (3, 2), (1, 3), (4, 1)], np.int32)
    which, nodes, all_places, near = clipped_edges(edges, places, depths, SIZE)
    assert which.tolist() == [0, 1, 2]  # one is behind; one runs past beside the picture
    assert nodes[0].tolist() == [0, 2] and nodes[1][0] == 0 and nodes[2][1] == 2
    end = nodes[1][1]
    way = all_places[end] - np.array(SIZE) / 2
    assert way[0] == pytest.approx(2 * way[1])  # on the line through the vanishing point
    assert near[end] == pytest.approx(abs(way[0]) / (0.2 * FOCAL))  # x f / z
    assert (all_places[nodes].max((0, 1)) <= 2.0 * np.array(SIZE) + 1e-9).all()
    whole = clipped_edges(edges[:1], places, depths, SIZE)
    assert whole[2] is places and whole[1].tolist() == [[0, 2]]


def test_a_figure_around_the_camera_has_lines():
    made = character(
        *[
            (np.array([(-1, y, -1), (1, y, -1), (1, y, 1), (-1, y, 1)], float) * (9, 1, 9), [[0, 1, 2, 3]])
            for y in (-1, 1)
        ]
    )
    frame = draw([Figure(vertices=made.mesh.vertices, character=made, keypoints=np.zeros((17, 3)))], CAMERA)
    assert frame.mask[[0, -1]].all() and not frame.mask[SIZE[1] // 2].any()
    assert frame.lines.any()
