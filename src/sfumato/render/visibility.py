"""Which of a figure's keypoints are seen.

Points on the surface (nose, eyes, ears) are seen if little lies before them. The others lie within limbs, so a depth
test alone would hide all of them: they are seen if a limb shows there that meets at the joint, on the same side of the
body, or if nothing lies before them. COCO's numbers: 2 seen, 1 hidden, 0 outside the picture.

Shapes: F faces, h w samples of the z-buffer, two to a pixel.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..data.keypoints import KEYPOINTS
from .camera import Camera
from .character import Character, Floats
from .frame import Figure

SURFACE = 5
"""The first keypoints are on the surface."""
REACH = 2
"""What shows at a keypoint is looked at so many samples around it."""
BEFORE = 0.012
"""A keypoint is seen if what is before it is nearer by less than this share of the figure's extent: 2 cm."""
SHARE = 0.3
"""A joint is seen if its limbs cover this share of the samples around it."""
THICK = 0.11
"""The trunk counts as a limb of shoulders and hips if it is nearer by less than this share of the figure's extent."""

_LIMBS = {
    "shoulder": ("shoulder", "upper_arm"),
    "elbow": ("upper_arm", "forearm"),
    "wrist": ("forearm", "hand"),
    "hip": ("thigh",),
    "knee": ("thigh", "shin"),
    "ankle": ("shin", "foot"),
}
_TRUNK = {"shoulder": ("chest", "spine", "neck"), "hip": ("hips", "spine")}


def limbs_of_faces(character: Character) -> NDArray[np.int32]:
    """The bone of `limbs` that moves each face most (F,), itself or through bones that hang on it; -1: none."""
    owner = np.full(len(character.skeleton.parents), -1, np.int32)
    owner[list(character.limbs.values())] = list(character.limbs.values())
    for bone, parent in enumerate(character.skeleton.parents):
        if owner[bone] < 0 <= parent:
            owner[bone] = owner[parent]
    weights = character.weights
    strongest = weights.bones[np.arange(len(weights.bones)), weights.values.argmax(1)]
    owners = owner[strongest][character.mesh.faces]
    # Of three corners two agree, or the first speaks.
    return np.where(owners[:, 1] == owners[:, 2], owners[:, 1], owners[:, 0]).astype(np.int32)


def labelled(figure: Figure, camera: Camera, nearest: Floats, ids: NDArray[np.int32], first: int) -> Floats:
    """The figure's keypoints (17, 3) as x, y in pixels and v.

    Args:
        figure: whose they are.
        camera: that sees it.
        nearest: (h, w), twice the camera's size: 1/z of what is nearest, 0 where nothing is.
        ids: (h, w), the face there; -1 where nothing is.
        first: the number of the figure's first face in `ids`.
    """
    places, depths = camera.project(figure.keypoints)
    limbs = limbs_of_faces(figure.character)
    extent = float(np.ptp(figure.vertices, axis=0).max())
    found = np.zeros((len(KEYPOINTS), 3))
    for k, ((x, y), far) in enumerate(zip(places, depths, strict=True)):
        if far <= 0 or not (0 <= x < camera.size[0] and 0 <= y < camera.size[1]):
            continue
        row, column = math.floor(2 * y), math.floor(2 * x)
        window = np.s_[max(row - REACH, 0) : row + REACH + 1, max(column - REACH, 0) : column + REACH + 1]
        most = float(nearest[window].max())
        before = far - 1 / most if most > 0 else -math.inf
        faces = ids[window] - first
        faces = np.where((faces >= 0) & (faces < len(limbs)), faces, -1)
        shown = np.where(faces >= 0, limbs[faces], -1)
        seen = before <= BEFORE * extent or (k >= SURFACE and _limb_shows(figure.character, k, shown, before / extent))
        found[k] = x, y, 2 if seen else 1
    return found


def _limb_shows(character: Character, keypoint: int, shown: NDArray[np.int32], before: float) -> bool:
    """Whether bones `shown` around a joint are those that meet there.

    Args:
        character: whose joint it is.
        keypoint: its place in KEYPOINTS.
        shown: bones of `limbs` at the samples; -1: none of this figure.
        before: how far before the joint something is, as a share of the figure's extent.
    """
    side, joint = KEYPOINTS[keypoint].split("_", 1)
    names = [f"{side}_{limb}" for limb in _LIMBS[joint]]
    if before <= THICK:
        names += _TRUNK.get(joint, ())
    own = [character.limbs[name] for name in names if name in character.limbs]
    return bool(np.isin(shown, own).mean() > SHARE)
