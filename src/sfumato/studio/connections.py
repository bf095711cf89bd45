"""How many connections the studio holds open, and for how long one that asks nothing.

uvicorn's own limit refuses requests once it is reached, so that idle connections of anybody would shut out everybody.
Here whoever comes is let in, and what goes for it is a connection on which nothing is under way.
"""

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 128
"""Connections at once: twenty browsers open so many, and every system lends more files to a process."""
ASKING_S = 20.0
"""Seconds in which a connection must ask something, whole headers and all, else it is closed."""


class Connection(H11Protocol):
    """uvicorn's, but closed where it asks nothing for too long or where others need its place."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.since = self.loop.time()
        """When it last ended something, by the loop's clock."""
        self.limit: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is under way: none was read whole, or what was answered has left."""
        asks = self.cycle is not None and not self.cycle.response_complete
        return not asks and not self.transport.get_write_buffer_size()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection; one too many costs an idle one its place, perhaps this one."""
        super().connection_made(transport)
        self.watch()
        open_ones = [one for one in self.connections if isinstance(one, Connection) and not one.transport.is_closing()]
        if len(open_ones) > MOST and (idle := [one for one in open_ones if one.idle]):
            most_needless(idle).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets it."""
        self.unwatch()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """It asks nothing from now on, unless something came meanwhile."""
        super().on_response_complete()
        self.watch()

    def watch(self) -> None:
        """Gives it time to ask something."""
        self.unwatch()
        self.since = self.loop.time()
        self.limit = self.loop.call_later(ASKING_S, self.expire)

    def unwatch(self) -> None:
        """Ends the time that it has."""
        if self.limit is not None:
            self.limit.cancel()

    def expire(self) -> None:
        """Closes it if it asks nothing; what is under way is watched again when that ends."""
        if self.idle:
            self.transport.abort()
        elif self.cycle is None or self.cycle.response_complete:
            self.watch()  # an answer is still on its way


def most_needless(idle: list[Connection]) -> Connection:
    """Of connections the one that was idle for longest, among those of the address that has most of them."""
    counts = Counter(one.client and one.client[0] for one in idle)
    return max(idle, key=lambda one: (counts[one.client and one.client[0]], -one.since))
