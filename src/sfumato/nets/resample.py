"""Pictures in other sizes, also as endless patterns, and pictures to start an optimisation from.

Shapes: (1, C, H, W), float32.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from .colors import coral

Noise = Literal["gray", "uniform", "normal", "style_stats"]


def resample(images: Tensor, size: tuple[int, int], *, wraps: bool = False) -> Tensor:
    """The same in `size` (height, width), bicubic and without aliasing; values may overshoot a little.

    Args:
        wraps: the picture is one cell of an endless pattern, and stays so.
    """
    if tuple(images.shape[-2:]) == size:
        return images
    if not wraps:
        return F.interpolate(images, size, mode="bicubic", antialias=True)
    for dim in (-2, -1):
        length = size[dim]
        three = torch.cat([images] * 3, dim)  # of three cells, the one in the middle has true neighbours
        target = (3 * length, images.shape[-1]) if dim == -2 else (images.shape[-2], 3 * length)
        images = F.interpolate(three, target, mode="bicubic", antialias=True).narrow(dim, length, length)
    return images


def scaled(size: Sequence[int], factor: float, multiple: int = 1) -> tuple[int, int]:
    """Height and width times a factor, whole multiples of a number, and no less than it."""
    height, width = (max(1, round(side * factor / multiple)) * multiple for side in size)
    return height, width


def fit(images: Tensor, longest: float) -> Tensor:
    """The picture with its longest side of that many pixels, in [0, 1]."""
    size = images.shape[-2:]
    return resample(images, scaled(size, longest / max(size))).clamp(0, 1)


def cover(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The largest middle part of the picture that has the proportions of `size`, in that size, in [0, 1]."""
    factor = max(size[0] / images.shape[-2], size[1] / images.shape[-1])
    larger = scaled(images.shape[-2:], factor)
    images = resample(images, (max(larger[0], size[0]), max(larger[1], size[1]))).clamp(0, 1)
    top, left = (images.shape[-2] - size[0]) // 2, (images.shape[-1] - size[1]) // 2
    return images[..., top : top + size[0], left : left + size[1]].contiguous()


def noise(kind: Noise, size: tuple[int, int], like: Tensor, seed: int) -> Tensor:
    """Noise (1, 3, H, W) in [0, 1], the same for a seed on every device.

    Args:
        kind: `gray` (nearly flat), `uniform` in [0, 1], `normal` around 0.5, or `style_stats`: normal with the means
            and covariances of the colours of `like`.
        like: a style (1, 3, h, w); the noise is on its device.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (1, 3, *size)
    if kind in {"gray", "uniform"}:
        drawn = torch.rand(shape, generator=generator).to(like.device)
        return drawn * 0.02 + 0.49 if kind == "gray" else drawn
    drawn = torch.randn(shape, generator=generator).to(like.device)
    return (coral(drawn, like) if kind == "style_stats" else drawn * 0.25 + 0.5).clamp(0, 1)
