"""Motions and poses made by code: angles are what they say, hinges bend one way, seeds decide."""

from dataclasses import fields, replace

import dolls
import numpy as np
import pytest

from sfumato.errors import OptionError
from sfumato.render import builtin, keys, random_poses
from sfumato.render.anatomy import LIMITS, Arm, Leg, Posture, limited, mixed, stance
from sfumato.render.character import rest, skinned
from sfumato.render.characters import load
from sfumato.render.stance import posed

SIDES = ("left", "right")
SLACK_DEG = 2
"""The thighs of the doll do not hang quite straight at rest, and so its skin is turned by as much."""


def ways(doll, pose, side, *bones):
    """Directions from each bone to the next, and the last one's."""
    heads = [pose.heads[doll.limbs[f"{side}_{bone}"]] for bone in bones]
    found = np.diff(heads, axis=0)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def angle(first, second):
    return np.degrees(np.arccos(np.clip(first @ second, -1, 1)))


def bend(doll, pose, side, limb):
    """How far a limb is bent in degrees, and how far of it to the side where it may, as its skin is turned."""
    bones, way = (("upper_arm", "forearm", "hand"), 1) if limb == "arm" else (("thigh", "shin", "foot"), -1)
    upper, lower = ways(doll, pose, side, *bones)
    front = pose.rotations[doll.limbs[f"{side}_{bones[0]}"]] @ (0, 0, 1)
    return angle(upper, lower), way * np.degrees(np.arcsin(lower @ front))


def same(first, second):
    return np.array_equal(first.heads, second.heads) and np.array_equal(first.rotations, second.rotations)


def numbers(part):
    """All angles of a posture, with their types and names."""
    for f in fields(part):
        value = getattr(part, f.name)
        yield from numbers(value) if isinstance(value, Arm | Leg) else [((type(part), f.name), value)]


def test_angles_are_what_they_say():
    doll = dolls.doll(arms_down_deg=30)
    body = Posture(
        left_arm=Arm(raised=90, elbow=70),
        right_arm=Arm(raised=90, ahead=90),
        left_leg=Leg(forward=90, knee=90),
        right_leg=Leg(aside=25),
    )
    pose = posed(doll, stance(body))
    s = np.sin(np.radians(25)), np.cos(np.radians(25))
    assert np.allclose(ways(doll, pose, "left", "upper_arm", "forearm"), (1, 0, 0), atol=1e-9)
    assert bend(doll, pose, "left", "arm") == pytest.approx((70, 70), abs=1e-6)
    assert np.allclose(ways(doll, pose, "right", "upper_arm", "forearm", "hand"), (0, 0, 1), atol=1e-9)
    assert np.allclose(ways(doll, pose, "left", "thigh", "shin", "foot"), [(0, 0, 1), (0, -1, 0)], atol=1e-9)
    assert np.allclose(ways(doll, pose, "right", "thigh", "shin", "foot"), (-s[0], -s[1], 0), atol=1e-9)


@pytest.mark.parametrize(
    ("field", "axis", "expected"),
    [
        ("turn", 2, (0.5, 0, 3**0.5 / 2)),
        ("lean", 1, (0, 3**0.5 / 2, 0.5)),
        ("tilt", 1, (0.5, 3**0.5 / 2, 0)),
        ("twist", 2, (0.5, 0, 3**0.5 / 2)),
        ("bend", 1, (0, 3**0.5 / 2, 0.5)),
        ("sway", 1, (0.5, 3**0.5 / 2, 0)),
        ("look", 2, (0.5, 0, 3**0.5 / 2)),
        ("nod", 1, (0, 3**0.5 / 2, 0.5)),
        ("cock", 1, (0.5, 3**0.5 / 2, 0)),
    ],
)
def test_the_trunk_turns_left_leans_forward_and_tilts_left(field, axis, expected):
    turns = dict(zip(("hips", "spine", "chest", "neck", "head"), stance(Posture(**{field: 30})).turns))
    assert np.allclose(turns["head"][:, axis], expected)
    for bone, moved in (
        ("hips", ("turn", "lean", "tilt")),
        ("chest", ("turn", "lean", "tilt", "twist", "bend", "sway")),
    ):
        assert np.allclose(turns[bone][:, axis], expected if field in moved else np.eye(3)[axis])


def test_mirrored_is_mirrored():
    body = builtin.motion("box").posture(10)
    doll = dolls.doll()
    one, other = (posed(doll, stance(p)) for p in (body, body.mirrored()))
    for bone, place in doll.limbs.items():
        swapped = bone.replace("left", "*").replace("right", "left").replace("*", "right")
        assert np.allclose(other.heads[doll.limbs[swapped]], one.heads[place] * (-1, 1, 1), atol=1e-9)
    assert body.mirrored().mirrored() == body


def test_postures_mix_and_stay_in_their_limits():
    first, second = Posture(lean=10, left_leg=Leg(knee=20)), Posture(lean=20, left_leg=Leg(knee=40))
    assert mixed(first, second, 0.25) == Posture(lean=12.5, left_leg=Leg(knee=25))
    wild = replace(first, look=200, right_arm=Arm(elbow=-20))
    assert limited(wild) == replace(first, look=75, right_arm=Arm(elbow=0))


@pytest.mark.parametrize("name", builtin.NAMES)
@pytest.mark.parametrize("seed", [0, 1])
def test_built_in_motions(name, seed):
    doll, motion = dolls.doll(arms_down_deg=40), builtin.motion(name, seed=seed)
    ground = doll.mesh.vertices[:, 1].min()
    assert motion.name == name
    for frame in np.linspace(0, motion.frames - 1, 4).astype(int):
        body = motion.posture(int(frame))
        for key, value in numbers(body):
            low, high = LIMITS[key[0]].get(key[1], (-360, 360))
            assert low - 1e-9 <= value <= high + 1e-9, key
        pose = motion.pose(doll, int(frame))
        assert skinned(doll, pose)[:, 1].min() >= ground + body.above - 1e-9 or body.above > 0
        for side in SIDES:
            for limb in ("arm", "leg"):
                much, way = bend(doll, pose, side, limb)
                assert way > -SLACK_DEG, (
                    f"{name} {frame}: the {side} {limb} bends the wrong way by {way:.0f} of {much:.0f}"
                )
    first, last = (motion.pose(doll, k).heads for k in (0, motion.frames - 1))
    assert np.abs(first - last).max() < 0.35  # it comes round


def test_seeds_vary_motions_and_repeat():
    doll = dolls.doll()
    plain, one, again, two = (builtin.motion("dance", seed=seed) for seed in (0, 1, 1, 2))
    assert same(one.pose(doll, 9), again.pose(doll, 9))
    assert one.frames == again.frames
    assert not any(same(one.pose(doll, 9), other.pose(doll, 9)) for other in (plain, two))


@pytest.mark.parametrize(("name", "gone"), [("walk", 0.0), ("jump", 0.3), ("lie", 0.0)])
def test_only_jumps_leave_the_ground(name, gone):
    doll, motion = dolls.doll(arms_down_deg=40), builtin.motion(name)
    ground = doll.mesh.vertices[:, 1].min()
    heights = [skinned(doll, motion.pose(doll, k))[:, 1].min() - ground for k in range(motion.frames)]
    assert min(heights) == pytest.approx(0, abs=1e-9)
    assert max(heights) >= gone
    assert gone or max(heights) < 1e-9


def test_a_motion_or_frame_that_is_not_there():
    with pytest.raises(OptionError, match="no built-in motion 'fly'; there are idle, walk"):
        builtin.motion("fly")
    with pytest.raises(OptionError, match="no frame 999"):
        builtin.motion("walk").pose(dolls.doll(), 999)


def test_random_poses_are_possible_and_repeat():
    poses, doll = random_poses.RandomPoses(frames=24, seed=7), dolls.doll(arms_down_deg=40)
    ground, passing = doll.mesh.vertices[:, 1].min(), 0
    for frame in range(poses.frames):
        pose = poses.pose(doll, frame)
        passing += random_poses.room(doll, pose) >= 0
        assert skinned(doll, pose)[:, 1].min() >= ground - 1e-9
        assert all(bend(doll, pose, side, limb)[1] > -SLACK_DEG for side in SIDES for limb in ("arm", "leg"))
        shapes = np.linalg.norm(np.diff(pose.heads, axis=0), axis=1)
        assert np.isfinite(shapes).all()
    assert passing >= 23
    again, other = random_poses.RandomPoses(frames=2, seed=7), random_poses.RandomPoses(frames=2, seed=8)
    assert same(poses.pose(doll, 1), again.pose(doll, 1))
    assert not same(poses.pose(doll, 0), poses.pose(doll, 1))
    assert not same(poses.pose(doll, 1), other.pose(doll, 1))


def test_random_angles_are_within_limits_and_of_all_kinds():
    rng = np.random.default_rng(0)
    drawn = [random_poses.posture(rng) for _ in range(300)]
    for body in drawn:
        for key, value in numbers(body):
            low, high = LIMITS[key[0]].get(key[1], (-360, 360))
            assert low - 1e-9 <= value <= high + 1e-9, key
    knees = np.array([(b.left_leg.knee, b.left_leg.forward) for b in drawn])
    assert np.corrcoef(knees.T)[0, 1] > 0.3  # a bent knee goes with a bent hip
    assert 0.02 < np.mean([abs(b.lean) > 70 for b in drawn]) < 0.1
    assert 0.08 < np.mean([b.above > 0 for b in drawn]) < 0.2


def test_people_do_what_drawings_show():
    """Arms crossed, on hips, over the head; on the belly, on a side, cross-legged, low on both feet, in a leap."""
    doll = dolls.doll(arms_down_deg=40)
    seen = set()
    for motion in map(builtin.motion, builtin.NAMES):
        for frame in range(0, motion.frames, 15):
            body = motion.posture(frame)
            heads = motion.pose(doll, frame).heads
            at = {name: heads[place] for name, place in doll.limbs.items()}
            left, right = at["left_hand"] - at["chest"], at["right_hand"] - at["chest"]
            upright = abs(body.lean) < 20 and abs(body.tilt) < 20
            seen |= {"arms crossed"} if upright and left[0] < 0.05 and right[0] > -0.05 and left[1] < 0.1 else set()
            hips = [abs(at[f"{s}_hand"] - at[f"{s}_thigh"])[1] < 0.25 and at[f"{s}_forearm"][2] < 0.02 for s in SIDES]
            bent = min(body.left_arm.elbow, body.right_arm.elbow) > 70
            seen |= {"hands on hips"} if all(hips) and bent and upright else set()
            seen |= {"arms overhead"} if min(at[f"{s}_hand"][1] for s in SIDES) > at["head"][1] + 0.1 else set()
            seen |= {"belly"} if body.lean > 75 and body.left_leg.forward < 20 else set()
            seen |= {"side"} if abs(body.tilt) > 75 else set()
            seen |= {"cross-legged"} if min(body.left_leg.outward, body.right_leg.outward) > 40 else set()
            seen |= {"crouching"} if min(body.left_leg.knee, body.right_leg.knee) > 125 and body.lean < 60 else set()
            seen |= {"leap"} if body.above > 0.4 and body.left_leg.forward - body.right_leg.forward > 100 else set()
    wanted = {"arms crossed", "hands on hips", "arms overhead", "belly", "side", "cross-legged", "crouching", "leap"}
    assert wanted <= seen


def test_arms_and_legs_that_rest_on_the_body_do_not_pass_through_it():
    doll, figure = dolls.doll(arms_down_deg=40), load("mannequin:age=25,hair=cropped,bottom=pants", 0)
    arms = {"hips": (keys.HIPS, keys.HIPS), "crossed": keys.CROSSED, "head": (keys.TO_HEAD, keys.TO_HEAD)}
    bodies = {name: replace(keys.STAND, left_arm=left, right_arm=right) for name, (left, right) in arms.items()}
    bodies["lotus"] = builtin.motion("lotus").posture(0)
    for name, body in bodies.items():
        for character in (doll, figure):
            assert random_poses.room(character, posed(character, stance(body))) >= 0, (name, character.name)


def test_random_poses_rest_arms_on_the_body_and_cross_legs():
    rng = np.random.default_rng(3)
    drawn = [random_poses.posture(rng) for _ in range(300)]
    hips = [min(abs(a.ahead + 28), abs(a.elbow - 85)) < 9 and a.aside < -20 for b in drawn for a in (b.left_arm,)]
    assert 0.03 < np.mean(hips) < 0.25
    assert 0.005 < np.mean([min(b.left_leg.outward, b.right_leg.outward) > 41 for b in drawn]) < 0.08
    assert 0.02 < np.mean([min(b.left_leg.knee, b.right_leg.knee) > 99 and b.lean > 15 for b in drawn]) < 0.2


def test_a_cape_does_not_lift_the_body():
    doll = dolls.doll(arms_down_deg=40)
    vertices = doll.mesh.vertices.copy()
    hanging = (doll.weights.bones[:, 0] == doll.limbs["chest"]) & (vertices[:, 1] < 1.2)
    vertices[hanging] += (0, -0.9, -0.1)
    caped, floor = replace(doll, mesh=replace(doll.mesh, vertices=vertices)), builtin.motion("floor")
    pose = floor.pose(caped, 0)
    assert np.allclose(pose.heads, floor.pose(doll, 0).heads)
    assert skinned(caped, pose)[:, 1].min() < doll.mesh.vertices[:, 1].min() - 0.1


def test_limbs_in_each_other_are_told():
    doll = dolls.doll(arms_down_deg=60)
    into = Posture(left_arm=Arm(raised=20, ahead=100, inward=80, elbow=110))
    through = Posture(left_leg=Leg(aside=-20), right_leg=Leg(aside=-20))
    assert random_poses.room(doll, rest(doll)) > 0
    assert random_poses.room(doll, posed(doll, stance(Posture(left_arm=Arm(raised=80))))) > 0
    for body in (into, through):
        assert random_poses.room(doll, posed(doll, stance(body))) < 0
