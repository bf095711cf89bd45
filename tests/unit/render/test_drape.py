"""A skirt over legs that move: outside of them, in one piece, on the ground at most; at rest as it was made."""

from dataclasses import replace

import numpy as np
import pytest

from sfumato.render import builtin
from sfumato.render.camera import View, framed
from sfumato.render.character import PARTS, keypoints, rest, skinned
from sfumato.render.characters import load
from sfumato.render.frame import Figure
from sfumato.render.native import draw

MOMENTS = {"kneel": 0.45, "squat": 0.5, "sit": 0.4, "kick": 0.45, "walk": 0.0, "run": 0.0}


@pytest.fixture(scope="module", params=["skirt", "dress"])
def figure(request):
    return load(f"mannequin:bottom={request.param},age=25,hair=cropped,style=0.3", 0)


def posed(figure, name):
    motion = builtin.motion(name)
    return motion.pose(figure, int(MOMENTS[name] * motion.frames))


def depth_in_thighs(figure, pose, vertices):
    """How deep the cloth is in the middle of a thigh at most, in metres."""
    deepest = 0.0
    for bone, end in figure.drape.rods[::2]:
        start, way = pose.heads[bone], pose.heads[end] - pose.heads[bone]
        off = vertices[figure.drape.cloth] - start
        part = off @ way / (way @ way)
        far = np.linalg.norm(off - part[..., None] * way, axis=-1)
        here = (part > 0.25) & (part < 0.9)
        deepest = max(deepest, float((0.05 - far[here]).max(initial=0)))
    return deepest


@pytest.mark.parametrize("name", MOMENTS)
def test_no_leg_is_in_the_cloth(figure, name):
    pose = posed(figure, name)
    assert depth_in_thighs(figure, pose, skinned(figure, pose)) < 0.002


@pytest.mark.parametrize("name", MOMENTS)
def test_it_is_in_one_piece(figure, name):
    """No two neighbours are torn apart, and nothing hangs below the ground."""
    laid = skinned(figure, posed(figure, name))[figure.drape.cloth]
    made = figure.mesh.vertices[figure.drape.cloth]
    for axis in (0, 1):
        now, before = (np.linalg.norm(np.diff(cloth, axis=axis), axis=-1) for cloth in (laid, made))
        assert (now / np.maximum(before, 0.02)).max() < 3.5
    assert laid[..., 1].min() >= skinned(replace(figure, drape=None), posed(figure, name))[:, 1].min() - 1e-9


def test_at_rest_it_hangs_as_it_was_made(figure):
    assert skinned(figure, rest(figure)) == pytest.approx(figure.mesh.vertices, abs=1e-6)


@pytest.mark.parametrize("name", ["sit", "squat"])
def test_seen_from_above_thighs_are_covered(figure, name):
    pose = posed(figure, name)
    vertices = skinned(figure, pose)
    one = Figure(vertices=vertices, character=figure, keypoints=keypoints(figure, pose, vertices))
    camera = framed(vertices, View(elevation_deg=70, size=(256, 256)))
    parts = draw([one], camera).parts
    cloth = {PARTS.index("skirt"), PARTS.index("dress")}
    legs = {PARTS.index("left-leg"), PARTS.index("right-leg")}
    found = []
    for thigh, knee in figure.drape.rods[::2]:
        along = pose.heads[thigh] + np.linspace(0.3, 0.6, 7)[:, None] * (pose.heads[knee] - pose.heads[thigh])
        places, _ = camera.project(along)
        found += [int(parts[int(y), int(x)]) for x, y in places]
    assert not legs & set(found) and len([part for part in found if part in cloth]) >= 7


def test_trousers_need_none():
    assert load("mannequin:bottom=pants", 0).drape is None
