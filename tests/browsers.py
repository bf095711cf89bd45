"""A real browser for the tests of the studio's page: Chromium, driven by Playwright.

Where either is missing the tests that need them are skipped, and the session ends with a loud line (conftest.py).
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import sfumato

STATIC = Path(sfumato.__file__).parent / "studio" / "static"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """The browser's program: $SFUMATO_CHROMIUM, or one on the path."""
    return os.environ.get("SFUMATO_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def started(*more: str, without: Sequence[str] = ()) -> Iterator[Any]:
    """A browser without windows.

    Args:
        more: further flags.
        without: flags that are left out.

    Raises:
        LookupError: this machine has none, or no Playwright.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise LookupError("no Playwright: pip install playwright") from error
    path = program()
    if path is None:
        raise LookupError(f"no browser: none of {', '.join(NAMES)} is on the path, and SFUMATO_CHROMIUM is not set")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*(flag for flag in FLAGS if flag not in without), *more]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page, and what it did beside what was asked of it."""

    page: Any
    context: Any
    outside: list[str] = field(default_factory=list)
    """Addresses beyond this computer."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, breaches of the content security policy among them."""


@contextlib.contextmanager
def visit(browser: Any, address: str, *, width: int = 1280, height: int = 800, **more: Any) -> Iterator[Visit]:
    """A fresh page at an address; it must neither complain nor ask for anything outside."""
    options: dict[str, Any] = {"viewport": {"width": width, "height": height}, "locale": "en-GB"} | more
    context = browser.new_context(**options)
    made = Visit(context.new_page(), context)
    home = address.split("/")[2]
    local = (f"http://{home}/", "blob:", "data:")
    context.on("request", lambda request: request.url.startswith(local) or made.outside.append(request.url))
    quiet = ("log", "debug", "info")
    context.on(
        "console",
        lambda line: (
            line.type in quiet or made.complaints.append(f"{line.type}: {line.text} {line.location.get('url', '')}")
        ),
    )
    context.on("weberror", lambda error: made.complaints.append(str(error.error)))
    made.page.goto(address)
    try:
        yield made
    finally:
        context.close()
    assert not made.outside, made.outside
    assert not made.complaints, made.complaints


class _Files(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def translate_path(self, path: str) -> str:
        """Files of the folder, and beside them those of `more`."""
        found = super().translate_path(path)
        other = self.server.more / Path(found).name  # type: ignore[attr-defined]
        return str(other) if other.is_file() else found

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def static_files(more: Path) -> Iterator[str]:
    """The address of the page's files and of those in a folder of the test, without a studio."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(STATIC)))
    server.more = more  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def studio(home: Path, *words: str, limit_s: float = 300) -> Iterator[str]:
    """The address of a studio of its own, once it is ready."""
    command = [
        sys.executable,
        "-m",
        "sfumato",
        "studio",
        "--no-browser",
        "--folder",
        str(home),
        "--device",
        "cpu",
        *words,
    ]
    drain = None
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")
    try:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append(line)
            if "The studio is at " in line:
                break
        assert told and "The studio is at " in told[-1], told
        address = told[-1].split("The studio is at ")[1].strip().rstrip("/")
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        _await_ready(address, limit_s)
        yield address
    finally:
        process.terminate()
        process.wait(120)
        if drain is not None:
            drain.join()
        if process.stdout is not None:
            process.stdout.close()


def processes(root: int) -> Iterator[tuple[int, str, list[str]]]:
    """A process and all below it: id, command, fields of its stat file."""
    parents, found = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_text(errors="replace").replace("\0", " ")
            fields = (path / "stat").read_text().rpartition(") ")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(path.name)], found[int(path.name)] = int(fields[1]), (command, fields)
    for pid, (command, fields) in found.items():
        at = pid
        while at in parents and at != root:
            at = parents[at]
        if at == root:
            yield pid, command, fields


def end_workers(home: Path) -> None:
    """Ends what works for the studio of a folder, as the system does that has no memory left."""
    studio = next(pid for pid, command, _ in processes(os.getpid()) if f"--folder {home}" in command)
    for pid, command, _ in processes(studio):
        if "sfumato.studio.worker" in command:
            os.kill(pid, signal.SIGKILL)


def _await_ready(address: str, limit_s: float) -> None:
    import urllib.error
    import urllib.request

    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/api/health", timeout=30) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            error.close()
        time.sleep(0.3)
    raise TimeoutError(f"the studio was not ready in {limit_s} seconds")
