"""Pictures of a session: they come, are looked at, their parts are found, a zone is sent."""

import asyncio
from pathlib import Path

from starlette.responses import Response

from . import disk, sending
from . import events as e
from . import schema as s
from .job import Job
from .lane import ONLY, Desk, Item
from .operations import PICTURE, Call, Operation, Query
from .problems import Refusal
from .receiving import brought, checked, named, taken, zone
from .store import UNSETTLED, Holding, Session, gone, new_id
from .studio import Studio

NO = ("0", "false", "no")


async def upload(call: Call) -> s.Photo:
    """Takes a picture into the session."""
    studio, limits = call.studio, call.studio.limits
    session = studio.store.begun(call.session_id)
    check_room(session, limits)
    session.coming += 1
    photo_id = new_id()
    folder, coming = session.folder / "photos" / photo_id, studio.store.passing / photo_id
    try:
        promised = call.request.headers.get("content-length", "")
        size = await taken(call.chunks, coming, limits.upload_bytes, promised)
        header = await studio.read(checked, coming, limits)
        name, pixels = named(call.query("name")), header.width * header.height
        photo = await studio.read(brought, coming, folder, header, name, limits, pixels=pixels)
    except BaseException:
        disk.clear(folder)
        raise
    finally:
        session.coming -= 1
        coming.unlink(missing_ok=True)
    holding = session.photos[photo_id] = Holding(folder, photo)
    session.bytes += 3 * size  # about; the true number is counted below
    if call.query("parts", "1").lower() not in NO:
        look_for_parts(studio, session, holding)
    await studio.measure(session)
    return holding.photo


def check_room(session: Session, limits: s.Limits) -> None:
    """Whether a session may have another picture.

    Raises:
        Refusal: it is full.
    """
    if len(session.photos) + session.coming >= limits.photos:
        message = f"The session has {limits.photos} pictures, the most it may have."
        raise Refusal("session_full", message, "Delete pictures that are no longer needed.")
    session.check_bytes(limits)


def look_for_parts(studio: Studio, session: Session, holding: Holding) -> Job:
    """Has the parts of a picture found."""
    job = Job("parse", session.id, holding.photo.id)

    async def script(desk: Desk) -> e.Done:
        try:
            return e.Done(status=await parsed(desk, holding, ONLY))
        except Refusal as error:
            holding.keep(status=s.Status(state="failed", problem=error.problem))
            raise

    holding.waits_for(job.id)
    return studio.engine.submit(job, script)


async def parsed(desk: Desk, holding: Holding, at: Item | None = None) -> s.Status:
    """The parts of a picture, found if nobody has yet, or if that is all that is wanted."""
    if at is None and holding.labels is not None:
        return holding.photo.status
    given = {"work": str(holding.folder / "work.png"), "folder": str(holding.folder)}
    status = s.Status.model_validate(await desk.call("parse", given, at))
    holding.keep(status=status)
    return status


async def photos(call: Call) -> s.Photos:
    """All pictures of the session."""
    found = sorted(call.session.photos.values(), key=lambda holding: -holding.photo.created)
    return s.Photos(photos=tuple(seen(call, holding) for holding in found))


async def photo(call: Call) -> s.Photo:
    """One of them."""
    return seen(call, call.holding)


def seen(call: Call, holding: Holding) -> s.Photo:
    """What a client is told of a picture now."""
    return holding.photo.model_copy(update={"status": state(call, holding)})


def state(call: Call, holding: Holding) -> s.Status:
    """What is known of the parts of a picture now."""
    status = holding.photo.status
    job = call.studio.engine.jobs.get(status.job or "")
    if job is None or job.over:
        return s.Status(state="none") if status.state in UNSETTLED else status
    at: dict[e.JobState, str] = {"loading": "loading", "working": "parsing"}
    return status.model_copy(update={"state": at.get(job.state, "waiting")})


async def delete_photo(call: Call) -> None:
    """Forgets a picture."""
    holding, engine = call.holding, call.studio.engine
    for job in engine.of_session(call.session_id, holding.photo.id):
        engine.cancel(job)
    call.session.drop(holding.photo.id)
    await call.studio.measure(call.session)


async def preview(call: Call) -> Response:
    """The photo at its working size."""
    return sending.picture(call.holding.folder, "preview")


async def photo_thumb(call: Call) -> Response:
    """The photo, small."""
    return sending.picture(call.holding.folder, "thumb")


async def labels(call: Call) -> Response:
    """The part of each pixel."""
    path = call.holding.labels
    if path is None:
        raise Refusal("not_found", "The parts of this picture are not known yet.", "Have them looked for.")
    return sending.fresh(call.request, path)


async def status(call: Call) -> s.Status:
    """What is known of its parts."""
    return state(call, call.holding)


async def find_parts(call: Call) -> e.Job:
    """Looks for its parts, again if need be."""
    holding = call.holding
    now = state(call, holding)
    if now.job is not None:
        return call.studio.engine.jobs[now.job].view()
    return look_for_parts(call.studio, call.session, holding).view()


async def mask(call: Call) -> Response:
    """The zone as it was sent."""
    path = call.holding.mask
    if path is None:
        raise gone("mask")
    return sending.file(path)


async def put_mask(call: Call) -> s.Mask:
    """Takes the zone of a picture."""
    studio, holding = call.studio, call.holding
    coming = studio.store.passing / new_id()
    try:
        promised = call.request.headers.get("content-length", "")
        await taken(call.chunks, coming, studio.settings.mask_bytes, promised)
        made = await studio.read(zone, coming, holding.folder / "mask.png", holding.photo.work)
    finally:
        await asyncio.to_thread(lambda: Path(coming).unlink(missing_ok=True))
    holding.keep(mask=made)
    return made


UPLOADS = ("image/jpeg", "image/png", "image/webp", "image/avif")
OPERATIONS = (
    Operation(
        handler=upload,
        method="POST",
        path="/api/photos",
        status=201,
        body=UPLOADS,
        answer=s.Photo,
        query=(
            Query(name="name", kind="string", about="The file's name, only to show."),
            Query(
                name="parts",
                kind="boolean",
                about="Whether to look for parts at once (default 1); 0 for styles, swatches, pictures of a batch.",
            ),
        ),
        errors=("too_big", "too_many_pixels", "not_a_picture", "too_small", "session_full", "disk_full"),
        about="Brings a picture: the raw bytes of the file, be it a photo, a style or a swatch.",
    ),
    Operation(
        handler=photos,
        method="GET",
        path="/api/photos",
        answer=s.Photos,
        about="All pictures of the session, so that a page can go on after a reload or a restart.",
    ),
    Operation(
        handler=photo,
        method="GET",
        path="/api/photos/{id}",
        answer=s.Photo,
        errors=("not_found",),
        about="One of them with all that is known of it.",
    ),
    Operation(
        handler=delete_photo,
        method="DELETE",
        path="/api/photos/{id}",
        status=204,
        answer=None,
        errors=("not_found",),
        about="Forgets a picture and its variants; its jobs are cancelled. Files that were made of it stay.",
    ),
    Operation(
        handler=preview,
        method="GET",
        path="/api/photos/{id}/preview",
        answer=PICTURE,
        errors=("not_found",),
        about="The photo at its working size.",
    ),
    Operation(
        handler=photo_thumb,
        method="GET",
        path="/api/photos/{id}/thumb",
        answer=PICTURE,
        errors=("not_found",),
        about="At most 320 pixels a side.",
    ),
    Operation(
        handler=labels,
        method="GET",
        path="/api/photos/{id}/labels.png",
        answer=("image/png",),
        errors=("not_found",),
        about="8-bit grey PNG of the working size: the label of each pixel. 404 until the status says `parsed` or"
        " `no_person`. Parts may be looked for again, so it has an ETag to ask by whether it is still the same.",
    ),
    Operation(
        handler=status,
        method="GET",
        path="/api/photos/{id}/status",
        answer=s.Status,
        errors=("not_found",),
        about="What is known of its parts. Nothing begins by asking: POST /api/photos/{id}/parts has them looked for.",
    ),
    Operation(
        handler=find_parts,
        method="POST",
        path="/api/photos/{id}/parts",
        status=202,
        answer=e.Job,
        errors=("not_found",),
        about="Looks for its parts, again after a failure or a cancellation; if that is under way already, answers with"
        " that job.",
    ),
    Operation(
        handler=mask,
        method="GET",
        path="/api/photos/{id}/mask",
        answer=("image/png",),
        errors=("not_found",),
        about="The zone as it was sent, 8-bit grey; 404 while none was.",
    ),
    Operation(
        handler=put_mask,
        method="PUT",
        path="/api/photos/{id}/mask",
        body=("image/png",),
        answer=s.Mask,
        errors=("not_found", "too_big", "not_a_mask", "wrong_size", "disk_full"),
        about="Sends the zone: an 8-bit PNG of the working size, grey or in colours as a canvas writes it, opaque; its"
        " first channel counts, and 128 or more is in the zone.",
    ),
)
