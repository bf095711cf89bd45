"""Meshes from files put in order: vertices that are in one place made one, loose pieces told apart, weights tidied.

Shapes: V vertices, F faces, K bones of a vertex at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .character import Floats, Numbers, Weights

KEPT = 8
"""Bones that may move a vertex."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One mesh of a file at rest."""

    name: str
    """Of the object, for its class."""
    vertices: Floats
    """(V, 3)."""
    faces: Numbers
    """(F, 3)."""
    bones: Numbers
    """(V, K)."""
    values: Floats
    """(V, K), not below 0."""
    colors: NDArray[np.float32]
    """(F, 3) sRGB."""
    names: tuple[str, ...]
    """Of each face's material; empty, or F."""


def welded(sheet: Sheet, near: float) -> Sheet:
    """The sheet with vertices less than `near` apart (on a grid) made one, so that seams of textures are no borders."""
    if not len(sheet.faces):
        return sheet
    cells = np.round(sheet.vertices / max(near, 1e-12)).astype(np.int64)
    _, first, place = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    faces = place.reshape(-1)[sheet.faces]
    good = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    names = tuple(name for name, kept in zip(sheet.names, good) if kept)
    return replace(
        sheet,
        vertices=sheet.vertices[first],
        bones=sheet.bones[first],
        values=sheet.values[first],
        faces=faces[good].astype(np.int32),
        colors=sheet.colors[good],
        names=names,
    )


def pieces(faces: Numbers, count: int) -> Numbers:
    """Which connected piece each face (F, 3) belongs to, numbered from 0 in the order of their first faces."""
    label = np.arange(count)
    while True:
        low = label[faces].min(1)
        new = label.copy()
        np.minimum.at(new, faces.reshape(-1), np.repeat(low, 3))
        new = new[new]
        if np.array_equal(new, label):
            break
        label = new
    found, first, place = np.unique(label[faces[:, 0]], return_index=True, return_inverse=True)
    rank = np.empty(len(found), np.int32)
    rank[np.argsort(first)] = np.arange(len(found))
    return np.asarray(rank[place.reshape(-1)], np.int32)


def borders(faces: Numbers) -> NDArray[np.bool_]:
    """Which faces (F,) have a side that no other face has."""
    sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1)
    _, place, uses = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    return np.asarray((uses[place.reshape(-1)] == 1).reshape(-1, 3).any(1))


def tidy(bones: Numbers, values: Floats, kept: int = KEPT) -> Weights:
    """The largest weights of each vertex, made to sum to 1; a vertex without any follows the first bone."""
    order = np.argsort(-values, axis=1, kind="stable")[:, :kept]
    values = np.take_along_axis(values, order, 1)
    bones = np.take_along_axis(bones, order, 1)
    empty = values.sum(1) <= 0
    values[empty, 0], bones[empty, 0] = 1.0, 0
    used = max(int((values > 0).any(0).sum()), 1)
    values, bones = values[:, :used], np.where(values[:, :used] > 0, bones[:, :used], 0)
    return Weights(bones=bones.astype(np.int32), values=(values / values.sum(1, keepdims=True)).astype(np.float32))


def widened(rows: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Arrays (V, K) of several widths one below the other, with zeros where one is narrower."""
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])
