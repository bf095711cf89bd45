"""The guided filter: one picture as a locally linear function of another's colours (He, Sun & Tang, TPAMI 2013).

Found on a small copy and applied to the large picture it is the fast version (He & Sun, arXiv:1505.00996).

Shapes: h w pixels, k targets.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def coefficients(guide: Floats, targets: Floats, radius: int, epsilon: float) -> Floats:
    """Three slopes and an offset for each target around each pixel: (h, w, k, 4).

    Args:
        guide: (h, w, 3), in [0, 1].
        targets: (h, w, k).
        radius: half the side of the windows, in pixels.
        epsilon: keeps slopes small where the guide is even: what varies by less than its root counts as even.
    """
    size = (2 * radius + 1, 2 * radius + 1)
    mean = cv2.blur(guide, size)
    spread = {
        (i, j): cv2.blur(guide[..., i] * guide[..., j], size) - mean[..., i] * mean[..., j]
        for i in range(3)
        for j in range(i, 3)
    }
    for i in range(3):
        spread[i, i] += epsilon
    planes = list[Floats]()
    for target in np.moveaxis(targets, 2, 0):
        target_mean = cv2.blur(target, size)
        shared = cv2.blur(guide * target[..., None], size) - mean * target_mean[..., None]
        slopes = _solved(spread, shared)
        offset = target_mean - (slopes * mean).sum(2)
        planes.append(np.asarray(cv2.blur(np.dstack((slopes, offset)), size), np.float32))
    return np.stack(planes, 2)


def _solved(spread: dict[tuple[int, int], Any], shared: Floats) -> Floats:
    """Solves a symmetric system of three for each pixel: (h, w, 3), by cofactors."""
    a, d, f = (spread[i, i] for i in range(3))
    b, c, e = spread[0, 1], spread[0, 2], spread[1, 2]
    x, y, z = (shared[..., i] for i in range(3))
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * ab + c * ac
    found = np.dstack((aa * x + ab * y + ac * z, ab * x + bb * y + bc * z, ac * x + bc * y + cc * z))
    return np.asarray(found / determinant[..., None], np.float32)
