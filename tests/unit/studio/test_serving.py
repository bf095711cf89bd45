"""The command: an address, one studio to a folder, an end at Ctrl-C."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from commands import command, free_port, port_of
from studios import Browser, photo, until

from sfumato.errors import OptionError, UserError
from sfumato.studio import serving
from sfumato.studio.settings import Settings


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=lambda kind: kind.name)
def test_it_serves_until_it_is_told_to_end(tmp_path, kind):
    wanted = free_port()
    with command(tmp_path, "--port", str(wanted)) as process:
        assert port_of(process) == wanted
        browser = Browser(wanted)
        until(lambda: browser.ask("GET", "/api/health").status == 200)
        made = browser.upload(photo())["id"]
        job = browser.post("/api/textures", {"swatches": [made], "options": {"iterations": [5000]}})
        events = browser.listen(f"/api/jobs/{job['id']}/events")
        next(events)
        begun = time.monotonic()
        process.send_signal(kind)
        assert list(events)[-1][1] == "cancelled", "who listens is told"
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert out == "The studio has closed; the pictures stay for the next time.\n"
        assert time.monotonic() - begun < 30
    assert not (tmp_path / "home" / "address").exists()


def test_its_processes_end_even_if_it_is_killed(tmp_path):
    with command(tmp_path, "--port", str(free_port())) as process:
        browser = Browser(port_of(process))
        until(lambda: browser.ask("GET", "/api/health").status == 200)
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
        first, *others = map(int, children.stdout.split())
        process.kill()
        process.wait()

        def gone(child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 0)
                state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True)
                return state.stdout.strip() in ("", "Z")
            return True

        until(lambda: all(map(gone, (first, *others))))


def test_a_device_that_is_not_there_ends_it(tmp_path):
    with command(tmp_path, "--device", "cuda:9") as process:
        _, err = process.communicate(timeout=100)
        assert process.returncode == 2
        assert err.startswith("sfumato: there is no device 'cuda")


def test_a_port_that_is_taken(tmp_path, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        settings, told = Settings(home=tmp_path), list[str]()
        with pytest.raises(OptionError, match=f"--port {taken}: .* without --port a free one is found"):
            serving.listening(settings, taken, told.append).__enter__()
        monkeypatch.setattr(serving, "PORT", taken)
        with serving.listening(settings, None, told.append) as place:
            assert place.getsockname()[1] not in (0, taken)
        assert told == [f"Port {taken} is taken by another program, so this is another one."]


@pytest.mark.parametrize(("listens", "host"), [(False, "127.0.0.1"), (True, "0.0.0.0")])
def test_it_listens_to_this_computer_unless_told_otherwise(tmp_path, listens, host):
    settings = Settings(home=tmp_path, listens=listens)
    with serving.listening(settings, 0, print) as place:
        assert place.getsockname()[0] == host
    assert settings.wants_token == listens


def test_one_studio_to_a_folder(tmp_path):
    with serving.only_one(tmp_path / "home") as mark:
        mark.write_text("http://127.0.0.1:1", encoding="utf-8")
        with pytest.raises(UserError, match="runs already, at http://127.0.0.1:1; open that"):
            serving.only_one(tmp_path / "home").__enter__()
    with serving.only_one(tmp_path / "home"):
        pass


def test_a_browser_is_opened_where_there_is_a_screen(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not serving.has_screen()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert serving.has_screen()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "0"], "--port 0: wants a number from 1 to 65535"),
        (["--port", "x"], "--port x: wants a number"),
        (["--runs", "nowhere"], "--runs nowhere: there is no such folder"),
        (["--trust-host", "https://a.example"], "--trust-host https://a.example: wants a name such as"),
        (["--trust-host", "a.example:80"], "--trust-host a.example:80: wants a name such as"),
    ],
)
def test_mistakes(tmp_path, words, message):
    with command(tmp_path, *words) as process:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (2, "")
        assert err.startswith(f"sfumato: {message}")


def test_the_server_needs_no_torch(tmp_path):
    """Its memory is for pictures: what needs torch is in processes of their own."""
    code = "import sys, sfumato.studio.serving; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
