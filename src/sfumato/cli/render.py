"""`sfumato render`: drawings of characters, with labels."""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ..errors import OptionError
from ..machine import cores
from . import batch, flags, source
from .console import Console
from .files import folder_of

SUMMARY = "draw rigged characters as lines, with labelled joints"
PREVIEW = "preview.jpg"
BEGINNING = "beginning (the first run on a machine translates loops to machine code)"
"""What is shown until the first picture is there."""


def fields() -> list[source.Field]:
    """What can be chosen, but the size and the seed, whose flags are those of other commands."""
    return [f for f in source.fields("render/job.py", "Config") if f.name not in ("size", "seed")]


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "render",
        "Draws rigged characters in motion as black lines on transparent ground, and tells where their 17 joints are:\n"
        "DIR/images/*.png, DIR/keypoints.json (COCO) and DIR/manifest.jsonl. Pictures that are there are left out, so\n"
        "that the same command goes on where it stopped; with a larger --count it adds to the set.",
        [
            "render --count 100 -o sketches --preview",
            "render --character hero.glb --motion walk.bvh --count 1000 --every 5 -o hero",
            "render --character makehuman/ --motion cmu/ --count 200000 --shard 0/8 -o sketches",
            "render --count 200000 --ray auto -o /shared/sketches",
            "render --character hero.fbx --motion own --engine blender -o hero",
            "render --count 20 --outputs lines flat parts depth -o pairs",
        ],
    )
    made.usage = "sfumato render -o DIR [--character WHO...] [--motion WHAT...] [--count N] [options]"
    made.add_argument("-o", "--out", metavar="DIR", help="Folder of the set")
    made.add_argument("--count", type=_count, default=100, metavar="N", help="Pictures of the set (default: 100)")
    text = "Pixels of a picture, one number for a square (default: 512x512)"
    made.add_argument("--size", type=flags.size, default=(512, 512), metavar="WxH", help=text)
    made.add_argument("--shard", metavar="I/N", help="Only the I-th of N parts, I from 0: for several machines")
    text = "Processes that draw (default: as many as there are cores)"
    made.add_argument("--workers", type=_count, metavar="N", help=text)
    text = (
        "Draw on a Ray cluster: auto is the one that this machine is a node of, HOST:PORT the one with its head there,"
        " local one of this machine alone; all nodes share DIR under the same path"
    )
    made.add_argument("--ray", metavar="ADDRESS", help=text)
    add_preview(made, "DIR")
    flags.add(made.add_argument_group("the set"), fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Makes the set, or goes on with it."""
    given = parser().parse_args(words)
    if given.out is None:
        raise OptionError("where to? sfumato render -o DIR")
    folder = folder_of(given.out)
    if given.ray and given.workers:
        raise OptionError("--workers: with --ray the cluster tells how many processes draw; give one of the two")
    shard = batch.part(given.shard) if given.shard else (0, 1)
    from ..progress import Progress, during
    from ..render import render
    from ..render.job import Config

    values = flags.given(given, fields()) | {"size": given.size, "seed": given.seed or 0}
    config = flags.build(Config, values)
    with Progress("pictures", label="rendering", quiet=console.quiet) as progress, ExitStack() as before:
        before.enter_context(during(BEGINNING, quiet=console.quiet))

        def tell(done: int, total: int) -> None:
            before.close()
            progress(done, total)

        render(config, given.count, folder, processes=_processes(given), ray=given.ray, shard=shard, progress=tell)
    tell_set(folder, console, preview=given.preview)
    return 0


def add_preview(made: flags.Parser, folder: str) -> None:
    """Adds the flag that asks for a look at the set; `folder` is what the help calls the set's."""
    text = f"Write {folder}/{PREVIEW}, too: some of the pictures with the skeleton drawn over"
    made.add_argument("--preview", action="store_true", help=text)


def tell_set(folder: Path, console: Console, *, preview: bool) -> None:
    """Names the labels of a set, and makes the look at it that is asked for."""
    console.say(str(folder / "keypoints.json"))
    if not preview:
        return
    from .. import image
    from ..render.preview import sheet

    image.write(folder / PREVIEW, image.from_any(sheet(folder)), overwrite=True)
    console.say(str(folder / PREVIEW))


def _processes(given: argparse.Namespace) -> int:
    return int(given.workers or cores())


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on, not {text!r}")
    return int(text)
