"""Files and events on their way to the browser: of the types that are said here, whatever is in them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.responses import FileResponse, Response, StreamingResponse

from .job import Job
from .operations import EVENTS
from .schema import Model
from .store import gone

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
    ".zip": "application/zip",
}
"""Media types by extension; files of others are not sent."""
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


def picture(folder: Path, stem: str) -> Response:
    """A picture that was made to be looked at, `stem` with one of its two extensions.

    Raises:
        Refusal: it is not there.
    """
    found = next((path for path in (folder / f"{stem}.jpg", folder / f"{stem}.webp") if path.is_file()), None)
    if found is None:
        raise gone("picture")
    return file(found, FOR_EVER)


def frame(number: int, name: str, data: Model) -> str:
    """An event of a stream."""
    return f"id: {number}\nevent: {name}\ndata: {data.model_dump_json()}\n\n"


def stream(frames: AsyncIterator[str]) -> Response:
    """An event stream."""
    return StreamingResponse(frames, media_type=EVENTS, headers={"x-accel-buffering": "no"})


async def of_job(job: Job, after: int, left: Callable[[Job], None]) -> AsyncIterator[str]:
    """The events of a job as a stream; counts who listens, and calls `left` when this one has gone."""
    job.listeners += 1
    try:
        yield "retry: 1000\n\n"
        async for event in job.listen(after):
            yield ": \n\n" if event is None else frame(*event)
    finally:
        left(job)
