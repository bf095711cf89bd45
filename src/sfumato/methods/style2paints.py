"""Style2paints V1: a sketch painted in the colours of a picture (Zhang, Ji & Lin 2017, arXiv:1706.03319).

A residual U-Net draws the painting; a hint, a vector that tells of the style, is added at its middle. Across the skips
the decoder could do all the work, and the middle with the hint would learn nothing; two guide decoders, which exist in
training only, ask its entry for the picture in grey and its exit for the picture in colour (section 2.2). The style is
the wanted picture itself, changed so that only its colours pass. First the distance to that picture alone is learned,
then a judge comes in by and by.

Hints are taken from a bundled network unless there are weights of VGG-19 with its classifier: `hint` says which.
Beside the style, colours may be given at points.

Shapes: B batch, C channels, H W pixels, h w pixels of a style, D numbers of a hint. The networks work in [-1, 1].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ..errors import RecipeError
from ..nets.augment import augment
from ..nets.colors import luminance
from ..nets.style2paints import ColorUnet, CompactHint, Decoder, FcHint, Judge
from . import base
from .base import signed, unsigned


@dataclass(frozen=True, kw_only=True)
class Config:
    width: Annotated[int, Gt(0)] = 16
    """Channels at full size, twice as many at each half; 16 in the paper."""
    widest: Annotated[int, Gt(0)] = 128
    """Most channels before the middle; 256 in the paper."""
    middle: Annotated[int, Gt(0)] = 192
    """Channels of the middle and of the dense layer above the hint; 2048 in the paper."""
    halvings: Annotated[int, Ge(1), Le(6)] = 5
    """How often a sketch is halved down to the middle; sides are filled up to multiples of 2^halvings."""
    decoder: Annotated[float, Gt(0)] = 1.0
    """Channels of the decoder for one of the encoder; 2 in the paper."""
    hint: Literal["compact", "vgg19-fc1"] = "compact"
    """What tells of a style: moments of the bundled VGG and a palette, or fc1 of VGG-19 as in the paper."""
    hint_weights: str = "vgg19"
    """Weights with classifier.0, by name or file, for `vgg19-fc1`; the model needs them at work, too."""
    palette: Annotated[int, Ge(0), Le(8)] = 5
    """Steps of each of red, green and blue in the palette of a `compact` hint; 0: none."""
    film: bool = True
    """The hint scales and shifts each of the decoder's blocks, too (FiLM); the paper adds it at the middle only."""
    points: bool = True
    """Take colours at points, too, which the paper has not."""
    side: Annotated[int, Ge(16)] = 256
    """Longest side in pixels at which sketches are painted and styles are seen; about what the model is trained at."""
    grey_weight: Annotated[float, Ge(0)] = 0.3
    """Weight of the guide decoder at the middle's entry, alpha of eq. 2."""
    color_weight: Annotated[float, Ge(0)] = 0.9
    """Weight of the guide decoder at the middle's exit, beta of eq. 2."""
    guide_halvings: Annotated[int, Ge(0), Le(5)] = 2
    """How often the pictures are halved that guides draw, less than `halvings`; 0 in the paper."""
    guide_width: Annotated[float, Gt(0)] = 0.5
    """Channels of the guides for one of the decoder; 1 in the paper."""
    pixel_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of eq. 2, L1, before the shift."""
    pixel_weight_after: Annotated[float, Ge(0)] = 1.0
    """The same after the shift: lambda, for which the paper has no number."""
    adversarial_weight: Annotated[float, Ge(0)] = 0.01
    """Weight of the judge after the shift."""
    shift_start: Annotated[int, Ge(0)] = 20_000
    """Images seen before the judge comes in."""
    shift_images: Annotated[int, Ge(0)] = 10_000
    """Images over which the weights move; 0 moves them at once."""
    judge_width: Annotated[int, Gt(0)] = 32
    """Channels of the judge's first layer, eight times as many at its last."""
    augment: str = ""
    """What the judge sees is changed at random by these, `color shift cut`; `color` would hide whether hints hold."""

    @property
    def widths(self) -> list[int]:
        """Channels of the encoder, full size first."""
        return [min(self.width * 2**i, self.widest) for i in range(self.halvings)]

    def decoder_widths(self, share: float = 1.0) -> list[int]:
        """Channels of a decoder that is so wide for one of the painting's, full size first."""
        return [max(1, round(w * self.decoder * share)) for w in self.widths]


class Model(base.Colorizer):
    """A sketch (B, 1 or 3, H, W), black on white, and a style (B, 3, h, w) -> (B, 3, H, W), RGB in [0, 1].

    # Differs from the paper: the middle is a tenth, the widest layers are half as wide by default, so that
    # it can be learned without a GPU and its file is small.
    # Differs from the paper: the hint scales and shifts what each of the decoder's blocks gives, too (FiLM, Perez et
    # al. 2018); through the middle alone it reaches the colours only after many more pictures.
    # Differs from the paper: where the skips' widths in its figure do not agree with the encoder's, they are the
    # encoder's; a block is two convolutions, the second one with its input added.
    """

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        c = self.config = config or Config()
        self.stride, self.side, self.takes_points = 2**c.halvings, c.side, c.points
        self.hints: CompactHint | FcHint = FcHint(c.hint_weights) if c.hint == "vgg19-fc1" else CompactHint(c.palette)
        self.network = ColorUnet(
            self.hints.size, c.widths, c.decoder_widths(), middle=c.middle, film=c.film, channels=5 if c.points else 1
        )

    def encode_style(self, style: Tensor) -> Tensor:
        hint: Tensor = self.hints(style)
        return hint

    def paint(self, sketch: Tensor, hint: Tensor, points: Tensor | None = None) -> Tensor:
        return unsigned(self.network(self.entering(sketch, points), hint))

    def entering(self, sketch: Tensor, points: Tensor | None = None) -> Tensor:
        """What the network is given: (B, 5, H, W), the ink from 0 to 1, where colours are, and these in [-1, 1]."""
        ink = 1 - (luminance(sketch) if sketch.shape[1] == 3 else sketch)
        if not self.config.points:
            return ink
        if points is None:
            return torch.cat((ink, ink.new_zeros(len(ink), 4, *ink.shape[2:])), 1)
        return torch.cat((ink, points[:, :1], signed(points[:, 1:]) * points[:, :1]), 1)


class Guides(nn.Module):
    """The two guide decoders: the picture in grey from the middle's entry, in colour from its exit.

    # Differs from the paper: guides draw small pictures by default, and are half as wide. What they ask of the middle,
    # which has a cell for 32 pixels, are colours of areas, and at full size they would cost more than the painting.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        c, network = model.config, model.network
        if c.guide_halvings >= c.halvings:
            raise RecipeError(f"method.guide_halvings: {c.guide_halvings} must be less than halvings, {c.halvings}")
        wide = c.decoder_widths(c.guide_width)[c.guide_halvings :][::-1]
        self.grey, self.color = Decoder(network.entry, wide, leaving=1), Decoder(network.exit, wide)


class Training(base.Training):
    """Eq. 2 to 4, the judge's weight a function of the images seen.

    Raises:
        RecipeError: an augmentation is unknown, or guides would have nothing to double.
        WeightsError: there are no weights for the hints.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        base.check_augment(config.augment)
        self.config = config
        self.model = Model(config)
        self.guides = Guides(self.model)
        self.judge = Judge(self.model.hints.size, config.judge_width)
        for module in (self.model.network, self.guides, self.judge):
            initialise(module)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"generator": [self.model.network, self.guides], "judge": [self.judge]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"paint": self.model}

    @property
    def shift(self) -> float:
        """How far the shift from L1 to the judge has come, in [0, 1]: a function of the images seen."""
        c = self.config
        if self.seen < c.shift_start or not c.adversarial_weight:
            return 0.0
        return min(1.0, (self.seen - c.shift_start) / c.shift_images) if c.shift_images else 1.0

    def order(self) -> Sequence[str]:
        """The judge learns from the shift's start on; before, it would only learn what nobody asks it."""
        judged = self.config.adversarial_weight > 0 and self.seen >= self.config.shift_start
        return ("generator", "judge") if judged else ("generator",)

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        c, color, shift = self.config, signed(batch["color"]), self.shift
        self._check(batch)
        hint = self.model.encode_style(batch["style"])
        entering = self.model.entering(batch["sketch"], batch["points"] if c.points else None)
        fake, entry, leaving = self.model.network.traced(entering, hint)
        pixel = c.pixel_weight + shift * (c.pixel_weight_after - c.pixel_weight)
        terms = {"pixel": pixel * F.l1_loss(fake, color)} | self._guided(entry, leaving, color, pixel)
        if shift:
            terms["adversarial"] = shift * c.adversarial_weight * agreement(self._seen(fake), hint)
        yield terms
        verdicts = self._seen(color), self._seen(fake.detach())
        yield {"real": 0.5 * agreement(verdicts[0], hint), "fake": 0.5 * disagreement(verdicts[1])}

    def _check(self, batch: Mapping[str, Tensor]) -> None:
        side, stride = batch["color"].shape[-1], self.model.stride
        if side < 2 * stride or side % stride:
            least = f"a multiple of {stride}, {2 * stride} or more, or fewer halvings"
            raise RecipeError(
                f"data.size: {side} cannot be halved method.halvings {self.config.halvings} times; take {least}"
            )

    def _guided(self, entry: Tensor, leaving: Tensor, color: Tensor, pixel: float) -> base.Terms:
        """The second and third term of eq. 2."""
        c = self.config
        size = [side >> c.guide_halvings for side in color.shape[2:]]
        color = F.interpolate(color, size=size, mode="area")
        terms = {}
        if c.grey_weight:
            grey = self.guides.grey(entry, size=size)
            terms["guide_grey"] = pixel * c.grey_weight * F.l1_loss(grey, luminance(color))
        if c.color_weight:
            colored = self.guides.color(leaving, size=size)
            terms["guide_color"] = pixel * c.color_weight * F.l1_loss(colored, color)
        return terms

    def _seen(self, images: Tensor) -> Tensor:
        """What the judge says of pictures in [-1, 1]."""
        verdict: Tensor = self.judge(augment(images, self.config.augment))
        return verdict

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        sketch, style, color = batch["sketch"], batch["style"], batch["color"]
        rows = {
            "sketch": sketch.expand(-1, 3, -1, -1),
            "style": style,
            "painted": self.model(sketch, style),
            "of another style": self.model(sketch, style.roll(1, 0)),
        }
        if self.config.points:
            rows["with points"] = self.model(sketch, style, batch["points"])
        return rows | {"picture": color}


def agreement(logits: Tensor, hint: Tensor) -> Tensor:
    """How far the judge's logits (B, D) are from saying that hint (B, D) of a real picture: a scalar.

    # Differs from the paper: eq. 3 as printed, log(D + 1 - V), is the larger the larger D, whatever the hint V. What
    # its text says, that D approaches V for real pictures and 0 for others, is the cross-entropy to V. A hint is
    # brought into [0, 1] by a sigmoid.
    """
    return F.binary_cross_entropy_with_logits(logits, hint.float().sigmoid())


def disagreement(logits: Tensor) -> Tensor:
    """How far the judge is from saying 0 of made pictures: a scalar."""
    return F.softplus(logits).mean()


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """First weights after He et al. 2015, at 0.3 of that where a hint comes in and where pictures leave.

    That is not nothing: hints are felt from the first step on, and pictures begin dull, not grey.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, 0.2, nonlinearity="leaky_relu")
            if module.bias is not None:
                module.bias.zero_()
    for module in network.modules():
        if isinstance(module, ColorUnet):
            module.dense.weight.mul_(0.3)
        elif isinstance(module, Decoder):
            for small in (module.head, *module.film):
                small.weight.mul_(0.3)
