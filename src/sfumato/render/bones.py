"""Which bone of a character, or joint of a motion, is which limb: by families of names, or by a file of the user's.

Names are compared without case, points, colons, dashes and underscores, because exporters change those; a prefix such
as `mixamorig7:`, `Armature|`, `Bip01` or `DEF-` does not count, nor does a number that an exporter hangs on
(`LeftArm_09`) where a name is not found otherwise. The same word means different bones in different families
(LeftShoulder is a collar bone in Mixamo and an upper arm in older CMU files): a family fits as a whole or not at all.

The map file lies beside the character or motion (`hero.glb`: `hero.bones.toml` or `hero.bones.json`) and holds lines
such as `left_upper_arm = "Bone.012"`, by the names of LIMBS; a table `keypoints` may name bones of nose, eyes and ears.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..data.keypoints import KEYPOINTS
from ..errors import DataError
from .character import LIMBS, OPTIONAL

REQUIRED = tuple(limb for limb in LIMBS if limb not in OPTIONAL)
"""Limbs that a character must have."""
MOVED = ("neck", *(limb for limb in REQUIRED if limb not in ("hips", "spine")))
"""Limbs that a motion must have."""
_PREFIX = re.compile(r"^(?:.*[:|](?=[a-z]_?[a-z]))?(?:mixamorig\d*[:_]?|(?:ValveBiped\.)?Bip\d+|DEF-)?", re.IGNORECASE)
_NUMBER = re.compile(r"_\d+$")

# The bones of each family in the order of LIMBS, the trunk's and a side's: `{side}` is left or right, `{s}` l or r. Of
# several names in one place the first that is there is taken.
_TABLE = {
    "makehuman": (
        "root, spine05, spine02, neck01, head",
        "clavicle.{s}, upperarm01.{s}, lowerarm01.{s}, wrist.{s}, upperleg01.{s}, lowerleg01.{s}, foot.{s}, toe2-1.{s}",
    ),
    "cmu": (  # as cgspeed made them for MotionBuilder
        "Hips, LowerBack, Spine1, Neck, Head",
        "{side}Shoulder, {side}Arm, {side}ForeArm, {side}Hand, {side}UpLeg, {side}Leg, {side}Foot, {side}ToeBase",
    ),
    "mixamo": (
        "Hips, Spine, Spine2 Spine1 Chest, Neck, Head",
        "{side}Shoulder, {side}Arm, {side}ForeArm, {side}Hand,"
        " {side}UpLeg, {side}Leg, {side}Foot, {side}ToeBase {side}Toe",
    ),
    "old cmu": (
        "Hips, lowerback Chest, Chest2 Chest, lowerneck Neck, Head",
        "{side}Collar, {side}Shoulder, {side}Elbow, {side}Wrist, {side}Hip, {side}Knee, {side}Ankle, {side}Toe",
    ),
    "asf": (
        "root, lowerback, thorax upperback, lowerneck, head",
        "{s}clavicle, {s}humerus, {s}radius, {s}wrist {s}hand, {s}femur, {s}tibia, {s}foot, {s}toes",
    ),
    "unreal": (
        "pelvis, spine_01, spine_03 spine_02, neck_01, head",
        "clavicle_{s}, upperarm_{s}, lowerarm_{s}, hand_{s}, thigh_{s}, calf_{s}, foot_{s}, ball_{s}",
    ),
    "rigify": (
        "spine hips, spine.001 spine, spine.003 spine.002 chest, spine.004 neck, spine.006 spine.005 head",
        "shoulder.{s}, upper_arm.{s}, forearm.{s}, hand.{s}, thigh.{s}, shin.{s}, foot.{s}, toe.{s}",
    ),
    "kaykit": (
        "hips, spine, chest, neck, head",
        "shoulder.{s}, upperarm.{s}, lowerarm.{s}, wrist.{s} hand.{s}, upperleg.{s}, lowerleg.{s}, foot.{s}, toes.{s}",
    ),
    "daz": (  # and Poser
        "hip pelvis, abdomen abdomenLower, chest chestLower, neck neckLower, head",
        "{s}Collar, {s}Shldr {s}ShldrBend, {s}ForeArm {s}ForearmBend, {s}Hand,"
        " {s}Thigh {s}ThighBend, {s}Shin, {s}Foot, {s}Toe",
    ),
    "vroid": (
        "J_Bip_C_Hips, J_Bip_C_Spine, J_Bip_C_Chest, J_Bip_C_Neck, J_Bip_C_Head",
        "J_Bip_{s}_Shoulder, J_Bip_{s}_UpperArm, J_Bip_{s}_LowerArm, J_Bip_{s}_Hand,"
        " J_Bip_{s}_UpperLeg, J_Bip_{s}_LowerLeg, J_Bip_{s}_Foot, J_Bip_{s}_ToeBase",
    ),
    "biped": (
        "Pelvis, Spine, Spine2 Spine1, Neck, Head",
        "{s}Clavicle, {s}UpperArm, {s}Forearm, {s}Hand, {s}Thigh, {s}Calf, {s}Foot, {s}Toe0",
    ),
    "smpl": (
        "Pelvis, Spine1, Spine3 Spine2, Neck, Head",
        "{s}_Collar, {s}_Shoulder, {s}_Elbow, {s}_Wrist, {s}_Hip, {s}_Knee, {s}_Ankle, {s}_Foot",
    ),
}
FAMILIES = tuple(_TABLE)
_EYES = "{side}Eye Eye{side} {s}Eye Eye{s} J_Adj_{s}_FaceEye"


@dataclass(frozen=True, kw_only=True)
class BoneMap:
    """Which bones are which."""

    family: str
    """One of FAMILIES, or `map file`."""
    limbs: dict[str, int]
    """Places of bones by the names of LIMBS."""
    keypoints: dict[str, int] = field(default_factory=dict)
    """Places of bones that a map file names for keypoints, by the names of KEYPOINTS."""


def bone_map(names: Sequence[str], file: Path | None = None) -> BoneMap:
    """Which of a character's bones (names) is which limb, by the family that fits best, or by a map file.

    All of REQUIRED are there.

    Raises:
        DataError: no family fits; or the file cannot be read, names a bone that is not there, or leaves out a limb.
    """
    found = _fitting(names, REQUIRED) if file is None else _from_file(names, file, REQUIRED)
    if found is not None:
        return found
    some = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    raise DataError(
        f"the names of these {len(names)} bones are unknown ({some}); name them in a file NAME.bones.toml beside the"
        f' character NAME: lines such as left_upper_arm = "{names[-1] if names else "Bone"}", for {", ".join(REQUIRED)}'
    )


def joint_map(names: Sequence[str], file: Path | None = None) -> dict[str, int]:
    """Places of a motion's joints (names) by the names of LIMBS, all of MOVED among them; none, if they are unknown.

    Of a rig without a neck, or a map file that names none, the head is taken for it, because both turn where they meet.

    Args:
        names: of all joints.
        file: a map file.

    Raises:
        DataError: the map file cannot be used.
    """
    if file is None:
        found = _fitting(names, MOVED) or _fitting(names, REQUIRED)
    else:
        found = _from_file(names, file, [limb for limb in MOVED if limb not in OPTIONAL])
    return {"neck": found.limbs["head"]} | found.limbs if found else {}


def eye_bones(names: Sequence[str]) -> list[int]:
    """Places of the bones that move the left and the right eye; none, if there are not both."""
    places = {plain(name): place for place, name in reversed(list(enumerate(names)))}
    wanted = [[plain(name) for name in _EYES.format(side=side, s=side[0]).split()] for side in ("left", "right")]
    left, right = (next((places[name] for name in choices if name in places), None) for choices in wanted)
    return [] if left is None or right is None else [left, right]


def map_file(character: Path) -> Path | None:
    """The map file beside a character or a motion, if there is one."""
    files = [character.with_name(f"{character.stem}.bones.{kind}") for kind in ("toml", "json")]
    return next((file for file in files if file.is_file()), None)


def plain(name: str) -> str:
    """A bone's name without its prefix and without what exporters change."""
    return re.sub(r"[^a-z0-9]", "", _PREFIX.sub("", name).lower())


def _fitting(names: Sequence[str], needed: Sequence[str]) -> BoneMap | None:
    """The family of which most limbs are there, and all that are needed; the first of those equal."""
    fits = []
    for key in (plain, lambda name: plain(_NUMBER.sub("", name))):
        places = {key(name): place for place, name in reversed(list(enumerate(names)))}  # of one name, the first
        for family in FAMILIES:
            limbs: dict[str, int] = {}
            for limb, choices in names_of(family).items():
                place = next((places[plain(choice)] for choice in choices if plain(choice) in places), None)
                if place is not None and place not in limbs.values():
                    limbs[limb] = place
            if limbs.keys() >= set(needed):
                fits.append(BoneMap(family=family, limbs=limbs))
    return max(fits, key=lambda fit: len(fit.limbs), default=None)


def names_of(family: str) -> dict[str, list[str]]:
    """What the family calls each of LIMBS; the first name that is there is taken."""
    trunk, limbs = _TABLE[family]
    cells = ", ".join((trunk, *(limbs.format(side=side, s=side[0]) for side in ("left", "right")))).split(", ")
    return {limb: cell.split() for limb, cell in zip(LIMBS, cells, strict=True)}


def _from_file(names: Sequence[str], file: Path, needed: Sequence[str]) -> BoneMap:
    try:
        text = file.read_text(encoding="utf-8")
        table = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read as a map of bones: {error}") from None
    if not isinstance(table, dict) or not isinstance(table.get("keypoints", {}), dict):
        raise DataError(f'{file}: a map of bones holds lines such as left_hand = "Bone.007"')
    points = table.pop("keypoints", {})
    limbs = {limb: _place(names, file, limb, bone, LIMBS) for limb, bone in table.items()}
    if missing := [limb for limb in needed if limb not in limbs]:
        raise DataError(f"{file}: no bone is named for {', '.join(missing)}")
    return BoneMap(
        family="map file",
        limbs=limbs,
        keypoints={point: _place(names, file, point, bone, KEYPOINTS) for point, bone in points.items()},
    )


def _place(names: Sequence[str], file: Path, key: str, bone: object, known: Sequence[str]) -> int:
    if key not in known:
        raise DataError(f"{file}: {key!r} is none of {', '.join(known)}")
    if bone not in names:
        raise DataError(
            f"{file}: {key} names the bone {bone!r}, which is not there; there are {', '.join(names[:8])}, ..."
        )
    return names.index(str(bone))
