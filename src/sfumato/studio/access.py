"""Who may come: names of the studio, requests of its own page alone, and tokens beyond this computer.

A page of another site must not be able to use the studio through the browser that shows both. So the name in the
address is checked, which DNS rebinding cannot forge; what changes anything needs a header that a form cannot send; and
what the browser itself says of a request's origin must fit. Nothing here answers with a CORS header.
"""

import ipaddress
import secrets
from collections.abc import Callable, Mapping

from starlette.datastructures import URL

from .passes import Passes
from .problems import Refusal
from .settings import Settings

HOME_NAMES = frozenset(["127.0.0.1", "localhost", "::1"])
SAFE = ("GET", "HEAD")
ELSEWHERE = ("cross-site", "same-site")
"""What Sec-Fetch-Site says of other sites; their requests lack the studio's cookies."""
OWN_SITE = ("same-origin", "none")
"""What Sec-Fetch-Site may say of a request that changes something."""


class Access:
    """What is checked of each request.

    Args:
        settings: of the studio.
        tell: takes a line for the one who started it.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self.settings, self.tell = settings, tell
        self.address = ""
        """Of the studio for others, `http://host:port`; known once it listens."""
        self.token = secrets.token_urlsafe(24)
        self.passes = Passes(settings.home)
        """What browsers that were let in keep as a cookie."""

    def check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Whether a request may come at all; a token is another question.

        Raises:
            Refusal: it may not.
        """
        host = headers.get("host", "")
        if not self.knows(host):
            hint = "Open the address that the studio printed, or start it with --trust-host NAME."
            raise Refusal("wrong_host", f"This studio does not answer to the name {host[:100]!r}.", hint)
        site = headers.get("sec-fetch-site")
        if method in SAFE:
            navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            if site in ELSEWHERE and not (navigates and not path.startswith("/api/")):
                raise foreign()
            return
        origin = headers.get("origin")
        if site is not None and site not in OWN_SITE:
            raise foreign()
        if origin is not None and not self.is_own(origin, host):
            raise foreign()
        if headers.get("x-studio") != "1":
            raise Refusal("forbidden", "The header X-Studio is missing.", "Programs send `X-Studio: 1`.")

    def knows(self, host: str) -> bool:
        """Whether a Host header names this studio."""
        try:
            name = URL(f"http://{host}/").hostname or ""
        except ValueError:
            return False
        if name in HOME_NAMES or name in self.settings.trusted:
            return True
        return self.settings.listens and is_address(name)  # a rebound name is never a number

    def is_own(self, origin: str, host: str) -> bool:
        """Whether an Origin header names what Host does, or a trusted name: a proxy may have changed Host."""
        try:
            found = URL(origin)
            name = found.hostname or ""
        except ValueError:
            return False
        return found.netloc.lower() == host.lower() or name in self.settings.trusted  # `null` has no name

    def may_enter(self, kept: str) -> bool:
        """Whether a browser with this cookie may come in."""
        return not self.settings.wants_token or self.passes.good(kept)

    def enter(self, token: str) -> str:
        """Takes a token, which is good for one browser, and gives what that browser keeps.

        Raises:
            Refusal: it is not the one, or was used.
            DiskError: what that browser keeps cannot be remembered; the token stays good.
        """
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            hint = "The studio prints a new one for each browser; open that."
            raise Refusal("no_access", "This address was used already, or is wrong.", hint)
        kept = self.passes.give()
        self.token = secrets.token_urlsafe(24)
        self.tell(f"A browser came in. For another one: {self.link()}")
        return kept

    def link(self) -> str:
        """The address that lets a browser in."""
        return f"{self.address}/enter?token={self.token}" if self.settings.wants_token else f"{self.address}/"


def foreign() -> Refusal:
    """A request of another site."""
    return Refusal("forbidden", "The request comes from another site.", "Open the studio in a tab of its own.")


def is_address(name: str) -> bool:
    """Whether a host is a number, not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
