"""One line on stderr that says how far a piece of work is and how long it will take.

    with Progress("images", label="training") as progress:
        progress(done, total)

    training  42 %  25,200 of 60,000 images  41.3 images/s  14 min left

On a terminal the line is drawn anew in its place and wiped at the end; elsewhere (a log file) a plain line comes now
and then. Work that is over within a second shows nothing. It never cancels: it returns None. `during` is for work that
cannot tell how far it is.
"""

import contextlib
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Self, TextIO

Report = Callable[[int, int], object]
"""What long work calls with the amount done and the total (0 if unknown); returning False cancels it."""

DELAY_S = 1.0
"""Work shorter than this shows nothing."""
REDRAW_S = 0.1
PLAIN_S = 30.0
"""Between the lines of a log file."""
MILLIONS = {"B": "MB", "px": "MP"}
"""Units of which there may be millions, and the names of these."""
MEMORY_S = 30.0
"""The rate is that of the last so many seconds."""

_shown: "Progress | None" = None
_lock = threading.Lock()
"""Held by whoever draws or wipes: `during` does so beside the work."""


class Progress:
    """A progress line; call it with what is done and the total.

    Args:
        unit: what is counted, in the plural; `B` stands for bytes and `px` for pixels, millions of them shown as MB
            and MP.
        label: what is going on.
        quiet: shows nothing at all.
        stream: where to write; None is stderr, and where there is none, nothing is shown.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        unit: str = "",
        *,
        label: str = "",
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.unit, self.label, self.clock = unit, label, clock
        self.stream: TextIO | None = stream or sys.stderr
        self.quiet = quiet or self.stream is None
        self.terminal = self.stream is not None and self.stream.isatty()
        self.start = clock()
        self.drawn = self.start if not self.terminal else self.start + DELAY_S - REDRAW_S
        self.width = 0
        self.history: deque[tuple[float, int]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.clear()

    def __call__(self, done: int, total: int = 0) -> None:
        """Takes note of the amount done and of the total, 0 if unknown; draws if it is time to."""
        now = self.clock()
        if not self.history or now - self.history[-1][0] >= REDRAW_S:
            self.history.append((now, done))
        while len(self.history) > 2 and now - self.history[1][0] > MEMORY_S:
            self.history.popleft()
        if not self.quiet and now - self.drawn >= (REDRAW_S if self.terminal else PLAIN_S):
            self.drawn = now
            self._draw(describe(done, total, self.rate(), self.unit, self.label))

    def rate(self) -> float:
        """Units a second, of late; 0 while unknown."""
        (start, first), (end, last) = self.history[0], self.history[-1]  # a resumed run does not begin at 0
        return (last - first) / (end - start) if end > start else 0.0

    def clear(self) -> None:
        """Wipes the line; the next call draws it again."""
        global _shown
        with _lock:
            if self.width:
                self._write("\r" + " " * self.width + "\r")
                self.width, _shown = 0, None

    def _draw(self, text: str) -> None:
        global _shown
        with _lock:
            if not self.terminal:
                self._write(text + "\n")
            else:
                text = text[: shutil.get_terminal_size().columns - 1]
                self._write("\r" + text.ljust(self.width))
                self.width, _shown = len(text), self

    def _write(self, text: str) -> None:
        if self.stream is None or self.quiet:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:
            self.quiet = True  # nobody reads on, or the log's disk is full: the work matters, its line does not


@contextlib.contextmanager
def during(what: str, *, quiet: bool = False, stream: TextIO | None = None) -> Iterator[None]:
    """Shows what is going on, and for how long, while the block runs.

    Args:
        what: as `reading photo.jpg`.
        quiet: shows nothing at all.
        stream: as of Progress.
    """
    line, over = Progress(quiet=quiet, stream=stream), threading.Event()

    def tell() -> None:
        while not over.wait(DELAY_S if line.terminal else PLAIN_S):
            line._draw(f"{what}  {duration(line.clock() - line.start)}")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
        line.clear()


def clear() -> None:
    """Wipes the line that is on the terminal, if there is one, so that something else can be written there."""
    if _shown is not None:
        _shown.clear()


def describe(done: int, total: int, rate: float, unit: str, label: str) -> str:
    """The text of a progress line.

    Args:
        total: 0 if unknown.
        rate: units a second, 0 if unknown.
        unit: empty where amounts mean nothing to the reader, as of several kinds of work: their share is told alone.
    """
    parts = [label] if label else []
    if total:
        parts.append(f"{100 * done // total:2d} %")
    if unit:
        parts.append(_amount(done, total, unit))
    if rate and unit:
        if unit in MILLIONS and rate >= 50_000:  # less would be 0.0
            shown = f"{rate / 1e6:.1f} {MILLIONS[unit]}"
        else:
            shown = f"{rate:,.0f} {unit}" if rate >= 100 else f"{rate:.3g} {unit}"
        parts.append(f"{shown}/s")
    if rate and total:
        parts.append(f"{duration((total - done) / rate)} left")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """Seconds in words: `8 s`, `4 min 20 s`, `14 min`, `3 h 5 min`, `2 d 4 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def _amount(done: int, total: int, unit: str) -> str:
    if unit in MILLIONS and max(done, total) >= 1e6:
        return f"{done / 1e6:.1f}" + (f" of {total / 1e6:.1f}" if total else "") + f" {MILLIONS[unit]}"
    return f"{done:,}" + (f" of {total:,}" if total else "") + f" {unit}"
