"""Pictures with masks as a data set to learn parts from: cut out with their aspect kept, turned, mirrored, worn.

A mirrored person's left arm is its right arm: labels are exchanged with the picture.

Shapes: S side of a sample. Samples are {"image": uint8 (3, S, S), "parts": int32 (S, S)}, what each place may be (see
`part_labels`); beyond a picture's border nothing is known.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray
from torch import Tensor

from ..errors import DataError, PictureError, RecipeError
from ..parts import HEAD, PARTS
from .domains import held_out, jittered, tensor
from .folders import CACHE_BYTES, Cache, Folder, Pixels, named, pick, random_crop, read_exclude
from .paper import NO_WEAR, Often, Wear, worn
from .part_labels import Codes, Sets
from .part_sets import Labelled, PartSet, read_set, shrunk
from .person_crop import Floats, Region, affine, cut, square

log = logging.getLogger(__name__)

BEYOND = (124, 116, 104)
"""The colour beyond a picture's border: ImageNet's mean, which parsers see as nothing."""
OF_HEADS = sum(1 << PARTS.index(part) for part in HEAD)
PHOTO_WEAR = replace(NO_WEAR, blur=0.15, noise=0.15, jpeg=0.3)
"""What befalls photographs until they are seen: blurs, noise, JPEG."""


@dataclass(frozen=True, kw_only=True)
class Parsing:
    """Pictures whose parts are labelled, one in each sample."""

    root: tuple[str, ...] = ()
    """Folders with images and masks, or files such as parts.toml that say where they are and what masks mean.

    The pictures of a folder that is named twice are seen twice as often.
    """
    exclude: str = ""
    """Text file of FOLDER/NAME lines to leave out."""
    hold_out: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of the pictures that are kept from training; which, the files' names tell."""
    size: Annotated[int, Ge(32)] = 512
    """Side of a sample, in pixels."""
    scale: tuple[Annotated[float, Gt(0)], Annotated[float, Gt(0)]] = (0.75, 2.0)
    """How large a picture's longer side becomes, at least and at most, in sides of a sample."""
    squash: bool = False
    """Bring every picture to the sample's shape, as the authors' image processors do; else aspects are kept."""
    head: Often = 0.2
    """How often only the head is cut out, where a mask tells of one."""
    flip: Often = 0.5
    """How often pictures are mirrored, left and right parts exchanged."""
    rotation_deg: Annotated[float, Ge(0), Le(90)] = 15.0
    """How far they are turned at most."""
    jitter: Annotated[float, Ge(0), Lt(1)] = 0.25
    """How far brightness, contrast and saturation change at most, as a share."""
    hue: Annotated[float, Ge(0), Le(0.5)] = 0.02
    """How far hues turn at most, as a share of their circle."""
    grey: Often = 0.05
    """How often colours are left out."""
    wear: Wear = field(default_factory=lambda: PHOTO_WEAR)
    """What befalls pictures."""
    backgrounds: tuple[str, ...] = ()
    """Folders of photographs to lay pictures on whose ground is transparent; none: white."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Opened":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Opened(self, cache_bytes)


class Opened:
    """Samples of labelled pictures; sample n is a function of (seed, n).

    Attributes:
        items: what is learned from.
        held: what is kept from training.

    Raises:
        DataError: there are no sets, or none of a set's pictures can be used.
        RecipeError: the scales are in the wrong order.
    """

    def __init__(self, settings: Parsing, cache_bytes: int) -> None:
        if not settings.root:
            raise DataError("data.root names no folder of pictures and masks")
        if settings.scale[0] > settings.scale[1]:
            raise RecipeError(f"data.scale: {settings.scale[0]:g} is larger than {settings.scale[1]:g}")
        self.settings, self.out = settings, (settings.size, settings.size)
        self.cache, self.faults = Cache(cache_bytes), dict[Path, str]()
        self.longest = round(settings.size * max(*settings.scale, 1.0))
        unwanted = read_exclude(settings.exclude)
        self.used: dict[str, list[Labelled]] = {}
        self.held: list[Labelled] = []
        for found in map(read_set, dict.fromkeys(settings.root)):
            check(found)
            wanted = [item for item in found.items if named(item.picture) not in unwanted]
            self.used[found.root] = [i for i in wanted if not held_out(i.picture, settings.hold_out)]
            self.held += [i for i in wanted if held_out(i.picture, settings.hold_out)]
        self.items = [item for root in settings.root for item in self.used[root]]
        if not self.items:
            raise DataError(f"data.hold_out, data.exclude: none of {len(self.held)} pictures is left to learn from")
        grounds = settings.backgrounds
        self.grounds = Folder(grounds, settings.size, cache=self.cache) if grounds else None

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """Picture `n` in the run's order.

        Raises:
            DataError: no picture is left that can be read.
        """
        s, rng = self.settings, np.random.default_rng([seed, n, *b"parsing"])
        item, pixels, codes = self._read(pick(len(self.items), seed, n, "parsing"))
        matrix = self._way(codes, item.labels.sets, rng)
        flipped = bool(rng.random() < s.flip)
        if flipped:
            matrix = np.array([[-1.0, 0, s.size - 1], [0, 1, 0], [0, 0, 1]]) @ matrix
        crop = cut(pixels, matrix, self.out, beyond=(0, 0, 0, 0) if pixels.shape[2] == 4 else BEYOND)
        if crop.shape[2] == 4:
            crop = self._grounded(crop, rng)
        crop = worn(colored(crop, s, rng), s.wear, rng)
        sets = item.labels.mirrored() if flipped else item.labels.sets
        parts = sets[moved(codes, matrix, self.out, item.labels.outside)]
        return {"image": tensor(crop), "parts": torch.from_numpy(parts)}

    def _way(self, codes: Codes, sets: Sets, rng: np.random.Generator) -> Floats:
        """The matrix (3, 3) from the picture to the sample, not mirrored."""
        s, (height, width) = self.settings, codes.shape
        angle = float(rng.uniform(-s.rotation_deg, s.rotation_deg))
        low, high = np.log(s.scale)
        scale = float(np.exp(rng.uniform(low, high)))
        places = rng.uniform(0, 1, 2)
        if s.squash:
            matrix = np.diag([s.size / width, s.size / height, 1.0])
            matrix[:2, 2] = (matrix[[0, 1], [0, 1]] - 1) / 2
            return matrix
        box = head_box(codes, sets) if rng.random() < s.head else None
        if box is not None:
            left, top, across, down = box
            side = max(across, down) * float(rng.uniform(1.2, 2.2))
            center = np.array([left + across / 2, top + down / 2]) + (places - 0.5) * 0.3 * side
        else:
            side = max(height, width) / scale
            center = side / 2 + places * (np.array([width, height]) - side)  # it reaches no farther out than it must
        x, y = center - 0.5  # whole numbers are in the middle of pixels here, and at their edges above
        side *= (s.size - 1) / s.size  # counted from the middle of the first pixel to that of the last
        return square(affine(Region(center=(float(x), float(y)), size=(side, side), angle_deg=angle), self.out))

    def _grounded(self, crop: Pixels, rng: np.random.Generator) -> Pixels:
        """The sample (S, S, 4) on a photograph, or on white."""
        if self.grounds is None:
            return _on(np.full((*crop.shape[:2], 3), 255, np.uint8), crop)
        ground = self.grounds.picture(int(rng.integers(len(self.grounds))))
        return _on(random_crop(ground, self.settings.size, self.settings.size, rng), crop)

    def _read(self, index: int) -> tuple[Labelled, Pixels, Codes]:
        """A picture (h, w, 3), or with alpha and premultiplied (h, w, 4), and its codes (h, w).

        In place of one that is broken the next in order.
        """
        for place in range(index, index + len(self.items)):
            item = self.items[place % len(self.items)]
            key = str(item.picture)
            if key in self.cache.pictures:
                stored = self.cache.pictures[key]
                return item, stored[..., :-1], np.ascontiguousarray(stored[..., -1])
            if item.picture in self.faults:
                continue
            try:
                pixels, alpha, codes = item.read()
            except (PictureError, DataError) as error:
                self.faults[item.picture] = str(error)
                continue
            pixels, codes = shrunk(pixels if alpha is None else premultiplied(pixels, alpha), codes, self.longest)
            self.cache.offer(key, np.dstack((pixels, codes)))
            return item, pixels, codes
        raise DataError(f"no picture is left that can be read; the last: {next(reversed(self.faults.values()))}")

    def counts(self) -> dict[str, int]:
        """How many pictures each set has."""
        return {root: len(items) for root, items in self.used.items()}

    def broken(self) -> list[str]:
        """What is wrong with pictures and masks that could not be read; others take their places."""
        more = list(self.grounds.broken.values()) if self.grounds else []
        return [*self.faults.values(), *more]

    def digest(self) -> str:
        """Sixteen digits that tell whether the pictures are still the same, by their names and what masks mean."""
        return digest(self.items)


def digest(items: Sequence[Labelled]) -> str:
    """Sixteen digits that tell whether labelled pictures are the same, by their names and what masks mean."""
    found = hashlib.sha256()
    for item in items:
        found.update(named(item.picture).encode() + item.labels.sets.tobytes())
    return found.hexdigest()[:16]


def check(found: PartSet) -> None:
    """Reads a set's first picture, so that wrong labels are told at once; a warning names those without a mask.

    Raises:
        DataError, PictureError: it cannot be used.
    """
    found.items[0].read()
    if found.missing:
        count, first = len(found.missing), found.missing[0]
        log.warning("%s: %d pictures have no mask and are left out, the first %s", found.root, count, first)


def head_box(codes: Codes, sets: Sets) -> tuple[int, int, int, int] | None:
    """The box (left, top, width, height) of what codes (h, w) say is of a head; None if there is none."""
    of_head = ((sets & OF_HEADS) > 0) & ((sets & ~OF_HEADS) == 0)
    found = of_head[codes].astype(np.uint8)
    left, top, width, height = cv2.boundingRect(found)
    return (left, top, width, height) if width and height else None


def moved(codes: Codes, matrix: NDArray[np.float64], out: tuple[int, int], outside: int) -> Codes:
    """Where a matrix (3, 3) brings codes (h, w), (S, S): of each place the nearest; `outside` where there is none."""
    flags = cv2.INTER_NEAREST
    found = cv2.warpPerspective(
        codes, matrix, (out[1], out[0]), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(outside,)
    )
    return np.asarray(found, np.uint8)


def colored(pixels: Pixels, settings: Parsing, rng: np.random.Generator) -> Pixels:
    """The sample (S, S, 3) in other colours."""
    turn, plain = float(rng.uniform(-settings.hue, settings.hue)), bool(rng.random() < settings.grey)
    if settings.jitter:
        pixels = jittered(pixels, settings.jitter, rng)
    if plain:
        return np.repeat(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)[..., None], 3, 2)
    if turn:
        shades = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL)
        shades[..., 0] += np.uint8(round(turn * 256) % 256)
        pixels = np.asarray(cv2.cvtColor(shades, cv2.COLOR_HSV2RGB_FULL), np.uint8)
    return pixels


def premultiplied(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Colours (h, w, 3) times alpha (h, w), and alpha: (h, w, 4), which can be resized without fringes."""
    values = pixels.astype(np.float32) * (alpha[..., None].astype(np.float32) / 255)
    return np.dstack((np.rint(values).astype(np.uint8), alpha))


def _on(ground: Pixels, sheet: Pixels) -> Pixels:
    """A premultiplied picture (S, S, 4) on another (S, S, 3)."""
    through = 1 - sheet[..., 3:].astype(np.float32) / 255
    return np.rint(sheet[..., :3] + ground * through).clip(0, 255).astype(np.uint8)
