"""`sfumato pose`: the keypoints of drawn figures."""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OptionError
from . import batch, files, flags, inputs
from .console import Console
from .files import path_of
from .stylize import OUT_HELP, add_limit

if TYPE_CHECKING:
    from ..image import Picture
    from ..pose import FoundPose, PoseEstimator

DEFAULT_MODEL = "hrnet/sketches"
SUMMARY = "find the pose of the figure in each picture"


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "pose",
        "Finds the 17 keypoints of the figure in each picture, one figure a picture, and draws its skeleton over it:\n"
        "the figure's left in orange, its right in blue. Without -o the result is PICTURE-pose.png beside the\n"
        "picture; with --json and without -o only the JSON file is written.",
        [
            "pose drawing.png",
            "pose drawings/ --json poses.json -o skeletons/",
            "pose drawing.png --box 120,40,300,520 --json pose.json",
            "pose drawing.png --model run/hrnet.sketches/pose.safetensors",
        ],
    )
    made.usage = "sfumato pose PICTURE... [--json OUT.json] [-o OUT] [options]"
    made.add_argument("photos", nargs="*", metavar="PICTURE", help="Pictures, folders, or patterns such as '*.png'")
    text = "Write the keypoints there: a list of COCO results, with file names"
    made.add_argument("--json", metavar="FILE", help=text)
    made.add_argument("-o", "--out", metavar="OUT", help=OUT_HELP)
    made.add_argument("--overwrite", action="store_true", help="Replace results that are there")
    add_limit(made)
    how = made.add_argument_group("how")
    text = f"A pose model, as `sfumato train hrnet.sketches` makes it (default: {DEFAULT_MODEL})"
    how.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME|FILE", help=text)
    text = "Where the figure is, in pixels (default: where the ink is)"
    how.add_argument("--box", metavar="LEFT,TOP,WIDTH,HEIGHT", help=text)
    add_decode(how)
    add_view(how)
    return flags.finish(made)


def add_decode(group: argparse._ArgumentGroup) -> None:
    """Adds the flag that tells how poses are read from maps."""
    text = "How a place is read from a map: quarter, as in the authors' tests, or dark, by a Gaussian (default: auto)"
    group.add_argument("--decode", choices=("auto", "dark", "quarter"), default="auto", help=text)


def add_view(group: argparse._ArgumentGroup) -> None:
    """Adds the flags that tell how a model looks at pictures."""
    text = "Look at the mirrored picture, too; half the time without (default: --flip)"
    group.add_argument("--flip", action=argparse.BooleanOptionalAction, default=True, help=text)
    text = "Number format of the network; auto is bf16 where the device is faster with it (default: auto)"
    group.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto", help=text)


def run(words: Sequence[str], console: Console) -> int:
    """Finds all poses; pictures that cannot be read are named at the end."""
    given = parser().parse_intermixed_args(words)
    if not given.photos:
        raise OptionError("which picture? sfumato pose PICTURE")
    box = _box(given.box)
    draws = bool(given.out) or not given.json
    photos = inputs.find_photos(given.photos)
    jobs, names = _jobs(photos, given, draws), _names(photos)
    target = _json_place(given)
    from .. import device
    from ..progress import Progress

    device.keep_memory()
    model, numbers = estimator(given), numbered(jobs)
    found: list[dict[str, Any]] = []

    def one(job: inputs.Job, label: str) -> None:
        picture = files.read(job.photo, console, limit_mp=given.limit_mp, label=label)
        pose = model(picture, box)
        more = {"bbox": [round(x, 2) for x in pose.box], "file_name": names[job.photo]}
        found.append(pose.coco(numbers[job.photo]) | more)
        if doubt := _doubt(pose):
            console.warn(f"{job.photo}: {doubt}; is there a figure in the box, all of it?")
        if draws:
            files.write(job.output, with_skeleton(picture, pose), console, overwrite=given.overwrite)

    try:
        with Progress("pictures", label="poses", quiet=console.quiet) as progress:
            return batch.each(jobs, console, one, progress)
    finally:  # what is found is kept, whatever ends the work
        if target is not None and found:
            _write_json(target, found)
            console.say(str(target))


def estimator(given: argparse.Namespace) -> "PoseEstimator":
    """The estimator that a command line asks for."""
    from ..pose import PoseEstimator

    return PoseEstimator(
        given.model, device=given.device, precision=given.precision, decode=given.decode, flip=given.flip
    )


def _names(photos: Sequence[inputs.Photo]) -> dict[Path, str]:
    """What pictures are called in the results: by their way below the named folder, if that tells them apart."""
    short = {photo.path: (photo.below / photo.path.name).as_posix() for photo in photos}
    count = Counter(short.values())
    return {path: name if count[name] == 1 else path.as_posix() for path, name in short.items()}


def _jobs(photos: Sequence[inputs.Photo], given: argparse.Namespace, draws: bool) -> list[inputs.Job]:
    if not draws:  # the pictures, and so their numbers, are those of a run that draws
        return [inputs.Job(photo=photo.path, output=photo.path) for photo in inputs.to_work_on(photos)]
    from .. import image

    jobs = inputs.plan(photos, "pose", given.out)
    for job in jobs:
        image.check_output(job.output, overwrite=given.overwrite, makes_folder=True)
    return jobs


def _json_place(given: argparse.Namespace) -> Path | None:
    """Where the keypoints go.

    Raises:
        OptionError, PictureError, DiskError: they cannot go there.
    """
    if not given.json:
        return None
    from .. import image

    path = path_of(given.json)
    if path.suffix.lower() in image.FORMATS:
        raise OptionError(f"--json {path}: is a list of keypoints, not a picture; call it .json")
    return image.check_place(path, overwrite=given.overwrite, makes_folder=True)


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        left, top, width, height = (float(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(f"--box {text}: wants left,top,width,height in pixels, such as 120,40,300,520") from error
    return left, top, width, height


def numbered(jobs: Sequence[inputs.Job]) -> dict[Path, int]:
    """The number of each picture in the results: its name where all names are numbers, as COCO's, else its place."""
    names = [job.photo.stem for job in jobs]
    known = all(name.isascii() and name.isdigit() for name in names) and len(set(map(int, names))) == len(names)
    return {job.photo: int(job.photo.stem) if known else place for place, job in enumerate(jobs, 1)}


def with_skeleton(picture: "Picture", pose: "FoundPose") -> "Picture":
    """The picture on white with the skeleton over it, 8 bits."""
    from .. import image
    from ..data.skeletons import drawn
    from ..image.depth import to_8
    from ..pose.estimator import CERTAIN

    return image.from_any(drawn(to_8(picture.compose_on_white().pixels), pose.joints, pose.scores >= CERTAIN))


def _doubt(pose: "FoundPose") -> str:
    """What to say of a pose of which less than half is certain."""
    from ..pose.estimator import CERTAIN

    certain, count = int((pose.scores >= CERTAIN).sum()), len(pose.scores)
    if 2 * certain >= count:
        return ""
    return f"only {certain} of the {count} keypoints are certain" if certain else "none of the keypoints is certain"


def _write_json(path: Path, found: Sequence[dict[str, Any]]) -> None:
    from ..weights import replacing

    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in found)
    with replacing(path) as file:
        file.write(f"[{rows}]\n".encode())
