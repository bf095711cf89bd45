"""`sfumato translate`: pictures by a generator that was trained on two folders."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OptionError, PictureError
from ..progress import Progress
from . import batch, files, films, flags, inputs
from .console import Console
from .source import Field
from .stylize import OUT_HELP, add_limit, add_precision, shared_fields

if TYPE_CHECKING:
    from ..options import Options
    from ..translate import Translator

SUMMARY = "turn pictures into another kind, by a model of two folders"
OFFERED = ("strength", "keep_colors", "size", "draw_size")
"""The options that make sense without a style."""


def fields() -> list[Field]:
    """The options of the command that are fields of `Options`."""
    return [field for field in shared_fields() if field.name in OFFERED]


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "translate",
        "Turns pictures into what a model has learned: photographs of faces into painted ones, say. Without -o\n"
        "the result is PICTURE-MODEL.png beside the picture, with class and seed if they are chosen. Pictures whose\n"
        "result is there are left out, so that the same command goes on where it stopped. Size, transparency, colour\n"
        "profile and EXIF are kept.",
        [
            "translate face.jpg --model faces2kaokore",
            "translate photos/ --model run/cyclegan.selfie2anime/a2b.safetensors -o anime/",
            "translate film.mp4 --model faces2kaokore --smooth 0.6 -o painted.mp4",
            "translate photos/ --model mine.safetensors -o anime/ --shard 0/4",
            "translate sketch.png --model sketches.safetensors --label cat --seed 3",
        ],
    )
    made.usage = "sfumato translate PICTURE... --model MODEL [-o OUT] [options]"
    made.add_argument(
        "photos", nargs="*", metavar="PICTURE", help="Pictures, films, folders, or patterns such as '*.jpg'"
    )
    text = "A model by its name, see `sfumato models list`, or a file that a training wrote"
    made.add_argument("--model", metavar="NAME|FILE", help=text)
    made.add_argument("-o", "--out", metavar="OUT", help=OUT_HELP)
    made.add_argument("--format", default="png", metavar="EXT", help="Of results that are not named (default: png)")
    made.add_argument("--overwrite", action="store_true", help="Replace results that are there")
    made.add_argument("--shard", metavar="I/N", help="Only the I-th of N parts, I from 0: for several machines")
    add_limit(made.add_argument_group("pictures"))
    how = made.add_argument_group("how")
    flags.add(how, fields())
    text = "What the picture shall show, for a model that knows several classes; --seed chooses among its ideas"
    how.add_argument("--label", metavar="CLASS", help=text)
    text = "Work in parts of at most N x N pixels; 0: never (default: by the memory there is)"
    how.add_argument("--tile", type=int, metavar="N", help=text)
    add_precision(how)
    films.add(made)
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Translates all pictures and films; those that cannot be read are named at the end."""
    given = parser().parse_intermixed_args(words)
    if not given.photos:
        raise OptionError("which picture? sfumato translate PICTURE --model MODEL")
    if not given.model:
        raise OptionError("by which model? --model takes a name of `sfumato models list` or a .safetensors file")
    from ..options import Options

    options = flags.build(Options, flags.given(given, fields()))
    moving, names = films.apart(given.photos, console)
    if moving and names and given.out:
        raise OptionError("films and pictures together have no -o; give them by two commands")
    model = model_name(given.model)
    shows = films.plan(moving, model, given, console) if moving else []
    jobs = _plan(names, given, options, console) if names else []
    if not jobs and not shows:
        return 0
    translator = _translator(given)
    codes = [_pictures(jobs, translator, options, given, console)] if jobs else []
    if shows:

        def drawing(_job: inputs.Job) -> films.Drawing:
            return films.Drawing(draw=films.translating(translator, options, given.smooth))

        codes.append(films.run(shows, drawing, console))
    return max(codes)


def model_name(model: str) -> str:
    """What results are called after a model, given by name or file."""
    return Path(model).name.removesuffix(".safetensors")


def _plan(names: Sequence[str], given: argparse.Namespace, options: "Options", console: Console) -> list[inputs.Job]:
    """Results beside their pictures are named after the model, the class and the seed: another one replaces nothing."""
    photos = inputs.find_photos(names)
    suffix = "." + given.format.lower().lstrip(".")
    named = [model_name(given.model), given.label, given.seed]
    jobs = inputs.plan(photos, "-".join(str(part) for part in named if part), given.out, suffix=suffix)
    if given.shard:
        jobs = batch.shard(jobs, given.shard)
    if not given.overwrite:
        jobs = batch.missing(jobs, console)
    for job in jobs:
        _check_output(job, options, given.limit_mp)
    return jobs


def _pictures(
    jobs: Sequence[inputs.Job],
    translator: "Translator",
    options: "Options",
    given: argparse.Namespace,
    console: Console,
) -> int:
    from .. import image

    progress = Progress("px", quiet=console.quiet)

    def one(job: inputs.Job, label: str) -> None:
        picture = files.read(job.photo, console, limit_mp=given.limit_mp, label=label)
        picture = image.in_color(picture, keeps_grey=options.keep_colors == "luminance")
        progress.label = label
        progress.history.clear()  # the rate is that of this picture
        with progress:
            result = translator.translate_picture(picture, options=options, progress=progress)
        files.write(job.output, result, console, overwrite=given.overwrite)

    return batch.each(jobs, console, one)


def _check_output(job: inputs.Job, options: "Options", limit_mp: float) -> None:
    """Whether the result can be written, as far as that can be known before the work."""
    from .. import image

    try:
        height, width = image.size_of(job.photo)
    except PictureError:
        return  # its own turn tells
    size = (height, width) if options.size is None else image.scaled(height, width, options.size)
    image.check_output(job.output, size=size, overwrite=True, makes_folder=True)
    if options.size is not None:
        files.check_wanted(size, limit_mp)


def _translator(given: argparse.Namespace) -> "Translator":
    from .. import device
    from ..translate import Translator

    device.keep_memory()
    translator = Translator(given.model, given.tile, device=given.device, precision=given.precision)
    if translator.takes_style:
        raise OptionError(f"{given.model} takes a style: sfumato stylize PICTURE --style STYLE --model {given.model}")
    _choose(translator, given)
    return translator


def _choose(translator: "Translator", given: argparse.Namespace) -> None:
    """Tells a model that knows classes which is wanted."""
    from ..methods.base import ImageToImage

    model = translator.model
    assert isinstance(model, ImageToImage)
    if given.label is None and len(model.classes) > 1:
        raise OptionError(f"which class? --label takes one of {', '.join(model.classes)}")
    if given.label is not None or model.classes:
        model.choose(given.label or model.classes[0], given.seed or 0)
