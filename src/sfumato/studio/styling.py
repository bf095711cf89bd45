"""Pictures in the style of others, and textures: a preview at once, the whole as a file."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.responses import Response

from .. import image
from . import events as e
from . import recipe, sending
from . import requests as r
from . import schema as s
from .catalogue import PAINTING, fit, takes_style
from .job import Job
from .lane import ONLY, Desk, Item
from .operations import PICTURE, WORK, Call, Operation
from .problems import Refusal
from .results import Result, keep_result
from .schema import Limits
from .store import Holding, Session

JOB_ERRORS = ("busy", "session_full", "not_found", "wrong_option", "no_model", *WORK)
KEPT = 4
"""Results of a picture that are kept at full size, so that another format takes no second run."""


def choice(session: Session, holding: Holding, body: r.StylizeChoice, limits: Limits) -> dict[str, Any]:
    """What the working process is told of a choice of styles.

    Raises:
        Refusal: a style has gone, a mask is wanted and none was sent, or the result would have too many pixels.
    """
    if body.options.size is not None:
        height, width = image.scaled(*holding.photo.size[::-1], body.options.size)
        check_pixels("A result", width, height, limits)
    if body.use_mask and holding.mask is None:
        hint = "Paint one, or leave `use_mask` out."
        raise Refusal("wrong_option", "No mask was sent for this picture.", hint, detail="no_mask")
    return {
        "work": str(holding.folder / "work.png"),
        "photo": str(holding.folder / "original"),
        "styles": [str(style.folder / "work.png") for style in session.styles(body.styles)],
        "mask": str(holding.mask) if body.use_mask else None,
        "model": body.model,
        "options": asdict(body.options),
    }


def check_pixels(what: str, width: int, height: int, limits: Limits) -> None:
    """Whether a result may have so many pixels.

    Raises:
        Refusal: it may not.
    """
    if min(width, height) < 1 or width * height > limits.pixels:
        most = limits.pixels / 1e6
        values: dict[str, s.Value] = {"width": width, "height": height, "megapixels": most}
        message, hint = f"{what} cannot have {width} x {height} pixels.", f"At most {most:.0f} megapixels."
        raise Refusal("wrong_option", message, hint, detail="result_size", values=values)


def cached(holding: Holding, body: r.StylizeChoice) -> Path:
    """Where the result of a choice is kept at full size: one name for one choice and one mask."""
    chosen = body.model_dump_json(include={"model", "styles", "options", "use_mask"})
    mask = holding.mask.read_bytes() if body.use_mask and holding.mask else b""
    return holding.folder / f"styled-{hashlib.blake2b(chosen.encode() + mask, digest_size=16).hexdigest()}.png"


async def stylize_preview(call: Call) -> Response:
    """The photo in a style, small."""
    body: r.PreviewRequest = call.body
    given = choice(call.session, call.holding, body, call.studio.limits) | {"side": body.side}
    values, content = await call.studio.engine.live(call.session_id, "preview", given)
    return Response(content, media_type=sending.TYPES[values["suffix"]])


async def stylize(call: Call) -> e.Job:
    """The photo in a style at full size."""
    body: r.StylizeRequest = call.body
    session, holding, studio = call.session, call.holding, call.studio
    given = choice(session, holding, body, studio.limits)
    await fit(studio, body.model, PAINTING, styles=bool(body.styles))
    job = Job("stylize", session.id, holding.photo.id)

    async def script(desk: Desk) -> e.Done:
        file = await styled(desk, call, holding, body, given)
        return e.Done(files=(file,))

    return studio.engine.submit(job, script).view()


async def styled(
    desk: Desk, call: Call, holding: Holding, body: r.StylizeRequest, given: dict[str, Any], at: Item = ONLY
) -> s.File:
    """A picture in a style, as a file of the session."""
    told = recipe.text("stylize", model=body.model, options=given["options"])
    given = given | {"cache": str(cached(holding, body)), "recipe": told}
    result = Result(op="stylize", photo=holding.photo.name, what=body.model, save=body.save)
    made = await keep_result(desk, call, given, result, at)
    for old in sorted(holding.folder.glob("styled-*.png"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink()
    return made


async def texture(call: Call) -> e.Job:
    """A texture of any size."""
    body: r.TextureRequest = call.body
    session, studio = call.session, call.studio
    check_pixels("A texture", *body.size, studio.limits)
    learned = body.model is not None and not takes_style(await fit(studio, body.model, ("texture",)))
    if not body.swatches and not learned:
        message = "A texture needs a swatch, or a model that has learned one."
        raise Refusal("wrong_option", message, "Add a picture.", detail="no_swatch")
    swatches = [session.holding(swatch) for swatch in body.swatches]
    job = Job("texture", session.id, swatches[0].photo.id if swatches else None)

    async def script(desk: Desk) -> e.Done:
        given = body.model_dump(include={"model", "size", "seamless", "weights", "swatch_size", "seed", "options"})
        given["recipe"] = recipe.text("texture", **given)
        given["swatches"] = [str(swatch.folder / "work.png") for swatch in swatches]
        name = swatches[0].photo.name if swatches else str(body.model)
        result = Result(op="texture", photo=name, what="texture", save=body.save)
        return e.Done(files=(await keep_result(desk, call, given, result),))

    return studio.engine.submit(job, script).view()


OPERATIONS = (
    Operation(
        handler=stylize_preview,
        method="POST",
        path="/api/photos/{id}/stylize/preview",
        body=r.PreviewRequest,
        answer=PICTURE,
        errors=("not_found", "style_gone", "wrong_option", "no_model", "busy", "superseded", *WORK),
        about="The photo in a style, small and at once.",
    ),
    Operation(
        handler=stylize,
        method="POST",
        path="/api/photos/{id}/stylize",
        status=202,
        body=r.StylizeRequest,
        answer=e.Job,
        errors=("style_gone", *JOB_ERRORS),
        about="The same at full size, as a file: `done` names it. What the model made is kept, so that another format"
        " takes no second run.",
    ),
    Operation(
        handler=texture,
        method="POST",
        path="/api/textures",
        status=202,
        body=r.TextureRequest,
        answer=e.Job,
        errors=JOB_ERRORS,
        about="A texture of any size from swatches: `done` names the file.",
    ),
)
