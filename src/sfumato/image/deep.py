"""16-bit colours, which Pillow cannot hold: read by OpenCV, written here, strip by strip, as PNG and TIFF.

Shapes: H W pixels, C channels (grey, grey and alpha, RGB, RGB and alpha).
"""

import io
import logging
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from sfumato.image import exif, profiles
from sfumato.image.color import Parts, base_of
from sfumato.image.depth import STRIP, Pixels, strips

log = logging.getLogger(__name__)


def stored_as(image: Image.Image) -> str:
    """How the file of an image that is not yet loaded holds 16-bit colours ("RGBa;16B"); empty where it does not."""
    tiles = getattr(image, "tile", None)
    stored = tiles[0][3] if tiles else ""
    stored = str(stored[0] if isinstance(stored, tuple) and stored else stored)
    return stored if image.mode in ("RGB", "RGBA", "RGBX", "LA") and ";16" in stored else ""


def read(path: Path, image: Image.Image, stored: str) -> Parts | None:
    """Read the 16-bit colours of a PNG or TIFF that Pillow has opened and found sound.

    Args:
        path: the file.
        image: the same file, loaded with 8 bits.
        stored: what `stored_as` said.

    Returns:
        The picture's parts, not yet turned upright for PNG; None where 8 bits must do, which the log tells.
    """
    array = _decoded(path, image)
    if array is None:
        log.warning("%s: a kind of 16-bit file that can only be read with 8 bits", path)
        return None
    alpha = None
    if array.shape[2] == 4 and not stored.startswith("RGBX"):
        alpha = np.ascontiguousarray(array[..., 3])
    pixels = array if array.shape[2] == 3 else np.empty((*array.shape[:2], 3), np.uint16)
    for rows in strips(array):
        pixels[rows] = array[rows, :, 2::-1].copy()
        if alpha is not None and stored.startswith("RGBa"):  # multiplied by alpha
            pixels[rows] = np.rint(pixels[rows] * (65535 / np.maximum(alpha[rows], 1)[..., None])).clip(0, 65535)
    mode = "LA" if stored.startswith("LA") else "RGB" if alpha is None else "RGBA"
    icc = profiles.usable(image.info.get("icc_profile") or None, base_of(mode), path)
    if icc is not None:
        profiles.convert(pixels, icc, inverse=False)
    return Parts(pixels=pixels, alpha=alpha, mode=mode, icc=icc)


def _decoded(path: Path, image: Image.Image) -> NDArray[np.uint16] | None:
    """OpenCV's pixels (H, W, 3 or 4), blue first; None where it fails, or is known to."""
    import cv2

    planes_apart = getattr(image, "tag_v2", {}).get(284) == 2  # OpenCV mixes up 16-bit planes
    if planes_apart:
        return None
    try:
        array = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        log.debug("%s: OpenCV cannot read it: %s", path, error)
        return None
    if array is None or array.dtype != np.uint16 or array.shape not in [(*image.size[::-1], n) for n in (3, 4)]:
        return None
    return array.astype(np.uint16, copy=False)


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """What is written to a file: the frame of the pixels, and the rows on demand.

    Attributes:
        shape: (H, W, C) with C from 1 to 4; 2 and 4 hold alpha last.
        dtype: np.uint8 or np.uint16.
        rows: gives some rows, (h, W, C) of that type.
        icc: the profile the values are in.
        exif: EXIF bytes, see `sfumato.image.exif`.
    """

    shape: tuple[int, int, int]
    dtype: DTypeLike
    rows: Callable[[slice], Pixels]
    icc: bytes | None
    exif: bytes | None

    @property
    def strip_height(self) -> int:
        """Rows in a strip; the last one may have fewer."""
        return min(max(STRIP // 16 // self.shape[1], 1), self.shape[0])

    def strips(self) -> Iterator[Pixels]:
        """All rows, some at a time."""
        for top in range(0, self.shape[0], self.strip_height):
            yield self.rows(slice(top, min(top + self.strip_height, self.shape[0])))


def write_png(file: BinaryIO, canvas: Canvas) -> None:
    """Write a PNG (ISO/IEC 15948) of 8 or 16 bits."""

    def chunk(name: bytes, data: bytes) -> None:
        file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))

    height, width, channels = canvas.shape
    depth = 8 * np.dtype(canvas.dtype).itemsize
    file.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, (0, 4, 2, 6)[channels - 1], 0, 0, 0))
    if canvas.icc is not None:
        chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(canvas.icc))
    if canvas.exif is not None:
        chunk(b"eXIf", canvas.exif.removeprefix(exif.PREFIX))
    packer = zlib.compressobj(4, strategy=zlib.Z_FILTERED)
    above = np.zeros((1, width * channels * depth // 8), np.uint8)
    for strip in canvas.strips():
        stored = np.ascontiguousarray(strip, np.dtype(canvas.dtype).newbyteorder(">"))
        data = stored.reshape(len(strip), -1).view(np.uint8)
        chunk(b"IDAT", packer.compress(_filtered(data, above, channels * depth // 8)))
        above = data[-1:].copy()
    chunk(b"IDAT", packer.flush())
    chunk(b"IEND", b"")


def _filtered(data: NDArray[np.uint8], above: NDArray[np.uint8], pixel: int) -> bytes:
    """Rows of bytes, each behind its filter's number: less the pixel before (1) or above (2), whichever is smaller."""
    before = data.copy()
    before[:, pixel:] -= data[:, :-pixel]
    over = data.copy()
    over -= np.concatenate([above, data[:-1]])
    cost_before, cost_over = (np.abs(part.view(np.int8).astype(np.int16)).sum(1) for part in (before, over))
    left = cost_before <= cost_over
    result = np.empty((data.shape[0], data.shape[1] + 1), np.uint8)
    result[:, 0] = np.where(left, 1, 2)
    result[:, 1:] = np.where(left[:, None], before, over)
    return result.tobytes()


# Tags of a TIFF's directory that say how the pixels are stored.
_STORAGE = frozenset([254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 338, 339])


def write_tiff(file: BinaryIO, canvas: Canvas) -> None:
    """Write a TIFF 6.0 of 8 or 16 bits: deflated strips with horizontal differences.

    The file begins with a one-pixel TIFF from Pillow, for its EXIF directories, whose first directory is then
    replaced by one at the end of the file.
    """
    head, kept = _template(canvas)
    file.write(head)
    position, offsets, lengths = len(head), [], []
    for strip in canvas.strips():
        data = zlib.compress(_differences(strip).astype(strip.dtype.newbyteorder("<")).tobytes())
        offsets.append(position)
        lengths.append(len(data))
        position += file.write(data)
    position += file.write(bytes(position % 2))
    height, width, channels = canvas.shape
    storage = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [8 * np.dtype(canvas.dtype).itemsize] * channels),
        259: ("H", [8]),  # deflate
        262: ("H", [1 if channels < 3 else 2]),  # 0 is black, or RGB
        273: ("I", offsets),
        277: ("H", [channels]),
        278: ("I", [canvas.strip_height]),
        279: ("I", lengths),
        284: ("H", [1]),
        317: ("H", [2]),  # differences along a row
        338: ("H", [2]),  # alpha, not multiplied
    }
    if channels in (1, 3):
        del storage[338]
    values, directory = b"", dict(kept)
    for tag, (kind, numbers) in storage.items():
        data = struct.pack(f"<{len(numbers)}{kind}", *numbers)
        field = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", position + len(values))
        values += data + bytes(len(data) % 2) if len(data) > 4 else b""
        directory[tag] = struct.pack("<HHI", tag, {"H": 3, "I": 4}[kind], len(numbers)) + field
    entries = b"".join(directory[tag] for tag in sorted(directory))
    file.write(values + struct.pack("<H", len(directory)) + entries + bytes(4))
    file.seek(4)
    file.write(struct.pack("<I", position + len(values)))


def _template(canvas: Canvas) -> tuple[bytes, dict[int, bytes]]:
    """A one-pixel TIFF with the profile and EXIF, and its directory's entries that are not about pixels, by tag."""
    buffer = io.BytesIO()
    Image.new("L", (1, 1)).save(buffer, "TIFF", icc_profile=canvas.icc, exif=exif.for_tiff(canvas.exif))
    head = buffer.getvalue()
    (start,) = struct.unpack_from("<I", head, 4)
    (count,) = struct.unpack_from("<H", head, start)
    entries = (head[place : place + 12] for place in range(start + 2, start + 2 + 12 * count, 12))
    kept = {tag: entry for entry in entries if (tag := struct.unpack_from("<H", entry)[0]) not in _STORAGE}
    return head + bytes(len(head) % 2), kept


def _differences(strip: Pixels) -> Pixels:
    """Each pixel less the one before it in its row, wrapping round."""
    result = strip.copy()
    result[:, 1:] -= strip[:, :-1]
    return result
