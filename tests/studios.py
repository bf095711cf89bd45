"""Studios on a free port, and browsers that talk to them by HTTP."""

import asyncio
import contextlib
import http.client
import io
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from stylizers import made_photo

from sfumato.studio.app import OPERATIONS
from sfumato.studio.problems import CODES
from sfumato.studio.serving import Server, bound
from sfumato.studio.settings import Settings
from sfumato.studio.studio import Studio

OWN = {"X-Studio": "1"}
WAIT_S = float(os.environ.get("SFUMATO_STUDIO_WAIT_S", "100"))
"""Longer where the machine is busy with other things."""


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return self.json["error"]


def check_documented(method: str, path: str, answer: Answer) -> None:
    """Whether an operation answers with a problem that its documents name."""
    if answer.status < 400 or not answer.headers.get("content-type", "").startswith("application/json"):
        return
    if answer.json.get("error", "wrong_host") == "wrong_host":
        return
    for operation in OPERATIONS:
        place = re.sub(r"\{\w+(:int)?\}", "[^/]+", operation.path)
        if operation.method == method and re.fullmatch(place, path.partition("?")[0]):
            assert answer.error in operation.codes, f"{method} {path}: {answer.error} is not documented"
            assert answer.status == CODES[answer.error][0]


@dataclass
class Running:
    """A studio that runs in a thread."""

    studio: Studio
    port: int
    told: list[str]
    loop: asyncio.AbstractEventLoop
    server: Server

    def browser(self) -> "Browser":
        """A new one, which has a session."""
        made = Browser(self.port)
        made.ask("GET", "/api/examples")
        return made

    def ready(self) -> None:
        """Waits for the worker."""
        until(lambda: Browser(self.port).ask("GET", "/api/health").status == 200)


@contextlib.contextmanager
def running(home: Path, **chosen: Any) -> Iterator[Running]:
    """A studio of its own."""
    begun, told = threading.Event(), list[str]()
    place = bound("127.0.0.1", 0)
    held: dict[str, Any] = {}

    async def run() -> None:
        async with Studio(Settings(home=home, device="cpu", **chosen), told.append) as studio:
            studio.access.address = f"http://127.0.0.1:{place.getsockname()[1]}"
            held.update(studio=studio, server=Server(studio), loop=asyncio.get_running_loop())
            begun.set()
            await held["server"].serve([place])

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert begun.wait(WAIT_S)
        yield Running(held["studio"], place.getsockname()[1], told, held["loop"], held["server"])
    finally:
        held["server"].should_exit = True
        thread.join(WAIT_S)
        place.close()
    assert not thread.is_alive()


@dataclass
class Browser:
    """One that keeps its cookies and sends the header of the studio's own page."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, *, own: bool = True
    ) -> Answer:
        """One request; a body that is no bytes is sent as JSON."""
        sent = (OWN if own else {}) | {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request(method, path, body, sent | (headers or {}))
            got = connection.getresponse()
            made = got.headers.get_all("set-cookie") or []
            for one in made:
                name, _, rest = one.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            found = {name.lower(): value for name, value in got.getheaders()}
            answer = Answer(got.status, found, got.read(), made)
        finally:
            connection.close()
        check_documented(method, path, answer)
        return answer

    def get(self, path: str) -> Any:
        """The JSON of a page that must be there."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, path: str, body: Any, status: int = 202) -> Any:
        """The JSON of an answer to a body."""
        answer = self.ask("POST", path, body)
        assert answer.status == status, answer.body
        return answer.json

    def upload(self, content: bytes, query: str = "?parts=0") -> Any:
        """A picture that must be taken."""
        answer = self.ask("POST", f"/api/photos{query}", content)
        assert answer.status == 201, answer.body
        return answer.json

    def listen(self, path: str, after: int | None = None) -> Iterator[tuple[int, str, Any]]:
        """Events as they come; closing the iterator hangs up."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request("GET", path, headers=headers)
            got = connection.getresponse()
            assert (got.status, got.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            event: dict[str, str] = {}
            for line in iter(got.readline, b""):
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif "data" in event:
                    yield int(event["id"]), event["event"], json.loads(event["data"])
                    event = {}
        finally:
            connection.close()

    def finish(self, job: Any) -> tuple[str, Any]:
        """The last event of a job."""
        *_, (_, name, data) = self.listen(f"/api/jobs/{job['id']}/events")
        return name, data

    def done(self, job: Any) -> Any:
        """What `done` says of a job that must succeed."""
        name, data = self.finish(job)
        assert name == "done", data
        return data


def until(true: Any, wait_s: float = WAIT_S) -> None:
    """Waits for something to be true."""
    end = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def encoded(pixels: np.ndarray, form: str = "PNG", **settings: Any) -> bytes:
    """A picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **settings)
    return buffer.getvalue()


def photo(width: int = 160, height: int = 120, form: str = "JPEG", **settings: Any) -> bytes:
    """A picture file of some photograph."""
    return encoded(made_photo(height, width), form, **settings)


def opened(content: bytes) -> Image.Image:
    """The picture in a file."""
    return Image.open(io.BytesIO(content))
