"""VGGs that only ever judge: made fast for thousands of gradients with respect to the picture.

Unlike in the modules themselves the weights are in the number format of the run once and for all (no autocast), the
colours' 1x1 convolution is folded into the first 3x3 one, features lie in channels_last order, ReLUs work in place,
and a compact VGG can leave its 1x1 heads out. Borders can be made to wrap.

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Iterable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import WeightsError
from .layers import conv_dtype, wrapped
from .perceptual import Perceptual
from .vgg import VGG, CompactVGG

Pool = Literal["as trained", "max", "average"]
Borders = Literal["as trained", "replicate", "wrap"]


class Frozen(nn.Module):
    """The features of `Perceptual`, to be differentiated by the images alone.

    Args:
        perceptual: the networks; their weights are copied.
        dtype: the number format of weights and features.
        borders: what each convolution sees beyond them. With mirrored ones, as the normalised VGG has them, pixels at
            the border count less than others, and an optimised picture gets a coloured rim; when values are replicated
            all count alike. `wrap`: it sees the opposite side; sides must be multiples of 2^(blocks - 1).
        pool: replaces the pooling that the networks were trained with.
        narrow: the features of compact VGGs without their heads: fewer channels, another basis.
    """

    def __init__(
        self,
        perceptual: Perceptual,
        *,
        dtype: torch.dtype = torch.float32,
        borders: Borders = "as trained",
        pool: Pool = "as trained",
        narrow: bool = False,
    ) -> None:
        super().__init__()
        networks = [n for n in perceptual.networks if isinstance(n, VGG | CompactVGG)]
        self.chains = nn.ModuleList(_Chain(n, dtype, borders, pool, narrow) for n in networks)
        self.layers, self.wraps = perceptual.layers, borders == "wrap"

    def forward(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Features (B, C, h, w) by layer name, of images (B, 3, H, W), RGB in [0, 1].

        Raises:
            WeightsError: no network has one of the layers.
        """
        left = list(layers)
        features: dict[str, Tensor] = {}
        for chain in self.chains:
            if wanted := {k for k in left if k in chain.layers}:  # type: ignore[operator]
                features |= chain(images, wanted)
                left = [k for k in left if k not in features]
        if left:
            raise WeightsError(f"no network given has the layers {left}; there are {self.layers}")
        return features


class FrozenCopies:
    """`Frozen` for a training: a copy for each precision and kind of borders, made when it is first needed.

    Args:
        perceptual: the networks, on the device of the run by then.
        narrow: as `Frozen` takes it.
    """

    def __init__(self, perceptual: Perceptual, *, narrow: bool = False) -> None:
        self.perceptual, self.narrow = perceptual, narrow
        self.copies: dict[tuple[torch.dtype, Borders], Frozen] = {}

    def __call__(self, images: Tensor, layers: Iterable[str], borders: Borders = "as trained") -> dict[str, Tensor]:
        """Features (B, C, h, w) by layer name of images (B, 3, H, W), RGB in [0, 1], in the precision of the run."""
        key = (conv_dtype(images), borders)
        if key not in self.copies:
            self.copies[key] = Frozen(self.perceptual, dtype=key[0], borders=borders, narrow=self.narrow)
        return self.copies[key](images, layers)


class _Chain(nn.Module):
    """One network: convolutions by name, as buffers."""

    def __init__(
        self, network: VGG | CompactVGG, dtype: torch.dtype, borders: Borders, pool: Pool, narrow: bool
    ) -> None:
        super().__init__()
        body = network.body if isinstance(network, CompactVGG) else network
        heads = network.heads if isinstance(network, CompactVGG) and not narrow else nn.ModuleDict()
        self.dtype, self.layers, self.names = dtype, network.layers, list(body.convs)
        trained = "reflect" if body.flavour == "normalised" else "zeros"
        self.border = {"as trained": trained, "wrap": "circular"}.get(borders, borders)
        self.average = (body.pool if pool == "as trained" else pool) == "average"
        self.ceil = body.flavour == "normalised"
        center, weight, bias = _fold_colors(body)
        self.register_buffer("center", center)
        self._keep(self.names[0], weight, bias)
        for name in self.names[1:]:
            self._keep(name, body.convs[name].weight, body.convs[name].bias)  # type: ignore[arg-type]
        self.headed = list(heads)
        for name, head in heads.items():
            self._keep(f"head_{name}", head.weight, head.bias)  # type: ignore[arg-type]

    def _keep(self, name: str, weight: Tensor, bias: Tensor) -> None:
        weight = weight.detach().to(self.dtype, memory_format=torch.channels_last, copy=True)
        self.register_buffer(f"weight_{name}", weight)
        self.register_buffer(f"bias_{name}", bias.detach().to(self.dtype, copy=True))

    def forward(self, images: Tensor, wanted: set[str]) -> dict[str, Tensor]:
        x = (images - self.center).to(self.dtype, memory_format=torch.channels_last)  # type: ignore[operator]
        features: dict[str, Tensor] = {}
        for name in self.names:
            if name.endswith("_1") and name != "1_1":
                pool = F.avg_pool2d if self.average else F.max_pool2d
                x = pool(x, 2, ceil_mode=self.ceil)
            x = self._conv(x, name)
            if (layer := f"relu{name}") in wanted:
                features[layer] = self._conv(x, f"head_{layer}") if layer in self.headed else x
            if len(features) == len(wanted):
                break
        return features

    def _conv(self, x: Tensor, name: str) -> Tensor:
        weight, bias = getattr(self, f"weight_{name}"), getattr(self, f"bias_{name}")
        margin = weight.shape[-1] // 2
        if margin and self.border != "zeros":
            mode = "replicate" if self.border == "reflect" and min(x.shape[-2:]) == 1 else self.border
            x = wrapped(x, margin) if mode == "circular" else F.pad(x, (margin,) * 4, mode=mode)
            margin = 0
        return F.conv2d(x, weight, bias, padding=margin).relu_()


@torch.no_grad()
def _fold_colors(body: VGG) -> tuple[Tensor, Tensor, Tensor]:
    """The colour that the network takes for zero, (1, 3, 1, 1), and its first convolution on the distance from it.

    Zeros around that distance are zeros around what the first 3x3 convolution sees. And near zero bfloat16 is precise.
    """
    first = body.convs["1_1"]
    assert isinstance(first, nn.Conv2d) and first.bias is not None and body.color.bias is not None
    matrix = body.color.weight[:, :, 0, 0].cpu().double()  # there, because Apple's devices have no float64
    center = -torch.linalg.solve(matrix, body.color.bias.cpu().double())
    weight = torch.einsum("ocyx,ci->oiyx", first.weight.cpu().double(), matrix)
    device = first.weight.device
    return center.float().to(device)[None, :, None, None], weight.float().to(device), first.bias
