"""`sfumato studio`: everything in a browser."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import OptionError
from . import flags
from .console import Console
from .files import path_of

SUMMARY = "all of it in a browser, on this computer"
LAST_PORT = 65535


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "studio",
        "Opens the studio in a browser: collages of photographs, styles, textures, and trainings to watch. Pictures\n"
        "stay on this computer, and only this computer can come, unless --listen lets others in.",
        [
            "studio",
            "studio --port 8000 --no-browser",
            "studio --runs run/",
            "studio --listen --device cuda:1",
            "studio --listen --trust-host studio.example.org",
        ],
    )
    text = "Port of the address http://127.0.0.1:PORT (default: 7860, or a free one)"
    made.add_argument("--port", type=_port, metavar="PORT", help=text)
    made.add_argument("--no-browser", action="store_true", help="Only print the address")
    text = "Show the trainings in this folder and below, their logs while they grow"
    made.add_argument("--runs", metavar="DIR", help=text)
    text = "Keep pictures and results here (default: a folder beside the downloaded models)"
    made.add_argument("--folder", metavar="DIR", help=text)
    text = "Let other computers in: by an address with a token, which is good for one browser"
    made.add_argument("--listen", action="store_true", help=text)
    text = "Want a token on this computer, too, if others use it"
    made.add_argument("--token", action="store_true", help=text)
    text = "Answer to these names, too: those that a proxy is reached by"
    made.add_argument("--trust-host", nargs="+", action="extend", default=[], metavar="NAME", help=text)
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Runs the studio until Ctrl-C."""
    given = parser().parse_args(words)
    runs = None if given.runs is None else path_of(given.runs)
    if runs is not None and not runs.is_dir():
        raise OptionError(f"--runs {given.runs}: there is no such folder")
    from ..studio.serving import serve
    from ..studio.settings import Settings

    settings = Settings(
        home=(_home() if given.folder is None else path_of(given.folder)).absolute(),
        runs=runs,
        device=given.device,
        listens=given.listen,
        token=given.token,
        trusted=tuple(map(_name, given.trust_host)),
    )
    serve(settings, console.say, port=given.port, browser=not given.no_browser)
    return 0


def _home() -> Path:
    from ..download import cache_dir

    models = cache_dir()
    return models.with_name(f"{models.name}-studio")


def _name(text: str) -> str:
    if not text or set(text) & set("/:@ "):
        raise OptionError(f"--trust-host {text}: wants a name such as studio.example.org, without https:// and port")
    return text.lower()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LAST_PORT):
        raise OptionError(f"--port {text}: wants a number from 1 to {LAST_PORT}")
    return int(text)
