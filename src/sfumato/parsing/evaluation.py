"""How well a parser finds the parts of a labelled set, by two protocols side by side.

Shapes: H W pixels, K parts.
"""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from .. import device as devices
from .. import image
from ..data.folders import Pixels
from ..data.part_labels import Sets
from ..data.part_sets import Labelled, read_set
from ..errors import Cancelled, DataError, OptionError, PictureError
from ..methods import segformer
from ..metrics.parts import (
    PROTOCOLS,
    Agreement,
    Counts,
    Protocol,
    agreement,
    border_score,
    count,
    figures,
    interval,
    mean,
)
from ..parts import COLORS, EVERY, PARTS
from ..progress import Report
from ..train.products import command
from .parser import PartParser
from .parts import nearest

if TYPE_CHECKING:
    from PIL.Image import Image

BORDERS = ("hair", "face")
"""Parts whose borders are measured."""
SHOWN = 6
"""Pictures of a sheet's row,"""
THUMB = 220
"""and the longest side of each in pixels."""
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """A picture and how well its parts were found.

    Attributes:
        item: where it is.
        counts: places by protocol.
        borders: the scores of `BORDERS`; NaN where the label has no such part.
        seconds: that the parser took.
    """

    item: Labelled
    counts: Mapping[Protocol, Counts]
    borders: Mapping[str, float]
    seconds: float

    @property
    def mean_iou(self) -> float:
        """Of the parts of this picture alone, by the standard protocol."""
        return agreement([self.counts["standard"]]).mean_iou


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a parser was measured.

    Attributes:
        side: longest side, in pixels, at which pictures were looked at.
        flip: whether the mirrored picture was looked at, too.
        zoom: whether heads were looked at once more, from near.
        precision: number format of the network.
        command: the command line; empty where there was none.
    """

    side: int
    flip: bool
    zoom: bool
    precision: str
    command: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PartsReport:
    """How well a parser does on a set.

    Attributes:
        model: its name.
        dataset: the set.
        agreements: figures by protocol.
        intervals: of the mean IoU by protocol: what holds it in 95 of 100 sets drawn from these pictures.
        borders: the mean score of `BORDERS` over the pictures that have such a part, and its interval.
        scored: the pictures, the best first.
        left_out: what is wrong with those that are not among them.
        parser: what it was.
        manner: how it was measured.
        seconds: that the parser takes for a picture, on the mean.
        machine: what it was computed on.
    """

    model: str
    dataset: str
    agreements: Mapping[Protocol, Agreement]
    intervals: Mapping[Protocol, Interval]
    borders: Mapping[str, tuple[float, Interval]]
    scored: Sequence[Scored]
    left_out: Sequence[str]
    parser: PartParser
    manner: Manner
    seconds: float
    machine: str

    def json(self) -> dict[str, Any]:
        """All of it for a file; what is not a number is None."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "pictures": len(self.scored),
            **asdict(self.manner),
            **{protocol.replace(" ", "_"): self._figures(protocol) for protocol in PROTOCOLS},
            "borders": {
                part: {"f_score": _plain(value), "interval": [_plain(x) for x in between]}
                for part, (value, between) in self.borders.items()
            },
            "seconds": round(self.seconds, 4),
            "machine": self.machine,
            "by_picture": [{"file_name": s.item.picture.name, "mean_iou": _plain(s.mean_iou)} for s in self.scored],
            "left_out": list(self.left_out),
        }

    def _figures(self, protocol: Protocol) -> dict[str, Any]:
        found = self.agreements[protocol]
        return {
            "mean_iou": _plain(found.mean_iou),
            "mean_iou_interval": [_plain(x) for x in self.intervals[protocol]],
            "mean_accuracy": _plain(found.mean_accuracy),
            "overall_accuracy": _plain(found.overall),
            "iou": dict(zip(PARTS, map(_plain, found.iou), strict=True)),
            "accuracy": dict(zip(PARTS, map(_plain, found.accuracy), strict=True)),
        }

    def sheet(self) -> "Image":
        """The pictures parsed best and those parsed worst, what was found over each and below it the labels.

        Raises:
            PictureError, DataError: a picture can no longer be read.
        """
        known = [s for s in self.scored if not math.isnan(s.mean_iou)]  # at least one: `evaluate_parts` sees to it
        rows = [row for row in (known[:SHOWN], known[SHOWN:][-SHOWN:]) if row]
        pictures: list[Pixels] = []
        labels: list[str] = []
        for row in rows:
            pairs = [self._pair(s.item) for s in row]
            empty = [np.full((8, 8, 3), 255, np.uint8)] * (len(rows[0]) - len(row))
            for shown in zip(*pairs, strict=True):
                pictures += [*shown, *empty]
            labels += [f"{s.mean_iou:.2f}  {s.item.picture.name}" for s in row] + [""] * len(empty)
            labels += ["as labelled"] * len(row) + [""] * len(empty)
        value = self.agreements["standard"].mean_iou
        title = f"{self.model}: mean IoU {value:.3f}, the best and the worst pictures"
        return image.contact_sheet(pictures, columns=len(rows[0]), labels=labels, side=THUMB, title=title)

    def _pair(self, item: Labelled) -> tuple[Pixels, Pixels]:
        """A picture, small, with what is found over it, and with its labels."""
        pixels, sets = item.on_white()
        size = image.scaled(sets.shape[0], sets.shape[1], min(THUMB, max(sets.shape)))
        small = np.asarray(image.resize(image.from_any(pixels), size=size).pixels, np.uint8)
        seen, (first, known) = found_parts(self.parser, pixels), labelled(sets)
        found = painted(small, nearest(seen, size))
        label = painted(small, nearest(first, size), nearest(known.astype(np.uint8), size) > 0)
        return found, label


def evaluate_parts(
    model: str | os.PathLike[str] | nn.Module | PartParser,
    dataset: str | Path,
    *,
    device: str = "auto",
    progress: Report | None = None,
) -> PartsReport:
    """Compares the parts that a parser finds with the masks of a set.

    Args:
        model: a parser with settings of its own, or a model, its name or file.
        dataset: a folder with images and masks, or a file such as parts.toml (`data.part_sets`).
        device: where to compute.
        progress: called with the pictures done and their total; returning False stops.

    Raises:
        DataError: the set cannot be used, or no picture of it can be compared.
        WeightsError, OptionError: the model cannot be used.
        Cancelled: `progress` stopped it.
    """
    parser = model if isinstance(model, PartParser) else PartParser(model, device=device)
    found = read_set(dataset)
    scored, left_out = compare(parser, found.items, progress)
    if not scored:
        raise DataError(f"{found.root}: no picture can be used; the first: {left_out[0]}")
    if all(math.isnan(s.mean_iou) for s in scored):
        raise DataError(f"{found.root}: its masks say of no place what is there, so that nothing can be compared")
    order = sorted(scored, key=lambda s: -s.mean_iou if not math.isnan(s.mean_iou) else math.inf)
    return PartsReport(
        model=parser.name,
        dataset=found.root,
        agreements={protocol: agreement([s.counts[protocol] for s in scored]) for protocol in PROTOCOLS},
        intervals={protocol: _interval(scored, protocol) for protocol in PROTOCOLS},
        borders={part: _borders([s.borders[part] for s in scored]) for part in BORDERS},
        scored=order,
        left_out=[*(f"{path}: has no mask" for path in found.missing), *left_out],
        parser=parser,
        manner=Manner(
            side=parser.side,
            flip=parser.flip,
            zoom=parser.zoom,
            precision=parser.precision,
            command=command(sys.argv),
        ),
        seconds=float(np.mean([s.seconds for s in scored])),
        machine=devices.describe(parser.device),
    )


def compare(
    parser: PartParser, items: Sequence[Labelled], progress: Report | None = None
) -> tuple[list[Scored], list[str]]:
    """How well the parts of each picture that can be read are found, and what is wrong with the others.

    Raises:
        OptionError: the parser tells other parts.
        Cancelled: `progress` stopped it.
    """
    scored, left_out = list[Scored](), list[str]()
    for done, item in enumerate(items, 1):
        try:
            pixels, sets = item.on_white()
        except (PictureError, DataError) as error:
            left_out.append(str(error))
        else:
            start = time.perf_counter()
            parts = found_parts(parser, pixels)
            scored.append(score(item, parts, sets, time.perf_counter() - start))
        if progress and progress(done, len(items)) is False:
            raise Cancelled("stopped; nothing is kept of it")
    return scored, left_out


def score(item: Labelled, found: NDArray[np.uint8], sets: Sets, seconds: float) -> Scored:
    """Compares the numbers of what was found in a picture, in so many seconds, with its labels, both (H, W).

    Parts that the set's masks can never say alone could not be right and are not wrong either: they have no figure.
    """
    counts = {protocol: count(found, sets, len(PARTS), protocol) for protocol in PROTOCOLS}
    return Scored(
        item=item,
        counts={name: replace(counts[name], wrong=counts[name].wrong * item.labels.alone) for name in PROTOCOLS},
        borders={part: border_score(found, sets, PARTS.index(part)) for part in BORDERS},
        seconds=seconds,
    )


def found_parts(parser: PartParser, pixels: Pixels) -> NDArray[np.uint8]:
    """What a parser finds in a picture (H, W, 3): places in `PARTS`.

    Raises:
        OptionError: it tells other parts, or its file does not name them.
    """
    if strange := [name for name in parser.names if name not in PARTS]:
        told = f"{parser.name} tells {strange[0]!r}, which labels do not; they have {', '.join(PARTS)}"
        if tuple(parser.names) == segformer.unnamed(len(PARTS)):
            anew = "sfumato import segformer --file model=FILE --hint labels=parts -o OUT.safetensors"
            told = f"{told}; if its file means these, in this order, import it anew: {anew}"
        raise OptionError(told)
    places = np.array([PARTS.index(name) for name in parser.names], np.uint8)
    return places[parser(pixels).labels]


def painted(pixels: Pixels, parts: NDArray[np.uint8], shown: NDArray[np.bool_] | None = None) -> Pixels:
    """A picture (H, W, 3) with parts (H, W) over it in their colours, where `shown` (H, W) is true, if it is given."""
    colors = np.array(COLORS, np.float32)[parts]
    mixed = np.rint(0.4 * pixels + 0.6 * colors).astype(np.uint8)
    return mixed if shown is None else np.where(shown[..., None], mixed, pixels)


def labelled(sets: Sets) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The first part that each place (H, W) may be, and where something is known."""
    lowest = np.log2(np.maximum(sets & -sets, 1)).astype(np.uint8)
    return lowest, sets != EVERY


def _interval(scored: Sequence[Scored], protocol: Protocol) -> Interval:
    rows, pictures = np.stack([s.counts[protocol].row for s in scored]), len(scored)
    return interval(lambda drawn: figures(np.bincount(drawn, minlength=pictures) @ rows).mean_iou, pictures)


def _borders(values: Sequence[float]) -> tuple[float, Interval]:
    known = np.array([value for value in values if not math.isnan(value)])
    if not len(known):
        return math.nan, (math.nan, math.nan)
    return mean(known), interval(lambda drawn: float(known[drawn].mean()), len(known))


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 5)
