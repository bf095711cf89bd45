"""Neural style transfer and texture synthesis by optimisation of the picture itself.

Gatys, Ecker & Bethge: "Texture Synthesis Using Convolutional Neural Networks" (NeurIPS 2015, arXiv:1505.07376) and
"Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016, arXiv:1508.06576). Guided regions, colours kept
and coarse-to-fine: Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (CVPR 2017,
arXiv:1611.07865).

A network looks at the picture. Its features shall be those of the content in a deep layer, and their statistics over
the picture those of the style in several layers. The picture is changed until both hold as well as they can.

Nothing is learned; a run takes seconds to minutes, any perceptual network, any sizes.

Shapes: H W pixels of the result and the content, h w pixels of a style. Pictures are (1, 3, H, W), RGB in [0, 1].
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le, MinLen
from torch import Tensor, nn

from .. import device
from ..errors import FailedError, OptionError
from ..losses.descent import LBFGS, Adam, Average, Best, Descent
from ..losses.judge import Judge, even_shares
from ..nets.colors import Colors, coral, keep_luminance, match_histogram
from ..nets.frozen import Borders, Frozen, Pool
from ..nets.perceptual import Perceptual, read_perceptual
from ..nets.resample import Noise, cover, fit, noise, resample, scaled

Progress = Callable[[int, int, float, Callable[[], Tensor]], bool | None]
"""`progress(step, steps, loss, preview)`; `preview()` gives the picture as it is. False stops the run, and what there
is by then is the result."""

SHARED = ("style_px", "colors", "precision", "seed")
"""Fields of the Config that other options stand for where all methods have the same ones."""
OF_CONTENT = ("content_weight", "content_layer", "strokes")
"""Fields that say nothing to a texture."""

Start = Literal["content", "style"] | Noise

MARGIN = 4
"""Pixels painted beyond each border and cut off: what remains of the freedom that pixels at a border have."""
RETREATS = 5
"""How often a step that led nowhere is tried again, shorter each time."""


@dataclass(frozen=True, kw_only=True)
class Config:
    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "use_attribute_docstrings": True}

    perceptual: tuple[str, ...] = ("auto",)
    """Networks that look at the pictures, by name or file; each layer comes from the first that has it.

    `auto` is the true VGG-19 if it was downloaded, else the bundled compact one.
    """
    content_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the content: more keeps more of the photograph."""
    style_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of the style: more paints more freely."""
    smoothness: Annotated[float, Ge(0)] = 1.0
    """Weight of the differences between neighbouring pixels: more removes noise, then detail."""
    content_layer: str = "relu4_2"
    """Layer that holds the content; if the networks end before it, or lack it, the deepest one above it."""
    style_layers: Annotated[tuple[str, ...], MinLen(1)] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    """Layers whose statistics are the style, from fine to coarse; those that no network has are left out."""
    layer_weights: tuple[Annotated[float, Ge(0)], ...] = ()
    """A weight for each of the style layers; none: all alike."""
    statistics: Literal["gram", "wasserstein"] = "wasserstein"
    """What is compared: Gram matrices, as in the paper, or means and covariances by their Wasserstein distance."""
    style_px: Annotated[int, Ge(16)] = 512
    """Longest side that style pictures are brought to: larger makes larger strokes."""
    strokes: Literal["pixels", "picture"] = "pixels"
    """Strokes have the same size in pixels in every result, or grow with the result: then style_px holds at 512."""
    colors: Colors = "style"
    """Whose colours the result has: the style's, or the content's by luminance, CORAL or histogram."""
    start: Start = "content"
    """Where the picture starts from: the content, the first style, or noise of four kinds."""
    optimizer: Literal["adam", "lbfgs"] = "lbfgs"
    """L-BFGS, as in the paper, needs fewer iterations than Adam but more memory: 22 more pictures."""
    learning_rate: Annotated[float, Gt(0)] = 0.02
    """Adam's rate: about the largest change of a value in one iteration."""
    iterations: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (200, 100)
    """Looks at the picture at each size, the smallest size first; the last number holds for all further sizes."""
    smallest_px: Annotated[int, Ge(16)] = 128
    """Longest side of the smallest size, at least; as large as the result: one size only."""
    growth: Annotated[float, Gt(1), Le(8)] = 2.0
    """How much larger each size is than the one before."""
    averaging: Annotated[float, Ge(0), Le(1)] = 0.1
    """Share of each size's last iterations that Adam's result is the average of; 0: the very last alone."""
    pool: Pool = "as trained"
    """Pooling between the layers: average, as in the texture paper, is a little smoother than maximum."""
    narrow: bool = True
    """Statistics of the compact network's own few channels, several times faster than those of its full widths."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of the network; auto: bfloat16 where the device is faster with it."""
    seed: int = 0
    """Of the noise that a picture may start from."""


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """What a picture is to be."""

    size: tuple[int, int]
    content: Tensor | None
    styles: tuple[Tensor, ...]
    weights: tuple[float, ...]
    shares: Tensor | None = None  # (S, 1, H, W)
    start: Tensor | None = None
    wraps: bool = False


class Model(nn.Module):
    """Paints by descent.

    # Differs from the papers: each layer's distance is relative to its target (see `losses.texture`); the optimiser's
    # state and the picture are carried from small sizes to large ones; values stay within [0, 1].

    Args:
        config: what can be chosen.
        perceptual: the networks that look at the pictures; None reads those that the config names.
    """

    def __init__(self, config: Config | None = None, perceptual: Perceptual | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        self.perceptual = perceptual or read_perceptual(self.config.perceptual)

    def forward(
        self,
        content: Tensor,
        styles: Tensor | Sequence[Tensor],
        weights: Sequence[float] | None = None,
        masks: Sequence[Tensor] | None = None,
        *,
        start: Tensor | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """The content (1, 3, H, W) in the style of one picture or several (1, 3, h, w): (1, 3, H, W), RGB in [0, 1].

        Args:
            weights: how much of each style; None: all alike.
            masks: for each style where it goes, (1, 1, H, W) in [0, 1], soft or hard, of any size; where masks add up
                to less than 1 there is less style; where they overlap, the styles share the place by their weights.
            start: a picture to start from in place of what the config says, of any size.
            progress: told after each iteration; False ends the run with what there is.

        Raises:
            OptionError: a picture is not (1, 3, H, W), or the numbers of styles, weights and masks do not go together.
            FailedError: the loss is not finite, in float32 and with shorter steps too.
        """
        amounts = _weights(styles, weights)
        with torch.inference_mode(False), device.autocast(content.device, torch.float32):
            content = _own(content)
            pictures = tuple(self._recolor(_own(s).to(content.device), content) for s in _styles(styles))
            scene = _Scene(
                size=(content.shape[-2], content.shape[-1]),
                content=content,
                styles=pictures,
                weights=amounts,
                shares=None if masks is None else even_shares(masks, amounts, like=content),
                start=None if start is None else _own(start).to(content.device),
            )
            return _Run(self, scene, progress).result()

    def texture(
        self,
        style: Tensor | Sequence[Tensor],
        size: int | tuple[int, int],
        seamless: bool = False,
        *,
        weights: Sequence[float] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """A new texture like one picture, or between several: (1, 3, H, W), RGB in [0, 1].

        Its values have the spread of the picture's in each colour, as in the texture paper's code. What the config
        says of content and colours does not matter; where it says to start from the content, `style_stats` stands in.

        Args:
            style: (1, 3, h, w), RGB in [0, 1].
            size: pixels of the side, or height and width.
            seamless: copies of the texture side by side show no border.
            weights: how much of each picture; None: all alike.
            progress: told after each iteration; False ends the run with what there is.

        Raises:
            OptionError: the size is not positive, or styles and weights do not go together.
            FailedError: the loss is not finite, in float32 and with shorter steps too.
        """
        height, width = (size, size) if isinstance(size, int) else size
        if height < 1 or width < 1:
            raise OptionError(f"a texture of {width} x {height} pixels has no pixels")
        amounts, styles = _weights(style, weights), _styles(style)
        with torch.inference_mode(False), device.autocast(styles[0].device, torch.float32):
            pictures = tuple(_own(s) for s in styles)
            scene = _Scene(size=(height, width), content=None, styles=pictures, weights=amounts, wraps=seamless)
            result = _Run(self, scene, progress).result()
            return match_histogram(result, pictures[0]) if len(pictures) == 1 else result

    def _recolor(self, style: Tensor, content: Tensor) -> Tensor:
        if self.config.colors == "coral":
            return coral(style, content).clamp(0, 1)
        return match_histogram(style, content) if self.config.colors == "histogram" else style


def _styles(styles: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    pictures = (styles,) if isinstance(styles, Tensor) else tuple(styles)
    if not pictures:
        raise OptionError("no style was given; at least one picture is needed")
    return pictures


def _own(picture: Tensor) -> Tensor:
    """A copy that can be computed with, whatever mode it was made in."""
    if picture.ndim != 4 or picture.shape[:2] != (1, 3) or not picture.numel():
        raise OptionError(f"a picture has the shape {tuple(picture.shape)}; it must be (1, 3, height, width)")
    return picture.detach().clone().float()


def _weights(styles: Tensor | Sequence[Tensor], weights: Sequence[float] | None) -> tuple[float, ...]:
    """A weight for each style; their sum is 1."""
    count = len(_styles(styles))
    given = (1.0,) * count if weights is None else tuple(weights)
    if len(given) != count or min(given) < 0 or not sum(given) > 0:
        raise OptionError(f"style weights {given} for {count} styles; give one for each, not negative, not all 0")
    return tuple(w / sum(given) for w in given)


class _Run:
    """One picture's way through all sizes."""

    def __init__(self, model: Model, scene: _Scene, progress: Progress | None) -> None:
        self.config, self.perceptual, self.scene, self.progress = model.config, model.perceptual, scene, progress
        self.device, c = scene.styles[0].device, model.config
        self.style_layers, self.content_layer = self._style_layers(), self._content_layer()
        self.dtype = device.fast_dtype(self.device) if c.precision == "auto" else getattr(torch, c.precision)
        self.descent: Descent = Adam(c.learning_rate) if c.optimizer == "adam" else LBFGS()
        self.factors = self._factors()
        last = len(c.iterations) - 1
        self.iterations = [c.iterations[min(i, last)] for i in range(len(self.factors))]
        self.step, self.stopped = 0, False

    def _style_layers(self) -> dict[str, float]:
        """Weights of the layers that there are; their sum is the style's weight."""
        c = self.config
        if len(c.layer_weights) not in {0, len(c.style_layers)}:
            raise OptionError(f"{len(c.layer_weights)} layer weights for {len(c.style_layers)} style layers")
        weights = dict(zip(c.style_layers, c.layer_weights or [1.0] * len(c.style_layers), strict=True))
        weights = {k: w for k, w in weights.items() if k in self.perceptual.layers}
        if not sum(weights.values()) > 0:
            raise OptionError(f"style layers {c.style_layers}: the networks have {self.perceptual.layers}")
        return {k: w / sum(weights.values()) * c.style_weight for k, w in weights.items()}

    def _content_layer(self) -> str:
        if self.scene.content is None or not self.config.content_weight:
            return ""
        above = [k for k in self.perceptual.layers if k <= self.config.content_layer]
        if not above:
            raise OptionError(f"content layer {self.config.content_layer!r}: there are {self.perceptual.layers}")
        return max(above)

    def _style_px(self) -> float:
        return self.config.style_px * (max(self.scene.size) / 512 if self.config.strokes == "picture" else 1)

    def _factors(self) -> list[float]:
        """Sizes as parts of the result's, from small to 1; in each, result and styles are large enough to be seen."""
        longest, factors = min(max(self.scene.size), self._style_px()), [1.0]
        while longest * factors[0] / self.config.growth >= self.config.smallest_px:
            factors.insert(0, factors[0] / self.config.growth)
        return factors

    def result(self) -> Tensor:
        """The picture after all sizes, or as far as it came."""
        picture = self._first(self._size(self.factors[0]))  # without a margin, as always between sizes
        for factor, iterations in zip(self.factors, self.iterations, strict=True):
            if not self.stopped:
                picture = self._at_size(factor, iterations, picture)
        return self._finish(picture)

    def _size(self, factor: float) -> tuple[int, int]:
        """A size of the result; one that wraps can be halved as often as the network does it."""
        deepest = max(int(layer[4]) for layer in self.style_layers)
        return scaled(self.scene.size, factor, 2 ** (deepest - 1) if self.scene.wraps else 1)

    def _first(self, size: tuple[int, int]) -> Tensor:
        start, scene = self.config.start, self.scene
        if scene.start is not None:
            return resample(scene.start, size).clamp(0, 1)
        if start == "style":
            return cover(scene.styles[0], size)
        if start != "content":
            return noise(start, size, scene.styles[0], self.config.seed)
        if scene.content is None:
            return noise("style_stats", size, scene.styles[0], self.config.seed)
        return resample(scene.content, size).clamp(0, 1)

    def _at_size(self, factor: float, iterations: int, picture: Tensor) -> Tensor:
        canvas = self._canvas(picture, factor).clamp(0, 1)
        self.descent.resize(lambda moments: self._canvas(self._cut(moments), factor))
        averaged = self.config.averaging if self.config.optimizer == "adam" else 0.0
        kept: Average | Best = Average(max(1.0, averaged * iterations)) if averaged else Best()
        self.judge = self._judge(factor)
        for i in range(iterations):
            canvas, loss, gradient = self._look(factor, canvas, can_retreat=i > 0)
            kept.add(canvas, loss)
            self.step += 1
            if self._told_to_stop(loss, kept):
                self.stopped = True
                break
            canvas = self.descent.step(canvas, loss, gradient)
        return self._cut(kept.value())

    def _canvas(self, images: Tensor, factor: float) -> Tensor:
        """Maps over the whole picture, in one of the sizes and with a margin."""
        images = resample(images, self._size(factor), wraps=self.scene.wraps)
        return images if self.scene.wraps else F.pad(images, (MARGIN,) * 4, mode="replicate")

    def _cut(self, canvas: Tensor) -> Tensor:
        return canvas if self.scene.wraps else canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN]

    def _told_to_stop(self, loss: float, kept: Average | Best) -> bool:
        def preview() -> Tensor:
            return self._finish(self._cut(kept.value()))

        return self.progress is not None and self.progress(self.step, sum(self.iterations), loss, preview) is False

    def _look(self, factor: float, canvas: Tensor, *, can_retreat: bool) -> tuple[Tensor, float, Tensor]:
        """Canvas, loss and gradient; where those are not finite, of a nearer picture, or looked at in float32."""
        for _ in range(RETREATS):
            loss, gradient = self.judge(canvas)
            if math.isfinite(loss):
                return canvas, loss, gradient
            if self.dtype != torch.float32:
                self.dtype = torch.float32
                self.judge = self._judge(factor)
            elif can_retreat:
                canvas = self.descent.retreat()
            else:
                break
        raise FailedError(
            f"the loss is not finite at iteration {self.step + 1} of {sum(self.iterations)}; "
            "lower the learning rate or the weights, or use other perceptual networks"
        )

    def _judge(self, factor: float) -> Judge:
        """What the picture is to be, at one size."""
        c, scene = self.config, self.scene
        borders: Borders = "wrap" if scene.wraps else "replicate"
        network = Frozen(self.perceptual, dtype=self.dtype, borders=borders, pool=c.pool, narrow=c.narrow)
        judge = Judge(network.to(self.device), self.style_layers, statistics=c.statistics, smoothness=c.smoothness)
        if c.style_weight:
            styles = [fit(style, self._style_px() * factor) for style in scene.styles]
            shares = None if scene.shares is None else self._canvas(scene.shares, factor).clamp(0, 1)
            judge.ask_styles(styles, scene.weights, shares)
        if scene.content is not None and self.content_layer:
            content = self._canvas(scene.content, factor).clamp(0, 1)
            judge.ask_content(content, self.content_layer, c.content_weight)
        return judge

    def _finish(self, picture: Tensor) -> Tensor:
        """The picture in the result's size and colours."""
        picture = resample(picture, self.scene.size, wraps=self.scene.wraps).clamp(0, 1)
        if self.config.colors == "luminance" and self.scene.content is not None:
            return keep_luminance(picture, self.scene.content)
        return picture
