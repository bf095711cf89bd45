"""The address, and the life of a studio from its start to Ctrl-C."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from ..errors import OptionError, UserError
from ..locks import locked
from . import disk
from .app import application
from .connections import Connection
from .lane import WRONG_DEVICE
from .problems import Refusal
from .settings import Settings
from .studio import Studio

PORT = 7860
"""Where the studio is if nothing is said and nobody else is there."""
LOCAL, EVERYWHERE = "127.0.0.1", "0.0.0.0"
"""What it listens to; the second only with --listen, behind a token."""
CLOSING_S = 3
"""Seconds in which requests must end when the studio does."""
AT_ONCE, QUEUE = 16, 1024
"""Connections that are taken before those too many are closed, and those that may wait meanwhile."""
TAKEN = (errno.EADDRINUSE, errno.EACCES)

Tell = Callable[[str], None]


def serve(settings: Settings, tell: Tell, *, port: int | None = None, browser: bool = True) -> None:
    """Runs a studio until Ctrl-C.

    Args:
        settings: how.
        tell: takes lines for the one who started it.
        port: where; None takes `PORT`, or any other that is free.
        browser: whether to open one.

    Raises:
        OptionError: the port is taken.
        UserError: another studio uses the folder.
    """
    with only_one(settings.home) as mark, listening(settings, port, tell) as place:
        asyncio.run(run(settings, place, mark, tell, browser=browser))
    tell("The studio has closed; the pictures stay for the next time.")


async def run(settings: Settings, place: socket.socket, mark: Path, tell: Tell, *, browser: bool) -> None:
    """Answers requests that come to a socket, until a signal ends that.

    Raises:
        OptionError: there is no such device.
    """
    async with Studio(settings, tell) as studio:
        studio.access.address = f"http://{own_address() if settings.listens else LOCAL}:{place.getsockname()[1]}"
        mark.write_text(studio.access.address, encoding="utf-8")
        tell(f"The studio is at {studio.access.link()}")
        server = Server(studio)
        works: list[Awaitable[Any]] = [server.serve([place]), started(server)]
        if browser and has_screen():
            works.append(asyncio.to_thread(webbrowser.open, studio.access.link()))
        _, problem, *_ = await asyncio.gather(*works)
    if problem is not None:
        raise OptionError(problem)


async def started(server: "Server") -> str | None:
    """Waits for the working process, then warms the other; if what was chosen lets none start the studio ends: why."""
    engine = server.studio.engine
    try:
        await engine.heavy.start()
    except Refusal as error:
        if error.code == WRONG_DEVICE:
            server.should_exit = True
            return error.message[:1].lower() + error.message[1:]
    else:
        await engine.warm()
    return None


class Server(uvicorn.Server):
    """uvicorn's server, which ends quietly at Ctrl-C, and ends jobs before it waits for requests.

    Args:
        studio: what it serves.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        config = uvicorn.Config(
            application(studio),
            lifespan="off",
            ws="none",
            http=Connection,
            loop="asyncio",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=CLOSING_S,
            backlog=AT_ONCE,
        )
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends at Ctrl-C or when told to; unlike uvicorn's own, without a signal to whoever called."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self.handle_exit) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins as uvicorn does; but while few are taken at once, many may wait."""
        await super().startup(sockets)
        for place in sockets or ():
            place.listen(QUEUE)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends jobs, and with them the streams of those who listen; then as uvicorn does."""
        await self.studio.engine.close()
        await super().shutdown(sockets)


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[Path]:
    """Keeps the folder for this studio; gives the file in which its address is to be written.

    Raises:
        UserError: another studio has it.
    """
    mark = disk.private(home) / "address"
    with (home / "lock").open("ab") as lock:
        if not locked(lock.fileno()):
            where = mark.read_text(encoding="utf-8") if mark.exists() else "an address it is about to print"
            raise UserError(f"a studio runs already, at {where}; open that, or give this one a --folder of its own")
        try:
            yield mark
        finally:
            mark.unlink(missing_ok=True)


@contextlib.contextmanager
def listening(settings: Settings, port: int | None, tell: Tell) -> Iterator[socket.socket]:
    """A socket that requests come to.

    Raises:
        OptionError: the port is taken.
    """
    host = EVERYWHERE if settings.listens else LOCAL
    try:
        place = bound(host, PORT if port is None else port)
    except OSError as error:
        if error.errno not in TAKEN:
            raise
        if port is not None:
            raise OptionError(f"--port {port}: {error.strerror}; without --port a free one is found") from error
        place = bound(host, 0)
        tell(f"Port {PORT} is taken by another program, so this is another one.")
    with place:
        yield place


def bound(host: str, port: int) -> socket.socket:
    """A socket at that address; 0 is any port that is free.

    Raises:
        OSError: it is taken.
    """
    place = socket.socket(socket.AF_INET)
    if os.name == "posix":  # elsewhere it would let two studios share a port
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
        place.listen()  # who comes before the server answers waits
    except OSError:
        place.close()
        raise
    return place


def own_address() -> str:
    """What others call this computer: its address in the network that the way out leads through."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # nothing is sent
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return LOCAL
        return str(probe.getsockname()[0])


def has_screen() -> bool:
    """Whether a browser can be shown; without a screen Python would open one in the terminal."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
