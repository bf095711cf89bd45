"""Bones by the names of their rigs, on the names of real files."""

import json
import re

import pytest

from sfumato.errors import DataError
from sfumato.render.bones import FAMILIES, MOVED, REQUIRED, bone_map, eye_bones, joint_map, map_file, names_of, plain
from sfumato.render.character import LIMBS


def both(pattern, bones):
    """The bones of both sides, whose letter is what braces stand for."""
    return [pattern.format(bone, side) for side in "lr" for bone in bones]


UNREAL = ["root", "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"]
UNREAL += both("{}_{}", ["clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball"])
RIGIFY = ["DEF-spine", *(f"DEF-spine.00{k}" for k in range(1, 7))]
RIGIFY += both("DEF-{}.{}", ["shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe"])
ASF = ["root", "lowerback", "upperback", "thorax", "lowerneck", "upperneck", "head"]
ASF += both("{1}{0}", ["clavicle", "humerus", "radius", "wrist", "hand", "hipjoint", "femur", "tibia", "foot", "toes"])
DAZ = ["hip", "abdomen", "chest", "neck", "head"]
DAZ += both("{1}{0}", ["Collar", "Shldr", "ForeArm", "Hand", "Thigh", "Shin", "Foot", "Toe"])

BIPED = ["Bip01", *(f"Bip01 {bone}" for bone in ("Pelvis", "Spine", "Spine1", "Spine2", "Neck", "Head"))]
BIPED += both("Bip01 {1} {0}", ["Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0"])
SMPL = ["Pelvis", "Spine1", "Spine2", "Spine3", "Neck", "Head"]
SMPL += both("{1}_{0}", ["Collar", "Shoulder", "Elbow", "Wrist", "Hand", "Hip", "Knee", "Ankle", "Foot"])
VROID = [f"J_Bip_C_{bone}" for bone in ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head")]
VROID += both("J_Bip_{1}_{0}", ["Shoulder", "UpperArm", "LowerArm", "Hand"])
VROID += both("J_Bip_{1}_{0}", ["UpperLeg", "LowerLeg", "Foot", "ToeBase"])


def bvh_names(file):
    return re.findall(r"(?:ROOT|JOINT)\s+(\S+)", file.read_text(encoding="utf-8"))


def by_name(names, **options):
    found = bone_map(names, **options)
    return found.family, {limb: names[bone] for limb, bone in found.limbs.items()}


@pytest.mark.parametrize(
    ("file", "family", "arm", "shoulder", "shin"),
    [
        ("motion/animated_drawings_mit/cmu1/jumping_jacks.bvh", "old cmu", "LeftShoulder", "LeftCollar", "LeftKnee"),
        ("motion/animated_drawings_mit/fair1/dab.bvh", "mixamo", "LeftArm", "LeftShoulder", "LeftLeg"),
        ("motion/animated_drawings_mit/rokoko/jesse_dance.bvh", "mixamo", "LeftArm", "LeftShoulder", "LeftLeg"),
        ("motion/cmu/02_01.bvh", "cmu", "LeftArm", "LeftShoulder", "LeftLeg"),
        ("motion/makehuman_poses_cc0/fight01.bvh", "makehuman", "upperarm01.L", "clavicle.L", "lowerleg01.L"),
    ],
)
def test_families_of_real_files(real_data, file, family, arm, shoulder, shin):
    path = real_data / file
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    names = bvh_names(path)
    found, limbs = by_name(names)
    assert found == family
    assert (limbs["left_upper_arm"], limbs["left_shoulder"], limbs["left_shin"]) == (arm, shoulder, shin)
    assert limbs["right_upper_arm"] != arm


@pytest.mark.parametrize(
    ("names", "family", "expected"),
    [
        (
            UNREAL,
            "unreal",
            {"left_shin": "calf_l", "right_upper_arm": "upperarm_r", "hips": "pelvis", "chest": "spine_03"},
        ),
        (RIGIFY, "rigify", {"left_forearm": "DEF-forearm.l", "head": "DEF-spine.006", "hips": "DEF-spine"}),
        (ASF, "asf", {"left_upper_arm": "lhumerus", "left_shoulder": "lclavicle", "right_thigh": "rfemur"}),
        (DAZ, "daz", {"left_upper_arm": "lShldr", "right_shin": "rShin", "hips": "hip"}),
        (
            BIPED,
            "biped",
            {
                "hips": "Bip01 Pelvis",
                "chest": "Bip01 Spine2",
                "left_thigh": "Bip01 l Thigh",
                "right_toe": "Bip01 r Toe0",
            },
        ),
        (
            SMPL,
            "smpl",
            {"spine": "Spine1", "chest": "Spine3", "left_shoulder": "l_Collar", "left_upper_arm": "l_Shoulder"}
            | {"right_hand": "r_Wrist", "right_foot": "r_Ankle", "right_toe": "r_Foot"},
        ),
        (
            VROID,
            "vroid",
            {"head": "J_Bip_C_Head", "left_shin": "J_Bip_l_LowerLeg", "right_forearm": "J_Bip_r_LowerArm"},
        ),
    ],
)
def test_families_of_other_programs(names, family, expected):
    found, limbs = by_name(names)
    assert found == family
    assert {limb: limbs[limb] for limb in expected} == expected
    assert set(REQUIRED) <= set(limbs) <= set(LIMBS)
    assert {limb: names[joint] for limb, joint in joint_map(names).items()} == limbs


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("change", ["{}", "Hero:{}", "{}_07"])
def test_characters_and_motions_know_every_family(family, change):
    wanted = {limb: change.format(names[0]).upper() for limb, names in names_of(family).items()}
    assert [*wanted] == [*LIMBS] and len({*wanted.values()}) == len(LIMBS)
    assert by_name([*wanted.values()])[1] == wanted
    moved = [name for limb, name in wanted.items() if limb in MOVED]
    assert {limb: moved[joint] for limb, joint in joint_map(moved).items()} == {limb: wanted[limb] for limb in MOVED}


@pytest.mark.parametrize("missing", MOVED)
def test_a_motion_needs_neck_head_arms_and_legs(missing):
    names = [name for limb, (name, *_) in names_of("mixamo").items() if limb in MOVED and limb != missing]
    assert joint_map(names) == {}


def test_a_rig_without_a_neck_moves_by_its_head():
    names = [name for limb, (name, *_) in names_of("kaykit").items() if limb != "neck"]
    assert joint_map(names) == bone_map(names).limbs | {"neck": names.index("head")}


@pytest.mark.parametrize("change", ["Bip001 {}", "Bip01_{}", "ValveBiped.Bip01_{}", "Armature|Bip01 {}"])
def test_biped_under_any_number(change):
    names = [change.format(name.removeprefix("Bip01 ")) for name in BIPED[1:]]
    family, limbs = by_name(names)
    assert (family, limbs["right_shin"]) == ("biped", change.format("r Calf"))
    assert len(limbs) == len(LIMBS)


@pytest.mark.parametrize(
    "change", ["mixamorig:{}", "mixamorig7:{}", "mixamorig1_{}", "mixamorig{}", "Armature|{}", "{}_07"]
)
def test_mixamo_under_any_prefix(change):
    bones = ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"] + [
        f"{side}{bone}"
        for side in ("Left", "Right")
        for bone in ["Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase", "HandThumb1"]
    ]
    names = [change.format(bone) for bone in bones]
    family, limbs = by_name(names)
    assert family == "mixamo"
    assert limbs["left_upper_arm"] == change.format("LeftArm")
    assert limbs["chest"] == change.format("Spine2")
    assert len(limbs) == len(LIMBS)


@pytest.mark.parametrize("change", [("_", "."), ("_", ""), ("_", ":"), ("_", "-"), ("_", " ")])
def test_points_and_colons_that_an_exporter_changed(change):
    names = [name.replace(*change).upper() for name in UNREAL]
    assert bone_map(names).family == "unreal"
    assert plain("upperarm_l") == plain("UpperArm.L")


def test_real_gltf_rigs(real_data):
    import struct

    data = (real_data / "characters" / "kaykit" / "Knight.glb").read_bytes()
    table = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    names = [table["nodes"][joint]["name"] for joint in table["skins"][0]["joints"]]
    family, limbs = by_name(names)
    assert family == "kaykit"
    assert limbs["left_hand"] == "wrist.l" and limbs["right_thigh"] == "upperleg.r" and "neck" not in limbs


def test_unknown_names_say_how_to_write_a_map():
    with pytest.raises(DataError, match=r"torso_1.*bones\.toml.*left_upper_arm") as caught:
        bone_map([f"torso_{k}" for k in range(1, 30)])
    assert "\n" not in str(caught.value)


def test_a_map_file_in_both_forms(tmp_path):
    names = [f"bone{k}" for k in range(len(LIMBS))]
    table = dict(zip(LIMBS, names))
    toml = tmp_path / "hero.bones.toml"
    toml.write_text(
        "\n".join(f'{limb} = "{bone}"' for limb, bone in table.items()) + '\n[keypoints]\nnose = "bone4"\n',
        encoding="utf-8",
    )
    other = tmp_path / "other.bones.json"
    other.write_text(json.dumps(table), encoding="utf-8")
    found = bone_map(names, toml)
    assert found.limbs == {limb: k for k, limb in enumerate(LIMBS)} == bone_map(names, other).limbs
    assert found.keypoints == {"nose": 4} and found.family == "map file"
    assert map_file(tmp_path / "hero.glb") == toml and map_file(tmp_path / "other.glb") == other
    assert map_file(tmp_path / "third.glb") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('hips = "bone0"', "no bone is named for spine"),
        ('tail = "bone0"', "'tail' is none of"),
        ('hips = "pelvis"', "'pelvis', which is not there"),
        ("hips: bone0", "cannot be read"),
        ("keypoints = 3", "a map of bones holds lines"),
    ],
)
def test_a_wrong_map_file(tmp_path, text, said):
    file = tmp_path / "hero.bones.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        bone_map(["bone0", "bone1"], file)


@pytest.mark.parametrize(
    "eyes",
    [
        ("LeftEye", "RightEye"),
        ("mixamorig:LeftEye", "mixamorig:RightEye"),
        ("eye.L", "eye.R"),
        ("DEF-eye.L", "DEF-eye.R"),
        ("J_Adj_L_FaceEye", "J_Adj_R_FaceEye"),
    ],
)
def test_bones_of_eyes(eyes):
    assert eye_bones(["Head", eyes[1], "LeftEyelid", eyes[0]]) == [3, 1]
    assert eye_bones(["Head", eyes[1], "LeftEyelid"]) == []


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["LeftEye", "EyeLeft"], []),
        (["LeftEye", "RightEye", "L_Eye", "R_Eye"], [0, 1]),
        (["LeftEye", "RightEye", "Eye_L"], [0, 1]),
        (["R_Eye", "L_Eye", "RightEye", "LeftEye"], [3, 2]),
    ],
)
def test_of_several_bones_of_an_eye_one_of_each_side(names, found):
    assert eye_bones(names) == found


def test_a_map_file_of_a_motion_names_what_a_motion_needs(tmp_path):
    needed = [limb for limb in MOVED if limb != "neck"]
    names = [f"bone{k}" for k in range(len(needed))]
    file = tmp_path / "hero.bones.toml"
    lines = [f'{limb} = "{bone}"' for limb, bone in zip(needed, names)]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = {limb: k for k, limb in enumerate(needed)}
    assert joint_map(names, file) == found | {"neck": found["head"]}
    with pytest.raises(DataError, match="no bone is named for hips, spine"):
        bone_map(names, file)
    file.write_text("\n".join(lines[1:]), encoding="utf-8")
    with pytest.raises(DataError, match=f"no bone is named for {needed[0]}"):
        joint_map(names, file)
