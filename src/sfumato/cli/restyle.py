"""`sfumato restyle`: a labelled set in the styles of other pictures."""

from collections.abc import Sequence

from ..errors import OptionError
from . import batch, flags, source
from .console import Console
from .files import folder_of, path_of
from .render import add_preview, tell_set

SUMMARY = "draw a labelled set in the styles of other pictures, labels kept"
MODELS = {"microast": "microast/art"}
"""The bundled model of a method."""


def fields() -> list[source.Field]:
    """What can be chosen, but the model and the seed."""
    return [f for f in source.fields("restyle.py", "Config") if f.name not in ("model", "seed")]


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "restyle",
        "Makes a new set of a labelled one: each picture in the style of another, its labels kept. Styles are spread\n"
        "evenly. Pictures that are there are left out, so that the same command goes on where it stopped.",
        [
            "restyle sketches --styles paintings/ -o styled",
            "restyle sketches --styles wave.jpg night.jpg -o styled",
            "restyle sketches --styles drawings/ --per-picture 12 --strength 0.7 -o styled --shard 0/4",
            "restyle sketches --styles drawings/ --model adain.safetensors -o styled",
        ],
    )
    made.usage = "sfumato restyle DATASET --styles PATH... -o OUT [options]"
    made.add_argument("dataset", nargs="?", metavar="DATASET", help="Folder with keypoints.json")
    made.add_argument(
        "--styles", nargs="+", default=[], metavar="PATH", help="Pictures, or folders of them; those below count"
    )
    made.add_argument("-o", "--out", metavar="OUT", help="Folder of the new set")
    text = "A method whose model is bundled, microast, or with --model any stylizer's (default: microast)"
    made.add_argument("--method", metavar="METHOD", help=text)
    made.add_argument("--model", metavar="NAME|FILE", help="A stylizer, by name or file (default: microast/art)")
    made.add_argument("--shard", metavar="I/N", help="Only the I-th of N parts, I from 0: for several machines")
    add_preview(made, "OUT")
    flags.add(made.add_argument_group("how"), fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Makes the set, or goes on with it."""
    given = parser().parse_intermixed_args(words)
    if not given.dataset or not given.styles or given.out is None:
        raise OptionError("of which set, in which styles, where to? sfumato restyle DATASET --styles PATH -o OUT")
    if given.method and given.method not in MODELS and not given.model:
        raise OptionError(f"--method {given.method}: no model of it is bundled; name one with --model FILE")
    shard = batch.part(given.shard) if given.shard else (0, 1)
    from ..progress import Progress
    from ..restyle import Config, restyle

    model = given.model or MODELS[given.method or "microast"]
    config = flags.build(Config, flags.given(given, fields()) | {"model": model, "seed": given.seed or 0})
    out = folder_of(given.out)
    styles = [str(path_of(folder)) for folder in given.styles]
    with Progress("pictures", label="styling", quiet=console.quiet) as progress:
        restyle(path_of(given.dataset), styles, out, config, device=given.device, shard=shard, progress=progress)
    tell_set(out, console, preview=given.preview)
    return 0
