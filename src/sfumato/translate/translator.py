"""Any picture in, picture out: a model at work.

Shapes: B batch, C channels, H W pixels of the content, h w pixels of a style.
"""

import functools
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from .. import zoo
from ..device import DTYPES, autocast, memory_budget, pick, to_device
from ..errors import OptionError
from ..image import Box, Picture, Source, Tile, from_any, quantize, resize, tiles
from ..methods import gatys
from ..methods.base import Code, Colorizer, ImageToImage, Stylizer
from ..nets.norms import Moments, blend
from ..options import Options
from ..progress import Report
from .content import with_white_behind
from .enlarging import Finish, enlarged, is_small
from .loading import loaded, named
from .masks import Masks
from .painter import Painter
from .precision import Precision, choose
from .styles import Codes, as_list, as_styles
from .tiling import Plan, Statistic, Work, measured, render, trace

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

DEFAULT_MODEL = "microast/art"
CPU_TILE, GPU_TILE = 1024, 4096
"""Sides of tiles in pixels that there is nothing to be gained above (benchmarks/tiles.py); below the margins cost."""
SMALLEST_TILE = 128
LOOKED_AT = 1024
"""Longest side of the copy by which a picture is judged to be what the model takes."""
EXACT_SIDE = 4096
"""Longest side up to which a generator's statistics are those of the picture itself; above, of a smaller copy."""
CPU_MEMORY = 3 * 2**29
"""Bytes of main memory that a picture may take to be done at once; above, tiles are as fast and leave room."""


class Translator:
    """A model made ready for pictures of any size and kind.

    Args:
        model: a stylizer, or a generator that takes a picture alone, or the name or path of one as `zoo.load` takes it;
            it is moved to the device. Or a Model of `methods.gatys`, which always works on the whole picture.
        tile: longest side in pixels of the parts that a picture is done in; None chooses by the memory there is,
            0 never tiles. In fp32 the result does not depend on it.
        device: as `device.pick` takes it.
        precision: number format; `auto` is bf16 where that is faster and makes no difference to speak of.

    Attributes:
        side: longest side in pixels of the pictures that suit the model, by its card; 0: any.

    Raises:
        OptionError: the device, the tile or the precision is none, or the model makes no pictures.
        WeightsError: the model cannot be loaded.
    """

    def __init__(
        self,
        model: nn.Module | str | os.PathLike[str] = DEFAULT_MODEL,
        tile: int | None = None,
        *,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
    ) -> None:
        if tile is not None and tile < 0:
            raise OptionError(f"tile {tile} must be a number of pixels, 0 for never, or None")
        if precision not in ("auto", "fp32", "bf16"):
            raise OptionError(f"precision {precision!r} is none of auto, fp32, bf16")
        self.device, self.tile = pick(device), tile
        self.precision: Precision = precision
        self.lock = threading.Lock()
        kinds, problem = (gatys.Model, Stylizer, ImageToImage, Colorizer), "makes no pictures, so it cannot translate"
        made = cast("gatys.Model | Stylizer | ImageToImage | Colorizer", loaded(model, kinds, problem))
        if isinstance(made, Colorizer):
            raise OptionError(f"{named(model)} colours sketches: `sfumato colorize` takes it")
        self.side = 0 if isinstance(model, nn.Module) else zoo.card(os.fspath(model)).side
        self.painter = Painter(made, device=device, precision=precision) if isinstance(made, gatys.Model) else None
        if isinstance(made, gatys.Model):
            return
        if isinstance(made, ImageToImage) and made.blind:
            raise OptionError(f"{named(model)} makes textures, not pictures of pictures: `sfumato texture` takes it")
        self.model = to_device(made, self.device)
        self.plans: dict[tuple[torch.dtype, bool], Plan] = {}
        self.codes = {dtype: Codes(self._encode, self.smallest) for dtype in DTYPES.values()}

    def __call__(
        self,
        picture: Source,
        style: "Source | Sequence[Source] | None" = None,
        *,
        masks: "Source | Sequence[Source]" = (),
        progress: Report | None = None,
        **options: Any,
    ) -> "Image.Image":
        """The picture in that style: same size and mode, alpha kept.

        Args:
            picture: a path, a Pillow image, an array or a tensor, as `image.from_any` takes it.
            style: one or several of the same; none for a generator, whose style is its own.
            masks: a grey picture for each style, white where it is wanted; see `translate.masks`.
            progress: called with the work done and the whole, in pixels; returning False cancels.
            options: fields of `Options`.

        Raises:
            OptionError: an option is wrong.
            PictureError: a picture cannot be read.
            Cancelled: `progress` said so.
        """
        chosen, places = Options.of(**options), as_list(masks)
        styles = [] if style is None and not self.takes_style else as_styles(style)
        return self.translate_picture(from_any(picture), styles, chosen, masks=places, progress=progress).to_pil()

    def translate_picture(
        self,
        picture: Picture,
        styles: Sequence[Source] = (),
        options: Options | None = None,
        *,
        masks: Sequence[Source] = (),
        progress: Report | None = None,
    ) -> Picture:
        """As a call, from Picture to Picture: 16 bits, colour profile and EXIF stay."""
        if self.painter is not None:
            return self.painter.translate_picture(picture, styles, options, masks=masks, progress=progress)
        options = options or Options()
        shares = options.shares(len(as_styles(list(styles)))) if self.takes_style else ()
        if not self.takes_style and (styles or masks):
            raise OptionError("this model has a style of its own; it takes no other and no masks")
        picture = with_white_behind(picture if options.size is None else resize(picture, longest=options.size))
        if is_small(options, picture):
            return enlarged(self, picture, styles, options, shares, masks, progress)
        self._check(picture)
        with self.lock:
            dtype = self._dtype(picture)
            with torch.inference_mode(), autocast(self.device, dtype):
                codes = self.codes[dtype].of(styles, picture, options) if self.takes_style else [()]
                job = self._job(picture, codes, options, masks, shares or (1.0,))
                plan, parts = self._plan(job, dtype), self._tiles(job)
                known = self._known(job, plan, len(parts))
                room = self._memory() // 2
                render(self.model, job.work(), parts, progress or _nobody, plan=plan, room=room, known=known)
        return picture.with_pixels(job.result)

    def _check(self, picture: Picture) -> None:
        """Warns of a picture that is not what the model takes."""
        if isinstance(self.model, ImageToImage) and self.model.picky:
            small = resize(picture, longest=LOOKED_AT) if max(picture.height, picture.width) > LOOKED_AT else picture
            if odd := self.model.oddity(small.tensor()):
                log.warning("%s: %s", picture.name, odd)

    def _dtype(self, picture: Picture) -> torch.dtype:
        """The number format of the heavy operations; bf16 is too coarse for a result of 16 bits."""
        if self.precision == "auto" and picture.pixels.dtype == np.uint16:
            return torch.float32
        return self._usual_dtype

    @functools.cached_property
    def _usual_dtype(self) -> torch.dtype:
        return choose(self.model, self.device, self.precision)

    @property
    def takes_style(self) -> bool:
        """Whether the model takes a style beside the picture."""
        return self.painter is not None or isinstance(self.model, Stylizer)

    @property
    def smallest(self) -> int:
        """Pixels that a side must have so that the deepest features can be mirrored at their borders."""
        return 2 * self.model.stride

    def _encode(self, style: Tensor) -> Code:
        assert isinstance(self.model, Stylizer)
        return self.model.encode_style(on_device(style, self.device))

    def _job(
        self,
        picture: Picture,
        codes: Sequence[Code],
        options: Options,
        masks: Sequence[Source],
        shares: Sequence[float],
    ) -> "_Job":
        height, width = (max(_up(side, self.model.stride), self.smallest) for side in (picture.height, picture.width))
        return _Job(
            picture=picture,
            size=(height, width),
            codes=codes,
            mix=self.model.mix if isinstance(self.model, Stylizer) else blend,
            shares=shares,
            masks=Masks(masks, picture, size=(height, width), shares=shares) if masks else None,
            options=options,
            cell=self.model.code_stride,
            device=self.device,
            result=np.empty_like(picture.pixels),
        )

    def _plan(self, job: "_Job", dtype: torch.dtype) -> Plan:
        key = (dtype, job.options.strength == 1)
        if key not in self.plans:
            self.plans[key] = trace(self.model, job.even_code, job.options.strength, self.device)
        return self.plans[key]

    def _known(self, job: "_Job", plan: Plan, tiles: int) -> dict[Moments, Statistic] | None:
        """A generator's statistics from a smaller copy of a picture that is too large to gather its own.

        A generator normalises after every convolution, so the exact way has as many passes as it has layers.
        """
        if isinstance(self.model, Stylizer) or tiles == 1 or not plan.levels:
            return None
        picture = job.picture
        times = 1 + sum(plan.costs[level] for level in plan.levels) / max(1.0, plan.costs[None])
        size = f"{picture.width} x {picture.height}"
        if max(picture.width, picture.height) <= EXACT_SIDE:
            log.info(
                "%s: %d passes over %d tiles, %.0f times the work of one", size, len(plan.levels) + 1, tiles, times
            )
            return None
        share = min(1.0, self._memory() / (self.model.pixel_bytes * picture.width * picture.height))
        longest = max(1, int(min(EXACT_SIDE, max(picture.width, picture.height) * share**0.5)))
        small = self._job(resize(picture, longest=longest), job.codes, job.options, (), job.shares)
        log.info("%s: the statistics are those of a copy of %d pixels", size, longest)
        return measured(self.model, small.content(Box(0, 0, *small.size)), job.even_code, job.options.strength)

    def _tiles(self, job: "_Job") -> list[Tile]:
        model, (height, width) = self.model, job.size
        if model.halo is None:
            return tiles(height, width, 0, 0, model.stride)
        tile = self.tile_for(height * width, mapped=job.mapped) if self.tile is None else self.tile
        return tiles(height, width, tile, model.halo, model.stride)

    def tile_for(self, pixels: int, *, mapped: bool = False) -> int:
        """The side of a tile that fits into memory, or 0 where the whole picture does.

        Args:
            mapped: the style differs from place to place, which takes more memory.
        """
        needed, room = self.model.pixel_bytes * (2 if mapped else 1), self._memory()
        if pixels * needed <= room:
            return 0
        largest = CPU_TILE if self.device.type == "cpu" else GPU_TILE
        return max(SMALLEST_TILE, min(largest, isqrt(room // needed) - 2 * (self.model.halo or 0)))

    def _memory(self) -> int:
        """Bytes that one picture may take on the device, beside its pixels."""
        free = memory_budget(self.device) // 2
        return min(free, CPU_MEMORY) if self.device.type == "cpu" else free


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    """One picture on its way through the model."""

    picture: Picture
    size: tuple[int, int]
    """Rows and columns that the model is given: the picture's or a few more, which are mirrored."""
    codes: Sequence[Code]
    mix: Callable[[Sequence[Code], Sequence[float | Tensor]], Code]
    """Makes one code of several, see `Stylizer.mix`."""
    shares: Sequence[float]
    masks: Masks | None
    options: Options
    cell: int
    device: torch.device
    result: np.ndarray[Any, np.dtype[Any]]

    @property
    def mapped(self) -> bool:
        """Whether the style differs from place to place."""
        return self.masks is not None and len(self.codes) > 1

    def work(self) -> Work:
        return Work(content=self.content, code=self.code, strength=self.options.strength, keep=self.keep)

    def content(self, box: Box) -> Tensor:
        return on_device(self.picture.tensor(box), self.device)

    def code(self, box: Box) -> Code:
        if self.masks is None or len(self.codes) == 1:
            return self.even_code
        weights = self.masks.weights(box, self.cell).to(self.device)
        return self.mix(self.codes, weights.split(1))

    @functools.cached_property
    def even_code(self) -> Code:
        """The styles mixed by their weights, masks or not; empty for a generator."""
        return self.mix(self.codes, self.shares)

    def keep(self, tile: Tile, result: Tensor) -> None:
        """Writes a tile's core into the result, cut at the picture's edges."""
        top, left, bottom, right = tile.core
        box = Box(top, left, min(bottom, self.picture.height), min(right, self.picture.width))
        if min(box.height, box.width) <= 0:
            return
        result = result[:, :, : box.height, : box.width]
        finish = Finish(options=self.options, masks=self.masks, mixed=not self.even_code)
        self.result[box.slices] = quantize(finish(result, self.content, box), self.result.dtype)


@functools.lru_cache(maxsize=1)
def _usual_translator() -> Translator:
    return Translator(DEFAULT_MODEL)


def stylize(photo: Source, style: "Source | Sequence[Source]", strength: float = 1.0, **options: Any) -> "Image.Image":
    """The photo in the style of another picture, by the bundled model; same size and mode.

    Args:
        photo: a path, a Pillow image, an array or a tensor.
        style: one or several of the same.
        strength: 0 keeps the photo, 1 is the full style.
        options: `masks`, `progress` and the other fields of `Options`, as `Translator` takes them.

    Raises:
        SfumatoError: a picture cannot be read or an option is wrong; the message says which.
    """
    return _usual_translator()(photo, style, strength=strength, **options)


def on_device(pictures: Tensor, device: torch.device) -> Tensor:
    """Pictures (B, 3, H, W) on the device, in the order in which convolutions are fastest."""
    return pictures.to(device).contiguous(memory_format=torch.channels_last)


def _up(value: int, stride: int) -> int:
    return -(-value // stride) * stride


def _nobody(_done: int, _total: int) -> None:
    """Hears no progress."""
