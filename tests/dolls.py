"""Characters of boxes around a skeleton of known lengths, for tests of motions."""

import numpy as np

from sfumato.data.keypoints import KEYPOINTS
from sfumato.render.character import Character, Keypoint, Mesh, Skeleton, Weights
from sfumato.render.vectors import about

PARENTS = {
    "root": "",
    "hips": "root",
    "spine": "hips",
    "chest": "spine",
    "neck": "chest",
    "head": "neck",
    "hat": "head",
}
SIDED = {
    "shoulder": "chest",
    "upper_arm": "shoulder",
    "twist": "upper_arm",
    "forearm": "upper_arm",
    "hand": "forearm",
    "finger": "hand",
    "thigh": "hips",
    "shin": "thigh",
    "foot": "shin",
    "toe": "foot",
}
HEADS = {
    "root": (0, 0, 0),
    "hips": (0, 0.95, 0),
    "spine": (0, 1.05, 0),
    "chest": (0, 1.2, 0),
    "neck": (0, 1.45, 0),
    "head": (0, 1.53, 0.01),
    "hat": (0, 1.72, 0),
    "shoulder": (0.03, 1.4, 0),
    "upper_arm": (0.17, 1.42, 0),
    "twist": (0.3, 1.42, 0),
    "forearm": (0.45, 1.42, 0),
    "hand": (0.7, 1.42, 0),
    "finger": (0.8, 1.42, 0),
    "thigh": (0.09, 0.9, 0),
    "shin": (0.1, 0.48, 0.01),
    "foot": (0.1, 0.08, -0.02),
    "toe": (0.1, 0.02, 0.11),
}
"""A T of 1.75 m; of sides the left one."""
TAILS = {
    "head": (0, 1.72, 0),
    "hat": (0, 1.8, 0),
    "twist": (0.45, 1.42, 0),
    "finger": (0.88, 1.42, 0),
    "toe": (0.1, 0.02, 0.18),
}
THICK = {"hips": 0.1, "spine": 0.09, "chest": 0.1, "head": 0.08, "thigh": 0.06, "foot": 0.02, "toe": 0.02}
CUBE = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
SQUARES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def doll(*, arms_down_deg=0.0, tails_aside=False, without=(), size=1.0):
    """A character that looks along +Z, its arms hanging by that angle from a T.

    `tails_aside`: bones end along +X, whatever they hold. `without`: bones that are not there.
    """
    heads, parents, tails = _bones()
    for name in [name for name in heads if name.removeprefix("left_").removeprefix("right_") in without]:
        for other, parent in parents.items():
            parents[other] = parents[name] if parent == name else parent
        for table in (heads, parents, tails):
            del table[name]
    names = tuple(heads)
    for side, sign in (("left", 1), ("right", -1)):
        _lower(heads, tails, side, about(2, -sign * arms_down_deg))
    if tails_aside:
        tails = {name: heads[name] + (0.1, 0, 0) for name in names}
    skeleton = Skeleton(
        names=names,
        parents=np.array([names.index(parents[n]) if parents[n] else -1 for n in names], np.int32),
        heads=size * np.array([heads[n] for n in names]),
        tails=size * np.array([tails[n] for n in names]),
    )
    limbs = {name: place for place, name in enumerate(names) if not name.endswith(("twist", "finger", "root", "hat"))}
    ends = size * np.array([_end(n, heads, tails, parents) for n in names])
    mesh, weights = _boxes(skeleton, ends, size)
    return Character(
        name="doll", mesh=mesh, skeleton=skeleton, weights=weights, keypoints=_keypoints(names, mesh), limbs=limbs
    )


def _bones():
    heads = {name: np.array(HEADS[name], float) for name in PARENTS}
    parents = dict(PARENTS)
    for side, sign in (("left", 1), ("right", -1)):
        for name, parent in SIDED.items():
            heads[f"{side}_{name}"] = np.array(HEADS[name]) * (sign, 1, 1)
            parents[f"{side}_{name}"] = f"{side}_{parent}" if parent in SIDED else parent
    tails = {}
    for name in heads:
        bone = name.removeprefix("left_").removeprefix("right_")
        if bone in TAILS:
            tails[name] = np.array(TAILS[bone]) * (-1 if name.startswith("right") else 1, 1, 1)
        else:
            tails[name] = heads[next(c for c in reversed(parents) if parents[c] == name)]
    return heads, parents, tails


def _lower(heads, tails, side, turn):
    shoulder = heads[f"{side}_upper_arm"].copy()
    for bone in ("upper_arm", "twist", "forearm", "hand", "finger"):
        for table in (heads, tails):
            if f"{side}_{bone}" in table:
                table[f"{side}_{bone}"] = shoulder + turn @ (table[f"{side}_{bone}"] - shoulder)


def _end(name, heads, tails, parents):
    """Where the box of a bone ends, whatever its tail says."""
    children = [c for c in reversed(parents) if parents[c] == name and not c.endswith("twist")]
    return heads[children[0]] if children and name not in ("root", "hips", "chest") else tails[name]


def _boxes(skeleton, ends, size):
    """A box for each bone but the root."""
    vertices, faces, bones = [], [], []
    for bone, name in enumerate(skeleton.names):
        if name == "root":
            continue
        thick = size * THICK.get(name.removeprefix("left_").removeprefix("right_"), 0.03)
        low, high = np.minimum(skeleton.heads[bone], ends[bone]), np.maximum(skeleton.heads[bone], ends[bone])
        faces += [
            [len(vertices) + k for k in q[i]] for q in [np.array(s) for s in SQUARES] for i in ([0, 1, 2], [0, 2, 3])
        ]
        vertices += list((low + high) / 2 + CUBE * ((high - low) / 2 + thick))
        bones += [bone] * 8
    count = len(faces)
    mesh = Mesh(
        vertices=np.array(vertices),
        faces=np.array(faces, np.int32),
        parts=np.full(count, 4, np.uint8),
        components=np.zeros(count, np.int32),
        colors=np.full((count, 3), 0.5, np.float32),
        smooth_edges=np.empty((0, 2), np.int32),
        cards=np.zeros(1, bool),
    )
    values = np.ones((len(vertices), 1), np.float32)
    return mesh, Weights(bones=np.array(bones, np.int32)[:, None], values=values)


def _keypoints(names, mesh):
    bones = {
        "shoulder": "upper_arm",
        "elbow": "forearm",
        "wrist": "hand",
        "hip": "thigh",
        "knee": "shin",
        "ankle": "foot",
    }
    head = 8 * (names.index("head") - 1)
    found = []
    for place, name in enumerate(KEYPOINTS):
        side, _, joint = name.partition("_")
        if joint in bones:
            found.append(Keypoint(bone=names.index(f"{side}_{bones[joint]}")))
        else:
            found.append(Keypoint(vertices=(head + place, head + 7 - place)))
    return tuple(found)
