"""Texture networks: textures from noise, and one style for any picture, in one pass.

Ulyanov, Lebedev, Vedaldi & Lempitsky: "Texture Networks: Feed-forward Synthesis of Textures and Stylized Images" (ICML
2016, arXiv:1603.03417); with `norm="instance"`, a weight for diversity or `network="residual"` as in "Improved Texture
Networks" (CVPR 2017, arXiv:1701.02096).

A network is made for one swatch: it turns noise into as much of its texture as is wanted, in one pass where `gatys`
optimises for minutes. It learns from the distance of statistics, those of its textures' features in a third
network to those of the swatch's.

Shapes: B batch, C channels, H W pixels, h w pixels of a swatch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le, MinLen, MultipleOf
from torch import Tensor, nn

from ..errors import OptionError, RecipeError
from ..losses.style import content_loss
from ..losses.texture import KINDS, Gram, Statistics, Wasserstein, diversity
from ..nets.frozen import Borders, FrozenCopies
from ..nets.norms import Norm, blend
from ..nets.parallel import gather, rand
from ..nets.perceptual import read_perceptual
from ..nets.texture_nets import SMALLEST, Pyramid, Residual
from . import base

CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Blue, green and red, from 0 to 255: what the network's results lack."""
NOISES = 3
"""Channels of noise at each scale."""
PIXEL_BYTES = 1600
"""Memory of a pyramid for each pixel of the result, about: 1234 measured at 1024 x 1024."""


@dataclass(frozen=True, kw_only=True)
class Config:
    kind: Literal["texture", "stylization"] = "texture"
    """Pictures from noise alone, or from a picture and noise."""
    network: Literal["pyramid", "residual"] = "pyramid"
    """Noise at several scales; or a picture alone through residual blocks (2017), `stylization` only."""
    norm: Norm = "batch"
    """Over the batch, when textures are made, too, or over each picture, as in the improved networks."""
    scales: Annotated[int, Ge(1), Le(8)] = 6
    """Sizes at which noise comes in, each half of the next; 6 for textures and 5 for styles in the paper; `pyramid`."""
    width: Annotated[int, Gt(0)] = 8
    """Channels that each scale adds, 8 in the paper; of `residual` those at full size, 32 there."""
    pointwise: bool = True
    """Each block of `pyramid` ends with a 1x1 convolution; not so in the released styles."""
    perceptual: Annotated[tuple[str, ...], MinLen(1)] = ("compact",)
    """Networks that look at the pictures, by name or file; each layer comes from the first that has it."""
    narrow: bool = True
    """Statistics of the compact network's own few channels, several times faster than those of its full widths."""
    style_layers: Annotated[tuple[str, ...], MinLen(1)] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    """Layers whose statistics are the texture; those that no network has are left out."""
    statistics: Literal["gram", "wasserstein"] = "wasserstein"
    """What is compared: Gram matrices, as in the paper, or means and covariances by their Wasserstein distance."""
    style_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the distances of statistics, each relative to its target, summed over the layers."""
    content_layer: str = "relu4_1"
    """Layer that holds the content, `stylization` only."""
    content_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of the distance to the content's features relative to their mean square, `stylization` only."""
    diversity_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of how much the textures of a batch are to differ; needs a batch of two or more."""
    texture_px: Annotated[int, Ge(32), MultipleOf(16)] = 128
    """Side of the textures that it learns by, `texture` only; those that it makes have any size."""

    @property
    def batch_statistics(self) -> bool:
        """Whether a result depends on the batch that it is made in."""
        return self.norm == "batch"


def check(config: Config) -> None:
    """Checks what a residual network demands of the other options.

    Raises:
        RecipeError: they contradict.
    """
    if config.network == "pyramid":
        return
    if config.kind != "stylization":
        raise RecipeError("method.network: residual sees a picture and no noise, so it makes no textures; take pyramid")
    if config.norm != "instance":
        raise RecipeError("method.norm: the residual network has statistics of each picture; take instance")
    if config.diversity_weight:
        raise RecipeError("method.diversity_weight: the residual network has one result for a picture; set it to 0")


class Model(base.ImageToImage):
    """A texture of any size, `texture(size)`, or a picture (B, 3, H, W), RGB in [0, 1] -> (B, 3, H, W), not clamped.

    Every texture is seamless: copies side by side show no border, at any size, because each convolution sees the
    opposite side beyond a border. Where a size is no multiple of 32 some cells of the coarse scales are narrower.

    The noise is a function of the seed and the size: a picture has always the same result, a film does not flicker.

    With `network="residual"` nothing is drawn: a result is a function of the picture, in tiles, too.

    # Differs from the paper: a picture is mirrored beyond its borders before a pyramid stylizes it, because else its
    # borders would show what is at the opposite ones.

    # Differs from the paper: of a residual network the result has the picture's size; the authors' is up to 3 pixels
    # larger where a side is no multiple of 4.

    Raises:
        RecipeError: the options contradict each other.
    """

    network: Pyramid | Residual

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = c = config or Config()
        check(c)
        self.blind, self.draws = c.kind == "texture", c.network == "pyramid"
        if c.network == "residual":
            self.network = Residual(c.width)
            self.stride, self.halo, self.pixel_bytes = 4, self.network.halo, 16 * c.width
        else:
            channels = NOISES if self.blind else NOISES + 3
            self.network = Pyramid(c.scales, channels, c.width, pointwise=c.pointwise, norm=c.norm)
            self.stride, self.halo, self.pixel_bytes = 2 ** (c.scales - 1), None, PIXEL_BYTES
        self.register_buffer("mean", torch.tensor(CAFFE_MEAN)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """The picture in the network's style; of one that makes textures, textures of the picture's size."""
        height, width = image.shape[-2:]
        if self.blind:
            return self.pictures(self.noise((height, width), len(image)))
        if not self.draws:
            return self.pictures(image)
        top, left = (min(2 * self.stride, side - 1) for side in (height, width))
        image = F.pad(image, (left, left, top, top), mode="reflect")
        noise = self.noise((image.shape[-2], image.shape[-1]), 1)
        result = self.pictures(self.with_noise(image, [z.expand(len(image), -1, -1, -1) for z in noise]))
        return result[..., top : top + height, left : left + width]

    @torch.no_grad()
    def texture(self, size: int | tuple[int, int], *, seed: int = 0, count: int = 1) -> Tensor:
        """New textures (count, 3, H, W), RGB in [0, 1], each without a border where copies of it meet.

        With `norm="batch"` textures that are made together depend a little on each other.

        Args:
            size: pixels of the side, or height and width.
            seed: of the first; the next ones have the seeds after it.

        Raises:
            OptionError: a side is too short, or the model stylizes pictures.
        """
        height, width = (size, size) if isinstance(size, int) else size
        if not self.blind:
            raise OptionError("this model stylizes pictures; it makes no textures")
        if min(height, width) < SMALLEST or count < 1:
            raise OptionError(f"{count} textures of {width} x {height} pixels: at least 1, of {SMALLEST} a side")
        return self.pictures(self.noise((height, width), count, seed)).clamp(0, 1)

    def noise(self, size: tuple[int, int], count: int, seed: int = 0) -> list[Tensor]:
        """Noise in [0, 1) for results of that height and width, (count, 3, h, w) from coarse to fine."""
        device, sizes = self.network.out.weight.device, self.sizes(*size)
        generators = [torch.Generator().manual_seed(seed + k) for k in range(count)]
        drawn = [[torch.rand(1, NOISES, *s, generator=g) for s in sizes] for g in generators]
        return [torch.cat(of_scale).to(device) for of_scale in zip(*drawn, strict=True)]

    def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Height and width of the noise for such a result, from coarse to fine."""
        assert isinstance(self.network, Pyramid)
        return self.network.sizes(height, width)

    def with_noise(self, image: Tensor, noise: Sequence[Tensor]) -> list[Tensor]:
        """The inputs of the network for pictures (B, 3, H, W): shrunk to the size of each noise, which follows."""
        return [torch.cat((F.adaptive_avg_pool2d(image, (z.shape[-2], z.shape[-1])), z), 1) for z in noise]

    def pictures(self, inputs: Tensor | Sequence[Tensor]) -> Tensor:
        """What the network makes of a picture, or of inputs with noise: (B, 3, H, W), RGB, [0, 1] but not clamped."""
        raw: Tensor = self.network(inputs)
        return (raw + self.mean).flip(1) / 255  # type: ignore[operator]


class Training(base.Training):
    """Textures like the swatch; of a stylization, pictures that keep their content.

    # Differs from the papers: the distance of each layer is relative to its target's size, because it then needs no
    # weight for each layer; the authors' code divides each layer's gradient by its norm, to the same end.

    # Differs from the papers: by default the compact VGG-19 looks, without its heads, and means and covariances are
    # compared in place of Gram matrices, because textures then come nearer to the swatch in fewer steps.

    # Differs from the papers: the network that looks sees textures wrap as they do, because borders then count as any
    # other place.

    Raises:
        RecipeError: no network has one of the layers.
        WeightsError: a perceptual network is missing.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = Model(config)
        self.perceptual = read_perceptual(config.perceptual)
        self.layers = [layer for layer in config.style_layers if layer in self.perceptual.layers]
        contents = [config.content_layer] if config.kind == "stylization" else []
        if not self.layers or not set(contents) <= set(self.perceptual.layers):
            wanted = ", ".join((*config.style_layers, *contents))
            raise RecipeError(f"method.style_layers: {wanted}; the networks have {', '.join(self.perceptual.layers)}")
        self.judge = FrozenCopies(self.perceptual, narrow=config.narrow)
        self.known: list[tuple[Tensor, dict[str, Statistics]]] = []
        self.targets: dict[tuple[int, ...], dict[str, Gram | Wasserstein]] = {}

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"generator": [self.model]}

    def models(self) -> Mapping[str, nn.Module]:
        return {self.config.kind: self.model}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        c, style = self.config, batch["style"]
        targets = self._targets(style)
        content = batch.get("content") if c.kind == "stylization" else None
        images = self._made(style, content)
        borders: Borders = "wrap" if content is None else "replicate"
        wanted = self.layers if content is None else [*self.layers, c.content_layer]
        features = self.judge(images, list(dict.fromkeys(wanted)), borders)
        distances = [self._distance(features[layer], targets[layer]) for layer in self.layers]
        terms = {"style": c.style_weight * sum(distances[1:], distances[0])}
        if content is not None:
            with torch.no_grad():
                own = self.judge(content, [c.content_layer], "replicate")[c.content_layer].float()
            distance = content_loss(features[c.content_layer], own) / own.square().mean().clamp(min=1e-12)
            terms["content"] = c.content_weight * distance.mean()
        if c.diversity_weight:
            if len(everything := gather(images)) < 2:
                raise RecipeError("batch: diversity compares the textures of a batch; take 2 or more")
            terms["diversity"] = -c.diversity_weight * diversity(everything)
        yield terms

    def _made(self, like: Tensor, content: Tensor | None) -> Tensor:
        """As many pictures as there are in `like`: textures, or the contents (B, 3, H, W) in the style."""
        if content is not None and not self.model.draws:
            return self.model.pictures(content)
        side = self.config.texture_px
        height, width = (side, side) if content is None else content.shape[-2:]
        noise = [rand(len(like), NOISES, *size, device=like.device) for size in self.model.sizes(height, width)]
        return self.model.pictures(noise if content is None else self.model.with_noise(content, noise))

    def _distance(self, features: Tensor, target: Gram | Wasserstein) -> Tensor:
        """The mean over the pictures of features (B, C, h, w) of the distance of their statistics: a scalar."""
        return torch.stack([target.distance(target.of(of_one)) for of_one in features.split(1)]).mean()

    @torch.no_grad()
    def _targets(self, styles: Tensor) -> dict[str, Gram | Wasserstein]:
        """What the mean of the swatches (B, 3, h, w) of the whole batch asks for, by layer."""
        found = tuple(self._number(style[None]) for style in gather(styles))
        if found not in self.targets:
            parts = [self.known[k][1] for k in found]
            even = [1 / len(parts)] * len(parts)
            kind = KINDS[self.config.statistics]
            self.targets[found] = {layer: kind(blend([p[layer] for p in parts], even)) for layer in self.layers}
        return self.targets[found]

    def _number(self, style: Tensor) -> int:
        """Which of the known swatches this one (1, 3, h, w) is: a run has few and shows them in each step."""
        for k, (swatch, _) in enumerate(self.known):
            if swatch.shape == style.shape and torch.equal(swatch, style):
                return k
        kind, features = KINDS[self.config.statistics], self.judge(style, self.layers, "replicate")
        self.known.append((style.clone(), {layer: kind.of(features[layer]) for layer in self.layers}))
        return len(self.known) - 1

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        style = batch["style"]
        if self.config.kind == "texture":
            textures = self.model.texture(2 * self.config.texture_px, count=len(style))
            return {"texture": textures, "swatch": style}
        return {"content": batch["content"], "in the style": self.model(batch["content"]).clamp(0, 1), "style": style}


OFFICIAL_ROLES = ("model",)


def from_official(states: Mapping[str, Mapping[str, Tensor]]) -> Model:
    """The model of one of the networks of 2016, a texture or a style: their keys are those of `Pyramid`.

    # The released files hold eight weights of each normalisation of coarse features, for up to 40 channels: the old
    # code read on in the memory behind them, so that a state needs what stood there, the tables of full length.

    Args:
        states: the file's tensors under the role `model`.

    Raises:
        KeyError: it has no first block.
        RuntimeError: keys are missing or unexpected, or shapes differ; they are listed.
    """
    state = states["model"]
    width, channels = state["noise1.conv1.weight"].shape[:2]
    config = Config(
        kind="texture" if channels == NOISES else "stylization",
        scales=sum(f"noise{i}.conv1.weight" in state for i in range(1, 9)),
        width=width,
        pointwise="noise1.conv3.weight" in state,
    )
    model = Model(config)
    model.network.load_state_dict(dict(state))
    return model
