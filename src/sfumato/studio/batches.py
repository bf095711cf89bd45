"""The same on many pictures that were sent."""

from dataclasses import asdict

from ..collage.options import Options as CollageOptions
from ..collage.options import absent
from . import disk, recipe
from . import events as e
from . import requests as r
from . import schema as s
from .catalogue import PAINTING, fit
from .job import Job
from .lane import Desk
from .operations import Call, Operation
from .pictures import parsed
from .problems import Refusal
from .results import Result, keep_result
from .sending import ARCHIVE
from .store import Holding, new_id
from .styling import JOB_ERRORS, choice, styled
from .variants import drawing, missed


async def batch(call: Call) -> e.Job:
    """The same on many pictures."""
    body: r.BatchRequest = call.body
    session = call.session
    holdings = [session.holding(photo) for photo in body.photos]
    styles = session.styles(body.recipe.styles)
    works = PAINTING if isinstance(body.recipe, r.BatchStylize) else ("collage",)
    await fit(call.studio, body.recipe.model, works, styles=bool(styles))
    job = Job("batch", session.id, None)

    async def script(desk: Desk) -> e.Done:
        made, failed = list[s.File](), 0
        for number, holding in enumerate(holdings, 1):
            try:
                file = await one(desk, call, holding, styles, number)
            except Refusal as error:
                failed += 1
                desk.job.tell("item", missed(holding, holding.photo.name, error, number, len(holdings)))
                continue
            made.append(file)
            told = e.ItemDone(
                photo=holding.photo.id, name=holding.photo.name, file=file, number=number, total=len(holdings)
            )
            desk.job.tell("item", told)
        if kept := [file for file in made if file.id in session.files]:  # the others were deleted meanwhile
            made.append(archive(kept))
            session.add_file(made[-1])
            desk.job.files.append(made[-1])
        return e.Done(files=tuple(made), failed=failed)

    return call.studio.engine.submit(job, script).view()


async def one(desk: Desk, call: Call, holding: Holding, styles: list[Holding], number: int) -> s.File:
    """One picture of a batch, as a file."""
    body: r.BatchRequest = call.body
    at = number, len(body.photos)
    for needed in (holding, *styles):
        needed.check()
    if isinstance(body.recipe, r.BatchStylize):
        wanted = r.StylizeRequest(**body.recipe.model_dump(exclude={"kind"}), save=body.save)
        given = choice(call.session, holding, wanted, call.studio.limits)
        return await styled(desk, call, holding, wanted, given, at)
    await parsed(desk, holding)
    options: CollageOptions = body.recipe.options
    folder = disk.private(call.studio.store.passing / new_id())
    try:
        given = drawing(holding, folder) | {
            "folder": str(folder / "full"),
            "styles": [str(style.folder / "work.png") for style in styles],
            "model": body.recipe.model,
            "options": asdict(options),
            "cutout": False,
            "recipe": recipe.text("collage", model=body.recipe.model, options=asdict(options)),
        }
        result = Result(op="export", photo=holding.photo.name, what=body.recipe.model, save=body.save)
        return await keep_result(desk, call, given, result, at)
    except Refusal as error:
        raise nothing_found(options) if error.code == "empty_zone" else error from error
    finally:
        disk.clear(folder)


def nothing_found(options: CollageOptions) -> Refusal:
    """A photo has none of the parts: a batch paints no zone, so that it is these which are missing."""
    said = absent(options.parts)
    message = f"{said[:1].upper()}{said[1:]} in it."
    hint = "Open this photo by itself and paint the zone, or choose other parts."
    values = {"parts": ", ".join(options.parts)}
    return Refusal("nothing_found", message, hint, detail="no_parts", values=values)


def archive(files: list[s.File]) -> s.File:
    """An archive of results, which takes no room of its own."""
    size, ids = sum(file.bytes for file in files), tuple(file.id for file in files)
    return s.File(id=new_id(), name="sfumato.zip", type=ARCHIVE, bytes=size, width=0, height=0, holds=ids)


OPERATIONS = (
    Operation(
        handler=batch,
        method="POST",
        path="/api/batches",
        status=202,
        body=r.BatchRequest,
        answer=e.Job,
        errors=("style_gone", "nothing_found", *JOB_ERRORS),
        about="The same on many pictures that were sent: an `item` for each, with its file or what went wrong; the"
        " last file of `done` is a ZIP archive of all.",
    ),
)
