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
