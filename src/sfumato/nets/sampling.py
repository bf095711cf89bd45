"""Halving and doubling without aliases (Zhang, Making Convolutional Networks Shift-Invariant Again, ICML 2019).

Shapes: B batch, C channels, H W pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BlurDown(nn.Module):
    """Half the size, blurred by [1, 2, 1] before, borders mirrored: (B, C, H, W) -> (B, C, ceil(H / 2), ceil(W / 2)).

    [1, 2, 1] is [1, 1] twice: two means over 2x2, where a depthwise convolution has slow kernels on CPUs.
    """

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            once = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 2, stride=1)
            return F.avg_pool2d(once, 2, stride=2)
