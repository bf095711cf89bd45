"""`sfumato colorize`: sketches painted in the colours of a picture."""

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import OptionError, PictureError, WeightsError
from ..progress import during
from . import batch, files, flags, inputs
from .console import Console
from .source import Field, fields
from .stylize import OUT_HELP, add_existing, add_limit, refuse_existing

if TYPE_CHECKING:
    from ..nets.points import Point
    from ..translate.colorist import Colorist, ColorOptions

SUMMARY = "paint sketches in the colours of a picture"
DEFAULT_MODEL = "colorize/faces"
POINT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*,\s*#([0-9a-fA-F]{6})\s*")
HINTS_HELP = "Colours at points of the sketch, in pixels from its left and top: 'x,y,#rrggbb; x,y,#rrggbb'"


def option_fields() -> list[Field]:
    """The options of the command that are fields of `ColorOptions`."""
    return fields("translate/colorist.py", "ColorOptions")


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "colorize",
        "Paints line drawings on white paper in the colours of a picture. Without -o the result is\n"
        "SKETCH-STYLE.png beside the sketch; nothing that exists is replaced. Size, transparency and the sketch's own\n"
        "lines stay.",
        [
            "colorize sketch.png --style painting.jpg",
            "colorize sketch.png --style painting.jpg --hints '120,80,#c02020; 200,310,#3050a0' -o out.png",
            "colorize sketches/ --style painting.jpg -o colored/ --model mine.safetensors",
        ],
    )
    made.usage = "sfumato colorize SKETCH... --style PICTURE [-o OUT] [options]"
    made.add_argument("sketches", nargs="*", metavar="SKETCH", help="Pictures, folders, or patterns such as '*.png'")
    made.add_argument("--style", metavar="PICTURE", help="The picture whose colours are taken")
    made.add_argument("-o", "--out", metavar="OUT", help=OUT_HELP)
    made.add_argument("--format", default="png", metavar="EXT", help="Of results that are not named (default: png)")
    add_existing(made)
    add_limit(made.add_argument_group("pictures"))
    how = made.add_argument_group("how")
    text = f"A model by its name or a file that a training of style2paints wrote (default: {DEFAULT_MODEL})"
    how.add_argument("--model", metavar="NAME|FILE", help=text)
    how.add_argument("--hints", metavar="POINTS", help=HINTS_HELP)
    flags.add(how, option_fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Paints all sketches; those that cannot be read are named at the end."""
    given = parser().parse_intermixed_args(words)
    if not given.sketches:
        raise OptionError("which sketch? sfumato colorize SKETCH --style PICTURE")
    if not given.style:
        raise OptionError("in whose colours? Name a picture: --style PICTURE")
    points = points_of(given.hints or "")
    style = inputs.find_files([given.style])
    if len(style) > 1:
        raise OptionError(f"--style {given.style} are {len(style)} pictures; name one")
    photos, suffix = inputs.find_photos(given.sketches), "." + given.format.lower().lstrip(".")
    jobs = inputs.plan(photos, inputs.ending_of(style), given.out, suffix=suffix, keep=style)
    if points and len(jobs) > 1:
        raise OptionError(f"--hints are places in one sketch, not in {len(jobs)}")
    from ..translate.colorist import ColorOptions

    options = flags.build(ColorOptions, flags.given(given, option_fields()))
    if given.skip_existing:
        jobs = batch.missing(jobs, console)
    for job in jobs:
        _check_output(job, given)
    return _paint(jobs, _colorist(given), given, options, points, console) if jobs else 0


def points_of(text: str) -> "list[Point]":
    """The points of a text such as `120,80,#c02020; 7,9,#ffffff`.

    Raises:
        OptionError: it is none.
    """
    found = []
    for part in (part for part in text.split(";") if part.strip()):
        match = POINT.fullmatch(part)
        if match is None:
            raise OptionError(f"--hints {part.strip()}: wants x,y,#rrggbb, with ; between several")
        from ..nets.points import Point

        x, y, digits = match.groups()
        red, green, blue = bytes.fromhex(digits)
        found.append(Point(x=float(x), y=float(y), color=(red, green, blue)))
    return found


def _paint(
    jobs: Sequence[inputs.Job],
    colorist: "Colorist",
    given: argparse.Namespace,
    options: "ColorOptions",
    points: "Sequence[Point]",
    console: Console,
) -> int:
    from .. import image

    style = files.read(inputs.find_files([given.style])[0], console, limit_mp=given.limit_mp)

    def one(job: inputs.Job, label: str) -> None:
        picture = files.read(job.photo, console, limit_mp=given.limit_mp, label=label)
        with during(f"painting {label}", quiet=console.quiet):
            result = colorist(image.in_color(picture), style, options, points=points)
        files.write(job.output, result, console, overwrite=given.overwrite)

    return batch.each(jobs, console, one)


def _check_output(job: inputs.Job, given: argparse.Namespace) -> None:
    """Whether the result can be written, as far as that can be known before the work."""
    from .. import image

    try:
        size = image.size_of(job.photo)
    except PictureError:
        size = None  # its own turn tells
    image.check_output(job.output, size=size, overwrite=True, makes_folder=True)
    if not given.overwrite:
        refuse_existing(job)


def _colorist(given: argparse.Namespace) -> "Colorist":
    from .. import device, zoo
    from ..translate.colorist import Colorist

    device.keep_memory()
    model = given.model or DEFAULT_MODEL
    if given.model is None and DEFAULT_MODEL not in {entry.name for entry in zoo.available()}:
        ways = "train one by `sfumato train style2paints.faces --data.images DRAWINGS` and name it: --model FILE"
        raise WeightsError(f"the model {DEFAULT_MODEL} is not here; {ways}")
    return Colorist(model, device=given.device)
