"""Surfaces of four-sided faces: rings joined to tubes, made smooth, put together.

Smoothing: Catmull & Clark, Recursively generated B-spline surfaces on arbitrary topological meshes, 1978.

Shapes: V vertices, Q faces of four corners, R rings, N vertices of a ring, J bones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..character import PARTS, Floats, Mesh, Weights

KEPT = 4
"""Bones that may move a vertex."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One thing of the figure, as a sleeve or an eye."""

    vertices: Floats
    """(V, 3)."""
    quads: NDArray[np.int64]
    """(Q, 4), counter-clockwise from outside."""
    weights: Floats
    """(V, J), rows sum to 1."""
    part: str
    """One of PARTS."""
    color: tuple[float, float, float]
    """sRGB in [0, 1]."""
    thing: str = ""
    """Pieces of one thing have no lines between them; empty: a thing of its own."""


def grid(rows: int, columns: int, *, closed: bool = True, first: int = 0) -> NDArray[np.int64]:
    """Faces between neighbouring rows of vertices that are counted row by row; `closed`: rows are rings."""
    across = np.arange(columns if closed else columns - 1)
    a = first + np.arange(rows - 1)[:, None] * columns + across
    b = first + np.arange(rows - 1)[:, None] * columns + (across + 1) % columns
    return np.stack((a, b, b + columns, a + columns), -1).reshape(-1, 4)


def lid(ring: ArrayLike) -> NDArray[np.int64]:
    """Faces that close a ring of an even number of vertices, in the direction of the ring."""
    places = np.asarray(ring)
    last = len(places) - 1
    return np.array([(places[k], places[k + 1], places[last - k - 1], places[last - k]) for k in range(last // 2)])


def tube(rings: Floats, *, start: bool = True, end: bool = True) -> NDArray[np.int64]:
    """Faces of a tube of rings (R, N, 3), closed at its ends where wanted; from outside or from inside by the rings."""
    count, around = rings.shape[:2]
    faces = [grid(count, around)]
    if start:
        faces.append(lid(np.arange(around)[::-1]))
    if end:
        faces.append(lid(np.arange(around) + (count - 1) * around))
    return np.concatenate(faces)


def outward(piece: Piece) -> Piece:
    """The piece with its faces counter-clockwise from outside, by the sign of its volume."""
    return replace(piece, quads=piece.quads[:, ::-1].copy()) if volume(piece.vertices, piece.quads) < 0 else piece


def volume(vertices: Floats, faces: NDArray[np.integer]) -> float:
    """What faces (F, 3 or 4) enclose, in cubic metres; below 0: they look inwards."""
    corners = vertices[faces] - vertices.mean(0)
    fans = [
        np.einsum("fa,fa->", corners[:, 0], np.cross(corners[:, k], corners[:, k + 1]))
        for k in range(1, faces.shape[1] - 1)
    ]
    return float(sum(fans) / 6)


def smoothed(piece: Piece) -> Piece:
    """The piece with each face cut in four and all rounded; its borders stay curves of their own."""
    piece = _used(piece)
    quads, count = piece.quads, len(piece.vertices)
    sides = np.sort(np.stack((quads, np.roll(quads, -1, 1)), -1).reshape(-1, 2), 1)
    edges, place, uses = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    values = np.concatenate((piece.vertices, piece.weights), 1)
    centres = values[quads].mean(1)
    sums = np.zeros((len(edges), values.shape[1]))
    np.add.at(sums, place, np.repeat(centres, 4, 0))
    middle = values[edges].mean(1)
    border = uses == 1
    between = np.where(border[:, None], middle, (values[edges].sum(1) + sums) / 4)

    def around(of: Floats, at: NDArray[np.integer]) -> tuple[Floats, Floats]:
        total, number = np.zeros_like(values), np.zeros(count)
        np.add.at(total, at, of)
        np.add.at(number, at, 1.0)
        return total / np.maximum(number, 1)[:, None], number

    faces, valence = around(np.repeat(centres, 4, 0), quads.reshape(-1))
    spokes, _ = around(np.repeat(middle, 2, 0), edges.reshape(-1))
    n = np.maximum(valence, 3)[:, None]
    moved = (faces + 2 * spokes + (n - 3) * values) / n
    rim, rims = around(np.repeat(middle[border], 2, 0), edges[border].reshape(-1))
    moved = np.where(rims[:, None] > 0, (rim + values) / 2, moved)
    e = count + place.reshape(-1, 4)
    f = np.broadcast_to((count + len(edges) + np.arange(len(quads)))[:, None], e.shape)
    new = np.stack((quads, e, f, np.roll(e, 1, 1)), -1).reshape(-1, 4)
    all_values = np.concatenate((moved, between, centres))
    return replace(piece, vertices=all_values[:, :3], weights=all_values[:, 3:], quads=new)


def _used(piece: Piece) -> Piece:
    """The piece without vertices that no face has."""
    kept, quads = np.unique(piece.quads, return_inverse=True)
    return replace(piece, vertices=piece.vertices[kept], weights=piece.weights[kept], quads=quads.reshape(-1, 4))


def mirrored(piece: Piece, swap: NDArray[np.integer], part: str | None = None) -> Piece:
    """The piece on the other side of the body; `swap` (J,) tells each bone's opposite."""
    return replace(
        piece,
        vertices=piece.vertices * (-1, 1, 1),
        weights=piece.weights[:, swap],
        quads=piece.quads[:, ::-1].copy(),
        part=part or piece.part.replace("left", "right"),
        thing=piece.thing.replace("left", "right"),
    )


@dataclass(frozen=True, kw_only=True)
class Joined:
    """All pieces as one mesh."""

    mesh: Mesh
    weights: Weights
    starts: tuple[int, ...]
    """The first vertex of each piece."""


def joined(pieces: Sequence[Piece]) -> Joined:
    """One mesh of triangles; pieces of the same thing are one component."""
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    names = [piece.thing or f"piece {k}" for k, piece in enumerate(pieces)]
    number = {name: k for k, name in enumerate(dict.fromkeys(names))}
    quads = np.concatenate([piece.quads + start for piece, start in zip(pieces, starts)])
    lengths = [2 * len(piece.quads) for piece in pieces]
    weights = np.concatenate([piece.weights for piece in pieces])
    bones = np.argsort(-weights, axis=1, kind="stable")[:, :KEPT]
    values = np.take_along_axis(weights, bones, 1)
    colors = np.array([piece.color for piece in pieces], np.float32)
    mesh = Mesh(
        vertices=np.concatenate([piece.vertices for piece in pieces]),
        faces=np.stack((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]), 1).reshape(-1, 3).astype(np.int32),
        parts=np.repeat(np.array([PARTS.index(piece.part) for piece in pieces], np.uint8), lengths),
        components=np.repeat(np.array([number[name] for name in names], np.int32), lengths),
        colors=np.repeat(colors, lengths, 0),
        smooth_edges=np.sort(quads[:, [0, 2]], 1).astype(np.int32),
        cards=np.zeros(len(number), bool),
    )
    shares = (values / values.sum(1, keepdims=True)).astype(np.float32)
    return Joined(
        mesh=mesh,
        weights=Weights(bones=bones.astype(np.int32), values=shares),
        starts=tuple(int(start) for start in starts[:-1]),
    )
