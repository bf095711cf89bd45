"""PNG (ISO/IEC 15948) of 8 and 16 bits: strip by strip, faster than Pillow, which has no 16-bit colours.

Shapes: H W pixels, C channels.
"""

import struct
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..machine import threads
from . import exif
from .canvas import Canvas

AT_HAND = 2**18
"""Bytes of rows."""
HEADER, LAST = b"\x78\x5e", b"\x03\x00"
"""What a stream begins with, and an empty block that ends it (RFC 1950 and 1951)."""


def write(file: BinaryIO, canvas: Canvas) -> None:
    """Write 8 or 16 bits with the canvas's profile and EXIF."""

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
    chunk(b"IDAT", HEADER)
    check = zlib.adler32(b"")
    for filtered, packed in _packed_strips(canvas):
        check = zlib.adler32(filtered.data, check)
        chunk(b"IDAT", packed)
    chunk(b"IDAT", LAST + struct.pack(">I", check))
    chunk(b"IEND", b"")


def _packed_strips(canvas: Canvas) -> Iterator[tuple[NDArray[np.uint8], bytes]]:
    """Each strip filtered and packed, in order; threads are at work on the next ones, and on no more than those."""
    _, width, channels = canvas.shape
    pixel = channels * np.dtype(canvas.dtype).itemsize
    above, ahead = np.zeros((1, width * pixel), np.uint8), threads()
    at_work: deque[Future[tuple[NDArray[np.uint8], bytes]]] = deque()
    with ThreadPoolExecutor(ahead) as pool:
        for strip in canvas.strips():
            stored = np.ascontiguousarray(strip, np.dtype(canvas.dtype).newbyteorder(">"))
            data = stored.reshape(len(strip), -1).view(np.uint8)
            at_work.append(pool.submit(_packed, data, above, pixel))
            above = data[-1:].copy()
            if len(at_work) > ahead:
                yield at_work.popleft().result()
        while at_work:
            yield at_work.popleft().result()


def _packed(data: NDArray[np.uint8], above: NDArray[np.uint8], pixel: int) -> tuple[NDArray[np.uint8], bytes]:
    """Rows of bytes filtered, and these as deflated blocks that end with a byte (RFC 1951)."""
    filtered = _filtered(data, above, pixel)
    packer = zlib.compressobj(4, wbits=-zlib.MAX_WBITS, strategy=zlib.Z_FILTERED)
    return filtered, packer.compress(filtered.data) + packer.flush(zlib.Z_SYNC_FLUSH)


def _filtered(data: NDArray[np.uint8], above: NDArray[np.uint8], pixel: int) -> NDArray[np.uint8]:
    """Rows of bytes, each behind its filter's number: less the pixel before (1) or above (2), whichever is smaller.

    So many rows are done at a time as the processor keeps at hand.
    """
    result = np.empty((data.shape[0], data.shape[1] + 1), np.uint8)
    step = max(AT_HAND // data.shape[1], 1)
    for top in range(0, len(data), step):
        rows = slice(top, top + step)
        _filter(data[rows], above if top == 0 else data[top - 1 : top], pixel, result[rows])
    return result


def _filter(data: NDArray[np.uint8], above: NDArray[np.uint8], pixel: int, result: NDArray[np.uint8]) -> None:
    before = data.copy()
    before[:, pixel:] -= data[:, :-pixel]
    over = data - np.concatenate([above, data[:-1]])
    # of a byte with a sign the size, without a wider type in between
    cost_before, cost_over = (np.minimum(part, np.negative(part)).sum(1) for part in (before, over))
    left = cost_before <= cost_over
    result[:, 0] = np.where(left, 1, 2)
    result[:, 1:] = before
    result[~left, 1:] = over[~left]
