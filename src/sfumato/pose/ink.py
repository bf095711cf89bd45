"""Where on a sheet something is drawn.

Shapes: h w pixels of the picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import PictureError

Pixels = NDArray[np.uint8]

SIDE = 512
"""Longest side at which ink is looked for, in pixels."""
FAINTEST = 24
"""How much darker than the paper around it the darkest ink must be, of 255."""
SHARE = 0.3
"""Of the darkest ink's darkness, from which a pixel is ink."""
ROUNDS = 5
"""Of the search for what is paper."""
NEAR = 16
"""How far a pixel may be from the paper's value to be paper, of 255."""
GAP = 13
"""Strokes as near to each other belong together, in pixels of the small picture."""
SPECK = 8
"""Pieces of fewer pixels are dirt."""


def figure_box(pixels: Pixels, name: str = "the picture") -> tuple[float, float, float, float]:
    """The box (left, top, width, height) of the largest thing drawn in a picture (h, w, 3).

    Ink is what is darker than the sheet would be there, so that a shade across a photograph does not matter. Strokes
    near each other are one thing; what stands apart, as a signature, is not in the box.

    Args:
        pixels: RGB, uint8.
        name: what to call the picture in the error.

    Raises:
        PictureError: nothing is drawn there.
    """
    height, width = pixels.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    ink = _ink(small.min(2))
    pieces = _things(ink)
    if not pieces:
        raise PictureError(f"{name}: nothing is drawn on it; give the figure's box (--box left,top,width,height)")
    left, top, right, bottom = max(pieces, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    x, y = width / size[0], height / size[1]
    return left * x, top * y, (right - left) * x, (bottom - top) * y


def _ink(dark: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels (h, w) of a picture are ink; `dark` is its darkest channel."""
    if np.median(dark) < 100:  # chalk on a board
        dark = np.asarray(255 - dark, np.uint8)
    darker = _paper(dark) - dark
    darkest = float(np.percentile(darker, 99.8))
    if darkest < FAINTEST:
        return np.zeros(dark.shape, np.bool_)
    return np.asarray(darker >= max(FAINTEST * 0.8, SHARE * darkest))


def _paper(dark: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The value (h, w) that the sheet would have without ink: a quadric through what is light, round by round."""
    height, width = dark.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values = dark.ravel().astype(np.float64)
    light = values >= np.median(values)
    for _ in range(ROUNDS):
        step = max(1, int(light.sum()) // 5000)
        factors, *_ = np.linalg.lstsq(terms[light][::step], values[light][::step])
        sheet = terms @ factors
        nearby = np.abs(values - sheet) <= NEAR
        light = nearby if nearby.sum() > 100 else light
    return np.asarray(sheet.reshape(height, width))


def _things(ink: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """The boxes (left, top, right, bottom) of strokes that lie together."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    kept = stats[:count, cv2.CC_STAT_AREA] >= SPECK
    kept[0] = False
    clean = kept[labels]
    joined = cv2.dilate(clean.astype(np.uint8), np.ones((GAP, GAP), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    boxes = []
    for number in range(1, count):
        rows, columns = np.nonzero((labels == number) & clean)
        boxes.append((int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))
    return boxes
