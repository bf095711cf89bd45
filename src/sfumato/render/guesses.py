"""What a foreign rig does not say, guessed from its shape: points of the face, classes of its parts, tails of bones."""

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
_FACE = KEYPOINTS[:5]
LEVEL = 1e-4
"""What differs by less than this share of the head's size is as far out."""

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
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    found = [_CLASSES[word] for word in map(str.lower, words) if word in _CLASSES]
    return min(found, key=_RANKS.__getitem__, default=None)


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


def face_points(vertices: Floats, faces: Numbers, on_head: NDArray[np.bool_]) -> tuple[Keypoint, ...]:
    """Nose, eyes and ears of a head that looks along +Z, guessed; all approximate.

    The nose is the most forward vertex (or the middle of several) near the middle plane between 0.25 and 0.6 of the
    head's height, the ears the most lateral ones at that height behind the eyes, the eyes what a ray from the front
    meets at half the height, a quarter of the head's width to each side.

    Args:
        vertices: (V, 3), the character at rest.
        faces: (F, 3).
        on_head: (V,), those that follow the head most.
    """
    places = np.flatnonzero(on_head)
    head = vertices[places]
    low, high = np.percentile(head, 1, axis=0), np.percentile(head, 99, axis=0)
    size, middle = np.maximum(high - low, 1e-6), (low + high) / 2
    share = (head[:, 1] - low[1]) / size[1]
    at_nose = (share > 0.25) & (share < 0.6)
    at_nose = at_nose if at_nose.any() else np.ones(len(head), bool)
    near = at_nose & (np.abs(head[:, 0] - middle[0]) < 0.12 * size[0])
    near = near if near.any() else at_nose
    nose = _most(places, np.where(near, head[:, 2], -np.inf), float(size[2]))
    found = [Keypoint(vertices=nose, approximate=True)]
    own = faces[on_head[faces].all(1)]
    eyes = []
    for sign in (1, -1):
        spot = np.array([middle[0] + sign * 0.25 * size[0], low[1] + 0.5 * size[1]])
        eyes.append(_front(vertices, own, spot) or nose)
    found += [Keypoint(vertices=eye, approximate=True) for eye in eyes]
    depth = min(float(vertices[list(eye)].mean(0)[2]) for eye in eyes)
    behind = at_nose & (head[:, 2] < depth - 0.15 * size[2])
    behind = behind if behind.any() else at_nose
    for sign in (1, -1):
        side = _most(places, np.where(behind, sign * (head[:, 0] - middle[0]), -np.inf), float(size[0]))
        found.append(Keypoint(vertices=side, approximate=True))
    return tuple(found)


def _most(places: NDArray[np.int64], values: Floats, size: float) -> tuple[int, ...]:
    """The places of the largest values; of a flat face all are as large, and rounding must not choose among them."""
    return tuple(int(k) for k in places[values >= values.max() - LEVEL * size])


def _front(vertices: Floats, faces: Numbers, spot: Floats) -> tuple[int, ...] | None:
    """The corners of the most forward face that a ray along -Z at (x, y) meets."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    d = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    safe = np.where(np.abs(d) < 1e-14, np.inf, d)
    x, y = spot[0] - a[:, 0], spot[1] - a[:, 1]
    u = (x * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * y) / safe
    v = ((b[:, 0] - a[:, 0]) * y - x * (b[:, 1] - a[:, 1])) / safe
    met = (u >= 0) & (v >= 0) & (u + v <= 1) & np.isfinite(safe)
    if not met.any():
        return None
    z = np.where(met, a[:, 2] + u * (b[:, 2] - a[:, 2]) + v * (c[:, 2] - a[:, 2]), -np.inf)
    return tuple(int(k) for k in faces[np.argmax(z)])
