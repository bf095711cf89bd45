"""What a network says of rectangles of a picture, brought together at any size.

Shapes: H W pixels of the picture, K classes, h w cells of a view. Places are (x, y), whole numbers in the middle of
pixels.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..image import Box

Floats = NDArray[np.float32]

EDGE = 0.125
"""Part of a view's longer side over which it comes in at its edges."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What is said of a rectangle.

    Attributes:
        logits: (K, h, w), evenly over the rectangle.
        box: the rectangle, in pixels of the picture.
    """

    logits: Floats
    box: Box


def layers(views: Sequence[View], picture: tuple[int, int], size: tuple[int, int]) -> Iterator[Floats]:
    """The logits of one class after the other, at another size of the picture.

    Args:
        views: the first is of the whole picture, each later one takes the place of those before, with a soft edge.
        picture: (H, W).
        size: of what is wanted.
    """
    whole, *others = views
    factors = (size[0] / picture[0], size[1] / picture[1])
    places = [_scaled(view.box, factors, size) for view in others]
    shares = [_soft(view.box, place, factors, picture) for view, place in zip(others, places, strict=True)]
    for k in range(len(whole.logits)):
        layer = _resampled(whole.logits[k], whole.box, Box(0, 0, *size), factors)
        for view, place, share in zip(others, places, shares, strict=True):
            part = layer[place.slices]
            part += share * (_resampled(view.logits[k], view.box, place, factors) - part)
        yield layer


def _scaled(box: Box, factors: tuple[float, float], size: tuple[int, int]) -> Box:
    """The pixels of the wanted size that a rectangle of the picture covers."""
    down, across = factors
    bottom, right = math.ceil(box.bottom * down), math.ceil(box.right * across)
    return Box(int(box.top * down), int(box.left * across), min(size[0], bottom), min(size[1], right))


def _resampled(logits: Floats, box: Box, place: Box, factors: tuple[float, float]) -> Floats:
    """Logits (h, w) of a rectangle of the picture, at the pixels of a rectangle of the wanted size."""
    matrix = np.zeros((2, 3))
    cells = (logits.shape[1] / box.width, logits.shape[0] / box.height)
    starts, firsts = (box.left, box.top), (place.left, place.top)
    for axis, factor in enumerate(reversed(factors)):
        matrix[axis, axis] = cells[axis] / factor
        matrix[axis, 2] = ((firsts[axis] + 0.5) / factor - starts[axis]) * cells[axis] - 0.5
    return np.asarray(
        cv2.warpAffine(
            logits,
            matrix,
            (place.width, place.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def _soft(box: Box, place: Box, factors: tuple[float, float], picture: tuple[int, int]) -> Floats:
    """How much a view counts at each pixel of a rectangle, in [0, 1]: less toward its edges, but not the picture's."""
    reach = EDGE * max(box.height, box.width)
    sides = []
    for first, last, start, end, factor, length in (
        (place.top, place.bottom, box.top, box.bottom, factors[0], picture[0]),
        (place.left, place.right, box.left, box.right, factors[1], picture[1]),
    ):
        middles = (np.arange(first, last) + 0.5) / factor
        rise = (middles - start) / reach if start > 0 else np.ones_like(middles)
        fall = (end - middles) / reach if end < length else np.ones_like(middles)
        sides.append(np.minimum(rise, fall).clip(0, 1))
    return np.minimum(sides[0][:, None], sides[1][None]).astype(np.float32)
