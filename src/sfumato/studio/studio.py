"""A studio that runs: its settings, sessions and queue, and what limits the reading of pictures."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from . import disk
from .access import Access
from .engine import Engine
from .schema import ModelInfo
from .settings import Settings
from .store import Session, Store

ResultT = TypeVar("ResultT")

READERS = 2
"""Pictures that are read at once."""


class Studio:
    """Everything that handlers share.

    Args:
        settings: how it is run.
        tell: takes a line for the one who started it.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None] = lambda _line: None) -> None:
        self.settings, self.limits = settings, settings.limits
        self.store = Store(settings.home, settings.store_bytes, settings.keep_days)
        self.engine = Engine(settings, self.store)
        self.access = Access(settings, tell)
        self.budget = Budget(settings.decode_bytes)
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self.forms: dict[str, Any] = {}
        """JSON schemas of options, once they were asked for."""
        self.models: dict[str, ModelInfo] = {}
        """Models by name, as they were last listed."""
        self.runs: dict[str, Path] = {}
        """Folders of trainings by their ids, as they were last listed."""

    async def __aenter__(self) -> Self:
        await self.engine.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.engine.close()
        self.readers.shutdown(cancel_futures=True)
        await asyncio.to_thread(self.store.wipe)

    async def read(self, work: Callable[..., ResultT], *given: Any, pixels: int = 0) -> ResultT:
        """Calls what reads or writes pictures in a thread, once there is memory for so many pixels."""
        async with self.budget.of(pixels * BYTES_PER_PIXEL):
            return await asyncio.get_running_loop().run_in_executor(self.readers, partial(work, *given))

    async def measure(self, session: Session) -> None:
        """Counts a session's bytes anew."""
        session.bytes = await asyncio.to_thread(disk.size_of, session.folder)


BYTES_PER_PIXEL = 28
"""Memory of a picture while it is read and made smaller, at most: 16 bits with transparency, the array and copies."""


class Budget:
    """Memory that is shared by all who ask for some and wait for their turn.

    Args:
        total: bytes.
    """

    def __init__(self, total: int) -> None:
        self.total, self.used = total, 0
        self._freed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def of(self, wanted: int) -> AsyncIterator[None]:
        """Inside, so many bytes are taken, or all if there are fewer."""
        share = min(wanted, self.total)
        async with self._freed:
            await self._freed.wait_for(lambda: self.used + share <= self.total)
            self.used += share
        try:
            yield
        finally:
            async with self._freed:
                self.used -= share
                self._freed.notify_all()
