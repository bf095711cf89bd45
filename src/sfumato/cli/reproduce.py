"""`sfumato reproduce`: the tables of a paper, from nothing."""

from collections.abc import Sequence

from ..errors import OptionError
from ..machine import cores
from . import flags, source
from .console import Console
from .files import folder_of, path_of

SUMMARY = "make the tables of a paper anew: sets, runs and scores"
FILE = "reproduce/sketch_pose.py"


def fields() -> list[source.Field]:
    """What can be chosen, but the seed."""
    return [f for f in source.fields(FILE, "Config") if f.name not in ("seed", "scale")]


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "reproduce",
        "Makes tables anew. sketch-pose: what HRNet learns about poses in sketches from clean drawings, from drawings\n"
        "in 1 and in 12 styles, and with augmentations. Renders and styles the sets, trains a network for each row,\n"
        "measures all by the same drawings, and writes DIR/tables.md and DIR/tables.json with the source thesis's\n"
        "figures beside. The same command goes on where it stopped.",
        [
            "reproduce sketch-pose --scale tiny -o tables",
            "reproduce sketch-pose --scale small --styles paintings/ --real drawings/ -o tables",
            "reproduce sketch-pose --scale full --adain adain.safetensors --start coco=hrnet_w32.pth -o tables",
        ],
    )
    made.usage = "sfumato reproduce sketch-pose -o DIR [--scale tiny|small|full] [options]"
    made.add_argument("what", nargs="?", choices=("sketch-pose",), help="Which tables")
    made.add_argument("-o", "--out", metavar="DIR", help="Folder of sets, runs, scores and tables")
    text = "tiny shows in minutes that all works, small is for two cores and hours, full for a GPU (default: small)"
    made.add_argument("--scale", choices=("tiny", "small", "full"), default="small", help=text)
    text = "Weights that runs begin with, imagenet=FILE and coco=FILE: HRNet's own files, or models"
    made.add_argument("--start", nargs="+", action="extend", default=[], metavar="KIND=FILE", help=text)
    flags.add(made.add_argument_group("the sets"), fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Makes what is missing, and names the tables."""
    given = parser().parse_intermixed_args(words)
    if given.what is None or given.out is None:
        raise OptionError("which tables, and where to? sfumato reproduce sketch-pose -o DIR")
    starts = {kind: path_of(file) for kind, file in flags.pairs("--start", "KIND=FILE", given.start).items()}
    out = folder_of(given.out)
    from .. import device
    from ..progress import Progress
    from ..reproduce.sketch_pose import Config, reproduce

    device.keep_memory()
    config = flags.build(Config, flags.given(given, fields()) | {"scale": given.scale, "seed": given.seed or 0})
    with Progress(label="reproduce", quiet=console.quiet) as progress:

        def tell(stage: str) -> None:
            progress.label = stage
            console.note(stage)

        path = reproduce(
            config,
            out,
            starts=starts,
            device=given.device,
            processes=cores(),
            progress=progress,
            tell=tell,
        )
    console.say(str(path))
    return 0
