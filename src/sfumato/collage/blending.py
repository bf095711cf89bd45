"""A drawing put into the photograph that it was made from, so that no seam shows.

Only the surroundings of the mask are worked on; where alpha is 0 the photograph stays byte for byte.

Shapes: H W pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..image import Pixels
from ..parsing import Parts
from .options import Options

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Blended:
    """A photograph with a drawing in it."""

    pixels: Pixels
    """(H, W, 3), of the photograph's type."""
    alpha: NDArray[np.uint8]
    """(H, W), how much of the drawing is seen, 255 is all of it; where it is 0 the photograph is unchanged."""


def blend(
    photo: Pixels, drawn: Pixels, mask: Mask, options: Options | None = None, *, parts: Parts | None = None
) -> Blended:
    """Puts the drawing into the photograph where the mask is; no model is at work.

    Args:
        photo: (H, W, 3), uint8 or uint16.
        drawn: (H, W, 3) of the same type; only what the mask and its surroundings cover is looked at.
        mask: (H, W), several faces may be in it.
        options: `blend`, `softness`, `color_match` and `strength` of it.
        parts: the photograph's, by which skin that meets skin is known; else colours tell.

    Raises:
        OptionError: the sizes or types differ.
    """
    raise NotImplementedError
