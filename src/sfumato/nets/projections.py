"""The small networks that bring features of several layers to one space (Chen et al., ICML 2020, arXiv:2002.05709).

Shapes: B batch, N patches, C channels.
"""

from collections.abc import Sequence

from torch import Tensor, nn


class Projections(nn.Module):
    """A network of two layers for each layer of features: patches (B, N, C) -> unit vectors (B, N, width).

    Args:
        channels: of the layers.
        width: of the common space.
    """

    def __init__(self, channels: Sequence[int], width: int = 256) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(count, width), nn.ReLU(), nn.Linear(width, width)) for count in channels
        )

    def forward(self, layers: Sequence[Tensor]) -> list[Tensor]:
        """The patches of each layer, projected."""
        return [unit(head(x)) for head, x in zip(self.heads, layers, strict=True)]


def unit(x: Tensor) -> Tensor:
    """Vectors (..., C) of length 1."""
    x = x.float()
    return x / (x.norm(dim=-1, keepdim=True) + 1e-7)
