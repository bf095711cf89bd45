"""`sfumato evaluate`: how well a model finds poses or parts on a labelled set."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DiskError, OptionError
from . import figures, flags
from .console import Console
from .files import folder_of, path_of, write
from .pose import add_decode, add_view

if TYPE_CHECKING:
    from ..parsing import PartsReport
    from ..pose import PoseReport

SUMMARY = "measure how well a model finds the poses or the parts of a labelled set"
REPORT, SHEET = "report.json", "sheet.jpg"


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "evaluate",
        "Compares what a model finds with the labels of a set. Poses, in COCO's format: average precision and recall\n"
        "by COCO's rules with an interval, and the share of correct keypoints of each kind. Parts of persons, as\n"
        "masks: intersection over union by the standard protocol and, beside it, with the background ignored, and\n"
        f"how well borders are met. Writes {REPORT} and {SHEET}, the pictures done best and worst, to the folder of\n"
        "-o, in place of older ones.",
        [
            "evaluate run/pose.safetensors sketches/",
            "evaluate run/pose.safetensors coco/annotations/person_keypoints_val2017.json --pictures coco/val2017",
            "evaluate run/pose.safetensors drawings/ --boxes ink -o results/",
            "evaluate run/parser.safetensors people/parts.toml --zoom",
        ],
    )
    made.usage = "sfumato evaluate MODEL DATASET [-o FOLDER] [options]"
    made.add_argument("model", nargs="?", metavar="MODEL", help="A model by its name or file")
    text = "A folder with keypoints.json or annotations.json, or such a file; of parts a folder of images and masks"
    made.add_argument("dataset", nargs="?", metavar="DATASET", help=text)
    made.add_argument("-o", "--out", default=".", metavar="FOLDER", help="Where to write (default: here)")
    text = "Folder of the pictures of poses (default: `images` beside the labels, or the labels' own)"
    made.add_argument("--pictures", default="", metavar="FOLDER", help=text)
    how = made.add_argument_group("how, of poses and of parts")
    add_view(how)
    poses = made.add_argument_group("poses")
    text = "Where figures are looked for: in their labelled boxes, or where the ink is (default: labelled)"
    poses.add_argument("--boxes", choices=("labelled", "ink"), default="labelled", help=text)
    add_decode(poses)
    parts = made.add_argument_group("parts")
    text = "Longest side, in pixels, at which pictures are looked at (default: that of the model)"
    parts.add_argument("--side", type=int, metavar="N", help=text)
    parts.add_argument("--zoom", action="store_true", help="Look at heads once more, from near")
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Measures, prints and writes."""
    given = parser().parse_intermixed_args(words)
    if not given.model or not given.dataset:
        what = "which model?" if not given.model else "on which set?"
        raise OptionError(f"{what} sfumato evaluate MODEL DATASET")
    out = folder_of(given.out)
    from .. import image, zoo

    for name in (REPORT, SHEET):
        image.check_place(out / name, overwrite=True, makes_folder=True)
    if zoo.card(given.model).method == "segformer":
        report = _parts(given, console)
        _tell(out, report, figures.of_parts(report), console)
    else:
        found = _poses(given, console)
        _tell(out, found, figures.of_poses(found), console)
    return 0


def _poses(given: argparse.Namespace, console: Console) -> "PoseReport":
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


def _parts(given: argparse.Namespace, console: Console) -> "PartsReport":
    from .. import device
    from ..parsing import PartParser, evaluate_parts
    from ..progress import Progress

    device.keep_memory()
    parser = PartParser(
        given.model,
        device=given.device,
        precision=given.precision,
        side=given.side,
        flip=given.flip,
        zoom=given.zoom,
    )
    with Progress("pictures", label="evaluate", quiet=console.quiet) as progress:
        return evaluate_parts(parser, path_of(given.dataset), progress=progress)


def _tell(out: Path, report: "PoseReport | PartsReport", lines: Sequence[str], console: Console) -> None:
    """Prints what was measured, and writes it."""
    for fault in report.left_out:
        console.warn(f"left out: {fault}")
    for line in lines:
        console.say(line)
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
