"""Write picture files, whole or not at all; mode, profile, EXIF and alpha stay where the format has them."""

import io
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from ..errors import DiskError, OptionError, PictureError
from . import color, exif, png, profiles, tiff
from .canvas import Canvas
from .color import Parts
from .depth import Pixels, to_16
from .picture import Picture
from .place import check_place
from .quiet import unlimited

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Format:
    """What a file format can hold.

    Attributes:
        name: as Pillow calls it.
        modes: the Pillow modes it holds; another is turned into the nearest of these.
        deep: whether it holds 16-bit grey and colours.
        longest: the longest side in pixels.
        area: the most pixels in all.
    """

    name: str
    modes: frozenset[str]
    deep: bool = False
    longest: int = 2**31 - 1
    area: int = 2**62


_JPEG = Format(name="JPEG", modes=frozenset(["L", "RGB", "CMYK"]), longest=65500)
_PNG = Format(name="PNG", modes=frozenset(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]), deep=True)
_WEBP = Format(name="WEBP", modes=frozenset(["RGB", "RGBA"]), longest=16383)
_TIFF = Format(
    name="TIFF",
    modes=frozenset(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I;16B", "I", "F"]),
    deep=True,
)
# More can be written, but libavif's readers refuse it, if nothing else is asked of them.
_AVIF = Format(name="AVIF", modes=frozenset(["L", "RGB", "RGBA"]), longest=2**15, area=2**28)

FORMATS = {
    **dict.fromkeys([".jpg", ".jpeg", ".jpe", ".jfif"], _JPEG),
    ".png": _PNG,
    ".webp": _WEBP,
    **dict.fromkeys([".tif", ".tiff"], _TIFF),
    ".avif": _AVIF,
}
"""The formats that can be written, by file extension."""


def write(path: str | os.PathLike[str], picture: Picture, *, overwrite: bool = False, quality: int = 95) -> None:
    """Write a picture in the format that the file's extension names: JPEG, PNG, WebP, TIFF or AVIF.

    Mode, colour profile, EXIF, alpha and 16 bits are kept where the format has them; else the nearest is written:
    8 bits, RGB for modes it lacks, transparent places on white. The file appears when it is complete, or not at all.

    Args:
        path: the new file, in a folder that exists.
        picture: what to write.
        overwrite: whether a file that is there may be replaced.
        quality: 1 to 100, for JPEG, WebP and AVIF.

    Raises:
        PictureError: the name, the folder or the picture's size will not do; see `check_output`.
        OptionError: quality is not 1 to 100.
        DiskError: the disk is full or cannot be written.
    """
    if not 1 <= quality <= 100:
        raise OptionError(f"quality is 1 to 100, not {quality}")
    path = check_output(path, size=(picture.height, picture.width), overwrite=overwrite)
    target = FORMATS[path.suffix.lower()]
    with _whole_file(path, overwrite=overwrite) as file:
        try:
            with unlimited:
                _encode(file, picture, target, quality)
        except (ValueError, OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise PictureError(f"{path}: cannot be written as {target.name}: {error}") from error


def encoded(picture: Picture, extension: str, *, quality: int = 90) -> bytes:
    """Return the picture as the bytes of a file with that extension, as `write` would write it.

    Raises:
        PictureError: the extension names no format, or it cannot hold the picture.
    """
    target = _target(Path(f"picture{extension}"), (picture.height, picture.width))
    buffer = io.BytesIO()
    with unlimited:
        try:
            _encode(buffer, picture, target, quality)
        except (ValueError, OSError, RuntimeError) as error:
            raise PictureError(f"{picture.name} cannot be written as {target.name}: {error}") from error
    return buffer.getvalue()


def check_output(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    overwrite: bool = False,
    makes_folder: bool = False,
) -> Path:
    """Return the path if a picture could be written there: to be asked before long work.

    Args:
        path: the new file.
        size: the picture's (height, width), where it is known.
        overwrite: whether a file that is there may be replaced.
        makes_folder: whether folders that are missing will be made.

    Raises:
        PictureError: the extension names no format, or one that cannot hold such a size or that this Pillow cannot
            write; or as `check_place`.
        DiskError: the folder cannot be written.
    """
    path = Path(path)
    _target(path, size or (1, 1))
    return check_place(path, overwrite=overwrite, makes_folder=makes_folder)


def _target(path: Path, size: tuple[int, int]) -> Format:
    """The format that the extension names.

    Raises:
        PictureError: it names none, or one that cannot hold such a (height, width) or that this Pillow cannot write.
    """
    target = FORMATS.get(path.suffix.lower())
    if target is None:
        known = ", ".join(FORMATS)
        raise PictureError(f"{path}: the extension {path.suffix!r} names no format that can be written ({known})")
    if target.name == "AVIF" and "AVIF" not in _writers():
        raise PictureError(f"{path}: this Pillow cannot write AVIF (11.3 or newer can): use another format")
    height, width = size
    if max(height, width) > target.longest or height * width > target.area:
        limit = f"{target.longest} a side" if max(height, width) > target.longest else f"{target.area} in all"
        raise PictureError(
            f"{path}: {width} x {height} pixels are more than {target.name} can hold ({limit}): use PNG or TIFF"
        )
    return target


def _writers() -> dict[str, Any]:
    if "AVIF" not in Image.SAVE:
        Image.init()
    return Image.SAVE


def _encode(file: BinaryIO, picture: Picture, target: Format, quality: int) -> None:
    """Write the picture to an open file in a mode that the format has."""
    deep_values = picture.pixels.dtype == np.uint16 and target.deep
    camera = picture.exif and exif.sized(picture.exif, picture.height, picture.width)
    mode = _nearest_mode(picture, target, deep_values=deep_values)
    if picture.alpha is not None and mode not in color.WITH_ALPHA:
        picture = picture.compose_on_white()
    icc = picture.icc
    if icc is not None and not profiles.fits(icc, color.base_of(mode)):
        icc = None
    parts = picture.parts(mode, icc)
    deep = mode.startswith("I;16") or deep_values
    if target.name in ("PNG", "TIFF") and mode in ("L", "LA", "RGB", "RGBA", "I;16", "I;16B"):
        encode = png.write if target.name == "PNG" else tiff.write
        encode(file, _canvas(parts, np.uint16 if deep else np.uint8, camera))
    else:
        settings = _settings(target, mode, quality, camera)
        color.put_together(parts).save(file, target.name, icc_profile=icc, **settings)


def _nearest_mode(picture: Picture, target: Format, *, deep_values: bool) -> str:
    """The mode of the format that loses least of the picture."""
    transparent = picture.alpha is not None
    mode = picture.mode if transparent else color.OPAQUE.get(picture.mode, picture.mode)
    held = target.modes - ({"P"} if target.name == "TIFF" and transparent else set())
    if deep_values and target.name == "TIFF":  # few programs read a TIFF of 16-bit grey with alpha
        held -= {"LA"}
    if mode in held and (mode in color.WITH_ALPHA or not transparent):
        return mode
    if mode in color.DEEP_GREY and not transparent and "I;16" in held:
        return "I;16"
    wanted = ("LA", "RGBA", "L", "RGB") if mode in color.GREY else ("RGBA", "RGB")
    return next(name for name in wanted if name in held and (transparent or name in ("L", "RGB")))


def _canvas(parts: Parts, dtype: type[np.unsignedinteger[Any]], camera: bytes | None) -> Canvas:
    """The picture as rows of 8- or 16-bit values; `camera` is its EXIF."""
    grey = parts.mode in color.GREY
    channels = (1 if grey else 3) + (parts.alpha is not None)

    def rows(chosen: slice) -> Pixels:
        alpha = None if parts.alpha is None else parts.alpha[chosen]
        if dtype is np.uint8:
            own = None if parts.own is None else parts.own[chosen]
            strip = replace(parts, pixels=parts.pixels[chosen], alpha=alpha, own=own)
            return np.asarray(color.put_together(strip)).reshape(-1, parts.pixels.shape[1], channels)
        colors = color.deep_strip(parts, chosen)
        planes = [color.luma(colors)[..., None] if grey else colors]
        return np.concatenate(planes if alpha is None else [*planes, to_16(alpha)[..., None]], axis=2)

    shape = (*parts.pixels.shape[:2], channels)
    return Canvas(shape=shape, dtype=dtype, rows=rows, icc=parts.icc, exif=camera)


def _settings(target: Format, mode: str, quality: int, camera: bytes | None) -> dict[str, Any]:
    """What Pillow's encoder of the format is asked for; `camera` is the picture's EXIF."""
    settings: dict[str, Any] = {}
    if target.name in ("JPEG", "WEBP", "AVIF"):
        settings["quality"] = quality
    if target.name in ("JPEG", "AVIF") and mode != "L":
        settings["subsampling"] = "4:4:4" if quality >= 90 else "4:2:0"
    if target.name == "TIFF":
        settings["exif"] = exif.tags_of(camera, exif.DESCRIPTIVE)
    elif target.name == "AVIF":  # Pillow takes it to pieces
        settings["exif"] = exif.tags_of(camera) or None
    elif camera is not None and target.name == "JPEG" and len(camera) > 65533:
        log.warning("EXIF of %d bytes is too long for a JPEG and left out", len(camera))
    elif camera is not None:
        settings["exif"] = camera
    return settings


class _Sink(io.BufferedWriter):
    """A file that hides its descriptor, so that encoders write through Python and a full disk is told as such."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


@contextmanager
def _whole_file(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends well, and vanishes otherwise.

    Raises:
        DiskError: the disk is full or cannot be written.
        PictureError: a file of that name has appeared meanwhile.
    """
    final = Path(os.path.realpath(path))  # a link stays, and what it points to is replaced
    temporary = final.with_name(f".sfumato-{secrets.token_hex(6)}.tmp")
    try:
        raw = io.FileIO(temporary, "xb")
        with _Sink(raw) as file:
            yield file
            file.flush()
            os.fsync(raw.fileno())
        check_place(path, overwrite=overwrite)
        os.replace(temporary, final)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise DiskError(f"{path}: cannot be written: {error.strerror or error}") from error
        raise
