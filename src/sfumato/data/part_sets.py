"""Sets of pictures with masks that tell the parts of persons.

    FOLDER/images/NAME.jpg  FOLDER/masks/NAME.png               masks with the numbers of the 18 parts
    FOLDER/shaded/NAME.png  FOLDER/parts/NAME.png               what `sfumato render --outputs shaded parts` makes
    FOLDER/parts.toml                                           says otherwise:

        images = ["photos", "../more"]      # where pictures are; `images` beside the file if it is left out
        masks = "annotations"               # and their masks, PNG by the same names; "" if there are none
        labels = "celebamask"               # what masks mean: a name, a file, or a table [labels] (`part_labels`)

Shapes: H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .. import image
from ..errors import DataError
from ..image.depth import to_8
from .folders import Pixels, scan
from .part_labels import Codes, LabelMap, Sets, label_map, read_toml

FILE = "parts.toml"
LAYOUTS = ((("images",), "masks"), (("shaded", "flat"), "parts"), (("images",), "parts"))
"""Where pictures and masks are, if no file says so."""
KEYS = ("images", "masks", "labels", "tolerance")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A picture and what its mask tells."""

    picture: Path
    mask: Path | None
    """None if there is none, and nothing is known."""
    labels: LabelMap

    def read(self) -> tuple[Pixels, Pixels | None, Codes]:
        """The picture (H, W, 3), its alpha (H, W) if it has some, and the codes of its mask (H, W).

        Raises:
            PictureError: one of the files cannot be read.
            DataError: the mask has another size than the picture, or holds labels that are not named.
        """
        found = image.read(self.picture)
        pixels, alpha = to_8(found.pixels), None if found.alpha is None else to_8(found.alpha)
        if self.mask is None:
            return pixels, alpha, np.full(pixels.shape[:2], self.labels.outside, np.uint8)
        codes = self.labels.read(self.mask)
        if codes.shape != pixels.shape[:2]:
            mask, picture = (f"{x.shape[1]} x {x.shape[0]}" for x in (codes, pixels))
            raise DataError(f"{self.mask}: is of {mask} pixels, its picture {self.picture.name} of {picture}")
        return pixels, alpha, codes

    def on_white(self) -> tuple[Pixels, Sets]:
        """The picture on white, and what each of its places may be, (H, W).

        Raises:
            PictureError, DataError: as `read`.
        """
        pixels, alpha, codes = self.read()
        if alpha is not None:
            pixels = to_8(image.Picture(pixels=pixels, alpha=alpha).compose_on_white().pixels)
        return pixels, self.labels.sets[codes]


@dataclass(frozen=True, kw_only=True)
class PartSet:
    """The pictures of a folder.

    Attributes:
        root: the folder, or its file.
        items: those with a mask, or all if the set has none.
        missing: pictures without one.
    """

    root: str
    items: Sequence[Labelled]
    missing: Sequence[Path]


def read_set(root: str | Path) -> PartSet:
    """The pictures of a set.

    Args:
        root: a folder as above, or a file as parts.toml.

    Raises:
        DataError: there is no such set, its file cannot be understood, or it has no picture with a mask.
    """
    path = Path(root)
    file = path / FILE if path.is_dir() else path
    if file.is_file():
        table, base = read_toml(file), file.parent
        if strange := sorted(set(table) - set(KEYS)):
            raise DataError(f"{file}: {strange[0]} is unknown; there are {', '.join(KEYS)}")
    elif path.is_dir():
        table, base = _layout(path), path
    else:
        raise DataError(f"{path}: no such folder of pictures and masks, nor a file of one")
    labels = label_map(table.get("labels", "parts"), table.get("tolerance", 0.0), beside=base, name=str(file))
    pictures = [p for folder in _folders(table.get("images", "images"), file) for p in scan(str(base / folder))]
    masks = table.get("masks", "masks")
    if not isinstance(masks, str):
        raise DataError(f"{file}: masks = {masks!r} is no folder")
    return _matched(str(root), pictures, base / masks if masks else None, labels)


def _folders(value: Any, file: Path) -> list[str]:
    folders = [value] if isinstance(value, str) else value
    if not isinstance(folders, list) or not folders or not all(isinstance(folder, str) for folder in folders):
        raise DataError(f"{file}: images = {value!r} is no folder, nor a list of some")
    return folders


def _layout(path: Path) -> dict[str, Any]:
    for images, masks in LAYOUTS:
        there = [folder for folder in images if (path / folder).is_dir()]
        if there and (path / masks).is_dir():
            return {"images": there, "masks": masks}
    raise DataError(f"{path}: has no folders images and masks, nor shaded and parts, nor a {FILE} that names others")


def _matched(root: str, pictures: Sequence[Path], masks: Path | None, labels: LabelMap) -> PartSet:
    if masks is None:
        items = [Labelled(picture=picture, mask=None, labels=labels) for picture in pictures]
        missing: list[Path] = []
    else:
        found = {path.stem: path for path in scan(str(masks))}
        items = [Labelled(picture=p, mask=found[p.stem], labels=labels) for p in pictures if p.stem in found]
        missing = [picture for picture in pictures if picture.stem not in found]
    if not items:
        raise DataError(f"{root}: none of its {len(pictures)} pictures has a mask of its name in {masks}")
    return PartSet(root=root, items=items, missing=missing)


def shrunk(pixels: Pixels, codes: Codes, longest: int) -> tuple[Pixels, Codes]:
    """A picture (H, W, C) and its codes (H, W), their longer side brought down to `longest` if it is longer."""
    height, width = codes.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return pixels, codes
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    few = cv2.resize(codes, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(small, np.uint8), np.asarray(few, np.uint8)
