"""Where eyes are guessed: on those that are drawn, whatever the head wears."""

from dataclasses import replace

import cesium
import numpy as np
import pytest

from sfumato.data.keypoints import KEYPOINTS
from sfumato.render import character as characters
from sfumato.render import native
from sfumato.render.camera import View, framed
from sfumato.render.character import Mesh
from sfumato.render.characters import load
from sfumato.render.face import face_points
from sfumato.render.frame import Figure, Settings

SKIN, BROWN, BLACK, WHITE = (0.9, 0.7, 0.6), (0.4, 0.25, 0.15), (0.1, 0.1, 0.1), (1.0, 1.0, 1.0)
POINTS = KEYPOINTS[:5]


def ball(middle, radii, color=SKIN, rows=24):
    """Vertices, faces and colours of an ellipsoid."""
    up, around = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, 2 * rows + 1), indexing="ij")
    points = np.stack((np.sin(up) * np.sin(around), np.cos(up), np.sin(up) * np.cos(around)), -1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(rows), np.arange(2 * rows), indexing="ij")
    a = (row * (2 * rows + 1) + column).reshape(-1)
    b = a + 2 * rows + 1
    faces = np.concatenate((np.stack((a, b, b + 1), 1), np.stack((a, b + 1, a + 1), 1)))
    return points * radii + middle, faces, np.tile(color, (len(faces), 1))


def head_of(*things):
    """A mesh of some balls."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _, _ in things)])
    faces = np.concatenate([faces + start for (_, faces, _), start in zip(things, starts)]).astype(np.int32)
    return Mesh(
        vertices=np.concatenate([vertices for vertices, _, _ in things]),
        faces=faces,
        parts=np.zeros(len(faces), np.uint8),
        components=np.zeros(len(faces), np.int32),
        colors=np.concatenate([colors for _, _, colors in things]).astype(np.float32),
        smooth_edges=np.empty((0, 2), np.int32),
        cards=np.zeros(1, bool),
    )


def both(x, y, z, radii, color):
    return [ball((sign * x, y, z), radii, color, rows=6) for sign in (1, -1)]


BARE = [ball((0, 0, 0), (1, 1.2, 1)), ball((0, -0.3, 0.95), (0.1, 0.1, 0.2), rows=6)]
BARE += both(1.0, -0.1, 0, (0.15, 0.2, 0.1), SKIN)
EYES = both(0.4, 0, 0.88, (0.1, 0.12, 0.08), BLACK)
BROWS = both(0.4, 0.3, 0.87, (0.25, 0.05, 0.08), (0.02, 0.02, 0.02))
HAIR = [ball((0, 1.2, -0.3), (1.6, 1.1, 1.3), BROWN), ball((0.3, -1.2, -0.9), (1.2, 0.9, 0.5), BROWN)]


def found(mesh, named=(), sockets=()):
    """The five points by name, of a mesh that is all head."""
    flags = np.zeros(len(mesh.faces), bool)
    flags[list(named)] = True
    points = face_points(mesh, np.ones(len(mesh.vertices), bool), named=flags, sockets=sockets)
    assert all(point.approximate for point in points)
    return {name: mesh.vertices[list(point.vertices)].mean(0) for name, point in zip(POINTS, points, strict=True)}


def assert_eyes(places, x, y, abs_=0.03):
    for side, sign in (("left", 1), ("right", -1)):
        assert places[f"{side}_eye"][:2] == pytest.approx((sign * x, y), abs=abs_)
        assert places[f"{side}_eye"][2] > 0.8


@pytest.mark.parametrize("worn", [[], BROWS, HAIR, BROWS + HAIR])
def test_eyes_that_are_pieces(worn):
    places = found(head_of(*BARE, *EYES, *worn))
    assert_eyes(places, 0.4, 0)
    assert places["nose"] == pytest.approx((0, -0.3, 1.15), abs=0.02)
    for side, sign in (("left", 1), ("right", -1)):
        assert places[f"{side}_ear"] == pytest.approx((sign * 1.15, -0.1, 0), abs=0.05)


def test_eyes_of_another_colour_on_one_mesh():
    skull, faces, colors = ball((0, 0, 0), (1, 1.2, 1), rows=48)
    middles = skull[faces].mean(1)
    for sign in (1, -1):
        eye = (np.hypot((middles[:, 0] - sign * 0.35) / 0.12, (middles[:, 1] + 0.3) / 0.15) < 1) & (middles[:, 2] > 0)
        colors[eye] = BLACK
    assert_eyes(found(head_of((skull, faces, colors), *BARE[1:])), 0.35, -0.3)


@pytest.mark.parametrize("color", [SKIN, BROWN])
def test_what_has_no_colour_of_its_own_or_no_twin_is_no_eye(color):
    """Then its size alone tells: a quarter of the width to each side, at half the height."""
    plain = head_of(*BARE)
    things = both(0.4, -0.4, 0.8, (0.1, 0.12, 0.08), color)
    other = head_of(*BARE, *(things if color == SKIN else things[:1]))
    low, high = np.percentile(plain.vertices, (1, 99), axis=0)
    for mesh in (plain, other):
        assert_eyes(found(mesh), (high - low)[0] / 4, (low + high)[1] / 2, 0.1)


def test_eyes_by_name_or_bone_before_all_others():
    mesh = head_of(*BARE, *EYES, *both(0.3, 0.2, 0.9, (0.05, 0.05, 0.05), WHITE))
    count = len(both(0.3, 0.2, 0.9, (1, 1, 1), WHITE)[0][1])
    last = range(len(mesh.faces) - 2 * count, len(mesh.faces))
    assert_eyes(found(mesh), 0.4, 0)
    assert_eyes(found(mesh, named=last), 0.3, 0.2)
    sockets = [np.array((sign * 0.25, 0.3, 0.5)) for sign in (1, -1)]
    assert_eyes(found(mesh, sockets=sockets), 0.25, 0.3, 0.1)
    assert_eyes(found(mesh, named=last, sockets=sockets), 0.3, 0.2)
    assert_eyes(found(mesh, named=last[:count]), 0.4, 0)  # one eye tells nothing of the other


def test_the_foremost_vertex_may_have_no_face():
    mesh = head_of(*BARE, *EYES)
    loose = replace(mesh, vertices=np.concatenate((mesh.vertices, [[0, -0.3, 2]])))
    places, wanted = found(loose), found(mesh)
    assert places["nose"] == pytest.approx((0, -0.3, 2))
    for point in POINTS[1:]:
        assert places[point] == pytest.approx(wanted[point], abs=0.05)


# Measured by eye in pictures of 1400 pixels from the front (an angle of view of 1 degree), in flat colours: the figure
# reaches from row 29 (the Rogue 28) to 1372 and has its middle in column 700; the Knight's eyes lie in columns 564 to
# 615 and 785 to 836, rows 461 to 530, the Rogue's in 537 to 609 and 791 to 863, rows 345 to 422. From these the middle
# of an eye in shares of the figure's height: to the side, and above the ground.
DRAWN = {"Knight": (0.0823, 0.6526), "Rogue": (0.0945, 0.7355)}


@pytest.mark.parametrize("name", DRAWN)
def test_eyes_lie_where_they_are_drawn(real_data, name):
    figure = load(str(real_data / "characters" / "kaykit" / f"{name}.glb"), 0)
    pose = characters.rest(figure)
    vertices = characters.skinned(figure, pose)
    places = characters.keypoints(figure, pose, vertices)
    height = np.ptp(vertices[:, 1])
    head = (vertices[:, 1].max() - figure.skeleton.heads[figure.limbs["head"], 1]) / height
    for point, sign in ((1, 1), (2, -1)):
        x, y, _ = places[point] / height
        assert np.hypot(x - sign * DRAWN[name][0], y - DRAWN[name][1]) < 0.02 * head
    assert places[4] == pytest.approx(places[3] * (-1, 1, 1), abs=0.01)  # whatever hangs from an ear
    shown = Figure(vertices=vertices, character=figure, keypoints=places)
    for azimuth, seen in ((0, [0, 1, 2]), (60, [1]), (-60, [2])):  # from the front, from its left and its right
        camera = framed(vertices, View(azimuth_deg=azimuth, size=(256, 256)))
        assert (native.draw([shown], camera, Settings()).keypoints[0][seen, 2] == 2).all()


def test_a_face_without_eyes(real_data, tmp_path):
    (tmp_path / "man.glb").write_bytes((real_data / "characters" / "khronos" / "CesiumMan.glb").read_bytes())
    (tmp_path / "man.bones.toml").write_text(cesium.MAP, encoding="utf-8")
    man = load(str(tmp_path / "man.glb"), 0)
    head = man.mesh.vertices[man.mesh.vertices[:, 1] > man.skeleton.heads[man.limbs["head"], 1]]
    low, high = head.min(0), head.max(0)
    for point, sign in ((1, 1), (2, -1)):
        eye = man.mesh.vertices[list(man.keypoints[point].vertices)].mean(0)
        assert eye[:2] == pytest.approx((sign * (high - low)[0] / 4, (low + high)[1] / 2), abs=0.02)
