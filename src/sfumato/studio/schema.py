"""What the studio is asked and what it answers, as pydantic models: the documents are made from them, and each answer
is one of them.

Sizes are pixels, [width, height] in this order. Ids are random. Labels count from 0, which is what belongs to no part.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Size = tuple[int, int]


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


class Limits(Model):
    """What is too much."""

    upload_bytes: int
    pixels: int
    """Of a picture that is sent, and of a result."""
    smallest_side: int
    work_side: int
    """Longest side in pixels at which a zone is painted and a result is shown."""
    photos: int
    """Pictures in a session."""
    session_bytes: int
    waiting: int
    """Jobs of a session that may wait or run at once."""
    formats: tuple[str, ...]
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
    """`none`: nobody asked for it. `no_person`: nobody was found, paint the zone. `failed`: `problem` says why."""
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


class BlendOptions(Model):
    """How a drawn part is laid into the photo; no model runs for it."""

    strength: Share = 1.0
    """0 shows the photo, 1 the drawing."""
    softness: Share = 0.5
    """How wide the edge is: 0 is hard."""
    color_match: Share = 0.0
    """How far the drawing takes the photo's colours."""


class Variant(Model):
    """A photo of which the zone was drawn by one model and one filter."""

    id: Id
    photo: Id
    model: str
    filter: str
    seed: int
    name: str
    """Of the model and the filter, to show."""
    width: int
    """Of the preview."""
    height: int
    blend: BlendOptions
    mask: Mask
    """The zone that it was made with."""
    created: float
    """Seconds since 1970."""
    note: str = ""
    """What went otherwise than asked, such as less memory; may be empty."""


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
    notes: tuple[str, ...]
    """Such as `only the first of 12 frames is used`."""
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


class VariantsRequest(Model):
    """Variants of a photo: each model with each filter."""

    models: Annotated[tuple[str, ...], Field(min_length=1, max_length=12)]
    filters: Annotated[tuple[str, ...], Field(min_length=1, max_length=12)] = ("none",)
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    blend: BlendOptions = BlendOptions()


class SaveOptions(Model):
    """How a result becomes a file."""

    format: Literal["png", "jpeg", "webp", "avif"] = "png"
    quality: Annotated[int, Field(ge=1, le=100)] = 92
    """Not for PNG."""
    keep_camera: bool = True
    """Keep EXIF, such as the camera and the date."""
    keep_place: bool = False
    """Keep in it where the photo was taken."""
    embed_recipe: bool = True
    """Write into the file how it was made: models and options, no names of files."""


class ExportRequest(Model):
    """A variant as a file, at the photo's own size."""

    blend: BlendOptions = BlendOptions()
    save: SaveOptions = SaveOptions()
    cutout: bool = False
    """Only the zone, on transparent ground; not for JPEG."""


class StylizeChoice(Model):
    """A photo in the style of others."""

    model: str = "microast/art"
    styles: Annotated[tuple[Id, ...], Field(max_length=8)] = ()
    """Ids of pictures, none for a model that has a style of its own."""
    options: dict[str, Any] = {}
    """Fields of `stylize` in /api/options: strength, weights, keep_colors, style_size, size."""
    use_mask: bool = False
    """Only where the photo's mask is white."""


class PreviewRequest(StylizeChoice):
    """A small preview, at once."""

    side: Annotated[int, Field(ge=64, le=768)] = 384
    """Longest side in pixels."""


class StylizeRequest(StylizeChoice):
    """The whole picture as a file."""

    save: SaveOptions = SaveOptions()


class TextureRequest(Model):
    """A texture like one or several swatches."""

    swatches: Annotated[tuple[Id, ...], Field(min_length=1, max_length=4)]
    size: Size = (512, 512)
    seamless: bool = True
    """Copies side by side show no border."""
    weights: tuple[Annotated[float, Field(ge=0)], ...] = ()
    swatch_size: Annotated[int, Field(ge=16, le=2048)] | None = None
    """Longest side that the swatch is brought to; larger for larger grains."""
    options: dict[str, Any] = {}
    """Fields of `texture` in /api/options."""
    save: SaveOptions = SaveOptions()


class BatchCollage(Model):
    """The same variant of many photos, each with a zone of its own parts."""

    kind: Literal["collage"]
    model: str
    filter: str = "none"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    parts: tuple[str, ...] = ()
    """Names of the parts that make the zone; none: the first zone of each photo."""
    blend: BlendOptions = BlendOptions()


class BatchStylize(StylizeChoice):
    """The same style for many photos."""

    kind: Literal["stylize"]


class BatchRequest(Model):
    """The same on many photos of the session."""

    photos: Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)]
    recipe: Annotated[BatchCollage | BatchStylize, Field(discriminator="kind")]
    save: SaveOptions = SaveOptions()


class File(Model):
    """A result to take away: GET /api/files/{id} is the file, /api/files/{id}/preview a small picture of it."""

    id: Id
    name: str
    """What the browser saves it as."""
    type: str
    bytes: int
    width: int
    height: int


JobKind = Literal["parse", "variants", "export", "stylize", "texture", "batch"]
JobState = Literal["queued", "loading", "working", "done", "cancelled", "error"]


class Job(Model):
    """Work that takes a while: listen to its events, or ask again."""

    id: Id
    kind: JobKind
    photo: Id | None
    state: JobState
    place: int
    """How many jobs come first; 0 when it runs."""
    done: int
    total: int
    """Of what `progress` counts; 0 while unknown."""
    seconds_left: float | None
    variants: tuple[Id, ...] = ()
    files: tuple[File, ...] = ()
    problem: Problem | None = None


class Jobs(Model):
    jobs: tuple[Job, ...]


class Queued(Model):
    """`event: queued`: it waits; comes again when its place changes."""

    place: int


class Loading(Model):
    """`event: loading`: a model is brought into memory."""

    model: str
    bytes: int


class Progress(Model):
    """`event: progress`"""

    done: Share
    """How much of the whole is done."""
    item: int
    """The variant or picture that is worked on, from 1 on,"""
    items: int
    """of so many."""
    seconds_left: float | None
    """None while nobody knows."""


class VariantReady(Model):
    """`event: variant`"""

    variant: Variant
    number: int
    """From 1 on."""
    total: int


class ItemDone(Model):
    """`event: item`: a picture of a batch, or a variant that failed while others go on."""

    photo: Id
    name: str
    file: File | None = None
    problem: Problem | None = None
    number: int
    total: int


class Done(Model):
    """`event: done`, the last one."""

    files: tuple[File, ...] = ()
    """Of a batch the last one is an archive of all."""
    variants: tuple[Id, ...] = ()
    failed: int = 0
    """How many of its items failed."""
    status: Status | None = None
    """Of a parse."""


class Cancelled(Model):
    """`event: cancelled`, the last one; what was done before stays."""

    variants: tuple[Id, ...] = ()


class ModelInfo(Model):
    """A model, and which work it fits."""

    name: str
    title: str
    method: str
    licence: str
    place: Literal["bundled", "cached", "downloadable"]
    bytes: int
    fits: tuple[Literal["collage", "stylize", "translate", "texture", "parse"], ...]
    """`stylize` takes styles, `translate` has its own (both are sent as `stylize`)."""
    loaded: bool
    classes: tuple[str, ...] = ()
    """What it can be told to make, if there is a choice."""
    problem: str = ""
    """Why it cannot be used; for what is not here yet how to get it."""


class Models(Model):
    models: tuple[ModelInfo, ...]
    filters: tuple[str, ...]
    """For variants."""


class OptionSchemas(Model):
    """A JSON schema for each form; `description` is the help text, `minimum`, `maximum` and `enum` make the control."""

    blend: dict[str, Any]
    save: dict[str, Any]
    stylize: dict[str, Any]
    texture: dict[str, Any]
    variants: dict[str, Any]


class Run(Model):
    """A training, as its folder tells."""

    id: Id
    name: str
    """Of its folder."""
    title: str
    state: Literal["running", "ended", "unknown"]
    """`running`: the log grew in the last minutes and the run has not reached its end."""
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
