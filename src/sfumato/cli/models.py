"""`sfumato models`: what models there are, and their files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import OptionError
from . import flags
from .console import Console

if TYPE_CHECKING:
    from ..card import Card
    from ..zoo import Entry

SUMMARY = "list, show, fetch and check models"
ACTIONS = {
    "list": "the models there are: bundled, downloaded, and to download",
    "show": "the card of a model: what it is, what it learned from, licence, figures",
    "get": "download a model; a broken download goes on where it ended",
    "verify": "compute the digest of a model's file anew and compare it",
}


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "models",
        "Models by name. Those that are bundled work without any download; nothing is fetched but by `get`.\n\n"
        + "\n".join(f"  {action:8} {text}" for action, text in ACTIONS.items()),
        ["models list", "models show microast/art", "models get vgg19", "models verify vgg19"],
    )
    made.add_argument("action", choices=ACTIONS, metavar="ACTION", help=f"{', '.join(ACTIONS)}")
    made.add_argument("names", nargs="*", metavar="MODEL", help="Names such as microast/art, or .safetensors files")
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Does one of the actions."""
    given = parser().parse_intermixed_args(words)
    if given.action == "list":
        if given.names:
            raise OptionError(f"`models list` takes no names; `sfumato models show {given.names[0]}` tells more")
        return _list(console)
    if not given.names:
        raise OptionError(f"sfumato models {given.action}: which model? `sfumato models list` names those there are")
    action = {"show": _show, "get": _get, "verify": _verify}[given.action]
    for name in given.names:
        action(name, console)
    return 0


def _list(console: Console) -> int:
    from .. import zoo

    entries = zoo.available()
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        size = f"{entry.size / 1e6:.1f} MB" if entry.size < 1e7 else f"{entry.size / 1e6:.0f} MB"
        console.say(f"{entry.name:{width}}  {entry.place:12}  {size:>8}  {entry.problem or entry.title}")
    return 0


def _show(name: str, console: Console) -> None:
    from .. import weights, zoo

    if name.endswith(zoo.SUFFIX):
        console.say(_describe(weights.read_card(name)))
        return
    entry = zoo.find(name)
    console.say(_describe(entry.card) if entry.card else _describe_foreign(entry))


def _describe_foreign(entry: "Entry") -> str:
    where = str(entry.path) if entry.path else f"not here yet; `sfumato models get {entry.name}` downloads it"
    rows = {"title": entry.title, "licence": entry.licence, "size": f"{entry.size / 1e6:.0f} MB", "file": where}
    return _rows({"name": entry.name} | rows | {"problem": entry.problem})


def _describe(card: "Card") -> str:
    rows = {
        "name": card.name,
        "title": card.title,
        "description": card.description,
        "method": card.method,
        "config": ", ".join(f"{key} {value}" for key, value in card.config.items()),
        "licence": card.licence,
        "attribution": "\n".join(card.attribution),
        "data": "\n".join(f"{d.name}, {d.count} pictures, {d.licence}" for d in card.data),
        "command": card.command,
        "images seen": f"{card.images_seen:,}" if card.images_seen else "",
        "notes": "\n".join(card.notes),
        "losses": ", ".join(f"{key} {value:.4g}" for key, value in card.losses.items()),
        "figures": "\n".join(f"{f.name}: {f.value:.4g} {f.unit}".rstrip() for f in card.figures),
        "source": card.source,
        "citation": card.citation,
        "created": f"{card.created} by sfumato {card.sfumato_version}" if card.created else "",
    }
    return _rows(rows)


def _rows(rows: dict[str, str]) -> str:
    """Names and texts in two columns, the empty ones left out."""
    indent = "\n" + " " * 13
    return "\n".join(f"{name:12} {indent.join(text.splitlines())}" for name, text in rows.items() if text)


def _get(name: str, console: Console) -> None:
    from .. import download
    from ..progress import Progress

    with Progress("B", label=name, quiet=console.quiet) as progress:
        result = download.get(name, progress)
    verb = "downloaded" if result.fetched else "already here"
    console.say(f"{result.path}: {verb}; sha256 {result.sha256}, compared with {result.checked}")


def _verify(name: str, console: Console) -> None:
    from .. import zoo

    console.say(zoo.verify(name))
