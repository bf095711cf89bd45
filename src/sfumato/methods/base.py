"""What a method offers: `Training` to the trainer, `Stylizer` to the translator.

Shapes: B batch, C channels, H W pixels of the content, h w pixels of the style or of a feature map.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ..errors import OptionError, RecipeError
from ..nets import augment
from ..nets.generators import ResnetGenerator, UnetGenerator
from ..nets.norms import Norm, blend

Terms = dict[str, Tensor]
"""Named, already weighted scalar losses; their sum is minimised."""

Code = tuple[Tensor, ...]
"""What a model keeps of a style: tensors (B, C, 1, 1), or maps (B, C, h, w), of a style or where styles are mixed by
place."""

Features = tuple[Tensor, ...]
"""What a model sees in a content: maps (B, C, h, w), before anything is asked of the whole picture."""


class Training(nn.Module):
    """Models, their teachers and the lessons between them.

    Attributes:
        seen: images that the run has seen before this step, for what changes in the course of it. The trainer keeps it;
            it is part of the saved state, so that a resumed run goes on exactly.
    """

    seen: int = 0

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        """Networks by the optimiser that updates them, in the order of the updates of one step."""
        raise NotImplementedError

    def models(self) -> Mapping[str, nn.Module]:
        """What is worth keeping once training is over, by name."""
        raise NotImplementedError

    def order(self) -> Sequence[str]:
        """The groups that the coming step updates, in that order; all of them unless a method says otherwise."""
        return tuple(self.groups())

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[Terms]:
        """Yields the losses of each group, in the order of `order`; code runs on between updates."""
        raise NotImplementedError

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Pictures (B, 3, H, W) in [0, 1] by caption, to watch a run by; none by default."""
        return {}


class Stylizer(nn.Module):
    """A model that takes a picture and a style.

    Everything a network asks of the whole content goes through `nets.norms.Moments`, so that large pictures can be done
    in tiles exactly.
    """

    stride: ClassVar[int] = 1
    """The content's sides must be multiples of this."""
    halo: ClassVar[int | None] = 0
    """Pixels that a tile must see beyond its border for an exact result, a multiple of `stride`; None: there are no
    tiles, each place depends on all others."""
    code_stride: ClassVar[int] = 1
    """Pixels of the content for one cell of a map in a code."""
    pixel_bytes: ClassVar[int] = 1000
    """Memory that rendering takes for each pixel of the content, about."""

    def encode_style(self, style: Tensor) -> Code:
        """The code of a style (B, 3, h, w), RGB in [0, 1]."""
        raise NotImplementedError

    def mix(self, codes: Sequence[Code], weights: Sequence[float | Tensor]) -> Code:
        """The code of several styles by their weights, which are numbers or maps (B, 1, h, w); their sum is 1."""
        return blend(codes, weights)

    def features(self, content: Tensor, strength: float | Tensor = 1.0) -> Features:
        """What `paint` needs of the content (B, 3, H, W): a function of each place's surroundings alone."""
        raise NotImplementedError

    def paint(self, features: Features, code: Code, strength: float | Tensor = 1.0) -> Tensor:
        """The content of these features in that style: (B, 3, H, W), not clamped."""
        raise NotImplementedError

    def render(self, content: Tensor, code: Code, strength: float | Tensor = 1.0) -> Tensor:
        """The content (B, 3, H, W) in that style: (B, 3, H, W), not clamped."""
        return self.paint(self.features(content, strength), code, strength)

    def forward(self, content: Tensor, style: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """The content (B, 3, H, W) in the style of (B, 3, h, w), both RGB in [0, 1]; not clamped.

        `strength` 0 keeps the content, 1 is the full style; a tensor (B, 1, 1, 1) sets it for each picture.
        """
        return self.render(content, self.encode_style(style), strength)


class ImageToImage(nn.Module):
    """A model that takes a picture alone: (B, 3, H, W) -> (B, 3, H, W), RGB in [0, 1].

    As in a stylizer, statistics of a whole picture go through `nets.norms.Moments`.
    """

    stride: int = 1
    """A picture's sides must be multiples of this."""
    halo: int | None = 0
    """Pixels that a tile must see beyond its border for an exact result, a multiple of `stride`; None: there are no
    tiles, each place depends on all others."""
    code_stride: ClassVar[int] = 1
    pixel_bytes: int = 1000
    """Memory that a picture takes for each of its pixels, about."""
    blind: bool = False
    """The result has the picture's size and nothing else of it, so there is nothing to translate."""
    draws: bool = False
    """Noise by torch's generators is a part of results: other programs cannot draw the same."""
    classes: tuple[str, ...] = ()
    """What pictures can be made of, where the model has `choose`; empty: nothing is to be chosen."""

    def choose(self, name: str, _seed: int = 0) -> None:
        """From now on results are of that class, and of the noise of that number.

        Raises:
            OptionError: there is no such class.
        """
        raise OptionError(f"there is no class {name!r}; this model has none to choose from")

    picky: ClassVar[bool] = False
    """Whether `oddity` has something to say."""

    def oddity(self, _picture: Tensor) -> str:
        """Why a picture (1, 3, H, W) is hardly what the model takes, in a line; empty if nothing is odd."""
        return ""

    def features(self, content: Tensor, _strength: float | Tensor = 1.0) -> Features:
        """The picture itself: with `paint` a generator is rendered as a stylizer is."""
        return (content,)

    def paint(self, features: Features, _code: Code = (), _strength: float | Tensor = 1.0) -> Tensor:
        """The translation of that picture, (B, 3, H, W)."""
        result: Tensor = self(features[0])
        return result


class Colorizer(nn.Module):
    """A model that paints a sketch in the colours of a style.

    No stylizer: what it is given is lines on paper, not a photograph; it works at about the size that it was trained
    at, whatever the sketch's, for what it must know is which shape is hair and which is sky; so there are no tiles, and
    a result comes to full size with the sketch's own lines (`translate.colorist`).
    """

    stride: int = 1
    """A sketch's sides must be multiples of this."""
    side: int = 256
    """Longest side in pixels at which it works best, of a sketch and of a style."""
    takes_points: bool = True
    """Whether colours may be given at points."""
    smallest_style: ClassVar[int] = 16
    """Pixels that a style's sides must have."""

    def encode_style(self, style: Tensor) -> Tensor:
        """The hint (B, D) of a style (B, 3, h, w), RGB in [0, 1]."""
        raise NotImplementedError

    def paint(self, sketch: Tensor, hint: Tensor, points: Tensor | None = None) -> Tensor:
        """The sketch (B, 1 or 3, H, W) painted by that hint (B, D): (B, 3, H, W), RGB in [0, 1].

        Args:
            points: (B, 4, H, W), 1 where a colour is given, else 0, and that colour, RGB in [0, 1].
        """
        raise NotImplementedError

    def forward(self, sketch: Tensor, style: Tensor, points: Tensor | None = None) -> Tensor:
        """The sketch (B, 1 or 3, H, W), black on white, in the colours of (B, 3, h, w): (B, 3, H, W), all in [0, 1]."""
        return self.paint(sketch, self.encode_style(style), points)


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """The network between two kinds of pictures; the Config of a method adds how it learns."""

    generator: Literal["resnet", "unet"] = "resnet"
    """Residual blocks at a fraction of the size, or halves down to a point with skips across."""
    width: Annotated[int, Gt(0)] = 64
    """Channels of the generator at full size."""
    blocks: Annotated[int, Ge(1)] = 9
    """Residual blocks, `resnet` only."""
    halvings: Annotated[int, Ge(2), Le(5)] = 2
    """How often `resnet` halves a picture before the blocks; 3 where shapes are to change: it sees twice as far."""
    depth: Annotated[int, Ge(5)] = 8
    """How often `unet` halves a picture; 8 for 256 pixels, whose sides it needs multiples of."""
    norm: Norm = "instance"
    """Normalisation of all networks; `batch` makes a picture's result depend on the batch in training."""
    dropout: bool = False
    """Dropout of a half in the generator."""
    antialias: bool = False
    """Blur where sizes change, as CUT does: no checkerboards; `resnet` only."""
    kernel: Annotated[int, Ge(1)] = 3
    """Kernel of the inner convolutions, an odd number; `resnet` only."""
    end_kernel: Annotated[int, Ge(1)] = 7
    """Kernel of the first and last convolution, an odd number; `resnet` only."""

    def network(self) -> ResnetGenerator | UnetGenerator:
        """The generator, in [-1, 1]."""
        if self.generator == "unet":
            return UnetGenerator(self.width, self.depth, norm=self.norm, dropout=self.dropout)
        return ResnetGenerator(
            self.width,
            self.blocks,
            halvings=self.halvings,
            norm=self.norm,
            dropout=self.dropout,
            antialias=self.antialias,
            kernels=(self.kernel, self.end_kernel),
        )


class GeneratorModel(ImageToImage):
    """A generator between two kinds of pictures, (B, 3, H, W) -> (B, 3, H, W), RGB in [0, 1].

    Inside the network pictures are in [-1, 1], as in the authors' code.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.network = config.network()
        unet = config.generator == "unet"
        self.stride = 2 ** (config.depth if unet else config.halvings)
        self.halo = None if isinstance(self.network, UnetGenerator) else self.network.halo
        self.pixel_bytes = 16 * config.width

    def forward(self, image: Tensor) -> Tensor:
        return (self.network(signed(image)) + 1) / 2


def check_augment(kinds: str) -> None:
    """Checks the kinds of differentiable augmentation that a Config names.

    Raises:
        RecipeError: one is unknown.
    """
    if unknown := set(kinds.split()) - set(augment.KINDS):
        raise RecipeError(f"method.augment: {min(unknown)!r} is none of {', '.join(augment.KINDS)}")


def signed(images: Tensor) -> Tensor:
    """From [0, 1] to [-1, 1]."""
    return images * 2 - 1


def unsigned(images: Tensor) -> Tensor:
    """From [-1, 1] to [0, 1]."""
    return (images.float() + 1) / 2


Config = Any
"""Each method has its own frozen dataclass of this name."""
