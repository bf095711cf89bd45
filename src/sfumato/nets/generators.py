"""Generators of image-to-image translation: the residual one of CycleGAN, with CUT's variant, and the U-Net of pix2pix.

Zhu et al., ICCV 2017, arXiv:1703.10593 (the residual one after Johnson et al., ECCV 2016); Isola et al., CVPR 2017,
arXiv:1611.07004; Park et al., ECCV 2020, arXiv:2007.15651. Weights are in the order of the authors' files.

Shapes: B batch, C channels, H W pixels. Pictures here are in [-1, 1].
"""

from collections.abc import Iterator
from itertools import count, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Double, Dropout, ReflectConv2d
from .norms import Norm, make_norm
from .sampling import BlurDown


class Layer(nn.Module):
    """A convolution and its normalisation."""

    def __init__(self, conv: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(x))
        return y


class ResidualBlock(nn.Module):
    """x + two convolutions; nothing after the sum."""

    def __init__(self, width: int, kernel: int, norm: Norm, dropout: bool, levels: Iterator[int]) -> None:
        super().__init__()
        bias = norm == "instance"
        self.conv1 = ReflectConv2d(width, width, kernel, bias=bias)
        self.norm1 = make_norm(norm, width, next(levels))
        self.dropout = Dropout(0.5 if dropout else 0.0)
        self.conv2 = ReflectConv2d(width, width, kernel, bias=bias)
        self.norm2 = make_norm(norm, width, next(levels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.dropout(F.relu_(self.norm1(self.conv1(x))))
        return x + self.norm2(self.conv2(y))


class ResnetGenerator(nn.Module):
    """(B, 3, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 2^halvings.

    Args:
        width: channels at full size; twice at half, four times at a quarter of it and below.
        blocks: residual blocks, at the smallest size.
        norm: of every convolution but the last.
        dropout: a half in each block.
        antialias: halve and double as CUT does.
        kernels: of the convolutions in between; of the first and the last.
        halvings: how often the size is halved before the blocks, 2 in the papers. With 3 blocks see twice as far, for a
            quarter of the work: where shapes are to change.
    """

    def __init__(
        self,
        width: int = 64,
        blocks: int = 9,
        *,
        halvings: int = 2,
        norm: Norm = "instance",
        dropout: bool = False,
        antialias: bool = False,
        kernels: tuple[int, int] = (3, 7),
    ) -> None:
        super().__init__()
        levels, bias, (kernel, end_kernel) = count(1), norm == "instance", kernels
        self.antialias, self.end_kernel = antialias, end_kernel
        self.widths = tuple(width * min(2**i, 4) for i in range(halvings + 1))
        self.halo = halo_of(2**halvings, blocks, kernel // 2, 2 * (end_kernel // 2))
        self.stem = Layer(ReflectConv2d(3, width, end_kernel, bias=bias), make_norm(norm, width, next(levels)))
        step = 1 if antialias else 2
        self.downs = nn.ModuleList(
            Layer(nn.Conv2d(wide, out, kernel, step, kernel // 2, bias=bias), make_norm(norm, out, next(levels)))
            for wide, out in pairwise(self.widths)
        )
        self.blocks = nn.ModuleList(ResidualBlock(4 * width, kernel, norm, dropout, levels) for _ in range(blocks))
        self.ups = nn.ModuleList(
            Layer(self._up(wide, out, kernel, bias), make_norm(norm, out, next(levels)))
            for wide, out in pairwise(self.widths[::-1])
        )
        self.head = ReflectConv2d(width, 3, end_kernel, exact=True)  # in bf16 the picture itself would be rounded
        self.blur, self.upsample = BlurDown(), Double()

    def _up(self, wide: int, out: int, kernel: int, bias: bool) -> nn.Module:
        margin = kernel // 2
        if self.antialias:
            return nn.Conv2d(wide, out, kernel, padding=margin, bias=bias)
        return nn.ConvTranspose2d(wide, out, kernel, 2, margin, output_padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def encode(self, x: Tensor, found: dict[str, Tensor] | None = None, until: int | None = None) -> Tensor:
        """The embedding (B, 4 width, H / 2^halvings, W / 2^halvings): what the last block gives.

        Args:
            found: takes what is met on the way: `pixels` (with their mirrored border), `down1` and `down2` (before
                their normalisation), `block1` ...
            until: stop after so many blocks.
        """
        met: dict[str, Tensor] = {} if found is None else found
        if found is not None:
            met["pixels"] = F.pad(x, (self.end_kernel // 2,) * 4, mode="reflect")
        x = F.relu_(self.stem(x))
        for i, down in enumerate(self.downs, 1):
            assert isinstance(down, Layer)
            met[f"down{i}"] = down.conv(x)
            x = self._halved(F.relu_(down.norm(met[f"down{i}"])))
        for i, block in enumerate(self.blocks[:until], 1):
            x = met[f"block{i}"] = block(x)
        return x

    def _halved(self, x: Tensor) -> Tensor:
        half: Tensor = self.blur(x) if self.antialias else x
        return half

    def decode(self, x: Tensor) -> Tensor:
        """The picture (B, 3, H, W) of an embedding."""
        for up in self.ups:
            x = F.relu_(up(self.upsample(x) if self.antialias else x))
        return torch.tanh(self.head(x))


def halo_of(scale: int, blocks: int, reach: int, ends: int) -> int:
    """A tile's border: every convolution in turn, and what sampling sees beyond the even pixels; of `scale` multiples.

    Args:
        scale: full pixels for one of the smallest size.
        reach: pixels that each inner convolution sees to each side.
        ends: those of the first and the last together.
    """
    sampling = 2 * (scale - 1)
    pixels = ends + (sampling + 2 * scale * blocks) * reach + -(-5 * sampling // 3)
    return scale * -(-pixels // scale)


class UnetGenerator(nn.Module):
    """(B, 3, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 2^depth.

    Args:
        width: channels after the first convolution; up to eight times as many deeper down.
        depth: how often the size is halved, 8 for pictures of 256 pixels.
        norm: of all convolutions but the first, the deepest and the last.
        dropout: a half after the convolutions up from the deepest but one.
    """

    def __init__(self, width: int = 64, depth: int = 8, *, norm: Norm = "batch", dropout: bool = True) -> None:
        super().__init__()
        bias = norm == "instance"
        wide = [width * min(2**i, 8) for i in range(depth)]
        levels = count(1)
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        for i, channels in enumerate(wide):
            conv = nn.Conv2d(wide[i - 1] if i else 3, channels, 4, 2, 1, bias=bias)
            normed = 0 < i < depth - 1
            self.downs.append(Layer(conv, make_norm(norm, channels, next(levels)) if normed else nn.Identity()))
        for i in range(depth - 1, -1, -1):  # from the deepest
            channels, out = wide[i] * (1 if i == depth - 1 else 2), wide[i - 1] if i else 3
            up = nn.ConvTranspose2d(channels, out, 4, 2, 1, bias=bias or i == 0)
            self.ups.append(Layer(up, make_norm(norm, out, next(levels)) if i else nn.Identity()))
        self.dropout, self.dropped = Dropout(), range(1, depth - 4) if dropout else range(0)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for down in self.downs:
            # As in the authors' code, whose activations work in place, what is passed across is already rectified.
            x = F.leaky_relu(down(x), 0.2)
            skips.append(x)
        # The deepest is rectified fully: relu of the leaky one is the same.
        x = F.relu(skips.pop())
        for i, up in enumerate(self.ups):
            x = up(F.relu(x))
            x = self.dropout(x) if i in self.dropped else x
            x = torch.cat((skips.pop(), x), 1) if skips else x
        return torch.tanh(x.float())
