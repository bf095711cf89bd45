"""SketchyGAN: photographs from sketches, of a class that is chosen (Chen & Hays, CVPR 2018, arXiv:1801.02753).

A sketch is shown to the generator at every scale as distances from its lines, by masked residual units; edge maps of
photographs stand in for sketches, of which there are few. The discriminator also tells the class.

Shapes: B batch, C channels, H W pixels, S their number in the network, K classes, Z noise. Networks work in [-1, 1].
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, MinLen
from torch import Tensor, nn

from ..errors import OptionError, RecipeError
from ..losses.adversarial import adversarial_loss, gradient_penalty
from ..nets.augment import augment
from ..nets.distance import distance_field, oddity, on_white
from ..nets.frozen import FrozenCopies
from ..nets.initial import initialise
from ..nets.mru import Block, ClassNorm, Gates, Parts, SoftRelu, halves
from ..nets.parallel import gather, rand, randn
from ..nets.perceptual import read_perceptual
from ..nets.spectral import SpectralLinear
from . import base
from .base import signed, unsigned

FIRST = 8
"""Channels of a network's first layer."""
DOWN = (1, 2, 4, 8)
"""Channels of the encoder in widths from half the size on; from there on the last."""
UP = (1, 2, 2, 4, 6)
"""Those of the decoder from full size on;"""
JUDGED = (2, 4, 8, 12)
"""and those of the discriminator."""
SEEN = ("relu1_1", "relu2_1", "relu3_1")
"""Layers in which pictures are compared."""


@dataclass(frozen=True, kw_only=True)
class Config:
    classes: Annotated[tuple[str, ...], MinLen(1)] = ("photo",)
    """Names of the classes, in the order of `data.photos`."""
    size: Literal[16, 32, 64, 128, 256] = 64
    """Side in pixels of the pictures that it makes; each doubling adds a unit to both networks."""
    width: Annotated[int, Gt(0)] = 64
    """Channels of the generator at full size and of the discriminator, which has twice as many."""
    noise: Annotated[int, Ge(1)] = 256
    """Numbers by which pictures of one sketch differ."""
    block: Block = "mru"
    """Masked residual units, or `residual` blocks or the plain convolutions of `dcgan`, for comparison."""
    gates: Gates = "minmax"
    """Gates of masked units: each map stretched to 0 to 1, as in the authors' code, or `sigmoid`, as in the paper."""
    spectral: bool = True
    """Spectral normalisation of the discriminator."""
    adversarial_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of looking real."""
    penalty: Literal["none", "dragan", "gradient"] = "none"
    """Penalty on the discriminator's slope near real pictures (DRAGAN) or between real and made ones."""
    penalty_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of that penalty."""
    class_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of looking like the class."""
    class_judge_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the discriminator's telling classes of real pictures; those that it is sure of count less."""
    pixel_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of the distance to the photograph, L1."""
    perceptual_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the distance of features to the photograph's, L1."""
    perceptual: tuple[str, ...] = ("compact",)
    """Networks of those features, by name or file."""
    diversity_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of how far two pictures of one sketch are apart, for their distance in noise; at 0 one is made."""
    augment: str = ""
    """What the discriminator sees is changed at random by these, `color shift cut`; for small sets."""
    gain: Annotated[float, Gt(0)] = 0.02
    """Deviation of the first weights."""

    # Differs from the authors' code: features are those of a small VGG at the pictures' size, not those of Inception-V4
    # at 299 pixels, which were given values in [0, 1] where it expects [-1, 1]; their weight is 1 and not 3, because by
    # these features that is as much as the pixels' distance.


class Generator(nn.Module):
    """Distances (B, 3, S, S) and noise (B, Z) for classes (B, K) -> pictures (B, 3, S, S), all in [-1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.depth = depth = int(math.log2(config.size)) - 2
        parts = Parts(classes=len(config.classes), block=config.block, gates=config.gates)
        width, extra = config.width, config.width
        down = [FIRST, *(width * _at(DOWN, i) for i in range(depth))]
        self.first = nn.Conv2d(3, FIRST, 7, stride=2, padding=3)
        self.encoder = nn.ModuleList(
            parts.unit((down[i], down[i + 1], 3), "down", last=i == depth - 1) for i in range(depth)
        )
        self.from_noise = nn.Linear(config.noise, 16 * extra)
        self.noise_norm, self.noise_act = ClassNorm(16 * extra, len(config.classes)), SoftRelu()
        # At 4 x 4 places noise joins the sketch; from 8 x 8 on what the encoder had there, down to half of the size.
        beside = [extra, *down[depth - 2 :: -1], 0]
        up = [down[-1], *(width * _at(UP, i) for i in range(depth, -1, -1))]
        self.decoder = nn.ModuleList(parts.unit((up[i], up[i + 1], 3 + beside[i]), "up") for i in range(depth + 1))
        self.last = nn.Conv2d(up[-1], 3, 7, padding=3)

    def forward(self, field: Tensor, label: Tensor, noise: Tensor) -> Tensor:
        return self.drawn(self.encoded(field, label), label, noise)

    def encoded(self, field: Tensor, label: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """The distances at every size, S to 4, and what the encoder makes of them, which no noise changes."""
        shown = halves(field.contiguous(memory_format=torch.channels_last), self.depth)
        h = self.first(shown[0])
        kept = [h]
        for unit, image in zip(self.encoder, shown[1:], strict=True):
            h = unit(h, image, label)
            kept.append(h)
        return shown, kept

    def drawn(self, encoded: tuple[list[Tensor], list[Tensor]], label: Tensor, noise: Tensor) -> Tensor:
        """The pictures (B, 3, S, S) of what `encoded` gives, for one noise (B, Z)."""
        shown, kept = encoded
        h = kept[-1]
        extra = self.from_noise(noise)[:, :, None, None]  # (B, 16 E, 1, 1)
        extra = self.noise_act(self.noise_norm(extra, label)).unflatten(1, (-1, 4, 4)).flatten(3)
        beside = [extra, *kept[-3::-1], shown[0][:, :0]]
        for unit, image, more in zip(self.decoder, shown[::-1], beside, strict=True):
            h = unit(h, torch.cat((image.to(h.dtype), more.to(h.dtype)), 1), label)
        picture: Tensor = self.last(h).tanh()
        return picture


class Discriminator(nn.Module):
    """Pictures (B, 3, S, S) in [-1, 1] -> logits (B, 1, 4, 4) for patches, and (B, K) for classes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.depth = depth = int(math.log2(config.size)) - 2
        parts = Parts(spectral=config.spectral, block=config.block, gates=config.gates)
        wide = [FIRST, *(config.width * _at(JUDGED, i) for i in range(depth))]
        self.first, self.act = parts.conv(3, FIRST, 7), parts.act()
        self.units = nn.ModuleList(
            parts.unit((wide[i], wide[i + 1], 3), "down", last=i == depth - 1) for i in range(depth)
        )
        self.patches = parts.conv(wide[-1], 1, 1)
        count = len(config.classes)
        self.classes = SpectralLinear(count, wide[-1]) if config.spectral else nn.Linear(wide[-1], count)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        nothing = images[:, :0, 0, 0]  # its units know no classes
        h = self.act(self.first(images))
        for unit, image in zip(self.units, halves(images, self.depth - 1), strict=True):
            h = unit(h, image, nothing)
        return self.patches(h).float(), self.classes(h.float().mean((2, 3)))


class Model(base.ImageToImage):
    """Sketches (B, 3, H, W), black lines on white, RGB in [0, 1] -> photographs of the same size and of a class.

    Paper that is grey or unevenly lit is made white; edge maps as the network learns from them are taken as they are.

    The sketch is brought to the size that the network knows, with paper around it if it is not square, and the picture
    back: that is as sharp as the network's own size, and a picture always depends on the whole sketch.
    """

    halo = None
    picky = True

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        self.network = Generator(self.config)
        self.classes = self.config.classes
        self.label = self.seed = 0
        self.pixel_bytes = 100

    def choose(self, name: str, seed: int = 0) -> None:
        """From now on pictures are of this class, and of the noise of that number, where nothing else is asked for.

        Raises:
            OptionError: there is no such class.
        """
        if name not in self.classes:
            raise OptionError(f"there is no class {name!r}; this model knows {', '.join(self.classes)}")
        self.label, self.seed = self.classes.index(name), seed

    def oddity(self, picture: Tensor) -> str:
        return oddity(picture)

    def forward(self, sketch: Tensor, label: Tensor | int | None = None, seed: int | None = None) -> Tensor:
        """The photographs.

        Args:
            label: class of all, or of each (B,).
            seed: fixes the noise, which is the same for all.
        """
        c, count = self.config, len(sketch)
        labels = torch.as_tensor(self.label if label is None else label, device=sketch.device).expand(count)
        random = torch.Generator().manual_seed(self.seed if seed is None else seed)
        noise = torch.randn(1, c.noise, generator=random).to(sketch.device).expand(count, -1)
        canvas, (top, left, height, width) = fitted(on_white(sketch), c.size)
        made = self.network(seen(canvas), F.one_hot(labels, len(c.classes)).float(), noise)
        made = unsigned(made)[:, :, top : top + height, left : left + width]
        if made.shape == sketch.shape:
            return made
        return F.interpolate(made, sketch.shape[2:], mode="bilinear", antialias=True)


def fitted(sketch: Tensor, size: int) -> tuple[Tensor, tuple[int, int, int, int]]:
    """The sketch (B, 3, H, W) amid white paper (B, 3, S, S), and where it is: top, left, height, width."""
    scale = size / max(sketch.shape[2:])
    height, width = (max(1, min(size, round(side * scale))) for side in sketch.shape[2:])
    small = sketch.float()
    if (height, width) != tuple(sketch.shape[2:]):
        small = F.interpolate(small, (height, width), mode="bilinear", antialias=True)
    top, left = (size - height) // 2, (size - width) // 2
    margins = (left, size - width - left, top, size - height - top)
    return F.pad(small, margins, value=1.0), (top, left, height, width)


def seen(sketches: Tensor) -> Tensor:
    """What the generator sees of sketches (B, 3, S, S) in [0, 1]: (B, 3, S, S) in [-1, 1]."""
    return signed(distance_field(sketches)).expand(-1, 3, -1, -1)


class Training(base.Training):
    """The objective of section 3.3, as the authors' code has it.

    Raises:
        RecipeError: the options contradict each other, or the classes are not those of the data.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        base.check_augment(config.augment)
        if len(set(config.classes)) < len(config.classes):
            raise RecipeError(f"method.classes: {', '.join(config.classes)} has a name twice")
        self.config = config
        self.sketch2photo, self.judge = Model(config), Discriminator(config)
        for network in (self.sketch2photo, self.judge):
            initialise(network, "normal", config.gain)
        self.perceptual = read_perceptual(config.perceptual) if config.perceptual_weight else None
        self.look = FrozenCopies(self.perceptual) if self.perceptual is not None else None

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"generator": [self.sketch2photo], "discriminator": [self.judge]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"sketch2photo": self.sketch2photo}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        c, label, photo = self.config, batch["label"], signed(batch["photo"])
        self._check(batch)
        field = seen(batch["sketch"])
        # Both pictures of a sketch have one encoder's features: its running means move once a step, decoders' twice.
        encoded = self.sketch2photo.network.encoded(field, label)
        fake = self._made(encoded, label, noise := self._noise(len(field), field.device))
        logits, classes = self._judged(fake)
        terms = {
            "adversarial": c.adversarial_weight * adversarial_loss(logits, True, "vanilla"),
            "class": c.class_weight * F.cross_entropy(classes, label),
            "pixel": c.pixel_weight * F.l1_loss(fake, photo),
        }
        if self.look is not None:
            terms["perceptual"] = c.perceptual_weight * self._unlike(unsigned(fake), unsigned(photo))
        if c.diversity_weight:
            other = self._made(encoded, label, noise_2 := self._noise(len(field), field.device))
            apart = (fake - other).abs().mean((1, 2, 3)) / (noise - noise_2).norm(dim=1)
            terms["variety"] = -c.diversity_weight * apart.mean()
        yield terms
        yield self._lesson(signed(batch["real"]), batch["real_label"], fake.detach())

    def _check(self, batch: Mapping[str, Tensor]) -> None:
        (count, size), c = (batch["label"].shape[1], batch["photo"].shape[-1]), self.config
        if count != len(c.classes):
            names = ", ".join(c.classes[:5]) + (" ..." if len(c.classes) > 5 else "")
            raise RecipeError(f"method.classes: {len(c.classes)} names ({names}) for {count} folders of data.photos")
        if size != c.size:
            raise RecipeError(f"method.size: {c.size} for pictures of {size} pixels; data.size must be the same")
        if len(gather(batch["label"])) < 2:
            raise RecipeError(
                "batch: 1 has no statistics over the batch, by which the generator normalises; take 2 or more"
            )

    def _noise(self, count: int, device: torch.device) -> Tensor:
        return randn(count, self.config.noise, device=device)

    def _made(self, encoded: tuple[list[Tensor], list[Tensor]], label: Tensor, noise: Tensor) -> Tensor:
        made: Tensor = self.sketch2photo.network.drawn(encoded, label, noise)
        return made.float()

    def _judged(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits, classes = self.judge(augment(images, self.config.augment))
        return logits, classes

    def _unlike(self, made: Tensor, wanted: Tensor) -> Tensor:
        assert self.look is not None
        with torch.no_grad():
            targets = self.look(wanted, SEEN)
        features = self.look(made, SEEN)
        return torch.stack([F.l1_loss(features[k].float(), targets[k].float()) for k in SEEN]).sum()

    def _lesson(self, real: Tensor, label: Tensor, fake: Tensor) -> base.Terms:
        """What the discriminator is to learn."""
        c = self.config
        of_fake, _ = self._judged(fake)
        of_real, classes = self._judged(real)
        wrong = F.cross_entropy(classes, label, reduction="none")
        terms = {
            "fake": c.adversarial_weight * adversarial_loss(of_fake, False, "vanilla"),
            "real": c.adversarial_weight * adversarial_loss(of_real, True, "vanilla"),
            "class": c.class_judge_weight * ((1 - (-wrong).exp()).square() * wrong).mean(),
        }
        if c.penalty == "gradient":
            terms["penalty"] = c.penalty_weight * gradient_penalty(lambda x: self.judge(x)[0], real, fake)
        elif c.penalty == "dragan":
            terms["penalty"] = c.penalty_weight * dragan_penalty(self.judge, real)
        return terms

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        labels = batch["label"].argmax(1)
        made = {f"noise {seed}": self.sketch2photo(batch["sketch"], labels, seed) for seed in (0, 1)}
        return {"sketch": batch["sketch"], **made, "photo": batch["photo"]}


def dragan_penalty(judge: nn.Module, real: Tensor) -> Tensor:
    """How much the judge's slope is above 1 around real pictures (B, 3, S, S) (Kodali et al., arXiv:1705.07215).

    # Differs from the paper: slopes below 1 are let be, as in the authors' code.
    """
    spread = gather(real).std()
    near = (real + 0.5 * spread * rand(*real.shape, device=real.device)).detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(judge(near)[0].sum(), near, create_graph=True)
    return F.relu(slope.flatten(1).norm(dim=1) - 1).square().mean()


def _at(multiples: Sequence[int], place: int) -> int:
    """The multiple at a place; beyond the end the last."""
    return multiples[min(place, len(multiples) - 1)]
