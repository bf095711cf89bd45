"""The application: every operation behind one wrapper that checks bodies and answers, and the guard around all."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..errors import Cancelled, SfumatoError
from . import batches, pages, pictures, results, styling, training, variants
from .guard import Guard, refused
from .operations import Call, Operation, coming
from .problems import FULL, Refusal, disk_full, refusal, unforeseen, wrong_value
from .schema import Health, Model
from .settings import Settings
from .studio import Studio

OPERATIONS: tuple[Operation, ...] = (
    *pages.OPERATIONS,
    *pictures.OPERATIONS,
    *variants.OPERATIONS,
    *styling.OPERATIONS,
    *batches.OPERATIONS,
    *results.OPERATIONS,
    *training.OPERATIONS,
)
"""All operations, in the order of the documents."""
Endpoint = Callable[[Request], Awaitable[Response]]


def application(studio: Studio) -> ASGIApp:
    """What answers every request to a studio."""
    from .openapi import document

    described = Response(document(OPERATIONS), media_type="application/json").body

    async def openapi(_request: Request) -> Response:
        return Response(described, media_type="application/json")

    routes = [Route(one.path, endpoint(studio, one), methods=[one.method]) for one in OPERATIONS]
    files = pages.static_files()
    routes += [Route("/api/openapi.json", openapi, methods=["GET"])]
    routes += [Route(path, pages.static(files), methods=["GET"]) for path in files]
    handlers: Any = {HTTPException: no_page, Exception: mistake}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), studio)


def endpoint(studio: Studio, operation: Operation) -> Endpoint:
    """What answers a request by an operation's handler."""

    async def answer(request: Request) -> Response:
        try:
            body = await body_of(request, operation, studio.settings)
            call = Call(studio=studio, request=request, session_id=request.scope["session"], body=body)
            if known := studio.store.sessions.get(call.session_id):
                known.touch()
            return checked(operation, await operation.handler(call))
        except (Refusal, SfumatoError, OSError) as error:
            return refused(told(error), request.method, request.headers)
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody reads

    return answer


def told(error: Refusal | SfumatoError | OSError) -> Refusal:
    """What a client is told of an error.

    Raises:
        OSError: nobody foresaw it.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Cancelled):
        return Refusal("not_ready", "The work was cancelled.")
    if isinstance(error, SfumatoError):
        return refusal(error)
    if error.errno not in FULL:
        raise error
    return disk_full(error)


async def body_of(request: Request, operation: Operation, settings: Settings) -> Model | None:
    """The body as the model that the operation names; None where it takes none, or raw bytes.

    Raises:
        Refusal: it is too long, does not come, is no JSON, or a value in it is wrong.
    """
    kind = operation.body
    if not isinstance(kind, type):
        return None
    content = bytearray()
    async for chunk in coming(request, settings.stall_s):
        content += chunk
        if len(content) > settings.body_bytes:
            raise Refusal("too_big", f"The request has more than {settings.body_bytes} bytes.")
    try:
        return kind.model_validate_json(bytes(content) or b"{}")
    except ValidationError as error:
        raise wrong_value(error) from error


def checked(operation: Operation, made: Model | Response | None) -> Response:
    """What a handler made, as the answer that its operation promises.

    Raises:
        TypeError: it is another.
    """
    promised = operation.answer
    if isinstance(promised, type):
        if not isinstance(made, promised):
            raise TypeError(f"{operation.name} promises {promised.__name__} and makes {type(made).__name__}")
        status = 503 if isinstance(made, Health) and not made.ready else operation.status
        return Response(made.model_dump_json(), status, media_type="application/json")
    if made is None:
        return Response(status_code=operation.status)
    if not isinstance(made, Response):
        raise TypeError(f"{operation.name} promises a response and makes {type(made).__name__}")
    kind = (made.media_type or "").partition(";")[0]
    if promised is not None and made.status_code == 200 and kind not in promised:
        raise TypeError(f"{operation.name} promises {', '.join(promised)} and makes {kind}")
    return made


async def no_page(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: no such page, no such method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        problem = Refusal("not_allowed", "This page knows no such method.")
    else:
        problem = Refusal("not_found", "There is no such page.", "The studio begins at /.")
    return refused(problem, request.method, request.headers)


async def mistake(request: Request, error: Exception) -> Response:
    """A mistake of ours; uvicorn logs it with its traceback."""
    return refused(unforeseen(error, "A mistake of the studio; its log says more."), request.method, request.headers)
