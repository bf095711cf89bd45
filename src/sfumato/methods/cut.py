"""CUT: contrastive unpaired translation, one way (Park et al., ECCV 2020, arXiv:2007.15651).

A patch of the result is to be told by its features from the other patches of the picture it came from. FastCUT is the
lighter variant without the identity, mirrored half of the time.

Shapes: B batch, N patches, C channels, H W pixels. The networks work in [-1, 1].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ..errors import RecipeError
from ..losses.adversarial import Adversarial, adversarial_loss
from ..losses.contrastive import patch_nce, patches
from ..nets.augment import augment
from ..nets.discriminators import PatchDiscriminator
from ..nets.generators import ResnetGenerator
from ..nets.initial import Initial, initialise
from ..nets.official import cleaned, load_in_order
from ..nets.projections import Projections
from ..nets.reading import generator_settings
from . import base
from .base import signed, unsigned

LAYERS = ("pixels", "down1", "down2", "block1", "block5")
"""What is compared; layers 0, 4, 8, 12 and 16 of the authors' generator."""


@dataclass(frozen=True, kw_only=True)
class Config(base.GeneratorConfig):
    antialias: bool = True
    """Blur where sizes change, in the generator and the discriminator."""
    discriminator_width: Annotated[int, Gt(0)] = 64
    """Channels of the discriminator's first layer."""
    discriminator_layers: Annotated[int, Ge(1), Le(6)] = 3
    """How often the discriminator halves: 3 for patches of 70 pixels, 4 for 142, 5 for 286."""
    adversarial: Adversarial = "least_squares"
    """What generator and discriminator play for."""
    adversarial_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of looking real."""
    contrastive_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the patches' contrast; 10 in FastCUT."""
    identity: bool = True
    """Whether pictures of the wanted kind are to keep their patches, too; not in FastCUT."""
    mirrored: bool = False
    """Whether half of the pictures are translated mirrored, as FastCUT does."""
    patches: Annotated[int, Gt(0)] = 256
    """Patches of a picture that are compared with each other."""
    temperature: Annotated[float, Gt(0)] = 0.07
    """Divisor of the similarities."""
    projection: Annotated[int, Gt(0)] = 256
    """Size of the vectors that are compared."""
    augment: str = ""
    """What the discriminator sees is changed at random by these, `color shift cut`; for small sets."""
    initial: Initial = "xavier"
    """How first weights are drawn."""
    gain: Annotated[float, Gt(0)] = 0.02
    """Scale of the first weights."""


class Model(base.GeneratorModel):
    """Pictures of one kind (B, 3, H, W), RGB in [0, 1] -> of the other."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())


class Training(base.Training):
    """The objective of section 3.

    Raises:
        RecipeError: the options contradict each other.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        check(config)
        self.config = config
        self.a2b = Model(config)
        self.judge = PatchDiscriminator(
            3, config.discriminator_width, config.discriminator_layers, norm=config.norm, antialias=config.antialias
        )
        wide = config.width
        channels = (3, 2 * wide, 4 * wide, 4 * wide, 4 * wide)[: len(layers(config))]
        self.projections = Projections(channels, config.projection)
        for network in self.children():
            initialise(network, config.initial, config.gain)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        # In the authors' code the projections have an optimiser of their own, of the same settings.
        return {"discriminator": [self.judge], "generator": [self.a2b, self.projections]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"a2b": self.a2b}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        c, a, b = self.config, signed(batch["a"]), signed(batch["b"])
        network = self.a2b.network
        assert isinstance(network, ResnetGenerator)
        flipped = c.mirrored and bool(torch.rand(()) < 0.5)
        entering = torch.cat((a, b)) if c.identity else a
        keys: dict[str, Tensor] = {}
        network.requires_grad_(True)  # the discriminator's turn comes first, and the result is used for both
        if flipped:  # the keys are those of the picture as it is
            network.encode(entering, keys, until=5)
            leaving = network(entering.flip(3))
        else:
            leaving = network.decode(network.encode(entering, keys))
        fake = leaving[: len(a)]
        yield {"real_fake": self._judged(b, fake.detach())}
        terms = {"adversarial": c.adversarial_weight * self._liked(fake)}
        queries: dict[str, Tensor] = {}
        network.encode(leaving, queries, until=5)
        if flipped:
            queries = {name: x.flip(3) for name, x in queries.items()}
        yield terms | self._contrasts(queries, keys, len(a))

    def _contrasts(self, queries: Mapping[str, Tensor], keys: Mapping[str, Tensor], count: int) -> base.Terms:
        """The contrast of translations and of pictures of the wanted kind: a half each if there are both."""
        c = self.config
        kinds = {"contrast": slice(0, count)} | ({"identity": slice(count, None)} if c.identity else {})
        terms = {}
        for i, (kind, rows) in enumerate(kinds.items()):
            places = [self.places(i, k, queries[name]) for k, name in enumerate(layers(c))]
            q, k = (
                self.projections([patches(x[name][rows], at) for name, at in zip(layers(c), places, strict=True)])
                for x in (queries, {name: x.detach() for name, x in keys.items()})
            )
            each = [patch_nce(a, b, c.temperature) for a, b in zip(q, k, strict=True)]
            terms[kind] = c.contrastive_weight / len(kinds) * torch.stack(each).mean()
        return terms

    def places(self, _kind: int, _layer: int, features: Tensor) -> Tensor:
        """The patches of features (B, C, H, W) that are compared, the same for the whole batch."""
        return torch.randperm(features.shape[2] * features.shape[3])[: self.config.patches]

    def _liked(self, fake: Tensor) -> Tensor:
        return adversarial_loss(self.judge(augment(fake, self.config.augment)), True, self.config.adversarial)

    def _judged(self, real: Tensor, fake: Tensor) -> Tensor:
        kind, changes = self.config.adversarial, self.config.augment
        real, fake = augment(real, changes), augment(fake, changes)
        if self.config.norm == "instance":
            of_real, of_fake = self.judge(torch.cat((real, fake))).chunk(2)
        else:
            of_real, of_fake = self.judge(real), self.judge(fake)
        return 0.5 * (adversarial_loss(of_real, True, kind) + adversarial_loss(of_fake, False, kind))

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        a, b = signed(batch["a"]), signed(batch["b"])
        rows = {"a": a, "a to b": self.a2b.network(a), "b": b, "b to b": self.a2b.network(b)}
        return {caption: unsigned(images) for caption, images in rows.items()}


def layers(config: Config) -> tuple[str, ...]:
    """The layers that a generator of so many blocks has to compare."""
    return LAYERS if config.blocks >= 5 else LAYERS[:4]


def check(config: Config) -> None:
    """Checks what fields demand of each other.

    Raises:
        RecipeError: they contradict.
    """
    if config.generator != "resnet":
        raise RecipeError("method.generator: CUT compares the layers of the resnet generator")
    if config.adversarial == "wasserstein":
        raise RecipeError("method.adversarial: Wasserstein critics are in cyclegan; take least_squares or vanilla")
    base.check_augment(config.augment)


OFFICIAL_ROLES = ("generator",)
OFFICIAL_EXTRAS = ("sampler",)


def from_official(states: Mapping[str, Mapping[str, Tensor]]) -> Model:
    """The model of `latest_net_G.pth`; with `latest_net_F.pth` its projections, too, as `projections`.

    Args:
        states: the files' tensors by role.

    Raises:
        KeyError: a file is no generator or sampler of contrastive-unpaired-translation.
    """
    state = cleaned(states["generator"])
    model = Model(Config(**generator_settings(state)))
    load_in_order(model.network, state, "a generator")
    if "sampler" in states:
        sampler = {key: tensor for key, tensor in cleaned(states["sampler"]).items() if key.startswith("mlp_")}
        firsts = [sampler[key] for key in sorted(sampler) if key.endswith(".0.weight")]
        if not firsts:
            raise KeyError("not a sampler: there is no mlp_0.0.weight")
        model.projections = Projections([w.shape[1] for w in firsts], firsts[0].shape[0])
        load_in_order(
            model.projections, {f"heads.{k.removeprefix('mlp_')}": t for k, t in sampler.items()}, "a sampler"
        )
    return model
