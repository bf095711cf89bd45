"""Drawn small, kept large: strokes keep their share of the picture, edges are as sharp as the picture's own.

A model's strokes have a size in pixels, so a large picture gets fine ones. Here the drawing is made of a small copy.
Around each pixel of it the drawing is taken as a linear function of the copy's colours, which is then applied to the
picture itself (the fast guided filter, see `image.guided`); what no such function explains, the strokes, is enlarged.

Shapes: H W pixels of the picture, h w pixels of a part of it or of the small copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import Cancelled
from ..image import Box, Picture, Source, from_any, quantize, resize
from ..image.guided import coefficients
from ..nets.colors import keep_luminance
from ..options import Options
from ..progress import Report
from .masks import Masks, plane_of

RADIUS = 4
"""Half the side of the guided filter's windows in pixels of the small copy."""
EPSILON = 1e-3
"""Its regularisation, for colours in [0, 1]."""
STRIP = 2**20
"""Pixels that are enlarged at once."""
WORTH = 8
"""So many enlarged pixels count as one that is drawn, when it is told how far the work is."""


class Artist(Protocol):
    """A Translator or a Painter."""

    @property
    def takes_style(self) -> bool:
        """Whether it takes styles beside the picture."""

    def translate_picture(
        self,
        picture: Picture,
        styles: Sequence[Source],
        options: Options,
        *,
        masks: Sequence[Source],
        progress: Report | None,
    ) -> Picture:
        """A picture in those styles."""


@dataclass(frozen=True, kw_only=True)
class Finish:
    """What is done to each pixel of a result, after the model."""

    options: Options
    masks: Masks | None
    mixed: bool
    """Whether a strength below 1 is a mix of pixels, as the model knows no half way."""

    def __call__(self, result: Tensor, content: Callable[[Box], Tensor], box: Box) -> Tensor:
        """The result (1, 3, h, w) of a box -> what is kept; `content` gives that of a box, where it is needed."""
        if self.mixed and self.options.strength != 1:
            result = content(box).lerp(result.clamp(0, 1), self.options.strength)
        if self.options.keep_colors == "luminance":
            result = keep_luminance(result, content(box))
        covered = None if self.masks is None else self.masks.coverage(box)
        return result if covered is None else content(box).lerp(result.clamp(0, 1), covered.to(result.device))


class Enlarger:
    """A drawing of a small copy, in the size of the picture.

    Args:
        small: the copy.
        drawn: the drawing, of the same size.
        size: height and width of the picture.
    """

    def __init__(self, small: Picture, drawn: Picture, size: tuple[int, int]) -> None:
        guide, target = (_floats(one) for one in (small, drawn))
        planes = coefficients(guide, target, RADIUS, EPSILON)
        explained = np.einsum("hwkc,hwc->hwk", planes[..., :3], guide) + planes[..., 3]
        planes[..., 3] += target - explained
        self.planes, self.width = planes.reshape(len(planes), -1), size[1]
        even = np.eye(len(planes), dtype=np.float32)
        self.rows = cv2.resize(even, (len(planes), size[0]), interpolation=cv2.INTER_CUBIC)

    def __call__(self, content: Tensor, box: Box) -> Tensor:
        """The drawing of some whole rows, from these rows of the picture (1, 3, h, W)."""
        between = (self.rows[box.top : box.bottom] @ self.planes).reshape(box.height, -1, 3, 4)
        size, result = (self.width, box.height), torch.empty_like(content)
        for k in range(3):
            grown = cv2.resize(between[:, :, k], size, interpolation=cv2.INTER_CUBIC)
            planes = torch.from_numpy(grown).movedim(2, 0).to(content.device)
            result[0, k] = (planes[:3] * content[0]).sum(0) + planes[3]
        return result


def _floats(picture: Picture) -> Any:
    return picture.pixels.astype(np.float32) / np.iinfo(picture.pixels.dtype).max


def is_small(options: Options, picture: Picture) -> bool:
    """Whether the picture is to be drawn smaller than it is."""
    return options.draw_size is not None and options.draw_size < max(picture.height, picture.width)


def enlarged(
    artist: Artist,
    picture: Picture,
    styles: Sequence[Source],
    options: Options,
    shares: Sequence[float],
    masks: Sequence[Source],
    report: Report | None,
) -> Picture:
    """The picture drawn by an artist at `draw_size`, in its own size.

    Args:
        picture: in the size that is wanted, white where it is wholly transparent.
        shares: of the styles; empty if the artist takes none.
        report: called with pixels done and their number, in which those that are drawn count for more; False cancels.

    Raises:
        OptionError: there is not one mask for each style, or one has another shape.
        Cancelled: `report` said so.
    """
    size = (picture.height, picture.width)
    finish = Finish(
        options=options,
        masks=Masks(masks, picture, size=size, shares=shares) if masks else None,
        mixed=not artist.takes_style,
    )
    small = resize(picture, longest=options.draw_size)
    drawing = WORTH * small.width * small.height
    total = drawing + picture.width * picture.height

    def told(done: int) -> bool:
        return report is None or report(done, total) is not False

    plain = replace(options, size=None, draw_size=None, strength=1.0 if finish.mixed else options.strength)
    drawn = artist.translate_picture(
        small,
        styles,
        plain,
        masks=covering(masks, small),
        progress=lambda done, whole: told(drawing * done // max(whole, 1)),
    )
    enlarger, result = Enlarger(small, drawn, size), np.empty_like(picture.pixels)
    step = max(1, STRIP // picture.width)
    for top in range(0, picture.height, step):
        box = Box(top, 0, min(top + step, picture.height), picture.width)
        result[box.slices] = quantize(finish(enlarger(picture.tensor(box), box), picture.tensor, box), result.dtype)
        if not told(drawing + box.bottom * picture.width):
            raise Cancelled("cancelled")
    return picture.with_pixels(result)


def covering(masks: Sequence[Source], small: Picture) -> list[Picture]:
    """The masks for a small copy: the same shares of the styles, no place left out. None where they say nothing.

    What they leave out is left out of the enlarged result, along their own borders.
    """
    if len(masks) < 2:
        return []
    planes = np.stack([plane_of(from_any(mask), small) for mask in masks]).astype(np.float32)
    most = planes.max(0)
    full = np.rint(np.where(most > 0, planes * (255 / most.clip(1)), 255)).astype(np.uint8)
    return [Picture(pixels=np.repeat(plane[..., None], 3, 2), mode="L") for plane in full]
