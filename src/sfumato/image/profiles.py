"""Colour profiles (ICC): to sRGB for work, and back to the source's own profile on output.

8-bit pixels go through LittleCMS. Pillow offers it no 16-bit colours, so 16-bit pixels are converted here, by the
profile's curves and matrix (ICC.1:2022, annex F); a profile made of tables has none, and then only the difference
that the 8-bit conversion makes is added to the 16-bit pixels. Colours outside sRGB are clipped, and others rounded.

That is for work only. A picture of a file remembers its own values (`own.Own`): of grey, RGB, CMYK and Lab, with or
without alpha, of 8 and 16 bits. Pixels whose sRGB is the one that was read leave with exactly these; what was changed
is converted back. A picture forgets them with another size, depth, profile or kind of colour, as when grey becomes RGB.

Shapes: H W pixels; arrays are (H, W, 3) in the colour space named.
"""

import io
import logging
import struct
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from .depth import STRIP, Pixels, strips, to_8

log = logging.getLogger(__name__)

LAB = b"Lab"
"""Stands for a profile of the CIE Lab space itself, which images of mode LAB are in without another."""

# The colour space of a Pillow mode, as an ICC header names it.
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}

# Bradford-adapted sRGB primaries, linear sRGB -> XYZ of the profile connection space (D50).
_SRGB_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]],
    dtype=np.float64,
)


def usable(icc: bytes | None, base: str, name: object) -> bytes | None:
    """Return `icc` where it can convert pixels of mode `base` ("L", "RGB", "CMYK" or "LAB"); else None.

    A damaged or mismatched profile is told to the log with the picture's `name`, and the picture taken as sRGB.
    """
    if icc is None:
        return None
    try:
        if fits(icc, base):
            for inverse in (False, True):
                transform(icc, _mode_for(icc, base), inverse=inverse)
            return icc
        reason = f"is for {space_of(icc) or 'unknown'} pixels, not {_SPACES[base]}"
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError) as error:
        reason = f"is damaged ({str(error).strip() or type(error).__name__})"
    log.warning("%s: its colour profile %s; the picture is taken as sRGB", name, reason)
    return None


def fits(icc: bytes, base: str) -> bool:
    """Whether a profile can describe pixels of mode `base`; one for colours can describe grey too."""
    return space_of(icc) == _SPACES[_mode_for(icc, base)]


def converts(icc: bytes | None, base: str) -> bool:
    """Whether pixels of mode `base` are other ones in sRGB, or on their way back; `icc` is None or `usable`."""
    if icc is None:
        return base in ("CMYK", "LAB")
    mode = _mode_for(icc, base)
    return any(transform(icc, mode, inverse=inverse) is not None for inverse in (False, True))


def apply(image: Image.Image, icc: bytes, base: str, *, inverse: bool) -> Image.Image:
    """Convert an 8-bit image to sRGB, or an sRGB image to the profile's space; the image may be changed in place.

    Args:
        image: an image of mode `base` or one that Pillow converts to it; RGB where `inverse`.
        icc: a profile that `usable` let pass, or LAB.
        base: "L", "RGB", "CMYK" or "LAB".
        inverse: from sRGB to the profile's space.
    """
    mode = _mode_for(icc, base)
    conversion = transform(icc, mode, inverse=inverse)
    if not inverse and image.mode != mode:
        image = image.convert(mode)
    if conversion is None:
        return image
    changed = ImageCms.applyTransform(image, conversion, inPlace=mode == "RGB")
    return image if changed is None else changed


@lru_cache(maxsize=16)
def space_of(icc: bytes) -> str:
    """The colour space of a profile: "RGB", "GRAY", "CMYK", "Lab" ...

    Raises:
        OSError: the profile is damaged.
    """
    return str(_opened(icc).profile.xcolor_space).strip()


def _opened(icc: bytes) -> ImageCms.ImageCmsProfile:
    profile = ImageCms.createProfile("LAB") if icc == LAB else io.BytesIO(icc)
    return ImageCms.ImageCmsProfile(profile)


def _mode_for(icc: bytes, base: str) -> str:
    """The mode to convert in: `base`, but RGB where grey pixels carry a profile for colours."""
    return "RGB" if base == "L" and space_of(icc) == "RGB" else base


@lru_cache(maxsize=16)
def transform(icc: bytes, mode: str, *, inverse: bool) -> ImageCms.ImageCmsTransform | None:
    """The conversion of 8-bit images of `mode` to sRGB, or from sRGB; None where it would change nothing.

    Raises:
        OSError, PyCMSError: the profile is damaged or cannot convert such pixels.
    """
    srgb = ImageCms.createProfile("sRGB")
    first, last = ((srgb, "RGB"), (_opened(icc), mode)) if inverse else ((_opened(icc), mode), (srgb, "RGB"))
    result = ImageCms.buildTransform(
        first[0],
        last[0],
        first[1],
        last[1],
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if mode != "RGB":
        return result
    steps = np.linspace(0, 255, 17).astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(17, -1, 3)
    changed = ImageCms.applyTransform(Image.fromarray(lattice), result)
    return result if np.abs(np.asarray(changed).astype(int) - lattice).max() > 1 else None


def convert(pixels: Pixels, icc: bytes, *, inverse: bool) -> Pixels:
    """Convert 16-bit (H, W, 3) pixels from the profile's space to sRGB, or from sRGB to it, in place.

    Grey pixels carry the same value three times, before and after.
    """
    own = space_of(icc)
    if own == "RGB" and transform(icc, "RGB", inverse=inverse) is None:
        return pixels
    curves, matrix = _curves(icc)
    for rows in strips(pixels, STRIP // 4):
        if curves is None or matrix is None:
            pixels[rows] = _by_difference(pixels[rows], icc, grey=own == "GRAY", inverse=inverse)
        elif inverse:
            pixels[rows] = _to_codes(_srgb_curve()[pixels[rows]] @ np.linalg.inv(matrix).T.astype(np.float32), curves)
        else:
            linear = np.stack([curve[pixels[rows][..., i]] for i, curve in enumerate(curves)], -1)
            pixels[rows] = _to_srgb_codes(linear @ matrix.T.astype(np.float32))
    return pixels


def _by_difference(pixels: Pixels, icc: bytes, *, grey: bool, inverse: bool) -> Pixels:
    """16-bit pixels changed by what the 8-bit conversion changes: exact to half a step of 8 bits."""
    mode = "L" if grey else "RGB"
    small = to_8(pixels)
    changed = np.asarray(apply(Image.fromarray(small), icc, mode, inverse=inverse).convert("RGB"))
    shifted = pixels.astype(np.int32) + (changed.astype(np.int32) - small) * 257
    return shifted.clip(0, 65535).astype(np.uint16)


@lru_cache(maxsize=8)
def _curves(icc: bytes) -> tuple[NDArray[np.float32] | None, NDArray[np.float64] | None]:
    """Three tables (3, 65536) from 16-bit codes to linear light, and the matrix to linear sRGB; None, None without."""
    try:
        (count,) = struct.unpack_from(">I", icc, 128)
        tags = {}
        for entry in range(132, 132 + 12 * count, 12):
            name, start, size = struct.unpack_from(">4sII", icc, entry)
            tags[name] = icc[start : start + size]
        if b"kTRC" in tags:
            return np.stack([_curve(tags[b"kTRC"])] * 3), np.eye(3)
        if b"A2B0" in tags or b"rXYZ" not in tags:
            return None, None
        columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
        matrix = np.linalg.inv(_SRGB_TO_XYZ) @ (np.array(columns).T / 65536)
        return (curves, matrix) if abs(np.linalg.det(matrix)) > 1e-6 else (None, None)
    except (struct.error, KeyError, ValueError, ZeroDivisionError) as error:
        log.debug("a colour profile without readable curves: %s", error)
        return None, None


def _curve(tag: bytes) -> NDArray[np.float32]:
    """A tone curve, type "curv" or "para", as a table of 65536 values in [0, 1]."""
    x = np.linspace(0, 1, 65536)
    kind, count = struct.unpack_from(">4s4xI", tag)
    if kind == b"para":
        return _parametric(tag, count >> 16, x)
    if kind != b"curv":
        raise ValueError(f"an unknown curve {kind!r}")
    values = np.frombuffer(tag, ">u2", count, 12)
    if count == 0:
        y = x
    elif count == 1:
        y = x ** (values[0] / 256)
    else:
        y = np.interp(x, np.linspace(0, 1, count), values / 65535)
    return np.asarray(y, np.float32)


def _parametric(tag: bytes, form: int, x: NDArray[np.float64]) -> NDArray[np.float32]:
    """ICC.1:2022, table 68: y = (a x + b)^g + e where x >= d, else c x + f."""
    given = struct.unpack_from(f">{(1, 3, 4, 5, 7)[form] if form < 5 else 0}i", tag, 12)
    if not given:
        raise ValueError(f"an unknown parametric curve {form}")
    g, a, b, c, d, e, f = [value / 65536 for value in given] + [0.0] * (7 - len(given))
    if form == 0:
        a = 1.0
    elif form in (1, 2):  # the third number is what is added above and below the knee, 0 in form 1
        c, d, e, f = 0.0, -b / a, c, c
    with np.errstate(all="ignore"):  # a damaged profile's numbers
        upper = np.maximum(a * x + b, 0) ** g + e
    return np.asarray(np.nan_to_num(np.where(x >= d, upper, c * x + f).clip(0, 1)), np.float32)


@lru_cache(maxsize=1)
def _srgb_curve() -> NDArray[np.float32]:
    x = np.linspace(0, 1, 65536)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _to_srgb_codes(linear: NDArray[np.float32]) -> Pixels:
    linear = linear.clip(0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    codes: Pixels = np.rint(encoded * 65535).astype(np.uint16)
    return codes


def _to_codes(linear: NDArray[Any], curves: NDArray[np.float32]) -> Pixels:
    """The codes whose curves give these values in linear light, (H, W, 3)."""
    codes = np.arange(65536)
    parts = [np.interp(linear[..., i], curve, codes) for i, curve in enumerate(curves)]
    result: Pixels = np.rint(np.stack(parts, -1)).astype(np.uint16)
    return result
