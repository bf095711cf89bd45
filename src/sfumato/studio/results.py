"""Jobs and what comes of them: events, and files to take away."""

from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response

from . import disk, sending
from . import events as e
from . import requests as r
from . import schema as s
from .job import Job
from .lane import ONLY, Desk, Item
from .operations import EVENTS, PICTURE, Call, Operation
from .problems import Refusal
from .store import Session, gone, new_id
from .wire import Message

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "avif": ".avif"}
STREAM_END = 204
"""What an EventSource is answered that comes back for more of a job that is over: it stops then."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A file to come.

    Attributes:
        op: the piece of work that writes it to `out`.
        photo: name of the picture that it is made of.
        what: was done to it.
        save: how it is written.
    """

    op: str
    photo: str
    what: str
    save: r.SaveOptions

    @property
    def name(self) -> str:
        """What the browser saves it as."""
        what = "".join(sign if sign.isalnum() else "-" for sign in self.what).strip("-")
        return f"{Path(self.photo).stem}-{what}{SUFFIXES[self.save.format]}"


async def keep_result(desk: Desk, call: Call, given: Message, result: Result, at: Item = ONLY) -> s.File:
    """Has a file made, and keeps it in the session."""
    file_id, session, studio = new_id(), call.studio.store.begun(call.session_id), call.studio
    session.check_bytes(studio.limits)
    folder = disk.private(session.place(file_id))
    out = folder / f"data{SUFFIXES[result.save.format]}"
    given = given | {"out": str(out), "save": result.save.model_dump(), "side": studio.limits.work_side}
    try:
        values = await desk.call(result.op, given, at)
        file = s.File(
            id=file_id,
            name=result.name,
            type=sending.TYPES[out.suffix],
            bytes=values["bytes"],
            width=values["width"],
            height=values["height"],
            note=values["note"],
        )
        session.add_file(file)
    except BaseException:
        disk.clear(folder)
        raise
    desk.job.files.append(file)
    await studio.measure(session)
    return file


async def jobs(call: Call) -> e.Jobs:
    """Jobs of the session."""
    return e.Jobs(jobs=tuple(job.view() for job in call.studio.engine.of_session(call.session_id)))


def found(call: Call) -> Job:
    """The job that the path names.

    Raises:
        Refusal: there is none in this session.
    """
    job = call.studio.engine.jobs.get(call.id)
    if job is None or job.session != call.session_id:
        raise gone("job")
    return job


async def job(call: Call) -> e.Job:
    """Where a job is."""
    return found(call).view()


async def cancel(call: Call) -> e.Job:
    """Ends a job."""
    wanted = found(call)
    call.studio.engine.cancel(wanted)
    return wanted.view()


async def events(call: Call) -> Response:
    """What happens to a job."""
    wanted, last = found(call), last_heard(call)
    if wanted.over and wanted.events[-1][0] <= last:
        return Response(status_code=STREAM_END)
    return sending.stream(sending.of_job(call.studio.engine, wanted, last))


def last_heard(call: Call) -> int:
    """Number of the last event that a client has heard; 0 if it heard none, or heard it of another studio.

    Raises:
        Refusal: it is no number.
    """
    last = call.request.headers.get("last-event-id", "0")
    if not (last.isascii() and last.isdecimal() and len(last) < 12):
        raise Refusal("bad_request", f"Last-Event-ID {last[:40]!r} is no number.")
    return int(last) if int(last) <= Job.told else 0


async def all_events(call: Call) -> Response:
    """What happens to the jobs of the session."""
    return sending.stream(sending.of_session(call.studio.engine, call.session_id, last_heard(call)))


async def files(call: Call) -> s.Files:
    """Results of the session."""
    return s.Files(files=tuple(reversed(call.session.files.values())))


def data_of(session: Session, wanted: s.File) -> Path:
    """Where the data of a result are."""
    suffix = next(suffix for suffix, kind in sending.TYPES.items() if kind == wanted.type and suffix != ".jpeg")
    return session.place(wanted.id) / f"data{suffix}"


async def file(call: Call) -> Response:
    """A result, as an attachment."""
    session, wanted = call.session, call.session.file(call.id)
    if wanted.holds:
        held = [session.files[one] for one in wanted.holds if one in session.files]
        return sending.archive(wanted.name, [(one.name, data_of(session, one)) for one in held])
    return sending.file(data_of(call.session, wanted), name=wanted.name)


async def file_thumb(call: Call) -> Response:
    """A result, small."""
    return sending.picture(call.session.place(call.session.file(call.id).id), "thumb")


async def file_preview(call: Call) -> Response:
    """A result to look at."""
    return sending.picture(call.session.place(call.session.file(call.id).id), "preview")


async def delete_file(call: Call) -> None:
    """Forgets a result."""
    call.session.drop_files([call.session.file(call.id).id])
    await call.studio.measure(call.session)


async def delete_files(call: Call) -> None:
    """Forgets all results."""
    call.session.drop_files(list(call.session.files))
    await call.studio.measure(call.session)


OPERATIONS = (
    Operation(
        handler=jobs,
        method="GET",
        path="/api/jobs",
        answer=e.Jobs,
        about="Jobs of the session that wait or run, and those that ended of late; the last one first.",
    ),
    Operation(
        handler=job,
        method="GET",
        path="/api/jobs/{id}",
        answer=e.Job,
        errors=("not_found",),
        about="Where a job is.",
    ),
    Operation(
        handler=cancel,
        method="DELETE",
        path="/api/jobs/{id}",
        answer=e.Job,
        errors=("not_found",),
        about="Cancels a job; what is done stays. The event `cancelled` says when it has stopped.",
    ),
    Operation(
        handler=events,
        method="GET",
        path="/api/jobs/{id}/events",
        answer=(EVENTS,),
        events=e.JOB_EVENTS,
        errors=("not_found",),
        about="What happens to a job, from its beginning or, with the header Last-Event-ID, from there on. Ends with"
        " `done`, `cancelled` or `error`; who comes back after that gets 204. If the last listener goes away and none"
        " comes back within 10 seconds the job is cancelled, but for one that looks for parts.",
    ),
    Operation(
        handler=all_events,
        method="GET",
        path="/api/events",
        answer=(EVENTS,),
        events={"job": e.JobNews},
        about="What happens to all jobs of the session, by one connection, since browsers open only six to a server."
        " Begins with what happened to those that GET /api/jobs lists or, with the header Last-Event-ID, after that"
        " event; does not end. Who listens to it listens to each of them.",
    ),
    Operation(
        handler=files,
        method="GET",
        path="/api/files",
        answer=s.Files,
        about="Results of the session, the last one first.",
    ),
    Operation(
        handler=file,
        method="GET",
        path="/api/files/{id}",
        answer=("image/png", "image/jpeg", "image/webp", "image/avif", "application/zip"),
        errors=("not_found",),
        about="A result, as an attachment.",
    ),
    Operation(
        handler=file_thumb,
        method="GET",
        path="/api/files/{id}/thumb",
        answer=PICTURE,
        errors=("not_found",),
        about="At most 320 pixels a side; not of archives.",
    ),
    Operation(
        handler=file_preview,
        method="GET",
        path="/api/files/{id}/preview",
        answer=PICTURE,
        errors=("not_found",),
        about="A result to look at, at most the working size; not of archives.",
    ),
    Operation(
        handler=delete_file,
        method="DELETE",
        path="/api/files/{id}",
        status=204,
        answer=None,
        errors=("not_found",),
        about="Forgets a result; an archive no longer holds it, and one that holds nothing more is forgotten, too.",
    ),
    Operation(
        handler=delete_files,
        method="DELETE",
        path="/api/files",
        status=204,
        answer=None,
        about="Forgets all results of the session, and their bytes no longer count.",
    ),
)
