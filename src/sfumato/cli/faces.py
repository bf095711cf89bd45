"""`sfumato faces`: faces found and cut out."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OptionError, PictureError
from ..progress import Progress
from . import batch, flags, inputs, source
from .console import Console
from .files import path_of, tell_list
from .stylize import add_limit

if TYPE_CHECKING:
    from ..data.face_report import Report

SUMMARY = "find faces in pictures and cut them out"


@dataclass(frozen=True, kw_only=True)
class Job(inputs.Job):
    """A picture and where its faces go: `output` without number and extension."""

    name: str
    """What the report calls the picture: its name, below the folder that it was found in."""


def fields() -> list[source.Field]:
    """What can be chosen."""
    return source.fields("data/faces.py", "Options")


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "faces",
        "Finds the faces in pictures, photographed, painted or drawn, and writes each as a square picture,\n"
        "OUT/PICTURE-1.png, with OUT/faces.json: boxes, scores, and the pictures without a face. Pictures that are\n"
        "done are left out, so that the same command goes on where it stopped.",
        [
            "faces photos/ -o faces/",
            "faces group.jpg -o faces/ --size 512 --score 0.8 --no-drawn",
            "faces paintings/ -o faces/ --largest --margin 0.4 --shard 0/4",
            "faces paintings/ -o faces/ --score 0.5 --no-face-list no_face.txt",
        ],
    )
    made.usage = "sfumato faces PICTURE... -o OUT [options]"
    made.add_argument("photos", nargs="*", metavar="PICTURE", help="Pictures, folders, or patterns such as '*.jpg'")
    made.add_argument("-o", "--out", required=True, metavar="OUT", help="The folder of the crops and of faces.json")
    made.add_argument("--format", default="png", metavar="EXT", help="Of the crops (default: png)")
    made.add_argument("--overwrite", action="store_true", help="Do all anew, and replace crops that are there")
    made.add_argument("--shard", metavar="I/N", help="Only the I-th of N parts, I from 0: for several machines")
    text = "Write the names of the pictures without a face, for --data.exclude of a training; an older list is replaced"
    made.add_argument("--no-face-list", metavar="FILE", help=text)
    add_limit(made)
    flags.add(made.add_argument_group("faces"), fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Cuts out the faces; pictures that cannot be read are named at the end."""
    given = parser().parse_intermixed_args(words)
    if not given.photos:
        raise OptionError("which pictures? sfumato faces PICTURE -o OUT")
    from .. import image
    from ..data.face_folder import Cutter, Task
    from ..data.face_report import Report
    from ..data.faces import Options

    options = flags.build(Options, flags.given(given, fields()))
    out, suffix = path_of(given.out), "." + given.format.lower().lstrip(".")
    image.check_output(out / f"face{suffix}", overwrite=True, makes_folder=True)
    names = _list_place(given.no_face_list) if given.no_face_list else None
    part = batch.part(given.shard) if given.shard else None
    report = Report(out, asdict(options) | {"format": suffix[1:]}, part=part, anew=given.overwrite)
    jobs = plan(inputs.find_photos(given.photos), out, report.files())
    kept = frozenset(os.path.realpath(job.photo) for job in jobs)
    if given.shard:
        jobs = batch.shard(jobs, given.shard)
    cutter = Cutter(
        folder=out,
        options=options,
        suffix=suffix,
        limit_mp=given.limit_mp,
        overwrite=given.overwrite,
        kept=kept,
    )
    tasks = [Task(picture=job.photo, name=job.name, target=job.output.as_posix()) for job in jobs]
    left = [task for task in tasks if not cutter.is_done(task, report)]
    if len(left) < len(tasks):
        console.note(f"{len(tasks) - len(left)} of {len(tasks)} pictures left out: their faces are there")
    with Progress("pictures", label="faces", quiet=console.quiet) as progress:
        for done, _ in enumerate(cutter.cut_all(left, report), 1):
            progress(done, len(left))
    if names is not None:
        _write_names(names, jobs, report, console)
    return _tell(jobs, report, console)


def _list_place(text: str) -> Path:
    """Where the list of the pictures without a face goes.

    Raises:
        OptionError, PictureError, DiskError: it cannot be written there, or would replace something else.
    """
    from .. import image
    from ..data import unwanted

    path = path_of(text)
    if path.suffix.lower() in image.FORMATS:
        raise OptionError(f"--no-face-list {path}: is a list of names, not a picture; call it .txt")
    unwanted.check_list(image.check_place(path, overwrite=True, makes_folder=True))
    return path


def _write_names(path: Path, jobs: Sequence[Job], report: "Report", console: Console) -> None:
    from ..data import unwanted

    without = set(report.without_face(job.name for job in jobs))
    lines, left = unwanted.lines(
        [job.photo for job in jobs if job.name in without], [job.photo for job in jobs if job.name not in without]
    )
    unwanted.write_list(path, f"{len(lines)} of {len(jobs)} pictures, in which no face was found", lines)
    tell_list(path, lines, left, console)


def plan(photos: Sequence[inputs.Photo], out: Path, crops: set[str]) -> list[Job]:
    """Where the faces of each picture go: PICTURE-1.png, or PICTURE.jpg-1.png where only extensions differ.

    Args:
        out: the folder of the crops; what was found in it, below a folder that was named, is not worked on.
        crops: files below `out` that an earlier run has made.

    Raises:
        OptionError: there is nothing to do, or two pictures would have the same crops.
    """
    made = {os.path.realpath(out / name) for name in crops}
    place = Path(os.path.realpath(out))
    photos = [photo for photo in photos if not _is_crop(photo, place, made)]
    if not photos:
        raise OptionError(f"-o {out}: all pictures that were found are in it, as crops of an earlier run")
    stems = Counter(str(photo.below / photo.path.stem).casefold() for photo in photos)
    jobs: dict[str, Job] = {}
    for photo in photos:
        alone = stems[str(photo.below / photo.path.stem).casefold()] == 1
        target = photo.below / (photo.path.stem if alone else photo.path.name)
        job = Job(photo=photo.path, output=target, name=(photo.below / photo.path.name).as_posix())
        if (other := jobs.setdefault(str(target).casefold(), job)) is not job:
            raise OptionError(f"{other.photo} and {job.photo} would both become {out / target}-1; do them one by one")
    return list(jobs.values())


def _is_crop(photo: inputs.Photo, place: Path, made: set[str]) -> bool:
    if photo.root is None:
        return False
    root, path = Path(os.path.realpath(photo.root)), os.path.realpath(photo.path)
    inside = place != root and place.is_relative_to(root)
    return path in made or (inside and Path(path).is_relative_to(place))


def _tell(jobs: Sequence[Job], report: "Report", console: Console) -> int:
    """Says what came of all pictures; returns the exit code."""
    names = [job.name for job in jobs]
    broken = [report.broken[name] for name in names if name in report.broken]
    if broken and len(jobs) == 1:
        raise PictureError(broken[0])
    found = [len(report.done[name].faces) for name in names if name in report.done]
    without = len(report.without_face(names))
    console.say(
        f"{report.path}: {sum(found):,} faces in {len(found) - without:,} pictures, {without:,} without a face"
        + (f", {len(broken):,} broken" if broken else "")
    )
    for text in broken:
        console.fail(text)
    if broken:
        console.fail(f"{len(broken)} of {len(jobs)} pictures could not be done")
    return 1 if broken else 0
