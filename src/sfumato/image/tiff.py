"""TIFF 6.0, as far as Pillow and OpenCV do not go: 16-bit colours written with EXIF, and planes read one by one.

Shapes: H W pixels, C channels.
"""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import exif
from .canvas import Canvas
from .depth import Pixels
from .quiet import silenced


class Tag(IntEnum):
    """The tags of a directory that say how the pixels are stored."""

    KIND = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    CHANNELS = 277
    STRIP_HEIGHT = 278
    STRIP_LENGTHS = 279
    PLANAR = 284
    PREDICTOR = 317
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_LENGTHS = 325
    EXTRA = 338
    NUMBERS = 339


_DEFLATE, _DIFFERENCES, _ALPHA, _GREY, _RGB = 8, 2, 2, 1, 2

_ONE_PER_PLANE = (Tag.STRIP_OFFSETS, Tag.STRIP_LENGTHS, Tag.TILE_OFFSETS, Tag.TILE_LENGTHS)


def write(file: BinaryIO, canvas: Canvas) -> None:
    """Write 8 or 16 bits: deflated strips with horizontal differences.

    The file begins with a one-pixel TIFF from Pillow, for its EXIF directories; its first directory is then replaced
    by one at the end of the file.
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
    storage: dict[int, Sequence[int]] = {
        Tag.WIDTH: [width],
        Tag.HEIGHT: [height],
        Tag.BITS: [8 * np.dtype(canvas.dtype).itemsize] * channels,
        Tag.COMPRESSION: [_DEFLATE],
        Tag.PHOTOMETRIC: [_GREY if channels < 3 else _RGB],
        Tag.STRIP_OFFSETS: offsets,
        Tag.CHANNELS: [channels],
        Tag.STRIP_HEIGHT: [canvas.strip_height],
        Tag.STRIP_LENGTHS: lengths,
        Tag.PLANAR: [1],
        Tag.PREDICTOR: [_DIFFERENCES],
    }
    if channels in (2, 4):
        storage[Tag.EXTRA] = [_ALPHA]
    start, directory = _directory(position, storage, kept)
    file.write(directory)
    file.seek(4)
    file.write(struct.pack("<I", start))


def _directory(
    position: int, storage: Mapping[int, Sequence[int]], kept: Mapping[int, bytes] | None = None, order: str = "<"
) -> tuple[int, bytes]:
    """A directory that shall stand at `position` (even), behind those of its values that are too long for an entry.

    Returns:
        Where in the file the directory itself begins, and the bytes of values and directory.
    """
    values, entries = b"", dict(kept or {})
    for tag, numbers in storage.items():
        kind = "I" if tag in (*_ONE_PER_PLANE, Tag.WIDTH, Tag.HEIGHT, Tag.STRIP_HEIGHT) else "H"
        data = struct.pack(f"{order}{len(numbers)}{kind}", *numbers)
        field = data.ljust(4, b"\0")
        if len(data) > 4:
            field = struct.pack(order + "I", position + len(values))
            values += data + bytes(len(data) % 2)
        entries[tag] = struct.pack(order + "HHI", tag, {"H": 3, "I": 4}[kind], len(numbers)) + field
    count = struct.pack(order + "H", len(entries))
    return position + len(values), values + count + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)


def _template(canvas: Canvas) -> tuple[bytes, dict[int, bytes]]:
    """A one-pixel TIFF with the profile and EXIF, and its directory's entries that are not about pixels, by tag."""
    buffer = io.BytesIO()
    Image.new("L", (1, 1)).save(
        buffer, "TIFF", icc_profile=canvas.icc, exif=exif.tags_of(canvas.exif, exif.DESCRIPTIVE)
    )
    head = buffer.getvalue()
    (start,) = struct.unpack_from("<I", head, 4)
    (count,) = struct.unpack_from("<H", head, start)
    entries = (head[place : place + 12] for place in range(start + 2, start + 2 + 12 * count, 12))
    kept = {tag: entry for entry in entries if (tag := struct.unpack_from("<H", entry)[0]) not in list(Tag)}
    return head + bytes(len(head) % 2), kept


def _differences(strip: Pixels) -> Pixels:
    """Each pixel less the one before it in its row, wrapping round."""
    result = strip.copy()
    result[:, 1:] -= strip[:, :-1]
    return result


def has_deep_planes(tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF with these tags holds 16-bit values one colour after the other, which Pillow and OpenCV mix up."""
    return tags.get(Tag.PLANAR) == 2 and tuple(tags.get(Tag.BITS, ()))[:1] == (16,)


def is_multiplied(tags: Mapping[int, Any]) -> bool:
    """Whether the colours of a TIFF with these tags are multiplied by alpha."""
    return tuple(tags.get(Tag.EXTRA, ())) == (1,)


def is_inverted(tags: Mapping[int, Any]) -> bool:
    """Whether 0 is white in a TIFF with these tags."""
    return tags.get(Tag.PHOTOMETRIC) == 0


def read_planes(path: Path, tags: Mapping[int, Any]) -> NDArray[np.uint16]:
    """Read such a TIFF, upright, as (H, W, C): Pillow takes each plane for a grey picture, by a directory of its own.

    Args:
        path: the file.
        tags: of the file's first directory, before Pillow has loaded its pixels.
    """
    data = path.read_bytes()
    data += bytes(len(data) % 2)
    order = "<" if data[:2] == b"II" else ">"
    count = int(tags[Tag.CHANNELS])
    shared: dict[int, list[int]] = {tag: np.atleast_1d(tags[tag]).tolist() for tag in Tag if tag in tags}
    for tag in (Tag.EXTRA, Tag.NUMBERS, Tag.KIND):
        shared.pop(tag, None)
    shared |= {Tag.BITS: [16], Tag.PHOTOMETRIC: [_GREY], Tag.CHANNELS: [1], Tag.PLANAR: [1]}
    planes = []
    for plane in range(count):
        own = dict(shared)
        for tag in set(_ONE_PER_PLANE).intersection(own):
            pieces = len(own[tag]) // count
            own[tag] = own[tag][plane * pieces : (plane + 1) * pieces]
        start, directory = _directory(len(data), own, order=order)
        file = io.BytesIO(data[:4] + struct.pack(order + "I", start) + data[8:] + directory)
        with silenced, Image.open(file, formats=["TIFF"]) as grey:
            planes.append(np.asarray(grey).astype(np.uint16))
    return np.stack(planes, axis=2)
