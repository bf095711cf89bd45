"""Attention between the places of feature maps (Vaswani et al., NeurIPS 2017, arXiv:1706.03762).

Shapes: B batch, N and M tokens, C channels.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Dropout


class Attention(nn.Module):
    """Multi-head attention: queries (B, N, C), keys and values (B, M, C) -> (B, N, C).

    Names and shapes of the weights are those of `nn.MultiheadAttention`, but the N x M matrix is never held in memory:
    at 1024 pixels and patches of 8 it would take 8 GB.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        joint = nn.Linear(channels, 3 * channels)
        self.in_proj_weight, self.in_proj_bias = joint.weight, joint.bias
        self.out_proj = nn.Linear(channels, channels)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        parts = zip((query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True)
        q, k, v = (F.linear(x, w, b).unflatten(2, (self.heads, -1)).transpose(1, 2) for x, w, b in parts)
        mixed = F.scaled_dot_product_attention(q, k, v)  # (B, heads, N, C / heads)
        result: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return result


class FeedForward(nn.Module):
    """The two layers after an attention, each token for itself: (B, N, C) -> (B, N, C).

    It is a base class, so that the two layers' keys are `linear1` and `linear2` of the block itself.
    """

    def __init__(self, channels: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        self.dropout = Dropout(dropout)

    def feed(self, x: Tensor) -> Tensor:
        """What is added to x (B, N, C)."""
        result: Tensor = self.dropout(self.linear2(self.dropout(F.relu(self.linear1(x)))))
        return result
