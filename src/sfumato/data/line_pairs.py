"""Drawings in colour, each with its own lines, a style of the same colours, and some hints: pairs from any folder.

Shapes: H W pixels. Samples are uint8 (C, size, size); the trainer brings them to [0, 1].
"""

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor

from ..errors import RecipeError
from ..nets.points import RADIUS, Point, point_map
from .domains import Augmented, Domains, crop, tensor
from .folders import CACHE_BYTES, Pixels, pick
from .lines import EXTRACTORS, extracted


@dataclass(frozen=True, kw_only=True)
class LinePairs(Augmented):
    """Pictures, their lines, themselves as a style, points of theirs: samples {"sketch", "style", "color", "points"}.

    `sketch` (1, size, size) is drawn by an extractor, of random width; `color` (3, size, size) is the picture; `style`
    is the same picture, warped and cropped so that only its colours and textures tell something; `points`
    (4, size, size) is where a colour is given, and that colour.
    """

    images: tuple[str, ...] = ()
    """Folders of drawings or paintings in colour."""
    extractors: tuple[str, ...] = EXTRACTORS
    """How lines are found, one of these at random each time: `xdog`, `canny`, `closing`, `dark`."""
    warp: Annotated[float, Ge(0), Le(0.5)] = 0.15
    """How far the style is bent, in sides; it is mirrored, turned and cropped, too."""
    hints: Annotated[int, Ge(0)] = 8
    """Most points of a sample whose colours are given."""
    hinted: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of samples that have points."""
    recolored: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of samples whose hues are turned, picture and style alike: more palettes than the folder has."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Sketched":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Sketched(self, cache_bytes)


class Sketched(Domains):
    """Pictures and their lines; sample n is a function of (seed, n).

    Raises:
        DataError: there are no folders, or no picture that can be read.
        RecipeError: options are wrong.
    """

    settings: LinePairs

    def __init__(self, settings: LinePairs, cache_bytes: int) -> None:
        if not settings.extractors or set(settings.extractors) - set(EXTRACTORS):
            raise RecipeError(f"data.extractors: {settings.extractors} are not some of {', '.join(EXTRACTORS)}")
        super().__init__(settings, {"images": settings.images}, cache_bytes)

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """Lines, style, picture and points of one crop.

        Raises:
            DataError: no picture is left that can be read.
        """
        rng = np.random.default_rng([seed, n, *b"images"])
        folder = self.folders["images"]
        pixels = folder.picture(pick(len(folder), seed, n, "images"))
        return self._parts(crop(pixels, self.settings, rng), rng)

    def _parts(self, color: Pixels, rng: np.random.Generator) -> dict[str, Tensor]:
        settings = self.settings
        lines = extracted(color, settings.extractors, rng)  # of the true colours: a turned hue has another lightness
        if rng.random() < settings.recolored:
            color = turned_hue(color, rng)
        count = int(rng.integers(1, settings.hints + 1)) if settings.hints and rng.random() < settings.hinted else 0
        size = settings.size
        radius = RADIUS * size * float(rng.uniform(0.7, 1.5))
        return {
            "sketch": torch.from_numpy(np.rint(lines * 255).astype(np.uint8))[None],
            "style": tensor(warped(color, settings.warp, rng)),
            "color": tensor(color),
            "points": tensor(point_map(points_of(color, count, rng), (size, size), radius)),
        }


def points_of(color: Pixels, count: int, rng: np.random.Generator) -> list[Point]:
    """Points of a picture with its colours there, smoothed: a hand gives no outline's colour."""
    height, width = color.shape[:2]
    smooth = cv2.medianBlur(np.ascontiguousarray(color), 5)
    rows, columns = rng.integers(height, size=count), rng.integers(width, size=count)
    colors = smooth[rows, columns].astype(int)
    return [
        Point(x=float(x), y=float(y), color=(int(r), int(g), int(b)))
        for y, x, (r, g, b) in zip(rows, columns, colors, strict=True)
    ]


def turned_hue(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The picture with its hues turned by a random angle, and more or less saturation."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    hue = (hsv[..., 0].astype(int) + int(rng.integers(180))) % 180
    saturation = np.clip(hsv[..., 1].astype(np.float32) * np.float32(rng.uniform(0.7, 1.3)), 0, 255)
    changed = np.stack((hue, saturation, hsv[..., 2]), 2).astype(np.uint8)
    return np.asarray(cv2.cvtColor(changed, cv2.COLOR_HSV2RGB), np.uint8)


def warped(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """The picture mirrored or not, turned, cropped and bent by up to that share of a side: its shapes tell little."""
    height, width = pixels.shape[:2]
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    window = rng.uniform(0.7, 1.0)
    top, left = rng.random(2) * (1 - window)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    bend = [
        cv2.resize(
            rng.uniform(-share, share, (4, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        for _ in range(2)
    ]
    angle = np.deg2rad(rng.uniform(-30, 30)) if share else 0.0
    u, v = (x / width - 0.5) * window, (y / height - 0.5) * window
    right, down = left + window / 2, top + window / 2
    turned_u, turned_v = u * np.cos(angle) - v * np.sin(angle) + right, u * np.sin(angle) + v * np.cos(angle) + down
    columns = ((turned_u + bend[0]) * width).astype(np.float32)
    rows = ((turned_v + bend[1]) * height).astype(np.float32)
    bent = cv2.remap(np.ascontiguousarray(pixels), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(bent, np.uint8)
