"""Ways to keep colours: what a stylized picture takes from the style and what from the content.

Luminance transfer and the linear matching of colours are the two of Gatys, Bethge, Hertzmann & Shechtman, "Preserving
Color in Neural Artistic Style Transfer" (arXiv:1606.05897); CORAL is the form of the second that AdaIN's authors use.

| name        | function                                | when                | depends on          |
|-------------|-----------------------------------------|---------------------|---------------------|
| `luminance` | `keep_luminance(result, content)`       | after the transfer  | each pixel alone    |
| `coral`     | `coral(style, content)`                 | before, on the style | all of the content |
| `histogram` | `match_histogram(style, content)`       | before, on the style | all of the content |

Shapes: B batch, H W pixels, h w pixels of the other picture. Pictures are (B, 3, H, W) or (3, H, W), RGB in [0, 1].
"""

from typing import Literal

import torch
from torch import Tensor

from .linalg import eigh

Colors = Literal["style", "luminance", "coral", "histogram"]
"""Where the colours of a result come from: `style`, or the content in one of the three ways above."""

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the luminance (ITU-R BT.601, as in YCbCr pictures)."""
RIDGE = 1e-3
"""Added to the squared deviations (largest 3) that CORAL divides by: a nearly grey style's noise is not blown up."""


def luminance(images: Tensor) -> Tensor:
    """The weighted sum of the colours: (..., 3, H, W) -> (..., 1, H, W)."""
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(-3, keepdim=True)


def keep_luminance(result: Tensor, content: Tensor) -> Tensor:
    """The light and dark of `result` with the colours of `content`, both (..., 3, H, W); in [0, 1].

    The luminance is exactly that of `result` (clamped to [0, 1]) and the hue that of `content`; where such a colour
    does not exist, as a deep red in a highlight, it is as strong as can be.
    """
    light = luminance(result).clamp(0, 1)
    color = content - luminance(content)
    room = torch.where(color > 0, 1 - light, light) / color.abs().clamp(min=1e-6)
    strength = room.amin(-3, keepdim=True).clamp(max=1)
    return (light + strength * color).clamp(0, 1)


def coral(source: Tensor, target: Tensor, *, as_published: bool = False) -> Tensor:
    """`source` (..., 3, H, W) with the means and covariances of the colours of `target` (..., 3, h, w); not clamped.

    Args:
        as_published: the arithmetic of AdaIN's code to the letter.

    # Differs from that code: it adds the identity to sums over pixels, not to means, so the contrast of the result
    # changes by sqrt(hw / HW) if the pictures differ in size, and the noise of a grey source becomes colour.
    """
    source_colors, _, _ = _standardized(source)
    target_colors, target_mean, target_std = _standardized(target)
    whiten = _power(_spread(source_colors, as_published), -0.5)
    recolor = _power(_spread(target_colors, as_published), 0.5)
    matched = recolor @ (whiten @ source_colors)  # (..., 3, HW)
    return (matched * target_std + target_mean).to(source.dtype).unflatten(-1, source.shape[-2:])


def _standardized(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Colours (..., 3, HW) of mean 0 and deviation 1, and what those were, (..., 3, 1), in at least float32."""
    colors = images.flatten(-2).to(torch.promote_types(images.dtype, torch.float32))
    mean = colors.mean(-1, keepdim=True)
    std = ((colors - mean).square().sum(-1, keepdim=True) / max(1, colors.shape[-1] - 1)).sqrt().clamp(min=1e-5)
    return (colors - mean) / std, mean, std


def _spread(colors: Tensor, as_published: bool) -> Tensor:
    """(..., 3, N) -> (..., 3, 3), positive definite."""
    products, identity = colors @ colors.mT, torch.eye(3, device=colors.device, dtype=colors.dtype)
    return products + identity if as_published else products / max(1, colors.shape[-1] - 1) + RIDGE * identity


def _power(matrix: Tensor, exponent: float) -> Tensor:
    """A power of symmetric positive matrices (..., 3, 3)."""
    values, vectors = eigh(matrix)
    return (vectors * values.clamp(min=1e-12).pow(exponent)[..., None, :]) @ vectors.mT


def match_histogram(source: Tensor, target: Tensor) -> Tensor:
    """`source` (..., 3, H, W) with each channel's values spread as those of `target` (..., 3, h, w) are.

    The order of values is kept, and equal values stay equal. With as many pixels, all different, the result's values
    are exactly the target's; else those in between are interpolated.
    """
    values = source.flatten(-2).contiguous()
    ordered, goal = values.sort(-1).values, target.flatten(-2).to(source.dtype).sort(-1).values
    first, last = torch.searchsorted(ordered, values), torch.searchsorted(ordered, values, right=True)
    # The middle rank of equal values, as a place among the target's; in whole numbers, exact for any number of pixels.
    top, ranks = goal.shape[-1] - 1, max(1, 2 * (values.shape[-1] - 1))
    places = (first + last - 1) * top
    below, rest = places // ranks, (places % ranks).to(source.dtype) / ranks
    low, high = goal.gather(-1, below), goal.gather(-1, (below + 1).clamp(max=top))
    return torch.lerp(low, high, rest).unflatten(-1, source.shape[-2:])
