"""`sfumato texture --method texture_nets`: a network for one texture, learned on the spot or from a file."""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OptionError
from . import files, flags, inputs, source
from .console import Console
from .source import Field

if TYPE_CHECKING:
    from ..train.recipe import Recipe

NAME = "texture_nets"
LEARNED_PX = 256
"""Longest side at which a swatch is learned from, if none is asked for."""


def add(group: argparse._ActionsContainer) -> None:
    """Adds what only this method takes."""
    text = "A network that has learned its texture, name or file; no swatch is needed then"
    group.add_argument("--model", metavar="NAME|FILE", help=text)
    text = "Steps of its training, more for better textures (default: 500)"
    group.add_argument("--steps", type=_steps, metavar="N", help=text)


def run(given: argparse.Namespace, console: Console, foreign: Sequence[Field]) -> int:
    """Makes the texture, by a network that is learned first if there is none yet.

    Args:
        given: the command line.
        console: tells what is going on.
        foreign: options of the other method.
    """
    _check(given, foreign)
    swatches = inputs.find_files(given.swatches)
    first = swatches[0] if swatches else files.path_of(given.model)
    (job,) = inputs.plan([inputs.Photo(path=first)], "texture", given.out, keep=swatches)
    from .. import device, image

    image.check_output(job.output, size=given.size[::-1], overwrite=given.overwrite, makes_folder=True)
    files.check_wanted(given.size[::-1], given.limit_mp)
    grey = bool(swatches) and all(files.read(path, console, limit_mp=given.limit_mp).mode == "L" for path in swatches)
    from ..progress import during
    from ..translate.weaver import Weaver, check_memory

    check_memory(given.size, device.pick(given.device))
    device.keep_memory()
    model = given.model or str(_learned(given, swatches, job.output.parent, console))
    weaver = Weaver(model, device=given.device, precision=given.precision)
    with during(job.output.name, quiet=console.quiet):
        result = weaver.texture(given.size, seed=given.seed or 0, grey=grey)
    files.write(job.output, result, console, overwrite=given.overwrite)
    return 0


def _check(given: argparse.Namespace, foreign: Sequence[Field]) -> None:
    if others := [*flags.given(given, foreign), *(["weights"] if hasattr(given, "weights") else [])]:
        raise OptionError(f"{flags.flag(others[0])} is an option of gatys, nothing for {NAME}")
    if given.model and (given.steps or given.swatch_size):
        name = "--steps" if given.steps else "--swatch-size"
        raise OptionError(f"{name} is for learning, and --model names a network that has learned")
    smallest = source.constant("nets/texture_nets.py", "SMALLEST")
    if min(given.size) < smallest:
        raise OptionError(f"--size {given.size[0]}x{given.size[1]}: {NAME} wants {smallest} pixels a side or more")
    if not given.model and not given.swatches:
        raise OptionError("which swatch? sfumato texture SWATCH, or a network: --model FILE")


def _learned(given: argparse.Namespace, swatches: Sequence[Path], folder: Path, console: Console) -> Path:
    """The file of the network of these swatches in a folder; it is learned if it is not there.

    Raises:
        OptionError: a file or a run of that name there is of other swatches.
    """
    from .. import weights

    stem = f"{swatches[0].stem}-texture-net"
    recipe = _recipe(given, swatches)
    path = folder / f"{stem}.safetensors"
    if path.exists():
        card = weights.read_card(path)
        if card.method != NAME or not set(recipe.notes) <= set(card.notes):
            text = "was learned from another picture, or at another --swatch-size"
            raise OptionError(f"{path}: {text}; remove it, or take it as it is with --model")
        if given.steps and card.images_seen != recipe.images:
            console.note(f"{path}: is taken as it is, after {card.images_seen // recipe.batch:,} steps")
        return path
    from ..progress import Progress
    from ..train import checkpoint, train

    run = folder / stem
    if checkpoint.begun(run).get("notes", list(recipe.notes)) != list(recipe.notes):
        text = "was begun with another picture, or at another --swatch-size; remove that folder"
        raise OptionError(f"{run}: {text}, or go on with what it was begun with")
    console.note(f"learning {path}, once for this swatch; if it is stopped, the same command goes on")
    with Progress("textures", label=path.name, quiet=console.quiet) as progress:
        made = train(recipe, run, device=given.device, progress=progress)
    made["texture"].replace(path)
    shutil.rmtree(run, ignore_errors=True)
    console.say(str(path))
    return path


def _recipe(given: argparse.Namespace, swatches: Sequence[Path]) -> "Recipe":
    """What is learned; its notes tell which pixels from."""
    from ..data.swatch import Swatch
    from ..recipes.texture_nets import quick

    made = quick()
    if given.steps:
        made = replace(made, images=given.steps * made.batch)
    data = Swatch(style=tuple(map(str, swatches)), style_px=given.swatch_size or LEARNED_PX)
    title = f"The texture of {', '.join(path.name for path in swatches)}"
    return replace(made, data=data, title=title, notes=(f"Swatch {data.open().digest()}",))


def _steps(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise OptionError(f"--steps {text}: wants a number of steps, 1 to 1000000")
    return int(text)
