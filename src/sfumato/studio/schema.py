"""What the studio is asked and what it answers, as pydantic models: the documents are made from them, and each answer
is one of them.

Sizes are pixels, [width, height] in this order. Ids are random. Labels count from 0, which is what belongs to no part.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..collage.options import Options as CollageOptions

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Size = tuple[int, int]
Value = str | float

GATYS = "gatys"
"""What optimisation is called among the models."""


class Model(BaseModel):
    """The base of all: no field that is not said here, and a text for each in the documents."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


class Problem(Model):
    """Why something was not done."""

    error: str
    """A code, for programs."""
    message: str
    """What is wrong, one sentence."""
    hint: str = ""
    """What to do about it, one sentence; may be empty."""
    detail: str = ""
    """A code of what exactly is wrong, where `error` leaves it open, for clients that say it in words of their own."""
    values: dict[str, Value] = {}
    """What a sentence of `detail` needs, such as a size."""


class Note(Model):
    """What is to be known of something that went well."""

    code: str
    """For clients that say it in words of their own."""
    message: str
    """The same, one sentence."""
    values: dict[str, Value] = {}
    """What the sentence needs, such as a number."""


class Limits(Model):
    """What is too much."""

    upload_bytes: int = 40_000_000
    """Of the file of a picture."""
    pixels: int = 80_000_000
    """Of a picture that is sent, and of a result."""
    smallest_side: int = 64
    """Pixels that each side of a picture must have."""
    work_side: int = 1536
    """Longest side in pixels at which a zone is painted and a result is shown."""
    photos: int = 600
    """Pictures in a session."""
    session_bytes: int = 8_000_000_000
    waiting: int = 8
    """Jobs of a session that may wait or run at once, beside those that look for parts."""
    formats: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp", "image/avif")
    """Media types of pictures that can be sent."""


class Health(Model):
    """Whether the studio is ready, and what it works with."""

    ready: bool
    version: str
    worker: Literal["starting", "ready", "working", "restarting"]
    device: str
    """Such as `cpu` or `NVIDIA H200 (cuda:0)`; empty while the worker starts."""
    loaded: tuple[str, ...]
    """Names of the models in memory."""
    waiting: int
    """Jobs that wait, of all sessions."""
    limits: Limits


class Example(Model):
    """A picture to try, which comes with the program."""

    name: str
    title: str
    use: Literal["photo", "style", "swatch"]


class Examples(Model):
    examples: tuple[Example, ...]


class Part(Model):
    """A part of a photo that was found."""

    label: int
    """Its value in labels.png."""
    name: str
    pixels: int
    """How many of the working size; 0: it is not in this photo."""
    color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]
    """To show it by: its mean colour in the photo, or a fixed one where it is absent."""


class Preset(Model):
    """Parts that are often chosen together."""

    name: str
    labels: tuple[int, ...]


class Status(Model):
    """What is known of a photo's parts."""

    state: Literal["none", "waiting", "loading", "parsing", "parsed", "no_person", "failed"]
    """`none`: nobody asked for it, or the search was cancelled. `no_person`: nobody was found, paint the zone.
    `failed`: `problem` says why."""
    source: Literal["parser", "first_zone", ""] = ""
    """What found the parts: a network for all of them, or a first guess of where the head is."""
    parts: tuple[Part, ...] = ()
    presets: tuple[Preset, ...] = ()
    selected: tuple[int, ...] = ()
    """Labels that the first zone is made of."""
    job: Id | None = None
    """While it waits, loads or parses: the job to listen to."""
    problem: Problem | None = None


class Mask(Model):
    """A zone as the server holds it."""

    width: int
    height: int
    pixels: int
    """Pixels of 128 or more."""
    share: Share
    """Of all pixels."""


class Variant(Model):
    """A photo of which the zone was drawn by one model and one filter."""

    id: Id
    photo: Id
    model: str
    name: str
    """Of the model and the filter, to show."""
    width: int
    """Of the preview."""
    height: int
    options: CollageOptions
    """With which it was made, filter and seed among them."""
    styles: tuple[Id, ...] = ()
    """Pictures that were sent along for a model that takes a style; some may have been deleted since."""
    mask: Mask
    """The zone that it was made with."""
    created: float
    """Seconds since 1970."""
    note: Note | None = None
    """What went otherwise than asked, such as less memory; may be empty."""
    basis: str = ""
    """A name for all that it was drawn from: zone, parts, model, options and styles. What would have the same is not
    drawn again. Empty in a variant of an older studio."""


class Photo(Model):
    """A picture of the session, be it a photo, a style or a swatch."""

    id: Id
    name: str
    """As the client called it; only to show."""
    size: Size
    """Upright."""
    work: Size
    """Of preview, labels.png and mask."""
    bytes: int
    type: str
    """Its media type."""
    transparent: bool
    bits: Literal[8, 16]
    has_camera: bool
    """Whether it holds EXIF,"""
    has_place: bool
    """and in it where it was taken,"""
    has_profile: bool
    """and a colour profile."""
    notes: tuple[Note, ...]
    """Such as that only the first of its frames is used."""
    created: float
    status: Status
    mask: Mask | None
    """None while no zone was sent."""
    variants: tuple[Variant, ...]
    recipe: dict[str, Any] | None = None
    """What the studio wrote into the file when it saved it."""


class Photos(Model):
    photos: tuple[Photo, ...]
    """The last one first."""


class File(Model):
    """A result to take away: GET /api/files/{id} is the file, .../preview and .../thumb are pictures to look at."""

    id: Id
    name: str
    """What the browser saves it as."""
    type: str
    bytes: int
    width: int
    height: int
    note: Note | None = None
    """What went otherwise than asked; may be empty."""
    holds: tuple[Id, ...] = ()
    """Of an archive: the results in it. It is put together as it is sent; `bytes` are theirs."""


class Files(Model):
    """Results of a session."""

    files: tuple[File, ...]


class ModelInfo(Model):
    """A model, and which work it fits."""

    name: str
    title: str
    method: str
    licence: str
    place: Literal["bundled", "cached", "downloadable"]
    bytes: int
    fits: tuple[Literal["collage", "stylize", "translate", "texture", "parse"], ...]
    """`stylize` takes styles, `translate` has its own (both are sent as `stylize`); said also of one with a problem."""
    loaded: bool
    problem: str = ""
    """Why it cannot be used; for what is not here yet how to get it."""


class Models(Model):
    models: tuple[ModelInfo, ...]


class OptionSchemas(Model):
    """A JSON schema for each form; `description` is the help text, `minimum`, `maximum` and `enum` make the control."""

    collage: dict[str, Any]
    """Of variants. `blend`, `softness`, `color_match` and `strength` take effect without the model."""
    stylize: dict[str, Any]
    texture: dict[str, Any]
    save: dict[str, Any]
    requests: dict[str, Any]
    """Of the requests that these go into, `variants`, `stylize`, `texture` and `batch`: what is asked for beside them,
    and how many pictures there may be."""


class Run(Model):
    """A training, as its folder tells."""

    id: Id
    name: str
    """Of its folder."""
    title: str
    state: Literal["running", "ended", "stopped"]
    """`ended`: it has reached its end. `running`: it has not, and its process trains still, or, where no lock of the
    folder tells that, its log grew in the last minutes."""
    images: int
    total: int
    """Images it is to see; 0 if its recipe does not tell."""
    images_per_s: float
    updated: float
    """Seconds since 1970."""
    has_report: bool
    has_plot: bool
    samples: tuple[int, ...]
    """Numbers of images after which sample pictures were drawn."""
    models: tuple[str, ...]
    """Model files that it has left."""


class Runs(Model):
    runs: tuple[Run, ...]
    folder: bool
    """Whether the studio was started with a folder of runs."""


class RunLog(Model):
    """Lines of a run's log."""

    lines: tuple[dict[str, float], ...]
    next: int
    """To ask for what comes later: ?after=NEXT."""
