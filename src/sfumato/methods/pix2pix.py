"""pix2pix: from one kind of pictures to another, learned from pairs (Isola et al., CVPR 2017, arXiv:1611.07004).

Shapes: B batch, C channels, H W pixels. The networks work in [-1, 1].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ..errors import RecipeError
from ..losses.adversarial import Adversarial, adversarial_loss
from ..nets.augment import augment
from ..nets.discriminators import PatchDiscriminator
from ..nets.initial import Initial, initialise
from ..nets.norms import Norm
from ..nets.official import cleaned, load_in_order
from ..nets.reading import generator_settings
from . import base
from .base import signed, unsigned


@dataclass(frozen=True, kw_only=True)
class Config(base.GeneratorConfig):
    generator: Literal["resnet", "unet"] = "unet"
    """Residual blocks at a fraction of the size, or halves down to a point with skips across."""
    norm: Norm = "batch"
    """Normalisation of all networks; `batch` makes a picture's result depend on the batch in training."""
    dropout: bool = True
    """Dropout of a half in the generator."""
    discriminator_width: Annotated[int, Gt(0)] = 64
    """Channels of the discriminator's first layer."""
    discriminator_layers: Annotated[int, Ge(1), Le(6)] = 3
    """How often the discriminator halves: 3 for patches of 70 pixels."""
    adversarial: Adversarial = "vanilla"
    """What generator and discriminator play for."""
    adversarial_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of looking real beside the picture it came from."""
    pixel_weight: Annotated[float, Ge(0)] = 100.0
    """Weight of the distance to the wanted picture, L1."""
    augment: str = ""
    """What the discriminator sees is changed at random by these, `color shift cut`; for small sets."""
    initial: Initial = "normal"
    """How first weights are drawn."""
    gain: Annotated[float, Gt(0)] = 0.02
    """Scale of the first weights."""


class Model(base.GeneratorModel):
    """Pictures of one kind (B, 3, H, W), RGB in [0, 1] -> of the other.

    # Differs from the authors' test, which leaves dropout and batch statistics on: here a picture gives always the
    # same.
    """

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())


class Training(base.Training):
    """The objective of section 3.1.

    Raises:
        RecipeError: the critic would be Wasserstein's.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.adversarial == "wasserstein":
            raise RecipeError("method.adversarial: Wasserstein critics are in cyclegan; take vanilla or least_squares")
        base.check_augment(config.augment)
        self.config = config
        self.a2b = Model(config)
        self.judge = PatchDiscriminator(6, config.discriminator_width, config.discriminator_layers, norm=config.norm)
        for network in self.children():
            initialise(network, config.initial, config.gain)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"discriminator": [self.judge], "generator": [self.a2b]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"a2b": self.a2b}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        c, a, b = self.config, signed(batch["a"]), signed(batch["b"])
        self.a2b.requires_grad_(True)  # the discriminator's turn comes first, and the result is used for both
        fake = self.a2b.network(a)
        yield {
            "real": 0.5 * adversarial_loss(self._seen(a, b), True, c.adversarial),
            "fake": 0.5 * adversarial_loss(self._seen(a, fake.detach()), False, c.adversarial),
        }
        yield {
            "adversarial": c.adversarial_weight * adversarial_loss(self._seen(a, fake), True, c.adversarial),
            "pixel": c.pixel_weight * F.l1_loss(fake, b),
        }

    def _seen(self, a: Tensor, b: Tensor) -> Tensor:
        """What the discriminator says of pairs."""
        verdict: Tensor = self.judge(augment(torch.cat((a, b), 1), self.config.augment))
        return verdict

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        rows = {"a": signed(batch["a"]), "a to b": self.a2b.network(signed(batch["a"])), "b": signed(batch["b"])}
        return {caption: unsigned(images) for caption, images in rows.items()}


OFFICIAL_ROLES = ("generator",)


def from_official(states: Mapping[str, Mapping[str, Tensor]]) -> Model:
    """The model of `latest_net_G.pth`.

    Args:
        states: the file's tensors under the role `generator`.

    Raises:
        KeyError: it is no generator of pytorch-CycleGAN-and-pix2pix.
    """
    state = cleaned(states["generator"])
    model = Model(Config(**{"dropout": False, **generator_settings(state)}))
    load_in_order(model.network, state, "a generator")
    return model
