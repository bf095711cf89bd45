"""A look at a set: some of its pictures on one sheet, skeletons drawn over.

Shapes: H W pixels.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import image
from ..data.manifest import LABELS
from ..data.skeletons import drawn
from ..errors import DataError
from ..image.depth import to_8

if TYPE_CHECKING:
    from PIL.Image import Image


def sheet(folder: str | Path, count: int = 24, *, columns: int = 6, side: int = 256) -> "Image":
    """Up to `count` pictures of the set in that folder, evenly from first to last.

    Raises:
        DataError: there are none.
        PictureError: one cannot be read.
    """
    path = Path(folder) / LABELS
    if not path.exists():
        raise DataError(f"{folder}: has no {LABELS}; `sfumato render -o {folder}` makes a set there")
    labels = json.loads(path.read_text(encoding="utf-8"))
    if not labels["images"]:
        raise DataError(f"{folder}: a set without pictures has no preview")
    every = np.linspace(0, len(labels["images"]) - 1, min(count, len(labels["images"]))).round().astype(int)
    shown = [labels["images"][i] for i in dict.fromkeys(every.tolist())]
    pictures = []
    for entry in shown:
        pixels = to_8(image.read(Path(folder) / entry["file_name"]).compose_on_white().pixels)
        people = [np.reshape(a["keypoints"], (17, 3)) for a in labels["annotations"] if a["image_id"] == entry["id"]]
        pictures.append(image.from_any(drawn_over(pixels, people)))
    names = [str(entry["id"]) for entry in shown]
    return image.contact_sheet(pictures, labels=names, columns=columns, side=side)


def drawn_over(pixels: NDArray[np.uint8], people: Sequence[NDArray[np.float64]]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) with skeletons (17, 3) over it: full circles are seen, rings hidden."""
    for points in people:
        pixels = drawn(pixels, points[:, :2], points[:, 2] > 0, points[:, 2] == 1)
    return pixels
