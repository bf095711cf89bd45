"""`sfumato train`: a recipe, with overrides, in a folder of its own."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import OptionError
from ..recipes import available, parse
from . import flags
from .console import Console
from .files import path_of

SUMMARY = "train a model by a recipe, or go on where it stopped"

BESIDES = "Besides these there are --run DIR, --device, --quiet and --debug: `sfumato train --help` tells about them."
"""The end of the help of a recipe, which lists its fields only."""


def parser() -> flags.Parser:
    """The parser of the command; what it does not know are overrides of the recipe."""
    recipes = available()
    width = max(map(len, recipes))
    made = flags.parser(
        "train",
        "Trains a model. All of a recipe can be overridden; `sfumato train RECIPE --help` lists it. A run that was\n"
        "stopped goes on when the same command is given again. The recipes:\n\n"
        + "\n".join(f"  {name:{width}}  {line}" for name, line in recipes.items()),
        [
            "train microast.art --data.content PHOTOS --data.style PAINTINGS",
            "train microast.art --data.content PHOTOS --data.style PAINTINGS --images 5000 --run run/short",
        ],
    )
    made.usage = "sfumato train RECIPE [--run DIR] [overrides] [flags]"
    made.add_argument("recipe", nargs="?", metavar="RECIPE", help="One of the names above")
    made.add_argument("--run", metavar="DIR", help="Folder of state, log, samples and models (default: run/RECIPE)")
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Trains, and names the model files."""
    asks = any(word in ("-h", "--help") for word in words)
    given, overrides = parser().parse_known_args([word for word in words if word not in ("-h", "--help")])
    if given.recipe is None:
        if not asks:
            raise OptionError(f"which recipe? there are {', '.join(available())}")
        console.say(parser().format_help().rstrip())
        return 0
    if asks:
        overrides.append("--help")
    if given.seed is not None:
        overrides += ["--seed", str(given.seed)]
    try:
        recipe = parse(given.recipe, overrides)
    except SystemExit:  # after the help of the recipe
        console.say(BESIDES)
        raise
    from .. import device
    from ..progress import Progress
    from ..train import train

    device.keep_memory()
    folder = path_of(given.run) if given.run else Path("run") / given.recipe
    with Progress("images", label=given.recipe, quiet=console.quiet) as progress:
        made = train(recipe, folder, device=given.device, progress=progress)
    for path in made.values():
        console.say(str(path))
    return 0
