"""How many bits a pixel's value has: 8, 16, or floating point in [0, 1]; and work in strips to spare memory.

Shapes: H W pixels, C channels, B batch.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import FailedError

if TYPE_CHECKING:
    from torch import Tensor

Pixels: TypeAlias = NDArray[Any]
"""Values of type uint8 or uint16, whose largest value is white; (H, W, 3) or (H, W)."""

STRIP = 2**22
"""How many pixels are worked on at once."""


def strips(array: NDArray[Any], area: int = STRIP) -> Iterator[slice]:
    """Cut the rows of an array (H, W, ...) into strips of about `area` pixels."""
    height, width = array.shape[:2]
    step = max(area // max(width, 1), 1)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def to_8(pixels: Pixels) -> Pixels:
    """Return the values rounded to 8 bits; the same array where they are so already. White stays white."""
    if pixels.dtype == np.uint8:
        return pixels
    result = np.empty(pixels.shape, np.uint8)
    for rows in strips(pixels):
        result[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return result


def to_16(pixels: Pixels) -> Pixels:
    """Return the values spread to 16 bits; the same array where they are so already. White stays white."""
    return pixels if pixels.dtype == np.uint16 else np.multiply(pixels, 257, dtype=np.uint16)


def quantize(values: "NDArray[Any] | Tensor", dtype: DTypeLike = np.uint8) -> Pixels:
    """Round values in [0, 1] to the nearest of 256 (uint8) or 65536 (uint16); values outside are clipped.

    Args:
        values: an array of any shape, which is kept, or a tensor (1, 3, H, W) or (3, H, W), which becomes (H, W, 3).
        dtype: np.uint8 or np.uint16.

    Raises:
        FailedError: a value is not a number or infinite.
    """
    if not isinstance(values, np.ndarray):
        values = from_tensor(values)
    white = np.iinfo(np.dtype(dtype)).max
    with np.errstate(over="ignore"):
        scaled = np.multiply(values, white, dtype=np.float64 if values.dtype == np.float64 else np.float32)
    if scaled.size and not (np.isfinite(scaled.min()) and np.isfinite(scaled.max())):
        raise FailedError("the picture has values that are not finite numbers (NaN or infinite)")
    np.rint(scaled, out=scaled)
    return np.clip(scaled, 0, white, out=scaled).astype(dtype)


def from_tensor(tensor: "Tensor") -> NDArray[np.float32]:
    """Return a tensor (1, C, H, W) or (C, H, W) as an array (H, W, C) on the same memory where it can be."""
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    return array.transpose(1, 2, 0)
