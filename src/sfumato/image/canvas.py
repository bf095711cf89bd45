"""What is written strip by strip, without a second copy of the picture: 8- or 16-bit values.

Shapes: H W pixels, C channels (grey, grey and alpha, RGB, RGB and alpha).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from numpy.typing import DTypeLike

from .depth import STRIP, Pixels


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """What is written to a file: the frame of the pixels, and the rows on demand.

    Attributes:
        shape: (H, W, C) with C from 1 to 4; 2 and 4 hold alpha last.
        dtype: np.uint8 or np.uint16.
        rows: gives some rows, (h, W, C) of that type.
        icc: the profile the values are in.
        exif: EXIF bytes, see `sfumato.image.exif`.
    """

    shape: tuple[int, int, int]
    dtype: DTypeLike
    rows: Callable[[slice], Pixels]
    icc: bytes | None
    exif: bytes | None

    @property
    def strip_height(self) -> int:
        """Rows in a strip; the last one may have fewer."""
        return min(max(STRIP // 16 // self.shape[1], 1), self.shape[0])

    def strips(self) -> Iterator[Pixels]:
        """All rows, some at a time."""
        for top in range(0, self.shape[0], self.strip_height):
            yield self.rows(slice(top, min(top + self.strip_height, self.shape[0])))
