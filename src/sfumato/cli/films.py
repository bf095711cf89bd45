"""Films among the pictures of a command."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import batch, flags, inputs
from .console import Console

if TYPE_CHECKING:
    from ..options import Options
    from ..translate import Translator
    from ..video import Pixels


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How one film is drawn."""

    draw: "Callable[[Pixels], Pixels]"
    """The next frame to its result."""
    check: Callable[[], object] | None = None
    """Called after the last frame; where it raises, no result is left."""
    remark: Callable[[], str] = str
    """What is to be said of it when it is done; perhaps nothing."""


def add(made: flags.Parser) -> None:
    """The options that films have."""
    text = "Of films: keep so much of the frame before where the film shows the same, 0 to 0.9 (default: 0)"
    made.add_argument_group("films").add_argument("--smooth", type=float, default=0.0, metavar="X", help=text)


def apart(names: Sequence[str], console: Console) -> tuple[list[Path], list[str]]:
    """The films that were named or match a pattern, and all else; those in folders are left out, and told.

    Raises:
        PictureError: a name means nothing.
    """
    from ..video import ENDINGS

    films, others = list[Path](), list[str]()
    for name in names:
        found = inputs.matches(name)
        moving = [path for path in found if path.suffix.lower() in ENDINGS and path.is_file()]
        films += moving
        others += [str(path) for path in found if path not in moving] if moving else [name]
        for folder in (path for path in found if path.is_dir()):
            inside = [path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS]
            if inside:
                pattern = folder / f"*{inside[0].suffix}"
                console.warn(f"{folder}: holds films, {len(inside)}, that are left out; name them, as '{pattern}'")
    return films, others


def plan(films: Sequence[Path], ending: str, given: argparse.Namespace, console: Console) -> list[inputs.Job]:
    """Where each result goes.

    Args:
        ending: what the names of results end in.
        given: `out`, `shard`, `smooth` and `overwrite` of it.

    Raises:
        OptionError: a name will not do, or PyAV is missing.
    """
    from .. import video

    jobs = inputs.plan([inputs.Photo(path=film) for film in films], ending, given.out, suffix=".mp4")
    if given.shard:
        jobs = batch.shard(jobs, given.shard)
    for job in jobs:
        video.check(job.output)
    video.smoothed(lambda pixels: pixels, given.smooth)  # says what is wrong with the number
    return jobs if given.overwrite else batch.missing(jobs, console)


def translating(translator: "Translator", options: "Options", smooth: float) -> "Callable[[Pixels], Pixels]":
    """What draws the frames of one film by a model, each by itself but for the smoothing."""
    import numpy as np

    from .. import video
    from ..image import from_any
    from ..image.depth import to_8

    def draw(pixels: "Pixels") -> "Pixels":
        return to_8(translator.translate_picture(from_any(np.ascontiguousarray(pixels)), options=options).pixels)

    return video.smoothed(draw, smooth)


def run(jobs: Sequence[inputs.Job], drawing: Callable[[inputs.Job], Drawing], console: Console) -> int:
    """Draws the films anew; returns the exit code.

    Args:
        drawing: gives how one film is drawn.

    Raises:
        PictureError: there is only one film, and it cannot be read or `check` of its drawing says so.
    """
    from .. import video
    from ..progress import Progress

    def one(job: inputs.Job, label: str) -> None:
        own = drawing(job)
        with Progress("frames", label=label, quiet=console.quiet) as progress:
            made = video.translate(job.photo, job.output, own.draw, progress=progress, ended=own.check)
        if made.problem:
            console.warn(f"{job.photo}: {made.problem}")
        sound = "with" if made.sound else "without"
        console.say(f"{job.output}: {made.frames:,} frames, {sound} sound{own.remark()}")

    return batch.each(jobs, console, one)
