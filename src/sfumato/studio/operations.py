"""What a route is: the application, openapi.json and docs/studio-api.md are made from the same values.

The operations themselves stand below their handlers, in `pages`, `pictures`, `variants`, `results`, `batches` and
`training`; `app` puts them together.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from .problems import ANYWHERE, Refusal
from .schema import Model
from .store import Holding, Session
from .studio import Studio

PICTURE = ("image/jpeg", "image/webp")
"""A picture to look at: WebP where there is transparency, else JPEG."""
EVENTS = "text/event-stream"
WORK = ("no_memory", "worker_died", "failed")
"""What can go wrong in the process that works, for answers that wait for it."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A value after the question mark."""

    name: str
    kind: Literal["string", "integer", "boolean"]
    about: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request on its way through a handler."""

    studio: Studio
    request: Request
    session_id: str
    body: Any = None
    """The model that the operation names, checked."""

    @property
    def session(self) -> Session:
        """The session of the browser, perhaps an empty one."""
        return self.studio.store.session(self.session_id)

    @property
    def id(self) -> str:
        """What stands for `{id}` in the path: something to look up, never a part of a path."""
        return str(self.request.path_params["id"])

    @property
    def holding(self) -> Holding:
        """The picture that the path names.

        Raises:
            Refusal: there is none.
        """
        return self.session.holding(self.id)

    @property
    def chunks(self) -> AsyncIterator[bytes]:
        """The raw body as it comes."""
        return coming(self.request, self.studio.settings.stall_s)

    def query(self, name: str, default: str = "") -> str:
        """A value after the question mark."""
        return self.request.query_params.get(name, default)

    def number(self, name: str) -> int:
        """A number after the question mark, 0 if there is none.

        Raises:
            Refusal: it is no number.
        """
        text = self.query(name, "0")
        if not (text.isascii() and text.isdecimal() and len(text) < 12):
            raise Refusal("bad_request", f"{name} {text[:40]!r} is not a whole number from 0 on.")
        return int(text)


async def coming(request: Request, stall_s: float) -> AsyncIterator[bytes]:
    """The body of a request as it comes.

    Raises:
        Refusal: nothing of it came for `stall_s` seconds.
        ClientDisconnect: whoever sent it has gone.
    """
    chunks = request.stream()
    while True:
        try:
            yield await asyncio.wait_for(anext(chunks), stall_s)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refusal("bad_request", "The rest of the request does not come.", "Send it again.") from None


Handler = Callable[[Call], Awaitable[Model | Response | None]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path."""

    handler: Handler
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    about: str
    answer: type[Model] | tuple[str, ...] | None
    """A model, media types, or None: nothing."""
    status: int = 200
    body: type[Model] | tuple[str, ...] | None = None
    """A model as JSON, media types of a raw body, or None."""
    query: tuple[Query, ...] = ()
    errors: tuple[str, ...] = ()
    """Codes of `problems.CODES`, beside those that any route can answer."""
    events: dict[str, type[Model]] = field(default_factory=dict)
    """Of an event stream: the model of the data of each event."""

    @property
    def name(self) -> str:
        """Its name in openapi.json."""
        return self.handler.__name__

    @property
    def changes(self) -> bool:
        """Whether it may change something, so that it needs the header of the studio's own page."""
        return self.method != "GET"

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes that it can answer."""
        of_json = ("too_big", "wrong_option") if isinstance(self.body, type) else ()
        return tuple(dict.fromkeys((*self.errors, *of_json, *(("disk_full",) if self.changes else ()), *ANYWHERE)))
