"""Cut a picture into tiles that can be computed one by one and put together without a seam.

A tile has two boxes. The cores are disjoint and cover the picture; the padded box is the core grown by a halo, and is
what the network is given. Only the part of the result that lies in the core is kept.

    ┌───────────────────┐ padded
    │   ┌───────────┐   │
    │   │   core    │   │   everything in pixels of the picture; (top, left) is inside, (bottom, right) is outside
    │   └───────────┘   │
    └───────────────────┘
"""

from itertools import pairwise
from typing import NamedTuple

from ..errors import OptionError


class Box(NamedTuple):
    """A rectangle of pixels: rows top to bottom - 1, columns left to right - 1."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """The number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """The index of these pixels in an array (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, outer: "Box") -> "Box":
        """This box in the frame of `outer`, whose top left corner becomes (0, 0)."""
        return Box(self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left)


class Tile(NamedTuple):
    """One piece of work: compute `padded`, keep `core`."""

    core: Box
    padded: Box

    @property
    def inner(self) -> Box:
        """The core in the frame of the padded box: what to keep of the tile's result."""
        return self.core.within(self.padded)


def tiles(height: int, width: int, tile: int, halo: int, stride: int) -> list[Tile]:
    """Return tiles that cover a picture of height x width, row by row.

    All tiles of a picture have nearly the same size, so that none is a sliver. Every edge is a multiple of `stride`,
    save the picture's own lower and right edge where its size is not.

    Args:
        height: rows of the picture, at least 1.
        width: columns of the picture, at least 1.
        tile: longest side of a core, rounded down to a multiple of `stride` (at least one stride); 0 gives one tile.
        halo: how far the padded box reaches beyond the core, rounded up to a multiple of `stride`; it ends at the
            picture's edges.
        stride: all edges are multiples of it.

    Raises:
        OptionError: a size is below 1, or `tile` or `halo` is negative.
    """
    if min(height, width, stride) < 1 or min(tile, halo) < 0:
        raise OptionError(
            f"cannot tile {height} x {width} pixels with tile={tile}, halo={halo}, stride={stride}:"
            " sizes and stride must be at least 1, tile and halo at least 0"
        )
    rows, columns = (_edges(length, tile, stride) for length in (height, width))
    result = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            padded = Box(
                _down(max(top - halo, 0), stride),
                _down(max(left - halo, 0), stride),
                min(_up(bottom + halo, stride), height),
                min(_up(right + halo, stride), width),
            )
            result.append(Tile(Box(top, left, bottom, right), padded))
    return result


def _edges(length: int, tile: int, stride: int) -> list[int]:
    """The edges of the cores along one side, from 0 to `length`."""
    longest = max(_down(tile, stride), stride) if tile else _up(length, stride)
    count = -(-length // longest)
    step = _up(-(-length // count), stride)
    return [*range(0, length, step), length]


def _down(value: int, stride: int) -> int:
    return value // stride * stride


def _up(value: int, stride: int) -> int:
    return -(-value // stride) * stride
