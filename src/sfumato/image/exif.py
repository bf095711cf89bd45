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
XMP, COMMENT = 0x02BC, 0x9C9C
"""A packet of XML that may tell of anything, the place too; and a remark, which Windows shows as Comments."""
WIDTHS = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
"""Bytes of a value of each type."""
NOTHING = b"II*\0" + struct.pack("<IHI", 8, 0, 0)
"""EXIF without any tag."""

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


def has_place(raw: bytes | None) -> bool:
    """Whether EXIF bytes tell where the picture was taken."""
    return GPS_IFD in tags_of(raw)


def without_place(raw: bytes) -> bytes | None:
    """Return EXIF bytes that do not tell where the picture was taken; None where they are too damaged to know.

    The directory of the place is overwritten, not only unlinked. What a camera hides in its own notes stays.
    """
    data = bytearray(raw.removeprefix(PREFIX))
    order = _order_of(data)
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        for entry, tag in reversed(list(_entries(data, order, start))):  # from the last on: those behind it move up
            if tag == GPS_IFD:
                (inner,) = struct.unpack_from(order + "I", data, entry + 8)
                for place, _ in _entries(data, order, inner):
                    _wipe(data, order, place)
            if tag in (GPS_IFD, XMP):
                _wipe(data, order, entry)
                _take_out(data, order, start, entry)
    except (struct.error, IndexError) as error:
        log.warning("damaged EXIF is left out (%s)", error)
        return None
    return PREFIX + bytes(data)


def _wipe(data: bytearray, order: str, entry: int) -> None:
    """Overwrites an entry's value by zeros, wherever it stands."""
    kind, count = struct.unpack_from(order + "HI", data, entry + 2)
    size = WIDTHS[kind] * count
    at = entry + 8 if size <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
    if at + size > len(data):
        raise struct.error("a value reaches beyond the end")
    data[at : at + size] = bytes(size)


def _take_out(data: bytearray, order: str, start: int, entry: int) -> None:
    """Takes an entry out of the directory at `start`; offsets elsewhere stay as they are."""
    (count,) = struct.unpack_from(order + "H", data, start)
    end = start + 2 + 12 * count + 4  # with the link to the next directory
    data[entry:end] = data[entry + 12 : end] + bytes(12)
    struct.pack_into(order + "H", data, start, count - 1)


def with_comment(raw: bytes | None, text: str) -> bytes:
    """Return EXIF bytes with a remark, which takes the place of an older one; all else stays where it is.

    Args:
        raw: EXIF bytes as `upright` gave them; None or damaged ones are replaced.
        text: the remark.
    """
    data = bytearray((raw or b"").removeprefix(PREFIX))
    if _order_of(data) is None:
        data = bytearray(NOTHING)
    order = str(_order_of(data))
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        entries = [bytes(data[entry : entry + 12]) for entry, tag in _entries(data, order, start) if tag != COMMENT]
    except struct.error:
        data, order, entries = bytearray(NOTHING), "<", []
    value = text.encode("utf-16-le").ljust(4, b"\0") + b"\0\0"  # four bytes would stand in the entry itself
    data += bytes(-len(data) % 4)
    entries.append(struct.pack(order + "HHII", COMMENT, 1, len(value), len(data)))
    data += value + bytes(-len(value) % 4)
    struct.pack_into(order + "I", data, 4, len(data))  # the first directory may stand anywhere
    by_tag = sorted(entries, key=lambda entry: struct.unpack_from(order + "H", entry)[0])
    data += struct.pack(order + "H", len(entries)) + b"".join(by_tag) + bytes(4)
    return PREFIX + bytes(data)


def comment_of(raw: bytes | None) -> str:
    """The remark in EXIF bytes, as `with_comment` writes it; empty if there is none."""
    value = tags_of(raw).get(COMMENT, b"")
    return value.decode("utf-16-le", "replace").rstrip("\0") if isinstance(value, bytes) else ""


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
