"""A look at a set: some of its pictures on one sheet, skeletons drawn over.

Shapes: H W pixels.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import image
from ..errors import DataError
from ..image.depth import to_8
from ..data.coco import SKELETON
from ..data.manifest import LABELS

LEFT, RIGHT, MIDDLE = (40, 90, 220), (220, 80, 40), (60, 150, 60)
"""Colours of the left, the right and what joins them."""
SUBPIXEL = 4
"""Bits of a place below a pixel."""


def sheet(folder: str | Path, count: int = 24, *, columns: int = 6, side: int = 256) -> Image.Image:
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
    """A picture (H, W, 3) with skeletons (17, 3) over it: full circles are seen, empty ones hidden."""
    over = pixels.copy()
    width = max(1, round(max(pixels.shape[:2]) / 200))
    for points in people:
        places = np.rint(points[:, :2] * (1 << SUBPIXEL)).astype(int)
        for first, second in SKELETON:
            if points[first - 1, 2] and points[second - 1, 2]:
                ends = (places[first - 1].tolist(), places[second - 1].tolist())
                cv2.line(over, *ends, _color(first, second), width, cv2.LINE_AA, SUBPIXEL)
        for number, (place, seen) in enumerate(zip(places.tolist(), points[:, 2], strict=True), 1):
            if seen:
                radius = round(2.2 * width * (1 << SUBPIXEL))
                color, fill = _color(number, number), -1 if seen == 2 else width
                cv2.circle(over, place, radius, color, fill, cv2.LINE_AA, SUBPIXEL)
    return over


def _color(first: int, second: int) -> tuple[int, int, int]:
    """Even numbers are the left's, odd ones the right's; the nose is in the middle."""
    if 1 in (first, second) or first % 2 != second % 2:
        return MIDDLE
    return RIGHT if first % 2 else LEFT
