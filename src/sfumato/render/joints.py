"""Which joint of a motion file is which, by the names that programs give them."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError
from .bones import bone_map

BODY = ("neck", "head")
LIMB = ("thigh", "shin", "foot", "toe", "shoulder", "upper_arm", "forearm", "hand")
OPTIONAL = ("toe", "shoulder")
"""Those that a file need not have; `shoulder` is the clavicle."""

FAMILIES: dict[str, tuple[tuple[str, str], tuple[str, ...], tuple[str, str]]] = {
    "Mixamo, CMU (MotionBuilder), Rokoko": (
        ("neck", "head"),
        *(("*upleg", "*leg", "*foot", "*toebase", "*shoulder", "*arm", "*forearm", "*hand"), ("left", "right")),
    ),
    "CMU (old)": (
        ("neck", "head"),
        *(("*hip", "*knee", "*ankle", "*toe", "*collar", "*shoulder", "*elbow", "*wrist"), ("left", "right")),
    ),
    "MakeHuman": (
        ("neck01", "head"),
        ("upperleg01.*", "lowerleg01.*", "foot.*", "toe2-1.*", "clavicle.*", "upperarm01.*", "lowerarm01.*", "wrist.*"),
        ("l", "r"),
    ),
    "Daz, Poser": (
        ("neck", "head"),
        *(("*thigh", "*shin", "*foot", "*toe", "*collar", "*shldr", "*forearm", "*hand"), ("l", "r")),
    ),
    "Biped": (
        ("bip01 neck", "bip01 head"),
        *(
            tuple(f"bip01 * {b}" for b in ("thigh", "calf", "foot", "toe0", "clavicle", "upperarm", "forearm", "hand")),
            ("l", "r"),
        ),
    ),
    "Unreal": (
        ("neck_01", "head"),
        *(("thigh_*", "calf_*", "foot_*", "ball_*", "clavicle_*", "upperarm_*", "lowerarm_*", "hand_*"), ("l", "r")),
    ),
    "Rigify": (
        ("neck", "head"),
        *(("thigh.*", "shin.*", "foot.*", "toe.*", "shoulder.*", "upper_arm.*", "forearm.*", "hand.*"), ("l", "r")),
    ),
    "SMPL": (
        ("neck", "head"),
        *(("*_hip", "*_knee", "*_ankle", "*_foot", "*_collar", "*_shoulder", "*_elbow", "*_wrist"), ("l", "r")),
    ),
}
"""By program: names of neck and head, those of LIMB with * for a side, and how that calls left and right."""


def known(names: Sequence[str], file: Path | None = None) -> dict[str, int]:
    """Places of the joints by the names of BODY and, with their side in front, of LIMB; none, if they are unknown.

    Large and small letters, prefixes up to a colon, and `mixamorig` with any number are nothing. Names of no program
    here may be those of a rig; if that has no neck, its head is taken, because both turn where they meet.

    Args:
        names: of all joints.
        file: a map of bones, see `bones`.

    Raises:
        DataError: the map cannot be used.
    """
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(_plain(name), place)
    for family in FAMILIES if file is None else ():
        wanted = joints_of(family)
        found = {bone: places[name] for bone, name in wanted.items() if name in places}
        if all(bone in found or bone.endswith(OPTIONAL) for bone in wanted):
            return found
    try:
        limbs = bone_map(names, file).limbs
    except DataError:
        if file is not None:
            raise
        return {}
    return {"neck": limbs["head"]} | limbs


def joints_of(family: str) -> dict[str, str]:
    """The names in small letters that the program gives the joints."""
    body, limb, sides = FAMILIES[family]
    wanted = dict(zip(BODY, body))
    for side, sign in zip(("left", "right"), sides):
        wanted |= {f"{side}_{bone}": name.replace("*", sign) for bone, name in zip(LIMB, limb)}
    return wanted


def _plain(name: str) -> str:
    return re.sub(r"^mixamorig\d*[:_]?", "", name.strip().lower()).rpartition(":")[2]
