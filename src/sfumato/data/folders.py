"""Folders of pictures as data sets: scanned once, decoded once, cropped anew for each sample.

Shapes: H W pixels. Samples are uint8 (3, size, size) RGB; the trainer brings them to [0, 1].
"""

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from annotated_types import Gt
from torch import Tensor

from .. import image
from ..errors import DataError, PictureError

log = logging.getLogger(__name__)
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".bmp"}


def scan(folders: Sequence[str], exclude: str = "") -> list[Path]:
    """Every picture file in the folders and below, sorted; `exclude` names a text file of FOLDER/NAME lines to leave out.

    Raises:
        DataError: a folder is missing, or no picture is left.
    """
    unwanted = set(Path(exclude).read_text().split()) if exclude else set()
    paths: list[Path] = []
    for folder in folders:
        if not Path(folder).is_dir():
            raise DataError(f"{folder}: no such folder of pictures")
        found = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
        paths += [p for p in found if f"{p.parent.name}/{p.name}" not in unwanted]
    if not paths:
        raise DataError(f"no pictures in {', '.join(folders) or 'an empty list of folders'}")
    return paths


class Folder:
    """The pictures of some folders in memory, no side shorter than needed for the crops.

    Args:
        folders: paths; sub-folders count.
        shortest: pictures are kept at this shorter side, in pixels, if they are larger.
        exclude: a text file of FOLDER/NAME lines to leave out.
    """

    def __init__(self, folders: Sequence[str], shortest: int, exclude: str = "") -> None:
        self.pictures: list[np.ndarray] = []
        broken: list[str] = []
        for path in scan(folders, exclude):
            try:
                self.pictures.append(shrink(image.read(path).pixels, shortest))
            except PictureError as error:
                broken.append(str(error))
        if broken:
            log.warning("%d broken pictures are left out:\n  %s", len(broken), "\n  ".join(broken))
        if not self.pictures:
            raise DataError(f"every picture in {', '.join(folders)} is broken")

    def __len__(self) -> int:
        return len(self.pictures)


def shrink(pixels: np.ndarray, shortest: int) -> np.ndarray:
    """Pixels (H, W, 3), their shorter side brought down to `shortest` if it is longer."""
    height, width = pixels.shape[:2]
    scale = shortest / min(height, width)
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if scale >= 1:
        return pixels
    return cv2.resize(pixels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def random_crop(pixels: np.ndarray, size: int, shorter: int, rng: np.random.Generator) -> np.ndarray:
    """A square (size, size, 3) of the picture brought to that shorter side, mirrored half of the time; aspect is kept."""
    height, width = pixels.shape[:2]
    window = min(size * min(height, width) / max(shorter, size), min(height, width))
    top, left = rng.random(2) * (height - window, width - window)
    side = max(1, round(window))
    crop = pixels[round(top) : round(top) + side, round(left) : round(left) + side]
    kind = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    crop = cv2.resize(crop, (size, size), interpolation=kind)
    return crop[:, ::-1] if rng.random() < 0.5 else crop


@functools.lru_cache(maxsize=8)
def order(count: int, seed: int, epoch: int, name: str) -> np.ndarray:
    """The order in which epoch `epoch` visits `count` pictures."""
    return np.random.default_rng([seed, epoch, *name.encode()]).permutation(count)


def pick(count: int, seed: int, n: int, name: str) -> int:
    """Which of `count` pictures sample n shows: each once an epoch, in an order fixed by (seed, epoch, name)."""
    return int(order(count, seed, n // count, name)[n % count])


@dataclass(frozen=True, kw_only=True)
class Crops:
    """Square crops of the pictures of some folders: samples {"images"}."""

    images: tuple[str, ...] = ()
    """Folders of pictures."""
    exclude: str = ""
    """Text file of FOLDER/NAME lines to leave out."""
    size: Annotated[int, Gt(0)] = 128
    """Side of a crop in pixels."""
    shorter: tuple[int, int] = (144, 384)
    """Smallest and largest shorter side that a picture is brought to before the crop."""

    def open(self) -> "Opened":
        return Opened({"images": Folder(self.images, self.shorter[1], self.exclude)}, self.size, self.shorter)


@dataclass(frozen=True, kw_only=True)
class ContentStyle:
    """Crops of contents and of styles, paired by chance: samples {"content", "style"}."""

    content: tuple[str, ...] = ()
    """Folders of photographs."""
    style: tuple[str, ...] = ()
    """Folders of paintings, drawings ..."""
    exclude: str = ""
    """Text file of FOLDER/NAME lines to leave out."""
    size: Annotated[int, Gt(0)] = 256
    """Side of a crop in pixels."""
    shorter: tuple[int, int] = (256, 512)
    """Smallest and largest shorter side that a picture is brought to before the crop."""

    # Differs from the authors' loaders: they squash every picture to 512 x 512 before the crop; here its aspect is kept.

    def open(self) -> "Opened":
        sides = {"content": self.content, "style": self.style}
        return Opened({k: Folder(v, self.shorter[1], self.exclude) for k, v in sides.items()}, self.size, self.shorter)


class Opened:
    """Folders in memory; sample n is a function of (seed, n)."""

    def __init__(self, folders: dict[str, Folder], size: int, shorter: tuple[int, int]) -> None:
        self.folders, self.size, self.shorter = folders, size, shorter

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """One crop of each folder by its name: (3, size, size) uint8."""
        crops = {}
        for name, folder in self.folders.items():
            rng = np.random.default_rng([seed, n, *name.encode()])
            pixels = folder.pictures[pick(len(folder), seed, n, name)]
            shorter = int(rng.integers(self.shorter[0], self.shorter[1], endpoint=True))
            crop = random_crop(pixels, self.size, shorter, rng)
            crops[name] = torch.from_numpy(np.ascontiguousarray(crop)).permute(2, 0, 1)
        return crops
