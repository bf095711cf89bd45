"""Read picture files: upright, in sRGB, with all their bits; whatever is wrong with one becomes one clear sentence."""

import logging
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import PictureError, SfumatoError
from . import color, deep, exif, tiff
from .depth import Pixels
from .own import Own
from .picture import Picture
from .quiet import silenced, unlimited

log = logging.getLogger(__name__)

LIMIT_MP = 256.0
"""The most megapixels that a file may have, if nothing else is asked for."""

# HEIF only where the caller has registered a reader of it with Pillow.
READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "BMP", "HEIF")

_HEIC = "is an HEIC picture, which cannot be read: export it as JPEG or PNG"
_LINES = "a drawing of lines, not of pixels: export it as PNG"
_TIFF = "is a TIFF that is damaged or of an unusual kind: save it as RGB with 8 or 16 bits"
_FILM = "is a film, not a picture"
_PAGE = "is a web page, not a picture: its download went wrong"

# What files that are no picture, or none that can be read, hold at a place, and what to say of them.
_STRANGERS = (
    (0, b"%pdf", "is a PDF document: export its page as PNG"),
    (0, b"%!ps", f"is PostScript, {_LINES}"),
    (0, b"<svg", f"is SVG, {_LINES}"),
    (0, b"<!doctype html", _PAGE),
    (0, b"<html", _PAGE),
    (0, b"ii*\0", _TIFF),
    (0, b"mm\0*", _TIFF),
    (0, b"8bps", "is a Photoshop document: export it as TIFF or PNG"),
    (0, b"gimp xcf", "is a GIMP document: export it as TIFF or PNG"),
    (0, b"pk\x03\x04", "is a ZIP archive, not a picture"),
    (0, b"version https://git-lfs", "is a Git LFS pointer, not a picture: run `git lfs pull`"),
    (0, b"\xff\x0a", "is a JPEG XL picture, which cannot be read: export it as PNG"),
    (4, b"jxl ", "is a JPEG XL picture, which cannot be read: export it as PNG"),
    (4, b"jp  ", "is a JPEG 2000 picture, which cannot be read: export it as TIFF or PNG"),
    (4, b"ftypavi", "is an AVIF picture that is damaged, or needs a newer Pillow (11.3 reads AVIF)"),
    (4, b"ftyphe", _HEIC),
    (4, b"ftypmif1", _HEIC),
    (4, b"ftypcrx", "is a raw camera file: develop it to TIFF or JPEG"),
    (4, b"ftypqt", _FILM),
    (4, b"ftypmp4", _FILM),
    (4, b"ftypiso", _FILM),
)

_KINDS = {_HEIC: "heic"}


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a picture file says of itself before a pixel is read."""

    format: str
    """As Pillow calls it; one of `READABLE`."""
    height: int
    width: int
    """Before it is turned upright."""
    frames: int
    """More than one: it moves, or has pages; only the first is ever read."""
    profile: bool
    """Whether it holds a colour profile, be it a damaged one."""


def read(
    path: str | os.PathLike[str], *, limit_mp: float | None = LIMIT_MP, formats: Sequence[str] = READABLE
) -> Picture:
    """Read a picture file: JPEG, PNG, WebP, TIFF, AVIF, GIF or BMP; of several frames or pages the first.

    The pixels are upright (EXIF orientation applied) and in sRGB, with 16 bits where the file has more than 8.

    Args:
        path: the file.
        limit_mp: the most megapixels that its header may name; None allows any number.
        formats: those of `READABLE` that it may have; no reader of another sees the file.

    Raises:
        PictureError: there is no such file, it is none of these formats, is damaged, cut off or too large.
    """
    path = Path(path)
    with _reading(path), _opened(path, formats) as image:
        return decode(image, path=path, limit_mp=limit_mp)


def size_of(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return the height and width in the header of a picture file, before it is turned upright; no pixel is read.

    Raises:
        PictureError: there is no such file, it is none of the formats, or its header is damaged.
    """
    found = header_of(path)
    return found.height, found.width


def header_of(path: str | os.PathLike[str], *, formats: Sequence[str] = READABLE) -> Header:
    """Return what the header of a picture file tells.

    Args:
        path: the file.
        formats: those of `READABLE` that it may have.

    Raises:
        PictureError: there is no such file, it is none of the formats, or its header is damaged.
    """
    path = Path(path)
    with _reading(path), _opened(path, formats) as image:
        kind = "JPEG" if image.format == "MPO" else str(image.format)  # a JPEG with further pictures behind it
        frames = 1 if kind == "JPEG" else int(getattr(image, "n_frames", 1))
        profile = bool(image.info.get("icc_profile"))
        return Header(format=kind, height=image.height, width=image.width, frames=frames, profile=profile)


def read_labels(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Return what stands in a picture of labels: (H, W) numbers if it is grey or has a palette, else colours (H, W, 3).

    The numbers of a palette are the places in it; neither profile nor orientation is looked at.

    Raises:
        PictureError: as `read`, or numbers are above 255.
    """
    path = Path(path)
    with _reading(path), _opened(path, READABLE) as image:
        if image.mode not in ("1", "L", "P", "I", "I;16", "I;16B"):
            values = np.asarray(image.convert("L" if image.mode == "LA" else "RGB"))
        else:
            values = np.asarray(image)
    if (largest := int(values.max())) > 255:
        raise PictureError(f"{path}: holds the label {largest}; labels are 0 to 255")
    return values.astype(np.uint8)


@contextmanager
def _opened(path: Path, wanted: Sequence[str]) -> Iterator[Image.Image]:
    _check_file(path)
    formats = [name for name in wanted if name in _readers()]
    try:
        with silenced if _is_talkative(path) else nullcontext():
            opened = Image.open(path, formats=formats)
        with opened as image:
            yield image
    except UnidentifiedImageError as error:
        what, kind = _stranger(path, wanted)
        raise PictureError(f"{path}: {what}", kind) from error


def decode(image: Image.Image, *, path: Path | None = None, limit_mp: float | None = None) -> Picture:
    """Return the picture of a Pillow image, loaded or not; see `read`.

    Args:
        image: the image; only its file's own frame or page that is current is looked at.
        path: the file that it is being read from, where 16-bit colours, which Pillow cannot hold, are read from anew.
        limit_mp: the most megapixels it may have; None allows any number.

    Raises:
        PictureError: it is damaged or too large.
    """
    name = path or "the picture"
    with _reading(name):
        megapixels = image.width * image.height / 1e6
        if limit_mp is not None and not megapixels <= limit_mp:  # NaN allows nothing
            raise PictureError(
                f"{name}: {image.width} x {image.height} pixels are {megapixels:.1f} megapixels, more than the limit"
                f" of {limit_mp:g}: raise limit_mp (--limit-mp) to use it"
            )
        if 0 in image.size:
            raise PictureError(f"{name}: has no pixels ({image.width} x {image.height})")
        held = deep.stored(image) if path is not None else None
        if held is None or not held.in_planes:
            with silenced if image.format in ("TIFF", "AVIF") else nullcontext():
                image.load()
        parts = deep.read(path, image, held) if path is not None and held is not None else None
        orientation = 1 if image.format == "TIFF" else exif.orientation_of(image)  # Pillow turns TIFF upright itself
        if parts is None:
            parts = color.take_apart(image, name)
            if path is not None and parts.mode == "I;16" and tiff.is_inverted(getattr(image, "tag_v2", {})):
                parts = replace(parts, pixels=65535 - parts.pixels, own=None)  # which Pillow does for 8 bits only
        kept = exif.exif_of(image)
    return Picture(
        pixels=np.ascontiguousarray(_upright(parts.pixels, orientation)),
        alpha=None if parts.alpha is None else np.ascontiguousarray(_upright(parts.alpha, orientation)),
        mode=parts.mode,
        icc=parts.icc,
        exif=kept,
        path=path,
        peak=parts.peak,
        own=None if parts.own is None else _kept(parts.own, orientation),
    )


def _kept(own: Own, orientation: int) -> Own:
    """Own values, upright, and what they became on memory of its own: whoever writes into pixels has changed them."""
    read = own.read.copy() if orientation == 1 else own.read  # else `np.ascontiguousarray` has copied it
    return replace(own, values=_upright(own.values, orientation), read=_upright(read, orientation))


def _check_file(path: Path) -> None:
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise PictureError(f"{path!s}: there is no such file") from error
    if stat.S_ISDIR(status.st_mode):
        raise PictureError(f"{path}: is a folder, not a picture")
    if not stat.S_ISREG(status.st_mode):
        raise PictureError(f"{path}: is not a regular file")
    if status.st_size == 0:
        raise PictureError(f"{path}: is empty (0 bytes)", "empty")


def _readers() -> dict[str, object]:
    """The formats that this Pillow can open."""
    Image.preinit()
    if any(name not in Image.OPEN for name in READABLE):
        Image.init()
    return dict(Image.OPEN)


def _is_talkative(path: Path) -> bool:
    """Whether the reader of such a file (AVIF) tells the standard error what it thinks of a damaged header."""
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"ftyp"


def _stranger(path: Path, wanted: Sequence[str]) -> tuple[str, str]:
    """Say what a file is that no reader knows, and the kind of that as `PictureError` has it."""
    with open(path, "rb") as file:
        head = file.read(1024).lower()
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<?xml") and b"<svg" in text:
        text = b"<svg"
    for place, mark, what in _STRANGERS:
        if (text if place == 0 else head).startswith(mark, place):
            if "TIFF" in wanted:
                return what, _KINDS.get(what, "unknown")
            if what is _TIFF:
                return f"is a TIFF, which is not taken here: save it as {_said(wanted, ' or ')}", "tiff"
            return what.replace("TIFF or ", ""), _KINDS.get(what, "unknown")
    return f"is not a picture of a known format ({_said(wanted, ', ')}), or its beginning is damaged", "unknown"


def _said(wanted: Sequence[str], last: str) -> str:
    """Names of formats in a sentence, but for HEIF, which is rarely there."""
    *names, final = ("WebP" if name == "WEBP" else name for name in wanted if name != "HEIF")
    return last.join([", ".join(names), final]) if names else final


def _upright(array: Pixels, orientation: int) -> Pixels:
    """The array (H, W, ...) turned and mirrored as an EXIF orientation from 1 to 8 asks, on the same memory."""
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


@contextmanager
def _reading(name: object) -> Iterator[None]:
    """Turn whatever a decoder throws at a damaged file into a PictureError that names it."""
    with unlimited:
        try:
            yield
        except (SfumatoError, UnidentifiedImageError):
            raise
        except MemoryError as error:
            raise PictureError(f"{name}: needs more memory than there is, or is damaged") from error
        except OSError as error:
            what = f"cannot be read: {error.strerror}" if error.errno else f"is damaged or cut off ({_reason(error)})"
            raise PictureError(f"{name}: {what}", "" if error.errno else "damaged") from error
        except Exception as error:  # decoders raise nearly anything: struct.error, SyntaxError, EOFError, KeyError ...
            raise PictureError(f"{name}: is damaged ({_reason(error)})", "damaged") from error


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
