"""What two sets of pictures are compared by: the features of a network.

FID and KID are defined by the standard Inception network, whose weights `sfumato models get inception-fid` brings.
Without them the bundled compact VGG-19 serves: its distances are called fd-compact and kd-compact, have other sizes and
compare only with each other.

Shapes: N pictures, D features.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from .. import download, weights
from ..errors import WeightsError
from ..nets.inception import read_inception
from ..nets.perceptual import read_network
from .fid import Features

INCEPTION = "inception-fid"
LAYERS = ("relu3_1", "relu4_1")
"""Of the compact network: strokes and textures, and parts of faces."""


class Judge:
    """Features of pictures, by one network.

    Args:
        network: `inception`, `compact`, a file of Inception's weights, or `auto`: Inception if its weights are there.
        device: where to compute.

    Attributes:
        frechet: what the Frechet distance of its features is called.
        kernel: what their kernel distance is called.

    Raises:
        WeightsError: the weights are not there, or of another network.
    """

    def __init__(self, network: str, device: torch.device) -> None:
        name = ("inception" if download.cached(INCEPTION) else "compact") if network == "auto" else network
        self.device, self.network = device, _Means() if name == "compact" else _inception(name)
        self.network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.frechet, self.kernel = ("fd-compact", "kd-compact") if name == "compact" else ("fid", "kid")

    @torch.no_grad()
    def __call__(self, pictures: Iterable[Tensor]) -> Features:
        """Features (N, D) of pictures in parts (n, 3, H, W), RGB in [0, 1]; a part may have a size of its own.

        Inception brings them to 299 x 299 as the FID is defined; the compact network takes them as they are.
        """
        rows = [self.network(part.to(self.device, memory_format=torch.channels_last)).cpu() for part in pictures]
        return torch.cat(rows).numpy().astype(np.float64) if rows else np.zeros((0, 0))


class _Means(nn.Module):
    """The compact network's features, their means over the picture: (B, 768)."""

    def __init__(self) -> None:
        super().__init__()
        self.network = read_network("compact")

    def forward(self, images: Tensor) -> Tensor:
        features = self.network(images, LAYERS)
        return torch.cat([features[layer].mean((2, 3)) for layer in LAYERS], 1)


def _inception(name: str) -> nn.Module:
    path = name
    if name == "inception":
        if not (cached := download.cached(INCEPTION)):
            raise WeightsError(f"{INCEPTION} is not on this computer; `sfumato models get {INCEPTION}` downloads it")
        path = str(cached)
    try:
        return read_inception(weights.read_foreign(path))
    except RuntimeError as error:
        reason = next(line for line in str(error).splitlines()[::-1] if line.strip()).strip()
        raise WeightsError(f"{path}: not the Inception network of the FID ({reason})") from error
