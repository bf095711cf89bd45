"""Labelled figures as a data set to learn poses from: cut out, turned, mirrored, worn; keypoints stay exact.

Shapes: H W pixels, K = 17 keypoints. Samples are {"image": uint8 (3, H, W), "joints": (K, 2) in its pixels,
"weights": (K,), 0 for joints that are not labelled}.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from annotated_types import Ge, Le, Lt
from numpy.typing import NDArray
from torch import Tensor

from .. import image
from ..errors import DataError, PictureError
from ..image.depth import to_8
from .composed import Compose, checked, composed, read_compose
from .folders import CACHE_BYTES, Cache, Pixels, named, pick
from .keypoints import UPPER, Figure, LabelledSet, read_set, swapped
from .paper import Often, Wear, bend, bent, tilted, worn
from .person_crop import Floats, Region, about_half, affine, around, before, cut, moved, square

log = logging.getLogger(__name__)

MANY = 8
"""Labelled joints above which half a figure may be shown."""


@dataclass(frozen=True, kw_only=True)
class Poses:
    """Figures of sets in COCO's format, one in each sample."""

    root: tuple[str, ...] = ()
    """Folders with keypoints.json or annotations.json, or such files."""
    pictures: str = ""
    """Folder of the pictures, if it is not `images` beside the labels or the labels' own."""
    hold_out: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of the pictures that are kept from training; told by the labels, so that a drawing's versions in other
    styles are kept alike."""
    height: Annotated[int, Ge(32)] = 256
    """Of what is cut out, in pixels."""
    width: Annotated[int, Ge(32)] = 192
    """Of what is cut out, in pixels."""
    flip: Often = 0.5
    """How often figures are mirrored."""
    scale: Annotated[float, Ge(0), Le(1)] = 0.35
    """Spread of the size: its factor is normal about 1, at most that far off."""
    rotation_deg: Annotated[float, Ge(0)] = 45.0
    """Spread of the angle, which is normal and at most twice that."""
    rotated: Often = 0.6
    """How often figures are turned at all."""
    half_body: Often = 0.3
    """How often only the upper or the lower half is cut out, where more than 8 joints are labelled."""
    perspective: Annotated[float, Ge(0), Le(0.3)] = 0.05
    """How far corners move, in sides."""
    bend_px: Annotated[float, Ge(0), Le(8)] = 4.0
    """How far the sheet is bent, in pixels."""
    wear: Wear = field(default_factory=Wear)
    """What befalls lines and paper."""
    compose: str = ""
    """A file of `albumentations.save`, for more augmentations; Albumentations must be installed."""

    def open(self, cache_bytes: int = CACHE_BYTES, compose: Compose | None = None) -> "Opened":
        """The figures, found and checked; each process that reads them keeps up to `cache_bytes` of their pictures.

        Args:
            compose: an Albumentations Compose in place of the file of one.
        """
        return Opened(self, cache_bytes, compose)


class Opened:
    """Samples of figures; sample n is a function of (seed, n).

    Args:
        settings: what is done to them.
        cache_bytes: how much to keep in memory.
        compose: see `Poses.open`.

    Attributes:
        figures: what is learned from.
        held: what is kept from training.

    Raises:
        DataError: there are no sets, or none of a set's pictures or figures can be used.
        RecipeError: the Compose cannot be used.
    """

    def __init__(self, settings: Poses, cache_bytes: int, compose: Compose | None = None) -> None:
        if not settings.root:
            raise DataError("data.root names no folder of labelled pictures")
        self.settings, self.out = settings, (settings.height, settings.width)
        self.cache, self.faults = Cache(cache_bytes), dict[Path, str]()
        self.sets = {root: read_set(root, settings.pictures) for root in settings.root}
        usable = {root: [f for f in found.figures if is_usable(f)] for root, found in self.sets.items()}
        for root, found in self.sets.items():
            _check(root, found, usable[root])
        kept = {root: kept_from_training(figures, settings.hold_out) for root, figures in usable.items()}
        self.held = [figure for figures in kept.values() for figure in figures]
        paths = {figure.path for figure in self.held}
        self.usable = {root: [f for f in figures if f.path not in paths] for root, figures in usable.items()}
        self.figures = [figure for figures in self.usable.values() for figure in figures]
        if not self.figures:
            raise DataError(
                f"data.hold_out: {settings.hold_out:g} leaves none of {len(self.held)} figures to learn from"
            )
        self.compose = checked(compose) if compose is not None else None
        if self.compose is None and settings.compose:
            self.compose = read_compose(settings.compose)

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """Figure `n` in the run's order.

        Raises:
            DataError: no picture is left that can be read.
        """
        figure, pixels = self._read(pick(len(self.figures), seed, n, "poses"))
        rng = np.random.default_rng([seed, n, *b"poses"])
        matrix, flipped = self._way(figure, rng)
        field = bend(self.out, self.settings.bend_px, rng) if self.settings.bend_px else None
        crop = colored(cut(pixels, matrix, self.out, field))
        joints, known = moved(figure.joints, matrix), (figure.visible > 0) & before(figure.joints, matrix)
        if field is not None:
            joints = bent(joints, field)
        if self.compose is not None:
            crop, joints = composed(self.compose, crop, joints, int(rng.integers(2**31)))
        if flipped:
            joints, known = swapped(joints), swapped(known)
        crop = worn(crop, self.settings.wear, rng)
        return {
            "image": torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))),
            "joints": torch.from_numpy(joints.astype(np.float32)),
            "weights": torch.from_numpy(known.astype(np.float32)),
        }

    def _way(self, figure: Figure, rng: np.random.Generator) -> tuple[Floats, bool]:
        """The matrix (3, 3) from the figure's picture to the sample, and whether it mirrors."""
        s = self.settings
        region = around(figure.box, self.out)
        if rng.random() < s.half_body and (half := chosen_half(figure, rng)) is not None:
            region = about_half(figure.joints, half, self.out)
        factor = float(np.clip(rng.normal(1, s.scale), 1 - s.scale, 1 + s.scale))
        most = 2 * s.rotation_deg
        angle = float(np.clip(rng.normal(0, s.rotation_deg), -most, most)) if rng.random() < s.rotated else 0.0
        size = (region.size[0] * max(factor, 0.1), region.size[1] * max(factor, 0.1))
        matrix = square(affine(Region(center=region.center, size=size, angle_deg=angle), self.out))
        if s.perspective:
            matrix = tilted(self.out, s.perspective, rng) @ matrix
        if flipped := bool(rng.random() < s.flip):
            matrix = np.array([[-1.0, 0, s.width - 1], [0, 1, 0], [0, 0, 1]]) @ matrix
        return matrix, flipped

    def _read(self, index: int) -> tuple[Figure, Pixels]:
        """A figure and its picture on white, (h, w, 3) in sRGB, or (h, w) if it is grey: more of those fit in memory.

        In place of one that is broken the next in order.
        """
        for place in range(index, index + len(self.figures)):
            figure = self.figures[place % len(self.figures)]
            key = str(figure.path)
            if key in self.cache.pictures:
                return figure, self.cache.pictures[key]
            if figure.path in self.faults:
                continue
            try:
                pixels = grey(to_8(image.read(figure.path).compose_on_white().pixels))
            except PictureError as error:
                self.faults[figure.path] = str(error)
                continue
            self.cache.offer(key, pixels)
            return figure, pixels
        raise DataError(f"no picture is left that can be read; the last: {next(reversed(self.faults.values()))}")

    def counts(self) -> dict[str, int]:
        """How many figures each set has."""
        return {root: len(figures) for root, figures in self.usable.items()}

    def broken(self) -> list[str]:
        """What is wrong with pictures that could not be read; others take their places."""
        return list(self.faults.values())

    def digest(self) -> str:
        """Sixteen digits that tell whether the figures are still the same, by names of pictures and by joints."""
        return digest(self.figures)


def digest(figures: Sequence[Figure]) -> str:
    """Sixteen digits that tell whether figures are the same, by names of pictures and by joints."""
    lines = [f"{named(f.path)} {_labels(f)}" for f in figures]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _labels(figure: Figure) -> str:
    return str(np.round(figure.joints[figure.visible > 0], 2).tolist())


def kept_from_training(figures: Sequence[Figure], share: float) -> list[Figure]:
    """The figures of a share of the pictures, told by the digest of the first figure's labels in each."""
    firsts: dict[Path, str] = {}
    for figure in figures if share else ():
        firsts.setdefault(figure.path, _labels(figure))
    kept = {p for p, text in firsts.items() if int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) < share * 2**32}
    return [figure for figure in figures if figure.path in kept]


def is_usable(figure: Figure) -> bool:
    """Whether there is something to learn from a figure."""
    return not figure.crowd and bool((figure.visible > 0).any()) and min(figure.box[2:]) > 0


def grey(pixels: Pixels) -> Pixels:
    """A picture (h, w, 3) as (h, w) if it has no colours."""
    first = pixels[..., 0]
    plain = np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])
    return np.ascontiguousarray(first) if plain else pixels


def colored(pixels: Pixels) -> Pixels:
    """A picture (H, W, 3) or (H, W) as (H, W, 3)."""
    return pixels if pixels.ndim == 3 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)


def chosen_half(figure: Figure, rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Which labelled joints (K,) are those of the upper or of the lower half; None where there are too few.

    # Differs from the authors' code, whose comparison of a normal number with 0.5 takes the upper half of 69 %: both
    # are as likely.
    """
    known = figure.visible > 0
    if known.sum() <= MANY:
        return None
    upper = np.isin(np.arange(len(known)), UPPER)
    halves = [known & upper, known & ~upper]
    if rng.random() < 0.5:
        halves.reverse()
    return next((half for half in halves if half.sum() > 2), None)


def _check(root: str, found: LabelledSet, usable: list[Figure]) -> None:
    if not usable:
        raise DataError(f"{root}: none of its {len(found.figures)} figures has a box and labelled keypoints")
    if found.missing:
        log.warning("%s: %d pictures are missing, the first %s", root, len(found.missing), found.missing[0])
