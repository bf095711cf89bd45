"""Faces found in pictures and cut out of them, photographed or drawn.

Shapes: H W pixels; places are (x, y) in pixels from the upper left corner.
"""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import cv2
import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from . import yunet

RAISED = 0.06
"""By this share of its height the middle of a crop lies above that of the face's box: measured on crops as those of
FFHQ (Karras et al., CVPR 2019, arXiv:1812.04948), whose sides are 1.39 heights of the box."""
BORDERS = {"reflect": cv2.BORDER_REFLECT_101, "replicate": cv2.BORDER_REPLICATE}

Pixels = NDArray[np.uint8]
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What counts as a face, and how it is cut out."""

    size: Annotated[int, Ge(16), Le(4096)] = 256
    """Side of a crop in pixels."""
    margin: Annotated[float, Ge(0), Le(4)] = 0.25
    """What a crop shows around the face's box on each side, as a share of the box; 0.2 is as close as FFHQ."""
    smallest: Annotated[int, Ge(8), Le(4096)] = 40
    """Shorter side of the smallest face in pixels of the picture."""
    score: Annotated[float, Ge(0.3), Le(1)] = 0.6
    """From which score on something is a face: less finds more drawn faces, and more that are none."""
    drawn: bool = True
    """Look for drawn and painted faces, too."""
    align: bool = True
    """Turn each crop so that the eyes are level."""
    largest: bool = False
    """Only the largest face of each picture."""
    border: Literal["replicate", "reflect"] = "replicate"
    """What stands in a crop beyond the edge of the picture: its edge repeated, or the picture mirrored."""
    outside: Annotated[float, Ge(0), Le(1)] = 1.0
    """Leave out faces of whose crop more than this share lies beyond the edge of the picture."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """A face in a picture."""

    box: tuple[float, float, float, float]
    """Left, top, width, height: from the forehead to the chin."""
    points: tuple[Point, Point, Point, Point, Point]
    """Both eyes, the tip of the nose, both corners of the mouth; of each pair first the one on the left of the picture
    when the face is upright."""
    score: float
    """From 0 to 1."""

    def scaled(self, across: float, down: float) -> "Face":
        """The same face in a picture that is so many times as wide and as high."""
        left, top, width, height = self.box
        box = (left * across, top * down, width * across, height * down)
        first, second, nose, third, fourth = ((x * across, y * down) for x, y in self.points)
        return replace(self, box=box, points=(first, second, nose, third, fourth))


def detect(pixels: Pixels, options: Options | None = None) -> list[Face]:
    """The faces of a picture (H, W, 3), the largest first."""
    options = options or Options()
    rows = yunet.find(pixels, score=options.score, smallest=options.smallest, drawn=options.drawn)
    faces = [_face(row) for row in rows[np.argsort(-rows[:, 2] * rows[:, 3], kind="stable")]]
    faces = [face for face in faces if outside(face, options, *pixels.shape[:2]) <= options.outside]
    return faces[:1] if options.largest else faces


def smallest_in(height: int, width: int) -> int:
    """Shorter side in pixels of the smallest face that belongs to who is shown in a picture: a 40th of it, 16 to 40."""
    return min(max(min(height, width) // 40, 16), 40)


def crop(pixels: Pixels, face: Face, options: Options | None = None) -> Pixels:
    """The face cut out of its picture: (size, size, 3)."""
    options = options or Options()
    corner, across = frame(face, options)
    ends = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) @ [across, (-across[1], across[0])] + corner
    pixels, origin = _around(pixels, ends)
    shrunk = max(math.hypot(*across) / options.size, 1)  # antialiased by area first, then turned
    if shrunk > 1:
        size = [max(round(length / shrunk), 1) for length in pixels.shape[1::-1]]
        scale = np.array(size) / pixels.shape[1::-1]
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    else:
        scale = np.ones(2)
    # A pixel's middle is at a half: crop to picture is `step` times (place + 0.5) + corner - 0.5.
    step = np.array([across, (-across[1], across[0])]).T / options.size
    turn = scale[:, None] * step
    shift = scale * (step @ (0.5, 0.5) + corner - origin) - 0.5
    return np.asarray(
        cv2.warpAffine(
            pixels,
            np.column_stack([turn, shift]),
            (options.size, options.size),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=BORDERS[options.border],
        ),
        np.uint8,
    )


def frame(face: Face, options: Options) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the crop's upper left corner lies in the picture, and the way along its upper side."""
    left, top, width, height = face.box
    side = max(width, height) * (1 + 2 * options.margin)
    angle = math.radians(yunet.tilt(face.points)) if options.align else 0.0
    across, down = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    middle = np.array([left + width / 2, top + height / 2]) - down * height * RAISED
    return middle - (across + down) * side / 2, across * side


def outside(face: Face, options: Options, height: int, width: int) -> float:
    """The share of a face's crop that lies beyond the edge of its picture, to a hundredth or so."""
    corner, across = frame(face, options)
    middles = (np.arange(32) + 0.5) / 32
    rows, columns = np.meshgrid(middles, middles, indexing="ij")
    x = corner[0] + columns * across[0] - rows * across[1]
    y = corner[1] + columns * across[1] + rows * across[0]
    return float(1 - ((x >= 0) & (x < width) & (y >= 0) & (y < height)).mean())


def _around(pixels: Pixels, ends: NDArray[np.float64]) -> tuple[Pixels, NDArray[np.float64]]:
    """The part of a picture that a crop with these corners needs, and its upper left corner.

    Where the crop goes beyond the picture the part is as much larger, for what is mirrored.
    """
    low, high, limit = ends.min(0), ends.max(0), np.array(pixels.shape[1::-1])
    beyond = np.maximum(np.maximum(-low, high - limit), 0) + 4
    first = np.clip(np.floor(low - beyond), 0, limit - 1).astype(int)
    last = np.clip(np.ceil(high + beyond), first + 1, limit).astype(int)
    return pixels[first[1] : last[1], first[0] : last[0]], first.astype(np.float64)


def _face(row: yunet.Rows) -> Face:
    left, top, width, height, *places, score = (round(float(value), 3) for value in row)
    right_eye, left_eye, nose, right_corner, left_corner = zip(places[::2], places[1::2], strict=True)
    points = (right_eye, left_eye, nose, right_corner, left_corner)
    return Face(box=(left, top, width, height), points=points, score=score)
