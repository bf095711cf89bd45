"""CycleGAN: two kinds of pictures, no pairs (Zhu et al., ICCV 2017, arXiv:1703.10593).

Two generators lead from each kind to the other; what goes there and back again must be what it was. Variants: enlarged
kernels, noisy labels, a discriminator on the generators' embeddings, Wasserstein critics, a blur that fades.

Shapes: B batch, C channels, H W pixels. The networks work in [-1, 1].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ..errors import RecipeError
from ..losses.adversarial import Adversarial, adversarial_loss, gradient_penalty
from ..nets.augment import augment, blurred
from ..nets.discriminators import PatchDiscriminator
from ..nets.generators import ResnetGenerator
from ..nets.initial import Initial, initialise
from ..nets.official import cleaned, load_in_order
from ..nets.parallel import world
from ..nets.pool import ImagePool
from ..nets.reading import discriminator_settings, generator_settings
from . import base
from .base import signed, unsigned

BLUR_KERNEL = 13


@dataclass(frozen=True, kw_only=True)
class Config(base.GeneratorConfig):
    discriminator_width: Annotated[int, Gt(0)] = 64
    """Channels of a discriminator's first layer."""
    discriminator_layers: Annotated[int, Ge(1), Le(6)] = 3
    """How often a discriminator halves: 3 for patches of 70 pixels, 4 for 142, 5 for 286."""
    adversarial: Adversarial = "least_squares"
    """What generators and discriminators play for."""
    adversarial_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of looking real."""
    cycle_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of what comes back being what went there, L1."""
    identity_weight: Annotated[float, Ge(0)] = 5.0
    """Weight of leaving alone what is of the wanted kind already, L1; it holds the colours."""
    embedding_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of both generators embedding alike, told by a discriminator of its own; 0.5 in its source."""
    label_noise: Annotated[float, Ge(0), Le(0.5)] = 0.0
    """Discriminators' labels are off by up to this: 1 - u and u, u uniform; 0.2 in its source."""
    pool: Annotated[int, Ge(0)] = 50
    """Earlier results kept for the discriminators."""
    critic_steps: Annotated[int, Ge(1)] = 1
    """Batches for the discriminators for each one for the generators."""
    clip: Annotated[float, Ge(0)] = 0.0
    """Largest weight of a critic, Wasserstein's first way of keeping it smooth; 0.01 in the paper, 0 clips none."""
    penalty_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of the gradient penalty, the second way; 10 in the paper."""
    blur_sigma: Annotated[float, Ge(0)] = 0.0
    """Deviation in pixels of the blur through which discriminators see at first, kernel 13; 40 in its source."""
    blur_images: Annotated[int, Ge(0)] = 0
    """Images after which that blur has faded to nothing, evenly."""
    augment: str = ""
    """What discriminators see is changed at random by these, `color shift cut`; for small sets."""
    initial: Initial = "normal"
    """How first weights are drawn."""
    gain: Annotated[float, Gt(0)] = 0.02
    """Scale of the first weights."""


class Model(base.GeneratorModel):
    """Pictures of one kind (B, 3, H, W), RGB in [0, 1] -> of the other."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())


class Translated(NamedTuple):
    """What a generator makes of a batch; what nobody asked for is empty."""

    embedding: Tensor
    fake: Tensor
    same: Tensor
    """Of what is of the wanted kind already."""


class Training(base.Training):
    """The objective of section 3.3, and the variants.

    Raises:
        RecipeError: the options contradict each other.
    """

    images_seen: Tensor
    steps: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        check(config)
        self.config = config
        self.a2b, self.b2a = Model(config), Model(config)
        self.judge_a, self.judge_b = (self._judge(3) for _ in range(2))
        self.judge_embeddings = self._judge(4 * config.width, 1) if config.embedding_weight else None
        self.pool_a, self.pool_b = ImagePool(config.pool), ImagePool(config.pool)
        for network in self.children():
            initialise(network, config.initial, config.gain)
        for name in ("images_seen", "steps"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))

    def _judge(self, channels: int, layers: int | None = None) -> PatchDiscriminator:
        c = self.config
        return PatchDiscriminator(channels, c.discriminator_width, layers or c.discriminator_layers, norm=c.norm)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        judges = [judge for judge in (self.judge_a, self.judge_b, self.judge_embeddings) if judge is not None]
        return {"generators": [self.a2b, self.b2a], "discriminators": judges}

    def models(self) -> Mapping[str, nn.Module]:
        return {"a2b": self.a2b, "b2a": self.b2a}

    def order(self) -> Sequence[str]:
        due = (int(self.steps) + 1) % self.config.critic_steps == 0
        return ("generators", "discriminators") if due else ("discriminators",)

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        a, b = signed(batch["a"]), signed(batch["b"])
        if "generators" in self.order():
            to_b, to_a = self.translate(self.a2b, a, b), self.translate(self.b2a, b, a)
            yield self._generators(a, b, to_a, to_b)
        else:
            with torch.no_grad():
                to_b, to_a = self.translate(self.a2b, a, None), self.translate(self.b2a, b, None)
        terms = {
            "a": self._judged(self.judge_a, a, self.pool_a.exchange(to_a.fake)),
            "b": self._judged(self.judge_b, b, self.pool_b.exchange(to_b.fake)),
        }
        if self.judge_embeddings is not None:
            terms["embeddings"] = self._compared(to_b.embedding.detach(), to_a.embedding.detach())
        if self.config.penalty_weight:
            terms["penalty_a"] = self._penalty(self.judge_a, a, to_a.fake)
            terms["penalty_b"] = self._penalty(self.judge_b, b, to_b.fake)
        yield terms
        self._clip()
        self.steps += 1
        self.images_seen += world() * len(a)

    def translate(self, model: Model, images: Tensor, own: Tensor | None) -> Translated:
        """Images (B, 3, H, W) by a generator, and those that are of its kind already (None if nobody asks).

        Both go through the network together where no normalisation mixes a batch.
        """
        own = own if self.config.identity_weight else None
        together = own is not None and self.config.norm == "instance"
        entering = images if own is None or not together else torch.cat((images, own))
        embedding, leaving = self._through(model, entering)
        if together:
            return Translated(embedding[: len(images)], *leaving.chunk(2))
        return Translated(embedding, leaving, leaving[:0] if own is None else model.network(own))

    def _through(self, model: Model, images: Tensor) -> tuple[Tensor, Tensor]:
        """The embedding, empty if nobody asks, and the result."""
        if self.judge_embeddings is None:
            return images[:0], model.network(images)
        assert isinstance(model.network, ResnetGenerator)
        embedding = model.network.encode(images)
        return embedding, model.network.decode(embedding)

    def _generators(self, a: Tensor, b: Tensor, to_a: Translated, to_b: Translated) -> base.Terms:
        c = self.config
        cycled_a, cycled_b = self.b2a.network(to_b.fake), self.a2b.network(to_a.fake)
        terms = {
            "adversarial_a2b": c.adversarial_weight * self._liked(self.judge_b, to_b.fake),
            "adversarial_b2a": c.adversarial_weight * self._liked(self.judge_a, to_a.fake),
            "cycle_a": c.cycle_weight * F.l1_loss(cycled_a, a),
            "cycle_b": c.cycle_weight * F.l1_loss(cycled_b, b),
        }
        if c.identity_weight:
            terms["identity_a"] = c.identity_weight * F.l1_loss(to_a.same, a)
            terms["identity_b"] = c.identity_weight * F.l1_loss(to_b.same, b)
        if c.embedding_weight:  # each is to pass for the other
            terms["embeddings"] = c.embedding_weight * self._compared(to_a.embedding, to_b.embedding)
        return terms

    def _liked(self, judge: PatchDiscriminator, fake: Tensor) -> Tensor:
        return adversarial_loss(judge(self._shown(fake)), True, self.config.adversarial)

    def _judged(self, judge: PatchDiscriminator, real: Tensor, fake: Tensor) -> Tensor:
        c, real, fake = self.config, self._shown(real), self._shown(fake)
        if c.norm == "instance":
            of_real, of_fake = judge(torch.cat((real, fake))).chunk(2)
        else:
            of_real, of_fake = judge(real), judge(fake)
        return 0.5 * (
            adversarial_loss(of_real, True, c.adversarial, noise=c.label_noise)
            + adversarial_loss(of_fake, False, c.adversarial, noise=c.label_noise)
        )

    def _compared(self, embedding_a: Tensor, embedding_b: Tensor) -> Tensor:
        """How well the embeddings of a and of b are told apart."""
        kind, judge = self.config.adversarial, self.judge_embeddings
        assert judge is not None
        first = adversarial_loss(judge(embedding_a), True, kind)
        return 0.5 * (first + adversarial_loss(judge(embedding_b), False, kind))

    def _shown(self, images: Tensor) -> Tensor:
        """What a discriminator sees of images (B, 3, H, W)."""
        c = self.config
        left = 1 - float(self.images_seen) / c.blur_images if c.blur_images else 0.0
        return blurred(augment(images, c.augment), c.blur_sigma * max(0.0, left), BLUR_KERNEL)

    def _penalty(self, judge: PatchDiscriminator, real: Tensor, fake: Tensor) -> Tensor:
        return self.config.penalty_weight * gradient_penalty(judge, real, fake.detach())

    @torch.no_grad()
    def _clip(self) -> None:
        if self.config.clip:
            for judge in self.groups()["discriminators"]:
                for p in judge.parameters():
                    p.clamp_(-self.config.clip, self.config.clip)

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        a, b = signed(batch["a"]), signed(batch["b"])
        fake_b, fake_a = self.a2b.network(a), self.b2a.network(b)
        rows = {
            "a": a,
            "a to b": fake_b,
            "and back to a": self.b2a.network(fake_b),
            "b": b,
            "b to a": fake_a,
            "and back to b": self.a2b.network(fake_a),
        }
        return {caption: unsigned(images) for caption, images in rows.items()}


def check(config: Config) -> None:
    """Checks what fields demand of each other.

    Raises:
        RecipeError: they contradict.
    """
    if config.embedding_weight and config.generator != "resnet":
        raise RecipeError("method.embedding_weight: only the resnet generator has an embedding; set it to 0")
    if config.adversarial == "wasserstein" and not (config.clip or config.penalty_weight):
        raise RecipeError("method.adversarial: a Wasserstein critic needs --method.clip or --method.penalty-weight")
    base.check_augment(config.augment)


OFFICIAL_ROLES = ("generator",)
OFFICIAL_EXTRAS = ("discriminator",)


def from_official(states: Mapping[str, Mapping[str, Tensor]]) -> Model:
    """The model of `latest_net_G_A.pth` and the like; with `latest_net_D_A.pth` its judge, too, as `discriminator`.

    Args:
        states: the files' tensors by role.

    Raises:
        KeyError: a file is no generator or discriminator of pytorch-CycleGAN-and-pix2pix.
    """
    state = cleaned(states["generator"])
    model = Model(Config(**generator_settings(state)))
    load_in_order(model.network, state, "a generator")
    if "discriminator" in states:
        state = cleaned(states["discriminator"])
        model.discriminator = PatchDiscriminator(**discriminator_settings(state))
        load_in_order(model.discriminator, state, "a discriminator")
    return model
