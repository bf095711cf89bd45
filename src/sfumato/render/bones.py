"""Which bone of a rig is which limb: by families of names, or by a small file that a user writes.

Names are compared without case, points, colons, dashes and underscores, because exporters change those; a prefix such
as `mixamorig7:`, `Armature|` or `DEF-` does not count, nor does a number that an exporter hangs on (`LeftArm_09`) where
a name is not found otherwise. The same word means different bones in different families (LeftShoulder is a collar bone
in Mixamo and an upper arm in older CMU files), so a family fits as a whole or not at all.

The map file lies beside the character (`hero.glb`: `hero.bones.toml` or `hero.bones.json`) and holds lines such as
`left_upper_arm = "Bone.012"`, by the names of LIMBS; a table `keypoints` may name bones for nose, eyes and ears.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..data.keypoints import KEYPOINTS
from ..errors import DataError
from .character import LIMBS, OPTIONAL

REQUIRED = tuple(limb for limb in LIMBS if limb not in OPTIONAL)
"""Limbs that a rig must have."""
_PREFIX = re.compile(r"^(?:mixamorig\d*[:_]?|.*[:|](?=[a-z]{2})|DEF-)", re.IGNORECASE)
_NUMBER = re.compile(r"_\d+$")
_SIDES = (("left", "Left", "L", "l"), ("right", "Right", "R", "r"))

# Sides of Mixamo and of the files of CMU from cgspeed, which are alike.
_LIMBS = {
    "shoulder": "{Side}Shoulder",
    "upper_arm": "{Side}Arm",
    "forearm": "{Side}ForeArm",
    "hand": "{Side}Hand",
    "thigh": "{Side}UpLeg",
    "shin": "{Side}Leg",
    "foot": "{Side}Foot",
}

# For each family its bones by limb: `{Side}` is Left or Right, `{S}` L or R, `{s}` l or r; what comes first is taken.
_FAMILIES: dict[str, dict[str, str]] = {
    "makehuman": {
        "hips": "root",
        "spine": "spine05",
        "chest": "spine02",
        "neck": "neck01",
        "head": "head",
        "shoulder": "clavicle.{S}",
        "upper_arm": "upperarm01.{S}",
        "forearm": "lowerarm01.{S}",
        "hand": "wrist.{S}",
        "thigh": "upperleg01.{S}",
        "shin": "lowerleg01.{S}",
        "foot": "foot.{S}",
        "toe": "toe1-1.{S}",
    },
    "cmu": {
        "hips": "Hips",
        "spine": "LowerBack",
        "chest": "Spine1",
        "neck": "Neck",
        "head": "Head",
        **_LIMBS,
        "toe": "{Side}ToeBase",
    },
    "mixamo": {
        "hips": "Hips",
        "spine": "Spine",
        "chest": "Spine2 Spine1 Chest",
        "neck": "Neck",
        "head": "Head",
        **_LIMBS,
        "toe": "{Side}ToeBase {Side}Toe",
    },
    "old cmu": {
        "hips": "Hips",
        "spine": "lowerback Chest",
        "chest": "Chest2 Chest",
        "neck": "lowerneck Neck",
        "head": "Head",
        "shoulder": "{Side}Collar",
        "upper_arm": "{Side}Shoulder",
        "forearm": "{Side}Elbow",
        "hand": "{Side}Wrist",
        "thigh": "{Side}Hip",
        "shin": "{Side}Knee",
        "foot": "{Side}Ankle",
        "toe": "{Side}Toe",
    },
    "asf": {
        "hips": "root",
        "spine": "lowerback",
        "chest": "thorax upperback",
        "neck": "lowerneck",
        "head": "head",
        "shoulder": "{s}clavicle",
        "upper_arm": "{s}humerus",
        "forearm": "{s}radius",
        "hand": "{s}wrist {s}hand",
        "thigh": "{s}femur",
        "shin": "{s}tibia",
        "foot": "{s}foot",
        "toe": "{s}toes",
    },
    "unreal": {
        "hips": "pelvis",
        "spine": "spine_01",
        "chest": "spine_03 spine_02",
        "neck": "neck_01",
        "head": "head",
        "shoulder": "clavicle_{s}",
        "upper_arm": "upperarm_{s}",
        "forearm": "lowerarm_{s}",
        "hand": "hand_{s}",
        "thigh": "thigh_{s}",
        "shin": "calf_{s}",
        "foot": "foot_{s}",
        "toe": "ball_{s}",
    },
    "rigify": {
        "hips": "spine hips",
        "spine": "spine.001 spine",
        "chest": "spine.003 spine.002 chest",
        "neck": "spine.004 neck",
        "head": "spine.006 spine.005 head",
        "shoulder": "shoulder.{S}",
        "upper_arm": "upper_arm.{S}",
        "forearm": "forearm.{S}",
        "hand": "hand.{S}",
        "thigh": "thigh.{S}",
        "shin": "shin.{S}",
        "foot": "foot.{S}",
        "toe": "toe.{S}",
    },
    "kaykit": {
        "hips": "hips",
        "spine": "spine",
        "chest": "chest",
        "neck": "neck",
        "head": "head",
        "shoulder": "shoulder.{s}",
        "upper_arm": "upperarm.{s}",
        "forearm": "lowerarm.{s}",
        "hand": "wrist.{s} hand.{s}",
        "thigh": "upperleg.{s}",
        "shin": "lowerleg.{s}",
        "foot": "foot.{s}",
        "toe": "toes.{s}",
    },
    "daz": {
        "hips": "hip pelvis",
        "spine": "abdomen abdomenLower",
        "chest": "chest chestLower",
        "neck": "neck neckLower",
        "head": "head",
        "shoulder": "{s}Collar",
        "upper_arm": "{s}Shldr {s}ShldrBend",
        "forearm": "{s}ForeArm {s}ForearmBend",
        "hand": "{s}Hand",
        "thigh": "{s}Thigh {s}ThighBend",
        "shin": "{s}Shin",
        "foot": "{s}Foot",
        "toe": "{s}Toe",
    },
    "vroid": {
        "hips": "J_Bip_C_Hips",
        "spine": "J_Bip_C_Spine",
        "chest": "J_Bip_C_Chest",
        "neck": "J_Bip_C_Neck",
        "head": "J_Bip_C_Head",
        "shoulder": "J_Bip_{S}_Shoulder",
        "upper_arm": "J_Bip_{S}_UpperArm",
        "forearm": "J_Bip_{S}_LowerArm",
        "hand": "J_Bip_{S}_Hand",
        "thigh": "J_Bip_{S}_UpperLeg",
        "shin": "J_Bip_{S}_LowerLeg",
        "foot": "J_Bip_{S}_Foot",
        "toe": "J_Bip_{S}_ToeBase",
    },
}
FAMILIES = (*_FAMILIES, "map file")


@dataclass(frozen=True, kw_only=True)
class BoneMap:
    """Which bones are which."""

    family: str
    """One of FAMILIES."""
    limbs: dict[str, int]
    """Places of bones by the names of LIMBS; all of REQUIRED are there."""
    keypoints: dict[str, int] = field(default_factory=dict)
    """Places of bones that a map file names for keypoints, by the names of KEYPOINTS."""


def bone_map(names: Sequence[str], file: Path | None = None) -> BoneMap:
    """Which of a rig's bones (names) is which limb, by the family that fits best, or by a map file.

    Raises:
        DataError: no family fits; or the file cannot be read, names a bone that is not there, or leaves out a limb.
    """
    if file is not None:
        return _from_file(names, file)
    fits = {family: _fit(table, names) for family, table in _FAMILIES.items()}
    complete = {family: limbs for family, limbs in fits.items() if all(limb in limbs for limb in REQUIRED)}
    if complete:
        family = max(complete, key=lambda name: len(complete[name]))  # the first of those equal
        return BoneMap(family=family, limbs=complete[family])
    some = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    raise DataError(
        f"the names of these {len(names)} bones are unknown ({some}); name them in a file NAME.bones.toml beside the"
        f' character NAME: lines such as left_upper_arm = "{names[-1] if names else "Bone"}", for {", ".join(REQUIRED)}'
    )


def map_file(character: Path) -> Path | None:
    """The map file beside a character, if there is one."""
    files = [character.with_name(f"{character.stem}.bones.{kind}") for kind in ("toml", "json")]
    return next((file for file in files if file.is_file()), None)


def plain(name: str) -> str:
    """A bone's name without its prefix and without what exporters change."""
    return re.sub(r"[^a-z0-9]", "", _PREFIX.sub("", name).lower())


def _fit(table: Mapping[str, str], names: Sequence[str]) -> dict[str, int]:
    """The limbs of a family that are there; where two bones have one name, the first."""
    exact = {plain(name): k for k, name in reversed(list(enumerate(names)))}
    short = {plain(_NUMBER.sub("", name)): k for k, name in reversed(list(enumerate(names)))}
    best: dict[str, int] = {}
    for places in (exact, short):
        found: dict[str, int] = {}
        for limb in LIMBS:
            key, side = _split(limb)
            choices = table[key].format(Side=side[1], S=side[2], s=side[3]).split()
            place = next((places[plain(choice)] for choice in choices if plain(choice) in places), None)
            if place is not None and place not in found.values():
                found[limb] = place
        best = max(best, found, key=len)
    return best


def _split(limb: str) -> tuple[str, tuple[str, str, str, str]]:
    for side in _SIDES:
        if limb.startswith(side[0] + "_"):
            return limb.removeprefix(side[0] + "_"), side
    return limb, _SIDES[0]


def _from_file(names: Sequence[str], file: Path) -> BoneMap:
    try:
        text = file.read_text(encoding="utf-8")
        table = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read as a map of bones: {error}") from None
    if not isinstance(table, dict) or not isinstance(table.get("keypoints", {}), dict):
        raise DataError(f'{file}: a map of bones holds lines such as left_hand = "Bone.007"')
    points = table.pop("keypoints", {})
    limbs = {limb: _place(names, file, limb, bone, LIMBS) for limb, bone in table.items()}
    if missing := [limb for limb in REQUIRED if limb not in limbs]:
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
