"""A process that works, seen from the server: started when it is needed, again when it died, one piece at a time."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
import traceback
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from ..errors import Cancelled
from . import disk
from .problems import Refusal, lost_worker
from .wire import Message, lengths, packed

log = logging.getLogger(__name__)

Hear = Callable[[Message], None]


class Owner(Protocol):
    """Who wants a piece of work, and perhaps no longer wants it."""

    cancelled: bool


State = Literal["starting", "ready", "working", "restarting"]
PACKAGE = Path(__file__).resolve().parents[2]
"""What must be on the path so that `sfumato` is the one that runs here."""
IN_LOG = "an unexpected error over %s; %s says what happened"
CODE = "from sfumato.studio.worker import main; main()"


class Hand:
    """One process.

    Args:
        name: what its log is called.
        device: where its models run, as `device.pick` takes it.
        folder: of its log.
        cancel_s: seconds in which it must end a piece of work once that is cancelled.
    """

    def __init__(self, name: str, *, device: str, folder: Path, cancel_s: float) -> None:
        self.name, self.device, self.cancel_s = name, device, cancel_s
        self.log = folder / f"{name}.log"
        self.state: State = "starting"
        self.facts: Message = {}
        """What it said of itself: device, models, forms."""
        self.loaded: tuple[str, ...] = ()
        self.idle_since = time.monotonic()
        self.process: Process | None = None
        self.owner: Owner | None = None
        """Who wants what it works on."""
        self.on_end: Callable[[], None] = _silent
        """Called when the process has ended that had nothing to do."""
        self._watcher: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._closed = False
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self.process.pid if self.process is not None else None

    @property
    def busy(self) -> bool:
        """Whether it works, or someone waits for it."""
        return self._lock.locked()

    async def freed(self) -> None:
        """Waits for a turn, and takes none."""
        async with self._lock:
            pass

    async def start(self) -> None:
        """Starts the process if there is none, and waits until it is ready.

        Raises:
            Refusal: it cannot be started.
        """
        async with self._lock:
            await self._running()

    async def call(
        self, op: str, given: Message, hear: Hear | None = None, owner: Owner | None = None
    ) -> tuple[Message, bytes]:
        """Has a piece of work done; returns its values and bytes. `owner` is who can cancel it.

        Who no longer waits for it does not end it: it goes on to its end, and the next one waits for that.

        Raises:
            Refusal: it could not be done, or the process died over it.
            Cancelled: `cancel` was called meanwhile.
        """
        work = asyncio.ensure_future(self._call(op, given, hear or _deaf, owner))
        work.add_done_callback(_heard)
        return await asyncio.shield(work)

    async def _call(self, op: str, given: Message, hear: Hear, owner: Owner | None) -> tuple[Message, bytes]:
        async with self._lock:
            process = await self._running()
            if owner is not None and owner.cancelled:  # while it waited, or the process started
                raise Cancelled("cancelled")
            self.state, self.owner = "working", owner
            try:
                return await self._exchanged(process, {"op": op, "given": given}, hear)
            finally:
                self.idle_since, self.owner = time.monotonic(), None
                if self._deadline is not None:
                    self._deadline.cancel()
                    self._deadline = None
                if self.state == "working":
                    self.state = "ready"

    async def _exchanged(self, process: Process, message: Message, hear: Hear) -> tuple[Message, bytes]:
        assert process.stdin is not None
        try:
            process.stdin.write(packed(message))
            await process.stdin.drain()
            while True:
                answer, content = await self._read(process)
                if answer["kind"] == "cancelled":
                    raise Cancelled("cancelled")
                if answer["kind"] == "refusal":
                    raise self._refused(message["op"], Refusal.of(answer["problem"]))
                if answer["kind"] == "result":
                    self.loaded = tuple(answer["loaded"])
                    return answer["values"], content
                hear(answer)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            code = await process.wait()
            self.process, self.loaded = None, ()
            if self._closed:
                raise Refusal("not_ready", "The studio is ending.") from error
            self.state = "restarting"
            log.warning("the process %s ended (%s) over %s; see %s", self.name, code, message["op"], self.log)
            raise lost_worker(code) from error

    def _refused(self, op: str, error: Refusal) -> Refusal:
        """What a piece of work was refused with; of what nobody foresaw the terminal tells where all of it is."""
        if error.code == "unexpected":
            log.error(IN_LOG, op, self.log)
        return error

    def note(self, kind: str, error: Exception) -> None:
        """Writes a mistake of the server over a job into the log, and tells the terminal where that is."""
        with self.log.open("a", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        log.error(IN_LOG, kind, self.log)

    async def _read(self, process: Process) -> tuple[Message, bytes]:
        assert process.stdout is not None
        try:
            text, content = lengths(await process.stdout.readuntil(b"\n"))
            message: Message = json.loads(await process.stdout.readexactly(text))
        except (asyncio.LimitOverrunError, ValueError) as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.stdout.read()  # until the pipe is empty nobody learns of its end
            raise ConnectionError(f"the process {self.name} says what nobody understands") from error
        return message, await process.stdout.readexactly(content)

    async def _running(self) -> Process:
        if self.process is not None and self.process.returncode is None:
            return self.process
        if self._closed:
            raise Refusal("not_ready", "The studio is ending.")
        process = self.process = await self._spawned()
        try:
            self.facts, _ = await self._exchanged(process, {"op": "hello", "given": {}}, _deaf)
        except Refusal:
            await self._stop()
            raise
        self.state = "ready"
        self._watcher = asyncio.ensure_future(self._watched(process))
        return process

    async def _spawned(self) -> Process:
        paths = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            with (disk.private(self.log.parent) / self.log.name).open("ab") as errors:
                return await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-c", CODE, self.device),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=errors,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                )
        except OSError as error:
            hint = "The studio tries again; close other programs, or make room on the disk."
            raise Refusal(
                "failed", f"The working process cannot be started: {error.strerror}.", hint, detail="no_process"
            ) from error

    async def _watched(self, process: Process) -> None:
        """Takes note if a process ends while it has nothing to do; one that works is missed by who waits for it."""
        code = await process.wait()
        async with self._lock:
            if self.process is process and not self._closed:
                self.process, self.loaded, self.state = None, (), "restarting"
                log.warning("the process %s ended (%s) with nothing to do; see %s", self.name, code, self.log)
                self.on_end()

    def cancel(self, owner: Owner) -> None:
        """Asks the process to end what it does for someone; if it does not within `cancel_s` it is ended itself."""
        process = self.process
        if process is None or process.stdin is None or self.owner is not owner:
            return
        process.stdin.write(packed({"cancel": True}))
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(self.cancel_s, self._end, process)

    def _end(self, process: Process) -> None:
        log.warning("the process %s did not stop when it was asked to, and is ended", self.name)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    async def rest(self) -> None:
        """Ends the process if it has nothing to do; the next call starts another."""
        if not self._lock.locked():
            async with self._lock:
                await self._stop()

    async def close(self) -> None:
        """Ends the process, whatever it does."""
        self._closed = True
        await self._stop()

    async def _stop(self) -> None:
        process, self.process = self.process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _heard(work: "asyncio.Task[Any]") -> None:
    """Takes note of how work ended that nobody waits for any more."""
    if not work.cancelled() and (error := work.exception()) is not None:
        log.debug("%s", error)


def _silent() -> None:
    """Tells nobody."""


def _deaf(_message: dict[str, Any]) -> None:
    """Hears nothing of what happens on the way."""
