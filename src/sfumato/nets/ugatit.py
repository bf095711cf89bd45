"""The networks of U-GAT-IT (Kim et al., ICLR 2020, arXiv:1907.10830): attention by class activation maps, AdaLIN.

Shapes: B batch, C channels, H W pixels, h w places of features, a quarter of them in the generator. Pictures here are
in [-1, 1]; logits have no sigmoid.
"""

import math
from collections.abc import Mapping
from itertools import count
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .generators import Layer
from .layers import ReflectConv2d, conv_dtype
from .norms import EPS, InstanceNorm, Moments, moments
from .spectral import Spectral, SpectralConv2d, SpectralLinear, by_place


class LayerMoments(Moments):
    """`moments` over all channels: (B, C, h, w) -> two (B, 1, 1, 1)."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return moments(self.map(x))

    def map(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(2)[:, None]  # (B, 1, h, w C): what belongs to a place stays there


class AdaLIN(nn.Module):
    """Between instance and layer normalisation, as rho has it, with a scale and a shift from outside.

    Variances are unbiased (N - 1), as in the authors' code.

    Args:
        level: of its statistics, see `Moments`.
        rho: to begin with; 1 is instance normalisation alone.
    """

    def __init__(self, channels: int, level: int = 1, *, rho: float = 0.9) -> None:
        super().__init__()
        self.rho = nn.Parameter(torch.full((1, channels, 1, 1), rho))
        self.each, self.all = Moments(level), LayerMoments(level)

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Takes features (B, C, h, w), and two (B, C, 1, 1) or (1, C, 1, 1)."""
        mean, std = self.each(x)
        layer_mean, layer_std = self.all(x) if self.all.watched else over_channels(mean, std, x.shape[2] * x.shape[3])
        own, common = self.rho / std, (1 - self.rho) / layer_std
        scale = gamma * (own + common)
        shift = beta - gamma * (own * mean + common * layer_mean)
        return torch.addcmul(shift.to(x.dtype), x, scale.to(x.dtype))


def over_channels(mean: Tensor, std: Tensor, places: int) -> tuple[Tensor, Tensor]:
    """The moments over all channels, two (B, 1, 1, 1), from those of each, two (B, C, 1, 1), without another pass."""
    layer_mean = mean.mean(1, keepdim=True)
    within, between = std.square() - EPS, (mean - layer_mean).square()
    squares = ((places - 1) * within + places * between).sum(1, keepdim=True)
    return layer_mean, (squares / (places * mean.shape[1] - 1) + EPS).sqrt()


class LIN(AdaLIN):
    """The same with a scale and a shift of its own."""

    def __init__(self, channels: int, level: int = 1) -> None:
        super().__init__(channels, level, rho=0.0)
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, self.gamma, self.beta)


class Attention(nn.Module):
    """Features weighed by how much each channel tells of a picture's kind.

    Args:
        spectral: the classifiers are divided by their largest singular value.
    """

    def __init__(self, channels: int, *, spectral: bool = False) -> None:
        super().__init__()
        self.gap, self.gmp = (
            SpectralLinear(1, channels) if spectral else nn.Linear(channels, 1, bias=False) for _ in range(2)
        )
        self.merge = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w), before an activation."""
        # The features are weighed twice, put one on the other and brought back by 1x1 filters; the filters weighed
        # twice and summed are the same. As in the authors' code weights are not divided here, even if spectral.
        of_mean, of_top = self.merge.weight.flatten(1).chunk(2, 1)
        filters = of_mean * self.gap.weight + of_top * self.gmp.weight  # (C, C)
        return F.linear(x.permute(0, 2, 3, 1), filters, self.merge.bias).permute(0, 3, 1, 2)

    def logits(self, x: Tensor, *parts: int) -> Tensor:
        """What both classifiers say (B, 2): of the channels' means, and of their maxima."""
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            return torch.cat((self.gap(x.mean((2, 3)), *parts), self.gmp(x.amax((2, 3)), *parts)), 1)


class Block(nn.Module):
    """x + two convolutions; nothing after the sum."""

    def __init__(self, channels: int, norm1: nn.Module, norm2: nn.Module) -> None:
        super().__init__()
        self.conv1, self.norm1 = ReflectConv2d(channels, channels, 3, bias=False), norm1
        self.conv2, self.norm2 = ReflectConv2d(channels, channels, 3, bias=False), norm2

    def forward(self, x: Tensor, *style: Tensor) -> Tensor:
        y = F.relu_(self.norm1(self.conv1(x), *style))
        return x + self.norm2(self.conv2(y), *style)


class DoublingConv2d(nn.Conv2d):
    """Twice the size by repeated pixels, then a 3x3 convolution, its border mirrored: (B, C, h, w) -> (B, O, 2h, 2w).

    Both as one transposed convolution of 4x4, which takes 4 multiplications where there were 9.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        dtype, turned = conv_dtype(x), self.weight.flip(2, 3).transpose(0, 1)
        with torch.autocast(x.device.type, enabled=False):
            spread = [F.pad(turned, (right, 1 - right, down, 1 - down)) for down in (0, 1) for right in (0, 1)]
            filters = torch.stack(spread).sum(0).to(dtype)  # (C, O, 4, 4)
            # A border that is mirrored in the doubled features is repeated in these.
            x = F.pad(x.to(dtype), (1, 1, 1, 1), mode="replicate")
            return F.conv_transpose2d(x, filters, stride=2, padding=3)


class Generator(nn.Module):
    """(B, 3, H, W) -> (B, 3, H, W), both in [-1, 1], H and W multiples of 4; and logits (B, 2) of the former's kind.

    Args:
        width: channels at full size; twice at half, four times at a quarter of it.
        blocks: residual blocks on either side of the attention.
        image_size: side of the pictures of the full version, which draws the style from every place of the features;
            0 is the light version, which draws it from their means, at any size.
    """

    def __init__(self, width: int = 64, blocks: int = 4, *, image_size: int = 0) -> None:
        super().__init__()
        levels, wide, self.image_size = count(1), 4 * width, image_size
        self.halo = 12 + 16 * blocks
        """What a tile must see: the first and last convolution, those at half and those at a quarter of the size."""
        self.stem = Layer(ReflectConv2d(3, width, 7, bias=False), InstanceNorm(next(levels)))
        self.downs = nn.ModuleList(
            Layer(ReflectConv2d(n, 2 * n, 3, stride=2, bias=False), InstanceNorm(next(levels)))
            for n in (width, 2 * width)
        )
        self.blocks = nn.ModuleList(
            Block(wide, InstanceNorm(next(levels)), InstanceNorm(next(levels))) for _ in range(blocks)
        )
        self.attention, self.mean = Attention(wide), Moments(next(levels))
        seen = wide * (image_size // 4) ** 2 if image_size else wide
        self.style = nn.ModuleList(nn.Linear(n, wide, bias=False) for n in (seen, wide))
        self.gamma, self.beta = (nn.Linear(wide, wide, bias=False) for _ in range(2))
        self.styled = nn.ModuleList(
            Block(wide, AdaLIN(wide, next(levels)), AdaLIN(wide, next(levels))) for _ in range(blocks)
        )
        self.ups = nn.ModuleList(Layer(DoublingConv2d(2 * n, n), LIN(n, next(levels))) for n in (2 * width, width))
        self.head = ReflectConv2d(width, 3, 7, bias=False, exact=True)  # in bf16 the picture itself would be rounded

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.encode(x)
        return self.decode(self.attend(x)), self.attention.logits(x)

    def encode(self, x: Tensor) -> Tensor:
        """What the classifiers see (B, 4 width, h, w)."""
        x = F.relu_(self.stem(x))
        for down in self.downs:
            x = F.relu_(down(x))
        for block in self.blocks:
            x = block(x)
        return x

    def attend(self, x: Tensor) -> Tensor:
        """The same weighed; the sum over channels is the map of attention."""
        return F.relu_(self.attention(x))

    def decode(self, x: Tensor) -> Tensor:
        """The picture (B, 3, H, W) of weighed features."""
        with torch.autocast(x.device.type, enabled=False):
            style = x.float().flatten(1) if self.image_size else self.mean(x)[0].flatten(1)
            for layer in self.style:
                style = F.relu_(layer(style))
            gamma, beta = (layer(style)[:, :, None, None] for layer in (self.gamma, self.beta))
        for block in self.styled:
            x = block(x, gamma, beta)
        for up in self.ups:
            x = F.relu_(up(x))
        return torch.tanh(self.head(x))


class Discriminator(nn.Module):
    """(B, 3, H, W) -> logits (B, 1, h, w), each for a patch, and (B, 2) for the picture.

    Args:
        width: channels after the first layer, twice as many after each further one.
        layers: how often the size is halved: 5 in the global one, 3 in the local one.
    """

    def __init__(self, width: int = 64, layers: int = 5) -> None:
        super().__init__()
        wide = [3, *(width * 2**i for i in range(layers + 1))]
        self.smallest = 3 * 2**layers
        self.layers = nn.ModuleList(
            SpectralConv2d(wide[i], wide[i + 1], 4, stride=2 if i < layers else 1) for i in range(layers + 1)
        )
        self.attention = Attention(wide[-1], spectral=True)
        self.head = SpectralConv2d(wide[-1], 1, 4, bias=False)

    def forward(self, x: Tensor, parts: int = 1) -> tuple[Tensor, Tensor]:
        """Takes pictures of `smallest` pixels or more; `parts` as `Spectral` has it."""
        for layer in self.layers:
            x = F.leaky_relu_(layer(x, parts), 0.2)
        patches: Tensor = self.head(F.leaky_relu_(self.attention(x), 0.2), parts)
        return patches.float(), self.attention.logits(x, parts)


def from_official(network: Generator | Discriminator, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network in our keys and order, from the authors'; what is none of its stays as it is."""
    names, found = official_names(network), dict(state)
    for key, theirs in names.items():
        if theirs not in found:
            continue
        tensor, (place, _, leaf) = found.pop(theirs), key.rpartition(".")
        layer = network.get_submodule(place)
        if isinstance(layer, SpectralConv2d) and leaf in ("weight", "v"):
            tensor = by_place(tensor.flatten(1) if leaf == "weight" else tensor, layer.kernel)
        found[key] = tensor
    return found


def official_names(network: Generator | Discriminator) -> dict[str, str]:
    """Our keys, and what the authors' code calls them."""
    names = _generator(len(network.blocks)) if isinstance(network, Generator) else _discriminator(len(network.layers))
    names |= {"attention.gap": "gap_fc", "attention.gmp": "gmp_fc", "attention.merge": "conv1x1"}
    found = {}
    for key in network.state_dict():
        place, _, leaf = key.rpartition(".")
        if isinstance(network.get_submodule(place), Spectral):  # as torch.nn.utils.spectral_norm
            leaf = {"weight": "weight_orig", "u": "weight_u", "v": "weight_v"}.get(leaf, leaf)
        found[key] = f"{names[place]}.{leaf}"
    return found


def _generator(blocks: int) -> dict[str, str]:
    parts = ("conv1", "norm1", "conv2", "norm2")
    return {
        "stem.conv": "DownBlock.1",
        "downs.0.conv": "DownBlock.5",
        "downs.1.conv": "DownBlock.9",
        **{f"blocks.{i}.conv{n}": f"DownBlock.{12 + i}.conv_block.{4 * n - 3}" for i in range(blocks) for n in (1, 2)},
        "style.0": "FC.0",
        "style.1": "FC.2",
        "gamma": "gamma",
        "beta": "beta",
        **{f"styled.{i}.{part}": f"UpBlock1_{i + 1}.{part}" for i in range(blocks) for part in parts},
        "ups.0.conv": "UpBlock2.2",
        "ups.0.norm": "UpBlock2.3",
        "ups.1.conv": "UpBlock2.7",
        "ups.1.norm": "UpBlock2.8",
        "head": "UpBlock2.11",
    }


def _discriminator(layers: int) -> dict[str, str]:
    return {"head": "conv", **{f"layers.{i}": f"model.{3 * i + 1}" for i in range(layers)}}


def generator_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What the generator of the authors' keys is, as fields of the method's Config.

    Raises:
        KeyError: it is none.
    """
    if missing := {"DownBlock.1.weight", "FC.0.weight", "UpBlock1_1.norm1.rho"} - set(state):
        raise KeyError(f"not a generator of U-GAT-IT: {min(missing)} is missing")
    width = state["DownBlock.1.weight"].shape[0]
    blocks = sum(key.startswith("UpBlock1_") and key.endswith(".norm1.rho") for key in state)
    found = {"width": width, "blocks": blocks}
    places = state["FC.0.weight"].shape[1] // (4 * width)
    return found | ({"light": True} if places == 1 else {"light": False, "image_size": 4 * math.isqrt(places)})


def discriminator_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """The same of the discriminators of the whole file, if it has any."""
    found: dict[str, Any] = {}
    for network, field in (("disGA", "global_layers"), ("disLA", "local_layers")):
        filters = [t for k, t in state.items() if k.startswith(f"{network}.model.") and k.endswith(".weight_orig")]
        if filters:
            found |= {"discriminator_width": min(len(f) for f in filters), field: len(filters) - 1}
    return found
