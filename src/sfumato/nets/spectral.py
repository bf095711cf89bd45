"""Layers divided by their largest singular value (Miyato et al., ICLR 2018, arXiv:1802.05957).

The vectors u and v of the power iteration move on as in torch.nn.utils.spectral_norm. Being buffers, they are part of a
run's state.

Shapes: B batch, C channels in, O out, k kernel, N = k k C weights of a filter, H W pixels, h w places of the output, P
parts of a batch.
"""

import math
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import conv_dtype, halved_filters

TINY = 1e-12


class Spectral(nn.Module):
    """A matrix (O, N) and what is known of its largest singular value.

    Each use in training brings that value nearer by one step of the iteration. A batch of P parts, one after the
    other, is P uses at once: each part is divided by what is known when its turn comes.
    """

    u: Tensor
    v: Tensor

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(rows, columns))
        nn.init.kaiming_uniform_(self.weight, math.sqrt(5))  # as torch's own layers
        for name, size in (("u", rows), ("v", columns)):
            self.register_buffer(name, F.normalize(torch.randn(size), dim=0, eps=TINY))

    def use(self, parts: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The matrix (O, N) in that precision, not divided, and what to divide each part by (P,)."""
        u, v, found = self.u.clone(), self.v.clone(), []
        with torch.no_grad(), torch.autocast(u.device.type, enabled=False):
            for _ in range(parts):
                if self.training:
                    v = F.normalize(torch.mv(self.weight.T, u), dim=0, eps=TINY)
                image = torch.mv(self.weight, v)
                if self.training:
                    u = F.normalize(image, dim=0, eps=TINY)
                found.append((u, v, torch.dot(u, image)))
            self.u.copy_(u)
            self.v.copy_(v)
        us, vs, values = (torch.stack(column) for column in zip(*found, strict=True))
        return _Used.apply(self.weight, us, vs, values, dtype)  # type: ignore[no-untyped-call]


class _Used(torch.autograd.Function):
    """A matrix W in another precision, and values u W v of which only W is a variable.

    W can be large: its gradients are summed in place, where autograd would write each of them.
    """

    @staticmethod
    def forward(
        ctx: Any, matrix: Tensor, u: Tensor, v: Tensor, values: Tensor, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(u, v)
        return matrix.to(dtype) if matrix.dtype != dtype else matrix.view_as(matrix), values.clone()

    @staticmethod
    def backward(ctx: Any, of_matrix: Tensor, of_values: Tensor) -> tuple[Tensor, None, None, None, None]:
        u, v = ctx.saved_tensors
        grad = of_matrix.to(u.dtype, copy=True)
        for row, column in zip(u * of_values[:, None], v, strict=True):
            grad.addr_(row, column)
        return grad, None, None, None, None


class SpectralConv2d(Spectral):
    """A convolution with `margin` pixels around the picture: (B, C, H, W) -> (B, O, h, w).

    A filter's weights are in the order (k, k, C), so that a large matrix is never put in another order.

    Args:
        border: what those pixels are, the picture mirrored or `zeros`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        margin: int = 1,
        bias: bool = True,
        border: Literal["reflect", "zeros"] = "reflect",
    ) -> None:
        super().__init__(out_channels, in_channels * kernel**2)
        self.kernel, self.stride, self.margin = kernel, stride, margin
        self.pad_mode = "constant" if border == "zeros" else border
        bound = 1 / math.sqrt(in_channels * kernel**2)
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor, parts: int = 1) -> Tensor:
        dtype = conv_dtype(x)
        padded = self._padded(x, dtype)
        if parts == 1 and self.weight.numel() < len(x) * self.places(padded) * len(self.weight):
            return self._divided(padded, dtype)
        matrix, slopes = self.use(parts, dtype)
        # What comes out is divided: that is the same, takes less than a large matrix, and keeps the parts together.
        scale = (1 / slopes).repeat_interleave(len(x) // parts)[:, None, None, None].to(dtype)  # (B, 1, 1, 1)
        with torch.autocast(x.device.type, enabled=False):
            y = self._convolved(padded, matrix)
            return y * scale if self.bias is None else torch.addcmul(self.bias[:, None, None].to(dtype), y, scale)

    def halved(self, x: Tensor) -> Tensor:
        """The means of 2x2 pixels of what leaves a convolution of 3x3 that keeps the size: (B, O, H / 2, W / 2)."""
        return self._divided(self._padded(x, conv_dtype(x)), conv_dtype(x), halves=True)

    def _padded(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.pad(x.to(dtype), (self.margin,) * 4, mode=self.pad_mode) if self.margin else x.to(dtype)

    def _divided(self, padded: Tensor, dtype: torch.dtype, *, halves: bool = False) -> Tensor:
        """The convolution by weights that are divided themselves, which is less where they are few."""
        with torch.autocast(padded.device.type, enabled=False):
            matrix, slopes = self.use(1, self.weight.dtype)
            filters = self.filters(matrix / slopes)
            filters = (halved_filters(filters) if halves else filters).to(dtype)
            bias = None if self.bias is None else self.bias.to(dtype)
            return F.conv2d(padded, filters, bias, stride=2 if halves else self.stride)

    def filters(self, matrix: Tensor) -> Tensor:
        """The matrix (O, N) as filters (O, C, k, k)."""
        return matrix.view(len(matrix), self.kernel, self.kernel, -1).permute(0, 3, 1, 2)

    def places(self, padded: Tensor) -> int:
        """How many each filter is laid on."""
        return math.prod((n - self.kernel) // self.stride + 1 for n in padded.shape[2:])

    def _convolved(self, padded: Tensor, matrix: Tensor) -> Tensor:
        k, s = self.kernel, self.stride
        # Where there are few places and many filters, a CPU spends its time reading weights, and `conv2d` does so more
        # than once: for 9 places of 2 pictures and 2048 filters it takes 2.2 times as long.
        if padded.device.type == "cpu" and 4 * len(padded) * self.places(padded) < len(matrix):
            windows = padded.unfold(2, k, s).unfold(3, k, s).permute(0, 2, 3, 4, 5, 1)  # (B, h, w, k, k, C)
            return F.linear(windows.flatten(3), matrix).permute(0, 3, 1, 2)
        return F.conv2d(padded, self.filters(matrix), stride=s)


class SpectralLinear(Spectral):
    """A linear layer without bias, never in less than float32: (B, N) -> (B, O)."""

    def forward(self, x: Tensor, parts: int = 1) -> Tensor:
        matrix, slopes = self.use(parts, self.weight.dtype)
        with torch.autocast(x.device.type, enabled=False):
            return F.linear(x, matrix) / slopes.repeat_interleave(len(x) // parts)[:, None]


def by_place(filters: Tensor, kernel: int) -> Tensor:
    """Weights (..., C k k) in the order (k, k, C): what other libraries keep of a convolution, flattened, as ours."""
    return filters.unflatten(-1, (-1, kernel, kernel)).movedim(-3, -1).flatten(-3)
