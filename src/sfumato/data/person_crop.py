"""One figure cut out of a picture: where, at which size and angle, and where its keypoints come to lie.

Shapes: H W pixels of what is cut out. Places are (x, y), whole numbers in the middle of pixels; boxes are (left, top,
width, height).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..nets.heatmaps import System

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

PADDING = 1.25
"""How much larger than its box a figure is cut out."""
HALF_PADDING = 1.5
"""The same where it is half a figure, and the box one about its keypoints."""
PAPER = (255, 255, 255)
"""What lies beyond a picture's border."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """A rectangle of a picture."""

    center: tuple[float, float]
    """(x, y)."""
    size: tuple[float, float]
    """Width and height."""
    angle_deg: float = 0.0
    """How far its upright is turned, as the clock goes."""


def around(
    box: Sequence[float], out: tuple[int, int], *, padding: float = PADDING, center: tuple[float, float] | None = None
) -> Region:
    """The region about a box: enlarged to the shape of what is cut out, then by `padding`.

    # Differs from the authors' loader: a box that reaches beyond the picture's border is not cut off there, because
    # a figure that the border cuts keeps its size and its place.

    Args:
        box: left, top, width, height.
        out: (H, W).
        padding: 1 adds nothing.
        center: its middle, if it is not the box's.
    """
    left, top, width, height = box
    aspect = out[1] / out[0]
    width, height = max(width, height * aspect, 1.0), max(height, width / aspect, 1.0)
    middle = (left + box[2] / 2, top + box[3] / 2) if center is None else center
    return Region(center=middle, size=(width * padding, height * padding))


def about_half(joints: Floats, chosen: NDArray[np.bool_], out: tuple[int, int]) -> Region:
    """The region about some of the keypoints (K, 2), its middle their mean; for half a figure."""
    known = joints[chosen]
    (left, top), (right, bottom) = known.min(0), known.max(0)
    mean = known.mean(0)
    box = (left, top, right - left, bottom - top)
    return around(box, out, padding=HALF_PADDING, center=(float(mean[0]), float(mean[1])))


def affine(region: Region, out: tuple[int, int], system: System = "udp") -> Floats:
    """The matrix (2, 3) from places in the picture to places in what is cut out, (H, W).

    In `msra` the region's width becomes W, and its middle W/2, H/2; in `udp`, where lengths count from the middle of
    the first pixel to that of the last, W - 1 and (W - 1)/2.
    """
    less = 1 if system == "udp" else 0
    width, height = out[1] - less, out[0] - less
    across = width / region.size[0]
    scale = np.diag([across, height / region.size[1] if system == "udp" else across])
    angle = np.deg2rad(region.angle_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = scale @ turn
    shift = np.array([width / 2, height / 2]) - linear @ np.array(region.center)
    return np.concatenate((linear, shift[:, None]), axis=1)


def square(matrix: NDArray[Any]) -> Floats:
    """A matrix (2, 3) or (3, 3) as (3, 3)."""
    return np.concatenate((matrix, [[0.0, 0.0, 1.0]])) if len(matrix) == 2 else np.asarray(matrix, np.float64)


def inverse(matrix: NDArray[Any]) -> Floats:
    """The way back, (3, 3)."""
    return np.asarray(np.linalg.inv(square(matrix)))


def moved(places: NDArray[Any], matrix: NDArray[Any]) -> Floats:
    """Places (..., 2) by a matrix (2, 3) or (3, 3)."""
    full = square(matrix)
    found = places @ full[:2, :2].T + full[:2, 2]
    return np.asarray(found / (places @ full[2, :2] + full[2, 2])[..., None])


def before(places: NDArray[Any], matrix: NDArray[Any]) -> NDArray[np.bool_]:
    """Which places (..., 2) are before the vanishing line of a matrix (2, 3) or (3, 3); the others are not in sight."""
    full = square(matrix)
    return np.asarray(places @ full[2, :2] + full[2, 2] > 0)


def cut(
    pixels: Pixels,
    matrix: NDArray[Any],
    out: tuple[int, int],
    field: NDArray[np.float32] | None = None,
    *,
    beyond: tuple[int, ...] = PAPER,
) -> Pixels:
    """What a matrix (2, 3) or (3, 3) brings of a picture (h, w, 3) into (H, W, 3); beyond its border is white paper.

    A grey one (h, w) becomes (H, W), one with alpha (H, W, 4). Where it becomes much smaller, pixels are averaged
    first: thin lines would break.

    # Differs from the authors' code: beyond the border is white, not black, because drawings are on paper.

    Args:
        pixels: the picture.
        matrix: from its places to those of the result.
        out: (H, W).
        field: (H, W, 2), how far from its own place, by x and y, each pixel of the result is taken.
        beyond: another colour for what is beyond the border.
    """
    pixels, shrunk = _shrunk(pixels, square(matrix), out)
    full = square(matrix) @ inverse(shrunk)
    border = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": beyond}
    if field is None:
        result = cv2.warpPerspective(pixels, full, (out[1], out[0]), flags=cv2.INTER_LINEAR, **border)  # type: ignore[call-overload]
    else:
        result = cv2.remap(pixels, *_sources(out, field, inverse(full)), cv2.INTER_LINEAR, **border)  # type: ignore[call-overload]
    return np.asarray(result, np.uint8)


def _sources(
    out: tuple[int, int], field: NDArray[np.float32], matrix: Floats
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where pixels (H, W) of a result are taken from, x and y: from their own places and a field, by a matrix."""
    x = field[..., 0] + np.arange(out[1], dtype=np.float32)
    y = field[..., 1] + np.arange(out[0], dtype=np.float32)[:, None]
    rows = matrix.astype(np.float32)
    across, down, far = (row[0] * x + row[1] * y + row[2] for row in rows)
    return across / far, down / far


def _shrunk(pixels: Pixels, matrix: Floats, out: tuple[int, int]) -> tuple[Pixels, Floats]:
    """The picture brought near to the size at which it is needed, and the matrix that does so."""
    corners = np.array([[0, 0], [out[1] - 1, 0], [0, out[0] - 1], [out[1] - 1, out[0] - 1]], np.float64)
    a, b, c, d = moved(corners, inverse(matrix))
    across = (np.hypot(*(b - a)) + np.hypot(*(d - c))) / 2 / max(out[1] - 1, 1)
    down = (np.hypot(*(c - a)) + np.hypot(*(d - b))) / 2 / max(out[0] - 1, 1)
    factor = min(across, down)
    if factor < 1.5:
        return pixels, np.eye(3)
    height, width = pixels.shape[:2]
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    x, y = size[0] / width, size[1] / height
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])
