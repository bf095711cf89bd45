"""U-GAT-IT: two kinds of pictures without pairs, with attention and AdaLIN (Kim et al., ICLR 2020, arXiv:1907.10830).

Classifiers beside generators and discriminators say which places make a picture of its kind; features are weighed by
them. It changes shapes more freely than CycleGAN.

Shapes: B batch, C channels, H W pixels, h w places of features, a quarter of them. The networks work in [-1, 1].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from .. import weights
from ..errors import OptionError, RecipeError
from ..losses.adversarial import adversarial_loss
from ..nets.ugatit import AdaLIN, Discriminator, Generator, discriminator_settings, generator_settings
from ..nets.ugatit import from_official as in_our_keys
from . import base
from .base import signed, unsigned


@dataclass(frozen=True, kw_only=True)
class Config:
    light: bool = True
    """Draw the style from the means of the features; the full version draws it from every place of them, which takes
    26 times the weights at 256 pixels and binds it to one size."""
    image_size: Annotated[int, Gt(0)] = 256
    """Side of the full version's pictures, a multiple of 4."""
    width: Annotated[int, Gt(0)] = 64
    """Channels of a generator at full size."""
    blocks: Annotated[int, Ge(1)] = 4
    """Residual blocks on either side of the attention."""
    discriminator_width: Annotated[int, Gt(0)] = 64
    """Channels of a discriminator's first layer."""
    global_layers: Annotated[int, Ge(1), Le(7)] = 5
    """How often the global discriminators halve; 5 needs pictures of 96 pixels, 4 of 48, 3 of 24."""
    local_layers: Annotated[int, Ge(1), Le(7)] = 3
    """How often the local discriminators halve: 3 for patches of 70 pixels."""
    adversarial_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of looking real, to both discriminators of a kind and to their classifiers."""
    cycle_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of what comes back being what went there, L1."""
    identity_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of leaving alone what is of the wanted kind already, L1."""
    cam_weight: Annotated[float, Ge(0)] = 1000.0
    """Weight of the generators' classifiers, which tell what is to be changed from what is not."""
    start: str = ""
    """The authors' file whose six networks training begins with; empty: random weights."""


class Heatmap(NamedTuple):
    """Where a generator looks."""

    image: Tensor
    """(B, 1, H, W), from 0 at each picture's least to 1 at its most."""
    raw: Tensor
    """(B, 1, h, w): weighed features, summed over channels."""


class Model(base.ImageToImage):
    """Pictures of one kind (B, 3, H, W), RGB in [0, 1] -> of the other.

    Raises:
        OptionError: the full version is of a size that is no multiple of 4.
    """

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        c = self.config = config or Config()
        if not c.light and c.image_size % 4:
            raise OptionError(f"image_size {c.image_size} is no multiple of 4")
        self.network = Generator(c.width, c.blocks, image_size=0 if c.light else c.image_size)
        # What renders pictures of any size gives a model two strides at least: smaller ones become the full version's.
        self.stride, self.halo = (4, self.network.halo) if c.light else (c.image_size // 2, None)
        self.pixel_bytes = 16 * c.width

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other kind.

        Raises:
            OptionError: it is not of the full version's size.
        """
        self.check_size(image)
        return unsigned(self.network(signed(image))[0])

    def heatmap(self, image: Tensor) -> Heatmap:
        """Where it looks to change a picture.

        Raises:
            OptionError: as a call.
        """
        self.check_size(image)
        raw = self.network.attend(self.network.encode(signed(image))).float().sum(1, keepdim=True)
        large = F.interpolate(raw, size=image.shape[2:], mode="bilinear")
        low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
        return Heatmap((large - low) / (high - low).clamp(min=torch.finfo(raw.dtype).tiny), raw)

    def check_size(self, image: Tensor) -> None:
        """Checks that a picture is of the full version's size.

        Raises:
            OptionError: it is not.
        """
        (height, width), side = image.shape[2:], self.config.image_size
        if not self.config.light and (height, width) != (side, side):
            raise OptionError(
                f"this model, the full version of U-GAT-IT, takes {side}x{side} pixels alone, not {width}x{height};"
                " make the picture smaller, or take the light version"
            )


class Training(base.Training):
    """The paper's objective.

    Raises:
        OptionError: the full version is of a size that is no multiple of 4.
        WeightsError: the file to start from cannot be read, or is of other networks.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = self.config = config
        self.a2b, self.b2a = Model(c), Model(c)
        layers = {"global": c.global_layers, "local": c.local_layers}
        self.discriminators = nn.ModuleDict(
            {
                f"{reach}_{kind}": Discriminator(c.discriminator_width, layers[reach])
                for reach in layers
                for kind in "ab"
            }
        )
        if c.start:
            self.take(weights.read_foreign(c.start), c.start)

    def take(self, state: Mapping[str, Tensor], name: str) -> None:
        """Takes over the six networks of the authors' file.

        Args:
            state: its tensors.
            name: of the file, for the error.

        Raises:
            WeightsError: they do not fit.
        """
        for place, theirs in NETWORKS.items():
            network = self.get_submodule(place)
            assert isinstance(network, Generator | Discriminator)
            weights.load_into(network, in_our_keys(network, part(state, theirs)), f"{name}, {theirs}")

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"discriminators": [self.discriminators], "generators": [self.a2b, self.b2a]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"a2b": self.a2b, "b2a": self.b2a}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        self._check(batch["a"])
        c, a, b = self.config, signed(batch["a"]), signed(batch["b"])
        # Differs from the authors' code: that makes everything twice and sends the discriminators' gradients back
        # through the generators, for nothing. Generators do not change in the discriminators' turn, which comes first.
        for model in (self.a2b, self.b2a):
            model.requires_grad_(True)
        fake_b, same_b, classes_a2b = translate(self.a2b, a, b)
        fake_a, same_a, classes_b2a = translate(self.b2a, b, a)
        yield self._judged("a", a, fake_a.detach()) | self._judged("b", b, fake_b.detach())
        yield {
            **self._liked("a", fake_a),
            **self._liked("b", fake_b),
            "cycle_a": c.cycle_weight * F.l1_loss(self.b2a.network(fake_b)[0], a),
            "cycle_b": c.cycle_weight * F.l1_loss(self.a2b.network(fake_a)[0], b),
            "identity_a": c.identity_weight * F.l1_loss(same_a, a),
            "identity_b": c.identity_weight * F.l1_loss(same_b, b),
            "cam_a": c.cam_weight * told_apart(classes_b2a),
            "cam_b": c.cam_weight * told_apart(classes_a2b),
        }
        self._clip()

    def _check(self, images: Tensor) -> None:
        self.a2b.check_size(images)
        smallest = max(judge.smallest for judge in self._judges().values())
        if (side := min(images.shape[2:])) < smallest:
            raise RecipeError(
                f"data.size: {side} pixels are too few for the discriminators, which need {smallest};"
                " fewer --method.global-layers need less"
            )

    def _judges(self, kind: str = "") -> dict[str, Discriminator]:
        """The discriminators of one kind of pictures, or all."""
        found = {name: judge for name, judge in self.discriminators.items() if name.endswith(kind)}
        return {name: judge for name, judge in found.items() if isinstance(judge, Discriminator)}

    def _judged(self, kind: str, real: Tensor, fake: Tensor) -> base.Terms:
        """What the discriminators of a kind have to learn, for patches and for whole pictures (`cam`)."""
        weight, terms = self.config.adversarial_weight, dict[str, Tensor]()
        for name, judge in self._judges(kind).items():
            for key, logits in zip((name, f"{name}_cam"), judge(torch.cat((real, fake)), 2), strict=True):
                of_real, of_fake = logits.chunk(2)
                terms[key] = weight * (least_squares(of_real, True) + least_squares(of_fake, False))
        return terms

    def _liked(self, kind: str, fake: Tensor) -> base.Terms:
        """How far the discriminators of a kind are from taking made pictures for real."""
        weight, terms = self.config.adversarial_weight, dict[str, Tensor]()
        for name, judge in self._judges(kind).items():
            for key, logits in zip((name, f"{name}_cam"), judge(fake), strict=True):
                terms[key] = weight * least_squares(logits, True)
        return terms

    @torch.no_grad()
    def _clip(self) -> None:
        for norm in self.modules():
            if isinstance(norm, AdaLIN):
                norm.rho.clamp_(0, 1)

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        a, b = batch["a"], batch["b"]
        fake_b, fake_a = self.a2b(a), self.b2a(b)
        return {
            "a": a,
            "where a is changed": self.a2b.heatmap(a).image.expand_as(a),
            "a to b": fake_b,
            "and back to a": self.b2a(fake_b),
            "b": b,
            "where b is changed": self.b2a.heatmap(b).image.expand_as(b),
            "b to a": fake_a,
            "and back to b": self.a2b(fake_a),
        }


def translate(model: Model, images: Tensor, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Images (B, 3, H, W) changed, those of the wanted kind changed, the logits (2 B, 2) of both; one call for all."""
    made, classes = model.network(torch.cat((images, own)))
    fake, same = made.chunk(2)
    return fake, same, classes


def least_squares(logits: Tensor, real: bool) -> Tensor:
    return adversarial_loss(logits, real, "least_squares")


def told_apart(logits: Tensor) -> Tensor:
    """The loss of classifiers whose logits (2 B, 2) are first of what is to be changed, then of the wanted kind."""
    strange, own = logits.chunk(2)
    return adversarial_loss(strange, True, "vanilla") + adversarial_loss(own, False, "vanilla")


NETWORKS = {
    "a2b.network": "genA2B",
    "b2a.network": "genB2A",
    "discriminators.global_a": "disGA",
    "discriminators.global_b": "disGB",
    "discriminators.local_a": "disLA",
    "discriminators.local_b": "disLB",
}
"""Where the networks of the authors' file are here."""
OFFICIAL_ROLES = ("params",)


def from_official(states: Mapping[str, Mapping[str, Tensor]], *, direction: Literal["a2b", "b2a"] = "a2b") -> Model:
    """The model of `NAME_params_latest.pt` and the like: light or full, width, blocks and size show in its keys.

    Args:
        states: the file's tensors under the role `params`: six networks, or a generator alone.
        direction: which of the generators is wanted.

    Raises:
        KeyError: the file is no generator of UGATIT-pytorch.
        OptionError: there is no such direction.
    """
    if direction not in ("a2b", "b2a"):
        raise OptionError(f"direction {direction!r} is none of a2b, b2a")
    state = states["params"]
    own = part(state, NETWORKS[f"{direction}.network"]) or dict(state)
    model = Model(Config(**generator_settings(own), **discriminator_settings(state)))
    model.network.load_state_dict(in_our_keys(model.network, own))
    return model


def part(state: Mapping[str, Tensor], network: str) -> dict[str, Tensor]:
    """The tensors of one network of the authors' file, without its name."""
    return {k.removeprefix(f"{network}."): t for k, t in state.items() if k.startswith(f"{network}.")}
