"""A rigged character: a mesh, bones that move it, and where its 17 keypoints are.

Metres; Y is up, the character looks along +Z, its left hand is at +X.

Shapes: V vertices, F faces, J bones, K bones of a vertex at most, E edges, C components.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..parts import PARTS as PARTS
from .compiled import compiled

if TYPE_CHECKING:
    from .drape import Drape
    from .motion import Motion

Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]

LIMBS = (
    *("hips", "spine", "chest", "neck", "head"),
    *(
        f"{side}_{bone}"
        for side in ("left", "right")
        for bone in ("shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe")
    ),
)
"""Names by which motions and characters meet; `shoulder` is the clavicle."""
OPTIONAL = ("chest", "neck", "left_shoulder", "right_shoulder", "left_toe", "right_toe")
"""Those that a character need not have."""


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """What is seen."""

    vertices: Floats
    """(V, 3), at rest."""
    faces: Numbers
    """(F, 3), triangles, counter-clockwise from outside."""
    parts: NDArray[np.uint8]
    """(F,), places in PARTS."""
    components: Numbers
    """(F,), which thing a face belongs to: the body, an eye, a garment; from 0 without gaps."""
    colors: NDArray[np.float32]
    """(F, 3) sRGB in [0, 1]."""
    smooth_edges: Numbers
    """(E, 2), pairs of vertices with no line between them ever, as diagonals of quads; the lower number first."""
    cards: NDArray[np.bool_]
    """(C,), components that are thin sheets, as strands of hair: of them only the silhouette is drawn."""


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """Bones at rest."""

    names: tuple[str, ...]
    """J names."""
    parents: Numbers
    """(J,), -1 for roots; parents come before their children."""
    heads: Floats
    """(J, 3)."""
    tails: Floats
    """(J, 3)."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How much each bone moves each vertex."""

    bones: Numbers
    """(V, K)."""
    values: NDArray[np.float32]
    """(V, K), in [0, 1]; rows sum to 1."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where bones are in one moment."""

    rotations: Floats
    """(J, 3, 3), from rest to now, in the axes of the world."""
    heads: Floats
    """(J, 3), now."""


@dataclass(frozen=True, kw_only=True)
class Keypoint:
    """Where one of KEYPOINTS is: at the head of a bone, or in the middle of some vertices."""

    bone: int = -1
    """Place of the bone; -1: vertices tell."""
    vertices: tuple[int, ...] = ()
    """Places of vertices."""
    approximate: bool = False
    """Guessed from the shape, not known."""


@dataclass(frozen=True, kw_only=True)
class Character:
    """All that is needed to pose a character and to label it.

    Raises:
        DataError: arrays do not go together: machine code would read beyond their ends.
    """

    name: str
    """For files and metadata."""
    mesh: Mesh
    skeleton: Skeleton
    weights: Weights
    keypoints: tuple[Keypoint, ...]
    """17, in the order of KEYPOINTS."""
    limbs: Mapping[str, int]
    """Bones by their names in LIMBS."""
    actions: Mapping[str, "Motion"] = field(default_factory=dict)
    """Its own motions, by name."""
    drape: "Drape | None" = None
    """Its skirt, if there is one that must not be left to skinning."""

    def __post_init__(self) -> None:
        mesh, weights, where = self.mesh, self.weights, f"character {self.name!r}"
        if weights.bones.shape != weights.values.shape or len(weights.bones) != len(mesh.vertices):
            raise DataError(
                f"{where}: has weights {weights.values.shape} of bones {weights.bones.shape}; give each of its"
                f" {len(mesh.vertices)} vertices as many of both"
            )
        if not len(mesh.faces) == len(mesh.parts) == len(mesh.components) == len(mesh.colors):
            raise DataError(f"{where}: give each of its {len(mesh.faces)} faces one part, component and color")
        check_numbers(where, "bone", weights.bones, len(self.skeleton.heads))
        check_numbers(where, "vertex", mesh.faces, len(mesh.vertices))
        check_numbers(where, "component", mesh.components, len(mesh.cards))


def check_numbers(where: str, what: str, numbers: NDArray[np.signedinteger[Any]], count: int) -> None:
    """Whether all numbers of things are from 0 to count - 1.

    Raises:
        DataError: one is not; the message begins with `where`.
    """
    least, most = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, -1)
    if least < 0 or most >= count:
        raise DataError(f"{where}: names {what} {least if least < 0 else most} of {count}; the file is damaged")


def ancestors(parents: Sequence[int], bone: int) -> list[int]:
    """A bone and those above it, up to a root; `parents`: places of the bones above, -1: a root."""
    found = []
    while bone >= 0:
        found.append(bone)
        bone = parents[bone]
    return found


def rest(character: Character) -> Pose:
    """The pose in which the mesh is as it is."""
    heads = character.skeleton.heads
    return Pose(rotations=np.broadcast_to(np.eye(3), (len(heads), 3, 3)).copy(), heads=heads.copy())


def skinned(character: Character, pose: Pose) -> Floats:
    """Vertices (V, 3) in that pose: v' = sum_k w_k (R_k (v - head_k) + head_k now), linear blend skinning.

    What of them is a skirt is laid over the legs then.
    """
    weights, heads = character.weights, character.skeleton.heads
    moves = pose.heads - np.einsum("jab,jb->ja", pose.rotations, heads)
    matrices = np.concatenate((pose.rotations, moves[..., None]), axis=2)
    moved = _blended(character.mesh.vertices, weights.bones, weights.values, matrices)
    return moved if character.drape is None else character.drape.laid(moved, pose, character.mesh.vertices, heads)


@compiled
def _blended(vertices: Floats, bones: Numbers, values: NDArray[np.float32], matrices: Floats) -> Floats:
    """Vertices (V, 3) moved by their bones' matrices (J, 3, 4), each (V, K) by its weight (V, K).

    Sums are in the order of NumPy's einsum, x and z before y, so that sets begun with that go on with equal pictures.
    """
    found, blend = np.empty_like(vertices), np.empty((3, 4))
    for v in range(len(vertices)):
        blend[:] = 0
        for k in range(bones.shape[1]):
            weight = np.float64(values[v, k])
            for axis in range(3 if weight else 0):
                for column in range(4):
                    blend[axis, column] += weight * matrices[bones[v, k], axis, column]
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        for axis in range(3):
            found[v, axis] = blend[axis, 0] * x + blend[axis, 2] * z + blend[axis, 1] * y + blend[axis, 3]
    return found


def keypoints(character: Character, pose: Pose, vertices: Floats) -> Floats:
    """The 17 keypoints (17, 3) in that pose, of which `vertices` (V, 3) are the skinned ones."""
    places = [pose.heads[k.bone] if k.bone >= 0 else vertices[list(k.vertices)].mean(0) for k in character.keypoints]
    return np.stack(places)
