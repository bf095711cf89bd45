"""A skeleton drawn over a picture: the figure's left in orange, its right in blue, the middle in green.

Shapes: h w pixels of the picture, K = 17 keypoints.
"""

import cv2
import numpy as np

from ..data.keypoints import KEYPOINTS, LIMBS
from ..data.person_crop import Floats, Pixels
from .estimator import CERTAIN

COLORS = {"left": (230, 120, 20), "right": (30, 100, 220), "": (30, 150, 60)}
FINENESS = 4
"""Bits of a pixel's fraction that OpenCV draws by."""


def drawn(pixels: Pixels, joints: Floats, scores: Floats) -> Pixels:
    """The picture (h, w, 3) with the keypoints (K, 2) that count and the limbs between them."""
    result = np.ascontiguousarray(pixels).copy()
    sure = joints[scores >= CERTAIN]
    extent = float(np.ptp(sure, axis=0).max()) if len(sure) else 0.0
    thick = max(1, round(extent / 120))
    for a, b in LIMBS:
        if min(scores[a], scores[b]) >= CERTAIN:
            cv2.line(result, _fixed(joints[a]), _fixed(joints[b]), _color(a, b), thick, cv2.LINE_AA, FINENESS)
    for k in range(len(KEYPOINTS)):
        if scores[k] >= CERTAIN:
            radius = round(1.5 * thick * 2**FINENESS)
            cv2.circle(result, _fixed(joints[k]), radius, _color(k, k), -1, cv2.LINE_AA, FINENESS)
    return result


def _fixed(place: Floats) -> tuple[int, int]:
    """A place in OpenCV's fractions; far outside it stays where numbers are still small."""
    x, y = np.rint(place.clip(-1e4, 1e5) * 2**FINENESS).astype(int)
    return int(x), int(y)


def _color(a: int, b: int) -> tuple[int, int, int]:
    sides = {KEYPOINTS[k].partition("_")[0] for k in (a, b)} & {"left", "right"}
    return COLORS[sides.pop() if len(sides) == 1 else ""]
