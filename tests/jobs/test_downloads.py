"""Downloads against a local server: resume, digests, the cache, and everything that goes wrong on a network."""

import base64
import errno
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sfumato import download
from sfumato.addresses import ADDRESSES, Address
from sfumato.errors import Cancelled, DiskError, DownloadError, WeightsError

CONTENT = bytes(range(256)) * 4096  # 1 MiB: four blocks
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves one content under every path, as badly as it is told to."""

    daemon_threads = True
    content = CONTENT
    etag: str | None = '"one"'
    modified: str | None = None
    ranges = True
    wrong_range = False
    digest = False
    length = True
    breaks: int | None = None
    """Bytes of an answer after which the connection breaks."""
    statuses: list[int]
    """Answers to the next requests before the good ones."""
    silent_s = 0.0
    redirect = ""
    kind = "application/octet-stream"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.statuses = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up are the point

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.asked.append({"range": wanted, "if_range": self.headers.get("If-Range")})
        time.sleep(server.silent_s)
        if server.statuses and (status := server.statuses.pop(0)) != 200:
            self.send_error(status)
            return
        if server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        start = 0
        same = self.headers.get("If-Range") in (server.etag, server.modified)
        if wanted and server.ranges and same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(server.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.answer(start)

    def answer(self, start: int) -> None:
        server, body = self.server, self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", server.kind)
        if server.length:
            self.send_header("Content-Length", str(len(body)))
        if start:
            first = 7 if server.wrong_range else start
            self.send_header("Content-Range", f"bytes {first}-{len(server.content) - 1}/{len(server.content)}")
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.modified:
            self.send_header("Last-Modified", server.modified)
        if server.digest:
            digest = base64.b64encode(hashlib.sha256(server.content).digest()).decode()
            self.send_header("Repr-Digest", f"sha-512=:AAAA:, sha-256=:{digest}:")
        self.end_headers()
        self.wfile.write(body[: server.breaks])
        self.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "PAUSE_S", 0.01)
    return tmp_path / "cache"


def test_first_download_records_its_digest_and_says_so(server, cache):
    steps: list[tuple[int, int]] = []
    result = download.fetch(server.url("m.pth"), "m.pth", progress=lambda done, total: steps.append((done, total)))
    assert result.path == cache / "m.pth" and result.path.read_bytes() == CONTENT
    assert result.fetched and result.sha256 == DIGEST and "first digest is kept in m.pth.sha256" in result.checked
    assert (cache / "m.pth.sha256").read_text() == f"{DIGEST}  m.pth\n", "as sha256sum reads it"
    assert steps[-1] == (len(CONTENT), len(CONTENT)) and steps == sorted(steps) and len(steps) > 1
    assert sorted(p.name for p in cache.iterdir()) == ["m.pth", "m.pth.sha256"]


def test_a_complete_file_is_not_fetched_again(server):
    download.fetch(server.url("m.pth"), "m.pth")
    again = download.fetch(server.url("m.pth"), "m.pth")
    assert not again.fetched and "m.pth.sha256" in again.checked and len(server.asked) == 1


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(server, cache):
    download.fetch(server.url("m.pth"), "m.pth")
    (cache / "m.pth").write_bytes(b"x")
    assert download.fetch(server.url("m.pth"), "m.pth").fetched
    assert (cache / "m.pth").read_bytes() == CONTENT and len(server.asked) == 2


def test_the_digest_in_the_files_name_is_checked(server, cache):
    good = f"m-{DIGEST[:8]}.pth"
    assert download.fetch(server.url(good), good).checked == "its name"
    bad = "m-0123abcd.pth"
    with pytest.raises(DownloadError, match=r"not what was promised and was removed: .*its name, 0123abcd"):
        download.fetch(server.url(bad), bad)
    assert not [p for p in cache.iterdir() if p.name.startswith(bad)]


def test_the_digest_given_is_checked(server, cache):
    assert "the digest given" in download.fetch(server.url("a.pth"), "a.pth", sha256=DIGEST.upper()).checked
    with pytest.raises(DownloadError, match="the digest given"):
        download.fetch(server.url("b.pth"), "b.pth", sha256="0" * 64)
    assert not (cache / "b.pth").exists() and not (cache / "b.pth.sha256").exists()


def test_the_digest_that_the_address_sends_is_checked(server, cache):
    server.digest = True
    assert download.fetch(server.url("m.pth"), "m.pth").checked == "the digest its address sends"


def test_a_later_download_must_agree_with_the_first(server, cache):
    download.fetch(server.url("m.pth"), "m.pth")
    (cache / "m.pth").unlink()
    server.content, server.etag = b"other", '"two"'
    with pytest.raises(DownloadError, match=r"m\.pth\.sha256.*if a new version is wanted, delete"):
        download.fetch(server.url("m.pth"), "m.pth")
    assert not (cache / "m.pth").exists()
    (cache / "m.pth.sha256").unlink()
    assert download.fetch(server.url("m.pth"), "m.pth").path.read_bytes() == b"other"


def test_a_broken_connection_goes_on_where_it_ended(server):
    server.breaks = 300_000
    result = download.fetch(server.url("m.pth"), "m.pth")
    assert result.path.read_bytes() == CONTENT
    ranges = [a["range"] for a in server.asked]
    assert ranges == ["", "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert {a["if_range"] for a in server.asked[1:]} == {'"one"'}


def test_a_later_command_goes_on_where_the_first_ended(server, cache):
    server.breaks, server.statuses = 300_000, [200, 503, 503, 503]
    with pytest.raises(DownloadError, match=r"answers 503.*0\.3 MB are kept"):
        download.fetch(server.url("m.pth"), "m.pth")
    assert (cache / "m.pth.part").stat().st_size == 300_000
    server.breaks, before = None, len(server.asked)
    assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST
    assert [a["range"] for a in server.asked[before:]] == ["bytes=300000-"]


def test_resume_by_date_where_there_is_no_strong_tag(server):
    server.etag, server.modified, server.breaks = 'W/"weak"', "Wed, 21 Oct 2015 07:28:00 GMT", 600_000
    assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST
    assert [a["if_range"] for a in server.asked] == [None, server.modified]


def test_nothing_is_joined_without_a_proof_that_the_file_is_the_same(server):
    server.etag, server.statuses, server.breaks = None, [200, 503], 300_000
    with pytest.raises(DownloadError, match="the connection broke; check the network and try again$"):
        download.fetch(server.url("m.pth"), "m.pth")
    assert {a["range"] for a in server.asked} == {""}
    server.breaks = None
    assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST


def test_a_server_that_ignores_ranges_starts_again(server):
    server.ranges, server.breaks = False, 300_000
    with pytest.raises(DownloadError, match="the connection broke"):
        download.fetch(server.url("m.pth"), "m.pth")
    assert len(server.asked) == 1 + download.ATTEMPTS
    server.breaks = None
    assert download.fetch(server.url("m.pth"), "m.pth").path.read_bytes() == CONTENT


def test_a_file_that_changed_between_two_parts_starts_again(server, cache):
    server.breaks, server.statuses = 300_000, [200, 503, 503, 503]
    with pytest.raises(DownloadError):
        download.fetch(server.url("m.pth"), "m.pth")
    server.content, server.etag, server.breaks = CONTENT[::-1], '"two"', None
    result = download.fetch(server.url("m.pth"), "m.pth")
    assert result.path.read_bytes() == CONTENT[::-1]
    assert server.asked[-1]["if_range"] == '"one"'


def test_a_file_that_became_shorter_starts_again(server, cache):
    cache.mkdir()
    (cache / "m.pth.part").write_bytes(b"x" * (len(CONTENT) + 5))
    (cache / "m.pth.part.etag").write_text('"one"')
    assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST


def test_a_part_that_is_whole_is_only_checked(server, cache):
    cache.mkdir()
    (cache / "m.pth.part").write_bytes(CONTENT)
    (cache / "m.pth.part.etag").write_text('"one"')
    assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST
    assert [a["range"] for a in server.asked] == [f"bytes={len(CONTENT)}-"]


def test_an_answer_of_another_part_is_not_joined(server):
    server.wrong_range, server.breaks, server.statuses = True, 300_000, [200]
    with pytest.raises(DownloadError):
        download.fetch(server.url("m.pth"), "m.pth")
    server.breaks = None
    assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST


def test_without_a_length_the_answer_is_taken_to_its_end(server):
    server.length = False
    totals: set[int] = set()
    result = download.fetch(server.url("m.pth"), "m.pth", progress=lambda done, total: totals.add(total))
    assert result.sha256 == DIGEST and totals == {0}


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_told_at_once(server, cache, status):
    server.statuses = [status] * 9
    with pytest.raises(DownloadError, match=f"the server answers {status}") as error:
        download.fetch(server.url("m.pth"), "m.pth")
    assert len(server.asked) == 1 and "\n" not in str(error.value) and error.value.exit_code == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_fault_is_tried_again(server, status):
    server.statuses = [status] * 2
    assert download.fetch(server.url("m.pth"), "m.pth").fetched and len(server.asked) == 3


def test_attempts_without_progress_are_few(server):
    server.statuses = [500] * 99
    with pytest.raises(DownloadError, match="answers 500"):
        download.fetch(server.url("m.pth"), "m.pth")
    assert len(server.asked) == download.ATTEMPTS


def test_a_silent_server_is_given_up(server):
    server.silent_s = 0.5
    with pytest.raises(DownloadError, match="no answer in time; check the network and try again") as error:
        download.fetch(server.url("m.pth"), "m.pth", timeout_s=0.05)
    assert "\n" not in str(error.value)


def test_no_server_is_one_line(server):
    free = server.url("m.pth").replace(str(server.server_address[1]), "9")
    with pytest.raises(DownloadError, match="check the network and try again") as error:
        download.fetch(free, "m.pth")
    assert "\n" not in str(error.value) and error.value.exit_code == 1


def test_addresses_other_than_of_the_web_are_refused(tmp_path):
    (tmp_path / "f").write_text("x")
    with pytest.raises(DownloadError, match="only http and https"):
        download.fetch((tmp_path / "f").as_uri(), "f")


def test_an_address_that_drops_encryption_is_refused(server, monkeypatch):
    request = download.urllib.request.Request("https://example.invalid/m.pth")
    plain = download.urllib.request.urlopen(server.url("m.pth"))
    monkeypatch.setattr(download.urllib.request, "urlopen", lambda *args, **kwargs: plain)
    with pytest.raises(DownloadError, match="without encryption"):
        download._open(request, 1)


def test_the_log_in_page_of_a_network_is_no_model(server, cache):
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="sends a web page, not a file"):
        download.fetch(server.url("m.pth"), "m.pth")
    assert not (cache / "m.pth.sha256").exists()


def test_redirects_are_followed(server):
    with Server() as other:
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.redirect = other.url("elsewhere/m.pth")
        assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST
        other.shutdown()
        thread.join()


def test_progress_cancels_and_the_part_is_kept(server, cache):
    with pytest.raises(Cancelled, match="goes on from where it ended"):
        download.fetch(server.url("m.pth"), "m.pth", progress=lambda done, total: done < 500_000)
    assert 0 < (cache / "m.pth.part").stat().st_size < len(CONTENT) and not (cache / "m.pth").exists()
    assert download.fetch(server.url("m.pth"), "m.pth").sha256 == DIGEST
    assert server.asked[-1]["range"].startswith("bytes=")


def test_ctrl_c_keeps_the_part(server, cache):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.fetch(server.url("m.pth"), "m.pth", progress=interrupt)
    assert (cache / "m.pth.part").stat().st_size > 0 and not (cache / "m.pth").exists()


def test_too_little_space_is_told_before_the_download(server, cache, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskError, match="needs 1 MB more and 0 MB are free"):
        download.fetch(server.url("m.pth"), "m.pth")
    assert (cache / "m.pth.part").stat().st_size == 0


@pytest.mark.parametrize(("number", "text"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "cannot be written")])
def test_a_disk_that_fails_is_told(server, monkeypatch, number, text):
    def fail(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DiskError, match=f"{text}.*SFUMATO_HOME"):
        download.fetch(server.url("m.pth"), "m.pth")


def test_a_second_process_does_not_write_the_same_file(server, cache):
    fcntl = pytest.importorskip("fcntl")
    cache.mkdir()
    with (cache / "m.pth.part").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="another process"):
            download.fetch(server.url("m.pth"), "m.pth")
    assert download.fetch(server.url("m.pth"), "m.pth").fetched


def test_names_are_fetched_and_verified(server, cache, monkeypatch):
    name = f"net-{DIGEST[:8]}.pth"
    address = Address(what="a net", licence="MIT", size=1, url=server.url(name), source="here")
    monkeypatch.setitem(ADDRESSES, "net", address)
    with pytest.raises(WeightsError, match="`sfumato models get net` does it"):
        download.verify("net")
    assert download.cached("net") is None
    assert download.get("net").path == download.cached("net") == cache / name
    assert download.verify("net").sha256 == DIGEST
    (cache / name).write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match="differs from its name.*fetches it again"):
        download.verify("net")
    with pytest.raises(WeightsError, match=r"no model 'vgg20' to download; choose from vgg19"):
        download.get("vgg20")
