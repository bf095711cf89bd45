"""Directions and turns in space, many at once.

Shapes: ... any number of leading axes; vectors (..., 3), turns (..., 3, 3) that act on columns, points (N, D).
"""

import numpy as np

from .character import Floats

TINY = 1e-9
"""What is shorter has no direction."""


def about(axis: int, degrees: Floats | float) -> Floats:
    """Turns (..., 3, 3) about the axis 0, 1 or 2 by angles (...) in degrees, anticlockwise as seen from its tip."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turns = np.zeros((*np.shape(degrees), 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turns[..., axis, axis] = 1
    turns[..., first, first] = turns[..., second, second] = cosine
    turns[..., first, second], turns[..., second, first] = -sine, sine
    return turns


def around(axis: Floats, degrees: Floats | float) -> Floats:
    """Turns (..., 3, 3) about a direction (3,) by angles (...), anticlockwise as seen from its tip."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)[..., None, None]
    turns: Floats = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turns


def box(points: Floats) -> tuple[Floats, Floats]:
    """The least and the largest of each coordinate of points (N, D): twice (D,)."""
    columns = np.ascontiguousarray(points.T)  # NumPy is slow along the first axis of narrow arrays
    return columns.min(1), columns.max(1)


def extent(points: Floats) -> float:
    """The longest side of the box around points (N, D)."""
    low, high = box(points)
    return float((high - low).max())


def length(vectors: Floats) -> Floats:
    """(..., 1)."""
    found: Floats = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return found


def unit(vectors: Floats) -> Floats:
    """Directions; of nothing nothing."""
    return vectors / np.maximum(length(vectors), TINY)


def dot(first: Floats, second: Floats) -> Floats:
    """(..., 1)."""
    found: Floats = (first * second).sum(-1, keepdims=True)
    return found


def across(vectors: Floats, along: Floats) -> Floats:
    """What is left of vectors without their part along directions."""
    return vectors - dot(vectors, along) * along


def applied(turns: Floats, vectors: Floats) -> Floats:
    """Vectors turned."""
    found: Floats = np.einsum("...ab,...b->...a", turns, vectors)
    return found


def turned_back(turns: Floats) -> Floats:
    """The turns that undo these."""
    return np.swapaxes(turns, -1, -2)


def framed(along: Floats, pole: Floats) -> Floats:
    """Turns whose second column is the direction `along` and whose third the one of `pole` across it."""
    third = unit(across(pole, along))
    return np.stack((np.cross(along, third), along, third), axis=-1)


def upright(left: Floats, up: Floats) -> Floats:
    """Turns of a body (+X left, +Y up, +Z front) whose left is as given and whose up nearly."""
    first = unit(left)
    third = unit(np.cross(first, up))
    return np.stack((first, np.cross(third, first), third), axis=-1)


def swing(start: Floats, to: Floats) -> Floats:
    """The shortest turns from directions to others; from one to its opposite: about any axis across it."""
    start, to = np.broadcast_arrays(start, to)
    cosine = dot(start, to)[..., None]
    axis = np.cross(start, to)
    x, y, z = axis[..., 0], axis[..., 1], axis[..., 2]
    zero = np.zeros_like(x)
    matrix = np.stack((zero, -z, y, z, zero, -x, -y, x, zero), axis=-1).reshape(*x.shape, 3, 3)
    turns = np.eye(3) + matrix + matrix @ matrix / np.maximum(1 + cosine, TINY)
    if (cosine > -1 + 1e-7).all():
        return turns
    least = np.eye(3)[np.abs(start).argmin(-1)]
    side = unit(across(least, start))
    half: Floats = 2 * side[..., :, None] * side[..., None, :] - np.eye(3)
    return np.where(cosine > -1 + 1e-7, turns, half)


def halfway(first: Floats, second: Floats) -> Floats:
    """The turns in the middle between turns, less than half a round apart."""
    summed = first + second
    left, _, right = np.linalg.svd(summed)
    return left @ right


def rising(values: Floats, low: float, high: float) -> Floats:
    """0 up to low, 1 from high on, smooth in between."""
    part = np.clip((values - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)
