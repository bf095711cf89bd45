"""What the user sees: results on stdout, everything else on stderr."""

import contextlib
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import TextIO

from .. import progress


class Console:
    """The only place that prints.

    Args:
        quiet: results and notes are left out; warnings and errors are not.
        debug: errors come with their traceback, warnings with their place.
    """

    def __init__(self, *, quiet: bool = False, debug: bool = False) -> None:
        self.quiet, self.debug = quiet, debug
        _open_standard_streams()
        for stream in (sys.stdout, sys.stderr):
            # A name that the terminal cannot show must not end the work.
            if reconfigure := getattr(stream, "reconfigure", None):
                reconfigure(errors="backslashreplace")

    def say(self, text: str) -> None:
        """A result."""
        if not self.quiet:
            _print(text, sys.stdout)

    def note(self, text: str) -> None:
        """A remark on the way."""
        if not self.quiet:
            _print(text, sys.stderr)

    def warn(self, text: str) -> None:
        """Something that the user should know, in one line."""
        _print(f"sfumato: warning: {_one_line(text)}", sys.stderr)

    def fail(self, text: str, error: BaseException | None = None) -> None:
        """Why a command or a part of it did not succeed, in one line."""
        if self.debug and error is not None:
            _print("".join(traceback.format_exception(error)).rstrip(), sys.stderr)
        _print(f"sfumato: {_one_line(text)}", sys.stderr)

    @contextlib.contextmanager
    def warnings(self) -> Iterator[None]:
        """Inside, what the library logs and Python's warnings are lines like those of `warn`."""
        handler = _Handler(self)
        logger = logging.getLogger("sfumato")
        logger.addHandler(handler)
        shown = warnings.showwarning
        if not self.debug:
            warnings.showwarning = lambda message, *_, **__: self.warn(str(message))
        try:
            yield
        finally:
            warnings.showwarning = shown
            logger.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        self.console.warn(record.getMessage())


def _open_standard_streams() -> None:
    """Opens those that were closed: the next file would get their number, and with it what C libraries write there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _print(text: str, stream: TextIO | None) -> None:
    progress.clear()
    if stream is None:  # print would take stdout
        return
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        # Nobody reads on, as behind `| head`: the work goes on, unheard.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
