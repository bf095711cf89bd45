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
    limbs, size = np.array(owners(figure.character), np.int32), extent(figure.vertices)
    found = np.zeros((len(KEYPOINTS), 3))
    for k, ((x, y), far) in enumerate(zip(places.tolist(), depths.tolist(), strict=True)):
        if far <= 0 or not (0 <= x < camera.size[0] and 0 <= y < camera.size[1]):
            continue
        row, column = math.floor(2 * y), math.floor(2 * x)
        window = np.s_[max(row - REACH, 0) : row + REACH + 1, max(column - REACH, 0) : column + REACH + 1]
        most = float(nearest[window].max())
        before = far - 1 / most if most > 0 else -math.inf
        seen = before <= BEFORE * size
        if not seen and k >= SURFACE:
            shown = _limbs_there(figure.character, limbs, ids[window].ravel() - first)
            seen = _limb_shows(figure.character, k, shown, before / size)
        found[k] = x, y, 2 if seen else 1
    return found


def _limbs_there(character: Character, limbs: NDArray[np.int32], faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bone of `limbs` that moves each of some faces (n,) most, itself or through bones that hang on it.

    `limbs`: for each bone (J,) the one of `character.limbs` that it follows. -1: none, or the face is none of its own.
    """
    mesh, weights = character.mesh, character.weights
    own = (faces >= 0) & (faces < len(mesh.faces))
    corners = mesh.faces[faces[own]]
    strongest = np.take_along_axis(weights.bones[corners], weights.values[corners].argmax(2)[..., None], 2)[..., 0]
    moved = limbs[strongest]
    found = np.full(len(faces), -1, np.int32)
    # Of three corners two agree, or the first speaks.
    found[own] = np.where(moved[:, 1] == moved[:, 2], moved[:, 1], moved[:, 0])
    return found


def _limb_shows(character: Character, keypoint: int, shown: NDArray[np.int32], before: float) -> bool:
    """Whether bones `shown` around a joint are those that meet there.

    Args:
        character: whose joint it is.
        keypoint: its place in KEYPOINTS.
        shown: (n,), bones of `limbs` at the samples; -1: none of this figure.
        before: how far before the joint something is, as a share of the figure's extent.
    """
    side, joint = KEYPOINTS[keypoint].split("_", 1)
    names = [f"{side}_{limb}" for limb in _LIMBS[joint]]
    if before <= THICK:
        names += _TRUNK.get(joint, ())
    own = [character.limbs[name] for name in names if name in character.limbs]
    return bool((shown[:, None] == own).any(1).mean() > SHARE)
