"""The generator of "Texture Networks" (Ulyanov et al., ICML 2016, arXiv:1603.03417): noise at every scale.

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import WrapConv2d
from .norms import BatchNorm, Norm, instance_norm

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


class AffineInstanceNorm(nn.Module):
    """Instance normalisation with a learned scale and shift for each channel (arXiv:1701.02096, section 3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = (p.to(x.dtype)[:, None, None] for p in (self.weight, self.bias))
        return torch.addcmul(bias, instance_norm(x), weight)


def learned_norm(kind: Norm, channels: int) -> nn.Module:
    """A normalisation of that kind without running means; as in Torch7 scales begin anywhere between 0 and 1."""
    made = AffineInstanceNorm(channels) if kind == "instance" else BatchNorm(channels, track_running_stats=False)
    nn.init.uniform_(made.weight)
    return made
