"""Losses between the features of pictures: content, style statistics, Gram matrices.

Shapes: B batch, C channels, H W pixels of a feature map.
"""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from ..nets.norms import moments


def moment_loss(features: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
    """Squared distance of channel means plus that of standard deviations, each averaged (AdaIN, eq. 13): (B,)."""
    mean, std = moments(features)
    return (mean - targets[0]).square().mean((1, 2, 3)) + (std - targets[1]).square().mean((1, 2, 3))


def content_loss(features: Tensor, targets: Tensor) -> Tensor:
    """Mean squared difference of two feature maps of one shape, for each picture: (B,)."""
    return F.mse_loss(features.float(), targets.float(), reduction="none").mean((1, 2, 3))


def style_loss(features: Mapping[str, Tensor], targets: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
    """`moment_loss` summed over the layers of `targets`: (B,)."""
    losses = [moment_loss(features[layer], target) for layer, target in targets.items()]
    return sum(losses[1:], losses[0])
