"""How well a model finds the poses of a labelled set.

Shapes: N figures, K = 17 keypoints.
"""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import nn

from .. import device as devices
from .. import image
from ..data.keypoints import KEYPOINTS, Figure, read_set, swapped
from ..data.person_crop import Floats, Pixels
from ..data.poses import is_usable
from ..data.skeletons import drawn
from ..errors import Cancelled, DataError, PictureError
from ..image.depth import to_8
from ..metrics.oks import DRAWS, Precision, average_precision, correct_keypoints, similarity, suppressed
from ..progress import Report
from ..train.products import command
from .estimator import CERTAIN, CHUNK, Box, FoundPose, PoseEstimator
from .ink import figure_box

if TYPE_CHECKING:
    from PIL.Image import Image

Boxes = Literal["labelled", "ink"]
Compared = tuple[Figure, FoundPose | None]
"""A labelled figure and what was found of it; None where no ink was."""

NEAR = 0.1
"""Share of a figure's longer side within which a keypoint is correct."""
ALIKE = 0.9
"""Similarity above which the worse of two figures in a picture is left out."""
LEGS = slice(11, 17)
UNSETTLED = "legs_left_right_uncertain"
"""The attribute of a figure whose drawing does not settle which leg is which: the nearer order counts."""
SHOWN = 6
"""Figures of a sheet's row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """A figure, what was found, and how near that is: the similarity in [0, 1], 0 where nothing was."""

    figure: Figure
    pose: FoundPose | None
    oks: float


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a model was measured.

    Attributes:
        boxes: where figures were looked for: `labelled`, or `ink`.
        decode: how places were read from maps: `dark` or `quarter`.
        flip: whether the mirrored picture was looked at, too.
        precision: number format of the network.
        command: the command line; empty where there was none.
    """

    boxes: Boxes
    decode: str
    flip: bool
    precision: str
    command: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PoseReport:
    """How well a model does on a set.

    Attributes:
        model: its name.
        dataset: the file of labels.
        precision: average precision and recall, by COCO's rules.
        correct: the share of keypoints within a tenth of a figure's longer side, by name; NaN where none is labelled.
        scored: the figures that were compared, the best first.
        left_out: what is wrong with pictures and labels that are not.
        manner: how.
        legs_exchanged: figures whose drawing does not settle which leg is which, and that count in the other order.
        areas_of_boxes: figures without an area, judged by that of their box, which is larger.
        seconds: of a figure, on the mean.
        machine: what it was computed on.
    """

    model: str
    dataset: str
    precision: Precision
    correct: Mapping[str, float]
    scored: Sequence[Scored]
    left_out: Sequence[str]
    manner: Manner
    legs_exchanged: int
    areas_of_boxes: int
    seconds: float
    machine: str

    @property
    def mean_correct(self) -> float:
        """The mean over the keypoints that are labelled somewhere."""
        return mean(self.correct)

    @property
    def not_found(self) -> list[str]:
        """The pictures of figures of which nothing was found."""
        return [s.figure.path.name for s in self.scored if s.pose is None]

    def json(self) -> dict[str, Any]:
        """All of it for a file; what is not a number is None."""
        stats = {name: _plain(value) for name, value in self.precision.stats.items()}
        return {
            "model": self.model,
            "dataset": self.dataset,
            "figures": len(self.scored),
            **asdict(self.manner),
            "not_found": self.not_found,
            "legs_exchanged": self.legs_exchanged,
            "areas_of_boxes": self.areas_of_boxes,
            **stats,
            "AP_interval": [_plain(self.precision.low), _plain(self.precision.high)],
            f"PCK@{NEAR:g}": _plain(self.mean_correct),
            "PCK": {name: _plain(value) for name, value in self.correct.items()},
            "seconds": round(self.seconds, 4),
            "machine": self.machine,
            "by_figure": [{"file_name": s.figure.path.name, "oks": _plain(s.oks)} for s in self.scored],
            "left_out": list(self.left_out),
        }

    def sheet(self) -> "Image":
        """The figures found best and those found worst, each with its skeleton.

        Raises:
            PictureError: a picture can no longer be read.
        """
        known = [s for s in self.scored if not math.isnan(s.oks)]
        best, worst = known[:SHOWN], known[SHOWN:][-SHOWN:]
        shown = [*best, *worst]
        pictures = [_about(_with_skeleton(_read(s.figure.path), s.pose), s.figure) for s in shown]
        labels = [f"{s.oks:.2f}  {s.figure.path.name}" for s in shown]
        title = f"{self.model}: AP {self.precision.stats['AP']:.3f}, the best and the worst by similarity"
        return image.contact_sheet(pictures, columns=SHOWN, labels=labels, side=220, title=title)


def evaluate_pose(
    model: str | os.PathLike[str] | nn.Module | PoseEstimator,
    dataset: str | Path,
    *,
    pictures: str | Path = "",
    boxes: Boxes = "labelled",
    device: str = "auto",
    progress: Report | None = None,
) -> PoseReport:
    """Compares what a model finds with the labels of a set.

    Args:
        model: a pose model, its name or file, or an estimator with settings of its own.
        dataset: a folder with keypoints.json or annotations.json, or such a file.
        pictures: the folder of its pictures, if they are not beside the labels.
        boxes: where figures are looked for: in their labelled boxes, or, as without labels, where the ink is.
        device: where to compute.
        progress: called with the figures done and their total; returning False stops.

    Raises:
        DataError: the set cannot be used, or no figure of it can be compared.
        WeightsError, OptionError: the model cannot be used.
        Cancelled: `progress` stopped it.
    """
    estimator = model if isinstance(model, PoseEstimator) else PoseEstimator(model, device=device)
    found = read_set(dataset, pictures)
    figures = [f for f in found.figures if is_usable(f)]
    if not figures:
        raise DataError(f"{found.file}: none of its {len(found.figures)} figures has a box and labelled keypoints")
    start = time.perf_counter()
    compared, left_out = compare(estimator, figures, boxes, progress)
    if not compared:
        raise DataError(f"{found.file}: no picture can be used; the first: {left_out[0]}")
    seconds = (time.perf_counter() - start) / len(compared)
    scored = [
        Scored(figure=f, pose=p, oks=similarity(p.joints, labels_of(f), f.area) if p else 0.0) for f, p in compared
    ]
    read = {figure.path for figure, _ in compared}
    crowds = [f for f in found.figures if f.path in read and not is_usable(f)]
    given = set(map(id, figures))
    return PoseReport(
        model=estimator.name,
        dataset=str(found.file),
        precision=precision(compared, crowds),
        correct=correct(compared),
        scored=sorted(scored, key=lambda s: -s.oks),
        left_out=[*(f"{name}: is missing" for name in found.missing), *left_out, *_empty(crowds)],
        manner=Manner(
            boxes=boxes,
            decode=estimator.decode,
            flip=estimator.flip,
            precision=estimator.precision,
            command=command(sys.argv),
        ),
        legs_exchanged=sum(id(f) not in given for f, _ in compared),
        areas_of_boxes=sum(f.area_of_box for f, _ in compared),
        seconds=seconds,
        machine=devices.describe(estimator.device),
    )


def compare(
    estimator: PoseEstimator, figures: Sequence[Figure], boxes: Boxes = "labelled", progress: Report | None = None
) -> tuple[list[Compared], list[str]]:
    """What is found of each figure whose picture can be read, and what is wrong with the others' pictures.

    Args:
        estimator: finds poses.
        figures: labelled ones; where a drawing does not settle its legs, they come back in the nearer order.
        boxes: as of `evaluate_pose`.
        progress: likewise.

    Raises:
        Cancelled: `progress` stopped it.
    """
    rank = {path: place for place, path in enumerate(dict.fromkeys(figure.path for figure in figures))}
    ordered = sorted(figures, key=lambda figure: rank[figure.path])  # those of a picture beside each other
    compared, left_out, sheets = list[Compared](), list[str](), dict[Path, Pixels]()
    for first in range(0, len(ordered), CHUNK):
        chunk = ordered[first : first + CHUNK]
        before, sheets = sheets, {}
        for path in dict.fromkeys(figure.path for figure in chunk):
            try:
                sheets[path] = before[path] if path in before else _read(path)
            except PictureError as error:
                left_out.append(str(error))
        compared += _compared(estimator, [(f, sheets[f.path]) for f in chunk if f.path in sheets], boxes)
        if progress and progress(first + len(chunk), len(ordered)) is False:
            raise Cancelled("stopped; nothing is kept of it")
    return compared, list(dict.fromkeys(left_out))


def _compared(estimator: PoseEstimator, figures: Sequence[tuple[Figure, Pixels]], boxes: Boxes) -> list[Compared]:
    """Figures in their pictures with what is found of them, all looked at together."""
    places = [f.box if boxes == "labelled" else _inked(pixels, f.path) for f, pixels in figures]
    wanted = [(pixels, box) for (_, pixels), box in zip(figures, places, strict=True) if box]
    poses = iter(estimator.many(wanted))
    found = [next(poses) if box else None for box in places]
    return [(settled(f, pose) if pose else f, pose) for (f, _), pose in zip(figures, found, strict=True)]


def _inked(pixels: Pixels, path: Path) -> Box | None:
    """Where a figure is drawn; None where no ink is: a figure that is not found, no picture that is no good."""
    try:
        return figure_box(pixels, str(path))
    except PictureError:
        return None


def settled(figure: Figure, pose: FoundPose) -> Figure:
    """The figure, its legs exchanged if the drawing does not settle them and the pose is nearer so."""
    if not figure.attributes.get(UNSETTLED):
        return figure
    joints, visible = figure.joints.copy(), figure.visible.copy()
    joints[LEGS], visible[LEGS] = swapped(joints)[LEGS], swapped(visible)[LEGS]
    other = replace(figure, joints=joints, visible=visible)
    ours, theirs = (similarity(pose.joints, labels_of(f), f.area) for f in (figure, other))
    return other if theirs > ours else figure


def labels_of(figure: Figure) -> Floats:
    """The labelled keypoints (K, 3): x, y and 2, 1 or 0 as in COCO."""
    return np.concatenate((figure.joints, figure.visible[:, None].astype(np.float64)), axis=1)


def precision(compared: Sequence[Compared], crowds: Sequence[Figure] = (), *, draws: int = DRAWS) -> Precision:
    """Average precision by COCO's rules.

    Args:
        compared: figures with what was found.
        crowds: figures in the same pictures that may be found or not, such as one whose box is empty.
        draws: of the interval; 0 makes none.
    """
    labelled = [*((figure, False) for figure, _ in compared), *((f, bool((f.visible > 0).any())) for f in crowds)]
    images = sorted({figure.image for figure, _ in labelled})
    truth = [
        {
            "image_id": f.image,
            "keypoints": labels_of(f).ravel().tolist(),
            "area": f.area,
            "bbox": list(f.box),
            "iscrowd": int(f.crowd or open_to_both),
        }
        for f, open_to_both in labelled
    ]
    return average_precision(images, truth, results(compared), draws=draws)


def correct(compared: Sequence[Compared]) -> dict[str, float]:
    """The share of keypoints within a tenth of a figure's longer side, by name; NaN where none is labelled.

    Those of a figure that is not found are not.
    """
    nowhere = np.full((len(KEYPOINTS), 2), np.inf)
    labelled = np.stack([labels_of(figure) for figure, _ in compared])
    sides = np.array([max(figure.box[2:]) for figure, _ in compared])
    shares = correct_keypoints(
        np.stack([pose.joints if pose else nowhere for _, pose in compared]), labelled, sides, NEAR
    )
    return dict(zip(KEYPOINTS, map(float, shares), strict=True))


def mean(shares: Mapping[str, float]) -> float:
    """The mean over the keypoints that are labelled somewhere."""
    known = [value for value in shares.values() if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def results(found: Sequence[Compared]) -> list[dict[str, Any]]:
    """COCO's results; of figures nearly alike in a picture only the best."""
    by_image: dict[int, list[FoundPose]] = {}
    for figure, pose in found:
        if pose:
            by_image.setdefault(figure.image, []).append(pose)
    made = []
    for number, poses in by_image.items():
        joints, areas = np.stack([p.joints for p in poses]), np.array([p.area for p in poses])
        kept = suppressed(joints, np.array([p.score for p in poses]), areas, ALIKE)
        made += [poses[i].coco(number) for i in kept]
    return made


def _empty(crowds: Sequence[Figure]) -> list[str]:
    """What is wrong with figures that have keypoints and are no crowd."""
    wrong = [f for f in crowds if not f.crowd and (f.visible > 0).any()]
    return [f"{f.path.name}: the box of a figure is empty ({f.box[2]:g} x {f.box[3]:g} pixels)" for f in wrong]


def _read(path: Path) -> Pixels:
    pixels: NDArray[np.uint8] = to_8(image.read(path).compose_on_white().pixels)
    return pixels


def _with_skeleton(pixels: Pixels, pose: FoundPose | None) -> Pixels:
    return drawn(pixels, pose.joints, pose.scores >= CERTAIN) if pose else pixels


def _about(pixels: Pixels, figure: Figure) -> Pixels:
    """The figure's part of its picture, with some of what is around it."""
    left, top, width, height = figure.box
    margin = 0.1 * max(width, height)
    rows = slice(max(0, round(top - margin)), max(1, round(top + height + margin)))
    return pixels[rows, max(0, round(left - margin)) : max(1, round(left + width + margin))]


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 5)
