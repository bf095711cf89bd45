"""How much of an edge there is at each place of a picture, by its colours alone.

Shapes: H W pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Strength = NDArray[np.float32]
"""(H, W), how much of an edge there is; of `classical` and of HED in [0, 1]."""

SCALES = (1.0, 1.8, 3.2)
"""Deviations in pixels at which colours are compared: fine ones place an edge, coarse ones tell it from grain."""
SURROUND = 4.0
"""Reach of the texture that weakens an edge within it, in coarsest scales."""
NEIGHBOURHOOD = 0.06
"""Reach of what counts as one part of the picture, in longest sides."""
LEAST_CONTRAST = 6.0
"""In CIELAB; a picture whose strongest edges are below is nearly blank, and its noise is not brought up to 1."""


def smoothed(pixels: Pixels, amount: float = 1.0) -> NDArray[np.float32]:
    """The picture (H, W, 3) in CIELAB, (H, W, 3), without grain and fine texture; edges stay.

    Bilateral filters one after the other (Tomasi & Manduchi, ICCV 1998), as in Winnemoeller et al., Real-Time Video
    Abstraction, SIGGRAPH 2006.

    Args:
        amount: 0 is none; 1 takes away differences of about 8 in CIELAB.
    """
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    if amount > 0:
        for _ in range(3):
            lab = cv2.bilateralFilter(lab, 9, 8.0 * amount, 3.0)
    return np.asarray(lab, np.float32)


def gradient(lab: NDArray[np.float32], sigma: float) -> Strength:
    """The steepest change of colour at a scale of `sigma` pixels, (H, W), in CIELAB across the scale.

    The larger eigenvalue of the tensor of all channels' gradients (Di Zenzo, A Note on the Gradient of a Multi-image,
    1986).
    """
    soft = cv2.GaussianBlur(lab, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    dx, dy = (cv2.Scharr(soft, cv2.CV_32F, i, 1 - i, scale=sigma / 16) for i in (1, 0))
    xx, yy, xy = ((a * b).sum(2) for a, b in ((dx, dx), (dy, dy), (dx, dy)))
    return np.asarray(np.sqrt((xx + yy + np.sqrt((xx - yy) ** 2 + 4 * xy**2)) / 2), np.float32)


def classical(lab: NDArray[np.float32], *, texture: float = 1.0) -> Strength:
    """How much of an edge there is at each place, (H, W) in [0, 1]: changes of colour that stand alone.

    An edge among others like it, as in grass, is weakened by them: surround inhibition (Grigorescu et al., Contour
    Detection Based on Nonclassical Receptive Field Inhibition, IEEE TIP 2003).

    Args:
        lab: the picture, (H, W, 3), as `smoothed` gives it.
        texture: how much edges are weakened by those around them; 0 is not.
    """
    response = np.mean([gradient(lab, sigma) for sigma in SCALES], axis=0)
    if texture > 0:
        inner, outer = (cv2.GaussianBlur(response, (0, 0), SCALES[-1] * k) for k in (1.0, SURROUND))
        around = np.clip(outer - 0.25 * inner, 0, None)
        response = np.clip(response - texture * around, 0, None)
    top = max(float(np.percentile(response, 99)), LEAST_CONTRAST)
    return np.asarray(np.clip(response / (top * evenness(response)), 0, 1), np.float32)


def evenness(response: Strength) -> NDArray[np.float32]:
    """What to divide edges by so that quiet parts of a picture, a face in the shadow, have their lines as well, (H, W).

    The root of the mean strength around each place, in units of that of the picture, from 0.5 to 1.5.
    """
    around = cv2.GaussianBlur(response, (0, 0), max(response.shape) * NEIGHBOURHOOD, borderType=cv2.BORDER_REFLECT_101)
    return np.clip(np.sqrt(around / max(float(response.mean()), 1e-6)), 0.5, 1.5)
