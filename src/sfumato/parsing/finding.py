"""What finds parts where nobody says what does: the model that comes with the program, else a first zone."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data.faces import Face, Options, detect, smallest_in
from ..image import Source, from_any
from ..image.depth import to_8
from ..parts import HEAD, PARTS
from .first_zone import first_zone
from .parts import Labels, Mask, Parts
from .tidying import tidied

if TYPE_CHECKING:
    from .parser import Precision

DEFAULT_MODEL = "segformer/parts"

OF_HEADS = tuple(PARTS.index(part) for part in HEAD)
SCORE = 0.3
"""From which score on something is a face: the small model's own word is asked for, too. Of small ones, which patterns
in hair and leaves look like, the detector must be sure."""

Finder: TypeAlias = Callable[[Source], Parts]


def finder(*, device: str = "auto", precision: "Precision" = "auto", zoom: bool = True) -> Finder:
    """A `PartParser` of the bundled model; without its file `first_zone`. What it gives is tidy.

    The small model sees persons in walls and fur: where no face is detected it finds nobody, and no head beside faces.

    Args:
        device: as of `PartParser`.
        precision: likewise.
        zoom: look at heads once more from near.

    Raises:
        OptionError: there is no such device.
        WeightsError: the file is damaged.
    """
    from .parser import PartParser

    if not bundled():
        return first_zone
    parser = PartParser(DEFAULT_MODEL, device=device, precision=precision, zoom=zoom)

    def found(source: Source) -> Parts:
        picture = from_any(source).compose_on_white()
        size = picture.height, picture.width
        faces = seen(to_8(picture.pixels))
        if not faces:
            return replace(Parts.empty(*size), faces=(), tidy=True)
        parts = with_faces(parser(picture, from_near(faces)), faces)
        return tidied(replace(parts, faces=tuple(faces)))

    return found


def seen(pixels: NDArray[np.uint8]) -> list[Face]:
    """The faces of a picture (H, W, 3) that a parser is asked about, the largest first."""
    sure = Options()
    found = detect(pixels, Options(score=SCORE, smallest=smallest_in(*pixels.shape[:2])))
    return [face for face in found if face.score >= sure.score or min(face.box[2:]) >= sure.smallest]


def from_near(faces: Sequence[Face]) -> list[Face]:
    """The faces that a second look is for: none of a doubtful one in the head of another, where it would spoil that."""
    sure = [face for face in faces if face.score >= Options().score]
    return [face for face in faces if face in sure or not any(_in_head(face, other) for other in sure)]


def _in_head(face: Face, other: Face) -> bool:
    """Whether a face's middle lies in the square about another's head, twice as wide and as high as its box."""
    offsets = [
        abs(face.box[axis] + face.box[axis + 2] / 2 - other.box[axis] - other.box[axis + 2] / 2) / other.box[axis + 2]
        for axis in (0, 1)
    ]
    return max(offsets) < 1


def with_faces(parts: Parts, faces: Sequence[Face]) -> Parts:
    """The parts without those heads in which no face was detected.

    Args:
        parts: with soft maps, of the 18 parts.
        faces: in pixels of the picture.
    """
    assert parts.soft is not None
    labels = parts.soft.argmax(0).astype(np.uint8)
    stray = headless(labels, parts.labels.shape, faces)
    if not stray.any():
        return parts
    soft, labels = parts.soft.copy(), parts.labels.copy()
    soft[:, stray] = 0
    soft[0, stray] = 1
    height, width = labels.shape
    wide = cv2.resize(stray.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    labels[wide & np.isin(labels, OF_HEADS)] = 0
    return replace(parts, labels=labels, soft=soft)


def headless(labels: Labels, size: tuple[int, int], faces: Sequence[Face]) -> Mask:
    """Where labels (h, w) of a picture (H, W) hang together as a head that the box of no face touches."""
    count, pieces = cv2.connectedComponents(np.isin(labels, OF_HEADS).astype(np.uint8))
    down, across = (cells / pixels for cells, pixels in zip(labels.shape, size, strict=True))
    lacking = np.arange(count) > 0
    for left, top, width, height in (face.box for face in faces):
        rows = slice(max(0, int(top * down)), math.ceil((top + height) * down))
        columns = slice(max(0, int(left * across)), math.ceil((left + width) * across))
        lacking[np.unique(pieces[rows, columns])] = False
    return np.asarray(lacking[pieces], np.bool_)


def bundled() -> bool:
    """Whether the model is here."""
    from ..zoo import available

    return any(entry.name == DEFAULT_MODEL and entry.path is not None for entry in available())


def find(picture: Source) -> Parts:
    """The parts of a picture by `finder`, which is made once.

    Raises:
        PictureError: the picture cannot be read.
    """
    return _usual()(picture)


@cache
def _usual() -> Finder:
    return finder()
