"""The networks that judge pictures: VGGs, or several of them that share the layers among themselves.

A network is named by `compact` (bundled), by the name of a download (`vgg19`, once it is in the cache) or by a file;
`auto` is the true VGG-19 if one has been downloaded, else `compact`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from .. import download, weights
from ..addresses import ADDRESSES
from ..errors import WeightsError
from .vgg import VGG, CompactVGG, read_compact, read_vgg

TRUE = ("vgg19-normalised", "vgg19", "vgg19-caffe")
COMPACT = Path(__file__).parent.parent / "assets" / "vgg" / "compact.safetensors"


class Perceptual(nn.Module):
    """Features of several networks as one's: each layer comes from the first network that has it."""

    def __init__(self, networks: Sequence[VGG | CompactVGG]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks).requires_grad_(False)
        self.layers = list(dict.fromkeys(layer for network in networks for layer in network.layers))

    def forward(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Features (B, C, h, w) by layer name of images (B, 3, H, W), RGB in [0, 1]."""
        left = list(layers)
        features: dict[str, Tensor] = {}
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
    name = best() if name == "auto" else name
    path = find(name)
    state = weights.read_foreign(path)
    try:
        if "body.color.weight" in state:
            return _read_own(path, state)
        if "conv11_aux.weight" in state:
            return read_compact(state)
        return read_vgg(state, flavour="caffe" if name == "vgg19-caffe" else None)
    except (KeyError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{path}: not the weights of a VGG ({str(error).splitlines()[0]})") from error


def best() -> str:
    """The name of the VGG-19 that was downloaded, that on the scale of the compact one first; else `compact`."""
    return next((name for name in TRUE if download.cached(name)), "compact")


def find(name: str) -> Path:
    """The file of a network's name.

    Raises:
        WeightsError: it was not downloaded yet.
    """
    if name not in ADDRESSES:
        return COMPACT if name == "compact" else Path(name)
    if path := download.cached(name):
        return path
    raise WeightsError(f"{name} is not on this computer; `sfumato models get {name}` downloads it")


def _read_own(path: Path, state: Mapping[str, Tensor]) -> VGG | CompactVGG:
    """A network of one of this project's model files; what it is stands on its card, if it has one."""
    config = weights.read_card(path).config if path.suffix == ".safetensors" else {}
    if not config:
        config = {"widths": [state[f"body.convs.{k}_1.weight"].shape[0] for k in range(1, 6)]}
    network = CompactVGG(
        **{key: config[key] for key in ("widths", "heads", "depth", "until", "flavour") if key in config}
    )
    network.load_state_dict(dict(state))
    return network if len(network.heads) else network.body
