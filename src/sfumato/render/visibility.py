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
from .stance import owners
from .vectors import extent

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
_AROUND = np.stack(np.meshgrid(*[np.arange(-REACH, REACH + 1)] * 2), -1).reshape(-1, 2)
"""(25, 2), steps along a row and a column from a sample to those around it."""


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
    size = extent(figure.vertices)
    found = np.zeros((len(KEYPOINTS), 3))
    inside = (depths > 0) & ((places >= 0) & (places < camera.size)).all(1)
    samples = np.floor(2 * places[inside]).astype(np.int64)[:, None] + _AROUND  # (n, 25, 2)
    there = np.all((samples >= 0) & (samples < (ids.shape[1], ids.shape[0])), axis=2)
    columns, rows = np.moveaxis(np.where(there[..., None], samples, 0), 2, 0)
    most = np.where(there, nearest[rows, columns], 0).max(1)
    limbs = _limbs_there(figure.character, ids[rows, columns] - first)
    for k, nearer, shown in zip(np.flatnonzero(inside).tolist(), most.tolist(), zip(limbs, there)):
        before = float(depths[k]) - 1 / nearer if nearer > 0 else -math.inf
        seen = before <= BEFORE * size
        seen = seen or (k >= SURFACE and _limb_shows(figure.character, k, shown[0][shown[1]], before, size))
        found[k] = *places[k], 2 if seen else 1
    return found


def _limbs_there(character: Character, faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bone of `limbs` that moves each of some faces (...) most, itself or through bones that hang on it.

    -1: none, or the face is none of the character's.
    """
    mesh, weights, limbs = character.mesh, character.weights, np.array(owners(character), np.int32)
    own = (faces >= 0) & (faces < len(mesh.faces))
    corners = mesh.faces[faces[own]]
    strongest = np.take_along_axis(weights.bones[corners], weights.values[corners].argmax(2)[..., None], 2)[..., 0]
    moved = limbs[strongest]
    found = np.full(faces.shape, -1, np.int32)
    # Of three corners two agree, or the first speaks.
    found[own] = np.where(moved[:, 1] == moved[:, 2], moved[:, 1], moved[:, 0])
    return found


def _limb_shows(character: Character, keypoint: int, shown: NDArray[np.int32], before: float, size: float) -> bool:
    """Whether bones `shown` around a joint are those that meet there.

    Args:
        character: whose joint it is.
        keypoint: its place in KEYPOINTS.
        shown: (n,), bones of `limbs` at the samples; -1: none of this figure.
        before: how far before the joint something is, in metres.
        size: the figure's extent, in metres.
    """
    side, joint = KEYPOINTS[keypoint].split("_", 1)
    names = [f"{side}_{limb}" for limb in _LIMBS[joint]]
    if before <= THICK * size:
        names += _TRUNK.get(joint, ())
    own = [character.limbs[name] for name in names if name in character.limbs]
    return bool((shown[:, None] == own).any(1).mean() > SHARE)
