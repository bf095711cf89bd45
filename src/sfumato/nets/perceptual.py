"""The networks that judge pictures: VGGs, or several of them that share the layers among themselves.

A network is named by `compact` (bundled), by the name of a download (`vgg19`, once it is in the cache) or by a file.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from .. import weights
from ..errors import WeightsError
from .vgg import VGG, CompactVGG, read_compact, read_vgg

COMPACT = Path(__file__).parent.parent / "assets" / "vgg" / "compact.safetensors"


class Perceptual(nn.Module):
    """Features of several networks as one's: each layer comes from the first network that has it."""

    def __init__(self, networks: Sequence[VGG | CompactVGG]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks).requires_grad_(False)
        self.layers = list(dict.fromkeys(layer for network in networks for layer in network.layers))

    def forward(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Features (B, C, h, w) by layer name of images (B, 3, H, W), RGB in [0, 1]."""
        left, features = list(layers), {}
        for network in self.networks:
            if wanted := [k for k in left if k in network.layers]:  # type: ignore[operator]
                features |= network(images, wanted)
                left = [k for k in left if k not in features]
        if left:
            raise WeightsError(f"no network given has the layers {left}; there are {self.layers}")
        return features


def read_perceptual(names: Sequence[str]) -> Perceptual:
    """The networks of these names as one, frozen.

    Raises:
        WeightsError: a name or a file is no VGG.
    """
    return Perceptual([read_network(name) for name in names])


def read_network(name: str) -> VGG | CompactVGG:
    """One network by name or file, in any of the key styles in use.

    Raises:
        WeightsError: it is missing or no VGG.
    """
    path = COMPACT if name == "compact" else Path(name)
    state = weights.read_foreign(path)
    try:
        if any(key.startswith("heads.") for key in state):
            network = CompactVGG([state[f"body.convs.{k}_1.weight"].shape[0] for k in range(1, 6)])
            network.load_state_dict(dict(state))
            return network
        return read_compact(state) if "conv11_aux.weight" in state else read_vgg(state)
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{path}: not the weights of a VGG ({str(error).splitlines()[0]})") from error
