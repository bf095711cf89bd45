"""What a camera wrote about a picture (EXIF): bytes that begin with "Exif" and two zeros, then are a small TIFF.

The bytes are patched in place, never rebuilt, so that maker notes and their offsets survive.
"""

import itertools
import logging
import struct
from collections.abc import Container, Iterator

from PIL import Image

log = logging.getLogger(__name__)

PREFIX = b"Exif\0\0"
ORIENTATION, EXIF_IFD, GPS_IFD = 0x0112, 0x8769, 0x8825
PIXEL_WIDTH, PIXEL_HEIGHT = 0xA002, 0xA003

# The tags of a TIFF's first directory that describe the picture; the others say how its pixels are stored.
DESCRIPTIVE = frozenset(
    [0x010D, 0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C]
    + [0x4746, 0x4749, 0x8298, 0x8769, 0x8825, *range(0x9C9B, 0x9CA0)]
)

# What Pillow raises on damaged EXIF; the pixels may still be good.
DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, struct.error),
)


def orientation_of(image: Image.Image) -> int:
    """How the stored pixels must be turned to stand upright: 1 (as they are) to 8, as EXIF counts."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except DAMAGE as error:
        log.debug("damaged EXIF: %s", error)
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def exif_of(image: Image.Image) -> bytes | None:
    """The EXIF of an opened image with the orientation reset to 1 and without the thumbnail; None without any."""
    raw = image.info.get("exif")
    if not raw or image.format == "TIFF":
        try:
            source, tags = image.getexif(), Image.Exif()
            for tag in DESCRIPTIVE.intersection(source) if image.format == "TIFF" else source:
                tags[tag] = dict(source.get_ifd(tag)) if tag in (EXIF_IFD, GPS_IFD) else source[tag]
            raw = tags.tobytes() if tags else None
        except DAMAGE as error:
            log.debug("damaged EXIF: %s", error)
            return None
    return upright(raw) if isinstance(raw, bytes) else None


def upright(raw: bytes) -> bytes | None:
    """Return EXIF bytes whose orientation is 1 and whose thumbnail is unlinked; None where they are no EXIF."""
    while raw.startswith(PREFIX):
        raw = raw[len(PREFIX) :]
    order = _order_of(raw)
    if order is None:
        return None
    data = bytearray(raw)
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        end = start + 2
        for entry, tag in _entries(data, order, start):
            end = entry + 12
            if tag == ORIENTATION:
                struct.pack_into(order + "HHIHH", data, entry, tag, 3, 1, 1, 0)  # one SHORT
        if end + 4 <= len(data):
            struct.pack_into(order + "I", data, end, 0)  # the thumbnail shows the old pixels
    except struct.error:
        return None
    return PREFIX + bytes(data)


def sized(raw: bytes, height: int, width: int) -> bytes:
    """Return EXIF bytes as `upright` gave them that name this size where they named one; the same if damaged there."""
    data = bytearray(raw.removeprefix(PREFIX))
    order = _order_of(data)
    sides = {PIXEL_WIDTH: width, PIXEL_HEIGHT: height}
    if order is None:
        return raw
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        links = [entry + 8 for entry, tag in _entries(data, order, start) if tag == EXIF_IFD]
        inner = [struct.unpack_from(order + "I", data, link)[0] for link in links]
        for entry, tag in itertools.chain.from_iterable(_entries(data, order, start) for start in inner):
            if tag in sides:
                struct.pack_into(order + "HHII", data, entry, tag, 4, 1, sides[tag])  # one LONG
    except struct.error as error:
        log.debug("damaged EXIF keeps its size: %s", error)
        return raw
    return PREFIX + bytes(data)


def _order_of(data: bytes | bytearray) -> str | None:
    """The byte order of a small TIFF, as struct writes it; None where it is none."""
    return {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))


def _entries(data: bytearray, order: str, start: int) -> Iterator[tuple[int, int]]:
    """Where each entry of the directory at `start` stands, and its tag.

    Raises:
        struct.error: the directory reaches beyond the data.
    """
    (count,) = struct.unpack_from(order + "H", data, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        yield entry, *struct.unpack_from(order + "H", data, entry)


def tags_of(raw: bytes | None, chosen: Container[int] | None = None) -> Image.Exif:
    """The EXIF as tags, all or the chosen ones; none where it is damaged, which the log tells."""
    tags = Image.Exif()
    if raw is None:
        return tags
    try:
        tags.load(raw)
        for tag in list(tags):
            if chosen is not None and tag not in chosen:
                del tags[tag]
        tags.tobytes()
    except DAMAGE as error:
        log.warning("damaged EXIF is left out (%s)", error)
        return Image.Exif()
    return tags
