"""A pose model at work: a picture in, the 17 keypoints of its figure out.

Shapes: B figures, K = 17 keypoints, H W pixels of what is cut out about a figure. Places are (x, y) in pixels of the
picture, whole numbers in the middle of pixels; boxes are (left, top, width, height).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import image
from ..data.keypoints import PAIRS
from ..data.person_crop import Floats, Pixels, Region, affine, around, cut, inverse, moved
from ..device import DTYPES, pick
from ..errors import OptionError
from ..image.depth import to_8
from ..methods import hrnet
from ..nets.heatmaps import dark, factors, mirrored, quarter_shift
from ..translate.loading import loaded, named
from .ink import figure_box

Box = tuple[float, float, float, float]
Decode = Literal["auto", "dark", "quarter"]
Precision = Literal["auto", "fp32", "bf16"]

DEFAULT_MODEL = "hrnet/sketches"
CERTAIN = 0.2
"""Height of a map's peak from which its keypoint counts."""
CHUNK = 8
"""Figures that are looked at together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundPose:
    """The keypoints of a figure.

    Attributes:
        joints: (K, 2).
        scores: (K,) in [0, 1], how sure each is.
        score: of all: the mean of those that count.
        box: where the figure was looked for.
        area: of what was cut out, in pixels of the picture.
    """

    joints: Floats
    scores: Floats
    score: float
    box: Box
    area: float

    def coco(self, picture: int) -> dict[str, Any]:
        """The pose as a result in COCO's format, of the picture of that number."""
        points = np.concatenate((self.joints, self.scores[:, None]), axis=1)
        return {
            "image_id": picture,
            "category_id": 1,
            "keypoints": [round(float(value), 3) for value in points.ravel()],
            "score": round(self.score, 6),
        }


class PoseEstimator:
    """Finds poses by a model.

    # Differs from the authors' tests: models of unbiased coordinates are read by a Gaussian through the peak (DARK),
    # not by a quarter of a pixel toward its higher neighbour, if nothing else is asked for.

    Args:
        model: a model of `methods.hrnet`, its name, or its file; the bundled one learned from rendered drawings.
        device: `auto`, `cpu`, `cuda` ...
        precision: `auto` is bf16 where the device is faster with it and the model bears it.
        decode: how a place is read from a map: `quarter`, as in the authors' tests, or `dark`, by a Gaussian through
            the peak; `auto` is that by which models of its kind are best.
        flip: also look at the mirrored picture, and take the mean: slower, a little better.

    Attributes:
        name: the model's.
        decode: what `auto` came to.
        precision: likewise.
        flip: as given.

    Raises:
        WeightsError: there is no such model, or it is damaged.
        OptionError: it is no pose model, or there is no such device.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | nn.Module = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: Precision = "auto",
        decode: Decode = "auto",
        flip: bool = True,
    ) -> None:
        self.device, self.name = pick(device), named(model)
        found = loaded(model, hrnet.Model, "finds no poses; a model of the method hrnet does")
        dtype = None if precision == "auto" else DTYPES[precision]
        self.network = hrnet.Fast(found, self.device, dtype)
        self.precision = next(name for name, kind in DTYPES.items() if kind == self.network.dtype)
        self.config, self.flip = found.config, flip
        self.out = (self.config.height, self.config.width)
        best: Decode = "dark" if self.config.heatmaps == "udp" else "quarter"
        self.decode = best if decode == "auto" else decode
        self.read_maps = partial(dark, sigma=self.config.sigma) if self.decode == "dark" else quarter_shift

    def __call__(self, source: image.Source, box: Box | None = None) -> FoundPose:
        """The pose of the figure in a picture.

        Args:
            source: anything that `image.from_any` takes; what is transparent is white.
            box: about the figure; None looks for the drawing's ink.

        Raises:
            PictureError: the picture cannot be read, or nothing is drawn in it.
            OptionError: the box is empty or has no pixel of the picture.
        """
        picture = image.from_any(source).compose_on_white()
        pixels = to_8(picture.pixels)
        if box is None:
            box = figure_box(pixels, picture.name)
        check_box(box, pixels)
        return self.many([(pixels, box)])[0]

    def many(self, figures: Sequence[tuple[Pixels, Box]]) -> list[FoundPose]:
        """The poses of figures: pictures (h, w, 3), opaque, and a box in each."""
        found: list[FoundPose] = []
        for first in range(0, len(figures), CHUNK):
            found += self._some(figures[first : first + CHUNK])
        return found

    def _some(self, figures: Sequence[tuple[Pixels, Box]]) -> list[FoundPose]:
        regions = [around(box, self.out) for _, box in figures]
        ways = [affine(region, self.out, self.config.heatmaps) for region in regions]
        crops = np.stack([cut(pixels, way, self.out) for (pixels, _), way in zip(figures, ways, strict=True)])
        maps = self.maps(torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255)
        places, heights = (x.cpu().numpy().astype(np.float64) for x in self.read_maps(maps))
        places = places * factors(self.out, (maps.shape[2], maps.shape[3]), self.config.heatmaps)
        return [
            _pose(moved(places[i], inverse(way)), heights[i], region, box)
            for i, (way, region, (_, box)) in enumerate(zip(ways, regions, figures, strict=True))
        ]

    def maps(self, images: Tensor) -> Tensor:
        """Heatmaps (B, K, H/4, W/4) of what was cut out, (B, 3, H, W) in [0, 1]."""
        maps: Tensor = self.network(images)
        if not self.flip:
            return maps
        return (maps + mirrored(self.network(images.flip(3)), PAIRS, self.config.heatmaps)) / 2


def _pose(joints: Floats, heights: NDArray[np.float64], region: Region, box: Box) -> FoundPose:
    scores = heights.clip(0, 1)
    sure = scores[scores > CERTAIN]
    return FoundPose(
        joints=joints,
        scores=scores,
        score=float(sure.mean()) if len(sure) else 0.0,
        box=box,
        area=region.size[0] * region.size[1],
    )


def check_box(box: Sequence[float], pixels: Pixels) -> None:
    """Checks that a box holds something of a picture (h, w, 3).

    Raises:
        OptionError: it does not.
    """
    left, top, width, height = box
    if not np.isfinite(box).all():
        raise OptionError(f"a box of {width:g} x {height:g} pixels at {left:g},{top:g}: wanted are four finite numbers")
    if width <= 0 or height <= 0:
        raise OptionError(f"a box of {width:g} x {height:g} pixels is empty; it is left, top, width, height")
    if left >= pixels.shape[1] or top >= pixels.shape[0] or left + width <= 0 or top + height <= 0:
        raise OptionError(
            f"the box {left:g},{top:g},{width:g},{height:g} lies outside the picture of"
            f" {pixels.shape[1]} x {pixels.shape[0]} pixels"
        )
