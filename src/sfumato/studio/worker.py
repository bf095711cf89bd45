"""The process that works: takes one piece after the other from its standard input, and keeps models warm.

It ends with its standard input, and so with the server, however that ends.
"""

import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from ..errors import Cancelled, SfumatoError
from ..machine import is_about_memory
from .problems import FULL, Refusal, disk_full, refusal, unforeseen, without
from .wire import Message, lengths, packed

if TYPE_CHECKING:
    from .bench import Bench

TELL_S = 0.1
"""Seconds between two reports of progress, at least."""


class Line:
    """The way to the server and back.

    Args:
        source: what the server writes to.
        target: what it reads.
    """

    def __init__(self, source: IO[bytes], target: IO[bytes]) -> None:
        self.source, self.target = source, target
        self.orders: queue.Queue[Message] = queue.Queue()
        self.cancelled = False
        self.told = 0.0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            for line in self.source:
                message: Message = json.loads(self.source.read(lengths(line)[0]))
                self.cancelled = "cancel" in message
                if not self.cancelled:
                    self.orders.put(message)
        finally:
            os._exit(0)  # the server has gone; what it wanted done is of use to nobody

    def send(self, message: Message, content: bytes = b"") -> None:
        """Sends a frame."""
        self.target.write(packed(message, content))
        self.target.flush()

    def report(self, done: int, total: int) -> bool:
        """Tells how far the work is; False once it is cancelled."""
        now = time.monotonic()
        if now - self.told >= TELL_S and total:
            self.told = now
            self.send({"kind": "progress", "done": min(1.0, done / total)})
        return not self.cancelled

    def loading(self, model: str, size: int) -> None:
        """Tells that a model is brought into memory.

        Raises:
            Cancelled: nobody wants it any more.
        """
        if self.cancelled:
            raise Cancelled("cancelled")
        self.send({"kind": "loading", "model": model, "bytes": size})


def main() -> None:
    """Works until the server goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches all; the server ends this one
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is for the log, not for the server
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    line = Line(sys.stdin.buffer, target)
    from .bench import Bench

    benches: list[Bench] = []

    def bench() -> Bench:
        if not benches:
            benches.append(Bench(sys.argv[1], line.report, line.loading))
        return benches[0]

    while True:
        answer(line, bench, line.orders.get())


def answer(line: Line, bench: "Callable[[], Bench]", order: Message) -> None:
    """Does a piece of work and sends what came of it."""
    try:
        values, content = bench().do(order["op"], order["given"])
    except Cancelled:
        line.send({"kind": "cancelled"})
    except SfumatoError as error:
        send_refusal(line, refusal(error, *paths_in(order)))
    except Refusal as error:
        send_refusal(line, error)
    except Exception as error:  # noqa: BLE001 (the last border: whatever it is must become an answer)
        traceback.print_exc()
        send_refusal(line, unexpected(error, paths_in(order)))
    else:
        line.send({"kind": "result", "values": values, "loaded": bench().names()}, content)


def send_refusal(line: Line, error: Refusal) -> None:
    """Sends why something was not done."""
    line.send({"kind": "refusal", "problem": error.problem.model_dump()})


def paths_in(values: Any) -> list[str]:
    """All absolute paths among nested values, the longest first."""
    if isinstance(values, dict | list):
        inner = values.values() if isinstance(values, dict) else values
        return sorted((path for value in inner for path in paths_in(value)), key=len, reverse=True)
    return [values] if isinstance(values, str) and os.path.isabs(values) else []


def unexpected(error: Exception, paths: list[str]) -> Refusal:
    """An error that nobody foresaw."""
    if is_about_memory(error):
        return Refusal("no_memory", "There was not enough memory.", "Close other programs, or take a smaller size.")
    if isinstance(error, OSError) and error.errno in FULL:
        return disk_full(error)
    if isinstance(error, FileNotFoundError) and str(error.filename).startswith(tuple(paths)):
        return Refusal("not_found", "A picture that this needs was deleted meanwhile.", "Choose another.")
    first = without(str(error).strip().partition("\n")[0], paths)
    return unforeseen(error, f"Unexpected {type(error).__name__}: {first or 'no message'}.")
