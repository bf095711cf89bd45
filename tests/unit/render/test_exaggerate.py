"""Other proportions: bones, skin and keypoints change alike, in every pose."""

from dataclasses import asdict

import dolls
import numpy as np
import pytest

from sfumato.data.keypoints import KEYPOINTS
from sfumato.errors import OptionError
from sfumato.render import builtin
from sfumato.render.character import keypoints, rest, skinned
from sfumato.render.exaggerate import Proportions, drawn, exaggerated


def sizes(character, pose, *pairs):
    at = {bone: pose.heads[place] for bone, place in character.limbs.items()}
    return np.array([np.linalg.norm(at[b] - at[a]) for a, b in pairs])


def test_nothing_changes_nothing():
    doll = dolls.doll(arms_down_deg=35)
    same = exaggerated(doll, Proportions())
    assert np.allclose(same.mesh.vertices, doll.mesh.vertices, atol=1e-12)
    assert np.allclose(same.skeleton.heads, doll.skeleton.heads, atol=1e-12)


@pytest.mark.parametrize("arms_down_deg", [0, 50])
def test_limbs_are_as_long_as_they_are_told_in_any_pose(arms_down_deg):
    doll = dolls.doll(arms_down_deg=arms_down_deg)
    long = exaggerated(doll, Proportions(arms=1.5, legs=0.8, trunk=1.2))
    arms = (("left_upper_arm", "left_forearm"), ("right_forearm", "right_hand"))
    legs = (("left_thigh", "left_shin"), ("right_shin", "right_foot"))
    for pose in (rest, lambda c: builtin.motion("dance").pose(c, 10)):
        before, after = pose(doll), pose(long)
        assert np.allclose(sizes(long, after, *arms), 1.5 * sizes(doll, before, *arms))
        assert np.allclose(sizes(long, after, *legs), 0.8 * sizes(doll, before, *legs))
    assert long.mesh.vertices[:, 1].min() == pytest.approx(doll.mesh.vertices[:, 1].min())
    assert np.allclose(sizes(long, rest(long), ("spine", "chest")), 1.2 * sizes(doll, rest(doll), ("spine", "chest")))


def test_a_limb_keeps_its_thickness():
    doll = dolls.doll()
    mine = np.flatnonzero(doll.weights.bones[:, 0] == doll.limbs["left_forearm"])
    before, after = (np.ptp(d.mesh.vertices[mine], axis=0) for d in (doll, exaggerated(doll, Proportions(arms=2))))
    assert np.allclose(after, before * (2, 1, 1))


def test_a_larger_head_takes_all_on_it_along():
    doll = dolls.doll()
    big = exaggerated(doll, Proportions(head=1.6))
    hat = doll.skeleton.names.index("hat")
    heads = [d.skeleton.heads[hat] - d.skeleton.heads[d.limbs["head"]] for d in (doll, big)]
    assert np.allclose(heads[1], 1.6 * heads[0])
    others = [p for n, p in doll.limbs.items() if n != "head"]
    assert np.allclose(big.skeleton.heads[others], doll.skeleton.heads[others])


def test_labels_go_with_the_skin():
    """Keypoints at vertices are those vertices; keypoints at bones are where the boxes of two bones meet."""
    big = exaggerated(dolls.doll(), Proportions(arms=1.7, legs=1.3, head=1.4, hands=2))
    pose = builtin.motion("throw").pose(big, 15)
    vertices = skinned(big, pose)
    points = dict(zip(KEYPOINTS, keypoints(big, pose, vertices)))
    for name, bone in (("left_elbow", "left_forearm"), ("right_knee", "right_shin")):
        place = big.limbs[bone]
        box = vertices[big.weights.bones[:, 0] == place]
        turned = (box - pose.heads[place]) @ pose.rotations[place]
        assert np.allclose(points[name], pose.heads[place])
        assert (turned.min(0) <= 1e-9).all() and (turned.max(0) >= -1e-9).all()
    assert np.allclose(points["nose"], vertices[list(big.keypoints[0].vertices)].mean(0))


def test_drawn_proportions_repeat_and_stay_in_bounds():
    one, again, none = (drawn(np.random.default_rng(3), amount) for amount in (1, 1, 0))
    assert one == again
    assert none == Proportions()
    for seed in range(50):
        assert all(0.6 <= value <= 1.7 for value in asdict(drawn(np.random.default_rng(seed))).values())


@pytest.mark.parametrize("value", [0.0, -1.0, 5.0, float("nan")])
def test_absurd_factors(value):
    with pytest.raises(OptionError, match="head=.* must be from"):
        Proportions(head=value)
