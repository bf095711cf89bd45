"""Connections that ask nothing: they are bounded, and keep nobody out."""

import contextlib
import resource
import select
import socket

import pytest
from studios import photo, running, until

from sfumato.studio import connections

pytestmark = pytest.mark.timeout(300)

ASKED = b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
FILES = 4096
"""That a process may have open here: the test and its studio are one."""


@pytest.fixture
def crowd():
    """Opens connections to a port, which stay open until the test ends."""
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as stack:
        if 0 <= few < FILES:
            resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, most))
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (few, most))

        def opened(port, count, sent=b""):
            made = []
            for _ in range(count):
                line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=100))
                line.sendall(sent)
                made.append(line)
            return made

        yield opened


def still_open(lines):
    """Those that the studio has not closed; it has sent nothing on any of them."""
    poll = select.poll()
    for line in lines:
        poll.register(line, select.POLLIN)
    return len(lines) - len(poll.poll(0))


def test_many_idle_connections_keep_nobody_out(tmp_path, monkeypatch, crowd):
    monkeypatch.setattr(connections, "ASKING_S", 600.0)
    with running(tmp_path / "home") as studio:
        browser = studio.browser()
        texture = {"swatches": [browser.upload(photo())["id"]], "size": [64, 64]}
        first = browser.post("/api/textures", texture)
        events = browser.listen("/api/events")
        assert next(events)[2]["job"] == first["id"]
        lines = crowd(studio.port, 500) + crowd(studio.port, 500, ASKED)
        assert browser.ask("GET", "/api/health").status in (200, 503), "503 until it is ready"
        until(lambda: still_open(lines) < connections.MOST)
        assert still_open(lines) > connections.MOST // 2, "no more are closed than must be"
        second = browser.post("/api/textures", texture)
        assert next(data for _, _, data in events if data["job"] == second["id"]), "who listens hears on"
        events.close()


@pytest.mark.parametrize("sent", [b"", ASKED], ids=["silent", "half a request"])
def test_a_connection_that_asks_nothing_is_closed_and_one_that_listens_is_not(tmp_path, monkeypatch, crowd, sent):
    monkeypatch.setattr(connections, "ASKING_S", 600.0)
    with running(tmp_path / "home") as studio:
        browser = studio.browser()
        texture = {"swatches": [browser.upload(photo())["id"]], "size": [64, 64]}
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        asked = f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n"
        monkeypatch.setattr(connections, "ASKING_S", 3.0)
        (stream,) = crowd(studio.port, 1, asked.encode())
        assert stream.recv(12) == b"HTTP/1.1 200"
        (line,) = crowd(studio.port, 1, sent)
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(1) == b""  # After a time in which nothing was said on the stream either.
        monkeypatch.setattr(connections, "ASKING_S", 600.0)
        job = browser.post("/api/textures", texture)
        told = b""
        while job["id"].encode() not in told:
            told += (more := stream.recv(4096))
            assert more, "the stream has ended"
