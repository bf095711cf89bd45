"""Gatys' optimisation behind the calls of a Translator: pictures in, pictures out.

Shapes: H W pixels of the result, n styles.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..device import pick
from ..errors import Cancelled
from ..image import Box, Picture, Source, from_any, quantize, resize
from ..methods import gatys
from ..options import Options
from ..progress import Report
from .masks import Masks
from .styles import as_styles
from .translator import with_white_behind

if TYPE_CHECKING:
    from PIL import Image


class Painter:
    """Paints each picture by optimisation: slower than any network by far, and free to choose in everything.

    Args:
        config: what `Options` do not say; its `style_px` and `colors` hold where they do not.
        device: as `device.pick` takes it.

    Raises:
        OptionError: there is no such device.
        WeightsError: a network that the config names is not there.
    """

    def __init__(self, config: gatys.Config | None = None, *, device: str | torch.device = "auto") -> None:
        self.config, self.device = config or gatys.Config(), pick(device)
        self.perceptual = gatys.Model(self.config).perceptual.to(self.device)

    def __call__(
        self,
        picture: Source,
        style: "Source | Sequence[Source]",
        *,
        masks: Sequence[Source] = (),
        progress: Report | None = None,
        **options: Any,
    ) -> "Image.Image":
        """The picture in that style, as `Translator` takes and gives it."""
        chosen = Options.of(**options)
        return self.translate_picture(
            from_any(picture), as_styles(style), chosen, masks=masks, progress=progress
        ).to_pil()

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
        shares = options.shares(len(styles))
        picture = with_white_behind(picture if options.size is None else resize(picture, longest=options.size))
        places = Masks(masks, picture, size=(picture.height, picture.width), shares=shares) if masks else None
        content, meter = picture.tensor(), _Meter(progress)
        result = self._model(options)(
            content.to(self.device),
            [self._tensor(style) for style in styles],
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
        swatch: Source | Sequence[Source],
        size: tuple[int, int],
        *,
        seamless: bool = False,
        weights: Sequence[float] = (),
        progress: Report | None = None,
    ) -> Picture:
        """A new texture like a picture, or between several.

        Args:
            size: width and height in pixels.
            seamless: copies of the texture side by side show no border.
            weights: how much of each picture; all alike if none is given.
            progress: told of iterations.

        Raises:
            OptionError: sizes or weights are wrong.
            Cancelled: `progress` returned False.
        """
        swatches = [from_any(source).compose_on_white() for source in as_styles(swatch)]
        shares, meter = Options(weights=tuple(weights)).shares(len(swatches)), _Meter(progress)
        tensors = [picture.tensor().to(self.device) for picture in swatches]
        model = gatys.Model(self.config, self.perceptual)
        result = model.texture(tensors, (size[1], size[0]), seamless, weights=shares, progress=meter)
        meter.check()
        grey = all(picture.mode == "L" for picture in swatches)
        return Picture(pixels=quantize(result.cpu()), mode="L" if grey else "RGB")

    def _model(self, options: Options) -> gatys.Model:
        config = replace(self.config, style_weight=self.config.style_weight * options.strength)
        if options.style_size is not None:
            config = replace(config, style_px=options.style_size)
        if options.keep_colors != "none":
            config = replace(config, colors=options.keep_colors)
        return gatys.Model(config, self.perceptual)

    def _tensor(self, style: Source) -> Tensor:
        return from_any(style).compose_on_white().tensor().to(self.device)


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
