"""A skeleton drawn over a picture: the figure's left in orange, its right in blue, the middle in green.

Shapes: H W pixels of the picture, K = 17 keypoints.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .keypoints import KEYPOINTS, LIMBS, Floats

COLORS = {"left": (230, 120, 20), "right": (30, 100, 220), "": (30, 150, 60)}
FINENESS = 4
"""Bits of a pixel's fraction that OpenCV draws by."""


def drawn(
    pixels: NDArray[np.uint8], joints: Floats, shown: NDArray[np.bool_], hidden: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """The picture (H, W, 3) with those of the keypoints (K, 2) that are shown, and the limbs between them.

    Args:
        pixels: the picture.
        joints: x and y, whole numbers in the middle of pixels.
        shown: (K,), those that count.
        hidden: (K,), those of them that are drawn as rings; none if None.
    """
    result = np.ascontiguousarray(pixels).copy()
    sure = joints[shown]
    thick = max(1, round(float(np.ptp(sure, axis=0).max()) / 120)) if len(sure) else 1
    for a, b in LIMBS:
        if shown[a] and shown[b]:
            cv2.line(result, _fixed(joints[a]), _fixed(joints[b]), _color(a, b), thick, cv2.LINE_AA, FINENESS)
    for k in np.flatnonzero(shown).tolist():
        ring = hidden is not None and hidden[k]
        radius = round((2.2 if ring else 1.5) * thick * 2**FINENESS)
        cv2.circle(result, _fixed(joints[k]), radius, _color(k, k), thick if ring else -1, cv2.LINE_AA, FINENESS)
    return result


def _fixed(place: Floats) -> tuple[int, int]:
    """A place in OpenCV's fractions; far outside it stays where numbers are still small."""
    x, y = np.rint(place.clip(-1e4, 1e5) * 2**FINENESS).astype(int)
    return int(x), int(y)


def _color(a: int, b: int) -> tuple[int, int, int]:
    sides = {KEYPOINTS[k].partition("_")[0] for k in (a, b)} & {"left", "right"}
    return COLORS[sides.pop() if len(sides) == 1 else ""]
