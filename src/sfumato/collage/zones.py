"""Where a collage is to be: masks cleaned up, and the heads in them told apart.

Shapes: H W pixels.
"""

import numpy as np
from numpy.typing import NDArray

from ..image import Box, Pixels
from ..parsing import Parts
from .options import Options

Mask = NDArray[np.bool_]


def zone(parts: Parts, options: Options | None = None) -> Mask:
    """Where the parts that `options` names are, cleaned up: (H, W); empty if there are none.

    Specks and holes that are small against the whole are gone, and the border is smoothed.

    Raises:
        OptionError: the parser knows no such part.
    """
    return cleaned(parts.mask((options or Options()).parts))


def cleaned(mask: Mask) -> Mask:
    """The mask (H, W) without specks and small holes, its border smoothed."""
    return mask


def heads(mask: Mask, pixels: Pixels, parts: Parts | None = None) -> list[Mask]:
    """The mask (H, W) as one mask for each head in it, each of whose pixels is in one of them; largest first.

    Args:
        pixels: the photograph (H, W, 3), in which faces are looked for.
        parts: its parts, if they are known.
    """
    return [mask]


def frame(mask: Mask, padding: float) -> Box:
    """The square around a mask (H, W) with so much around it; it may reach beyond the picture.

    Args:
        padding: on each side, as a share of the mask's box.
    """
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    side = max(1, round(max(bottom - top, right - left) * (1 + 2 * padding)))
    y, x = (top + bottom - side) // 2, (left + right - side) // 2
    return Box(y, x, y + side, x + side)
