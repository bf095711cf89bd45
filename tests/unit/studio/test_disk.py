"""A disk that is full, a studio that was killed, and what may grow."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from commands import command, free_port, port_of
from studios import Browser, encoded, photo, running, until
from stylizers import made_photo

from sfumato.studio import styling
from sfumato.studio.schema import Limits
from sfumato.studio.store import Store, new_id

LONG = {"size": [96, 96], "options": {"iterations": [5000], "smallest_px": 96}}


def family(process):
    """The server and its processes."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return [process.pid, *map(int, found.stdout.split())]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's")
def test_a_full_disk_is_said_and_what_is_there_stays(tmp_path):
    with command(tmp_path, "--port", str(free_port())) as process:
        browser = Browser(port_of(process))
        until(lambda: browser.ask("GET", "/api/health").status == 200)
        source, style = browser.upload(photo())["id"], browser.upload(photo(90, 90))["id"]
        path = f"/api/photos/{source}"
        browser.ask("POST", f"{path}/stylize/preview", {"styles": [style], "side": 64})  # both processes are there
        mask = encoded(made_photo(120, 160)[..., 0])
        assert browser.ask("PUT", f"{path}/mask", mask).status == 200
        for pid in family(process):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        answers = [browser.ask("POST", "/api/photos?parts=0", photo()), browser.ask("PUT", f"{path}/mask", mask)]
        assert [(answer.status, answer.error) for answer in answers] == [(507, "disk_full")] * 2
        problems = [answer.json for answer in answers]
        body = {"styles": [style]}
        for place, wanted in (("stylize", body), ("jobs", body | {"models": ["microast/art"]})):
            name, problem = browser.finish(browser.post(f"{path}/{place}", wanted))
            assert (name, problem["error"]) == ("error", "disk_full")
            problems.append(problem)
        assert str(tmp_path) not in str(problems)
        assert len(browser.get("/api/photos")["photos"]) == 2
        assert browser.ask("GET", f"{path}/preview").status == 200
        for pid in family(process):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert [path.suffix for path in (tmp_path / "home" / "tmp").iterdir()] == [".log", ".log"]
        assert browser.done(browser.post(f"{path}/stylize", {"styles": [style]}))["files"]
        assert browser.ask("PUT", f"{path}/mask", mask).status == 200


def test_a_studio_that_was_killed_goes_on_where_it_was(tmp_path):
    with command(tmp_path, "--port", str(free_port())) as process:
        browser = Browser(port_of(process))
        until(lambda: browser.ask("GET", "/api/health").status == 200)
        made = browser.upload(photo())
        job = browser.post("/api/textures", LONG | {"swatches": [made["id"]]})
        until(lambda: browser.get(f"/api/jobs/{job['id']}")["done"] > 0)
        process.kill()
        process.wait()
    with command(tmp_path, "--port", str(free_port())) as process:
        browser.port = port_of(process)
        assert browser.get("/api/photos")["photos"] == [made]
        assert browser.get("/api/files")["files"] == browser.get("/api/jobs")["jobs"] == []
        (session,) = (tmp_path / "home" / "sessions").iterdir()
        assert list((session / "files").iterdir()) == []


def test_what_a_killed_studio_left_half_made_is_cleared(tmp_path):
    with running(tmp_path / "home") as studio:
        browser = studio.browser()
        made = browser.upload(photo())["id"]
        session = studio.studio.store.session(next(iter(browser.cookies.values()))).folder
    half = [session / "photos" / new_id(), session / "photos" / made / new_id(), session / "files" / new_id()]
    for folder in half:
        folder.mkdir()
        (folder / "work.png").write_bytes(bytes(100))
    (session / "photos" / made / ".sfumato-0.tmp").write_bytes(bytes(100))
    whole = {path for path in session.rglob("*") if path.suffix != ".tmp" and not {path, path.parent} & set(half)}
    store = Store(tmp_path / "home", 10**9, 30)
    assert list(store.sessions[session.name].photos) == [made]
    assert set(session.rglob("*")) == whole
    assert session / "photos" / made / "work.png" in whole


def test_sessions_of_which_nothing_came_go(tmp_path):
    with running(tmp_path / "home", idle_s=0.1) as studio:
        for _ in range(3):
            assert studio.browser().ask("POST", "/api/photos", b"no picture").status == 415
        until(lambda: not any((tmp_path / "home" / "sessions").iterdir()))
        assert studio.studio.store.sessions == {}


def test_results_count_for_what_a_session_may_hold(tmp_path):
    with running(tmp_path / "home", limits=Limits(session_bytes=20_000)) as studio:
        studio.ready()
        browser = studio.browser()
        made = browser.upload(photo())["id"]
        answer = browser.ask("POST", f"/api/photos/{made}/stylize", {"styles": [made]})
        assert (answer.status, answer.error) == (507, "session_full")
        recipe = {"kind": "stylize", "styles": [made]}
        answer = browser.ask("POST", "/api/batches", {"photos": [made], "recipe": recipe})
        assert (answer.status, answer.error) == (507, "session_full")


def test_of_results_at_full_size_few_are_kept_for_another_format(ready, browser):
    source, style = browser.upload(photo())["id"], browser.upload(photo(90, 90))["id"]
    for number in range(styling.KEPT + 2):
        body = {"styles": [style], "options": {"strength": number / 10}}
        browser.done(browser.post(f"/api/photos/{source}/stylize", body))
    kept = list(ready.studio.store.home.rglob(f"{source}/styled-*.png"))
    assert len(kept) == styling.KEPT
    assert len(browser.get("/api/files")["files"]) == styling.KEPT + 2


LOOK = """
import os, sys
def look(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["SEEN"], "a") as file:
            file.write(f"{event} {args[1:]}\\n")
sys.addaudithook(look)
"""


def test_nothing_is_asked_of_anybody_outside(tmp_path, monkeypatch):
    """Neither the server nor a process that works opens a connection, or looks for a name."""
    (tmp_path / "look").mkdir()
    (tmp_path / "look" / "sitecustomize.py").write_text(LOOK, encoding="utf-8")
    seen = tmp_path / "seen"
    paths = os.pathsep.join(filter(None, [str(tmp_path / "look"), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", paths)
    monkeypatch.setenv("SEEN", str(seen))
    code = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
    assert "socket.connect" in seen.read_text(encoding="utf-8")
    seen.unlink()
    with command(tmp_path, "--port", str(free_port())) as process:
        browser = Browser(port_of(process))
        until(lambda: browser.ask("GET", "/api/health").status == 200)
        for path in ("/", "/api/models", "/api/options", "/api/examples", "/api/runs", "/api/openapi.json"):
            assert browser.ask("GET", path).status == 200
        source = browser.upload(photo(), "")
        browser.finish({"id": source["status"]["job"]})
        mask = np.full((120, 160), 255, np.uint8)
        assert browser.ask("PUT", f"/api/photos/{source['id']}/mask", encoded(mask)).status == 200
        done = browser.done(browser.post(f"/api/photos/{source['id']}/jobs", {"models": ["faces2toon"]}))
        browser.done(browser.post(f"/api/variants/{done['variants'][0]}/export", {"options": {}}))
    assert not seen.exists(), seen.read_text(encoding="utf-8")
