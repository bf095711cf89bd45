"""Discriminators that judge a picture patch by patch (Isola et al., CVPR 2017, arXiv:1611.07004, section 3.2.2).

Shapes: B batch, C channels, H W pixels. Pictures here are in [-1, 1]; logits have no sigmoid.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from .generators import Layer
from .norms import Norm, make_norm
from .sampling import BlurDown


class PatchDiscriminator(nn.Module):
    """(B, C, H, W) -> logits (B, 1, h, w), each for a patch: of 70x70 pixels with three layers.

    Args:
        channels: of the input; 6 for a pair.
        width: after the first layer, up to eight times as many deeper down.
        layers: how often the size is halved; patches of 16, 34, 70, 142, 286 pixels for 1 to 5.
        norm: of the layers in between.
        antialias: halve as CUT does.
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 64,
        layers: int = 3,
        *,
        norm: Norm = "instance",
        antialias: bool = False,
    ) -> None:
        super().__init__()
        wide = [channels, *(width * min(2**i, 8) for i in range(layers + 1)), 1]
        bias = norm == "instance"
        self.halved = layers
        self.layers = nn.ModuleList()
        for i, (entering, leaving) in enumerate(pairwise(wide)):
            step = 1 if antialias or i >= layers else 2
            ends = i in (0, layers + 1)
            conv = nn.Conv2d(entering, leaving, 4, step, 1, bias=bias or ends)
            self.layers.append(Layer(conv, nn.Identity() if ends else make_norm(norm, leaving)))
        self.blur = BlurDown() if antialias else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        *inner, last = self.layers
        for i, layer in enumerate(inner):
            x = F.leaky_relu(layer(x), 0.2)
            if i < self.halved:
                x = self.blur(x)
        logits: Tensor = last(x)
        return logits.float()


class PixelDiscriminator(nn.Module):
    """(B, C, H, W) -> logits (B, 1, H, W), each for a pixel alone."""

    def __init__(self, channels: int = 3, width: int = 64, *, norm: Norm = "instance") -> None:
        super().__init__()
        bias = norm == "instance"
        self.conv1 = nn.Conv2d(channels, width, 1)
        self.conv2 = nn.Conv2d(width, 2 * width, 1, bias=bias)
        self.norm = make_norm(norm, 2 * width)
        self.conv3 = nn.Conv2d(2 * width, 1, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv1(x), 0.2)
        logits: Tensor = self.conv3(F.leaky_relu(self.norm(self.conv2(x)), 0.2))
        return logits.float()
