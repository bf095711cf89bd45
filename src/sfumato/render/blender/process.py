"""A Blender that runs, and messages to it; that it dies or falls silent is noticed.

It ends when the pipe to it closes, so also where this process is killed.
"""

import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from numpy.typing import NDArray

from ...errors import FailedError
from .found import Blender
from .inside import messages

STARTING_S = 180.0
"""A cold disk is slow; Blender has 800 MB."""
CLOSING_S = 10.0
GRACE_S = 5
"""The system ends a Blender that still works so long after it was given up: nobody may be left to do it."""
CHATTER = 1 << 20
"""Bytes that Blender may print before it answers."""
TAIL = 4096
"""Bytes of its last words that are looked at."""

Message = tuple[messages.Words, messages.Arrays]


class Died(FailedError):
    """Blender ended, fell silent or talked nonsense amid a request."""


class Process:
    """A Blender that answers requests.

    Args:
        blender: which one.
        starting_s: how long it may take to start.

    Raises:
        FailedError: it does not start.
    """

    def __init__(self, blender: Blender, *, starting_s: float = STARTING_S) -> None:
        self._late = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
        try:
            self._process = subprocess.Popen(
                blender.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
            )
        except OSError as error:
            self._errors.close()
            raise FailedError(f"Blender ({blender.where}) does not start: {error.strerror}") from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        try:
            self._timed(self._greeted, starting_s)
        except Died as error:
            raise FailedError(f"Blender {blender.version} ({blender.where}) does not start: {error}") from error

    def ask(
        self,
        words: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]] | None = None,
        *,
        seconds: float,
        wanted: Sequence[str] = (),
    ) -> Message:
        """The answer to a request, with at least those arrays that are wanted.

        Raises:
            Died: there is none within so many seconds; the process is gone then.
        """

        def asked() -> Message:
            messages.write(self._to, {**words, "seconds": int(seconds) + GRACE_S}, arrays)
            answer = messages.read(self._from)
            if missing := set(wanted) - answer[1].keys():
                raise ValueError(f"an answer without {', '.join(sorted(missing))}")
            return answer

        return self._timed(asked, seconds)

    def close(self) -> None:
        """Has it end."""
        with suppress(OSError):
            self._to.close()
        try:
            self._process.wait(CLOSING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()
        self._errors.close()

    def _greeted(self) -> Message:
        """Reads over what Blender prints when it starts, up to the first message."""
        heard = 0
        while (line := self._from.readline(CHATTER)) != messages.HELLO:
            heard += len(line)
            if not line:
                raise EOFError
            if heard > CHATTER:
                raise ValueError(f"{heard} bytes without a greeting")
        return messages.read(self._from)

    def _timed(self, work: Callable[[], Message], seconds: float) -> Message:
        """What the work gives; if it fails the process is ended."""
        timer = threading.Timer(seconds, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            return work()
        except (OSError, EOFError, ValueError) as error:
            raise Died(self._end(error, seconds)) from error
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self._late = True
        self._process.kill()

    def _end(self, error: Exception, seconds: float) -> str:
        """Ends the process; why it had to be."""
        nonsense = isinstance(error, ValueError)
        if nonsense:
            self._process.kill()
        with suppress(OSError):
            self._to.close()
        try:
            code = self._process.wait(CLOSING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        last = self._last_words()
        self._from.close()
        self._errors.close()
        if self._late:
            return f"it did not answer within {seconds:g} s"
        if nonsense:
            return f"it talks nonsense ({error})"
        how = f"was killed (signal {-code})" if code < 0 else f"ended with code {code}"
        return f"it {how}" + (f": {last}" if last else "")

    def _last_words(self) -> str:
        """The last line that it printed as an error."""
        size = self._errors.seek(0, 2)
        self._errors.seek(max(size - TAIL, 0))
        lines = [line.strip() for line in self._errors.read().decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")
