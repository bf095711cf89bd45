"""A job: work that takes a while, and all that happened to it, for those who listen now and those who come back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from statistics import median
from typing import ClassVar

from . import events as e
from .schema import File, Id, Model, Problem
from .store import new_id

KEEP_ALIVE_S = 15.0
"""Seconds without news after which a listener is told so, which shows whether it is still there."""


class Job:
    """One piece of work that a session wants.

    Args:
        kind: what it is.
        session: id of who wants it.
        photo: id of what it is done to, if that is one picture.
    """

    told: ClassVar[int] = 0
    """Number of the last event of any job: those of all jobs together have an order."""

    def __init__(self, kind: e.JobKind, session: Id, photo: Id | None) -> None:
        self.id, self.kind, self.session, self.photo = new_id(), kind, session, photo
        self.state: e.JobState = "queued"
        self.place = 0
        self.progress = e.Progress(done=0.0, item=1, items=1, seconds_left=None)
        self.variants: list[Id] = []
        self.kept: tuple[Id, ...] = ()
        self.files: list[File] = []
        self.problem: Problem | None = None
        self.cancelled = False
        """Whether it is to end, or has ended so."""
        self.ended: float | None = None
        """When, in seconds since 1970."""
        self.listeners = 0
        self.leaving: asyncio.TimerHandle | None = None
        """What ends it when nobody has listened for a while."""
        self.events: list[tuple[int, str, Model]] = []
        self.clock = Clock()
        self.bell = Bell()
        self.on_news: Callable[[], None] = _unheard
        """Called when something happened to it."""

    @property
    def over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.ended is not None

    def tell(self, name: str, data: Model) -> None:
        """Adds an event; one that only says how far the work is takes the place of the one before."""
        Job.told += 1
        passing = ("queued", "progress")
        if self.events and name in passing and self.events[-1][1] == name:
            self.events.pop()
        self.events.append((Job.told, name, data))
        if name in e.LAST:
            self.ended = time.time()
        self.bell.ring()
        self.on_news()

    def end(self, state: e.JobState, data: Model) -> None:
        """Ends it, with its last event."""
        self.state = state
        self.problem = data if isinstance(data, Problem) else None
        self.tell(state, data)

    async def listen(self, after: int) -> AsyncIterator[tuple[int, str, Model] | None]:
        """Events with numbers above `after`, as they come, up to the last; None now and then while nothing happens."""
        while True:
            news = self.bell.next
            for number, name, data in [event for event in self.events if event[0] > after]:
                after = number
                yield number, name, data
            if self.over:
                return
            if not await rung(news):
                yield None

    def view(self) -> e.Job:
        """What a client is told of it."""
        steps = 1000
        return e.Job(
            id=self.id,
            kind=self.kind,
            photo=self.photo,
            state=self.state,
            place=self.place,
            done=round(self.progress.done * steps),
            total=steps,
            seconds_left=self.progress.seconds_left,
            variants=tuple(self.variants),
            kept=self.kept,
            files=tuple(self.files),
            problem=self.problem,
        )

    def advance(self, share: float, item: int, items: int) -> None:
        """Tells how far it is: `share` of item number `item`, from 1 on, of so many."""
        left = self.clock.left(share, item, items)
        whole = min(1.0, (item - 1 + share) / items)
        self.progress = e.Progress(done=whole, item=item, items=items, seconds_left=left)
        self.tell("progress", self.progress)


class Bell:
    """Wakes all who wait for the next time that it rings."""

    def __init__(self) -> None:
        self.next = asyncio.Event()
        """Is set then."""

    def ring(self) -> None:
        """Wakes them."""
        self.next.set()
        self.next = asyncio.Event()


def _unheard() -> None:
    """Tells nobody else."""


async def rung(news: asyncio.Event) -> bool:
    """Waits until something happens, but not for ever; whether it did."""
    try:
        await asyncio.wait_for(news.wait(), KEEP_ALIVE_S)
    except TimeoutError:
        return False
    return True


class Clock:
    """How long the rest of a job will take, by what it took so far."""

    def __init__(self) -> None:
        self.item, self.began, self.took = 0, 0.0, list[float]()

    def left(self, share: float, item: int, items: int) -> float | None:
        """Seconds left: items to come take the median of those that are done; None before anything is known."""
        now = time.monotonic()
        if item != self.item:
            if self.item:
                self.took.append(now - self.began)
            self.item, self.began = item, now
        passed = now - self.began
        usual = median(self.took) if self.took else passed / share if share > 0.02 else None
        if usual is None:
            return None
        rest = max(usual - passed, 0.0) if self.took and share <= 0.02 else passed * (1 - share) / max(share, 0.02)
        return round(rest + usual * (items - item), 1)
