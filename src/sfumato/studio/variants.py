"""Variants of a photo: drawn by models, laid in anew at the pull of a slider, and saved at full size."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from starlette.responses import Response

from ..collage.options import Options as CollageOptions
from . import disk, recipe, sending
from . import events as e
from . import requests as r
from . import schema as s
from .catalogue import fit, takes_style
from .job import Job
from .lane import Desk, Item
from .operations import PICTURE, WORK, Call, Operation
from .pictures import parsed
from .problems import Refusal
from .results import Result, keep_result
from .store import Holding, new_id

JOB_ERRORS = ("busy", "session_full", "not_found", "wrong_option", "no_model", "empty_zone", *WORK)
BLENDING = ("blend", "softness", "color_match", "strength")
"""Options that take effect without the model."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A variant that is asked for.

    Attributes:
        model: draws it.
        options: those that its model heeds.
        styles: pictures that it is painted like; none for a model that has a style of its own.
    """

    model: str
    options: CollageOptions
    styles: tuple[Holding, ...]

    @property
    def name(self) -> str:
        """To show."""
        return self.model if self.options.filter == "none" else f"{self.model}, {self.options.filter}"

    def basis(self, zone: Path | None, labels: Path | None) -> str:
        """A name for all that it is drawn from: the same for the same.

        Args:
            zone: file of the zone that was sent, if one was: then parts are not chosen by name.
            labels: file of the parts that were found, if they were looked for.
        """
        options = asdict(self.options) | ({} if zone is None else {"parts": ()})
        made = hashlib.blake2b(digest_size=16)
        made.update(json.dumps([self.model, options, [style.photo.id for style in self.styles]]).encode())
        for path in (zone, labels):
            made.update(hashlib.blake2b(b"" if path is None else path.read_bytes()).digest())
        return made.hexdigest()


async def wishes(call: Call, styles: list[Holding]) -> tuple[Wish, ...]:
    """Each model with each filter.

    Raises:
        Refusal: none of the models can draw anything; those that cannot while others can fail one by one.
    """
    body: r.VariantsRequest = call.body
    made, refused = list[Wish](), list[Refusal]()
    for model in dict.fromkeys(body.models):
        options, sent = body.options, tuple(styles)
        try:
            known = await fit(call.studio, model, ("collage",), styles=bool(styles))
        except Refusal as error:
            refused.append(error)
        else:
            sent = sent if takes_style(known) else ()
            options = options if known.method == s.GATYS else replace(options, iterations=())
        names = dict.fromkeys(body.filters)
        made += [Wish(model=model, options=replace(options, filter=name), styles=sent) for name in names]
    if len(refused) == len(set(body.models)):
        raise refused[-1]
    return tuple(made)


def sifted(holding: Holding, wanted: Iterable[Wish]) -> tuple[tuple[s.Id, ...], list[Wish]]:
    """Ids of variants that are there and would be drawn from the same again, and the wishes that are still to be."""
    there = {variant.basis: variant.id for variant in holding.photo.variants if variant.basis}
    kept, left = list[s.Id](), list[Wish]()
    for wish in wanted:
        known = there.get(wish.basis(holding.mask, holding.labels))
        if known is None:
            left.append(wish)
        else:
            kept.append(known)
    return tuple(kept), left


async def variants(call: Call) -> e.Job:
    """Draws the zone by each model with each filter."""
    body: r.VariantsRequest = call.body
    session, holding = call.session, call.holding
    wanted = await wishes(call, session.styles(body.styles))
    job = Job("variants", session.id, holding.photo.id)
    job.kept, new = sifted(holding, wanted)
    if not new:
        return call.studio.engine.settle(job, e.Done(kept=job.kept)).view()

    async def script(desk: Desk) -> e.Done:
        if holding.mask is None:
            await parsed(desk, holding)
        job.kept, left = sifted(holding, wanted)  # by now: others may have been drawn while it waited
        failed = []
        for number, wish in enumerate(left, 1):
            try:
                session.check_bytes(call.studio.limits)
                made = await drawn(desk, holding, wish, (number, len(left)))
            except Refusal as error:
                failed.append(error)
                job.tell("item", missed(holding, wish.name, error, number, len(left)))
                continue
            job.variants.append(made.id)
            job.tell("variant", e.VariantReady(variant=made, number=number, total=len(left)))
            await call.studio.measure(session)
        if failed and len(failed) == len(left):
            raise failed[-1]
        return e.Done(variants=tuple(job.variants), kept=job.kept, failed=len(failed))

    return call.studio.engine.submit(job, script).view()


def missed(holding: Holding, name: str, error: Refusal, number: int, total: int) -> e.ItemDone:
    """An item that failed while others go on."""
    return e.ItemDone(photo=holding.photo.id, name=name, problem=error.problem, number=number, total=total)


async def drawn(desk: Desk, holding: Holding, wish: Wish, at: Item) -> s.Variant:
    """A new variant of a picture.

    Raises:
        Refusal: it could not be drawn, or a picture that it needs was deleted.
    """
    for one in (holding, *wish.styles):
        one.check()
    variant_id = new_id()
    folder = disk.private(holding.folder / variant_id)
    try:
        if holding.mask is not None:
            disk.copied(holding.mask, folder / "zone.png")  # as it is now: it may be painted over later
        for place, style in enumerate(wish.styles):
            disk.copied(style.folder / "work.png", folder / f"style-{place}.png")
        given = drawing(holding, folder) | {"model": wish.model, "options": asdict(wish.options)}
        basis = wish.basis(Path(given["mask"]) if given["mask"] else None, holding.labels)
        values = await desk.call("variant", given | {"folder": str(folder)}, at)
        made = s.Variant(
            id=variant_id,
            photo=holding.photo.id,
            model=wish.model,
            name=wish.name,
            width=values["width"],
            height=values["height"],
            options=wish.options,
            styles=tuple(style.photo.id for style in wish.styles),
            mask=s.Mask(**values["mask"]),
            created=time.time(),
            note=values["note"],
            basis=basis,
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
        " `options.parts`. What is there already and would be drawn from the same again (model, filter, all other"
        " options, styles, zone, parts that were found) is left out and `kept` names it; if nothing is left, `done`"
        " comes at once. Delete a variant to have it drawn again. If none of the models can draw, that is refused at"
        " once; one that cannot, beside others, is an `item` with its problem.",
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
