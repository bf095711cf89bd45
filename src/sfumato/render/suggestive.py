"""Suggestive contours: lines within a form, where it nearly turns away from the eye, as folds and the lines of a face.

DeCarlo et al., Suggestive Contours for Conveying Shape, SIGGRAPH 2003: valleys of n . v in the picture.
# Differs from the paper: valleys are found by the second derivative across them, not by a filter that counts darker
# pixels, because a threshold on it has the same meaning at each smoothing.

Shapes: H W pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data import strokes
from .compiled import compiled
from .frame import Singles

SIGMA_PX = 1.2
"""How much n . v is smoothed first."""
FAINT = 0.4
"""A line goes on where it is above this share of the threshold."""
BORDER = 5
"""Within half so many pixels of where a form ends nothing is looked for."""
ROW = 256
"""Places are looked up so many to a row, or more: OpenCV takes no more than MOST in one, and no more rows."""
MOST = 32767


def facing(normals: Singles, corner: tuple[float, float], focal_px: float) -> Singles:
    """How much a surface faces the eye, n . v (H, W) in [0, 1].

    Args:
        normals: in the camera's axes, (H, W, 3).
        corner: x and y of their upper left corner, in pixels from the middle of the picture.
        focal_px: of the camera.
    """
    return _facing(normals, np.float32(corner[0] + 0.5), np.float32(corner[1] + 0.5), np.float32(focal_px))


@compiled
def _facing(normals: Singles, left: np.float32, top: np.float32, focal: np.float32) -> Singles:
    """As `facing`; `left` and `top`: the middle of the first pixel."""
    height, width = normals.shape[:2]
    found = np.zeros((height, width), np.float32)
    for row in range(height):
        y = np.float32(row) + top
        for column in range(width):
            a, b, c = normals[row, column]
            if a or b or c:
                x = np.float32(column) + left
                found[row, column] = abs(a * x + b * y + c * focal) / np.sqrt(x * x + y * y + focal * focal)
    return found


def valleys(facing: Singles, form: NDArray[np.bool_], strength: float) -> NDArray[np.bool_]:
    """Where lines are (H, W).

    Args:
        facing: n . v, (H, W).
        form: (H, W), where to look.
        strength: second derivative across a line, at a smoothing of one pixel.
    """
    weights = form.astype(np.float32)
    smooth = _blurred(facing * weights) / np.maximum(_blurred(weights), 1e-6)
    orders = ((2, 0), (0, 2), (1, 1))
    xx, yy, xy = (np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3), np.float32) for order in orders)
    curve = _curved(xx, yy, xy, form)
    faint = FAINT * strength
    inner = cv2.erode(form.view(np.uint8), np.ones((BORDER, BORDER), np.uint8)) > 0
    places = np.nonzero(inner & (curve >= faint))
    if not len(places[0]):
        return np.zeros_like(form)
    across = np.asarray(0.5 * np.arctan2(xy[places] / 2, xx[places] / 4 - yy[places] / 4), np.float32)
    ridges = np.zeros_like(curve)
    ridges[places] = np.where(curve[places] >= _beside(curve, places, across), curve[places], 0)
    return strokes.strong(ridges, strength, faint)


@compiled
def _curved(xx: Singles, yy: Singles, xy: Singles, form: NDArray[np.bool_]) -> Singles:
    """The larger eigenvalue of the Hessian (H, W) within the form, else 0; of second derivatives by Sobel's kernels.

    All numbers are singles.
    """
    found = np.zeros(form.shape, np.float32)
    half, sigma = np.float32(0.5), np.float32(SIGMA_PX**2)
    for row in range(form.shape[0]):
        for column in range(form.shape[1]):
            if form[row, column]:
                quarter = np.float32(0.25)  # what Sobel's kernels of 3 x 3 add up to 4
                a, b, c = xx[row, column] * quarter, yy[row, column] * quarter, xy[row, column] * quarter
                apart = np.sqrt((a - b) * (a - b) * quarter + c * c)
                found[row, column] = ((a + b) * half + apart) * sigma
    return found


def _beside(values: Singles, places: tuple[NDArray[np.intp], ...], across: Singles) -> Singles:
    """The larger of the values (H, W) a pixel to both sides of places (N,), rows and columns, in directions (N,)."""
    row = max(ROW, -(-len(across) // MOST))
    y, x = (np.resize(side.astype(np.float32), (-(-len(side) // row), row)) for side in places)
    dx, dy = (np.resize(way, x.shape) for way in (np.cos(across), np.sin(across)))
    sides = [
        cv2.remap(values, x + sign * dx, y + sign * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for sign in (-1, 1)
    ]
    return np.asarray(np.maximum(*sides).ravel()[: len(across)], np.float32)


def _blurred(values: Singles) -> Singles:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), SIGMA_PX), np.float32)
