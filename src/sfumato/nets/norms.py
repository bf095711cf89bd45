"""Statistics over a whole picture, and the normalisations made of them.

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .layers import ReflectConv2d

EPS = 1e-5


def moments(x: Tensor, eps: float = EPS) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over space: (B, C, H, W) -> two (B, C, 1, 1), in float32.

    The variance is the unbiased one (N - 1), with `eps` inside the root, as in AdaIN's code.
    """
    return _Moments.apply(x.float(), eps)  # type: ignore[no-untyped-call]


class _Moments(torch.autograd.Function):
    """With the gradient in one formula: what autograd would chain costs 2.6 times as much (benchmarks/layers.py)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        mean = x.mean((2, 3), keepdim=True)
        # In two passes: `torch.var_mean` runs on one core, 2 to 7 times slower here.
        var = (x - mean).square_().sum((2, 3), keepdim=True) / max(1, x.shape[2] * x.shape[3] - 1)
        std = (var + eps).sqrt()
        ctx.save_for_backward(x, mean, std)
        return mean, std

    @staticmethod
    def backward(ctx: Any, mean_grad: Tensor, std_grad: Tensor) -> tuple[Tensor, None]:
        x, mean, std = ctx.saved_tensors
        count = x.shape[2] * x.shape[3]
        slope = std_grad / (std * max(1, count - 1))
        return torch.addcmul(mean_grad / count, x - mean, slope), None


def conv_mean(x: Tensor, conv: ReflectConv2d) -> Tensor:
    """The mean over space of `conv(x)` without computing it: (B, C, H, W) -> (B, C, 1, 1), in float32.

    Each channel has its own filter of 3x3; a filter's mean response is its product with the means of x over the nine
    shifted windows.
    """
    with torch.autocast(x.device.type, enabled=False):
        x = x.float()
        rows, columns = (_shifted(n, x.device) for n in x.shape[2:])
        means = torch.einsum("bihc,jh->bcij", _over_rows(rows, x), columns)  # (B, C, 3, 3)
    total = (means * conv.weight.transpose(0, 1)).sum((2, 3), keepdim=True)
    return total if conv.bias is None else total + conv.bias[:, None, None]


def _over_rows(weights: Tensor, x: Tensor) -> Tensor:
    """Weighted sums of the rows of x: (3, H), (B, C, H, W) -> (B, 3, W, C)."""
    by_rows = x.permute(0, 2, 3, 1)
    return (weights @ by_rows.flatten(2)).unflatten(2, by_rows.shape[2:])


def _shifted(size: int, device: torch.device) -> Tensor:
    """(3, size): how much each place counts in the mean over a window shifted by -1, 0, 1, the borders mirrored."""
    counts = torch.ones(3, size, device=device)
    counts[0, 1] += 1
    counts[0, -1] -= 1
    counts[2, -2] += 1
    counts[2, 0] -= 1
    return counts / size


class Moments(nn.Module):
    """`moments` of a picture's features, as a module so that a picture in tiles can be given those of the whole.

    Args:
        level: statistics of level 1 depend on no other statistic, those of level 2 on level 1 only, and so on.
            All of one level can be gathered in one pass over the tiles.
    """

    def __init__(self, level: int = 1) -> None:
        super().__init__()
        self.level = level

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return moments(x)

    def map(self, x: Tensor) -> Tensor:
        """The features that the statistics are of."""
        return x


class ConvMean(Moments):
    """`conv_mean` likewise: its first statistic is that mean, the second is none."""

    def forward(self, x: Tensor, conv: ReflectConv2d) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        mean = conv_mean(x, conv)
        return mean, torch.ones_like(mean)

    def map(self, x: Tensor, conv: ReflectConv2d) -> Tensor:  # type: ignore[override]
        return conv.forward(x)  # not as a module: the progress does not count on it


def adain(content: Tensor, content_moments: tuple[Tensor, Tensor], style_moments: tuple[Tensor, Tensor]) -> Tensor:
    """Adaptive instance normalisation (Huang & Belongie, eq. 8): content with the channel statistics of a style.

    The style's moments may be maps (B, C, H, W) where they differ from place to place.
    """
    (content_mean, content_std), (style_mean, style_std) = content_moments, style_moments
    scale = style_std / content_std
    return torch.addcmul((style_mean - content_mean * scale).to(content.dtype), content, scale.to(content.dtype))


def blend(codes: Sequence[Sequence[Tensor]], weights: Sequence[Tensor | float]) -> tuple[Tensor, ...]:
    """The weighted sum of several styles' codes; a weight is a number or a map (B, 1, h, w)."""
    return tuple(sum(w * part for w, part in zip(weights, parts, strict=True)) for parts in zip(*codes, strict=True))
