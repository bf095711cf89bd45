"""Films among the pictures of a command."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import batch, flags, inputs
from .console import Console
from .files import path_of

if TYPE_CHECKING:
    from ..translate import Translator
    from ..video import Pixels


def add(made: flags.Parser) -> None:
    """The options that films have."""
    text = "Of films: keep so much of the frame before where the film shows the same, 0 to 0.9 (default: 0)"
    made.add_argument_group("films").add_argument("--smooth", type=float, default=0.0, metavar="X", help=text)


def apart(names: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The films that were named, and all else."""
    from ..video import ENDINGS

    films = [name for name in names if path_of(name).suffix.lower() in ENDINGS and path_of(name).is_file()]
    return [path_of(name) for name in films], [name for name in names if name not in films]


def plan(films: Sequence[Path], given: argparse.Namespace, console: Console) -> list[inputs.Job]:
    """Where each result goes.

    Raises:
        OptionError: a name will not do, or PyAV is missing.
    """
    from .. import video

    ending = Path(given.model).name.removesuffix(".safetensors")
    jobs = inputs.plan([inputs.Photo(path=film) for film in films], ending, given.out, suffix=".mp4")
    for job in jobs:
        video.check(job.output)
    video.smoothed(lambda pixels: pixels, given.smooth)  # says what is wrong with the number
    return jobs if given.overwrite else batch.missing(jobs, console)


def run(jobs: Sequence[inputs.Job], translator: "Translator", options: Any, smooth: float, console: Console) -> int:
    """Translates the films; returns the exit code."""
    import numpy as np

    from .. import video
    from ..image import from_any
    from ..image.depth import to_8
    from ..progress import Progress

    def draw(pixels: "Pixels") -> "Pixels":
        return to_8(translator.translate_picture(from_any(np.ascontiguousarray(pixels)), options=options).pixels)

    def one(job: inputs.Job, label: str) -> None:
        with Progress("frames", label=label, quiet=console.quiet) as progress:
            made = video.translate(job.photo, job.output, draw, smooth=smooth, progress=progress)
        if made.problem:
            console.warn(f"{job.photo}: {made.problem}")
        console.say(f"{job.output}: {made.frames:,} frames, {'with' if made.sound else 'without'} sound")

    return batch.each(jobs, console, one)
