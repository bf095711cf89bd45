"""Sketches in, painted pictures out, of any size.

A colouring network must know what it sees: which shape is hair, which is sky. It does at about the size that it was
trained at, so it works there (`side`), whatever the sketch's size. Colour is smooth and lines are not: what it painted
between the lines is filled in under them, evened in each area, brought to full size, and multiplied by the sketch's own
lines, which are as sharp as they came.

Shapes: B batch, H W pixels of the sketch, h w pixels at which the network works.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import cv2
import numpy as np
import torch
from annotated_types import Ge, Le
from numpy.typing import NDArray
from torch import Tensor

from ..data.lines import PAPER, Lines, normalised, sampled, seems_photograph
from ..device import autocast, pick, to_device
from ..errors import OptionError, PictureError
from ..image import Picture, Source, from_any, quantize
from ..image.depth import to_8
from ..methods.base import Colorizer
from ..nets.colors import LUMA
from ..nets.points import RADIUS, Point, point_map
from .areas import areas, evened
from .content import with_white_behind
from .loading import Given, loaded
from .precision import Precision
from .styles import read_style

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
FLAT_SIDE = 640
"""Longest side in pixels at which areas are found; beyond, a colour's border is that much softer than its line."""
THIN = 1.0
"""Pixels of a reduced drawing below which lines are not let fade."""
UNDER = 1.5
"""Pixels at the network's size by which the area under lines is widened before it is filled."""


@dataclass(frozen=True, kw_only=True)
class ColorOptions:
    strength: Annotated[float, Ge(0), Le(1)] = 1.0
    """How much colour: 0 keeps the sketch, 1 is the painting."""
    lines: Literal["own", "painted"] = "own"
    """Whose lines the result has: the sketch's own, sharp at any size, or those that the model painted."""
    flat: Annotated[float, Ge(0), Le(1)] = 1.0
    """How far each area between the sketch's own lines gets one colour: 0 leaves soft colours, 1 is a flat drawing."""
    side: Annotated[int, Ge(32), Le(2048)] | None = None
    """Longest side in pixels at which the model works; its own if none is given."""
    opaque: bool = False
    """Paint transparent paper, too; else it stays transparent."""


class Colorist:
    """A colouring model made ready for sketches of any size and kind.

    Args:
        model: a colouring model, or the name or file of one.
        device: as `device.pick` takes it.
        precision: number format; `auto` is float32, the pictures are small.

    Raises:
        OptionError: there is no such device, or the model colours no sketches.
        WeightsError: the model cannot be loaded.
    """

    def __init__(
        self,
        model: Given,
        *,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
    ) -> None:
        self.device = pick(device)
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        problem = "colours no sketches: it is a model for `sfumato stylize` or `translate`"
        self.model = to_device(loaded(model, Colorizer, problem), self.device)

    def __call__(
        self, sketch: Source, style: Source, options: ColorOptions | None = None, *, points: Sequence[Point] = ()
    ) -> Picture:
        """The sketch painted in the colours of the style: same size, alpha kept.

        Args:
            sketch: a path, a Pillow image, an array or a tensor, as `image.from_any` takes it.
            style: one of the same.
            points: colours that are wanted at places, in pixels of the sketch.

        Raises:
            PictureError: a picture cannot be read, or is too small.
            OptionError: a point lies outside.
        """
        options, picture = options or ColorOptions(), from_any(sketch)
        self._check(picture, points)
        paper = with_white_behind(picture).compose_on_white()
        lines = normalised(grey_of(paper))
        if seems_photograph(to_8(paper.pixels), lines):
            log.warning("%s looks like no drawing on white paper; colours will be poor", picture.name)
        hint = self._hint(style)
        painted, small = self._painted(lines, hint, options.side or self.model.side, points)
        if own := options.lines == "own":
            painted = under_lines(painted, small, lines, options.flat)
        result = np.empty_like(paper.pixels)  # a channel at a time: of large pictures each takes gigabytes
        cover = None if options.opaque or picture.alpha is None else unit(picture.alpha)
        if cover is not None and float(sampled(cover).mean()) < 0.5:
            log.warning("%s: most of the paper is transparent and stays so; --opaque paints it, too", picture.name)
        for k in range(3):
            plane = laid(painted[..., k], lines, own=own)
            if options.strength < 1:
                content = unit(paper.pixels[..., k])
                plane = content + np.float32(options.strength) * (plane - content)
            if cover is not None:
                plane = uncovered(plane, cover)
            result[..., k] = quantize(plane, result.dtype)
        return (paper if options.opaque else picture).with_pixels(result)

    def _check(self, picture: Picture, points: Sequence[Point]) -> None:
        if points and not self.model.takes_points:
            raise OptionError("this model takes no colours at points; it was trained without")
        for point in points:
            if not (0 <= point.x < picture.width and 0 <= point.y < picture.height):
                raise OptionError(
                    f"the point {point.x:g},{point.y:g} lies outside of {picture.name}, {picture.width} x"
                    f" {picture.height} pixels"
                )

    def _hint(self, style: Source) -> Tensor:
        picture, least = from_any(style), self.model.smallest_style
        short, long = sorted((picture.height, picture.width))
        if short < least:
            size = f"{picture.width} x {picture.height}"
            raise PictureError(f"{picture.name}: a style of {size} pixels tells too little; it needs {least} x {least}")
        # What a hint says changes with the size, so it is that of the training.
        picture = read_style(picture, max(self.model.side, -(-long * least // short)))
        with torch.inference_mode(), autocast(self.device, self.dtype):
            return self.model.encode_style(picture.tensor().to(self.device))

    def _painted(self, lines: Lines, hint: Tensor, side: int, points: Sequence[Point]) -> tuple[Floats, Lines]:
        """What the network paints, (h, w, 3), and the lines that it was given, (h, w)."""
        height, width = lines.shape
        scale = min(side, 4 * max(height, width)) / max(height, width)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        small = shrunk(lines, size)
        stride = self.model.stride
        bottom, right = (max(2, -(-n // stride)) * stride for n in size)
        # Paper all around: a mirrored sketch would be two heads.
        framed = np.pad(small, ((0, bottom - size[0]), (0, right - size[1])), constant_values=1)
        moved = [Point(x=p.x * scale, y=p.y * scale, color=p.color) for p in points]
        map_ = point_map(moved, (bottom, right), RADIUS * min(size))
        given = torch.from_numpy(map_).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode(), autocast(self.device, self.dtype):
            sketch = torch.from_numpy(framed)[None, None].to(self.device)
            result = self.model.paint(sketch, hint, given.to(self.device) if points else None)
        picture = result[0, :, : size[0], : size[1]].float().clamp(0, 1).permute(1, 2, 0).cpu().numpy()
        return np.ascontiguousarray(picture), small


def grey_of(picture: Picture) -> Floats:
    """The luminance (H, W) in [0, 1]."""
    result = np.zeros(picture.pixels.shape[:2], np.float32)
    for k, share in enumerate(LUMA):
        result += np.float32(share) * unit(picture.pixels[..., k])
    return result


def unit(pixels: NDArray[np.integer]) -> Floats:
    """Pixels in [0, 1]."""
    return np.asarray(pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max), np.float32)


def resized(values: Floats, size: tuple[int, int]) -> Floats:
    """Values (H, W) or (H, W, C) in another size (height, width): means where it is less, else bilinear."""
    kind = cv2.INTER_AREA if size[0] < values.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size[::-1], interpolation=kind), np.float32)


def shrunk(lines: Lines, size: tuple[int, int]) -> Lines:
    """Lines (H, W) in a smaller size (height, width), or a larger one: thin ones stay as dark as they were."""
    window = round(THIN * lines.shape[0] / size[0])
    if window > 1:
        lines = np.asarray(cv2.erode(lines, np.ones((window, window), np.uint8)), np.float32)
    return resized(lines, size)


def uncovered(plane: Floats, cover: Floats) -> Floats:
    """The channel (H, W) that looks like `plane` on white paper, where it covers that share of it; in [0, 1]."""
    return np.asarray(np.clip(1 - (1 - plane) / np.maximum(cover, 1e-3), 0, 1), np.float32)


def under_lines(painted: Floats, small: Lines, lines: Lines, flat: float) -> Floats:
    """What is to lie under a sketch's lines (H, W): a painting (h, w, 3), filled in under its own, small ones (h, w).

    Args:
        flat: how far areas are evened; the result is larger then, up to `FLAT_SIDE`.
    """
    area = filled(painted, small)
    if not flat:
        return area
    scale = min(1.0, FLAT_SIDE / max(lines.shape))
    size = max(1, round(lines.shape[0] * scale)), max(1, round(lines.shape[1] * scale))
    paper = shrunk(lines, size) >= PAPER
    area = resized(area, size)
    return np.asarray(area + np.float32(flat) * (evened(area, areas(paper), paper) - area), np.float32)


def laid(plane: Floats, lines: Lines, *, own: bool) -> Floats:
    """A channel (h, w) of a painting at the size of a sketch's lines (H, W), multiplied by these if they are `own`."""
    large = resized(plane, lines.shape)
    if own:
        large *= lines
    return np.asarray(np.clip(large, 0, 1, out=large), np.float32)


def filled(painted: Floats, lines: Lines) -> Floats:
    """A painting (h, w, 3) whose pixels at lines (h, w) are those around them, from near to far.

    Where there is nothing but lines for many pixels, as in hair that is drawn black, the painting stays.
    """
    known = (lines >= PAPER).astype(np.float32)
    reach = 2 * round(UNDER) + 1
    kernel = np.ones((reach, reach), np.uint8)
    known = np.asarray(cv2.erode(known, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1), np.float32)
    if not known.any():
        return painted
    result = painted * known[..., None]
    left = 1 - known
    for sigma in (1.5, 4.0):
        weight = cv2.GaussianBlur(known, (0, 0), sigma)
        around = cv2.GaussianBlur(painted * known[..., None], (0, 0), sigma) / np.maximum(weight, 1e-6)[..., None]
        share = left * np.clip(weight * 20, 0, 1)
        result, left = result + around * share[..., None], left - share
    return np.asarray(result + painted * left[..., None], np.float32)
