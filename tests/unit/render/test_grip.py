"""Hands: wrists bend as far as they are told to, fingers curl to the palm, labels stay where they are."""

import dolls
import numpy as np
import pytest

from sfumato.render import builtin, random_poses
from sfumato.render.anatomy import LIMITS, Arm, Posture, stance
from sfumato.render.character import keypoints, skinned
from sfumato.render.characters import load
from sfumato.render.stance import build, posed

SIDES = ("left", "right")


@pytest.fixture(scope="module")
def figure():
    return load("mannequin:age=30,hair=cropped,style=0.2", 0)


def held(**grip):
    arm = Arm(raised=10, **{"wrist": 0, "aside": 0, "curl": 0} | grip)
    return stance(Posture(left_arm=arm, right_arm=arm))


def way(figure, pose, side, bone="hand"):
    """Where a bone leads."""
    place, skeleton = figure.limbs[f"{side}_{bone}"], figure.skeleton
    found = pose.rotations[place] @ (skeleton.tails[place] - skeleton.heads[place])
    return found / np.linalg.norm(found)


def angle(first, second):
    return np.degrees(np.arccos(np.clip(first @ second, -1, 1)))


def tips(figure, pose, side):
    """Where fingers end, but for the thumb, (4, 3)."""
    names, skeleton = figure.skeleton.names, figure.skeleton
    places = [names.index(f"{side}_{finger}_2") for finger in ("index", "middle", "ring", "pinky")]
    return np.stack([pose.heads[k] + pose.rotations[k] @ (skeleton.tails[k] - skeleton.heads[k]) for k in places])


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("wrist", "aside"), [(40, 0), (-55, 0), (0, 18), (0, -25)])
def test_wrists_bend_by_what_they_are_told(figure, side, wrist, aside):
    straight, bent = (posed(figure, held(**grip)) for grip in ({}, {"wrist": wrist, "aside": aside}))
    assert angle(way(figure, straight, side), way(figure, bent, side)) == pytest.approx(abs(wrist or aside), abs=0.01)
    inward = np.array(
        [-1.0 if side == "left" else 1.0, 0, 0]
    )  # an arm hangs, its palm to the thigh, its thumb in front
    change = way(figure, bent, side) - way(figure, straight, side)
    assert np.sign(change @ (inward if wrist else (0, 0, 1))) == np.sign(wrist or aside)
    assert angle(way(figure, straight, side, "forearm"), way(figure, bent, side, "forearm")) < 1e-6


@pytest.mark.parametrize("side", SIDES)
def test_fingers_curl_to_the_palm(figure, side):
    wrist = figure.limbs[f"{side}_hand"]
    reach = []
    for curl in (0, 20, 40, 80):
        pose = posed(figure, held(curl=curl))
        reach.append(np.linalg.norm(tips(figure, pose, side) - pose.heads[wrist], axis=1))
    assert (np.diff(reach, axis=0) < 0).all()
    assert (reach[-1] < 0.7 * reach[0]).all()
    inward = np.array([-1.0 if side == "left" else 1.0, 0, 0])
    half = tips(figure, posed(figure, held(curl=40)), side) - tips(figure, posed(figure, held()), side)
    assert (half @ inward > 0.01).all()


def test_both_hands_are_mirrors(figure):
    pose = posed(figure, held(wrist=30, aside=-12, curl=50))
    left, right = (tips(figure, pose, side) for side in SIDES)
    assert left * (-1, 1, 1) == pytest.approx(right, abs=1e-6)


def test_no_label_moves_with_a_hand(figure):
    poses = [posed(figure, held(**grip)) for grip in ({}, {"wrist": 60, "aside": 15, "curl": 80})]
    points = [keypoints(figure, pose, skinned(figure, pose)) for pose in poses]
    assert points[0] == pytest.approx(points[1], abs=1e-9)


def test_hands_without_fingers_bend_too():
    doll = dolls.doll()
    straight, bent = (posed(doll, held(wrist=wrist)) for wrist in (0, 45))
    assert angle(way(doll, straight, "left"), way(doll, bent, "left")) == pytest.approx(45, abs=1e-6)
    assert not build(doll).hands[0].fingers


def test_built_in_motions_use_wrists_and_fingers():
    arms = [
        getattr(motion.posture(frame), f"{side}_arm")
        for motion in map(builtin.motion, builtin.NAMES)
        for frame in range(0, motion.frames, 10)
        for side in SIDES
    ]
    for name, least in (("wrist", 12), ("curl", 15)):
        assert np.std([getattr(arm, name) for arm in arms]) > least
    assert min(arm.curl for arm in arms) > 0  # no hand is quite straight


def test_random_poses_use_them_within_limits():
    rng = np.random.default_rng(1)
    arms = [random_poses.posture(rng).left_arm for _ in range(300)]
    for name, least in (("wrist", 15), ("aside", 6), ("curl", 15)):
        values = [getattr(arm, name) for arm in arms]
        low, high = LIMITS[Arm][name]
        assert np.std(values) > least and low <= min(values) and max(values) <= high
