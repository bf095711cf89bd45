"""What a foreign rig does not say, guessed: classes of its parts, and eyes, by their names; tails of bones."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.keypoints import KEYPOINTS
from .character import PARTS, Floats, Keypoint, Numbers

JOINTS = {
    "shoulder": "upper_arm",
    "elbow": "forearm",
    "wrist": "hand",
    "hip": "thigh",
    "knee": "shin",
    "ankle": "foot",
}
"""The limb at whose head a keypoint lies."""

# The class of a thing by a word in its name, with or without an s; the first that is found.
_WORDS = (
    ("hat", "hat helmet hood cap fedora beanie"),
    ("hair", "hair haircut hairstyle longhair shorthair beard moustache mustache ponytail braid bob bangs"),
    ("sunglasses", "glasses sunglasses eyeglasses goggles"),
    ("dress", "dress dresses gown robe bathrobe nightgown sundress"),
    ("skirt", "skirt miniskirt"),
    ("belt", "belt"),
    ("scarf", "scarf scarves cape cloak"),
    ("bag", "bag backpack handbag pouch pouches quiver"),
    ("left-shoe", "shoe boot sneaker sandal"),
    ("pants", "pants underpants trousers jeans shorts bottom"),
    (
        "upper-clothes",
        "shirt tshirt undershirt sweatshirt jacket sweater top coat raincoat vest hoodie suit swimsuit"
        " tracksuit casualsuit elegantsuit sportsuit worksuit",
    ),
    ("face", "eye eyeball eyebrow brow eyelash lash eyelashes lashes eyelid teeth tongue mouth"),
)
_WORD = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"
_EYES = {"eye", "eyes", "eyeball", "eyeballs", "iris", "irises", "pupil", "pupils"}
_BESIDE_EYES = {"brow", "brows", "lash", "lashes", "lid", "lids", "line", "shadow", "glass", "glasses", "patch"}
_CLASSES = {word: part for part, words in reversed(_WORDS) for one in words.split() for word in (one, f"{one}s")}
_RANKS = {part: rank for rank, (part, _) in enumerate(_WORDS)}
_LIMB_PARTS = {
    "neck": "face",
    "head": "face",
    "hips": "pants",
    "spine": "upper-clothes",
    "chest": "upper-clothes",
    "shoulder": "upper-clothes",
    "upper_arm": "{}-arm",
    "forearm": "{}-arm",
    "hand": "{}-arm",
    "thigh": "{}-leg",
    "shin": "{}-leg",
    "foot": "{}-shoe",
    "toe": "{}-shoe",
}


def limb_of(parents: Numbers, limbs: Mapping[str, int]) -> list[str]:
    """For each bone the limb it belongs to: its own, else that of the bone above; "" for those above all."""
    names = {bone: limb for limb, bone in limbs.items()}
    found: list[str] = []
    for bone, parent in enumerate(parents):
        found.append(names.get(bone, found[parent] if parent >= 0 else ""))
    return found


def part_by_name(name: str) -> str | None:
    """The class of human parsing that a thing's name tells of."""
    words = re.findall(_WORD, name)
    found = [_CLASSES[word] for word in map(str.lower, words) if word in _CLASSES]
    return min(found, key=_RANKS.__getitem__, default=None)


def is_eye(*names: str) -> bool:
    """Whether the first of a thing's names that tells of it says that it is an eye, and no brow, lash or glasses."""
    told = [{word.lower() for word in re.findall(_WORD, name)} for name in names]
    words = next((words for words in told if words & (_EYES | _CLASSES.keys())), set())
    return bool(words & _EYES) and not words & _BESIDE_EYES


def parts(faces: Numbers, main: Numbers, limbs: Sequence[str], named: Sequence[str | None]) -> NDArray[np.uint8]:
    """The class (F,) of each face.

    Args:
        faces: (F, 3).
        main: (V,) the bone that moves a vertex most.
        limbs: by bone, of `limb_of`.
        named: by face, the class that its thing's name tells of.
    """
    of_bone = np.array([PARTS.index(_limb_part(limb)) for limb in limbs], np.uint8)
    left = np.array([limb.startswith("left") for limb in limbs])
    bones = main[faces]
    bone = np.where(bones[:, 1] == bones[:, 2], bones[:, 1], bones[:, 0])  # what two of three corners follow
    out = of_bone[bone]
    for name in set(named) - {None}:
        here = np.array([one == name for one in named])
        if name == "left-shoe":
            out[here] = np.where(left[bone[here]], PARTS.index("left-shoe"), PARTS.index("right-shoe"))
        else:
            out[here] = PARTS.index(str(name))
    return out


def _limb_part(limb: str) -> str:
    side, _, rest = limb.partition("_")
    if side in {"left", "right"}:
        return _LIMB_PARTS[rest].format(side)
    return _LIMB_PARTS.get(limb, "upper-clothes")


def tails(parents: Numbers, heads: Floats) -> Floats:
    """Where bones end (J, 3): amid their children's heads; a last bone goes on half as far as the one before."""
    out = np.empty_like(heads)
    for bone, head in enumerate(heads):
        children = np.flatnonzero(parents == bone)
        if len(children):
            out[bone] = heads[children].mean(0)
        else:
            out[bone] = head + (0.5 * (head - heads[parents[bone]]) if parents[bone] >= 0 else np.array([0, 0.1, 0]))
    return out


def keypoints(limbs: Mapping[str, int], face: Sequence[Keypoint]) -> tuple[Keypoint, ...]:
    """The 17, from the limbs and five of the face in KEYPOINTS' order."""
    joints = []
    for name in KEYPOINTS[5:]:
        side, _, joint = name.partition("_")
        joints.append(Keypoint(bone=limbs[f"{side}_{JOINTS[joint]}"]))
    return (*face, *joints)
