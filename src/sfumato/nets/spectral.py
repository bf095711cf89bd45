"""Layers divided by their largest singular value (Miyato et al., ICLR 2018, arXiv:1802.05957).

Weights and vectors are those of torch.nn.utils.spectral_norm: `weight` is its weight_orig, `u` its weight_u, `v` its
weight_v. Being buffers, the vectors are part of a run's state.

Shapes: B batch, C channels in, O out, k kernel, H W pixels, h w places of the output, P parts of the batch.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import conv_dtype

TINY = 1e-12


class Spectral(nn.Module):
    """A weight (O, C, ...) and what is known of its largest singular value.

    Each use in training brings that value nearer by one step of the power iteration. A batch of P parts, one after
    the other, is P uses at once: each part is divided by what is known when its turn comes.
    """

    u: Tensor
    v: Tensor

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        nn.init.kaiming_uniform_(self.weight, math.sqrt(5))  # as torch's own layers
        for name, size in (("u", shape[0]), ("v", math.prod(shape[1:]))):
            self.register_buffer(name, F.normalize(torch.randn(size), dim=0, eps=TINY))

    def slopes(self, parts: int = 1) -> Tensor:
        """The largest singular value for each part (P,), as far as known."""
        matrix, by_memory = self.matrix(), self._by_memory()
        with torch.no_grad(), torch.autocast(matrix.device.type, enabled=False):
            u, v, found = self.u.clone(), self.v.view(self.weight.shape[1:]).permute(by_memory).flatten(), []
            for _ in range(parts):
                if self.training:
                    v = F.normalize(torch.mv(matrix.T, u), dim=0, eps=TINY)
                image = torch.mv(matrix, v)
                u = F.normalize(image, dim=0, eps=TINY) if self.training else u
                found.append((u, v, torch.dot(u, image)))
            if self.training:
                self.u.copy_(u)
                ordered = v.view([self.weight.shape[1:][i] for i in by_memory])
                self.v.copy_(ordered.permute([by_memory.index(i) for i in range(len(by_memory))]).flatten())
        us, vs, values = (torch.stack(column) for column in zip(*found, strict=True))
        return _Slopes.apply(matrix, us, vs, values)  # type: ignore[no-untyped-call]

    def _by_memory(self) -> tuple[int, ...]:
        """The order in which the dimensions (C, k, k) of a filter lie in memory."""
        filters = self.weight.dim() == 4
        last = filters and self.weight.is_contiguous(memory_format=torch.channels_last)
        return (1, 2, 0) if last else (0, 1, 2) if filters else (0,)

    def matrix(self) -> Tensor:
        """The weight (O, C k k) in the order in which it lies in memory, which spares copies of large ones."""
        return self.weight.permute(0, *(i + 1 for i in self._by_memory())).flatten(1)


class _Slopes(torch.autograd.Function):
    """Values u W v of which only W is a variable: without another product, all gradients in one."""

    @staticmethod
    def forward(ctx: Any, _matrix: Tensor, u: Tensor, v: Tensor, values: Tensor) -> Tensor:
        ctx.save_for_backward(u, v)
        return values.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        u, v = ctx.saved_tensors
        with torch.autocast(u.device.type, enabled=False):
            return (u * grad[:, None]).T @ v, None, None, None


class SpectralConv2d(Spectral):
    """A convolution whose border, of one pixel, is mirrored: (B, C, H, W) -> (B, O, h, w)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__(out_channels, in_channels, kernel, kernel)
        self.stride = stride
        bound = 1 / math.sqrt(in_channels * kernel**2)
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor, parts: int = 1) -> Tensor:
        # Dividing what comes out is the same, and cheaper than dividing a large weight; and parts stay together.
        scale = (1 / self.slopes(parts)).repeat_interleave(len(x) // parts)[:, None, None, None]  # (B, 1, 1, 1)
        dtype = conv_dtype(x)
        with torch.autocast(x.device.type, enabled=False):
            y = self._convolved(F.pad(x.to(dtype), (1,) * 4, mode="reflect"))
            scale = scale.to(dtype)
            return y * scale if self.bias is None else torch.addcmul(self.bias[:, None, None].to(dtype), y, scale)

    def _convolved(self, padded: Tensor) -> Tensor:
        kernel = self.weight.shape[-1]
        height, width = ((n - kernel) // self.stride + 1 for n in padded.shape[2:])
        # On a CPU, where there are more filters than places, the time is that of reading weights: once, as a matrix.
        if padded.device.type != "cpu" or self.weight.shape[0] <= len(padded) * height * width:
            return F.conv2d(padded, self.weight.to(padded.dtype), stride=self.stride)
        windows = padded.unfold(2, kernel, self.stride).unfold(3, kernel, self.stride)  # (B, C, h, w, k, k)
        order = [(1, 4, 5)[i] for i in self._by_memory()]
        y = F.linear(windows.permute(0, 2, 3, *order).flatten(3), self.matrix().to(padded.dtype))  # (B, h, w, O)
        return y.permute(0, 3, 1, 2)


class SpectralLinear(Spectral):
    """A linear layer without bias: (B, C) -> (B, O)."""

    def forward(self, x: Tensor, parts: int = 1) -> Tensor:
        scale = (1 / self.slopes(parts)).repeat_interleave(len(x) // parts)[:, None]
        return F.linear(x, self.weight) * scale
