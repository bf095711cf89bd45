"""What a parser gives: which part each pixel of a picture shows.

Shapes: H W pixels of the picture, C classes, h w cells of soft maps.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data.faces import Face
from ..errors import OptionError
from ..image import Box
from ..parts import PARTS

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """The parts of a picture.

    Raises:
        OptionError: the arrays' shapes or types do not fit, or a label has no name.
    """

    labels: Labels
    """(H, W), places in `names`."""
    names: tuple[str, ...] = PARTS
    """What the classes are called."""
    soft: Floats | None = None
    """(C, h, w), how sure the parser is of each class, in [0, 1] with sum 1; coarser than the picture, of its shape."""
    faces: tuple[Face, ...] | None = None
    """Faces in pixels of the picture, the largest first, if someone looked for them: who needs them need not do so."""
    tidy: bool = False
    """Whether `tidying.tidied` made the labels: then they tell what counts as found."""

    def __post_init__(self) -> None:
        labels, soft = self.labels, self.soft
        if labels.ndim != 2 or labels.size == 0 or labels.dtype != np.uint8:
            raise OptionError(f"labels must be (H, W) of uint8, not {labels.shape} of {labels.dtype}")
        if (largest := int(labels.max())) >= len(self.names):
            raise OptionError(f"label {largest} has no name; there are {len(self.names)}")
        if soft is not None and (soft.ndim != 3 or len(soft) != len(self.names) or soft.dtype != np.float32):
            raise OptionError(f"soft maps must be ({len(self.names)}, h, w) of float32, not {soft.shape} {soft.dtype}")

    @classmethod
    def empty(cls, height: int, width: int) -> "Parts":
        """The parts of a picture in which nobody was found."""
        return cls(labels=np.zeros((height, width), np.uint8))

    def resized(self, height: int, width: int) -> "Parts":
        """The parts of the same picture at another size, each pixel's from the nearest one; soft maps as they are."""
        down, across = (side / had for side, had in zip((height, width), self.labels.shape, strict=True))
        faces = None if self.faces is None else tuple(face.scaled(across, down) for face in self.faces)
        return replace(self, labels=nearest(self.labels, (height, width)), faces=faces)

    def within(self, box: Box) -> "Parts":
        """The labels of a rectangle of the picture alone, without soft maps and faces."""
        return Parts(labels=self.labels[box.slices], names=self.names)

    def mask(self, wanted: Sequence[str]) -> Mask:
        """Where one of the parts with these names is, (H, W).

        Raises:
            OptionError: there is no such part.
        """
        table = np.zeros(256, np.uint8)
        table[self._places(wanted)] = 1
        return np.asarray(cv2.LUT(self.labels, table)).view(np.bool_)

    def shares(self, wanted: Sequence[str]) -> Floats:
        """How sure it is that one of the parts with these names is there, (H, W) in [0, 1]; 0 or 1 without soft maps.

        Raises:
            OptionError: there is no such part.
        """
        if self.soft is None:
            return self.mask(wanted).astype(np.float32)
        total = self.soft[self._places(wanted)].sum(0, dtype=np.float32)
        height, width = self.labels.shape
        return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1), np.float32)

    def present(self) -> dict[str, float]:
        """The share of all pixels that each part has, the largest first; only of those that there are."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.names))
        order = [place for place in np.argsort(-counts, kind="stable") if counts[place]]
        return {self.names[place]: float(counts[place]) / self.labels.size for place in order}

    def _places(self, wanted: Sequence[str]) -> list[int]:
        if unknown := [name for name in wanted if name not in self.names]:
            raise OptionError(f"there is no part {unknown[0]!r}; there are {', '.join(self.names)}")
        return [self.names.index(name) for name in dict.fromkeys(wanted)]


def nearest(labels: Labels, size: tuple[int, int]) -> Labels:
    """Labels (h, w) at another height and width: each pixel's are those of the pixel in which its middle lies."""
    rows, columns = (
        (2 * np.arange(side) + 1) * had // (2 * side) for side, had in zip(size, labels.shape, strict=True)
    )
    return np.ascontiguousarray(labels[rows[:, None], columns])


def mirrored(names: Sequence[str]) -> list[int]:
    """For each part the place of the one that it is in a mirrored picture, by left, right, l or r in their names."""
    others = {"left": "right", "right": "left", "l": "r", "r": "l"}

    def mirror(name: str) -> str:
        return "".join(others.get(word, word) for word in re.split(r"([-_ ])", name))

    return [names.index(mirror(name)) if mirror(name) in names else place for place, name in enumerate(names)]
