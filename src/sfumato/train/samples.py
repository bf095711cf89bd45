"""Sample grids of a run, shrunk for a page that holds them itself."""

import base64
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

GRIDS = 6
"""Grids on the page: the first, the last and those evenly between."""
GRIDS_BYTES = 1_200_000
"""Room for their JPEGs: with base64 and all curves a page stays below 2 MB."""
WIDEST = 1000
"""Pixels of a grid's width; larger ones are shrunk."""


def grids(folder: Path, seen: int) -> str:
    """The sample grids up to now, the last one first; a file that is no picture is left out."""
    paths = [path for path in sorted(folder.glob("*.jpg")) if path.stem.isdecimal() and int(path.stem) <= seen]
    found = [(path, pixels) for path in reversed(chosen(paths)) if (pixels := read(path)) is not None]
    elements = [element(int(path.stem), jpeg(pixels, GRIDS_BYTES // len(found))) for path, pixels in found]
    return f'<div class="grids">\n{"".join(elements)}</div>\n' if elements else ""


def chosen(paths: Sequence[Path], count: int = GRIDS) -> list[Path]:
    """The first, the last and others evenly between, `count` at most."""
    last = len(paths) - 1
    return [paths[i] for i in sorted({round(k * last / (count - 1)) for k in range(count)})] if paths else []


def read(path: Path) -> NDArray[np.uint8] | None:
    """The pixels (H, W, 3) in OpenCV's order; None if it is no picture, as after a power cut, or cannot be read."""
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    pixels = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def jpeg(pixels: NDArray[np.uint8], room: int) -> bytes:
    """Pixels (H, W, 3), in OpenCV's order, as a JPEG of at most `room` bytes; shrunk if it must be."""
    scale = min(1.0, WIDEST / pixels.shape[1])
    while True:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()
        if len(content) <= room or max(size) == 1:
            return content
        scale *= 0.8


def element(images: int, content: bytes) -> str:
    """A grid that the page holds itself."""
    data = base64.b64encode(content).decode()
    return f'<img alt="Samples after {images:,} images" src="data:image/jpeg;base64,{data}">\n'
