"""A picture in memory, and what can be done with it without a network.

Shapes: H W pixels, C channels, B batch.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import OptionError, PictureError
from . import color, exif
from .depth import Pixels, from_tensor, quantize, strips, to_8, to_16
from .own import Own
from .tiles import Box

if TYPE_CHECKING:
    from torch import Tensor

Source: TypeAlias = "Picture | str | os.PathLike[str] | Image.Image | NDArray[Any] | Tensor"
"""Whatever can be taken for a picture, see `from_any`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture ready for work, and all that is needed to give it back as it came.

    Raises:
        PictureError: the arrays' shapes or types do not fit.
    """

    pixels: Pixels
    """(H, W, 3), sRGB, uint8 or uint16. Under a transparent place the colour may be anything."""
    alpha: Pixels | None = None
    """(H, W) of the same type, 0 is transparent; None for an opaque picture."""
    mode: str = "RGB"
    """The Pillow mode it came in, and leaves in: "L", "P", "CMYK", "RGBA", "I;16" ..."""
    icc: bytes | None = None
    """The colour profile that the source's values were in; None for sRGB."""
    exif: bytes | None = None
    """EXIF as it stands in a JPEG, with the orientation reset."""
    path: Path | None = None
    """The file it was read from."""
    peak: float = 1.0
    """The value of white in modes I and F."""
    own: Own | None = None
    """The source's own values where they are not sRGB: what leaves where `pixels` are as they were read. None once the
    size, the type, the profile or the kind of colour is another."""

    def __post_init__(self) -> None:
        arrays = [self.pixels] if self.alpha is None else [self.pixels, self.alpha]
        shape = self.pixels.shape
        if shape[2:] != (3,) or 0 in shape or (self.alpha is not None and self.alpha.shape != shape[:2]):
            raise PictureError(f"a picture needs pixels (H, W, 3) and alpha (H, W), not {[a.shape for a in arrays]}")
        if self.pixels.dtype not in (np.uint8, np.uint16) or any(a.dtype != self.pixels.dtype for a in arrays):
            raise PictureError(f"a picture needs uint8 or uint16, not {[str(array.dtype) for array in arrays]}")
        if self.own is not None and not self.own.fits(self.pixels, color.base_of(self.mode), self.icc):
            object.__setattr__(self, "own", None)

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return str(self.path) if self.path is not None else "the picture"

    def with_pixels(self, pixels: Pixels) -> "Picture":
        """The same picture with other colours (H, W, 3) of type uint8 or uint16; alpha and all else stay.

        Raises:
            PictureError: the type is another, or the size is and the picture has alpha.
        """
        alpha = self.alpha
        if alpha is not None:
            alpha = to_16(alpha) if pixels.dtype == np.uint16 else to_8(alpha)
        return replace(self, pixels=pixels, alpha=alpha)

    def tensor(self, box: Box | tuple[int, int, int, int] | None = None) -> "Tensor":
        """Return the colours as (1, 3, H, W) float32 in [0, 1]; alpha is left out.

        Args:
            box: only these pixels (top, left, bottom, right). Beyond its edges the picture goes on mirrored, without
                repeating the edge itself.
        """
        import torch

        box = Box(0, 0, self.height, self.width) if box is None else Box(*box)
        region = self.pixels[box.slices]
        if region.shape[:2] != (box.height, box.width) or min(box.top, box.left) < 0:
            rows = _mirrored(box.top, box.bottom, self.height)
            region = self.pixels[rows[:, None], _mirrored(box.left, box.right, self.width)]
        values = np.empty((1, 3, box.height, box.width), np.float32)
        np.divide(region.transpose(2, 0, 1), np.iinfo(region.dtype).max, out=values[0], dtype=np.float32)
        return torch.from_numpy(values)

    def compose_on_white(self) -> "Picture":
        """The picture as it looks on white paper: opaque, where alpha was it is mixed with white."""
        if self.alpha is None:
            return self
        white = np.iinfo(self.pixels.dtype).max
        wide = np.uint16 if self.pixels.dtype == np.uint8 else np.uint32  # whole numbers: exact, and thrice as fast
        pixels = np.empty_like(self.pixels)
        for rows in strips(self.pixels):
            ink = np.multiply(white - self.pixels[rows], self.alpha[rows, :, None], dtype=wide)
            pixels[rows] = white - (ink + white // 2) // white
        return replace(self, pixels=pixels, alpha=None, mode=color.OPAQUE.get(self.mode, self.mode))

    def to_pil(self) -> Image.Image:
        """Return a Pillow image of the picture's mode and profile, which is in `info`, as EXIF is.

        Pillow has no 16-bit colours: those are rounded to 8 bits. 16-bit grey stays so in modes I;16, I and F.
        """
        image = color.put_together(self.parts(self.mode, self.icc))
        if self.exif is not None:
            image.info["exif"] = exif.sized(self.exif, self.height, self.width)
        return image

    def parts(self, mode: str, icc: bytes | None) -> color.Parts:
        """What an image of that Pillow mode and profile is put together of."""
        own = self.own
        if own is not None and not own.fits(self.pixels, color.base_of(mode), icc):
            own = None
        return color.Parts(pixels=self.pixels, alpha=self.alpha, mode=mode, icc=icc, peak=self.peak, own=own)


def from_any(source: Source) -> Picture:
    """Return a picture from whatever the caller has.

    Args:
        source: a file's path; a Pillow image (its EXIF orientation is applied); an array (H, W), (H, W, 1 to 4) of
            uint8, uint16, bool, or floating point in [0, 1]; a tensor (C, H, W) or (1, C, H, W) in [0, 1], C 1 to 4.
            Floating-point values become 16-bit pixels. Two channels are grey and alpha, four are RGB and alpha.
            An array of 8 or 16 bits may be kept, not copied.

    Raises:
        PictureError: it is nothing of that kind, or cannot be read.
    """
    from .files import decode, read

    if isinstance(source, Picture):
        return source
    if isinstance(source, (str, os.PathLike)):
        return read(source)
    if isinstance(source, Image.Image):
        return decode(source)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if hasattr(source, "detach"):
        if source.ndim not in (3, 4) or (source.ndim == 4 and source.shape[0] != 1):
            raise PictureError(f"a tensor of one picture is (3, H, W) or (1, 3, H, W), not {tuple(source.shape)}")
        return _from_array(from_tensor(source))
    raise PictureError(f"a picture is a path, a Pillow image, an array or a tensor, not {type(source).__name__}")


def in_color(picture: Picture, *, keeps_grey: bool = False) -> Picture:
    """A grey or palette picture as one that holds any colour: what it leaves in is then RGB, or RGBA.

    Args:
        picture: any picture.
        keeps_grey: whether grey ones stay as they are.
    """
    is_grey = picture.mode in color.GREY
    if (is_grey and keeps_grey) or not (is_grey or picture.mode in ("P", "PA")):
        return picture
    mode = "RGB" if picture.alpha is None else "RGBA"
    return replace(picture, mode=mode, icc=None if is_grey else picture.icc)


def plain(picture: Picture) -> Picture:
    """The picture in sRGB, in colours, and without what a camera wrote: to be looked at."""
    return replace(in_color(picture), mode="RGB" if picture.alpha is None else "RGBA", icc=None, exif=None)


def _from_array(array: NDArray[Any]) -> Picture:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not 1 <= channels <= 4 or 0 in array.shape:
        raise PictureError(f"an array of a picture is (H, W), (H, W, 3) or (H, W, 4), not {array.shape}")
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if not (low >= -1e-3 and high <= 1 + 1e-3):
            raise PictureError(f"floating-point pixels must lie in [0, 1], these lie in [{low:.4g}, {high:.4g}]")
        array = quantize(array, np.uint16)
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype.kind == "u" and array.dtype.itemsize == 2:
        mode = "I;16" if channels == 1 else mode
        array = array.astype(np.uint16)
    elif array.dtype != np.uint8:
        raise PictureError(f"pixels must be uint8, uint16 or floating point in [0, 1], not {array.dtype}")
    array = array.reshape(*array.shape[:2], channels)
    colors, alpha = (array[..., :-1], array[..., -1]) if channels in (2, 4) else (array, None)
    pixels = np.repeat(colors, 3, axis=2) if colors.shape[2] == 1 else np.ascontiguousarray(colors)
    return Picture(pixels=pixels, alpha=None if alpha is None else np.ascontiguousarray(alpha), mode=mode)


def resize(picture: Picture, *, longest: int | None = None, size: tuple[int, int] | None = None) -> Picture:
    """Return the picture in another size, antialiased (Lanczos); colours under transparency do not bleed.

    Args:
        picture: what to resize.
        longest: the new longest side in pixels; the shape is kept.
        size: or the new (height, width), in this order, as everywhere here; Pillow's own sizes are (width, height).

    Raises:
        OptionError: not exactly one of `longest` and `size` is given, or it is below 1.
    """
    if (longest is None) == (size is None):
        raise OptionError("resize needs either longest= or size=(height, width)")
    if longest is not None:
        size = scaled(picture.height, picture.width, longest)
    if size is None or min(size) < 1:
        raise OptionError(f"cannot resize to {size}: a side needs at least 1 pixel")
    if size == (picture.height, picture.width):
        return picture
    if picture.pixels.dtype == np.uint8:
        parts = color.Parts(pixels=picture.pixels, alpha=picture.alpha, mode="RGB", icc=None)
        resized = color.take_apart(color.put_together(parts).resize(size[::-1], Image.Resampling.LANCZOS), picture.name)
        return replace(picture, pixels=resized.pixels, alpha=resized.alpha)
    return _resize_deep(picture, size)


def scaled(height: int, width: int, longest: int) -> tuple[int, int]:
    """Return the (height, width) of the same shape whose longest side is `longest`; no other is below 1."""
    scale, least = longest / max(height, width), min(longest, 1)
    return max(round(height * scale), least), max(round(width * scale), least)


def _resize_deep(picture: Picture, size: tuple[int, int]) -> Picture:
    """As `resize`, for 16-bit pixels: Pillow resizes one floating-point channel after the other."""

    def resized(channel: NDArray[Any]) -> NDArray[np.float32]:
        image = Image.fromarray(channel.astype(np.float32))
        return np.asarray(image.resize(size[::-1], Image.Resampling.LANCZOS))

    pixels = np.empty((*size, 3), np.uint16)
    opacity = None if picture.alpha is None else resized(picture.alpha)
    for i in range(3):
        channel = picture.pixels[..., i]
        if picture.alpha is None or opacity is None:
            pixels[..., i] = np.rint(resized(channel)).clip(0, 65535)
        else:
            weighted = resized(channel * (picture.alpha.astype(np.float32) / 65535))
            pixels[..., i] = np.rint(weighted * (65535 / opacity.clip(1, None))).clip(0, 65535)
    alpha = None if opacity is None else np.rint(opacity).clip(0, 65535).astype(np.uint16)
    return replace(picture, pixels=pixels, alpha=alpha)


def _mirrored(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """Indices start to stop - 1 of a side of `size` pixels that goes on mirrored beyond both ends."""
    period = max(2 * (size - 1), 1)
    index = np.arange(start, stop) % period
    return np.where(index < size, index, period - index).astype(np.intp)
