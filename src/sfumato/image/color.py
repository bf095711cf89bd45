"""Between Pillow's image modes and the pixels that Sfumato works on: RGB in sRGB, 8 or 16 bits, alpha apart.

    into work                                      back
    1 L LA La            grey three times          luma (ITU-R BT.601), 1 is dithered
    P PA                 the palette's colours     256 colours of the result, dithered
    RGB RGBA RGBa RGBX   as they are
    CMYK YCbCr HSV LAB   by profile or formula     the same
    I;16 I F             16-bit grey               the same scale: `peak` is the value of white

Shapes: H W pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import PictureError
from . import profiles
from .depth import STRIP, Pixels, strips, to_8, to_16
from .own import Own

GREY = frozenset(["1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"])
DEEP_GREY = frozenset(["I", "F", "I;16", "I;16L", "I;16B", "I;16N"])
WITH_ALPHA = frozenset(["LA", "La", "PA", "RGBA", "RGBa", "P"])
OPAQUE = {"LA": "L", "La": "L", "PA": "P", "RGBA": "RGB", "RGBa": "RGB"}

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """The pixels of an image, taken apart.

    Attributes:
        pixels: (H, W, 3), sRGB, uint8 or uint16.
        alpha: (H, W) of the same type, or None.
        mode: the Pillow mode that holds all of it.
        icc: the profile that the image's own values are in, or None for sRGB.
        peak: the value of white in modes I and F, else 1.
        own: the image's own values, where they are others than those of `pixels`.
    """

    pixels: Pixels
    alpha: Pixels | None
    mode: str
    icc: bytes | None
    peak: float = 1.0
    own: Own | None = None


def base_of(mode: str) -> str:
    """The mode a profile speaks of: "L" for grey, "CMYK", "LAB", else "RGB"."""
    return "L" if mode in GREY else mode if mode in ("CMYK", "LAB") else "RGB"


def take_apart(image: Image.Image, name: object) -> Parts:
    """Take a loaded image apart; `name` is what the log calls it.

    Raises:
        PictureError: its mode is unknown here, or a floating-point image holds NaN.
    """
    mode, base = image.mode, base_of(image.mode)
    icc = profiles.usable(image.info.get("icc_profile") or None, base, name)
    if mode in DEEP_GREY:
        return _from_deep_grey(image, icc, name)
    transparent = image.has_transparency_data
    if transparent and mode not in WITH_ALPHA:  # a colour key
        mode = "LA" if mode in GREY else "RGBA"
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    alpha = np.empty((image.height, image.width), np.uint8) if transparent else None
    values = None
    if profiles.converts(icc, base):
        values = np.empty((image.height, image.width, Image.getmodebands(base)), np.uint8)
    for rows in strips(pixels):
        part = image.crop((0, rows.start, image.width, rows.stop))
        if alpha is not None:
            part = part.convert("LA" if mode in GREY else "RGBA")
            alpha[rows] = np.asarray(part.getchannel("A"))
        if values is not None:
            part = part if part.mode == base else part.convert(base)
            values[rows] = np.asarray(part).reshape(part.height, part.width, -1)
        pixels[rows] = np.asarray(_to_srgb(part, base, icc))
    own = None if values is None else Own(values=values, read=pixels, base=base, icc=icc)
    return Parts(pixels=pixels, alpha=alpha, mode=mode, icc=icc, own=own)


def put_together(parts: Parts) -> Image.Image:
    """Return an image of the mode that `parts` names, with the profile that it names."""
    mode = parts.mode
    if parts.alpha is not None and mode not in WITH_ALPHA:
        mode = "LA" if mode in GREY else "RGBA"
    if mode in DEEP_GREY:
        image = _to_deep_grey(parts, mode)
    else:
        image = _from_srgb(to_8(parts.pixels), mode, parts.icc) if parts.own is None else _with_own(parts, parts.own)
        if parts.alpha is not None:
            image = _with_alpha(image, to_8(parts.alpha), mode)
        elif mode in ("P", "PA"):
            image = _paletted(image, 256)
        if image.mode != mode:
            image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(mode, mode)).convert(mode)
    if parts.icc is not None:
        image.info["icc_profile"] = parts.icc
    return image


def _to_srgb(image: Image.Image, base: str, icc: bytes | None) -> Image.Image:
    """An 8-bit image as RGB in sRGB; alpha is dropped."""
    if icc is None and base != "LAB":
        return image.convert("RGB")
    return profiles.apply(image, icc or profiles.LAB, base, inverse=False)


def _from_srgb(pixels: Pixels, mode: str, icc: bytes | None) -> Image.Image:
    """8-bit sRGB pixels as an opaque image in the profile's space: "L", "RGB", "CMYK" or "LAB"."""
    image = Image.fromarray(pixels)
    base = base_of(mode)
    if icc is not None or base == "LAB":
        image = profiles.apply(image, icc or profiles.LAB, base, inverse=True)
    if image.mode != base:
        image = image.convert(base)
    return image


def _with_own(parts: Parts, own: Own) -> Image.Image:
    """As `_from_srgb`, but what is as it was read has its own values."""
    height, width = parts.pixels.shape[:2]

    def converted(pixels: Pixels) -> Pixels:
        made = np.asarray(_from_srgb(to_8(pixels), parts.mode, parts.icc))
        return made.reshape(*made.shape[:2], -1)

    image = Image.new(own.base, (width, height))
    for rows in strips(parts.pixels, STRIP // 16):
        values = own[rows].put_back(parts.pixels[rows], to_8, converted)
        image.paste(Image.frombytes(own.base, (width, len(values)), values.tobytes()), (0, rows.start))
    return image


def _paletted(image: Image.Image, colors: int, chosen: NDArray[np.bool_] | None = None) -> Image.Image:
    """At most so many colours, dithered; exact where the image, or the chosen part of it, has no more."""
    sample = image if chosen is None else Image.fromarray(np.asarray(image)[chosen][None])
    enough = max(sample.width * sample.height // 50, 1)  # the palette is refined until 2 % of the pixels change
    palette = sample.quantize(colors, method=Image.Quantize.MEDIANCUT, kmeans=enough)
    if chosen is not None:  # elsewhere a colour of the palette, from which no error spreads
        filler = np.array((palette.getpalette() or [0, 0, 0])[:3], np.uint8)
        image = Image.fromarray(np.where(chosen[..., None], np.asarray(image), filler))
    return image.quantize(colors, palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _with_alpha(image: Image.Image, alpha: NDArray[np.uint8], mode: str) -> Image.Image:
    """The opaque image with alpha, in a mode that has it."""
    if mode == "P":
        return _paletted_with_alpha(image, alpha)
    if mode == "PA":
        image = _paletted(image, 256)
    image.putalpha(Image.fromarray(alpha))
    return image


def _paletted_with_alpha(image: Image.Image, alpha: NDArray[np.uint8]) -> Image.Image:
    """256 pairs of colour and alpha: up to 16 degrees of alpha, which share the colours by how often they occur."""
    if len(np.unique(alpha)) > 16:
        alpha = np.rint(alpha / 17).astype(np.uint8) * np.uint8(17)
    levels, counts = np.unique(alpha, return_counts=True)
    counts[levels == 0] = 0
    shares = 1 + (256 - len(levels)) * counts // max(counts.sum(), 1)
    indices = np.zeros(alpha.shape, np.uint8)
    palette: list[int] = []
    for level, share in zip(levels, shares, strict=True):
        chosen = alpha == level
        reduced = _paletted(image, int(share), chosen)
        found = np.asarray(reduced)[chosen]
        found[found >= share] = 0  # Pillow fills short palettes with black
        indices[chosen] = found + len(palette) // 3
        entries = (reduced.getpalette() or [])[: 3 * share]
        palette += entries + [0] * (3 * int(share) - len(entries))
    result = Image.fromarray(indices)
    result.putpalette(palette)
    result.info["transparency"] = bytes(np.repeat(levels, shares))
    return result


def _from_deep_grey(image: Image.Image, icc: bytes | None, name: object) -> Parts:
    """Grey with more than 8 bits, as 16-bit pixels."""
    values = np.asarray(image)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise PictureError(f"{name}: holds values that are not finite numbers (NaN or infinite)")
    peak = _peak(values)
    if values.dtype.kind == "u":
        grey = values.astype(np.uint16)
    else:
        grey = np.rint(values.clip(0, peak) * (65535 / peak)).astype(np.uint16)  # what is above white is white
    key = image.info.get("transparency")
    alpha = np.where(values == key, 0, 65535).astype(np.uint16) if isinstance(key, int) else None
    pixels = np.repeat(grey[:, :, None], 3, axis=2)
    own = None
    if icc is not None:
        profiles.convert(pixels, icc, inverse=False)
        if profiles.converts(icc, "L"):
            own = Own(values=grey[:, :, None], read=pixels, base="L", icc=icc)
    mode = image.mode if alpha is None else "LA"
    return Parts(pixels=pixels, alpha=alpha, mode=mode, icc=icc, peak=peak, own=own)


def _peak(values: NDArray[np.generic]) -> float:
    """What white is: 65535 for whole numbers, 1, 255 or 65535 for fractions; the largest value where that is more.

    Fractions up to twice 1 or 255 are still of that scale: resizing and sharpening overshoot white.
    """
    if values.dtype.kind == "u":
        return 65535.0
    largest = float(values.max(initial=0))
    usual = (1.0, 255.0) if values.dtype.kind == "f" else ()
    return next((peak for peak in usual if largest <= 2 * peak), max(largest, 65535.0))


def _to_deep_grey(parts: Parts, mode: str) -> Image.Image:
    height, width = parts.pixels.shape[:2]
    grey = np.empty((height, width), np.uint16)
    for rows in strips(grey, STRIP // 16):
        grey[rows] = luma(deep_strip(parts, rows))
    if mode == "F":
        return Image.fromarray(np.multiply(grey, parts.peak / 65535, dtype=np.float32))
    if mode == "I":
        return Image.fromarray(np.rint(np.multiply(grey, parts.peak / 65535, dtype=np.float64)).astype(np.int32))
    if mode == "I;16B":
        return Image.frombytes("I;16B", (width, height), grey.astype(">u2").tobytes())
    return Image.fromarray(grey)


def deep_strip(parts: Parts, rows: slice) -> NDArray[np.uint16]:
    """Some rows as 16-bit RGB (H, W, 3) in the space of the picture's profile; not to be changed."""
    part, icc, own = to_16(parts.pixels[rows]), parts.icc, parts.own
    if icc is None:
        return part
    if own is None:
        return profiles.convert(part.copy(), icc, inverse=True)

    def converted(pixels: Pixels) -> Pixels:
        made = profiles.convert(to_16(pixels).copy(), icc, inverse=True)
        return luma(made)[..., None] if own.base == "L" else made

    return np.broadcast_to(own[rows].put_back(parts.pixels[rows], to_16, converted), part.shape)


def luma(pixels: Pixels) -> Pixels:
    """Grey (H, W) of RGB (H, W, 3), ITU-R BT.601; grey pixels keep their value."""
    result = np.empty(pixels.shape[:2], pixels.dtype)
    for rows in strips(result, STRIP // 4):
        result[rows] = np.rint(pixels[rows] @ _LUMA)
    return result
