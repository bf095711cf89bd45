"""What a folder of pictures is like before a training sees it: sizes, broken files, duplicates, odd ones."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from annotated_types import Ge, Le

from .. import image
from ..errors import DataError, PictureError
from ..image.color import GREY
from ..image.depth import to_8
from . import hashing
from .folders import ENDINGS, scan
from .ordered import in_order

SAME_GREY = 3
"""Up to this difference, of 255, three values are a grey."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What counts as what."""

    distance: Annotated[int, Ge(0), Le(15)] = 8
    """In how many of 64 bits pictures may differ that are compared as near duplicates."""
    tiny: Annotated[int, Ge(1)] = 64
    """Pictures whose shorter side has fewer pixels are tiny."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Checked:
    """A picture that can be read."""

    path: Path
    size_bytes: int
    height: int
    width: int
    grey: bool
    """It shows no colour, whatever its file could hold."""
    alpha: bool
    deep: bool
    """16 bits."""
    digest: bytes
    """The same for pictures whose pixels are all the same."""
    bits: int
    """See `hashing`."""
    look: hashing.Pixels

    @property
    def rank(self) -> tuple[int, bool, bool, int, bool, str]:
        """Smaller for better pictures: larger ones, with colour, more bits, less compression; links after files."""
        area, linked = self.height * self.width, self.path.is_symlink()
        return (-area, self.grey, not self.deep, -self.size_bytes, linked, str(self.path))


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Pictures that are the same, or nearly so."""

    best: Checked
    others: tuple[tuple[Checked, int], ...]
    """Each with the number of bits in which it differs from the best."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Health:
    """What was found."""

    folder: Path
    pictures: tuple[Checked, ...]
    broken: dict[Path, str]
    """What is wrong with pictures that cannot be read."""
    strangers: dict[str, int]
    """How many files there are that are not taken for pictures, by extension."""
    exact: tuple[Group, ...]
    near: tuple[Group, ...]
    """Of pictures that are not the same; of the same ones the best stands for all."""
    options: Options

    def name(self, path: Path) -> str:
        """The way to a picture from the folder on."""
        return path.relative_to(self.folder).as_posix()

    @cached_property
    def kept(self) -> list[Path]:
        """All files but the surplus ones, broken ones among them."""
        surplus = set(self.surplus)
        return [path for path in (*(p.path for p in self.pictures), *self.broken) if path not in surplus]

    def where(self, holds: Callable[[Checked], bool]) -> list[str]:
        """The names of pictures of which something holds."""
        return [self.name(picture.path) for picture in self.pictures if holds(picture)]

    @cached_property
    def surplus(self) -> list[Path]:
        """All but the best picture of each group of duplicates."""
        return sorted(other.path for group in (*self.exact, *self.near) for other, _ in group.others)

    @cached_property
    def odd(self) -> dict[str, list[str]]:
        """Pictures that a training may not expect, by what is odd about them."""
        return {
            "grey": self.where(lambda picture: picture.grey),
            "alpha": self.where(lambda picture: picture.alpha),
            "deep": self.where(lambda picture: picture.deep),
            "tiny": self.where(lambda picture: min(picture.height, picture.width) < self.options.tiny),
        }

    @cached_property
    def sizes(self) -> dict[str, tuple[float, float, float]]:
        """The smallest, the median and the largest of the sides in pixels, the megapixels, and width by height."""
        sides = np.array([(p.width, p.height) for p in self.pictures], float).reshape(-1, 2)
        if not len(sides):
            return {}
        figures = {
            "width": sides[:, 0],
            "height": sides[:, 1],
            "shorter": sides.min(1),
            "megapixels": sides.prod(1) / 1e6,
            "aspect": sides[:, 0] / sides[:, 1],
        }
        return {
            name: (round(float(f.min()), 3), round(float(np.median(f)), 3), round(float(f.max()), 3))
            for name, f in figures.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values; pictures by their way from the folder on."""
        return {
            "folder": str(self.folder),
            "pictures": len(self.pictures),
            "bytes": sum(picture.size_bytes for picture in self.pictures),
            "formats": dict(Counter(picture.path.suffix.lower() for picture in self.pictures).most_common()),
            "sizes": {name: dict(zip(("min", "median", "max"), f, strict=True)) for name, f in self.sizes.items()},
            "broken": {self.name(path): reason for path, reason in self.broken.items()},
            "other_files": self.strangers,
            "exact_duplicates": self._groups(self.exact),
            "near_duplicates": self._groups(self.near),
            **self.odd,
        }

    def _groups(self, groups: Iterable[Group]) -> list[dict[str, Any]]:
        return [
            {
                "best": self.name(group.best.path),
                "others": [{"picture": self.name(other.path), "distance": bits} for other, bits in group.others],
            }
            for group in groups
        ]


def examine(
    folder: str | os.PathLike[str],
    options: Options | None = None,
    *,
    limit_mp: float = image.LIMIT_MP,
    progress: Callable[[int, int], object] | None = None,
) -> Health:
    """Reads all pictures of a folder and those below it, and says what they are like.

    Args:
        progress: is called with how many of how many pictures were read.

    Raises:
        DataError: there is no such folder, or no picture in it.
    """
    folder, options = Path(folder), options or Options()
    paths = scan(str(folder))
    if not paths:
        raise DataError(f"{folder}: there are no pictures in this folder")
    pictures, broken = [], {}

    def look_at(path: Path) -> Checked | PictureError:
        try:
            return check(path, limit_mp=limit_mp)
        except PictureError as error:
            return error

    for number, (path, result) in enumerate(zip(paths, in_order(look_at, paths), strict=True), 1):
        if isinstance(result, Checked):
            pictures.append(result)
        else:
            broken[path] = str(result).removeprefix(f"{path}: ")
        if progress is not None:
            progress(number, len(paths))
    exact, near = duplicates(pictures, options.distance)
    return Health(
        folder=folder,
        pictures=tuple(pictures),
        broken=broken,
        strangers=_strangers(folder),
        exact=exact,
        near=near,
        options=options,
    )


def check(path: Path, *, limit_mp: float = image.LIMIT_MP) -> Checked:
    """Reads a picture and notes what a report needs of it.

    Raises:
        PictureError: it cannot be read.
    """
    picture = image.read(path, limit_mp=limit_mp)
    pixels = to_8(picture.compose_on_white().pixels)
    digest = hashlib.blake2b(f"{picture.pixels.shape} {picture.pixels.dtype}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(picture.pixels).data)
    if picture.alpha is not None:
        digest.update(np.ascontiguousarray(picture.alpha).data)
    red, green, blue = cv2.split(pixels)
    spread = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    return Checked(
        path=path,
        size_bytes=path.stat().st_size,
        height=picture.height,
        width=picture.width,
        grey=picture.mode in GREY or int(np.max(spread)) <= SAME_GREY,
        alpha=picture.alpha is not None,
        deep=picture.pixels.dtype == np.uint16,
        digest=digest.digest(),
        bits=hashing.perceptual(pixels),
        look=hashing.look(pixels),
    )


def duplicates(pictures: Sequence[Checked], distance: int) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """The groups of pictures that are the same, and those of others that look the same."""
    ranked = sorted(pictures, key=lambda picture: picture.rank)
    same: dict[bytes, list[Checked]] = {}
    for picture in ranked:
        same.setdefault(picture.digest, []).append(picture)
    exact = [Group(best=best, others=tuple((o, 0) for o in others)) for best, *others in same.values() if others]
    first = [members[0] for members in same.values()]
    hashes = np.array([picture.bits for picture in first], np.uint64)
    looks = np.stack([picture.look for picture in first]) if first else np.zeros((0, 24, 24, 3), np.uint8)
    found = hashing.groups(hashes, looks, range(len(first)), distance)
    near = [Group(best=first[b], others=tuple((first[i], bits) for i, bits in o)) for b, o in found.items()]
    return _sorted(exact), _sorted(near)


def _sorted(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda group: group.best.path))


def _strangers(folder: Path) -> dict[str, int]:
    """How many files have an extension that is not that of a picture; hidden ones do not count."""
    others = (
        path.suffix.lower()
        for path in folder.rglob("*")
        if path.suffix.lower() not in ENDINGS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    return dict(Counter(others).most_common())
