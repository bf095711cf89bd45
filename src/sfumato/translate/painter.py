"""Gatys' optimisation behind the calls of a Translator: pictures in, pictures out.

Shapes: H W pixels of the result, n styles.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import torch

from ..device import pick
from ..errors import Cancelled
from ..image import Box, Picture, Source, from_any, quantize, resize
from ..methods import gatys
from ..options import Options
from ..progress import Report
from .content import with_white_behind
from .enlarging import enlarged, is_small
from .masks import Masks
from .precision import Precision
from .styles import as_list, as_styles

if TYPE_CHECKING:
    from PIL import Image


NAMES: dict[Precision, Literal["float32", "bfloat16"]] = {"fp32": "float32", "bf16": "bfloat16"}
LARGEST_SWATCH = 1024
"""Longest side of a swatch in pixels, if none is asked for."""


class Painter:
    """Paints each picture by optimisation: slower than any network by far, and free to choose in everything.

    Args:
        model: the method, or its config, which says what `Options` do not. Where these say nothing its `colors` hold,
            and a style is brought to its own size or to `style_px`, whichever is less.
        device: as `device.pick` takes it.
        precision: number format of the networks; `auto` leaves it to the config.

    Raises:
        OptionError: there is no such device.
        WeightsError: a network that the config names is not there.
    """

    side = 0
    """Longest side in pixels of pictures that suit it, as of a Translator; 0: any."""
    takes_style = True
    """As of a Translator: it needs one."""

    def __init__(
        self,
        model: gatys.Model | gatys.Config | None = None,
        *,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
    ) -> None:
        made = model if isinstance(model, gatys.Model) else gatys.Model(model)
        self.config, self.device = made.config, pick(device)
        if precision != "auto":
            self.config = replace(self.config, precision=NAMES[precision])
        self.perceptual = made.perceptual.to(self.device)

    def __call__(
        self,
        picture: Source,
        style: "Source | Sequence[Source]",
        *,
        masks: "Source | Sequence[Source]" = (),
        progress: Report | None = None,
        **options: Any,
    ) -> "Image.Image":
        """The picture in that style, as `Translator` takes and gives it."""
        chosen = Options.of(**options)
        styles, places = as_styles(style), as_list(masks)
        return self.translate_picture(from_any(picture), styles, chosen, masks=places, progress=progress).to_pil()

    def translate_picture(
        self,
        picture: Picture,
        styles: Sequence[Source],
        options: Options | None = None,
        *,
        masks: Sequence[Source] = (),
        progress: Report | None = None,
    ) -> Picture:
        """As a call, from Picture to Picture: 16 bits, colour profile and EXIF stay.

        `strength` is a factor on the weight of the style. `progress` is told of iterations.

        Raises:
            OptionError: an option is wrong.
            Cancelled: `progress` returned False.
        """
        options = options or Options()
        shares = options.shares(len(as_styles(list(styles))))
        picture = with_white_behind(picture if options.size is None else resize(picture, longest=options.size))
        if is_small(options, picture):
            return enlarged(self, picture, styles, options, shares, masks, progress)
        places = Masks(masks, picture, size=(picture.height, picture.width), shares=shares) if masks else None
        content, meter = picture.tensor(), _Meter(progress)
        paintings = [from_any(style).compose_on_white() for style in styles]
        result = self._model(options, paintings)(
            content.to(self.device),
            [painting.tensor().to(self.device) for painting in paintings],
            shares,
            None if places is None else [plane.float() / 255 for plane in places.planes.split(1, 1)],
            progress=meter,
        ).cpu()
        meter.check()
        covered = None if places is None else places.coverage(Box(0, 0, picture.height, picture.width))
        if covered is not None:
            result = content + covered * (result - content)
        return picture.with_pixels(quantize(result, picture.pixels.dtype))

    def texture(
        self,
        swatch: "Source | Sequence[Source]",
        size: tuple[int, int],
        *,
        seamless: bool = False,
        swatch_size: int | None = None,
        weights: Sequence[float] = (),
        progress: Report | None = None,
    ) -> Picture:
        """A new texture like a picture, or between several.

        Args:
            size: width and height in pixels.
            seamless: copies of the texture side by side show no border.
            swatch_size: longest side that the picture is brought to, larger for larger grains; its own, at most
                `LARGEST_SWATCH`, if None.
            weights: how much of each picture; all alike if none is given.
            progress: told of iterations.

        Raises:
            OptionError: sizes or weights are wrong.
            Cancelled: `progress` returned False.
        """
        swatches = [from_any(source).compose_on_white() for source in as_styles(swatch)]
        shares, meter = Options(weights=tuple(weights)).shares(len(swatches)), _Meter(progress)
        tensors = [picture.tensor().to(self.device) for picture in swatches]
        side = swatch_size or min(LARGEST_SWATCH, _longest(swatches))
        model = gatys.Model(replace(self.config, style_px=side), self.perceptual)
        result = model.texture(tensors, (size[1], size[0]), seamless, weights=shares, progress=meter)
        meter.check()
        grey = all(picture.mode == "L" for picture in swatches)
        return Picture(pixels=quantize(result.cpu()), mode="L" if grey else "RGB")

    def _model(self, options: Options, styles: Sequence[Picture]) -> gatys.Model:
        side = options.style_size or min(self.config.style_px, _longest(styles))
        config = replace(self.config, style_px=side, style_weight=self.config.style_weight * options.strength)
        if options.keep_colors != "none":
            config = replace(config, colors=options.keep_colors)
        if options.iterations:
            config = replace(config, iterations=options.iterations)
        return gatys.Model(config, self.perceptual)


def _longest(pictures: Sequence[Picture]) -> int:
    return max(max(picture.width, picture.height) for picture in pictures)


class _Meter:
    """A method's progress as ours."""

    def __init__(self, report: Report | None) -> None:
        self.report, self.cancelled = report, False

    def __call__(self, step: int, steps: int, _loss: float, _preview: object) -> bool:
        self.cancelled = self.report is not None and self.report(step, steps) is False
        return not self.cancelled

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled("cancelled")
