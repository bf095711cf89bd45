"""The generators of "Texture Networks" (Ulyanov et al., ICML 2016, arXiv:1603.03417), noise at every scale, and of
"Improved Texture Networks" (CVPR 2017, arXiv:1701.02096), residual blocks as those of Johnson et al. (ECCV 2016).

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Iterator, Sequence
from itertools import count

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .generators import Layer, halo_of
from .layers import ReplicateConv2d, WrapConv2d
from .norms import BatchNorm, InstanceNorm, Norm

SLOPE = 0.01
"""Of the leaky ReLUs where they are negative."""
SMALLEST = 8
"""Pixels that a side must have."""


class Pyramid(nn.Module):
    """From noise, and perhaps a picture, at several scales to a picture; the keys are those of the released files.

    Coarse features are doubled in size and joined with those of the next finer noise, scale by scale. Every convolution
    sees the opposite side beyond a border, so copies of a result side by side show no border.

    Args:
        scales: how many there are, each half as large as the next.
        in_channels: of the inputs; 3 for noise, 6 for a picture and noise.
        width: channels that each scale adds.
        pointwise: each block ends with a 1x1 convolution.
        norm: over the batch, whose own statistics are used in evaluation, too, or over each picture.
    """

    def __init__(
        self, scales: int = 6, in_channels: int = 3, width: int = 8, *, pointwise: bool = True, norm: Norm = "batch"
    ) -> None:
        super().__init__()
        self.scales, self.in_channels = scales, in_channels
        for i in range(1, scales + 1):
            self.add_module(f"noise{i}", Block(in_channels, width, pointwise, norm))
            if i > 1:
                self.add_module(f"low{i}", nn.ModuleDict({"bn": learned_norm(norm, (i - 1) * width)}))
                self.add_module(f"high{i}", nn.ModuleDict({"bn": learned_norm(norm, width)}))
                self.add_module(f"join{i}", Block(i * width, i * width, pointwise, norm))
        self.out = nn.Conv2d(scales * width, 3, 1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The result (B, 3, H, W), BGR from 0 to 255 without Caffe's mean, of inputs (B, C, h, w) from coarse to fine.

        Sides double from one to the next; where they do not quite, a cell in the middle is not repeated.
        """
        x = self.get_submodule("noise1")(inputs[0])
        for i, z in enumerate(inputs[1:], 2):
            low, high = (self.get_submodule(f"{name}{i}.bn") for name in ("low", "high"))
            # The paper doubles first and then normalises: the same, since all values are repeated equally often.
            coarse = F.interpolate(low(x), z.shape[-2:], mode="nearest-exact")
            x = self.get_submodule(f"join{i}")(torch.cat((coarse, high(self.get_submodule(f"noise{i}")(z))), 1))
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 has steps of a whole grey level up here
            result: Tensor = self.out(x.float())
        return result

    def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Height and width of the inputs for a result of (height, width), from coarse to fine."""
        found = [(height, width)]
        for _ in range(self.scales - 1):
            height, width = (max(2, (side + 1) // 2) for side in (height, width))
            found.insert(0, (height, width))
        return found


class Block(nn.Module):
    """Two convolutions, or three with the pointwise one, each normalised and leakily rectified."""

    def __init__(self, in_channels: int, out_channels: int, pointwise: bool, norm: Norm) -> None:
        super().__init__()
        kernels = [3, 3, 1] if pointwise else [3, 3]
        self.count = len(kernels)
        for k, kernel in enumerate(kernels, 1):
            channels = in_channels if k == 1 else out_channels
            self.add_module(f"conv{k}", WrapConv2d(channels, out_channels, kernel))
            self.add_module(f"bn{k}", learned_norm(norm, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        for k in range(1, self.count + 1):
            x = self.get_submodule(f"bn{k}")(self.get_submodule(f"conv{k}")(x))
            x = F.leaky_relu(x, SLOPE, inplace=True)
        return x


class Residual(nn.Module):
    """(B, 3, H, W), RGB in [0, 1] -> (B, 3, H, W), BGR from 0 to 255 without Caffe's mean.

    It is `models/johnson.lua` of the authors: two halvings, residual blocks, two doublings by transposed convolutions.
    Borders are repeated, nothing bounds the result. Where a side is no multiple of 4, what is too much is cut off.

    Args:
        width: channels at full size, twice and four times as many at the half and the quarter of it.
        blocks: residual blocks, at a quarter of the size.
    """

    def __init__(self, width: int = 32, blocks: int = 5) -> None:
        super().__init__()
        levels, (w1, w2, w4) = count(1), (width, 2 * width, 4 * width)
        self.halo = halo_of(4, blocks, 1, 5)
        self.stem = normed(ReplicateConv2d(3, w1, 9), levels)
        halvings, doublings = ((w1, w2), (w2, w4)), ((w4, w2), (w2, w1))
        self.downs = nn.ModuleList(normed(ReplicateConv2d(*pair, 3, stride=2), levels) for pair in halvings)
        self.blocks = nn.Sequential(*(ResidualBlock(w4, levels) for _ in range(blocks)))
        self.ups = nn.ModuleList(normed(doubling(*pair), levels) for pair in doublings)
        self.out = ReplicateConv2d(w1, 3, 3, exact=True)  # bfloat16 has steps of a whole grey level up here

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu_(self.stem(image))
        for down in self.downs:
            x = F.relu_(down(x))
        x = self.blocks(x)
        for up in self.ups:
            x = F.relu_(up(x))
        result: Tensor = self.out(x)
        return result[..., : image.shape[-2], : image.shape[-1]]


class ResidualBlock(nn.Module):
    """x + two convolutions; nothing after the sum."""

    def __init__(self, channels: int, levels: Iterator[int]) -> None:
        super().__init__()
        self.first, self.second = (normed(ReplicateConv2d(channels, channels, 3), levels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu_(self.first(x)))


def normed(conv: nn.Conv2d | nn.ConvTranspose2d, levels: Iterator[int]) -> Layer:
    """That convolution and its instance normalisation, of the next level."""
    return Layer(conv, learned_norm("instance", conv.out_channels, next(levels)))


def doubling(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    """A transposed convolution to twice the size; first weights as of Torch7, by the number of channels coming in."""
    made = nn.ConvTranspose2d(in_channels, out_channels, 3, 2, 1, output_padding=1)
    bound = (9 * in_channels) ** -0.5
    for parameter in made.parameters():
        nn.init.uniform_(parameter, -bound, bound)
    return made


class AffineInstanceNorm(InstanceNorm):
    """Instance normalisation with a learned scale and shift for each channel (arXiv:1701.02096, section 3)."""

    def __init__(self, channels: int, level: int = 1) -> None:
        super().__init__(level)
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = (p.to(x.dtype)[:, None, None] for p in (self.weight, self.bias))
        return torch.addcmul(bias, super().forward(x), weight)


def learned_norm(kind: Norm, channels: int, level: int = 1) -> nn.Module:
    """A normalisation of that kind without running means; as in Torch7 scales begin anywhere between 0 and 1."""
    made = AffineInstanceNorm(channels, level) if kind == "instance" else BatchNorm(channels, track_running_stats=False)
    nn.init.uniform_(made.weight)
    return made
