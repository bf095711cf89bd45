"""A parser at work: a picture in, the parts of the persons in it out.

Shapes: H W pixels of the picture, h w of what the network is given, K parts.
"""

import math
import os
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import image
from ..data.faces import Face, detect
from ..device import DTYPES, autocast, pick, to_device
from ..errors import OptionError
from ..image import Box
from ..image.depth import to_8
from ..methods import segformer
from ..parts import HEAD
from ..translate.loading import loaded, named
from ..translate.precision import choose
from .finding import DEFAULT_MODEL
from .parts import Parts, mirrored
from .views import Floats, View, layers

Precision = Literal["auto", "fp32", "bf16"]

CELL = 4
"""Pixels for one cell of its logits."""
AROUND, AROUND_FACE = 1.5, 2.6
"""How much larger than a head, and than a face, its second look is."""
MOST_HEADS = 8
LEAST_HEAD = 0.002
"""Share of the picture from which something is a head."""
WORTH = 0.7
"""A second look sees at most this share of the picture's longer side: else the first was as near."""


class PartParser:
    """Finds the parts of persons by a model.

    Args:
        model: a model of `methods.segformer`, its name, or its file.
        device: `auto`, `cpu`, `cuda` ...
        precision: `auto` is bf16 where the device is faster with it and the model bears it.
        side: longest side, in pixels, at which a picture is looked at; None: that of the model. Its aspect is kept.
        flip: also look at the mirrored picture, and take the mean: slower, a little better.
        zoom: look at each head once more, from near: where a face is detected, or where the first look found a head.

    Attributes:
        name: the model's.
        names: what its parts are called.
        precision: what `auto` came to.
        side: as given, or the model's.
        flip: as given.
        zoom: likewise.

    Raises:
        WeightsError: there is no such model, or it is damaged.
        OptionError: it is no parser, there is no such device, or the side is too small.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | nn.Module = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: Precision = "auto",
        side: int | None = None,
        flip: bool = True,
        zoom: bool = False,
    ) -> None:
        if side is not None and side < 32:
            raise OptionError(f"side {side}: a picture needs at least 32 pixels to be parsed")
        self.device, self.name = pick(device), named(model)
        found = loaded(model, segformer.Model, "finds no parts; a model of the method segformer does")
        self.network = to_device(found, self.device)
        self.dtype = choose(self.network, self.device, precision)
        self.precision = next(name for name, kind in DTYPES.items() if kind == self.dtype)
        self.names = found.config.labels
        self.side, self.flip, self.zoom = side or found.config.side, flip, zoom
        self.mirrored = mirrored(self.names)

    def __call__(self, source: image.Source, faces: Sequence[Face] | None = None) -> Parts:
        """The parts of a picture, at its size.

        Args:
            source: anything that `image.from_any` takes; what is transparent is white.
            faces: those of the picture; None: they are detected where `zoom` needs them.

        Raises:
            PictureError: the picture cannot be read.
        """
        picture = image.from_any(source).compose_on_white()
        pixels = np.asarray(to_8(picture.pixels), np.uint8)
        size = pixels.shape[:2]
        views = [self.view(pixels, Box(0, 0, *size))]
        if self.zoom:
            faces = detect(pixels) if faces is None else faces
            views += [self.view(pixels, box) for box in self._heads(size, views[0], faces)]
        known = None if faces is None else tuple(faces)
        return Parts(labels=_best(views, size), names=self.names, soft=self._soft(views, size), faces=known)

    def view(self, pixels: NDArray[np.uint8], box: Box) -> View:
        """What the network says of a rectangle of a picture (H, W, 3)."""
        size = fitted(box.height, box.width, self.side)
        part = image.resize(image.from_any(np.ascontiguousarray(pixels[box.slices])), size=size)
        images = part.tensor().to(self.device)
        if self.flip:
            images = torch.cat((images, images.flip(3)))
        cells = (size[0] // CELL, size[1] // CELL)
        logits = self.logits(padded(images))[:, :, : cells[0], : cells[1]]
        if self.flip:
            logits = (logits[:1] + logits[1:].flip(3)[:, self.mirrored]) / 2
        return View(logits=logits[0].cpu().numpy(), box=box)

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """The network's logits (B, K, h/4, w/4) of pictures (B, 3, h, w) in [0, 1], float32."""
        with autocast(self.device, self.dtype):
            found: Tensor = self.network(images.contiguous(memory_format=torch.channels_last))
        return found.float()

    def _heads(self, size: tuple[int, int], whole: View, known: Sequence[Face]) -> list[Box]:
        """Where a second look is worth it: the rectangles about heads of a picture (H, W), the largest first."""
        wanted = [k for k, name in enumerate(self.names) if name in HEAD]
        if not wanted:
            return []
        there = np.isin(whole.logits.argmax(0), wanted).astype(np.uint8)
        factors = (size[1] / there.shape[1], size[0] / there.shape[0])
        faces = [about(face.box, AROUND_FACE, (1, 1), size) for face in known]
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(there, connectivity=8)
        seen = {0, *(int(number) for box in faces for number in np.unique(pieces[cells(box, factors)]))}
        large = [k for k in range(1, count) if k not in seen and stats[k, 4] >= LEAST_HEAD * there.size]
        heads = [about(stats[k, :4].tolist(), AROUND, factors, size) for k in large]
        boxes = sorted((*faces, *heads), key=lambda box: -box.height * box.width)
        return [box for box in boxes if max(box.height, box.width) <= WORTH * max(size)][:MOST_HEADS]

    def _soft(self, views: Sequence[View], size: tuple[int, int]) -> Floats:
        """How likely each part is (K, h, w), at the size at which the picture was looked at, or its own if smaller."""
        seen = fitted(*size, self.side)
        logits = np.stack(list(layers(views, size, (min(seen[0], size[0]), min(seen[1], size[1])))))
        raised = np.exp(logits - logits.max(0))
        return np.asarray(raised / raised.sum(0), np.float32)


def _best(views: Sequence[View], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The part of each pixel (H, W): one after the other, as a large picture has no room for all layers at once."""
    labels, highest = np.zeros(size, np.uint8), np.full(size, -np.inf, np.float32)
    for k, layer in enumerate(layers(views, size, size)):
        better = layer > highest
        labels[better] = k
        np.maximum(highest, layer, out=highest)
    return labels


def fitted(height: int, width: int, longest: int) -> tuple[int, int]:
    """The size at which a picture is looked at: of that longest side and the same shape, in whole cells."""
    scale = longest / max(height, width) / CELL
    return max(1, round(height * scale)) * CELL, max(1, round(width * scale)) * CELL


def padded(images: Tensor) -> Tensor:
    """Pictures (B, 3, h, w), continued to multiples of 32 by the colour that the network takes for nothing."""
    stride = segformer.Model.stride
    height, width = images.shape[2:]
    mean = images.new_tensor(segformer.MEAN)[:, None, None]
    return F.pad(images - mean, (0, -width % stride, 0, -height % stride)) + mean


def cells(box: Box, factors: tuple[float, float]) -> tuple[slice, slice]:
    """The index of the cells that a rectangle covers, of so many pixels across and down each."""
    across, down = factors
    columns = slice(int(box.left / across), math.ceil(box.right / across))
    return slice(int(box.top / down), math.ceil(box.bottom / down)), columns


def about(box: Sequence[float], around: float, factors: tuple[float, float], size: tuple[int, int]) -> Box:
    """The square about a head or face, within the picture (H, W).

    Args:
        box: left, top, width and height in cells.
        around: the square's side in lengths of the box.
        factors: pixels for a cell, across and down.
        size: (H, W).
    """
    left, top, width, height = box
    across, down = factors
    half = around / 2 * max(width * across, height * down)
    x, y = (left + width / 2) * across, (top + height / 2) * down
    first, last = (max(0, int(y - half)), max(0, int(x - half))), (round(y + half), round(x + half))
    return Box(*first, min(size[0], max(last[0], first[0] + 1)), min(size[1], max(last[1], first[1] + 1)))
