"""Variants of a photo: drawn by models, laid in anew at the pull of a slider, and saved at full size."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from starlette.responses import Response

from ..collage.options import Options as CollageOptions
from . import disk, recipe, sending
from . import events as e
from . import requests as r
from . import schema as s
from .job import Job
from .lane import Desk, Item
from .operations import PICTURE, WORK, Call, Operation
from .pictures import parsed
from .problems import Refusal
from .results import Result, keep_result
from .store import Holding, new_id

JOB_ERRORS = ("busy", "session_full", "not_found", "wrong_option", "no_model", "empty_zone")
BLENDING = ("blend", "softness", "color_match", "strength")
"""Options that take effect without the model."""


async def variants(call: Call) -> e.Job:
    """Draws the zone by each model with each filter."""
    body: r.VariantsRequest = call.body
    session, holding = call.session, call.holding
    styles = session.styles(body.styles)
    pairs = [(model, name) for model in body.models for name in body.filters]
    job = Job("variants", session.id, holding.photo.id)

    async def script(desk: Desk) -> e.Done:
        if holding.mask is None:
            await parsed(desk, holding)
        failed = []
        for number, (model, name) in enumerate(pairs, 1):
            options = replace(body.options, filter=name)
            try:
                session.check_bytes(call.studio.limits)
                made = await drawn(desk, holding, model, options, styles, (number, len(pairs)))
            except Refusal as error:
                failed.append(error)
                desk.job.tell("item", missed(holding, f"{model}, {name}", error, number, len(pairs)))
                continue
            desk.job.variants.append(made.id)
            desk.job.tell("variant", e.VariantReady(variant=made, number=number, total=len(pairs)))
            await call.studio.measure(session)
        if len(failed) == len(pairs):
            raise failed[-1]
        return e.Done(variants=tuple(desk.job.variants), failed=len(failed))

    return call.studio.engine.submit(job, script).view()


def missed(holding: Holding, name: str, error: Refusal, number: int, total: int) -> e.ItemDone:
    """An item that failed while others go on."""
    return e.ItemDone(photo=holding.photo.id, name=name, problem=error.problem, number=number, total=total)


async def drawn(
    desk: Desk,
    holding: Holding,
    model: str,
    options: CollageOptions,
    styles: list[Holding],
    at: Item,
) -> s.Variant:
    """A new variant of a picture.

    Raises:
        Refusal: it could not be drawn, or a picture that it needs was deleted.
    """
    for one in (holding, *styles):
        one.check()
    variant_id = new_id()
    folder = disk.private(holding.folder / variant_id)
    try:
        if holding.mask is not None:
            disk.copied(holding.mask, folder / "zone.png")  # as it is now: it may be painted over later
        for place, style in enumerate(styles):
            disk.copied(style.folder / "work.png", folder / f"style-{place}.png")
        given = drawing(holding, folder) | {"model": model, "options": asdict(options)}
        values = await desk.call("variant", given | {"folder": str(folder)}, at)
        made = s.Variant(
            id=variant_id,
            photo=holding.photo.id,
            model=model,
            name=model if options.filter == "none" else f"{model}, {options.filter}",
            width=values["width"],
            height=values["height"],
            options=options,
            styles=tuple(style.photo.id for style in styles),
            mask=s.Mask(**values["mask"]),
            created=time.time(),
            note=values["note"],
        )
        holding.add(made)
    except BaseException:
        disk.clear(folder)
        raise
    return made


def drawing(holding: Holding, folder: Path) -> dict[str, Any]:
    """What a variant in `folder` was or will be made of."""
    zone, parts = folder / "zone.png", [part.name for part in holding.photo.status.parts]
    return {
        "work": str(holding.folder / "work.png"),
        "photo": str(holding.folder / "original"),
        "parts": {"folder": str(holding.folder), "names": parts} if parts else None,
        "mask": str(zone) if zone.exists() else None,
        "styles": [str(path) for path in sorted(folder.glob("style-*.png"))],
    }


def found(call: Call) -> tuple[Holding, s.Variant, Path]:
    """The variant that the path names, its photo and its folder.

    Raises:
        Refusal: there is none.
    """
    holding = call.session.with_variant(call.id)
    return holding, holding.variant(call.id), holding.folder / call.id


def blending(variant: s.Variant, wanted: CollageOptions | None) -> dict[str, Any]:
    """The options of a variant with those of blending that are wanted now, if any are."""
    wanted = wanted or variant.options
    return asdict(variant.options) | {name: getattr(wanted, name) for name in BLENDING}


async def variant(call: Call) -> s.Variant:
    """What a variant is made of."""
    return found(call)[1]


async def delete_variant(call: Call) -> None:
    """Forgets a variant."""
    holding, _, _ = found(call)
    holding.drop(call.id)
    await call.studio.measure(call.session)


async def variant_thumb(call: Call) -> Response:
    """A variant, small."""
    return sending.picture(found(call)[2], "thumb")


async def variant_preview(call: Call) -> Response:
    """A variant at the working size."""
    return sending.picture(found(call)[2], "preview")


async def blend(call: Call) -> Response:
    """A variant with other options of blending."""
    body: r.BlendRequest = call.body
    holding, variant, folder = found(call)
    given = drawing(holding, folder) | {"folder": str(folder), "options": blending(variant, body.options)}
    values, content = await call.studio.engine.live(call.session_id, "reblend", given)
    return Response(content, media_type=sending.TYPES[values["suffix"]])


async def export(call: Call) -> e.Job:
    """Saves a variant at full size."""
    body: r.ExportRequest = call.body
    if body.cutout and body.save.format == "jpeg":
        message, hint = "A cut-out has transparency, and JPEG has none.", "Take PNG, WebP or AVIF."
        raise Refusal("wrong_option", message, hint, detail="transparent_jpeg")
    session = call.session
    holding, variant, folder = found(call)
    job = Job("export", session.id, holding.photo.id)

    async def script(desk: Desk) -> e.Done:
        options = blending(variant, body.options)
        given = drawing(holding, folder) | {"folder": str(folder / "full"), "model": variant.model, "options": options}
        given |= {"cutout": body.cutout, "recipe": recipe.text("collage", model=variant.model, options=options)}
        result = Result(op="export", photo=holding.photo.name, what=variant.name, save=body.save)
        return e.Done(files=(await keep_result(desk, call, given, result),))

    return call.studio.engine.submit(job, script).view()


OPERATIONS = (
    Operation(
        handler=variants,
        method="POST",
        path="/api/photos/{id}/jobs",
        status=202,
        body=r.VariantsRequest,
        answer=e.Job,
        errors=("style_gone", *JOB_ERRORS),
        about="Draws the zone by each model with each filter. Without a mask that was sent the zone is that of"
        " `options.parts`.",
    ),
    Operation(
        handler=variant,
        method="GET",
        path="/api/variants/{id}",
        answer=s.Variant,
        errors=("not_found",),
        about="What a variant is made of.",
    ),
    Operation(
        handler=delete_variant,
        method="DELETE",
        path="/api/variants/{id}",
        status=204,
        answer=None,
        errors=("not_found",),
        about="Forgets a variant.",
    ),
    Operation(
        handler=variant_thumb,
        method="GET",
        path="/api/variants/{id}/thumb",
        answer=PICTURE,
        errors=("not_found",),
        about="At most 320 pixels a side.",
    ),
    Operation(
        handler=variant_preview,
        method="GET",
        path="/api/variants/{id}/preview",
        answer=PICTURE,
        errors=("not_found",),
        about="At the working size, with the options that it was made with.",
    ),
    Operation(
        handler=blend,
        method="POST",
        path="/api/variants/{id}/blend",
        body=r.BlendRequest,
        answer=PICTURE,
        errors=("not_found", "wrong_option", "busy", "superseded", *WORK),
        about="The preview with other options of blending, at once; no model runs.",
    ),
    Operation(
        handler=export,
        method="POST",
        path="/api/variants/{id}/export",
        status=202,
        body=r.ExportRequest,
        answer=e.Job,
        errors=JOB_ERRORS,
        about="The variant as a file at full size: `done` names it. What the model made is kept, so that another"
        " format or softness takes no second run.",
    ),
)
