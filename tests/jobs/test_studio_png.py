"""Grey PNG files as the studio's page writes and reads them: a zone goes to the server and comes back byte for byte."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import cv2
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """A page with the functions, and nothing that calls them."""
    with (
        browsers.static_files(Path(__file__).parent.parent / "page") as address,
        browsers.visit(browser, f"{address}/editor.html") as seen,
    ):
        seen.page.wait_for_function("() => window.decoded")
        yield seen.page


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (160, 120)])
def test_grey_png_files_come_through_byte_for_byte(page, size):
    rng = np.random.default_rng(0)
    width, height = size
    smooth = np.add.outer(np.arange(height), 2 * np.arange(width)).astype(np.uint8)
    for values in (rng.integers(0, 256, (height, width), np.uint8), smooth):
        made = page.evaluate(
            "async ([v, w, h]) => [...new Uint8Array(await (await encoded(Uint8Array.from(v), w, h)).arrayBuffer())]",
            [values.ravel().tolist(), width, height],
        )
        picture = Image.open(io.BytesIO(bytes(made)))
        assert picture.mode == "L"
        assert np.array_equal(np.asarray(picture), values)
        ok, file = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED])
        assert ok
        back = page.evaluate("async (b) => [...(await decoded(Uint8Array.from(b))).values]", file.tolist())
        assert np.array_equal(np.reshape(back, (height, width)), values)


def test_every_filter_of_png_is_read(page):
    rng = np.random.default_rng(3)
    values = rng.integers(0, 256, (5, 9), np.uint8)
    made = page.evaluate("async (b) => [...(await decoded(Uint8Array.from(b))).values]", list(filtered(values)))
    assert np.array_equal(np.reshape(made, values.shape), values)


def filtered(values: np.ndarray) -> bytes:
    """A PNG file whose rows use the five filters in turn (PNG specification, section 9)."""
    rows = b""
    padded = np.pad(values.astype(int), ((1, 0), (1, 0)))
    for y, row in enumerate(values.astype(int)):
        left, up, corner = padded[y + 1, :-1], padded[y, 1:], padded[y, :-1]
        guess = left + up - corner
        a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        expected = [np.zeros_like(row), left, up, (left + up) // 2, paeth][y % 5]
        rows += bytes([y % 5]) + ((row - expected) % 256).astype(np.uint8).tobytes()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_picture_that_is_not_grey_is_refused(page):
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    told = page.evaluate("(b) => decoded(Uint8Array.from(b)).catch((e) => e.message)", list(file.getvalue()))
    assert "grey" in told
