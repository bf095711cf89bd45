"""The pictures of one style or texture as a data set, alone or beside photographs.

Shapes: h w pixels of a swatch. Samples are uint8 RGB; the trainer brings them to [0, 1].
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from annotated_types import Ge, Gt
from torch import Tensor

from .. import image
from ..errors import DataError, PictureError
from ..image.depth import to_8
from .folders import CACHE_BYTES, Crops, Opened, Pixels, meant


@dataclass(frozen=True, kw_only=True)
class Swatch:
    """Whole swatches, as a rule one: samples {"style"}, (3, h, w)."""

    style: tuple[str, ...] = ()
    """The swatch; of several, or of folders of them, each step learns what lies in between."""
    style_px: Annotated[int, Ge(16)] = 256
    """Longest side that the swatch is brought to: larger makes larger grains."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Swatches":
        """The swatches, read."""
        return Swatches(self.style, self.style_px)


@dataclass(frozen=True, kw_only=True)
class ContentSwatch(Swatch):
    """Crops of photographs beside whole swatches: samples {"content", "style"}."""

    content: tuple[str, ...] = ()
    """Folders of photographs."""
    exclude: str = ""
    """Text file of FOLDER/NAME lines to leave out."""
    size: Annotated[int, Gt(0)] = 256
    """Side of a crop in pixels."""
    shorter: tuple[Annotated[int, Gt(0)], Annotated[int, Gt(0)]] = (256, 512)
    """Smallest and largest shorter side that a photograph is brought to before the crop."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Swatches":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of photographs."""
        settings = Crops(images=self.content, exclude=self.exclude, size=self.size, shorter=self.shorter)
        return Swatches(self.style, self.style_px, Opened({"content": self.content}, settings, cache_bytes))


class Swatches:
    """Swatches in turn; all are cut to the proportions of the first, and so have its size.

    Args:
        paths: files, or folders whose pictures are all taken.
        longest: pixels of the longest side.
        contents: what comes beside them.

    Raises:
        DataError: there is none, or one cannot be read.
    """

    def __init__(self, paths: Sequence[str], longest: int, contents: Opened | None = None) -> None:
        if not paths:
            raise DataError("data.style names no swatch: --data.style SWATCH.jpg")
        self.contents = contents
        self.files = [file for path in paths for file in meant(path)]
        if not self.files:
            raise DataError(f"{', '.join(paths)}: no pictures")
        pictures = [read(file) for file in self.files]
        height, width = pictures[0].shape[:2]
        size = (
            max(1, round(height * longest / max(height, width))),
            max(1, round(width * longest / max(height, width))),
        )
        self.styles = [torch.from_numpy(cover(p, size)).permute(2, 0, 1).contiguous() for p in pictures]

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """Swatch n in turn, and a crop of a photograph if there are any."""
        crops = {} if self.contents is None else self.contents.sample(seed, n)
        return crops | {"style": self.styles[n % len(self.styles)]}

    def counts(self) -> dict[str, int]:
        """How many pictures each folder has; a swatch is its own."""
        return {str(file): 1 for file in self.files} | ({} if self.contents is None else self.contents.counts())

    def broken(self) -> list[str]:
        """What is wrong with photographs that looked sound at first."""
        return [] if self.contents is None else self.contents.broken()

    def digest(self) -> str:
        """Sixteen digits that tell whether the swatches, by their pixels, and the photographs are still the same."""
        found = hashlib.sha256(b"" if self.contents is None else self.contents.digest().encode())
        for style in self.styles:
            found.update(style.numpy().tobytes())
        return found.hexdigest()[:16]


def read(file: Path) -> Pixels:
    """The pixels (H, W, 3) of a picture on white.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return to_8(image.read(file).compose_on_white().pixels)
    except PictureError as error:
        raise DataError(f"data.style: {error}") from error


def cover(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """The largest middle part that has the proportions of `size` (height, width), in that size."""
    height, width = pixels.shape[:2]
    scale = min(height / size[0], width / size[1])
    window = [max(1, round(side * scale)) for side in size]
    top, left = (height - window[0]) // 2, (width - window[1]) // 2
    part = pixels[top : top + window[0], left : left + window[1]]
    kind = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(part, size[::-1], interpolation=kind), np.uint8)
