"""All jobs, and the two processes that do the work.

One does what takes long. The other answers at once: a slider, or the parts of a photo that has just come, must not wait
until a variant is done. Both come back when they die; a job that one of them dies over ends with a sentence.
"""

import asyncio
import logging
import time

from . import disk
from . import events as e
from .hand import Hand
from .job import Bell, Job
from .lane import Lane, Script
from .problems import Refusal
from .settings import Settings
from .store import Store
from .wire import Message

log = logging.getLogger(__name__)

REMEMBERED_S, REMEMBERED = 3600.0, 500
"""How long, and how many jobs that have ended can still be asked for."""
TIDY_S = 60.0
LIVE_RETRY_S = 2.0
"""When to ask again for what is done at once."""
WARM: tuple[str, ...] = ("parser", "detector")
"""What `work.warm` loads before it is needed, one after the other."""
WARM_BYTES = 2_000_000_000
"""Memory that must be free for that, more than twice what it takes."""
QUICK: tuple[e.JobKind, ...] = ("parse",)
"""Jobs for the quick process. No limit holds them up, since there are never more than pictures; nor do they end when
nobody listens."""


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
        self.lanes = Lane(self.heavy), Lane(self.quick)
        self.jobs: dict[str, Job] = {}
        self.closing, self.bell = asyncio.Event(), Bell()
        self._latest: dict[tuple[str, str], object] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to work on what comes."""
        heavy, quick = self.lanes
        works = (heavy.work(warm=True), quick.work(warm=False), self._tidy())
        self._tasks = [asyncio.ensure_future(work) for work in works]

    async def warm(self) -> None:
        """Has the quick process load what the first photograph would wait for, in pieces between which real work comes.

        It only saves time: where memory is short, or it fails, everything is loaded once it is needed.
        """
        if self.heavy.facts["free"] < WARM_BYTES:
            return
        try:
            await self.quick.start()
            for piece in WARM:
                while self._latest or self.quick.busy:
                    await self.quick.freed()
                    await asyncio.sleep(0)  # until who waited as long has begun
                await self.quick.call("warm", {"piece": piece})
        except Refusal as error:
            log.info("nothing was loaded before it is needed: %s", error)

    async def close(self) -> None:
        """Ends all jobs and both processes."""
        self.closing.set()
        self.bell.ring()
        for job in list(self.jobs.values()):
            if not job.over:
                job.cancelled = True
                job.end("cancelled", e.Cancelled(variants=tuple(job.variants)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.heavy.close(), self.quick.close())

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return sum(len(lane.waiting) for lane in self.lanes)

    def lane(self, job: Job) -> Lane:
        """The one that a job waits in."""
        return self.lanes[job.kind in QUICK]

    def submit(self, job: Job, script: Script) -> Job:
        """Puts a job into its queue.

        Raises:
            Refusal: too many wait already.
        """
        if self.closing.is_set():
            raise Refusal("not_ready", "The studio is ending.")
        if job.kind not in QUICK:
            self.store.session(job.session).check_bytes(self.settings.limits)
            self._check_room(job.session)
        self.jobs[job.id], job.on_news = job, self.bell.ring
        self.lane(job).add(job, script)
        return job

    def settle(self, job: Job, done: e.Done) -> Job:
        """Takes in a job that has nothing to do: it waits for nothing, and those who ask hear that it is done."""
        self.jobs[job.id], job.on_news = job, self.bell.ring
        job.end("done", done)
        return job

    def _check_room(self, session: str) -> None:
        lane = self.lanes[0]
        left = lane.running.progress.seconds_left if lane.running is not None else None
        retry_s = min(max(left or 10.0, 1.0), 120.0)
        own = sum(job.session == session for job in lane.jobs)
        if own >= self.settings.limits.waiting:
            raise busy(f"This session has {own} jobs that wait already.", "Wait for one, or cancel it.", retry_s)
        if len(lane.waiting) >= self.settings.queue:
            raise busy(f"{len(lane.waiting)} jobs wait already.", "Try again in a moment.", retry_s)

    def cancel(self, job: Job) -> None:
        """Ends a job."""
        self.lane(job).cancel(job)

    def of_session(self, session: str, photo: str | None = None) -> list[Job]:
        """Jobs of a session, or of one of its pictures, the last one first."""
        found = [job for job in self.jobs.values() if job.session == session and photo in (None, job.photo)]
        return found[::-1]

    def came(self, job: Job) -> None:
        """Somebody listens to a job."""
        job.listeners += 1
        if job.leaving is not None:
            job.leaving.cancel()
            job.leaving = None

    def left(self, job: Job) -> None:
        """One who listened to a job has gone: if nobody comes back soon nobody wants it."""
        job.listeners -= 1
        if job.listeners == 0 and not job.over and job.kind not in QUICK and not self.closing.is_set():
            job.leaving = asyncio.get_running_loop().call_later(self.settings.leave_s, self.cancel, job)

    async def live(self, session: str, op: str, given: Message) -> tuple[Message, bytes]:
        """Has a small piece of work done at once, before all jobs.

        Raises:
            Refusal: it could not be done, or a newer wish of the same kind has come.
        """
        ticket, key = object(), (session, op)
        if key not in self._latest and len(self._latest) >= self.settings.queue:
            raise busy(f"{len(self._latest)} requests wait already.", "Try again in a moment.", LIVE_RETRY_S)
        self._latest[key] = ticket
        try:
            while self.quick.busy:
                await self.quick.freed()
                if self._latest.get(key) is not ticket:
                    raise Refusal("superseded", "A newer request took the place of this one.")
            return await self.quick.call(op, given)
        finally:
            if self._latest.get(key) is ticket:
                del self._latest[key]

    async def _tidy(self) -> None:
        """Now and then: forgets old jobs, ends the quick process when it is idle, and clears old sessions."""
        while True:
            await asyncio.sleep(min(TIDY_S, self.settings.idle_s))
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


def busy(message: str, hint: str, retry_s: float) -> Refusal:
    """Too much is asked at once."""
    return Refusal("busy", message, hint, retry_s=retry_s)
