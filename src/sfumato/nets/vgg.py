"""VGG-16 and VGG-19 as feature extractors (Simonyan & Zisserman, ICLR 2015, arXiv:1409.1556).

Three sets of weights are in use, and they must not be mixed:

| flavour       | colours in                         | padding | pooling | scale                              |
|---------------|------------------------------------|---------|---------|------------------------------------|
| `torchvision` | RGB, ImageNet mean and deviation   | zeros   | floor   | as trained                         |
| `caffe`       | BGR 0..255 minus the ImageNet mean | zeros   | floor   | as trained                         |
| `normalised`  | a 1x1 convolution kept in the file | reflect | ceil    | each filter's mean activation is 1 |

Here all three take RGB in [0, 1]: the first step of each is a 1x1 convolution on colours.

Shapes: B batch, C channels, H W pixels. A layer `reluK_J` of the floor kind has H / 2^(K-1) rows.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import ReflectConv2d

Flavour = Literal["torchvision", "caffe", "normalised"]
WIDTHS = (64, 128, 256, 512, 512)
PARTS = ("weight", "bias")
CLASSIFIER = [f"classifier.{n}" for n in (0, 1, 3, 4, 6)]
CONVS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
HEADS = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu5_1": 512}


def layer_names(depth: int = 19) -> list[str]:
    """Names of the convolutions in order, as `1_1`, `1_2`, `2_1` ... `5_4`."""
    return [f"{k}_{j}" for k, count in enumerate(CONVS[depth], 1) for j in range(1, count + 1)]


class VGG(nn.Module):
    """The convolutional part of a VGG, cut after its last wanted layer.

    Args:
        depth: 16 or 19.
        until: the last layer kept, such as `relu4_1`.
        widths: channels of the five blocks.
        flavour: padding, pooling and colours, see the module's table.
        pool: `max` as trained, or `average` (smoother gradients, Gatys et al. 2015).
    """

    def __init__(
        self,
        depth: int = 19,
        until: str = "relu5_1",
        *,
        widths: Sequence[int] = WIDTHS,
        flavour: Flavour = "normalised",
        pool: Literal["max", "average"] = "max",
    ) -> None:
        super().__init__()
        names = layer_names(depth)
        if until.removeprefix("relu") not in names:
            raise ValueError(f"until={until!r} is no layer of VGG-{depth}, relu{names[0]} to relu{names[-1]}")
        self.flavour, self.pool = flavour, pool
        self.color = nn.Conv2d(3, 3, 1)
        set_colors(self.color, flavour)
        self.convs = nn.ModuleDict()
        channels = 3
        for name in names[: names.index(until.removeprefix("relu")) + 1]:
            width = widths[int(name[0]) - 1]
            mirrored = flavour == "normalised"
            self.convs[name] = (
                ReflectConv2d(channels, width, 3) if mirrored else nn.Conv2d(channels, width, 3, padding=1)
            )
            channels = width

    @property
    def layers(self) -> list[str]:
        """Every layer it can give, in order: `relu1_1`, `relu1_2` ..."""
        return [f"relu{name}" for name in self.convs]

    @property
    def widths(self) -> dict[str, int]:
        """Channels of each layer."""
        return {f"relu{name}": conv.out_channels for name, conv in self.convs.items()}  # type: ignore[misc]

    def forward(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Features (B, C, h, w) by layer name, of images (B, 3, H, W) in [0, 1]; stops at the deepest asked for."""
        wanted, features, x = set(layers), {}, self.color(images)
        for name, conv in self.convs.items():
            if name.endswith("_1") and name != "1_1":
                x = self._halve(x)
            x = F.relu(conv(x))
            if f"relu{name}" in wanted:
                features[f"relu{name}"] = x
            if len(features) == len(wanted):
                return features
        raise KeyError(f"{sorted(wanted - set(features))}: this VGG ends at {self.layers[-1]}")

    def _halve(self, x: Tensor) -> Tensor:
        pool = F.max_pool2d if self.pool == "max" else F.avg_pool2d
        return pool(x, 2, ceil_mode=self.flavour == "normalised")


class CompactVGG(nn.Module):
    """A narrow VGG-19 with 1x1 heads that give VGG-19's own numbers of channels (arXiv:2003.08436, linear embedding).

    Args:
        widths: channels of the five blocks.
        until: the last layer kept; the heads are at relu1_1, relu2_1 ... up to it.
        heads: without them it is a plain VGG of any flavour, in the same form as a narrow one.
        depth: 16 or 19.
        flavour: padding, pooling and colours, see the module's table.
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 32, 64, 128, 128),
        *,
        until: str = "relu5_1",
        heads: bool = True,
        depth: int = 19,
        flavour: Flavour = "normalised",
    ) -> None:
        super().__init__()
        self.body = VGG(depth, until, widths=widths, flavour=flavour)
        own = self.body.widths
        self.heads = nn.ModuleDict({k: nn.Conv2d(own[k], n, 1) for k, n in HEADS.items() if heads and k in own})

    @property
    def layers(self) -> list[str]:
        """Every layer it can give, in order."""
        return list(self.heads) or self.body.layers

    def forward(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Features (B, C, h, w) by layer name, on the scale of the normalised VGG-19, of images in [0, 1]."""
        features = self.body(images, layers)
        return {k: F.relu(self.heads[k](x)) for k, x in features.items()} if len(self.heads) else features


def set_colors(conv: nn.Conv2d, flavour: Flavour) -> None:
    """Makes the 1x1 convolution bring RGB in [0, 1] to the colours the flavour was trained on."""
    mean, scale = torch.tensor([0.485, 0.456, 0.406]), 1 / torch.tensor([0.229, 0.224, 0.225])
    matrix, bias = torch.diag(scale), -mean * scale
    if flavour != "torchvision":  # blue first, 0..255; a normalised file brings its own numbers, near to these
        matrix = torch.tensor([[0.0, 0, 255], [0, 255, 0], [255, 0, 0]])
        bias = -torch.tensor([103.939, 116.779, 123.68])
    with torch.no_grad():
        conv.weight.copy_(matrix[:, :, None, None])
        conv.bias.copy_(bias)  # type: ignore[union-attr]
    conv.requires_grad_(False)


def read_vgg(state: Mapping[str, Tensor], *, flavour: Flavour | None = None) -> VGG:
    """A VGG with the weights of one of the authors' files, whole or cut, whatever names its keys have.

    Args:
        state: the file's tensors. `N` keys from `0.weight` (3, 3, 1, 1) are the normalised one, `convK_J` keys those of
            Gatys (Caffe), `features.N` keys torchvision's, or Caffe's if the file has `classifier.1`.
        flavour: overrides that; needed for Caffe files whose classifier was renamed to torchvision's keys.

    Raises:
        KeyError: the keys are not those of a VGG; the message says which are missing.
    """
    convs = {k: v for k, v in state.items() if v.ndim == 4}
    names = [k.removesuffix(".weight") for k in sorted(convs, key=_place)]
    normalised = bool(names) and convs[f"{names[0]}.weight"].shape[2:] == (1, 1)
    color, names = (names[0], names[1:]) if normalised else (None, names)
    depth = 16 if len(names) == 13 else 19
    layers = layer_names(depth)[: len(names)]
    if not names or len(names) > 16 or any(f"{n}.bias" not in state for n in names):
        raise KeyError(f"not a VGG: {len(names)} 3x3 convolutions with keys like {list(state)[:3]}")
    if unknown := [k for k in state if k.rpartition(".")[0] not in {color, *names, *CLASSIFIER}]:
        raise KeyError(f"not a VGG: {len(unknown)} unexpected keys like {unknown[:3]}")
    widths = [0] * 5
    for layer, name in zip(layers, names, strict=True):
        widths[int(layer[0]) - 1] = convs[f"{name}.weight"].shape[0]
    guess: Flavour = "caffe" if names[0] == "conv1_1" or "classifier.1.weight" in state else "torchvision"
    vgg = VGG(depth, f"relu{layers[-1]}", widths=widths, flavour=flavour or ("normalised" if normalised else guess))
    renamed = {f"convs.{layer}.{p}": state[f"{n}.{p}"] for layer, n in zip(layers, names, strict=True) for p in PARTS}
    renamed |= {f"color.{p}": state[f"{color}.{p}"] if color else getattr(vgg.color, p) for p in PARTS}
    vgg.load_state_dict(renamed)
    return vgg


def _place(key: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", key))


def read_compact(state: Mapping[str, Tensor]) -> CompactVGG:
    """A compact VGG from the tensors of a Collaborative Distillation encoder (keys `convKJ`, `convKJ_aux`).

    An encoder that ends at relu4_1 gives a network that ends there.

    Raises:
        KeyError: tensors are missing.
    """
    deepest = 5 if "conv51.weight" in state else 4
    widths = [state[f"conv{k}1.weight"].shape[0] for k in range(1, deepest + 1)]
    compact = CompactVGG([*widths, 0][:5], until=f"relu{deepest}_1")
    renamed = {f"body.convs.{n}.{p}": state[f"conv{n.replace('_', '')}.{p}"] for n in compact.body.convs for p in PARTS}
    renamed |= {f"heads.{n}.{p}": state[f"conv{n[4]}1_aux.{p}"] for n in compact.heads for p in PARTS}
    compact.load_state_dict(renamed | {f"body.color.{p}": state[f"conv0.{p}"] for p in PARTS})
    return compact
