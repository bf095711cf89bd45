"""Curves and sections: smooth lines through given points, ovals around an axis, steps without a kink."""

import numpy as np
from numpy.typing import ArrayLike

from ..character import Floats


def step(x: ArrayLike, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, smooth between (3 t^2 - 2 t^3)."""
    t = np.clip((np.asarray(x, np.float64) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def bump(x: ArrayLike, middle: float, width: float) -> Floats:
    """A bell (..., ) of height 1 around `middle`."""
    return np.asarray(np.exp(-0.5 * ((np.asarray(x, np.float64) - middle) / width) ** 2))


def through(points: ArrayLike, at: ArrayLike) -> Floats:
    """Places (M, D) of the smooth curve through points (P, D), at parameters 0 ... P - 1: Catmull-Rom's spline."""
    p = np.asarray(points, np.float64)
    p = p[:, None] if p.ndim == 1 else p
    t = np.clip(np.asarray(at, np.float64), 0, len(p) - 1)
    k = np.minimum(t.astype(int), len(p) - 2)
    u = (t - k)[:, None]
    padded = np.concatenate((2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]))
    a, b, c, d = (padded[k + j] for j in range(4))
    curve = 2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3
    return np.asarray(0.5 * curve)


def power(x: ArrayLike, exponent: "Number") -> Floats:
    """sign(x) |x|^exponent."""
    values = np.asarray(x, np.float64)
    return np.asarray(np.sign(values) * np.abs(values) ** exponent)


Number = float | Floats
"""One for a whole ring, or (N,)."""


def oval(
    turn: Floats,
    *,
    half: Number,
    z: tuple[Number, Number, Number],
    y: tuple[Number, Number, Number],
    round_: Number = 1.0,
) -> Floats:
    """A ring (N, 3) around the vertical axis at angles from the front (0) over the left (pi / 2).

    Args:
        turn: (N,) radians.
        half: half its width.
        z: of its front, its sides and its back.
        y: of its front, its sides and its back.
        round_: 1 an ellipse, below 1 fuller, above 1 pinched.
    """
    sine, cosine = power(np.sin(turn), round_), power(np.cos(turn), round_)
    ahead, behind = np.maximum(cosine, 0), np.maximum(-cosine, 0)
    depth = z[1] + (z[0] - z[1]) * ahead + (z[2] - z[1]) * behind
    height = y[1] + (y[0] - y[1]) * ahead**2 + (y[2] - y[1]) * behind**2
    return np.stack((half * sine, height, depth), -1)


def circle(centre: ArrayLike, up: ArrayLike, ahead: ArrayLike, radii: tuple[float, float], count: int) -> Floats:
    """A ring (count, 3) around `centre`: from `up` over `ahead`, with a radius along each."""
    turn = 2 * np.pi * np.arange(count) / count
    return np.asarray(
        np.asarray(centre)
        + radii[0] * np.cos(turn)[:, None] * np.asarray(up)
        + radii[1] * np.sin(turn)[:, None] * np.asarray(ahead)
    )


def shrink(count: int) -> float:
    """By what smoothing makes a ring of so many vertices smaller; rings are made larger by it beforehand."""
    return float((3 + np.cos(2 * np.pi / count)) / 4)
