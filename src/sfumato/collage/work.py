"""The whole way of a collage: zone, crop, filter, model, blend.

Shapes: H W pixels of the photograph, S side of a crop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..image import Box, Picture, Pixels, Source
from ..parsing import Parts
from ..progress import Report
from .options import Options

if TYPE_CHECKING:
    from ..options import Options as Wishes


class Artist(Protocol):
    """What draws: `translate.Translator`, `translate.Painter`, or anything with this call."""

    def translate_picture(
        self,
        picture: Picture,
        styles: Sequence[Source],
        options: "Wishes | None",
        *,
        progress: Report | None,
    ) -> Picture:
        """The picture drawn anew, in its own size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """One head on its way."""

    box: Box
    """The square in the photograph; it may reach beyond it, where the photograph is mirrored."""
    mask: NDArray[np.bool_]
    """(H, W), the head's own part of the zone."""
    crop: Picture
    """What was cut out, in the photograph's pixels."""
    filtered: Picture
    """What the model was given: the crop in its size, filtered."""
    drawn: Picture
    """What the model made of it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Collage:
    """A photograph with parts of it redrawn, and every step to it."""

    photo: Picture
    mask: NDArray[np.bool_]
    """(H, W), the zone."""
    patches: tuple[Patch, ...]
    """A head each, the largest first; none if the zone is empty."""
    drawn: Pixels
    """(H, W, 3), the photograph with all drawings in their squares: what `blend` takes."""
    alpha: NDArray[np.uint8]
    """(H, W), how much of the drawing is seen."""
    result: Picture
    """The photograph's size, mode, alpha, profile and EXIF; unchanged where alpha is 0."""

    def steps(self) -> dict[str, Picture]:
        """Each step's picture by a name for its file, in order."""
        raise NotImplementedError


def collage(
    photo: Source,
    mask: "Source | None",
    translator: Artist,
    options: Options | None = None,
    *,
    styles: Sequence[Source] = (),
    parts: Parts | None = None,
    progress: Report | None = None,
) -> Collage:
    """Redraws a part of a photograph by a model and puts it back; an empty zone gives the photograph as it is.

    Args:
        photo: a path, a Pillow image, an array or a tensor, as `image.from_any` takes it.
        mask: where, white in a grey picture of the photograph's shape, or an array (H, W) of bool; None: where the
            parts are that `options` name.
        translator: any model that makes pictures.
        styles: one or several pictures, for a model that takes a style.
        parts: the photograph's; by None without a mask, `parsing.first_zone` finds them.
        progress: called with the work done and the whole, in pixels of what the model is given; False cancels.

    Raises:
        OptionError: an option is wrong, or the mask has another shape than the photograph.
        PictureError: a picture cannot be read.
        Cancelled: `progress` said so.
    """
    raise NotImplementedError


def mask_of(mask: Source, photo: Picture) -> NDArray[np.bool_]:
    """A mask as (H, W) at the photograph's size, from a grey picture or an array in any size of its shape.

    Raises:
        OptionError: it has another shape.
        PictureError: it cannot be read.
    """
    raise NotImplementedError
