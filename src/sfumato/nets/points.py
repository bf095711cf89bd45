"""Colours given at points, as a picture that a network can read.

Shapes: H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RADIUS = 0.02
"""Of the disc about a point, in shorter sides of the picture that the network sees."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A colour that is wanted at a place."""

    x: float
    """Pixels from the left."""
    y: float
    """Pixels from the top."""
    color: tuple[int, int, int]
    """RGB, 0 to 255."""


def point_map(points: Sequence[Point], size: tuple[int, int], radius: float) -> NDArray[np.uint8]:
    """Where a colour is given (255 or 0), and that colour (0 elsewhere): (H, W, 4).

    Args:
        size: height and width.
        radius: of the discs, in pixels; a point covers its own pixel in any case.
    """
    height, width = size
    made = np.zeros((height, width, 4), np.uint8)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    for point in points:
        y, x = min(max(round(point.y), 0), height - 1), min(max(round(point.x), 0), width - 1)
        made[(rows - y) ** 2 + (columns - x) ** 2 <= max(radius, 0.5) ** 2] = (255, *point.color)
    return made
