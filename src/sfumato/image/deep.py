"""16-bit colours, which Pillow cannot hold: read by OpenCV.

Shapes: H W pixels, C channels.
"""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import profiles, tiff
from .color import Parts, base_of
from .depth import strips
from .own import Own
from .quiet import silenced

log = logging.getLogger(__name__)


class Stored(NamedTuple):
    """How a file holds 16-bit colours.

    Attributes:
        layout: in Pillow's words, as "RGBa;16B".
        tags: a TIFF's tags, empty for PNG.
    """

    layout: str
    tags: dict[int, Any]

    @property
    def in_planes(self) -> bool:
        """Whether one colour is stored after the other, so that Pillow must not load the pixels."""
        return tiff.has_deep_planes(self.tags)


def stored(image: Image.Image) -> Stored | None:
    """How the file of an image that is opened and not yet loaded holds 16-bit colours; None where it does not."""
    tags = dict(getattr(image, "tag_v2", {}))
    tiles = getattr(image, "tile", None)
    if not tiles or image.mode not in ("RGB", "RGBA", "RGBX", "LA"):
        return None
    if tiff.has_deep_planes(tags):
        return Stored("RGBa;16" if tiff.is_multiplied(tags) else f"{image.mode};16", tags)
    layout = tiles[0][3]
    layout = str(layout[0] if isinstance(layout, tuple) and layout else layout)
    return Stored(layout, tags) if ";16" in layout else None


def read(path: Path, image: Image.Image, held: Stored) -> Parts | None:
    """Read the 16-bit colours of a PNG or TIFF that Pillow has opened and found sound.

    Args:
        path: the file.
        image: the same file, loaded with 8 bits, save where it is `in_planes`.
        held: what `stored` said.

    Returns:
        The picture's parts, not yet turned upright for PNG; None where 8 bits must do, which the log tells.
    """
    array = tiff.read_planes(path, held.tags) if held.in_planes else _decoded(path, image)
    if array is None:
        log.warning("%s: a kind of 16-bit file that can only be read with 8 bits", path)
        return None
    alpha = None
    unused = held.tags and image.mode in ("RGB", "RGBX")  # a TIFF may have a fourth channel that means nothing
    if array.shape[2] == 4 and not unused:
        alpha = np.ascontiguousarray(array[..., 3])
    pixels = array if array.shape[2] == 3 else np.ascontiguousarray(array[..., :3])
    if alpha is not None and held.layout.startswith("RGBa"):  # multiplied by alpha
        for rows in strips(pixels):
            pixels[rows] = np.rint(pixels[rows] * (65535 / np.maximum(alpha[rows], 1)[..., None])).clip(0, 65535)
    mode = "LA" if held.layout.startswith("LA") else "RGB" if alpha is None else "RGBA"
    base, own = base_of(mode), None
    icc = profiles.usable(image.info.get("icc_profile") or None, base, path)
    if icc is not None:
        if profiles.converts(icc, base):
            own = Own(values=pixels[..., : 1 if base == "L" else 3].copy(), read=pixels, base=base, icc=icc)
        profiles.convert(pixels, icc, inverse=False)
    return Parts(pixels=pixels, alpha=alpha, mode=mode, icc=icc, own=own)


def _decoded(path: Path, image: Image.Image) -> NDArray[np.uint16] | None:
    """The pixels (H, W, 3 or 4) as OpenCV reads them; None where it cannot."""
    import cv2

    try:
        with silenced:
            array = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        log.debug("%s: OpenCV cannot read it: %s", path, error)
        return None
    if array is None or array.dtype != np.uint16 or array.shape not in [(*image.size[::-1], n) for n in (3, 4)]:
        return None
    result = array.astype(np.uint16, copy=False)
    for rows in strips(result):
        result[rows, :, :3] = result[rows, :, 2::-1].copy()  # OpenCV has blue first
    return result
