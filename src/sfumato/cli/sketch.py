"""`sfumato sketch`: photographs as drawings of lines."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OptionError
from . import batch, files, flags, inputs, source
from .console import Console
from .files import path_of
from .stylize import OUT_HELP, add_limit

if TYPE_CHECKING:
    from ..data.sketches import Finder, Sketcher

SUMMARY = "turn photographs into drawings of lines"
STRIP_SIDE = 512
"""Longest side of a picture on the strip of stages, in pixels."""


def fields() -> list[source.Field]:
    """What can be chosen."""
    return source.fields("data/sketches.py", "Config")


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "sketch",
        "Turns photographs into black lines on white: edges are found, thinned, cleaned and drawn with a pen. Without\n"
        "-o the result is PICTURE-sketch.png beside the picture. Pictures whose result is there are left out, so that\n"
        "the same command goes on where it stopped. Size, transparency and EXIF are kept.",
        [
            "sketch photo.jpg -o sketch.png",
            "sketch photos/ -o sketches/ --shard 0/4",
            "sketch photo.jpg --threshold 0.25 --keep-grey --stages",
            "sketch photo.jpg --edges hed --hed-weights network-bsds500.pytorch",
        ],
    )
    made.usage = "sfumato sketch PICTURE... [-o OUT] [options]"
    made.add_argument("photos", nargs="*", metavar="PICTURE", help="Pictures, folders, or patterns such as '*.jpg'")
    made.add_argument("-o", "--out", metavar="OUT", help=OUT_HELP)
    made.add_argument("--format", default="png", metavar="EXT", help="Of results that are not named (default: png)")
    text = "Write all that is made on the way, too, side by side, as RESULT-stages.png"
    made.add_argument("--stages", action="store_true", help=text)
    made.add_argument("--overwrite", action="store_true", help="Replace results that are there")
    made.add_argument("--shard", metavar="I/N", help="Only the I-th of N parts, I from 0: for several machines")
    add_limit(made)
    edges = made.add_argument_group("edges")
    text = "What finds them: colour (default), hed, or a model's FILE.safetensors that makes pictures of lines"
    edges.add_argument("--edges", default="colour", metavar="KIND|FILE", help=text)
    text = "The weights for --edges hed: network-bsds500.pytorch of pytorch-hed"
    edges.add_argument("--hed-weights", metavar="FILE", help=text)
    flags.add(made.add_argument_group("lines"), fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Draws all pictures; those that cannot be read are named at the end."""
    given = parser().parse_intermixed_args(words)
    if not given.photos:
        raise OptionError("which picture? sfumato sketch PICTURE")
    _check_edges(given)
    from ..data.sketches import Config, Sketcher

    config = flags.build(Config, flags.given(given, fields()))
    jobs = _plan(given, console)
    if not jobs:
        return 0
    sketcher = Sketcher(config, _finder(given))
    return batch.each(jobs, console, lambda job, label: _draw(job, label, sketcher, given, console))


def _check_edges(given: argparse.Namespace) -> None:
    kind = given.edges
    if kind not in ("colour", "hed") and not kind.endswith(".safetensors"):
        raise OptionError(f"--edges {kind}: is none of colour, hed, or the .safetensors file of a model")
    if kind == "hed" and not given.hed_weights:
        raise OptionError("--edges hed needs --hed-weights FILE, which is network-bsds500.pytorch of pytorch-hed")
    if kind != "hed" and given.hed_weights:
        raise OptionError(f"--hed-weights is of no use with --edges {kind}; it goes with --edges hed")


def _plan(given: argparse.Namespace, console: Console) -> list[inputs.Job]:
    from .. import image

    suffix = "." + given.format.lower().lstrip(".")
    jobs = inputs.plan(inputs.find_photos(given.photos), "sketch", given.out, suffix=suffix)
    if given.stages:
        _check_strips(jobs)
    if given.shard:
        jobs = batch.shard(jobs, given.shard)
    if not given.overwrite:
        jobs = batch.missing(jobs, console, lambda job: _results(job, given))
    for job in jobs:
        image.check_output(job.output, overwrite=True, makes_folder=True)
    return jobs


def _results(job: inputs.Job, given: argparse.Namespace) -> list[Path]:
    """The files that are made of a picture."""
    return [strip_of(job.output), job.output] if given.stages else [job.output]


def _check_strips(jobs: Sequence[inputs.Job]) -> None:
    """No strip of stages replaces a picture that is read."""
    read = {files.identity(job.photo) for job in jobs}
    for strip in (strip_of(job.output) for job in jobs):
        if files.identity(strip) in read:
            raise OptionError(
                f"{strip}: the strip of stages would replace a picture that is read; give -o another name"
            )


def _finder(given: argparse.Namespace) -> "Finder | None":
    """What finds the edges; None for colours."""
    if given.edges == "colour":
        return None
    from ..device import pick

    if given.edges == "hed":
        from ..nets.hed import read_hed

        return read_hed(path_of(given.hed_weights), pick(given.device)).edges
    import numpy as np

    from ..data.sketches import lines_of
    from ..translate import Translator

    translator = Translator(path_of(given.edges), device=given.device)
    if translator.takes_style:
        raise OptionError(
            f"--edges {given.edges}: this model takes a style; wanted is one that makes pictures of lines"
        )
    return lambda pixels: lines_of(np.asarray(translator(pixels).convert("L"), np.uint8))


def _draw(job: inputs.Job, label: str, sketcher: "Sketcher", given: argparse.Namespace, console: Console) -> None:
    from .. import image
    from ..data.sketches import strip
    from ..image.depth import to_8
    from ..progress import during

    picture = files.read(job.photo, console, limit_mp=given.limit_mp, label=label)
    with during(f"drawing {label}", quiet=console.quiet):
        stages = sketcher.stages(to_8(picture.compose_on_white().pixels))
    alpha = None if picture.alpha is None else to_8(picture.alpha)
    mode, exif = "L" if alpha is None else "LA", picture.exif
    lines = image.Picture(pixels=stages["lines"][..., None].repeat(3, 2), alpha=alpha, mode=mode, exif=exif)
    for path in _results(job, given):
        if given.overwrite or not path.exists():  # one of the two may be there
            picture = lines if path == job.output else image.from_any(strip(stages, STRIP_SIDE))
            files.write(path, picture, console, overwrite=given.overwrite)


def strip_of(path: Path) -> Path:
    """Where the strip of stages of a result goes."""
    return path.with_name(f"{path.stem}-stages.png")
