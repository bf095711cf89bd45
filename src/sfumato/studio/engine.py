"""The queue of jobs and the two processes that do the work.

One does all that takes long, one piece at a time. The other answers at once: what a slider asks for must not wait until
a variant is done. Both come back when they die; a job that one of them dies over ends with a sentence.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import Cancelled, SfumatoError
from . import disk
from . import events as e
from .hand import Hand
from .job import Job
from .problems import Refusal, refusal
from .schema import Model
from .settings import Settings
from .store import Store
from .wire import Message

log = logging.getLogger(__name__)

REMEMBERED_S, REMEMBERED = 3600.0, 500
"""How long, and how many jobs that have ended can still be asked for."""
ORDER: dict[e.JobKind, int] = {"parse": 0, "export": 1, "variants": 1, "stylize": 1, "texture": 2, "batch": 3}
"""What comes first among jobs that wait: short ones."""
UNCOUNTED: tuple[e.JobKind, ...] = ("parse",)
"""Jobs that no limit holds up: there are never more of them than pictures; nor do they end when nobody listens."""


Item = tuple[int, int]
"""Number of an item of a job, from 1 on, and how many there are."""
ONLY: Item = (1, 1)


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
        values, _ = await self.hand.call(op, given, hear)
        self.job.state = "working"
        advance(1.0)
        return values


Script = Callable[[Desk], Awaitable[e.Done]]
"""What a job does; what it returns is its last event."""


class Engine:
    """All jobs of all sessions.

    Args:
        settings: of the studio.
        store: the sessions.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.heavy, self.quick = (
            Hand(name, device=settings.device, folder=store.passing, cancel_s=settings.cancel_s)
            for name in ("heavy", "quick")
        )
        self.jobs: dict[str, Job] = {}
        self.waiting: list[tuple[Job, Script]] = []
        self.running: Job | None = None
        self.closing = asyncio.Event()
        self._latest: dict[tuple[str, str], object] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to work on what comes."""
        self._tasks = [asyncio.ensure_future(self._work()), asyncio.ensure_future(self._tidy())]

    async def close(self) -> None:
        """Ends all jobs and both processes."""
        self.closing.set()
        for job in list(self.jobs.values()):
            if not job.over:
                job.cancelled = True
                self._end(job, "cancelled", e.Cancelled(variants=tuple(job.variants)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.heavy.close(), self.quick.close())

    def submit(self, job: Job, script: Script) -> Job:
        """Puts a job into the queue.

        Raises:
            Refusal: too many wait already.
        """
        if self.closing.is_set():
            raise Refusal("not_ready", "The studio is ending.")
        if job.kind not in UNCOUNTED:
            self._check_room(job.session)
        self.jobs[job.id] = job
        self.waiting.append((job, script))
        self.waiting.sort(key=lambda pair: ORDER[pair[0].kind])  # stable: first come, first served among equals
        self._tell_places()
        self._wake.set()
        return job

    def _check_room(self, session: str) -> None:
        counted = [job for job, _ in self.waiting if job.kind not in UNCOUNTED]
        own = [job for job in [*counted, self.running] if job is not None and job.session == session]
        left = self.running.progress.seconds_left if self.running is not None else None
        retry_s = min(max(left or 10.0, 1.0), 120.0)
        if len(counted) >= self.settings.queue:
            raise Refusal("busy", f"{len(counted)} jobs wait already.", "Try again in a moment.", retry_s=retry_s)
        if len(own) >= self.settings.limits.waiting:
            hint = "Wait for one of them, or cancel it."
            raise Refusal("busy", f"This session has {len(own)} jobs that wait already.", hint, retry_s=retry_s)

    def _tell_places(self) -> None:
        busy = int(self.running is not None)
        for place, (job, _) in enumerate(self.waiting):
            if not job.events or job.place != place + busy:
                job.place = place + busy
                job.tell("queued", e.Queued(place=job.place))

    def cancel(self, job: Job) -> None:
        """Ends a job: at once while it waits, else at the next tile."""
        if job.over or job.cancelled:
            return
        job.cancelled = True
        if job is self.running:
            self.heavy.cancel()
            return
        self.waiting = [pair for pair in self.waiting if pair[0] is not job]
        self._end(job, "cancelled", e.Cancelled())
        self._tell_places()

    def of_session(self, session: str, photo: str | None = None) -> list[Job]:
        """Jobs of a session, or of one of its pictures, the last one first."""
        found = [job for job in self.jobs.values() if job.session == session and photo in (None, job.photo)]
        return found[::-1]

    def left(self, job: Job) -> None:
        """One who listened to a job has gone: if nobody comes back soon nobody wants it."""
        job.listeners -= 1
        if job.listeners == 0 and not job.over and job.kind not in UNCOUNTED and not self.closing.is_set():
            asyncio.get_running_loop().call_later(self.settings.leave_s, self._end_if_alone, job)

    def _end_if_alone(self, job: Job) -> None:
        if job.listeners == 0:
            self.cancel(job)

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            if not self.waiting:
                await self._ready()
                await self._wake.wait()
                continue
            self.running, script = self.waiting.pop(0)
            self.running.state, self.running.place = "working", 0
            self._tell_places()
            await self._run(self.running, script)
            self.running = None

    async def _ready(self) -> None:
        """Sees to it that the process is there before it is needed."""
        try:
            await self.heavy.start()
        except Refusal as error:
            log.error("the working process does not start: %s; see %s", error, self.heavy.log)
            await asyncio.sleep(5)

    async def _run(self, job: Job, script: Script) -> None:
        last: tuple[e.JobState, Model]
        try:
            last = "done", await script(Desk(job, self.heavy))
        except Cancelled:
            last = "cancelled", e.Cancelled(variants=tuple(job.variants))
        except (Refusal, SfumatoError) as error:
            told = error if isinstance(error, Refusal) else refusal(error)
            last = "error", told.problem
            if job.cancelled:  # the process did not stop by itself
                last = "cancelled", e.Cancelled(variants=tuple(job.variants))
        except Exception:
            log.exception("a job of kind %s failed", job.kind)
            last = "error", Refusal("unexpected", "A mistake of the studio: the job could not be done.").problem
        self._end(job, *last)

    def _end(self, job: Job, state: e.JobState, data: Any) -> None:
        job.state = state
        job.problem = data if state == "error" else None
        job.tell(state, data)

    async def live(self, session: str, op: str, given: Message) -> tuple[Message, bytes]:
        """Has a small piece of work done at once, before all jobs.

        Raises:
            Refusal: it could not be done, or a newer wish of the same kind has come.
        """
        ticket, key = object(), (session, op)
        self._latest[key] = ticket
        while self.quick.busy:
            await self.quick.freed()
            if self._latest[key] is not ticket:
                raise Refusal("superseded", "A newer request took the place of this one.")
        return await self.quick.call(op, given)

    async def _tidy(self) -> None:
        """Now and then: forgets old jobs, ends the quick process when it is idle, and old sessions."""
        while True:
            await asyncio.sleep(min(60.0, self.settings.idle_s))
            now = time.time()
            ended = sorted((job for job in self.jobs.values() if job.ended is not None), key=lambda job: job.ended or 0)
            for place, job in enumerate(reversed(ended)):
                if place >= REMEMBERED or now - (job.ended or now) > REMEMBERED_S:
                    del self.jobs[job.id]
            if time.monotonic() - self.quick.idle_since > self.settings.idle_s:
                await self.quick.rest()
            busy = frozenset(job.session for job in self.jobs.values() if not job.over)
            for folder in self.store.sweep(busy):
                await asyncio.to_thread(disk.clear, folder)
