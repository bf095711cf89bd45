"""Every route of the studio: one table, of which the application, openapi.json and docs/studio-api.md are made."""

from dataclasses import dataclass, field

from . import events as e
from . import requests as r
from . import schema as s

PICTURE = ("image/jpeg", "image/webp")
"""A picture to look at: WebP where the photo has transparency, else JPEG."""
UPLOADS = ("image/jpeg", "image/png", "image/webp", "image/avif")
EVENTS = "text/event-stream"


@dataclass(frozen=True, kw_only=True)
class Query:
    """A value after the question mark."""

    name: str
    kind: str
    """`string`, `integer` or `boolean`."""
    about: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path."""

    name: str
    method: str
    path: str
    about: str
    answer: type[s.Model] | tuple[str, ...] | None
    """A model, media types, or None: nothing."""
    status: int = 200
    body: type[s.Model] | tuple[str, ...] | None = None
    """A model as JSON, media types of a raw body, or None."""
    query: tuple[Query, ...] = ()
    errors: tuple[str, ...] = ()
    """Codes of `ERRORS`, beside those that any route can answer."""
    events: dict[str, type[s.Model]] = field(default_factory=dict)
    """Of an event stream: the model of the data of each event."""


ERRORS = {
    "bad_request": (400, "The body is no JSON, or a value in it is wrong; the message names the field."),
    "forbidden": (403, "The request comes from another site, or lacks the header `X-Studio: 1`."),
    "no_access": (401, "Listening beyond this computer: the address with the token was not opened in this browser."),
    "wrong_host": (421, "The name in the address is not one that this studio answers to."),
    "not_found": (404, "There is nothing of that id in this session, or no such page."),
    "not_allowed": (405, "The page knows no such method."),
    "too_big": (413, "More bytes than the limit."),
    "too_many_pixels": (413, "More pixels than the limit."),
    "not_a_picture": (415, "No picture of a format that can be read, or a damaged one."),
    "too_small": (422, "A side has less pixels than the limit."),
    "wrong_size": (422, "The mask has not the working size of its photo."),
    "not_a_mask": (422, "The mask is no PNG in grey."),
    "empty_zone": (422, "No pixel of the zone is chosen: paint it, or choose a part."),
    "wrong_option": (422, "An option has a value that it cannot have."),
    "no_model": (422, "There is no such model here, or it does other work."),
    "session_full": (507, "The session holds as many pictures or bytes as it may: delete some."),
    "disk_full": (507, "The disk is full."),
    "busy": (429, "Too many jobs wait; the header Retry-After says when to ask again."),
    "superseded": (409, "A newer request of the same kind took its place; forget this one."),
    "worker_died": (500, "The process that does the work was ended, most often for want of memory; it starts again."),
    "failed": (500, "The work failed; the message says why."),
    "unexpected": (500, "A mistake of the studio; the log has more."),
    "not_ready": (503, "The studio starts or ends."),
}
"""Codes, their HTTP status and what they mean."""

_JOB = ("busy", "not_found", "wrong_option", "no_model")

OPERATIONS = (
    Operation(
        name="health",
        method="GET",
        path="/api/health",
        answer=s.Health,
        errors=("not_ready",),
        about="200 when the studio is ready, 503 with the same body while the worker starts.",
    ),
    Operation(
        name="openapi",
        method="GET",
        path="/api/openapi.json",
        answer=("application/json",),
        about="This description for programs.",
    ),
    Operation(
        name="options",
        method="GET",
        path="/api/options",
        answer=s.OptionSchemas,
        about="JSON schemas of all options: forms are made of them.",
    ),
    Operation(
        name="models", method="GET", path="/api/models", answer=s.Models, about="The models and which work each fits."
    ),
    Operation(
        name="examples",
        method="GET",
        path="/api/examples",
        answer=s.Examples,
        about="Pictures to try; fetch one and post it as a photo.",
    ),
    Operation(
        name="example",
        method="GET",
        path="/api/examples/{name}",
        answer=("image/jpeg",),
        about="One of them.",
        errors=("not_found",),
    ),
    Operation(
        name="upload",
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
                about="Whether to look for parts at once (default 1); 0 for styles, swatches and pictures of a batch.",
            ),
        ),
        errors=("too_big", "too_many_pixels", "not_a_picture", "too_small", "session_full", "disk_full"),
        about="Brings a picture: the raw bytes of the file.",
    ),
    Operation(
        name="photos",
        method="GET",
        path="/api/photos",
        answer=s.Photos,
        about="All pictures of the session, so that a page can go on after a reload or a restart.",
    ),
    Operation(
        name="photo",
        method="GET",
        path="/api/photos/{id}",
        answer=s.Photo,
        errors=("not_found",),
        about="One of them with all that is known of it.",
    ),
    Operation(
        name="delete_photo",
        method="DELETE",
        path="/api/photos/{id}",
        status=204,
        answer=None,
        errors=("not_found",),
        about="Forgets a picture and all that was made of it; its jobs are cancelled.",
    ),
    Operation(
        name="preview",
        method="GET",
        path="/api/photos/{id}/preview",
        answer=PICTURE,
        errors=("not_found",),
        about="The photo at its working size.",
    ),
    Operation(
        name="photo_thumb",
        method="GET",
        path="/api/photos/{id}/thumb",
        answer=PICTURE,
        errors=("not_found",),
        about="At most 320 pixels a side.",
    ),
    Operation(
        name="labels",
        method="GET",
        path="/api/photos/{id}/labels.png",
        answer=("image/png",),
        errors=("not_found",),
        about="8-bit grey PNG of the working size: the label of each pixel. 404 until "
        "status says `parsed` or `no_person`.",
    ),
    Operation(
        name="status",
        method="GET",
        path="/api/photos/{id}/status",
        answer=s.Status,
        errors=("not_found",),
        about="What is known of its parts; asks for them if nobody has.",
    ),
    Operation(
        name="mask",
        method="GET",
        path="/api/photos/{id}/mask",
        answer=("image/png",),
        errors=("not_found",),
        about="The zone as it was sent, 8-bit grey; 404 while none was.",
    ),
    Operation(
        name="put_mask",
        method="PUT",
        path="/api/photos/{id}/mask",
        body=("image/png",),
        answer=s.Mask,
        errors=("not_found", "too_big", "not_a_mask", "wrong_size"),
        about="Sends the zone: a PNG of the working size, 8-bit grey, or colours as a canvas writes them (all "
        "opaque; red counts). 255 is in the zone, what lies between is soft.",
    ),
    Operation(
        name="variants",
        method="POST",
        path="/api/photos/{id}/jobs",
        status=202,
        body=r.VariantsRequest,
        answer=e.Job,
        errors=(*_JOB, "empty_zone"),
        about="Draws the zone by each model with each filter. Without a mask that was sent the zone is that of "
        "`status.selected`.",
    ),
    Operation(
        name="jobs",
        method="GET",
        path="/api/jobs",
        answer=e.Jobs,
        about="Jobs of the session that wait or run, and the last that ended.",
    ),
    Operation(
        name="job", method="GET", path="/api/jobs/{id}", answer=e.Job, errors=("not_found",), about="Where a job is."
    ),
    Operation(
        name="cancel",
        method="DELETE",
        path="/api/jobs/{id}",
        answer=e.Job,
        errors=("not_found",),
        about="Cancels a job; what is done stays. The event `cancelled` says when it has stopped.",
    ),
    Operation(
        name="events",
        method="GET",
        path="/api/jobs/{id}/events",
        answer=(EVENTS,),
        events=e.JOB_EVENTS,
        errors=("not_found",),
        about="What happens to a job, from its beginning or, with the header Last-Event-ID, from there on. Ends "
        "with `done`, `cancelled` or `error`. If the last listener goes away and none comes back within 10 "
        "seconds, the job is cancelled.",
    ),
    Operation(
        name="variant",
        method="GET",
        path="/api/variants/{id}",
        answer=s.Variant,
        errors=("not_found",),
        about="What a variant is made of.",
    ),
    Operation(
        name="delete_variant",
        method="DELETE",
        path="/api/variants/{id}",
        status=204,
        answer=None,
        errors=("not_found",),
        about="Forgets it.",
    ),
    Operation(
        name="variant_thumb",
        method="GET",
        path="/api/variants/{id}/thumb",
        answer=PICTURE,
        errors=("not_found",),
        about="At most 320 pixels a side.",
    ),
    Operation(
        name="variant_preview",
        method="GET",
        path="/api/variants/{id}/preview",
        answer=PICTURE,
        errors=("not_found",),
        about="At the working size.",
    ),
    Operation(
        name="blend",
        method="POST",
        path="/api/variants/{id}/blend",
        body=r.BlendRequest,
        answer=PICTURE,
        errors=("not_found", "superseded", "worker_died"),
        about="The preview with other options of blending, at once; no model runs.",
    ),
    Operation(
        name="export",
        method="POST",
        path="/api/variants/{id}/export",
        status=202,
        body=r.ExportRequest,
        answer=e.Job,
        errors=_JOB,
        about="The variant as a file at full size: `done` names it. What the model made is kept, so that another "
        "format or softness takes no second run.",
    ),
    Operation(
        name="stylize_preview",
        method="POST",
        path="/api/photos/{id}/stylize/preview",
        body=r.PreviewRequest,
        answer=PICTURE,
        errors=("not_found", "wrong_option", "no_model", "superseded", "worker_died"),
        about="The photo in a style, small and at once.",
    ),
    Operation(
        name="stylize",
        method="POST",
        path="/api/photos/{id}/stylize",
        status=202,
        body=r.StylizeRequest,
        answer=e.Job,
        errors=_JOB,
        about="The same at full size, as a file: `done` names it.",
    ),
    Operation(
        name="texture",
        method="POST",
        path="/api/textures",
        status=202,
        body=r.TextureRequest,
        answer=e.Job,
        errors=_JOB,
        about="A texture of any size from swatches: `done` names the file.",
    ),
    Operation(
        name="batch",
        method="POST",
        path="/api/batches",
        status=202,
        body=r.BatchRequest,
        answer=e.Job,
        errors=_JOB,
        about="The same on many pictures that were sent: an `item` for each, with its file or what "
        "went wrong; the last file of `done` is a ZIP archive of all.",
    ),
    Operation(
        name="file",
        method="GET",
        path="/api/files/{id}",
        answer=("image/png", "image/jpeg", "image/webp", "image/avif", "application/zip"),
        errors=("not_found",),
        about="A result, as an attachment.",
    ),
    Operation(
        name="file_preview",
        method="GET",
        path="/api/files/{id}/preview",
        answer=PICTURE,
        errors=("not_found",),
        about="A result to look at, at most the working size; not of archives.",
    ),
    Operation(
        name="runs",
        method="GET",
        path="/api/runs",
        answer=s.Runs,
        about="Trainings in the folder that `--runs` names. Nothing of them can be changed here.",
    ),
    Operation(name="run", method="GET", path="/api/runs/{id}", answer=s.Run, errors=("not_found",), about="One."),
    Operation(
        name="run_log",
        method="GET",
        path="/api/runs/{id}/log",
        answer=s.RunLog,
        errors=("not_found",),
        query=(Query(name="after", kind="integer", about="Leave out so many lines (default 0)."),),
        about="Lines of its log: images, seconds, images_per_s, data_share, lr/GROUP, GROUP/LOSS, MODEL/FIGURE.",
    ),
    Operation(
        name="run_events",
        method="GET",
        path="/api/runs/{id}/events",
        answer=(EVENTS,),
        events={"lines": s.RunLog, "run": s.Run},
        errors=("not_found",),
        about="Its log while it grows; resumable by Last-Event-ID, which is `next`.",
    ),
    Operation(
        name="run_plot",
        method="GET",
        path="/api/runs/{id}/losses.png",
        answer=("image/png",),
        errors=("not_found",),
        about="The plot of its losses.",
    ),
    Operation(
        name="run_sample",
        method="GET",
        path="/api/runs/{id}/samples/{images}",
        answer=("image/jpeg",),
        errors=("not_found",),
        about="Sample pictures after so many images.",
    ),
    Operation(
        name="run_report",
        method="GET",
        path="/api/runs/{id}/report",
        answer=("text/html",),
        errors=("not_found",),
        about="Its report, for an iframe: without scripts, and it can ask for nothing.",
    ),
    Operation(
        name="enter",
        method="GET",
        path="/enter",
        answer=("text/html",),
        status=303,
        query=(Query(name="token", kind="string", about="As printed by the studio; good for one browser."),),
        about="With --listen: lets this browser in, and goes on to the page.",
    ),
)
