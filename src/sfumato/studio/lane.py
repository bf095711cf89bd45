"""Jobs that wait for one process, and the one that it works on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..errors import Cancelled, SfumatoError
from . import events as e
from .hand import Hand
from .job import Job
from .problems import FULL, Refusal, disk_full, refusal, unforeseen
from .schema import Model
from .wire import Message

log = logging.getLogger(__name__)

Item = tuple[int, int]
"""Number of an item of a job, from 1 on, and how many there are."""
ONLY: Item = (1, 1)
ORDER: dict[e.JobKind, int] = {"parse": 0, "export": 1, "variants": 1, "stylize": 1, "texture": 2, "batch": 3}
"""What comes first among jobs that wait: short ones."""
WRONG_DEVICE = "wrong_option"
"""Why a process does not start that never will: the studio ends, and says so itself."""
PAUSE_S = 5.0
"""Seconds until a process that would not start is tried again."""


class Desk:
    """What the script of a job works with.

    Args:
        job: the job.
        hand: the process that does its work.
    """

    def __init__(self, job: Job, hand: Hand) -> None:
        self.job, self.hand = job, hand

    async def call(self, op: str, given: Message, at: Item | None = ONLY) -> Message:
        """Has a piece of the job done; `at` tells which of its items that is, None is a part that does not count.

        Raises:
            Refusal: it could not be done.
            Cancelled: nobody wants it any more.
        """
        if self.job.cancelled:
            raise Cancelled("cancelled")

        def advance(share: float) -> None:
            if at is not None:
                self.job.advance(share, *at)

        def hear(message: Message) -> None:
            if message["kind"] == "loading":
                self.job.state = "loading"
                self.job.tell("loading", e.Loading(model=message["model"], bytes=message["bytes"]))
            else:
                self.job.state = "working"
                advance(message["done"])

        advance(0.0)
        values, _ = await self.hand.call(op, given, hear, self.job)
        self.job.state = "working"
        advance(1.0)
        return values


Script = Callable[[Desk], Awaitable[e.Done]]
"""What a job does; what it returns is its last event."""


class Lane:
    """The jobs of one process, one after the other.

    Args:
        hand: the process.
    """

    def __init__(self, hand: Hand) -> None:
        self.hand = hand
        self.waiting: list[tuple[Job, Script]] = []
        self.running: Job | None = None
        self._wake = asyncio.Event()
        hand.on_end = self._wake.set

    @property
    def jobs(self) -> list[Job]:
        """Those that wait, and the one that runs."""
        return [job for job, _ in self.waiting] + ([] if self.running is None else [self.running])

    def add(self, job: Job, script: Script) -> None:
        """Puts a job behind those of its kind."""
        self.waiting.append((job, script))
        self.waiting.sort(key=lambda pair: ORDER[pair[0].kind])  # stable: first come, first served among equals
        self._tell_places()
        self._wake.set()

    def cancel(self, job: Job) -> None:
        """Ends a job: at once while it waits, else at the next tile."""
        if job.over or job.cancelled:
            return
        job.cancelled = True
        if job is self.running:
            self.hand.cancel(job)
            return
        self.waiting = [pair for pair in self.waiting if pair[0] is not job]
        job.end("cancelled", e.Cancelled())
        self._tell_places()

    def _tell_places(self) -> None:
        busy = int(self.running is not None)
        for place, (job, _) in enumerate(self.waiting):
            if not job.events or job.place != place + busy:
                job.place = place + busy
                job.tell("queued", e.Queued(place=job.place))

    async def work(self, *, warm: bool) -> None:
        """Does what comes, for ever; `warm` sees to it that the process is there before it is needed."""
        while True:
            self._wake.clear()
            if self.waiting:
                self.running, script = self.waiting.pop(0)
                self.running.state, self.running.place = "working", 0
                self._tell_places()
                await self._run(self.running, script)
                self.running = None
            elif not warm or await self._started():
                await self._wake.wait()

    async def _started(self) -> bool:
        try:
            await self.hand.start()
        except Refusal as error:
            if error.code != WRONG_DEVICE:
                log.error("the working process does not start: %s; see %s", error, self.hand.log)
            await asyncio.sleep(PAUSE_S)
            return False
        return True

    async def _run(self, job: Job, script: Script) -> None:
        last: tuple[e.JobState, Model]
        try:
            last = "done", await script(Desk(job, self.hand))
        except Cancelled:
            last = "cancelled", e.Cancelled(variants=tuple(job.variants))
        except (Refusal, SfumatoError) as error:
            told = error if isinstance(error, Refusal) else refusal(error)
            last = "error", told.problem
            if job.cancelled:  # the process did not stop by itself
                last = "cancelled", e.Cancelled(variants=tuple(job.variants))
        except Exception as error:  # noqa: BLE001 (the last border: whatever it is ends the job, and not the lane)
            if isinstance(error, OSError) and error.errno in FULL:
                told = disk_full(error)
            else:
                self.hand.note(job.kind, error)
                told = unforeseen(error, "A mistake of the studio: the job could not be done.")
            last = "error", told.problem
        job.end(*last)
