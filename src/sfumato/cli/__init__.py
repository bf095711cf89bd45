"""The command line: parse, call, print.

    sfumato COMMAND ... -> exit code

A command is a module here with `SUMMARY`, a line for the list, and `run(words, console) -> exit code`. Nothing in
this package imports torch, NumPy or pydantic until a command runs, so that `--help` answers at once.
"""

import contextlib
import difflib
import errno
import importlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import ModuleType

from .. import __version__
from ..errors import Cancelled, OptionError, SfumatoError
from ..machine import is_about_memory
from .console import Console

COMMANDS = {
    "stylize": "stylize",
    "texture": "texture",
    "translate": "translate",
    "collage": "collage",
    "sketch": "sketch",
    "render": "render",
    "restyle": "restyle",
    "colorize": "colorize",
    "pose": "pose",
    "train": "train",
    "distance": "distance",
    "evaluate": "evaluate",
    "reproduce": "reproduce",
    "faces": "faces",
    "folder": "folder",
    "models": "models",
    "export": "exporting",
    "import": "importing",
    "studio": "studio",
}
"""The module of each command, in the order of the help."""
OVERVIEW = """usage: sfumato COMMAND ...

Moves pictures between photograph and painting. Nothing leaves this computer; nothing is downloaded but on demand.

{commands}

`sfumato COMMAND --help` tells more. To begin:

  sfumato stylize photo.jpg --style painting.jpg"""
BEFORE = frozenset(["-q", "--quiet", "--debug"])
"""Flags that may stand before the command, too; as those with a value: --device and --seed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line, prints what comes of it, and returns the exit code.

    0 done, 1 failed, 2 a mistake of the user, 130 interrupted or asked to end.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(quiet="-q" in words or "--quiet" in words, debug="--debug" in words)
    try:
        with console.warnings(), _ended_as_by_ctrl_c():
            return _run(words, console)
    except SystemExit as end:  # argparse, after --help and --version
        return end.code if isinstance(end.code, int) else 0
    except SfumatoError as error:
        console.fail(str(error), error)
        return error.exit_code
    except KeyboardInterrupt as error:
        console.fail("interrupted", error)
        return Cancelled.exit_code
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        console.fail("the disk is full" if full else _unexpected(error), error)
    except Exception as error:  # noqa: BLE001 (the last border: whatever it is becomes one line and exit code 1)
        console.fail(_no_memory() if is_about_memory(error) else _unexpected(error), error)
    return 1


@contextlib.contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Inside, a request to end (SIGTERM), as of a batch system, is what Ctrl-C is: nothing stays half-written.

    Does nothing outside the main thread, where Python gives no signals, where the request is ignored, and where another
    than Python takes it.
    """
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(words: list[str], console: Console) -> int:
    command, rest = _split(words)
    if command is None:
        if "--version" in rest:
            console.say(f"sfumato {__version__}")
        else:
            console.say(_overview())
        return 0
    exit_code: int = _module(command).run(rest, console)
    return exit_code


def _split(words: list[str]) -> tuple[str | None, list[str]]:
    """The command and all other words.

    Raises:
        OptionError: there is no such command.
    """
    before: list[str] = []
    for i, word in enumerate(words):
        if word in COMMANDS:
            return word, [*before, *words[i + 1 :]]
        if word in ("-h", "--help", "--version"):
            return None, [word]
        expects_value = bool(before) and before[-1] in ("--device", "--seed")
        if not (expects_value or word in BEFORE or word.split("=")[0] in ("--device", "--seed")):
            close = difflib.get_close_matches(word, COMMANDS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(COMMANDS)}"
            raise OptionError(f"there is no command {word!r}; {hint}")
        before.append(word)
    return None, before


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{COMMANDS[command]}")


def _overview() -> str:
    commands = "\n".join(f"  {command:9} {_module(command).SUMMARY}" for command in COMMANDS)
    return OVERVIEW.format(commands=commands)


def _no_memory() -> str:
    return "there is not enough memory; a smaller --size, --tile or --batch needs less"


def _unexpected(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"unexpected {type(error).__name__}: {first or 'no message'}; run again with --debug to see where"
