"""What all tests live under: fixed seeds, two cores, no network, a cache of their own; and the real data, where it is.

Warnings are errors, the order is random and each test has a time limit: pyproject.toml.
"""

import contextlib
import importlib
import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before torch is imported anywhere, in this process and in those it starts.
os.environ.setdefault("OMP_NUM_THREADS", "2")

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
SKIPPED = pytest.StashKey[list[str]]()
NO_BLENDER = pytest.StashKey[list[str]]()
NO_TRANSFORMERS = pytest.StashKey[list[str]]()
NO_BROWSER = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real pictures and weights: $SFUMATO_DATA, else ../shared/data beside the repository.

    A test that asks for it is skipped without it, and the session says so loudly at its end.
    """
    if named := os.environ.get("SFUMATO_DATA"):
        if not Path(named).is_dir():
            pytest.fail(f"SFUMATO_DATA={named} is not a folder")
        return Path(named)
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data: SFUMATO_DATA is not set and {SHARED_DATA} does not exist")
    return SHARED_DATA


@pytest.fixture(scope="session")
def blender() -> Any:
    """The Blender of this machine: $SFUMATO_BLENDER_PYTHON, which `make blender` makes, or a program on the path.

    A test that asks for it is skipped without it, and the session says so loudly at its end; with `CI` set that fails
    the run, unless SFUMATO_NO_BLENDER says that this machine can have none.
    """
    from sfumato.errors import DataError
    from sfumato.render.blender import found

    try:
        return found.blender()
    except DataError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def transformers() -> Any:
    """Hugging Face's library, whose parsers ours are compared with.

    A test that asks for it is skipped without it, and the session says so loudly at its end.
    """
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed")
    return importlib.import_module("transformers")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser without windows, for the studio's page: $SFUMATO_CHROMIUM, or a Chromium on the path, and Playwright.

    A test that asks for it is skipped without it, and the session says so loudly at its end; with `CI` set that fails
    the run, unless SFUMATO_NO_BROWSER says that this machine can have none.
    """
    import browsers

    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(browsers.started())
        except LookupError as error:
            pytest.skip(str(error))
        yield made


@pytest.fixture(autouse=True)
def _seed() -> None:
    """The same random numbers in every run and order; pytest-randomly sees to `random` and NumPy."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's cache is neither read nor written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFUMATO_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """No connection leaves this machine; programs that tests start are given a proxy that is not there."""

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            local = self.family == getattr(socket, "AF_UNIX", None)
            if local or str(address[0]) in {"localhost", "::1"} or str(address[0]).startswith("127."):
                return real(self, address)
            raise OSError(f"tests have no network, and one wants to reach {address}")

        return connect

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "localhost,127.0.0.1,::1")
        yield


def pytest_configure(config: pytest.Config) -> None:
    for kind in (SKIPPED, NO_BLENDER, NO_TRANSFORMERS, NO_BROWSER):
        config.stash[kind] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    wanted = getattr(item, "fixturenames", ())
    if report.skipped and not hasattr(report, "wasxfail"):
        if "blender" in wanted and "Blender" in str(report.longrepr):
            item.config.stash[NO_BLENDER].append(item.nodeid)
        elif "transformers" in wanted and "transformers" in str(report.longrepr):
            item.config.stash[NO_TRANSFORMERS].append(item.nodeid)
        elif "browser" in wanted:
            item.config.stash[NO_BROWSER].append(item.nodeid)
        elif "real_data" in wanted:
            item.config.stash[SKIPPED].append(item.nodeid)
    return report


def must_run(config: pytest.Config) -> bool:
    """Whether what was skipped fails the run."""
    data = config.stash[SKIPPED] and SHARED_DATA.is_dir()
    blender = config.stash[NO_BLENDER] and not os.environ.get("SFUMATO_NO_BLENDER")
    browser = config.stash[NO_BROWSER] and not os.environ.get("SFUMATO_NO_BROWSER")
    return bool(os.environ.get("CI") and (data or blender or browser))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if must_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := len(config.stash[SKIPPED]):
        terminalreporter.section("REAL DATA MISSING", sep="!", red=True, bold=True)
        terminalreporter.line(f"{count} tests need real pictures and weights and DID NOT RUN.", red=True, bold=True)
        terminalreporter.line("Point SFUMATO_DATA at the folder, or put it at ../shared/data beside the repository.")
        if os.environ.get("CI") and SHARED_DATA.is_dir():
            terminalreporter.line(f"{SHARED_DATA} exists, so on CI this fails the run.", red=True, bold=True)
    if count := len(config.stash[NO_BLENDER]):
        terminalreporter.section("BLENDER MISSING", sep="!", red=True, bold=True)
        terminalreporter.line(f"{count} tests need Blender and DID NOT RUN.", red=True, bold=True)
        terminalreporter.line(
            "`make blender`, then SFUMATO_BLENDER_PYTHON=.venv-blender/bin/python; Python 3.11 is needed."
        )
        if os.environ.get("CI") and not os.environ.get("SFUMATO_NO_BLENDER"):
            terminalreporter.line("On CI this fails the run, unless SFUMATO_NO_BLENDER=1 is set.", red=True, bold=True)
    if count := len(config.stash[NO_TRANSFORMERS]):
        terminalreporter.section("TRANSFORMERS MISSING", sep="!", red=True, bold=True)
        terminalreporter.line(f"{count} tests need transformers and DID NOT RUN: pip install transformers", bold=True)
    if count := len(config.stash[NO_BROWSER]):
        terminalreporter.section("BROWSER MISSING", sep="!", red=True, bold=True)
        terminalreporter.line(f"{count} tests need a browser and DID NOT RUN.", red=True, bold=True)
        terminalreporter.line("Install Chromium (or set SFUMATO_CHROMIUM) and Playwright (`pip install playwright`).")
        if os.environ.get("CI") and not os.environ.get("SFUMATO_NO_BROWSER"):
            terminalreporter.line("On CI this fails the run, unless SFUMATO_NO_BROWSER=1 is set.", red=True, bold=True)
