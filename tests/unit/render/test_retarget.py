"""Any file moves any character: directions are kept, bones keep their lengths, hinges bend as they do."""

import functools
import re
import time
from concurrent.futures import ThreadPoolExecutor

import dolls
import numpy as np
import pytest

from sfumato.errors import DataError, OptionError
from sfumato.render import bvh, retarget
from sfumato.render.bones import joint_map
from sfumato.render.character import keypoints, rest, skinned
from sfumato.render.stance import legs

SEGMENTS = ("upper_arm", "forearm", "thigh", "shin")
NEXT = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot"}
FILES = {
    "animated_drawings_mit/cmu1/jumping_jacks.bvh": "y",
    "animated_drawings_mit/fair1/dab.bvh": "z",
    "animated_drawings_mit/fair1/jumping.bvh": "z",
    "animated_drawings_mit/fair1/wave_hello.bvh": "z",
    "animated_drawings_mit/fair1/zombie.bvh": "z",
    "animated_drawings_mit/rokoko/jesse_dance.bvh": "y",
    "cmu/02_01.bvh": "y",
    "cmu/05_06.bvh": "y",
    "cmu/cmu_12_01_walk.bvh": "y",
    "makehuman_poses_cc0/fight01.bvh": "z",
    "makehuman_poses_cc0/fly01.bvh": "z",
    "makehuman_poses_cc0/gym01.bvh": "z",
    "makehuman_poses_cc0/sit01.bvh": "z",
    "makehuman_poses_cc0/tpose.bvh": "z",
}
"""And which axis is up."""
DOLLS = {
    "t": {},
    "a": {"arms_down_deg": 50},
    "tails aside": {"arms_down_deg": 20, "tails_aside": True},
    "few bones": {"without": ("chest", "neck", "shoulder", "toe"), "size": 3.0},
}
OFFSETS = {
    "Hips": ("", 0, 10, 0), "Spine": ("Hips", 0, 1, 0), "Spine1": ("Spine", 0, 2, 0),
    "Neck": ("Spine1", 0, 2, 0), "Head": ("Neck", 0, 1, 0),
} | {
    f"{side}{bone}": (f"{side}{parent}" if parent not in ("Hips", "Spine1") else parent, sign * x, y, z)
    for side, sign in (("Left", 1), ("Right", -1))
    for bone, parent, x, y, z in (
        ("Shoulder", "Spine1", 0.5, 1.5, 0), ("Arm", "Shoulder", 1, 0, 0), ("ForeArm", "Arm", 2.5, 0, 0),
        ("Hand", "ForeArm", 2.5, 0, 0), ("UpLeg", "Hips", 1, 0, 0), ("Leg", "UpLeg", 0, -4.5, 0),
        ("Foot", "Leg", 0, -4.5, 0), ("ToeBase", "Foot", 0, -0.8, 1.5),
    )
}  # fmt: skip
"""A person in a T, by parent and offset."""


def person(tmp_path, *frames, prefix=""):
    """A BVH file; each frame gives (z, x, y) angles of some joints, and may give the place of the hips."""
    lines, order = ["HIERARCHY"], []

    def joint(name, depth):
        kind = "JOINT" if OFFSETS[name][0] else "ROOT"
        channels = "CHANNELS 3" if OFFSETS[name][0] else "CHANNELS 6 Xposition Yposition Zposition"
        lines.extend([f"{kind} {prefix}{name}", "{", f"OFFSET {' '.join(map(str, OFFSETS[name][1:]))}"])
        lines.append(f"{channels} Zrotation Xrotation Yrotation")
        order.append(name)
        for child, (parent, *_) in OFFSETS.items():
            if parent == name:
                joint(child, depth + 1)
        lines.append("}")

    joint("Hips", 0)
    lines.extend(["MOTION", f"Frames: {len(frames)}", "Frame Time: 0.1"])
    for frame in frames:
        values = [frame.get("place", (0, 10, 0)), *(frame.get(name, (0, 0, 0)) for name in order)]
        lines.append(" ".join(str(number) for numbers in values for number in numbers))
    path = tmp_path / "person.bvh"
    path.write_text("\n".join(lines), encoding="utf-8")
    return bvh.read(path)


@functools.cache
def real(path):
    read = bvh.read(path)
    return read, retarget.recorded(read)


def at(character, pose, bone):
    return pose.heads[character.limbs[bone]]


def way(character, pose, bone):
    side, _, name = bone.partition("_")
    found = at(character, pose, f"{side}_{NEXT[name]}") - at(character, pose, bone)
    return found / np.linalg.norm(found)


def ways(places):
    """(8, 3) of a mapping from bones to places."""
    found = np.stack([places[f"{s}_{NEXT[n]}"] - places[f"{s}_{n}"] for s in ("left", "right") for n in SEGMENTS])
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", DOLLS)
def test_a_t_is_a_t(tmp_path, kind):
    doll = dolls.doll(**DOLLS[kind])
    pose = retarget.recorded(person(tmp_path, {})).pose(doll, 0)
    for side, sign in (("left", 1), ("right", -1)):
        for bone in ("upper_arm", "forearm"):
            assert np.allclose(way(doll, pose, f"{side}_{bone}"), (sign, 0, 0), atol=1e-9)
        for bone in ("thigh", "shin"):
            assert np.allclose(way(doll, pose, f"{side}_{bone}"), (0, -1, 0), atol=1e-9)
    for bone in ("hips", "spine", "head"):
        assert np.allclose(pose.rotations[doll.limbs[bone]], np.eye(3), atol=1e-9)
    if kind == "t":
        assert np.allclose(pose.rotations[[doll.limbs[f"{s}_foot"] for s in ("left", "right")]], np.eye(3), atol=0.03)


def test_known_angles_move_elbow_and_wrist_where_they_must(tmp_path):
    doll = dolls.doll()
    motion = retarget.recorded(person(tmp_path, {"LeftArm": (-90, 0, 0), "LeftForeArm": (0, 0, -90)}))
    pose = motion.pose(doll, 0)
    shoulder, elbow, wrist = (at(doll, pose, f"left_{bone}") for bone in ("upper_arm", "forearm", "hand"))
    assert np.allclose(elbow - shoulder, (0, -0.28, 0), atol=1e-9)  # hanging
    assert np.allclose(wrist - elbow, (0, 0, 0.25), atol=1e-9)  # and ahead
    # The elbow's inner side, in a T the front of the arm, still is: no twist in skin.
    assert np.allclose(pose.rotations[doll.limbs["left_upper_arm"]] @ (0, 0, 1), (0, 0, 1), atol=1e-9)
    assert np.allclose(at(doll, pose, "right_hand") - at(doll, pose, "right_forearm"), (-0.25, 0, 0), atol=1e-9)
    follow = pose.rotations[list(doll.skeleton.names).index("left_twist")]
    assert np.allclose(follow, pose.rotations[doll.limbs["left_upper_arm"]])


def test_a_bent_elbow_turns_the_arm_about_itself(tmp_path):
    doll = dolls.doll()
    up = retarget.recorded(person(tmp_path, {"LeftForeArm": (90, 0, 0)})).pose(doll, 0)
    assert np.allclose(way(doll, up, "left_forearm"), (0, 1, 0), atol=1e-9)
    assert np.allclose(up.rotations[doll.limbs["left_upper_arm"]] @ (0, 0, 1), (0, 1, 0), atol=1e-9)


def test_trunk_head_and_knee(tmp_path):
    doll = dolls.doll()
    frame = {"Spine": (0, 0, 40), "Head": (0, 0, 30), "LeftUpLeg": (0, -90, 0), "LeftLeg": (0, 90, 0)}
    pose = retarget.recorded(person(tmp_path, frame)).pose(doll, 0)
    turned = {bone: pose.rotations[doll.limbs[bone]] @ (0, 0, 1) for bone in ("hips", "chest", "head", "left_thigh")}
    assert np.allclose(turned["hips"], (0, 0, 1), atol=1e-9)
    for bone, degrees in (("chest", 40), ("head", 70)):
        assert np.allclose(turned[bone], (np.sin(np.radians(degrees)), 0, np.cos(np.radians(degrees))), atol=1e-9)
    assert np.allclose(way(doll, pose, "left_shin"), (0, -1, 0), atol=1e-9)
    assert turned["left_thigh"] @ (0, 1, 0) > 0.999  # the kneecap looks up; at rest the thigh leans a little


def test_steps_are_as_long_as_legs_and_start_ahead(tmp_path):
    frames = [{"Hips": (0, 0, 90), "place": (9 * k, 10, 0)} for k in range(4)]
    doll = dolls.doll()
    motion, still = (retarget.recorded(person(tmp_path, *frames), in_place=p) for p in (False, True))
    hips = np.stack([at(doll, motion.pose(doll, k), "hips") for k in range(4)])
    assert np.allclose(np.diff(hips, axis=0), (0, 0, legs(doll)), atol=1e-9)  # 9 is the file's leg; +X is ahead there
    assert np.allclose(hips[1], at(doll, still.pose(doll, 3), "hips"), atol=1e-9)


@pytest.mark.parametrize(("turn", "place", "stands"), [(90, (0, 0, 10), True), (-90, (0, 1, 3), False)])
def test_who_stands_along_another_axis_stands_and_who_lies_lies(tmp_path, turn, place, stands):
    frames = [{"Hips": (0, turn, 0), "place": place}] * 12
    doll = dolls.doll()
    pose = retarget.recorded(person(tmp_path, *frames)).pose(doll, 3)
    assert way(doll, pose, "left_thigh")[1] == pytest.approx(-1 if stands else 0, abs=1e-9)
    assert (at(doll, pose, "head") - at(doll, pose, "hips"))[1] == pytest.approx(0.58 if stands else 0, abs=0.02)


def test_jumps_leave_the_ground_and_nothing_else_does(tmp_path):
    frames = [{"place": (0, 10 + up, 0)} for up in (0, 0.2, 4.5, 0)]
    doll = dolls.doll(arms_down_deg=60)
    motion = retarget.recorded(person(tmp_path, *frames))
    lowest = [skinned(doll, motion.pose(doll, k))[:, 1].min() for k in range(4)]
    ground = doll.mesh.vertices[:, 1].min()
    assert np.allclose(np.array(lowest) - ground, (0, 0, (0.5 - retarget.SLACK) * legs(doll), 0), atol=1e-9)


@pytest.mark.parametrize("name", FILES)
def test_real_files_keep_directions_and_bones_their_lengths(real_data, name):
    read, motion = real(real_data / "motion" / name)
    places, known = read.moved()[0], joint_map(read.names)
    up = np.eye(3)["xyz".index(FILES[name])]
    for k, frame in enumerate(np.linspace(0, motion.frames - 1, 6).astype(int)):
        doll = dolls.doll(**list(DOLLS.values())[k % len(DOLLS)])
        pose = motion.pose(doll, int(frame))
        source = np.vstack((ways({bone: places[frame, place] for bone, place in known.items()}), up))
        found = np.vstack((ways({bone: pose.heads[place] for bone, place in doll.limbs.items()}), (0, 1, 0)))
        # Up to a turn about the upright axis: all angles between them, and none is mirrored.
        assert np.allclose(source @ source.T, found @ found.T, atol=1e-6)
        volumes = [np.linalg.det(m[[0, 2, 8]]) for m in (source, found)]
        assert volumes[0] == pytest.approx(volumes[1], abs=1e-6)
        parents = doll.skeleton.parents[1:]
        for places_of in (doll.skeleton.heads, pose.heads):
            sizes = np.linalg.norm(places_of[1:] - places_of[parents], axis=1)
            assert np.allclose(sizes, np.linalg.norm(doll.skeleton.heads[1:] - doll.skeleton.heads[parents], axis=1))
        assert np.allclose(pose.rotations @ pose.rotations.transpose(0, 2, 1), np.eye(3), atol=1e-9)
        assert np.allclose(np.linalg.det(pose.rotations), 1)
        assert skinned(doll, pose)[:, 1].min() >= doll.mesh.vertices[:, 1].min() - 1e-9


@pytest.mark.parametrize("name", FILES)
def test_real_people_look_where_their_chest_does(real_data, name):
    """Heads turn by less than a right angle, feet point ahead of shins, and people who stand have heads on top."""
    (_, motion), doll = real(real_data / "motion" / name), dolls.doll()
    poses = [motion.pose(doll, int(frame)) for frame in np.linspace(0, motion.frames - 1, 12)]
    turns = np.stack(
        [[p.rotations[doll.limbs[b]] for b in ("hips", "chest", "head", "left_shin", "left_foot")] for p in poses]
    )
    between = np.einsum("tac,tac->t", turns[:, 1, :, 1:2], turns[:, 2, :, 1:2])
    assert np.median(between) > 0.5
    assert np.median(np.einsum("ta,ta->t", turns[:, 1, :, 2], turns[:, 2, :, 2])) > 0.3
    assert (np.einsum("ta,ta->t", turns[:, 3, :, 1], turns[:, 4, :, 1]) > 0).mean() > 0.8
    if "gym" not in name and "fly" not in name:
        assert np.median([at(doll, p, "head")[1] - at(doll, p, "hips")[1] for p in poses]) > 0.3


def test_a_straight_limb_is_not_twisted_by_noise(tmp_path):
    doll = dolls.doll()
    rng = np.random.default_rng(0)
    frames = [{"LeftForeArm": tuple(rng.normal(0, 2, 3)), "LeftLeg": tuple(rng.normal(0, 2, 3))} for _ in range(8)]
    motion = retarget.recorded(person(tmp_path, *frames))
    for frame in range(8):
        turns = motion.pose(doll, frame).rotations[[doll.limbs[b] for b in ("left_upper_arm", "left_thigh")]]
        assert (np.trace(turns, axis1=1, axis2=2) > 1 + 2 * np.cos(np.radians(8))).all()


@pytest.mark.parametrize("prefix", ["", "mixamorig:", "mixamorig5:", "mixamorig9_", "Armature|Hero:"])
def test_prefixes_of_names_are_nothing(tmp_path, prefix):
    assert retarget.recorded(person(tmp_path, {}, prefix=prefix)).frames == 1


def sitting_without_a_neck(monkeypatch):
    """Changes the person: legs lead ahead while all angles are 0, and the head is on the chest."""
    monkeypatch.delitem(OFFSETS, "Neck")
    monkeypatch.setitem(OFFSETS, "Head", ("Spine1", 0, 3, 0))
    for side in ("Left", "Right"):
        for bone, above in (("Leg", "UpLeg"), ("Foot", "Leg")):
            monkeypatch.setitem(OFFSETS, f"{side}{bone}", (f"{side}{above}", 0, 0, 4.5))


STANDS = {f"{side}UpLeg": (0, 90, 0) for side in ("Left", "Right")}


@pytest.mark.parametrize("kind", DOLLS)
@pytest.mark.parametrize(("head", "degrees"), [((0, 0, 30), 30), ((0, 90, 0), 0)])
def test_a_head_without_a_neck_turns_if_its_angles_are_of_use(tmp_path, monkeypatch, kind, head, degrees):
    sitting_without_a_neck(monkeypatch)
    doll = dolls.doll(**DOLLS[kind])
    motion = retarget.recorded(person(tmp_path, *[STANDS | {"Spine": (0, 0, 20), "Head": head}] * 3))
    pose = motion.pose(doll, 1)
    assert np.allclose(np.linalg.det(pose.rotations), 1)
    trunk = pose.rotations[doll.limbs["chest" if "chest" in doll.limbs else "spine"]]
    turned = np.degrees(np.arccos((pose.rotations[doll.limbs["head"]] * trunk)[:, 2].sum()))
    if kind != "few bones":  # whose spine is between hips and chest
        assert turned == pytest.approx(degrees, abs=1e-3)


def test_a_second_call_after_an_error_says_the_same(tmp_path, monkeypatch):
    doll, motion = dolls.doll(), retarget.recorded(person(tmp_path, {}))

    def fails(*_):
        raise np.linalg.LinAlgError("does not converge")

    with monkeypatch.context() as broken:
        broken.setattr(retarget, "halfway", fails)
        for _ in range(2):
            with pytest.raises(np.linalg.LinAlgError, match="does not converge"):
                motion.pose(doll, 0)
    assert np.allclose(motion.pose(doll, 0).rotations[doll.limbs["head"]], np.eye(3), atol=1e-9)


def test_threads_find_stances_once(tmp_path, monkeypatch):
    doll, motion, found = dolls.doll(), retarget.recorded(person(tmp_path, {})), []
    real_halfway = retarget.halfway

    def slow(*turns):
        found.append(1)
        time.sleep(0.05)
        return real_halfway(*turns)

    monkeypatch.setattr(retarget, "halfway", slow)
    with ThreadPoolExecutor(4) as pool:
        poses = list(pool.map(lambda _: motion.pose(doll, 0), range(4)))
    assert len(found) == 2  # of spine and neck
    assert all(np.array_equal(pose.rotations, poses[0].rotations) for pose in poses)


@pytest.mark.parametrize("every", [2, 3, 10])
def test_frames_that_are_kept_are_as_in_the_whole(tmp_path, every):
    frames = [{"Hips": (0, 0, 15 * k), "LeftArm": (9 * k, 0, 0), "place": (k, 10 + 0.2 * k, 0)} for k in range(5)]
    doll = dolls.doll()
    whole, some = (retarget.recorded(person(tmp_path, *frames), every=n) for n in (1, every))
    assert some.frames == 5
    for k in range(5):
        if k % every:
            with pytest.raises(OptionError, match=f"frame {k} is not kept; every {every}th is"):
                some.pose(doll, k)
        else:
            wanted, pose = whole.pose(doll, k), some.pose(doll, k)
            assert np.allclose(pose.rotations, wanted.rotations) and np.allclose(pose.heads, wanted.heads)


def test_bad_files(tmp_path):
    read = person(tmp_path, {}, prefix="bone ")
    with pytest.raises(
        DataError, match=f"{re.escape(str(read.path))}: joints of unknown names .bone Hips.*person.bones.toml"
    ):
        retarget.recorded(read)
    read = person(tmp_path, {})
    for joint in read.joints:
        joint.offset = (0, 0, 0) if joint.name == "LeftHand" else joint.offset
    with pytest.raises(DataError, match="the left forearm has no length"):
        retarget.recorded(read)
    motion = retarget.recorded(person(tmp_path, {}))
    for frame in (-1, 1):
        with pytest.raises(OptionError, match=f"person: there is no frame {frame}; it has 0 to 0"):
            motion.pose(dolls.doll(), frame)


def test_keypoints_go_with_bones(tmp_path):
    doll = dolls.doll()
    pose = retarget.recorded(person(tmp_path, {"RightArm": (60, 10, 0)})).pose(doll, 0)
    points = keypoints(doll, pose, skinned(doll, pose))
    assert np.allclose(points[8], at(doll, pose, "right_forearm"))
    still = keypoints(doll, rest(doll), doll.mesh.vertices)
    assert np.linalg.norm(points[8] - points[6]) == pytest.approx(np.linalg.norm(still[8] - still[6]))
