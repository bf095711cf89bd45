"""`sfumato evaluate`: how well a pose model does on a labelled set."""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DiskError, OptionError
from . import flags
from .console import Console
from .files import folder_of, path_of, write
from .pose import add_how

if TYPE_CHECKING:
    from ..pose import PoseReport

SUMMARY = "measure how well a model finds the poses of a labelled set"
REPORT, SHEET = "report.json", "sheet.jpg"


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "evaluate",
        "Compares the poses that a model finds with the labels of a set in COCO's format: average precision and\n"
        "recall by COCO's rules with an interval, and the share of correct keypoints of each kind. Writes\n"
        f"{REPORT} and {SHEET}, the figures found best and worst, to the folder of -o, in place of older ones.",
        [
            "evaluate run/pose.safetensors sketches/",
            "evaluate run/pose.safetensors coco/annotations/person_keypoints_val2017.json --pictures coco/val2017",
            "evaluate run/pose.safetensors drawings/ --boxes ink -o results/",
        ],
    )
    made.usage = "sfumato evaluate MODEL DATASET [-o FOLDER] [options]"
    made.add_argument("model", nargs="?", metavar="MODEL", help="A pose model by its name or file")
    text = "A folder with keypoints.json or annotations.json, or such a file"
    made.add_argument("dataset", nargs="?", metavar="DATASET", help=text)
    made.add_argument("-o", "--out", default=".", metavar="FOLDER", help="Where to write (default: here)")
    text = "Folder of the pictures (default: `images` beside the labels, or the labels' own)"
    made.add_argument("--pictures", default="", metavar="FOLDER", help=text)
    how = made.add_argument_group("how")
    text = "Where figures are looked for: in their labelled boxes, or where the ink is (default: labelled)"
    how.add_argument("--boxes", choices=("labelled", "ink"), default="labelled", help=text)
    add_how(how)
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Measures, prints and writes."""
    given = parser().parse_intermixed_args(words)
    if not given.model or not given.dataset:
        what = "which model?" if not given.model else "on which set?"
        raise OptionError(f"{what} sfumato evaluate MODEL DATASET")
    out = folder_of(given.out)
    from .. import image

    for name in (REPORT, SHEET):
        image.check_place(out / name, overwrite=True, makes_folder=True)
    report = _measured(given, console)
    for fault in report.left_out:
        console.warn(f"left out: {fault}")
    for line in lines(report):
        console.say(line)
    _write(out, report, console)
    return 0


def _measured(given: argparse.Namespace, console: Console) -> "PoseReport":
    from .. import device
    from ..pose import evaluate_pose
    from ..progress import Progress
    from .pose import estimator

    device.keep_memory()
    model = estimator(given)
    with Progress("figures", label="evaluate", quiet=console.quiet) as progress:
        return evaluate_pose(
            model, path_of(given.dataset), pictures=given.pictures, boxes=given.boxes, progress=progress
        )


def lines(report: "PoseReport") -> list[str]:
    """The figures of a report, one or two a line; n/a where a set has no such figures."""
    stats, low, high = report.precision.stats, report.precision.low, report.precision.high
    rows = [f"AP    {_shown(stats['AP'])}  ({_shown(low)} to {_shown(high)}, 95 % of sets drawn from these pictures)"]
    rows += [f"{name:5} {_shown(stats[name])}" for name in stats if name != "AP"]
    rows += [f"PCK   {_shown(report.mean_correct)}  (within a tenth of the figure's longer side)"]
    rows += [f"  {name:15} {_shown(value)}" for name, value in report.correct.items()]
    rows += [f"{len(report.scored)} figures, {report.seconds:.3g} s each; {_manner(report)}"]
    counts = (
        (len(report.not_found), "figures where no ink is found count as missed"),
        (report.legs_exchanged, "figures whose legs the drawing does not settle count in the other order"),
        (report.areas_of_boxes, "figures without an area are judged by that of their box, which is larger"),
    )
    return [*rows, *(f"{count} {text}" for count, text in counts if count)]


def _manner(report: "PoseReport") -> str:
    """How it was measured, in words."""
    manner = report.manner
    mirrored = "with" if manner.flip else "without"
    return f"{manner.boxes} boxes, {manner.decode}, {mirrored} the mirrored picture, {manner.precision}"


def _shown(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.3f}"


def _write(out: Path, report: "PoseReport", console: Console) -> None:
    from .. import image
    from ..weights import replacing

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(f"{out}: the folder cannot be made ({error.strerror or error})") from error
    with replacing(out / REPORT) as file:
        file.write((json.dumps(report.json(), indent=1, ensure_ascii=False) + "\n").encode())
    console.say(str(out / REPORT))
    write(out / SHEET, image.from_any(report.sheet()), console, overwrite=True)
