"""The pages of the studio, and what it says of itself."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from .. import __version__, zoo
from . import schema as s
from .catalogue import listed
from .guard import cookie, names
from .operations import WORK, Call, Operation, Query
from .problems import Refusal
from .sending import TYPES, file
from .store import gone

STATIC = Path(__file__).parent / "static"
ONWARD = '<!doctype html><title>Sfumato studio</title><meta http-equiv="refresh" content="0; url=/">'
"""Goes on to the page. After a redirect browsers that came by a link would not send the new cookie."""
EXAMPLES = {
    name: s.Example(name=name, title=title, use=use)  # type: ignore[arg-type]
    for name, title, use in (
        ("portrait-1", "Portrait with red curls", "photo"),
        ("portrait-2", "Portrait with glasses", "photo"),
        ("portrait-3", "Portrait with long hair", "photo"),
        ("lake", "Lake Sherburne", "photo"),
        ("colosseum", "The Colosseum", "photo"),
        ("arlesiennes", "Gauguin, Arlésiennes", "style"),
        ("chrysanthemums", "Renoir, Chrysanthemums", "style"),
        ("saint-george", "Martorell, Saint George and the Dragon", "style"),
        ("seascape", "Renoir, Seascape", "style"),
        ("gravel", "Gravel", "swatch"),
    )
}


async def health(call: Call) -> s.Health:
    """Whether the studio is ready."""
    engine = call.studio.engine
    return s.Health(
        ready=engine.heavy.state in ("ready", "working"),
        version=__version__,
        worker=engine.heavy.state,
        device=engine.heavy.facts.get("device", ""),
        loaded=engine.heavy.loaded,
        waiting=engine.waiting,
        limits=call.studio.limits,
    )


async def options(call: Call) -> s.OptionSchemas:
    """JSON schemas of all options."""
    from . import requests as r

    studio = call.studio
    if not studio.forms:
        studio.forms, _ = await studio.engine.quick.call("forms", {})
    kinds: dict[str, type[s.Model]] = {
        "variants": r.VariantsRequest,
        "stylize": r.StylizeRequest,
        "texture": r.TextureRequest,
        "batch": r.BatchRequest,
    }
    requests = {name: kind.model_json_schema() for name, kind in kinds.items()}
    return s.OptionSchemas(**studio.forms, save=r.SaveOptions.model_json_schema(), requests=requests)


async def models(call: Call) -> s.Models:
    """The models there are."""
    return s.Models(models=await listed(call.studio))


async def examples(_call: Call) -> s.Examples:
    """Pictures to try."""
    return s.Examples(examples=tuple(EXAMPLES.values()))


async def example(call: Call) -> Response:
    """One of them."""
    found = EXAMPLES.get(call.request.path_params["name"])
    if found is None:
        raise gone("example")
    return file(zoo.ASSETS / "examples" / f"{found.name}.jpg")


async def enter(call: Call) -> Response:
    """Lets a browser in that has a token."""
    kept = call.studio.access.enter(call.query("token"))
    _, name = names(call.studio.settings.home)
    answer = HTMLResponse(ONWARD)
    answer.headers.append("set-cookie", cookie(name, kept))
    return answer


def static_files() -> dict[str, Path]:
    """The files of the pages by the path of their address; tabs with a mere picture ask for /favicon.ico unbidden."""
    files = (path for path in sorted(STATIC.rglob("*")) if path.suffix in TYPES and path.is_file())
    found = {f"/{path.relative_to(STATIC).as_posix()}": path for path in files}
    return found | {"/": found["/index.html"], "/favicon.ico": found["/icon.svg"]}


def static(files: dict[str, Path]) -> Any:
    """What answers with a file of the pages: one of a list that was made at the start."""

    async def send(request: Request) -> Response:
        path = files.get(request.url.path)
        if path is None:
            raise Refusal("not_found", "There is no such page.", "The studio begins at /.")
        return file(path, {"cache-control": "no-cache"})

    return send


OPERATIONS = (
    Operation(
        handler=health,
        method="GET",
        path="/api/health",
        answer=s.Health,
        about="200 when the studio is ready, 503 with the same body while the worker starts or is started again.",
    ),
    Operation(
        handler=options,
        method="GET",
        path="/api/options",
        answer=s.OptionSchemas,
        errors=WORK,
        about="JSON schemas of all options: forms are made of them.",
    ),
    Operation(
        handler=models,
        method="GET",
        path="/api/models",
        answer=s.Models,
        errors=WORK,
        about="The models, and which work each fits.",
    ),
    Operation(
        handler=examples,
        method="GET",
        path="/api/examples",
        answer=s.Examples,
        about="Pictures to try; fetch one and post it as a photo.",
    ),
    Operation(
        handler=example,
        method="GET",
        path="/api/examples/{name}",
        answer=("image/jpeg",),
        errors=("not_found",),
        about="One of them.",
    ),
    Operation(
        handler=enter,
        method="GET",
        path="/enter",
        answer=("text/html",),
        query=(Query(name="token", kind="string", about="As the studio printed it; good for one browser."),),
        errors=("no_access", "disk_full"),
        about="With --listen: lets this browser in and goes on to the page.",
    ),
)
