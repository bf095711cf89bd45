"""What reaches past the camera: triangles and edges cut off where they come too near.

Places mean nothing behind the camera, but places times depths do: (x z, y z, z) is linear in space, and a cut of it at
a depth is a cut in space.

Shapes: M edges.
"""

import numpy as np
from numpy.typing import NDArray

from .character import Floats, Numbers
from .compiled import compiled

NEAR = 1e-3
"""What is nearer to the camera than this, in metres, is not drawn."""


@compiled
def clipped(corners: Floats, found: Floats) -> int:
    """How many corners the part of a triangle before the camera has, 0, 3 or 4; they are written into `found`.

    Args:
        corners: places and depths, (3, 3).
        found: (4, 3), likewise, in the same direction around.
    """
    count = 0
    for k in range(3):
        after = (k + 1) % 3
        here, there = corners[k, 2], corners[after, 2]
        if here >= NEAR:
            found[count] = corners[k]
            count += 1
        if (here >= NEAR) != (there >= NEAR):
            part = (NEAR - here) / (there - here)
            for axis in range(2):
                start, end = corners[k, axis] * here, corners[after, axis] * there
                found[count, axis] = (start + part * (end - start)) / NEAR
            found[count, 2] = NEAR
            count += 1
    return count


def clipped_edges(
    edges: Numbers, places: Floats, depths: Floats, size: tuple[int, int]
) -> tuple[Numbers, Numbers, Floats, Floats]:
    """Edges that are before the camera at least in part; those that reach past it get new ends.

    A new end lies where the edge comes too near or, if that is far outside the picture, where it has left the picture
    and as much again around it.

    Args:
        edges: (M, 2), nodes.
        places: of the nodes, (N, 2).
        depths: of the nodes, (N,).
        size: width and height of the picture, in the units of the places.

    Returns:
        Which edges these are (L,), their nodes (L, 2), and places (K, 2) and 1/z (K,) of all nodes, the new ones last.
    """
    ahead = depths >= NEAR
    near = 1 / np.where(ahead, depths, np.inf)
    ends = ahead[edges]
    whole: NDArray[np.bool_] = np.asarray(ends.all(1))
    cut = np.flatnonzero(ends[:, 0] != ends[:, 1])
    if not len(cut):
        return np.flatnonzero(whole).astype(np.int32), edges[whole], places, near
    side = np.where(ends[cut, 0], 0, 1)  # which end is before the camera
    first, second = edges[cut, side], edges[cut, 1 - side]
    part = ((NEAR - depths[first]) / (depths[second] - depths[first]))[:, None]
    start, end = places[first] * depths[first, None], places[second] * depths[second, None]
    new = (start + part * (end - start)) / NEAR
    stay = _left(places[first], new, size)
    new = places[first] + stay[:, None] * (new - places[first])
    level = near[first] + stay * (1 / NEAR - near[first])
    nodes = edges.copy()
    nodes[cut, 1 - side] = len(places) + np.arange(len(cut))
    within = whole.copy()
    within[cut] = stay > 0
    return (
        np.flatnonzero(within).astype(np.int32),
        nodes[within],
        np.concatenate((places, new)),
        np.concatenate((near, level)),
    )


def _left(start: Floats, end: Floats, size: tuple[int, int]) -> Floats:
    """At which part of the way from start to end (M, 2) the picture and as much around it is left (M,); 0: not met."""
    way = np.where(end == start, 1e-12, end - start)
    low, high = -np.array(size, np.float64), 2.0 * np.array(size)
    at = np.stack(((low - start) / way, (high - start) / way))
    enters, leaves = np.clip(at.min(0).max(1), 0, 1), np.clip(at.max(0).min(1), 0, 1)
    return np.where(leaves > enters, leaves, 0.0)
