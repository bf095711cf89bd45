"""A studio that the tests of its page share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import pytest
import studio_page as sp


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the studio keeps its pictures."""
    return tmp_path_factory.mktemp("studio") / "home"


@pytest.fixture(scope="session")
def address(browser: Any, home: Path) -> Iterator[str]:
    """A studio with one training to watch. It needs the browser only so as not to start without one."""
    sp.training(home.parent / "runs")
    with browsers.studio(home, "--runs", str(home.parent / "runs")) as made:
        yield made


@pytest.fixture(autouse=True)
def _room_to_wait(request: pytest.FixtureRequest) -> None:
    """A test of the page has time for its start and one whole wait, so that it says what it waited for in vain."""
    if "browser" not in request.fixturenames:
        return
    mark = request.node.get_closest_marker("timeout")
    limit_s = float(mark.args[0] if mark else request.config.getini("timeout"))
    assert limit_s >= 2 * sp.WAIT_MS / 1000, f"a mark `timeout` of {2 * sp.WAIT_MS / 1000} seconds or more is wanted"


@pytest.fixture
def seen(browser: Any, address: str) -> Iterator[browsers.Visit]:
    """The page of somebody who comes for the first time."""
    with browsers.visit(browser, address) as made:
        made.page.set_default_timeout(sp.WAIT_MS)
        yield made


@pytest.fixture(params=["phone", "desk", "retina"])
def sized(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[browsers.Visit]:
    """The same, on a narrow screen, on a wide one, and on one with two pixels for each of CSS."""
    with browsers.visit(browser, address, **sp.SIZES[request.param]) as made:
        made.page.set_default_timeout(sp.WAIT_MS)
        yield made
