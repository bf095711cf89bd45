"""Contrast between patches (Park et al., ECCV 2020, arXiv:2007.15651, section 3).

Shapes: B batch, N patches of a picture, C channels, H W cells of a feature map.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def patches(features: Tensor, places: Tensor) -> Tensor:
    """The features (B, C, H, W) at places (N), numbers of cells row by row: (B, N, C)."""
    cells = features.permute(0, 2, 3, 1).flatten(1, 2)  # (B, H W, C)
    return cells[:, places.to(features.device)]


def patch_nce(queries: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """How badly each query (B, N, C) tells its own key from the others of its picture (eq. 4 and 5): a scalar.

    The keys are given, and learn nothing.
    """
    logits = queries.float() @ keys.detach().float().mT / temperature  # (B, N, N)
    own = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    return F.cross_entropy(logits.flatten(0, 1), own.flatten())
