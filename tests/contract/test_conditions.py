"""What all tests live under does bite: a small session of its own, in a repository of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

NEEDS_DATA = "def test_data(real_data): assert real_data.is_dir()\n"


@pytest.fixture
def session(repository: Path, tmp_path: Path):
    """Runs a test file's text as a session of a new repository beside tmp_path/shared: (exit status, output)."""
    root = tmp_path / "repository"
    (root / "tests").mkdir(parents=True)
    shutil.copy(repository / "pyproject.toml", root)
    shutil.copy(repository / "tests" / "conftest.py", root / "tests")

    def run(text: str, *arguments: str, **environment: str) -> tuple[int, str]:
        (root / "tests" / "test_it.py").write_text(text, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if name not in {"CI", "SFUMATO_DATA"}}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments]
        done = subprocess.run(command, cwd=root, env=kept | environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_warning_is_an_error():
    with pytest.raises(UserWarning, match="no"):
        warnings.warn("no", stacklevel=1)


@pytest.mark.parametrize("connect", ["connect", "connect_ex"])
def test_no_connection_leaves_the_machine(connect):
    with socket.socket() as outside, pytest.raises(OSError, match="tests have no network"):
        getattr(outside, connect)(("192.0.2.1", 80))


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())


def test_the_cache_is_not_the_users():
    assert Path(os.environ["SFUMATO_HOME"]).is_dir()
    assert not Path(os.environ["SFUMATO_HOME"]).is_relative_to(Path.home() / ".cache")


def test_missing_data_is_skipped_loudly(session):
    status, output = session(NEEDS_DATA)
    assert status == 0
    assert "REAL DATA MISSING" in output
    assert "1 tests need real pictures and weights and DID NOT RUN." in output


def test_data_is_found_beside_the_repository(session, tmp_path):
    (tmp_path / "shared" / "data").mkdir(parents=True)
    status, output = session(NEEDS_DATA)
    assert status == 0
    assert "1 passed" in output
    assert "REAL DATA MISSING" not in output


def test_a_named_folder_that_is_none_is_an_error(session, tmp_path):
    status, output = session(NEEDS_DATA, SFUMATO_DATA=str(tmp_path / "nowhere"))
    assert status == 1
    assert "is not a folder" in output


def test_on_ci_a_skip_fails_where_the_data_is(session, tmp_path):
    text = "import pytest\ndef test_data(real_data): pytest.skip('no such picture')\n"
    assert session(text, CI="true")[0] == 0
    (tmp_path / "shared" / "data").mkdir(parents=True)
    assert session(text)[0] == 0
    status, output = session(text, CI="true")
    assert status == 1
    assert "on CI this fails the run" in output


def test_torch_starts_from_one_seed(session):
    text = "import pytest, torch\n@pytest.mark.parametrize('k', range(3))\ndef test_a(k):\n    first = torch.rand(1)\n"
    text += "    torch.manual_seed(0)\n    assert first == torch.rand(1)\n"
    status, output = session(text)
    assert status == 0, output


def test_a_test_that_hangs_is_stopped(session):
    status, output = session("import time\ndef test_hangs(): time.sleep(30)\n", "--timeout=1")
    assert status == 1
    assert "Timeout" in output


def test_a_wait_of_the_page_ends_and_says_for_what(monkeypatch):
    import studio_page as sp

    class Page:
        """One on which nothing ever happens."""

        def __init__(self):
            self.waits = 0

        def route(self, *_):
            """Nobody asks."""

        def evaluate(self, *_):
            return False

        def wait_for_timeout(self, _):
            time.sleep(0.001)
            self.waits += 1
            assert self.waits < 1000, "it waits for ever"

    monkeypatch.setattr(sp, "WAIT_MS", 1)
    with pytest.raises(TimeoutError, match=r"=> ready did not come true with 7, within 1 ms"):
        sp.until(Page(), "() => ready", 7)
    with pytest.raises(TimeoutError, match="did not ask 2 times"):
        sp.arrived(Page(), ["once"], 2)
    with pytest.raises(TimeoutError, match="did not listen"):
        sp.Stream(Page()).heard()


def test_a_test_of_the_page_has_time_for_its_waits(session, repository, tmp_path):
    folder = tmp_path / "repository" / "tests"
    for name in ("browsers.py", "studio_page.py"):
        shutil.copy(repository / "tests" / name, folder)
    (folder / "page").mkdir()
    for path in (repository / "tests" / "page").glob("*.js"):
        shutil.copy(path, folder / "page")
    local = (repository / "tests" / "jobs" / "conftest.py").read_text(encoding="utf-8")
    (folder / "jobs_conftest.py").write_text(local, encoding="utf-8")
    text = "import pytest\nfrom jobs_conftest import _room_to_wait\n@pytest.fixture\ndef browser(): pass\n"
    text += "def test_short(browser): pass\n@pytest.mark.timeout(600)\ndef test_long(browser): pass\n"
    text += "def test_other(): pass\n"
    status, output = session(text)
    assert status == 1
    assert "2 passed, 1 error" in output
    assert "a mark `timeout` of 480.0 seconds or more is wanted" in output
