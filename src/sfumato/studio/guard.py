"""Around the whole application: checks each request, knows its session, and sets what every answer carries."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import doorstep
from .access import ELSEWHERE
from .passes import YEAR_S
from .problems import Refusal
from .store import ID, new_id
from .studio import Studio

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'"
)
"""What a page of the studio may load: nothing of others, no script that is written into it."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""On every answer that says nothing else."""


def names(home: Path) -> tuple[str, str]:
    """Of the cookies for the session and for the pass: by the folder, since browsers do not tell ports apart."""
    mark = hashlib.blake2b(str(home).encode(), digest_size=6).hexdigest()
    return f"sfumato_session_{mark}", f"sfumato_pass_{mark}"


class Guard:
    """The application behind its checks.

    Args:
        app: what answers.
        studio: the studio.
    """

    def __init__(self, app: ASGIApp, studio: Studio) -> None:
        self.app, self.studio = app, studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or has it answered."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        kept = cookie_parser(headers.get("cookie", ""))
        session_name, pass_name = names(self.studio.settings.home)
        session_id = kept.get(session_name, "")
        fresh = not ID.fullmatch(session_id)
        if fresh:
            session_id = new_id()
            fresh = begins(scope["path"], headers)
        scope["session"] = session_id

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
                if fresh and message["status"] < 400:
                    answer.append("set-cookie", cookie(session_name, session_id))
            await send(message)

        access = self.studio.access
        try:
            access.check(scope["method"], scope["path"], headers)
            if scope["path"] != "/enter" and not access.may_enter(kept.get(pass_name, "")):
                hint = "Open the address with the token that the studio printed where it was started."
                raise Refusal("no_access", "This browser was not let in.", hint)
        except Refusal as error:
            await refused(error, scope["method"], headers)(scope, receive, sending)
            return
        await self.app(scope, receive, sending)


def begins(path: str, headers: Headers) -> bool:
    """Whether a request without a cookie begins a session.

    A link on another site does not, since the browser keeps back a cookie that may be there; nor does a file of the
    page, which may be answered after another request has begun one.
    """
    return headers.get("sec-fetch-site") not in ELSEWHERE and (path == "/" or path.startswith("/api/"))


def refused(error: Refusal, method: str, asked: Mapping[str, str]) -> Response:
    """A problem as an answer: JSON, but for somebody who opens an address in a browser and is not let in.

    Args:
        error: the problem.
        method: of the request.
        asked: its headers.
    """
    if error.code in doorstep.CODES and doorstep.navigates(method, asked):
        return doorstep.page(error, asked)
    headers = {} if error.retry_s is None else {"retry-after": str(round(error.retry_s))}
    return Response(error.problem.model_dump_json(), error.status, headers, media_type="application/json")


def cookie(name: str, value: str) -> str:
    """A cookie that scripts cannot read and other sites' requests do not carry."""
    return f"{name}={value}; Path=/; Max-Age={YEAR_S}; HttpOnly; SameSite=Strict"
