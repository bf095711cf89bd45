"""A studio that several tests share; each test has a browser of its own, and with it a session."""

from collections.abc import Iterator

import pytest
from studios import Browser, Running, running


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A studio with small limits and a folder of runs."""
    runs = tmp_path_factory.mktemp("runs")
    with running(tmp_path_factory.mktemp("studio") / "home", runs=runs) as studio:
        yield studio


@pytest.fixture
def browser(shared: Running) -> Browser:
    return shared.browser()


@pytest.fixture
def ready(shared: Running) -> Running:
    """The shared studio once its worker is there."""
    shared.ready()
    return shared
