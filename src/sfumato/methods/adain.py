"""AdaIN: arbitrary style transfer in real time (Huang & Belongie, ICCV 2017, arXiv:1703.06868).

A fixed VGG encodes content and style; adaptive instance normalisation gives the content's features the channel means
and standard deviations of the style's; a decoder, the mirror of the encoder, turns them into a picture. The decoder
alone learns, judged by the encoder itself.

Shapes: B batch, C channels, H W pixels of the content, h w pixels of the style.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from ..errors import OptionError
from ..losses.style import content_loss, style_loss
from ..nets.mirror import make_decoder
from ..nets.norms import Moments, adain, moments
from ..nets.perceptual import read_network
from ..nets.vgg import HEADS, VGG, CompactVGG, read_vgg
from . import base

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
CODE_LAYER = "relu4_1"


@dataclass(frozen=True, kw_only=True)
class Config:
    encoder: Literal["vgg19", "compact"] = "compact"
    """The normalised VGG-19, as in the paper, or the compact one; both give the same 512 channels at relu4_1."""
    encoder_weights: str = "compact"
    """Weights that the training takes for its encoder, by name or file; the model keeps them."""
    width: Annotated[int, Gt(0)] = 16
    """Channels of the decoder at full size, twice and four times as many at half and a quarter; 64 in the paper."""
    content_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the distance to the features that were decoded, at relu4_1."""
    style_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of the statistics at relu1_1 to relu4_1."""


def make_encoder(kind: Literal["vgg19", "compact"]) -> VGG | CompactVGG:
    """The first layers, up to relu4_1, of the normalised VGG-19 or of the compact one."""
    return VGG(19, CODE_LAYER) if kind == "vgg19" else CompactVGG(until=CODE_LAYER)


class Model(base.Stylizer):
    """Content (B, 3, H, W) and style (B, 3, h, w), RGB in [0, 1] -> (B, 3, H, W), not clamped.

    A code is (mean, standard deviation) of the style's features, (B, 512, 1, 1) each. Sides that are no multiples of 8
    come back as the next multiples.

    # Differs from the paper: by default the encoder is the compact VGG-19, whose heads bring it to the paper's 512
    # channels, and the decoder has a quarter of the width. With `encoder="vgg19", width=64` it is the paper's.
    """

    stride = 8
    halo = 64
    code_stride = 8
    pixel_bytes = 800

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        self.encoder = make_encoder(self.config.encoder).requires_grad_(False)
        self.moments = Moments(level=1)
        self.decoder = make_decoder(HEADS[CODE_LAYER], self.config.width)

    def encode(self, images: Tensor) -> Tensor:
        """f: images (B, 3, H, W) -> features (B, 512, H/8, W/8)."""
        features: Tensor = self.encoder(images, [CODE_LAYER])[CODE_LAYER]
        return features

    def encode_style(self, style: Tensor) -> base.Code:
        return moments(self.encode(style))

    def transfer(self, features: Tensor, code: base.Code, strength: float | Tensor = 1.0) -> Tensor:
        """The features to decode: AdaIN(f(c), f(s)), eq. 9, or mixed with f(c) by a strength below 1, eq. 14."""
        own, style = self.moments(features), (code[0], code[1])
        if isinstance(strength, Tensor) or strength != 1:
            # AdaIN is linear in the style's statistics: mixing these is mixing the features.
            style = (own[0] + strength * (style[0] - own[0]), own[1] + strength * (style[1] - own[1]))
        return adain(features, own, style)

    def features(self, content: Tensor, strength: float | Tensor = 1.0) -> base.Features:
        return (self.encode(content),)

    def paint(self, features: base.Features, code: base.Code, strength: float | Tensor = 1.0) -> Tensor:
        result: Tensor = self.decoder(self.transfer(features[0], code, strength))
        return result


class Training(base.Training):
    """The decoder learns to invert f, judged by f (section 5.2)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = Model(config)
        self.model.encoder.load_state_dict(encoder_weights(config))

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"decoder": [self.model.decoder]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"art": self.model}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        f = self.model.encoder
        with torch.no_grad():
            of_style = {layer: moments(x) for layer, x in f(batch["style"], STYLE_LAYERS).items()}
            target = self.model.transfer(self.model.encode(batch["content"]), of_style[CODE_LAYER])
        features = f(self.model.decoder(target), STYLE_LAYERS)
        # As in the authors' code, the norms of eq. 12 and 13 are mean squared differences.
        yield {
            "content": self.config.content_weight * content_loss(features[CODE_LAYER], target).mean(),
            "style": self.config.style_weight * style_loss(features, of_style).mean(),
        }

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        content, style = batch["content"], batch["style"]
        steps = {f"strength {s:g}": self.model(content, style, s).clamp(0, 1) for s in (0.0, 0.5, 1.0)}
        return {"content": content, "style": style} | steps


def encoder_weights(config: Config) -> dict[str, Tensor]:
    """What the network named by `config.encoder_weights` has for the encoder.

    Raises:
        OptionError: it is a network of another kind.
        WeightsError: it is missing, or no VGG.
    """
    network, wanted = read_network(config.encoder_weights), make_encoder(config.encoder).state_dict()
    tensors = {key: tensor for key, tensor in network.state_dict().items() if key in wanted}
    normalised = isinstance(network, CompactVGG) or network.flavour == "normalised"
    if not normalised or {k: v.shape for k, v in tensors.items()} != {k: v.shape for k, v in wanted.items()}:
        kind = {"vgg19": "a normalised VGG-19", "compact": "a compact VGG-19"}[config.encoder]
        raise OptionError(f"encoder_weights={config.encoder_weights!r} is not {kind} of at least {CODE_LAYER}")
    return tensors


OFFICIAL_ROLES = ("vgg", "decoder")


def from_official(states: Mapping[str, Mapping[str, Tensor]]) -> Model:
    """The model of `vgg_normalised.pth`, whole or cut at relu4_1, and `decoder.pth`.

    Args:
        states: the files' tensors by role, one of `OFFICIAL_ROLES`.

    Raises:
        KeyError: the first file is no normalised VGG.
        RuntimeError: keys are missing or unexpected, or shapes differ; they are listed.
    """
    vgg = read_vgg(states["vgg"])
    if vgg.flavour != "normalised":
        raise KeyError(f"not the normalised VGG-19, which begins with a 1x1 convolution; this one is {vgg.flavour}")
    model = Model(Config(encoder="vgg19", encoder_weights="vgg19-normalised", width=64))
    wanted = model.encoder.state_dict()
    model.encoder.load_state_dict({key: tensor for key, tensor in vgg.state_dict().items() if key in wanted})
    model.decoder.load_state_dict(dict(states["decoder"]))
    return model
