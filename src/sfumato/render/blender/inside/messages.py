"""Messages between Sfumato and Blender: arrays and a few words about them, over a pair of pipes.

    length of the head (4 bytes) | head: JSON {"words": {...}, "arrays": [[name, kind, shape], ...]} | the arrays

NumPy's own .npz would do, but packs and checks each array as a file of its own, which takes longer than to draw.
"""

import json
import math
import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

HELLO = b"sfumato and blender, 1\n"
"""The line that Blender's side sends first; all before it is what Blender prints when it starts."""
MOST = 1 << 26
"""Bytes of a head at most,"""
MOST_VALUES = 1 << 30
"""and of an array; more is nonsense."""
KINDS = ("<f4", "<f8", "<i4", "<u1")

Words = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def write(stream: IO[bytes], words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] | None = None) -> None:
    """Sends one message."""
    packed = {name: np.ascontiguousarray(values) for name, values in (arrays or {}).items()}
    table = [[name, values.dtype.str.replace("|", "<"), values.shape] for name, values in packed.items()]
    head = json.dumps({"words": words, "arrays": table}).encode()
    stream.write(struct.pack("<I", len(head)) + head)
    for values in packed.values():
        stream.write(values.tobytes())
    stream.flush()


def read(stream: IO[bytes]) -> tuple[Words, Arrays]:
    """The next message.

    Raises:
        EOFError: the other side has closed, or closes amid a message.
        ValueError: what comes is no message.
    """
    (size,) = struct.unpack("<I", _exactly(stream, 4))
    if size > MOST:
        raise ValueError(f"a head of {size} bytes")
    head = json.loads(_exactly(stream, size))
    match head:
        case {"words": dict() as words, "arrays": list() as table}:
            return words, dict(_array(stream, entry) for entry in table)
        case _:
            raise ValueError("a head without words and arrays")


def _array(stream: IO[bytes], entry: Any) -> tuple[str, NDArray[Any]]:
    """The name and the values of the array that the head announces so."""
    match entry:
        case [str() as name, str() as kind, list() as shape] if kind in KINDS and all(type(n) is int for n in shape):
            if min(shape, default=0) >= 0 and (count := math.prod(shape)) * np.dtype(kind).itemsize <= MOST_VALUES:
                data = _exactly(stream, count * np.dtype(kind).itemsize)
                return name, np.frombuffer(data, kind, count).reshape(shape)
    raise ValueError(f"an array {entry}")


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
