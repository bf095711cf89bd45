"""Statistics over a whole picture, and the normalisations made of them.

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import ReflectConv2d
from .parallel import total, world

EPS = 1e-5


def moments(x: Tensor, eps: float = EPS, *, correction: int = 1) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over space: (B, C, H, W) -> two (B, C, 1, 1), in float32.

    The variance is the unbiased one (N - 1) unless `correction` is 0, with `eps` inside the root, as in AdaIN's code.
    """
    return _Moments.apply(x.float(), eps, correction)  # type: ignore[no-untyped-call]


class _Moments(torch.autograd.Function):
    """With the gradient in one formula: what autograd would chain costs 2.6 times as much (benchmarks/layers.py)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float, correction: int) -> tuple[Tensor, Tensor]:
        mean = x.mean((2, 3), keepdim=True)
        ctx.divisor = max(1, x.shape[2] * x.shape[3] - correction)
        # In two passes: `torch.var_mean` runs on one core, 2 to 7 times slower here.
        var = (x - mean).square_().sum((2, 3), keepdim=True) / ctx.divisor
        std = (var + eps).sqrt()
        ctx.save_for_backward(x, mean, std)
        return mean, std

    @staticmethod
    def backward(ctx: Any, mean_grad: Tensor, std_grad: Tensor) -> tuple[Tensor, None, None]:
        x, mean, std = ctx.saved_tensors
        count = x.shape[2] * x.shape[3]
        slope = std_grad / (std * ctx.divisor)
        return torch.addcmul(mean_grad / count, x - mean, slope), None, None


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
        correction: 1 for the unbiased variance (N - 1), 0 for the other (N).
    """

    def __init__(self, level: int = 1, *, correction: int = 1) -> None:
        super().__init__()
        self.level, self.correction = level, correction

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return moments(x, correction=self.correction)

    @property
    def watched(self) -> bool:
        """Whether somebody wants to see or to replace these statistics."""
        return bool(self._forward_hooks)

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


Norm = Literal["instance", "batch"]


class InstanceNorm(nn.Module):
    """Every channel of every picture to mean 0 and deviation 1 (Ulyanov et al., arXiv:1607.08022); nothing is learned.

    Args:
        level: of its statistics, see `Moments`.
    """

    def __init__(self, level: int = 1) -> None:
        super().__init__()
        self.moments = Moments(level, correction=0)

    def forward(self, x: Tensor) -> Tensor:
        if self.moments.watched:
            mean, std = self.moments(x)
            return ((x - mean) / std).to(x.dtype)
        return instance_norm(x)


def instance_norm(x: Tensor) -> Tensor:
    """Features (B, C, H, W), H W > 1, to mean 0 and deviation 1 over space, in their own precision."""
    with torch.autocast(x.device.type, enabled=False):
        return _InstanceNorm.apply(x) if x.device.type == "cpu" else F.instance_norm(x, eps=EPS)  # type: ignore[no-untyped-call]


class _InstanceNorm(torch.autograd.Function):
    """Of CPUs: a group for each channel forward, and the gradient in one formula.

    torch's instance_norm brings channels_last into the other order and back, three times slower; and the gradient of
    its group_norm takes 8 (float32) to 15 times (bfloat16) as long as this one (benchmarks/layers.py).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        count, channels = x.shape[:2]
        cells = x.shape[2] * x.shape[3]
        y, mean, rstd = torch.native_group_norm(x, None, None, count, channels, cells, channels, EPS)
        ctx.save_for_backward(x, mean, rstd)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, mean, rstd = ctx.saved_tensors
        mean, rstd = (s.float().view(*x.shape[:2], 1, 1) for s in (mean, rstd))
        if torch.is_grad_enabled():  # this gradient is to be differentiated itself, and the statistics depend on x
            mean = x.float().mean((2, 3), keepdim=True)
            rstd = ((x.float() - mean).square().mean((2, 3), keepdim=True) + EPS).rsqrt()
        g, of_x = grad.float(), x.float()
        g_mean, gx_mean = g.mean((2, 3), keepdim=True), (g * of_x).mean((2, 3), keepdim=True)
        slope = rstd.pow(3) * (gx_mean - mean * g_mean)
        shift = slope * mean - rstd * g_mean
        shift, slope, rstd = (s.to(grad.dtype) for s in (shift, slope, rstd))
        return torch.addcmul(torch.addcmul(shift, x, slope, value=-1), grad, rstd)


def make_norm(kind: Norm, channels: int, level: int = 1) -> nn.Module:
    """A normalisation of that kind; that over the batch keeps running means and is the whole batch's over processes."""
    return InstanceNorm(level) if kind == "instance" else BatchNorm(channels)


class BatchNorm(nn.BatchNorm2d):
    """Over the whole batch, whatever the number of processes that share it (as torch's SyncBatchNorm on any device)."""

    def forward(self, x: Tensor) -> Tensor:
        if world() == 1 or not self.training:
            return super().forward(x)
        return self._over_all(x)

    def _over_all(self, x: Tensor) -> Tensor:
        y = x.float()
        count = world() * x.shape[0] * x.shape[2] * x.shape[3]
        mean = total(y.sum((0, 2, 3), keepdim=True)) / count
        var = total((y - mean).square().sum((0, 2, 3), keepdim=True)) / count
        if self.track_running_stats:
            self._remember(mean, var * (count / max(1, count - 1)))
        y = (y - mean) / (var + self.eps).sqrt()
        return (y * self.weight[:, None, None] + self.bias[:, None, None] if self.affine else y).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.flatten(), self.momentum)
        self.running_var.lerp_(var.flatten(), self.momentum)


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
