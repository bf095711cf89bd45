"""The values that a picture had in its own colour profile, so that what is not changed is written as it came.

Shapes: H W pixels, C channels of the own values: 1 for grey, 3 for RGB and Lab, 4 for CMYK.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .depth import Pixels

Change: TypeAlias = Callable[[Pixels], Pixels]


@dataclass(frozen=True, kw_only=True, eq=False)
class Own:
    """Values as a file held them, and what they became in sRGB."""

    values: Pixels
    """(H, W, C), uint8 or uint16."""
    read: Pixels
    """(H, W, 3) of the same type, what was made of them."""
    base: str
    """What they are: "L", "RGB", "CMYK" or "LAB"."""
    icc: bytes | None
    """The profile that they are in."""

    def __getitem__(self, rows: slice) -> "Own":
        """Those of some rows, on the same memory."""
        return Own(values=self.values[rows], read=self.read[rows], base=self.base, icc=self.icc)

    def fits(self, pixels: Pixels, base: str, icc: bytes | None) -> bool:
        """Whether sRGB pixels (H, W, 3) that shall become `base` in a profile can be compared with these."""
        return (pixels.shape, pixels.dtype, base, icc) == (self.read.shape, self.read.dtype, self.base, self.icc)

    def put_back(self, pixels: Pixels, rounded: Change, convert: Change) -> Pixels:
        """Own values (H, W, C) where sRGB pixels (H, W, 3) are as they were read, others converted; not to be changed.

        Args:
            pixels: of the size and type of `read`, which are kept.
            rounded: brings values to the depth that is wanted.
            convert: makes values (H, W, C) of that depth of such pixels.
        """
        values, differs = rounded(self.values), pixels != self.read
        if not differs.any():
            return values
        changed = differs[..., 0] | differs[..., 1] | differs[..., 2]
        return np.where(changed[..., None], convert(pixels), values)
