"""First weights as GANs of pictures want them."""

from typing import Literal

from torch import nn

Initial = Literal["normal", "xavier"]


def initialise(network: nn.Module, kind: Initial = "normal", gain: float = 0.02) -> None:
    """Draws the weights of all convolutions and linear layers; their biases are 0.

    Args:
        kind: `normal`, of deviation `gain` (Radford et al., arXiv:1511.06434); or `xavier`, times `gain` (Glorot &
            Bengio 2010, as CUT's authors draw them).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if kind == "normal":
                nn.init.normal_(module.weight, 0.0, gain)
            else:
                nn.init.xavier_normal_(module.weight, gain)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, gain)
            nn.init.zeros_(module.bias)
