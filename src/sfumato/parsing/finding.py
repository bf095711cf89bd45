"""What finds parts where nobody says what does: the model that comes with the program, else a first zone."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from ..image import Source
from ..parts import PARTS
from .first_zone import first_zone
from .parts import Labels, Mask, Parts

if TYPE_CHECKING:
    from .parser import Precision

DEFAULT_MODEL = "segformer/parts"

HEAD = tuple(PARTS.index(part) for part in ("hat", "hair", "sunglasses", "face"))
FACE = PARTS.index("face")
LEAST_FACE = 0.05
"""Share of face that a head has."""

Finder: TypeAlias = Callable[[Source], Parts]


def finder(*, device: str = "auto", precision: "Precision" = "auto") -> Finder:
    """A `PartParser` of the bundled model that looks at heads from near, too; without its file `first_zone`.

    Of what the small model finds hair without a face is left out: most of that is a door, fur, or a plant.

    Args:
        device: as of `PartParser`.
        precision: likewise.

    Raises:
        OptionError: there is no such device.
        WeightsError: the file is damaged.
    """
    from .parser import PartParser

    if not bundled():
        return first_zone
    parser = PartParser(DEFAULT_MODEL, device=device, precision=precision, zoom=True)
    return lambda picture: with_faces(parser(picture))


def with_faces(parts: Parts) -> Parts:
    """The parts without those heads that have no face: they are background.

    Args:
        parts: with soft maps, of the 18 parts.
    """
    assert parts.soft is not None
    stray = headless(parts.soft.argmax(0).astype(np.uint8))
    if not stray.any():
        return parts
    soft, labels = parts.soft.copy(), parts.labels.copy()
    soft[:, stray] = 0
    soft[0, stray] = 1
    height, width = labels.shape
    wide = cv2.resize(stray.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    labels[wide & np.isin(labels, HEAD)] = 0
    return replace(parts, labels=labels, soft=soft)


def headless(labels: Labels) -> Mask:
    """Where labels (h, w) hang together as a head without a face."""
    count, pieces, areas, _ = cv2.connectedComponentsWithStats(np.isin(labels, HEAD).astype(np.uint8))
    faces = np.bincount(pieces[labels == FACE], minlength=count)
    lacking = faces < LEAST_FACE * areas[:, cv2.CC_STAT_AREA]
    lacking[0] = False
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
