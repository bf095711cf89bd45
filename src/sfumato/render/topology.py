"""What of a mesh does not change with the pose: which corners are one point, which faces meet at an edge.

Exporters split a vertex where its texture or its shading does; the edges there look like borders. So vertices that lie
in the same place at rest, and belong to the same component, are one node.

Shapes: V vertices, F faces, N nodes, E edges.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .character import Mesh, Numbers

T = TypeVar("T")
SAME = 1e-6
"""Vertices nearer than this share of the mesh's extent are one."""


@dataclass(frozen=True, kw_only=True)
class Topology:
    """Nodes and edges of a mesh."""

    nodes: Numbers
    """(N,), a vertex that lies there."""
    corners: Numbers
    """(F, 3), the nodes of each face."""
    edges: Numbers
    """(E, 2), nodes; edges that are never drawn are not among them."""
    sides: Numbers
    """(E, 2), the faces that meet at each edge; the second is -1 at a border. Of more than two, the first two."""
    twins: Numbers
    """(F,), the other triangle of a quad, of which the diagonal is never drawn; a face's own number if alone."""
    around: Numbers
    """(3 F,), the faces around each node, node after node."""
    starts: Numbers
    """(N + 1,), where each node's faces begin in `around`."""


def remembered(find: Callable[[Mesh], T]) -> Callable[[Mesh], T]:
    """The function with what it found of a mesh kept as long as the mesh's array of faces is.

    A mesh in other proportions has the same array, and vertices that lay in one place stay one node there.
    """
    known: dict[int, tuple[weakref.ref[Numbers], T]] = {}

    @wraps(find)
    def kept(mesh: Mesh) -> T:
        key = id(mesh.faces)
        there = known.get(key)
        if there is not None and there[0]() is mesh.faces:
            return there[1]
        found = find(mesh)

        def forget(_: weakref.ref[Numbers]) -> None:
            known.pop(key, None)

        known[key] = (weakref.ref(mesh.faces, forget), found)
        return found

    return kept


@remembered
def topology(mesh: Mesh) -> Topology:
    """The topology of a mesh; found once and kept as long as its faces are."""
    nodes, corners = _welded(mesh)
    flat = corners.ravel()
    order = np.argsort(flat, kind="stable")
    starts = np.concatenate(([0], np.bincount(flat, minlength=len(nodes)).cumsum()))
    edges, sides = _edges(corners)
    smooth = _smooth(mesh, corners, edges, sides)
    return Topology(
        nodes=nodes,
        corners=corners,
        edges=np.ascontiguousarray(edges[~smooth]),
        sides=np.ascontiguousarray(sides[~smooth]),
        twins=_twins(sides[smooth], len(corners)),
        around=(order // 3).astype(np.int32),
        starts=starts.astype(np.int32),
    )


def _welded(mesh: Mesh) -> tuple[Numbers, Numbers]:
    """A vertex for each node (N,), and the nodes of the faces (F, 3)."""
    step = SAME * float(np.ptp(mesh.vertices, axis=0).max() or 1.0)
    _, places = np.unique(np.rint(mesh.vertices / step), axis=0, return_inverse=True)
    keys = mesh.components[:, None].astype(np.int64) * len(mesh.vertices) + places.reshape(-1)[mesh.faces]
    _, first, corners = np.unique(keys.ravel(), return_index=True, return_inverse=True)
    return mesh.faces.ravel()[first].astype(np.int32), corners.reshape(-1, 3).astype(np.int32)


def _edges(corners: Numbers) -> tuple[Numbers, Numbers]:
    """Edges (E, 2), the lower node first, and the faces at their sides (E, 2)."""
    pairs = np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1).astype(np.int64)
    faces = np.repeat(np.arange(len(corners)), 3)
    real = pairs[:, 0] < pairs[:, 1]
    pairs, faces = pairs[real], faces[real]
    order = np.lexsort((faces, pairs[:, 1], pairs[:, 0]))
    pairs, faces = pairs[order], faces[order]
    new = np.ones(len(pairs), bool)
    new[1:] = (pairs[1:] != pairs[:-1]).any(1)
    first = np.flatnonzero(new)
    shared = np.diff(np.append(first, len(pairs))) > 1
    sides = np.stack((faces[first], np.where(shared, faces[np.minimum(first + 1, len(faces) - 1)], -1)), 1)
    return pairs[first].astype(np.int32), sides.astype(np.int32)


def _smooth(mesh: Mesh, corners: Numbers, edges: Numbers, sides: Numbers) -> NDArray[np.bool_]:
    """(E,), which edges are never drawn: those whose ends are, in one of their faces, a pair of `smooth_edges`."""
    count = len(mesh.vertices)
    pairs = np.sort(mesh.smooth_edges, axis=1).astype(np.int64)
    wanted = pairs[:, 0] * count + pairs[:, 1]
    found = np.zeros(len(edges), bool)
    for side in (0, 1):
        face = sides[:, side]
        ends = [mesh.faces[face, (corners[face] == edges[:, end, None]).argmax(1)].astype(np.int64) for end in (0, 1)]
        found |= (face >= 0) & np.isin(np.minimum(*ends) * count + np.maximum(*ends), wanted)
    return found


def _twins(sides: Numbers, faces: int) -> Numbers:
    """The other half of each face's quad (F,); where smooth edges make more of it than a quad, faces stay alone."""
    sides = sides[sides[:, 1] >= 0]
    single = np.bincount(sides.ravel(), minlength=faces) == 1
    sides = sides[single[sides].all(1)]
    twins = np.arange(faces, dtype=np.int32)
    twins[sides[:, 0]], twins[sides[:, 1]] = sides[:, 1], sides[:, 0]
    return twins
