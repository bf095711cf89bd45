"""A drawing as another pen or another hand would have drawn it: lines thicker, thinner, broken, or a little elsewhere.

Ink moves by a pixel or two about where it was, each stroke on its own; keypoints stay.

Shapes: H W pixels. Pictures are (H, W, 3), float32 from 0 to 255.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
Field = NDArray[np.float32]

FAR_PX = (1.0, 3.0)
"""How far from its place a stroke may be drawn, by x and by y, where pictures are about 200 pixels wide."""
CELL_PX = 20
"""Pixels, about, along a stroke over which its distance from where it was changes."""
TWICE = 0.4
"""How often a hand draws the lines once more, as in a rough sketch."""
DARKER = 20
"""How much darker than what is around it ink is."""
CROWDED = 1.35
"""Times the usual ink around a stroke from which strokes meet there."""


def pen(values: Values, rng: np.random.Generator) -> Values:
    """Lines thicker by a pixel or two, thinner by up to one, or with part of their ink."""
    kind = int(rng.integers(3))
    if kind == 0:
        side = int(rng.integers(2, 4))
        return np.asarray(cv2.erode(values, np.ones((side, side), np.uint8)), np.float32)
    if kind == 1:
        thin = np.asarray(cv2.dilate(values, np.ones((2, 2), np.uint8)), np.float32)
        return values + (thin - values) * np.float32(rng.uniform(0.3, 0.8))
    return np.asarray(255 - (255 - values) * np.float32(rng.uniform(0.35, 1)), np.float32)


def redrawn(values: Values, rng: np.random.Generator) -> Values:
    """Each stroke a little elsewhere, at times drawn twice, as a second hand would do it over the first."""
    far = float(rng.uniform(*FAR_PX))
    strokes = _strokes(values)
    drawn = _moved(values, _wander(strokes, far, rng))
    if rng.random() >= TWICE:
        return drawn
    again = _moved(values, _wander(strokes, far, rng))
    return np.minimum(drawn, 255 - (255 - again) * np.float32(rng.uniform(0.4, 1)))


def broken(values: Values, rng: np.random.Generator) -> Values:
    """Lines with gaps, where the pen left the paper: up to a seventh of the sheet takes no ink."""
    height, width = values.shape[:2]
    cell, share = rng.uniform(4, 9), rng.uniform(0.02, 0.15)
    coarse = rng.random((round(height / cell) + 1, round(width / cell) + 1), dtype=np.float32)
    chance = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    gap = ((chance - np.float32(np.quantile(chance, 1 - share))) * 8).clip(0, 1)
    paper = np.asarray(cv2.dilate(values, np.ones((7, 7), np.uint8)), np.float32)
    return np.asarray(values + (paper - values) * gap[..., None], np.float32)


def _strokes(values: Values) -> NDArray[np.int32]:
    """The number of the stroke nearest to each pixel, (H, W); strokes end where ink crowds, as at crossings."""
    dark = np.ascontiguousarray(values.min(2))
    ink = (dark < cv2.blur(dark, (15, 15)) - DARKER).astype(np.float32)
    crowd = cv2.blur(ink, (7, 7))
    usual = float(crowd.sum(where=ink > 0) / max(float(ink.sum()), 1.0))
    apart = ((ink == 0) | (crowd > CROWDED * usual)).astype(np.uint8)
    _, numbers = cv2.distanceTransformWithLabels(apart, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_CCOMP)
    return np.asarray(numbers, np.int32)


def _wander(strokes: NDArray[np.int32], far_px: float, rng: np.random.Generator) -> Field:
    """How far from its own place each pixel is taken, (H, W, 2): smooth along a stroke, another way for the next."""
    height, width = strokes.shape
    cells = (round(height / CELL_PX) + 1, round(width / CELL_PX) + 1, 2)
    coarse = rng.uniform(-far_px / 2, far_px / 2, cells).astype(np.float32)
    wobble = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    count = int(strokes.max()) + 1
    shift = rng.uniform(-far_px / 2, far_px / 2, (count, 2)).astype(np.float32)
    share = rng.uniform(-1, 1, (count, 2)).astype(np.float32)  # of the wobble: some strokes go against their neighbour
    return np.asarray(cv2.blur(shift[strokes] + share[strokes] * wobble, (5, 5)), np.float32)


def _moved(values: Values, field: Field) -> Values:
    height, width = values.shape[:2]
    x = field[..., 0] + np.arange(width, dtype=np.float32)
    y = field[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
