"""Jobs, and what happens to them."""

from typing import Literal

from .schema import File, Id, Model, Problem, Share, Status, Variant

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
    kept: tuple[Id, ...] = ()
    """Variants that were asked for and are there already: they are not drawn again."""
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
    """`event: progress`."""

    done: Share
    """How much of the whole is done."""
    item: int
    """The variant or picture that is worked on, from 1 on,"""
    items: int
    """of so many."""
    seconds_left: float | None
    """None while nobody knows."""


class VariantReady(Model):
    """`event: variant`."""

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
    kept: tuple[Id, ...] = ()
    """Variants that were asked for and were there already: they were not drawn again."""
    failed: int = 0
    """How many of its items failed."""
    status: Status | None = None
    """Of a parse."""


class Cancelled(Model):
    """`event: cancelled`, the last one; what was done before stays."""

    variants: tuple[Id, ...] = ()


JOB_EVENTS: dict[str, type[Model]] = {
    "queued": Queued,
    "loading": Loading,
    "progress": Progress,
    "variant": VariantReady,
    "item": ItemDone,
    "done": Done,
    "cancelled": Cancelled,
    "error": Problem,
}
"""The data of each event of a job."""


class JobNews(Model):
    """`event: job`: something happened to one of the session's jobs."""

    job: Id
    event: Literal["queued", "loading", "progress", "variant", "item", "done", "cancelled", "error"]
    data: Queued | Loading | Progress | VariantReady | ItemDone | Done | Cancelled | Problem
    """As GET /api/jobs/{id}/events has it."""


LAST = ("done", "cancelled", "error")
"""Events after which nothing comes."""
