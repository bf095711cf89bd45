"""Folders of pictures as data sets: scanned once, read when needed, cropped anew for each sample.

Shapes: H W pixels. Samples are uint8 (3, size, size) RGB; the trainer brings them to [0, 1].
"""

import functools
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from annotated_types import Gt
from numpy.typing import NDArray
from torch import Tensor

from .. import image
from ..errors import DataError, PictureError, RecipeError
from ..image.depth import to_8

log = logging.getLogger(__name__)

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".bmp", ".gif"}
WHOLE_BYTES = 250_000_000
"""Up to this size of all files together the scan decodes each, some seconds; of more it reads only the headers."""
CACHE_BYTES = 1_000_000_000

Pixels = NDArray[np.uint8]


def scan(folder: str) -> list[Path]:
    """Every picture file in the folder and below, sorted, but hidden ones.

    Raises:
        DataError: there is no such folder.
    """
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder of pictures")
    return sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in ENDINGS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def meant(path: str) -> list[Path]:
    """The picture of that name, or those of the folder.

    Raises:
        DataError: there is neither.
    """
    if not Path(path).exists():
        raise DataError(f"{path}: no such folder of pictures, nor a picture")
    return scan(path) if Path(path).is_dir() else [Path(path)]


def named(path: Path) -> str:
    """FOLDER/NAME, by which lists name a picture."""
    return f"{path.parent.name}/{path.name}"


def read_exclude(file: str) -> frozenset[str]:
    """The FOLDER/NAME lines of a text file; empty ones and those that begin with # do not count.

    Raises:
        DataError: it cannot be read.
    """
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines() if file else []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: the list of pictures to leave out cannot be read ({error})") from error
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def problems(paths: Sequence[Path]) -> Iterator[str]:
    """What is wrong with each file, empty if nothing is; of large sets only the headers are read."""
    whole = sum(path.stat().st_size for path in paths) <= WHOLE_BYTES

    def problem(path: Path) -> str:
        try:
            if whole:
                image.read(path)
            else:
                image.size_of(path)
        except PictureError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(problem, paths)


class Cache:
    """Pictures kept in memory up to a number of bytes; what no longer fits is read again each time.

    Nothing is dropped for something newer: each picture is shown once an epoch, so one is as good to keep as another.
    """

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.pictures: dict[str, Pixels] = {}

    def offer(self, path: str, pixels: Pixels) -> None:
        """Keeps a picture if there is room."""
        if pixels.nbytes <= self.left:
            self.left -= pixels.nbytes
            self.pictures[path] = pixels


class Folder:
    """The pictures of some folders, read when they are asked for.

    Args:
        folders: paths; sub-folders count, and a picture is a folder of its own.
        shortest: pictures are kept at this shorter side, in pixels, if they are larger.
        unwanted: FOLDER/NAME of pictures to leave out.
        cache: where to keep them.
        wanted: tells of a path whether it counts; all do if None.

    Attributes:
        counts: number of pictures by folder.
        excluded: the unwanted ones that are there.
        left_out: what is wrong with pictures that the scan found broken.
        broken: what is wrong with pictures that could not be read after all, by path.

    Raises:
        DataError: a folder is missing, or has no picture that can be read.
    """

    def __init__(
        self,
        folders: Sequence[str],
        shortest: int,
        *,
        unwanted: frozenset[str] = frozenset(),
        cache: Cache | None = None,
        wanted: Callable[[Path], bool] | None = None,
    ) -> None:
        self.shortest, self.cache = shortest, cache or Cache(CACHE_BYTES)
        self.paths: list[str] = []
        self.counts: dict[str, int] = {}
        self.broken: dict[str, str] = {}
        everywhere = {folder: [p for p in meant(folder) if wanted is None or wanted(p)] for folder in folders}
        self.excluded = unwanted & {named(path) for paths in everywhere.values() for path in paths}
        found = {folder: [p for p in paths if named(p) not in unwanted] for folder, paths in everywhere.items()}
        everything = [path for paths in found.values() for path in paths]
        faults = dict(zip(everything, problems(everything), strict=True))
        for folder, paths in found.items():
            sound = [str(path) for path in paths if not faults[path]]
            self.paths += sound
            self.counts[folder] = len(sound)
        self.left_out = [fault for fault in faults.values() if fault]
        if not self.paths:
            reason = f" that can be read; the first: {self.left_out[0]}" if self.left_out else ""
            raise DataError(f"{', '.join(folders)}: no pictures{reason}")

    def __len__(self) -> int:
        return len(self.paths)

    def picture(self, index: int) -> Pixels:
        """Picture `index`, (H, W, 3) in sRGB on white; in place of one that turns out to be broken the next in order.

        Raises:
            DataError: all are broken.
        """
        return self.found(index)[1]

    def found(self, index: int) -> tuple[str, Pixels]:
        """The same with the path that was read, for what belongs to the picture.

        Raises:
            DataError: all are broken.
        """
        for place in range(index, index + len(self)):
            path = self.paths[place % len(self)]
            if path in self.cache.pictures:
                return path, self.cache.pictures[path]
            if path in self.broken:
                continue
            try:
                return path, self._read(path)
            except PictureError as error:
                self.broken[path] = str(error)
        raise DataError(f"no picture is left that can be read; the last: {self.broken[path]}")

    def sound(self) -> Iterator[tuple[str, Pixels]]:
        """Path and pixels of each picture that can be read, once.

        Raises:
            DataError: all are broken.
        """
        for index, path in enumerate(self.paths):
            read, pixels = self.found(index)
            if read == path:
                yield path, pixels

    def _read(self, path: str) -> Pixels:
        pixels = shrink(to_8(image.read(path).compose_on_white().pixels), self.shortest)
        self.cache.offer(path, pixels)
        return pixels


def shrink(pixels: Pixels, shortest: int) -> Pixels:
    """Pixels (H, W, 3), their shorter side brought down to `shortest` if it is longer."""
    height, width = pixels.shape[:2]
    scale = shortest / min(height, width)
    if scale >= 1:
        return pixels
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def random_crop(pixels: Pixels, size: int, shorter: int, rng: np.random.Generator, *, flip: bool = True) -> Pixels:
    """A square (size, size, 3) of the picture at that shorter side, its aspect kept, mirrored half of the time."""
    height, width = pixels.shape[:2]
    window = min(size * min(height, width) / max(shorter, size), min(height, width))
    top, left = rng.random(2) * (height - window, width - window)
    side = max(1, round(window))
    top, left = min(round(top), height - 1), min(round(left), width - 1)
    crop = pixels[top : top + side, left : left + side]
    kind = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    square = np.asarray(cv2.resize(crop, (size, size), interpolation=kind), np.uint8)
    return square[:, ::-1] if rng.random() < 0.5 and flip else square


@functools.lru_cache(maxsize=8)
def order(count: int, seed: int, epoch: int, name: str) -> NDArray[np.int64]:
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
    shorter: tuple[Annotated[int, Gt(0)], Annotated[int, Gt(0)]] = (144, 384)
    """Smallest and largest shorter side that a picture is brought to before the crop."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Opened":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Opened({"images": self.images}, self, cache_bytes)


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
    shorter: tuple[Annotated[int, Gt(0)], Annotated[int, Gt(0)]] = (256, 512)
    """Smallest and largest shorter side that a picture is brought to before the crop."""

    # Differs from the authors' loaders: they squash every picture to 512 x 512 before the crop; here aspects are kept.

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Opened":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Opened({"content": self.content, "style": self.style}, self, cache_bytes)


class Opened:
    """Crops of several sets of folders; sample n is a function of (seed, n).

    Args:
        sides: folders by the name that their crops have in a sample.
        settings: size, shorter sides and what to leave out.
        cache_bytes: how much to keep in memory.

    Raises:
        DataError: a side has no folders, or no picture that can be read.
        RecipeError: the shorter sides are in the wrong order.
    """

    def __init__(self, sides: dict[str, tuple[str, ...]], settings: Crops | ContentStyle, cache_bytes: int) -> None:
        if settings.shorter[0] > settings.shorter[1]:
            raise RecipeError(f"data.shorter: {settings.shorter[0]} is larger than {settings.shorter[1]}")
        self.size, self.shorter = settings.size, settings.shorter
        unwanted, cache = read_exclude(settings.exclude), Cache(cache_bytes)
        self.folders: dict[str, Folder] = {}
        for name, folders in sides.items():
            if not folders:
                raise DataError(f"data.{name} names no folder of pictures")
            self.folders[name] = Folder(folders, self.shorter[1], unwanted=unwanted, cache=cache)
        if strangers := sorted(unwanted.difference(*(folder.excluded for folder in self.folders.values()))):
            log.warning(
                "%s: %d lines name no picture of this run, the first %s", settings.exclude, len(strangers), strangers[0]
            )
        if left_out := [fault for folder in self.folders.values() for fault in folder.left_out]:
            log.warning("%d broken pictures are left out:\n  %s", len(left_out), "\n  ".join(left_out))

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """One crop of each side by its name: (3, size, size) uint8.

        Raises:
            DataError: no picture is left that can be read.
        """
        crops = {}
        for name, folder in self.folders.items():
            rng = np.random.default_rng([seed, n, *name.encode()])
            pixels = folder.picture(pick(len(folder), seed, n, name))
            shorter = int(rng.integers(self.shorter[0], self.shorter[1], endpoint=True))
            crop = random_crop(pixels, self.size, shorter, rng)
            crops[name] = torch.from_numpy(np.ascontiguousarray(crop)).permute(2, 0, 1)
        return crops

    def counts(self) -> dict[str, int]:
        """How many pictures each folder has."""
        return {folder: count for side in self.folders.values() for folder, count in side.counts.items()}

    def broken(self) -> list[str]:
        """What is wrong with pictures that looked sound at first; others take their places."""
        return [fault for side in self.folders.values() for fault in side.broken.values()]

    def digest(self) -> str:
        """Sixteen digits that tell whether the pictures are still the same, by their names and number."""
        names = [f"{side} {named(Path(p))}" for side, f in self.folders.items() for p in f.paths]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
