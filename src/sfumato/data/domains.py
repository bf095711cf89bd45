"""Two kinds of pictures as data sets: folders without pairs, folders of equal names, pictures side by side.

Shapes: H W pixels. Samples are uint8 (3, size, size) RGB; the trainer brings them to [0, 1].
"""

import csv
import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar

import cv2
import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from ..errors import DataError, RecipeError
from .folders import CACHE_BYTES, Cache, Folder, Pixels, named, pick, random_crop, read_exclude

log = logging.getLogger(__name__)

Side = Annotated[int, Gt(0)]


@dataclass(frozen=True, kw_only=True)
class Augmented:
    """What is done to the pictures of both kinds."""

    size: Side = 256
    """Side of a crop in pixels."""
    shorter: tuple[Side, Side] = (286, 286)
    """Smallest and largest shorter side that a picture is brought to before the crop."""
    squash: bool = False
    """Bring both sides to that length, as the authors of CycleGAN do; else aspects are kept."""
    flip: bool = True
    """Mirror half of the pictures."""
    rotate_deg: Annotated[float, Ge(0), Le(45)] = 0.0
    """Turn them by up to so many degrees, what comes in mirrored."""
    jitter: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Change brightness, contrast and saturation by up to this share."""
    exclude: str = ""
    """Text file of FOLDER/NAME lines to leave out."""
    hold_out: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of each kind that is kept from training, for figures and samples; which, the files' names tell."""

    # Differs from the authors' loaders: they squash every picture to a square before the crop.


@dataclass(frozen=True, kw_only=True)
class Unpaired(Augmented):
    """Two kinds of pictures that have nothing to do with each other: samples {"a", "b"}."""

    a: tuple[str, ...] = ()
    """Folders of the one kind."""
    b: tuple[str, ...] = ()
    """Folders of the other."""
    attributes: str = ""
    """File of attributes as CelebA has it: a line for each picture, its name, then -1 or 1 for each attribute."""
    keep_a: str = ""
    """Attributes that pictures of `a` must have, `Male=-1,Smiling=1`."""
    keep_b: str = ""
    """The same for `b`."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Domains":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Domains(self, {"a": self.a, "b": self.b}, cache_bytes, {"a": self.keep_a, "b": self.keep_b})


@dataclass(frozen=True, kw_only=True)
class Paired(Augmented):
    """Two folders whose pictures of the same name belong together: samples {"a", "b"}, both cropped alike."""

    a: tuple[str, ...] = ()
    """Folders of the one kind."""
    b: tuple[str, ...] = ()
    """Folders of the other, with the same names; extensions may differ."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Pairs":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Pairs(self, {"a": self.a, "b": self.b}, cache_bytes)


@dataclass(frozen=True, kw_only=True)
class SideBySide(Augmented):
    """Pictures whose left half is of the one kind, whose right half is of the other: samples {"a", "b"}."""

    pairs: tuple[str, ...] = ()
    """Folders of them."""
    swap: bool = False
    """The right half is `a`."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Halves":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Halves(self, {"pairs": self.pairs}, cache_bytes)


class Domains:
    """Crops of two kinds of pictures; sample n is a function of (seed, n).

    Args:
        settings: what is done to the pictures.
        sides: folders by the name of the kind.
        cache_bytes: how much to keep in memory.
        keep: attributes wanted, by the name of the kind.

    Attributes:
        paired: whether pictures of both kinds belong together, those that are held out, too.

    Raises:
        DataError: a side has no folders, or no picture that can be read.
        RecipeError: options are wrong.
    """

    paired: ClassVar[bool] = False

    def __init__(
        self,
        settings: Augmented,
        sides: Mapping[str, tuple[str, ...]],
        cache_bytes: int,
        keep: Mapping[str, str] | None = None,
    ) -> None:
        low, high = settings.shorter
        if not settings.size <= low <= high:
            raise RecipeError(f"data.shorter: {low} {high} must rise, from the crop's {settings.size} on")
        self.settings, self.sides = settings, sides
        self.unwanted, self.cache = read_exclude(settings.exclude), Cache(cache_bytes)
        self.keep = {side: self._kept(side, text) for side, text in (keep or {}).items() if text}
        self.folders = {side: self._folder(side, held=False) for side in sides}
        if left_out := [fault for folder in self.folders.values() for fault in folder.left_out]:
            log.warning("%d broken pictures are left out:\n  %s", len(left_out), "\n  ".join(left_out))

    def _kept(self, side: str, text: str) -> frozenset[str]:
        file = getattr(self.settings, "attributes", "")
        if not file:
            raise RecipeError(f"data.keep_{side}: {text} needs data.attributes, the file that says so of each picture")
        return having(Path(file), text)

    def _folder(self, side: str, *, held: bool) -> Folder:
        folders, kept = self.sides[side], self.keep.get(side)
        if not folders:
            raise DataError(f"data.{side} names no folder of pictures")
        share = self.settings.hold_out
        return Folder(
            folders,
            self.settings.shorter[1],
            unwanted=self.unwanted,
            cache=self.cache,
            wanted=lambda path: held_out(path, share) == held and (kept is None or path.stem in kept),
        )

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """One crop of each side by its name: (3, size, size) uint8.

        Raises:
            DataError: no picture is left that can be read.
        """
        crops = {}
        for side, folder in self.folders.items():
            rng = np.random.default_rng([seed, n, *side.encode()])
            crops[side] = tensor(crop(folder.picture(pick(len(folder), seed, n, side)), self.settings, rng))
        return crops

    def held_out(self, count: int) -> dict[str, Iterator[Tensor]]:
        """Up to `count` pictures of each side that are kept from training: the middle, (3, size, size) uint8.

        Raises:
            DataError: there are none.
        """
        return {side: self._middles(self._folder(side, held=True), count) for side in self.sides}

    def _middles(self, folder: Folder, count: int) -> Iterator[Tensor]:
        for _, pixels in islice(folder.sound(), count):
            yield tensor(middle(pixels, self.settings.size))

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


class Pairs(Domains):
    """Crops of pairs, found by their names.

    Raises:
        DataError: a name is in one folder only.
    """

    paired = True

    def __init__(self, settings: Augmented, sides: Mapping[str, tuple[str, ...]], cache_bytes: int) -> None:
        super().__init__(settings, sides, cache_bytes)
        match(self.folders)

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        first = pick(len(self.folders["a"]), seed, n, "pairs")
        both = next(sound_pairs(self.folders, first))
        return {side: tensor(x) for side, x in alike(both, self.settings, seed, n).items()}

    def held_out(self, count: int) -> dict[str, Iterator[Tensor]]:
        folders = {side: self._folder(side, held=True) for side in self.sides}
        match(folders)
        return {side: self._sides(folders, side, count) for side in folders}

    def _sides(self, folders: Mapping[str, Folder], side: str, count: int) -> Iterator[Tensor]:
        for both in islice(sound_pairs(folders), count):
            yield tensor(middle(both[side], self.settings.size))


class Halves(Domains):
    """Crops of pictures that hold a pair side by side."""

    paired = True

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        folder = self.folders["pairs"]
        both = self._apart(folder.picture(pick(len(folder), seed, n, "pairs")))
        return {side: tensor(x) for side, x in alike(both, self.settings, seed, n).items()}

    def held_out(self, count: int) -> dict[str, Iterator[Tensor]]:
        folder = self._folder("pairs", held=True)
        places = range(min(count, len(folder)))
        return {
            side: (tensor(middle(self._apart(folder.picture(i))[side], self.settings.size)) for i in places)
            for side in ("a", "b")
        }

    def _apart(self, pixels: Pixels) -> dict[str, Pixels]:
        width = pixels.shape[1]
        left, right = pixels[:, : width // 2], pixels[:, width - width // 2 :]
        assert isinstance(self.settings, SideBySide)
        return {"a": right, "b": left} if self.settings.swap else {"a": left, "b": right}


def match(folders: Mapping[str, Folder]) -> None:
    """Brings the pictures of sides `a` and `b` into the same order, that of their names.

    Raises:
        DataError: a name is in one folder only, or twice in one.
    """
    stems = {side: [Path(p).stem for p in folder.paths] for side, folder in folders.items()}
    if alone := sorted(set(stems["a"]) ^ set(stems["b"])):
        where = "a" if alone[0] in stems["a"] else "b"
        raise DataError(f"{len(alone)} names are in one folder only; the first, {alone[0]}, is in data.{where} alone")
    for side, folder in folders.items():
        folder.paths.sort(key=lambda path: Path(path).stem)
        if len(set(stems[side])) < len(stems[side]):
            raise DataError(f"data.{side} has two pictures of one name; pairs are found by names")


def sound_pairs(folders: Mapping[str, Folder], first: int = 0) -> Iterator[dict[str, Pixels]]:
    """Pairs of which both pictures can be read, from number `first` on and around, each once.

    Args:
        folders: as `match` leaves them.

    Raises:
        DataError: there is none.
    """
    count, left = len(folders["a"]), False
    for index in (*range(first, count), *range(first)):
        found = {side: folder.found(index) for side, folder in folders.items()}
        if all(found[side][0] == folders[side].paths[index] for side in folders):
            left = True
            yield {side: pixels for side, (_, pixels) in found.items()}
    if not left:
        raise DataError("no pair is left of which both pictures can be read")


def alike(both: Mapping[str, Pixels], settings: Augmented, seed: int, n: int) -> dict[str, Pixels]:
    """The crops of a pair, at the same place, turned and mirrored alike."""
    height, width = both["a"].shape[:2]
    resized = {
        side: x if x.shape[:2] == (height, width) else np.asarray(cv2.resize(x, (width, height)), np.uint8)
        for side, x in both.items()
    }
    return {side: crop(x, settings, np.random.default_rng([seed, n])) for side, x in resized.items()}


def crop(pixels: Pixels, settings: Augmented, rng: np.random.Generator) -> Pixels:
    """A random square of the picture, changed as the settings say: (size, size, 3)."""
    shorter = int(rng.integers(settings.shorter[0], settings.shorter[1], endpoint=True))
    if settings.squash:
        pixels = np.asarray(cv2.resize(pixels, (shorter, shorter), interpolation=cv2.INTER_AREA), np.uint8)
    if settings.rotate_deg:
        pixels = turned(pixels, rng.uniform(-settings.rotate_deg, settings.rotate_deg))
    square = random_crop(pixels, settings.size, shorter, rng, flip=settings.flip)
    return jittered(square, settings.jitter, rng) if settings.jitter else square


def middle(pixels: Pixels, size: int) -> Pixels:
    """The middle square of the picture at the shorter side `size`."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    kind = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    square = pixels[top : top + side, left : left + side]
    return np.asarray(cv2.resize(square, (size, size), interpolation=kind), np.uint8)


def turned(pixels: Pixels, angle_deg: float) -> Pixels:
    """The picture turned about its middle, what comes in mirrored."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def jittered(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """The picture with other brightness, contrast and saturation."""
    light, contrast, saturation = (np.float32(f) for f in rng.uniform(1 - share, 1 + share, 3))
    values = pixels.astype(np.float32) * light
    mean = values.mean(dtype=np.float32)
    values = mean + (values - mean) * contrast
    grey = values.mean(2, keepdims=True)
    return np.asarray(np.clip(np.rint(grey + (values - grey) * saturation), 0, 255), np.uint8)


def tensor(pixels: Pixels) -> Tensor:
    """Pixels (H, W, 3) as (3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)


def held_out(path: Path, share: float) -> bool:
    """Whether a picture is kept from training: a share of all, told by the digest of its name without extension."""
    digits = hashlib.sha256(path.stem.encode()).hexdigest()[:8]
    return int(digits, 16) < share * 2**32


def having(file: Path, text: str) -> frozenset[str]:
    """Names, without extensions, of the pictures that have all the attributes of a text such as `Male=-1,Smiling=1`.

    Args:
        file: as CelebA has it: perhaps a line with the count, a line of names, then a line for each picture; or CSV
            whose first column names the pictures.

    Raises:
        DataError: the file cannot be read, or knows no such attribute.
    """
    try:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: the attributes cannot be read ({error})") from error
    rows = list(csv.reader(lines)) if "," in "".join(lines[:2]) else [line.split() for line in lines]
    if rows and len(rows[0]) == 1:
        rows = rows[1:]
    heads, pictures = rows[0], rows[1:]
    heads = heads if len(heads) == len(pictures[0]) else ["picture", *heads]
    values = [part.partition("=") for part in text.replace(" ", "").split(",")]
    if unknown := [name for name, _, _ in values if name not in heads]:
        raise DataError(f"{file}: there is no attribute {unknown[0]!r}; there are {', '.join(heads[1:])}")
    places = [(heads.index(name), value or "1") for name, _, value in values]
    return frozenset(Path(row[0]).stem for row in pictures if all(row[i] == value for i, value in places))
