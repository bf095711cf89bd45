"""Files and events on their way to the browser: of the types that are said here, whatever is in them."""

import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from . import events as e
from .engine import Engine
from .job import Job, rung
from .operations import EVENTS
from .schema import Id, Model
from .store import gone

ARCHIVE = "application/zip"
TYPES = {
    ".avif": "image/avif",
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".zip": ARCHIVE,
}
"""Media types by extension; files of others are not sent."""
PIECE = 1 << 20
"""Bytes of a file that are read at once."""
FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}
"""Of pictures that never change under their id."""


def file(path: Path, headers: dict[str, str] | None = None, *, name: str | None = None) -> Response:
    """A file of the studio; with a name it is one to save.

    Raises:
        Refusal: it is not there.
    """
    if not path.is_file():
        raise gone("file")
    kind = "attachment" if name is not None else "inline"
    return FileResponse(path, 200, headers, TYPES[path.suffix], filename=name, content_disposition_type=kind)


def fresh(request: Request, path: Path) -> Response:
    """A file that may change under its address: a browser keeps it, asks each time, and has 304 while it is the same.

    Raises:
        Refusal: it is not there.
    """
    made = file(path, {"cache-control": "private, no-cache"})
    status = path.stat()
    made.headers["etag"] = f'"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"'
    if made.headers["etag"] in (one.strip() for one in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers={name: made.headers[name] for name in ("etag", "cache-control")})
    return made


def picture(folder: Path, stem: str) -> Response:
    """A picture that was made to be looked at, `stem` with one of its two extensions.

    Raises:
        Refusal: it is not there.
    """
    found = next((path for path in (folder / f"{stem}.jpg", folder / f"{stem}.webp") if path.is_file()), None)
    if found is None:
        raise gone("picture")
    return file(found, FOR_EVER)


class Sink(io.RawIOBase):
    """A file that is written from its beginning to its end, and taken away piece by piece."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, content: Any) -> int:
        """Takes bytes."""
        self.held += content
        return len(content)

    def taken(self) -> bytes:
        """What was written since it was taken last."""
        made, self.held = bytes(self.held), bytearray()
        return made


def archive(name: str, files: Sequence[tuple[str, Path]]) -> Response:
    """A ZIP archive of files, each under its name, made while it is sent; pictures are compressed already.

    Raises:
        Refusal: none of them is there.
    """
    there = [(inner, path) for inner, path in files if path.is_file()]
    if not there:
        raise gone("file")
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(zipped(there), 200, headers, ARCHIVE)


def zipped(files: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    """The bytes of a ZIP archive of files under their names; a name that comes again gets a number."""
    sink, used = Sink(), set[str]()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as target:
        for name, path in files:
            head = zipfile.ZipInfo.from_file(path, unused(name, used))
            with path.open("rb") as source, target.open(head, "w") as entry:
                while content := source.read(PIECE):
                    entry.write(content)
                    yield sink.taken()
    yield sink.taken()


def unused(name: str, used: set[str]) -> str:
    """The name, with a number if it is taken; takes it."""
    path, number = Path(name), 2
    while name.lower() in used:
        name, number = f"{path.stem}-{number}{path.suffix}", number + 1
    used.add(name.lower())
    return name


def frame(number: int, name: str, data: Model) -> str:
    """An event of a stream."""
    return f"id: {number}\nevent: {name}\ndata: {data.model_dump_json()}\n\n"


def stream(frames: AsyncIterator[str]) -> Response:
    """An event stream."""
    return StreamingResponse(frames, media_type=EVENTS, headers={"x-accel-buffering": "no"})


async def of_session(engine: Engine, session: Id, after: int) -> AsyncIterator[str]:
    """The events of all jobs of a session with numbers above `after`, as a stream until the studio ends.

    From 0 on those of jobs that have ended, too, while they are remembered. While it lasts somebody listens to all.
    """
    heard = dict[Id, Job]()
    try:
        yield "retry: 1000\n\n"
        while True:
            news, found = engine.bell.next, list[tuple[int, e.JobNews]]()
            for job in engine.of_session(session):
                if job.id not in heard:
                    engine.came(job)
                    heard[job.id] = job
                for number, name, data in (event for event in job.events if event[0] > after):
                    told = e.JobNews.model_validate({"job": job.id, "event": name, "data": data})
                    found.append((number, told))
            for number, told in sorted(found, key=lambda one: one[0]):
                after = number
                yield frame(number, "job", told)
            if engine.closing.is_set():
                return
            if not await rung(news):
                yield ": \n\n"
    finally:
        for job in heard.values():
            engine.left(job)


async def of_job(engine: Engine, job: Job, after: int) -> AsyncIterator[str]:
    """The events of a job as a stream; the engine knows that somebody listens, and when this one has gone."""
    engine.came(job)
    try:
        yield "retry: 1000\n\n"
        async for event in job.listen(after):
            yield ": \n\n" if event is None else frame(*event)
    finally:
        engine.left(job)
