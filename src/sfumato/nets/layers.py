"""Convolutions with mirrored borders, and doubling, that keep to one precision.

Under autocast torch pads and resizes in float32 between convolutions in bf16; here all of it stays in bf16, which saves
a third of the time of a small network.

Shapes: B batch, C channels, H W pixels.
"""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .parallel import rand


class ReflectConv2d(nn.Conv2d):
    """A convolution of odd kernel size that keeps H W (divided by `stride`), its border mirrored.

    Grouped convolutions of many small groups run at a hundredth of a CPU's speed; there the same sums are done as one
    dense convolution whose other weights are zero (measured: 4 to 8 times faster forward, more backward).

    Args:
        exact: never in less than float32, inside autocast, too.
    """

    border: ClassVar[str] = "reflect"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
        exact: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel, stride=stride, groups=groups, bias=bias)
        self.exact = exact

    def forward(self, x: Tensor) -> Tensor:
        kind, margin = x.device.type, self.kernel_size[0] // 2
        dtype = torch.promote_types(x.dtype, torch.float32) if self.exact else conv_dtype(x)
        dense = self.groups > 1 and kind == "cpu"
        weight = (self.dense_weight() if dense else self.weight).to(dtype)
        bias = None if self.bias is None else self.bias.to(dtype)
        with torch.autocast(kind, enabled=False):
            x = x.to(dtype)
            x = F.pad(x, (margin,) * 4, mode=self.border) if margin else x
            if kind == "cpu" and self._fills_no_vector(x):
                return in_blocks(x, weight, bias)
            return F.conv2d(x, weight, bias, self.stride, groups=1 if dense else self.groups)

    def of_doubled(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """The convolution, of 3x3 and without groups, of x (B, C, H, W) doubled and of (B, I, 2H, 2W) beside it."""
        dtype = conv_dtype(x)
        of_x, of_beside = self.weight.tensor_split((x.shape[1],), 1)
        with torch.autocast(x.device.type, enabled=False):
            bias = None if self.bias is None else self.bias.to(dtype)
            y = conv_of_doubled(x.to(dtype), of_x, bias, border=self.border)
            if beside is None:
                return y
            return y + F.conv2d(F.pad(beside.to(dtype), (1,) * 4, mode=self.border), of_beside.to(dtype))

    def _fills_no_vector(self, padded: Tensor) -> bool:
        """Whether `in_blocks` pays: a CPU computes 16 channels at a time, even where there are only 3."""
        even = all((n - k + 1) % 2 == 0 for n, k in zip(padded.shape[2:], self.kernel_size, strict=True))
        return even and self.out_channels <= 4 and self.kernel_size[0] >= 5 and self.groups == self.stride[0] == 1

    def dense_weight(self) -> Tensor:
        """The weights (C_out, C_in, k, k) of the equal convolution without groups."""
        own = torch.eye(self.groups, device=self.weight.device, dtype=self.weight.dtype)
        grouped = self.weight.unflatten(0, (self.groups, -1))  # (G, C_out / G, C_in / G, k, k)
        return torch.einsum("goikl,gh->gohikl", grouped, own).flatten(2, 3).flatten(0, 1)


class ReplicateConv2d(ReflectConv2d):
    """The same with the outermost pixels repeated beyond the border."""

    border = "replicate"


def in_blocks(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`F.conv2d` to few channels (O): each block of 2x2 pixels as 4 O channels of one pixel, then apart again.

    The same sums: the filters (O, C, k, k) become (4 O, C, k + 1, k + 1), zero where a pixel of the block sees none.
    For 16 channels to 3 with k = 9: 2.3 times faster forward, 1.9 times with the gradients (benchmarks/layers.py).
    """
    shifted = [F.pad(weight, (right, 1 - right, down, 1 - down)) for down in (0, 1) for right in (0, 1)]
    blocks = torch.stack(shifted, 1).flatten(0, 1)
    y = F.conv2d(x, blocks, None if bias is None else bias.repeat_interleave(4), stride=2)
    return F.pixel_shuffle(y, 2)


def conv_of_doubled(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, border: str = "zeros") -> Tensor:
    """`F.conv2d` with filters (O, C, 3, 3) of x doubled, each pixel four times: (B, C, H, W) -> (B, O, 2H, 2W).

    The same sums: of the nine pixels that a filter sees, only four differ, so its weights are added up for these. That
    takes 16 products for each pixel of x where doubling first takes 36.

    Args:
        border: what is beyond the doubled picture, `zeros`, `reflect` or `replicate`.
    """
    filters = (4 * halved_filters(weight)).flip(2, 3).transpose(0, 1).to(x.dtype)  # (C, O, 4, 4)
    if border == "zeros":
        return F.conv_transpose2d(x, filters, bias, stride=2, padding=1)
    edge = F.pad(x, (1,) * 4, mode="replicate")  # one pixel beyond the doubled picture that is mirroring it, too
    return F.conv_transpose2d(edge, filters, bias, stride=2, padding=3)


def halved_filters(weight: Tensor) -> Tensor:
    """Filters (O, C, 4, 4) that give, at steps of two, the means of 2x2 pixels of what (O, C, 3, 3) give.

    The same sums with 16 products for each mean where the convolution before it takes 36.
    """
    return F.avg_pool2d(weight, 2, 1, padding=1)


class Double(nn.Module):
    """Twice the size, bilinear: (B, C, H, W) -> (B, C, 2H, 2W)."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.interpolate(x, scale_factor=2, mode="bilinear")


def conv_dtype(x: Tensor) -> torch.dtype:
    """What a convolution of `x` runs in: autocast's choice inside autocast, else that of `x`."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


class Dropout(nn.Module):
    """Sets a share of all numbers to 0 in training; which, is a function of each sample, as `nets.parallel` has it."""

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.share:
            return x
        kept = rand(*x.shape, device=x.device) >= self.share
        return x * kept / (1 - self.share)


class WrapConv2d(nn.Conv2d):
    """A convolution of odd kernel size that keeps H W and sees the opposite side beyond each border."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(in_channels, out_channels, kernel)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(wrapped(x.to(conv_dtype(x)), self.kernel_size[0] // 2))


def wrapped(x: Tensor, margin: int) -> Tensor:
    """Pictures (B, C, H, W) with so many pixels of the opposite sides around them, no more than H or W."""
    return _Wrapped.apply(x, margin) if margin else x  # type: ignore[no-untyped-call]


class _Wrapped(torch.autograd.Function):
    """With the gradient in four sums; autograd's own fills a picture with zeros for each of the eight borders."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, margin: int) -> Tensor:
        ctx.margin = margin
        return F.pad(x, (margin,) * 4, mode="circular")

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        x, m = grads[0], ctx.margin
        rows = x[:, :, m:-m].clone()
        rows[:, :, :m] += x[:, :, -m:]
        rows[:, :, -m:] += x[:, :, :m]
        result = rows[..., m:-m].clone()
        result[..., :m] += rows[..., -m:]
        result[..., -m:] += rows[..., :m]
        return result, None
