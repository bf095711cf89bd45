"""Who may come, what may be sent, and what every answer carries: the list of docs/studio.md, each a test."""

import errno
import http.client
import json
import re
import shutil
import socket
import stat
import time

import pytest
from studios import Browser, photo, running, until

from sfumato.errors import DiskError
from sfumato.studio import disk
from sfumato.studio.guard import POLICY, names
from sfumato.studio.passes import YEAR_S, Passes

STRANGER = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}


# Names


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.7", "", "evil.example:80@x"])
def test_a_name_that_is_not_the_studio_is_refused(browser, method, host):
    answer = browser.ask(method, "/api/photos", headers={"Host": host})
    assert (answer.status, answer.error) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:80", "LOCALHOST"])
def test_names_of_this_computer_are_answered(browser, host):
    assert browser.ask("GET", "/api/photos", headers={"Host": host}).status == 200


def opened_by(browser, path, host="127.0.0.1", languages="", **more):
    """What somebody sees who opens an address in a browser."""
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": languages, "Host": host}
    return browser.ask("GET", path, headers=headers | more)


def test_who_is_not_let_in_reads_a_page_in_their_language(tmp_path):
    with running(tmp_path / "home", listens=True) as studio:
        browser = Browser(studio.port)
        for path in ("/", "/enter?token=used"):
            answer = opened_by(browser, path)
            assert (answer.status, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
            assert answer.headers["content-security-policy"] == POLICY
            assert "Open the address with the token that the studio printed." in answer.body.decode()
            assert '<html lang="en">' in answer.body.decode()
            assert not re.search(r"<(style|script|link|img)|style=", answer.body.decode()), "nothing else would come"
        romanian = opened_by(browser, "/", languages="xx,ro-RO;q=0.9,en;q=0.8").body.decode()
        assert '<html lang="ro">' in romanian and "Deschide adresa cu codul" in romanian
        foreign = opened_by(browser, "/", "evil.example")
        assert (foreign.status, foreign.headers["content-type"]) == (421, "text/html; charset=utf-8")
        assert "evil" not in foreign.body.decode()
        assert browser.ask("GET", "/api/photos").error == "no_access", "programs are told in JSON"
        assert opened_by(browser, "/", **{"Sec-Fetch-Mode": "cors"}).error == "no_access"


def test_a_trusted_name_is_answered(tmp_path):
    with running(tmp_path / "home", trusted=("studio.example.org",)) as studio:
        assert studio.browser().ask("GET", "/api/photos", headers={"Host": "studio.example.org"}).status == 200
        assert studio.browser().ask("GET", "/api/photos", headers={"Host": "x.example.org"}).status == 421


def test_only_this_computer_can_reach_it(shared):
    """A socket that listens to 127.0.0.1 alone is not to be reached by another of its addresses."""
    with socket.socket() as probe, pytest.raises(OSError, match="refused"):
        probe.connect(("127.0.0.2", shared.port))


# Other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        STRANGER,
    ],
    ids=str,
)
def test_what_changes_something_comes_from_the_studios_own_page(browser, headers):
    answer = browser.ask("POST", "/api/photos", photo(), headers)
    assert (answer.status, answer.error) == (403, "forbidden")
    assert browser.get("/api/photos")["photos"] == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_of_another_site_cannot_send_the_header(browser, kind):
    answer = browser.ask("POST", "/api/photos", photo(), {"Content-Type": kind}, own=False)
    assert (answer.status, answer.error) == (403, "forbidden")
    assert browser.get("/api/photos")["photos"] == []


def test_the_own_page_may(browser):
    own = {"Origin": f"http://127.0.0.1:{browser.port}", "Sec-Fetch-Site": "same-origin"}
    assert browser.ask("POST", "/api/photos?parts=0", photo(), own).status == 201


def test_the_page_may_be_reached_by_a_trusted_name_though_a_proxy_changes_the_host(tmp_path):
    with running(tmp_path / "home", trusted=("studio.example.org",)) as studio:
        browser = studio.browser()
        for origin, status in (("https://studio.example.org", 201), ("https://x.example.org", 403)):
            assert browser.ask("POST", "/api/photos?parts=0", photo(), {"Origin": origin}).status == status


def test_a_link_of_another_site_does_not_begin_another_session(shared):
    """Browsers send no cookie of SameSite=Strict with it: the session that there may be must stay the one."""
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    nobody = Browser(shared.port)
    assert nobody.ask("GET", "/", headers=link).status == 200
    assert nobody.ask("GET", "/app.js", headers={"Sec-Fetch-Site": "same-origin"}).status == 200
    assert nobody.cookies == {}
    assert nobody.ask("GET", "/api/photos", headers={"Sec-Fetch-Site": "same-origin"}).cookies


def test_a_link_of_another_site_opens_the_page_but_nothing_else(browser):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert browser.ask("GET", "/", headers=link).status == 200
    assert browser.ask("GET", "/api/photos", headers=link).status == 403
    assert browser.ask("GET", "/", headers=link | {"Sec-Fetch-Dest": "iframe"}).status == 403
    picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert browser.ask("GET", "/api/examples/lake", headers=picture).status == 403


@pytest.mark.parametrize("path", ["/", "/api/photos", "/api/health"])
def test_no_answer_lets_another_site_read_it(browser, path):
    for method in ("GET", "OPTIONS", "POST"):
        asked = STRANGER | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-studio"}
        answer = browser.ask(method, path, headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.status != 200


# What every answer carries


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/api/photos", 200), ("/api/examples/lake", 200), ("/nowhere", 404), ("/api/photos/x", 404)],
)
def test_headers_of_every_answer(browser, path, status):
    answer = browser.ask("GET", path)
    assert answer.status == status
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in answer.headers


def test_nothing_inline_may_run():
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'self';")


def test_cookies_are_kept_from_scripts_and_other_sites(shared):
    (cookie,) = Browser(shared.port).ask("GET", "/").cookies
    name, _, rest = cookie.partition("=")
    assert name == names(shared.studio.settings.home)[0]
    assert rest.endswith("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict")


def test_sessions_do_not_see_each_other(shared, browser):
    made = browser.upload(photo())
    stranger = shared.browser()
    assert stranger.get("/api/photos")["photos"] == []
    for method, path in (("GET", ""), ("GET", "/preview"), ("GET", "/status"), ("DELETE", ""), ("PUT", "/mask")):
        assert stranger.ask(method, f"/api/photos/{made['id']}{path}", b"").status == 404
    assert stranger.ask("POST", f"/api/photos/{made['id']}/jobs", {"models": ["faces2toon"]}).status == 404
    assert browser.ask("GET", f"/api/photos/{made['id']}/preview").status == 200


# Paths


TRAVERSALS = [
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/api/photos/..%2f..%2f/preview",
    "/api/photos/%00/preview",
    "/api/files/..%5c..%5cdata",
    "/api/examples/..%2flake",
    "/api/examples/%2fetc%2fpasswd",
    "/api/runs/..%2f/report",
    "/index.html/../../pages.py",
    "/static/..%2fpages.py",
    "//etc/passwd",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_of_a_request_reaches_the_file_system(browser, path):
    answer = browser.ask("GET", path)
    assert (answer.status, answer.error) == (404, "not_found")


@pytest.mark.parametrize("model", ["/etc/x.safetensors", "../x.safetensors", "x.safetensors", "vgg19", "http://x/y"])
def test_models_are_chosen_by_name_alone(ready, browser, model):
    made = browser.upload(photo())
    answer = browser.ask("POST", f"/api/photos/{made['id']}/stylize/preview", {"model": model, "styles": [made["id"]]})
    assert (answer.status, answer.error) == (422, "no_model")


# Tokens


def test_listening_beyond_this_computer_takes_a_token(tmp_path):
    with running(tmp_path / "home", listens=True) as studio:
        link = studio.studio.access.link()
        assert link.startswith(f"http://127.0.0.1:{studio.port}/enter?token=")
        path = link.removeprefix(f"http://127.0.0.1:{studio.port}")
        stranger, guest = Browser(studio.port), Browser(studio.port)
        for method, page in (("GET", "/"), ("GET", "/api/health"), ("POST", "/api/photos"), ("GET", "/app.js")):
            answer = stranger.ask(method, page)
            assert (answer.status, answer.error) == (401, "no_access")
        assert stranger.ask("GET", f"{path}x").status == 401
        came = guest.ask("GET", path)
        assert (came.status, came.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b'<meta http-equiv="refresh" content="0; url=/">' in came.body
        assert any(c.startswith("sfumato_pass_") and "HttpOnly; SameSite=Strict" in c for c in came.cookies)
        assert guest.ask("GET", "/").status == 200
        assert stranger.ask("GET", path).status == 401, "a token is good for one browser"
        assert stranger.ask("GET", "/").status == 401
        (line,) = studio.told
        another = line.partition(f":{studio.port}")[2]
        assert another != path
        assert stranger.ask("GET", another).status == 200
        assert stranger.ask("GET", "/").status == 200


def test_a_token_can_be_wanted_on_this_computer_too(tmp_path):
    with running(tmp_path / "home", token=True) as studio:
        assert Browser(studio.port).ask("GET", "/").status == 401
        guest = Browser(studio.port)
        assert guest.ask("GET", studio.studio.access.link().partition(f":{studio.port}")[2]).status == 200
        assert guest.ask("GET", "/").status == 200
        assert guest.ask("GET", "/", headers={"Host": "192.168.0.7"}).status == 421


def test_listening_answers_to_numbers_but_not_to_names(tmp_path):
    with running(tmp_path / "home", listens=True) as studio:
        assert Browser(studio.port).ask("GET", "/", headers={"Host": "192.168.0.7:80"}).status == 401
        assert Browser(studio.port).ask("GET", "/", headers={"Host": "evil.example"}).status == 421


def test_a_made_up_pass_is_none(tmp_path):
    with running(tmp_path / "home", listens=True) as studio:
        guest = Browser(studio.port)
        assert guest.ask("GET", studio.studio.access.link().partition(f":{studio.port}")[2]).status == 200
        for kept in ("x" * 32, "", "ångström"):
            assert Browser(studio.port, {names(tmp_path / "home")[1]: kept}).ask("GET", "/").status == 401


# Requests that are none


def test_strange_requests_get_an_answer(shared, browser):
    for request in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as line:
            line.sendall(request)
            assert line.recv(12)[9:10] == b"4"
    assert browser.ask("GET", "/").status == 200


def test_a_method_that_is_none(browser):
    for method in ("PATCH", "TRACE", "PUT"):
        answer = browser.ask(method, "/api/photos")
        assert (answer.status, answer.error) == (405, "not_allowed")


def test_an_upgrade_is_not_taken(shared):
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=20)
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    connection.request("GET", "/", headers=headers)
    assert connection.getresponse().status == 200, "answered as any other request"
    connection.close()


def test_what_lives_for_a_moment_is_wiped_at_start_and_end(tmp_path):
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    (home / "tmp" / "left").write_bytes(b"by a studio that was killed")
    with running(home) as studio:
        until(lambda: (home / "tmp" / "heavy.log").exists())
        assert not (home / "tmp" / "left").exists()
        studio.browser().upload(photo())
        assert [path.name for path in (home / "tmp").iterdir()] == ["heavy.log"]
    assert list((home / "tmp").iterdir()) == []


def test_nobody_else_may_look_into_the_folder(tmp_path):
    with running(tmp_path / "home") as studio:
        studio.browser().upload(photo())
        folders = [path for path in (tmp_path / "home").rglob("*") if path.is_dir()]
        assert len(folders) >= 5
        assert {path.stat().st_mode & 0o077 for path in (tmp_path / "home", *folders)} == {0}


def test_a_browser_that_was_let_in_stays_so_after_a_restart(tmp_path):
    home, browsers = tmp_path / "home", []
    tokens = []
    for _ in range(2):
        with running(home, listens=True) as studio:
            for earlier in browsers:
                earlier.port = studio.port
                assert earlier.ask("GET", "/api/photos").status == 200
            tokens.append(studio.studio.access.token)
            browsers.append(Browser(studio.port))
            assert browsers[-1].ask("GET", "/api/photos").error == "no_access"
            assert browsers[-1].ask("GET", f"/enter?token={tokens[-1]}").status == 200
            tokens.append(studio.studio.access.token)
    with running(home, listens=True) as studio:
        for browser in browsers:
            browser.port = studio.port
            assert browser.ask("GET", "/api/photos").status == 200
        for old in tokens:
            assert Browser(studio.port).ask("GET", f"/enter?token={old}").error == "no_access"
    shutil.move(home, tmp_path / "aside")
    with running(home, listens=True) as studio:
        browsers[0].port = studio.port
        assert browsers[0].ask("GET", "/api/photos").error == "no_access", "another folder lets nobody in"


def test_what_is_kept_of_passes_lets_nobody_in_who_reads_it(tmp_path):
    passes = Passes(tmp_path)
    given = [passes.give(), passes.give()]
    file = tmp_path / "passes.json"
    text = file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(set(given)) == 2 and not [one for one in given if one in text]
    again = Passes(tmp_path)
    assert all(map(again.good, given))
    assert not any(map(again.good, ["", "x", *json.loads(text)["passes"]]))
    assert [path.name for path in tmp_path.iterdir()] == ["passes.json"], "it is written whole"


def test_passes_grow_old(tmp_path, monkeypatch):
    passes = Passes(tmp_path)
    given = passes.give()
    later = time.time() + YEAR_S + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert not passes.good(given)
    assert not Passes(tmp_path).good(given)
    another = passes.give()
    assert len(json.loads((tmp_path / "passes.json").read_text(encoding="utf-8"))["passes"]) == 1
    assert passes.good(another)


def test_damaged_passes_let_nobody_in_and_are_told(tmp_path, caplog):
    passes = Passes(tmp_path)
    given = passes.give()
    for damage in (b"", b"[]", b'{"passes": {"x": "y"}}', b"\xff"):
        (tmp_path / "passes.json").write_bytes(damage)
        caplog.clear()
        again = Passes(tmp_path)
        assert not again.good(given) and "passes.json cannot be read" in caplog.text
        assert again.good(again.give())


def test_a_token_is_good_still_if_nothing_could_be_kept(tmp_path, monkeypatch):
    def full(*_given, **_chosen):
        raise DiskError("full") from OSError(errno.ENOSPC, "No space left on device")

    with running(tmp_path / "home", listens=True) as studio:
        link = f"/enter?token={studio.studio.access.token}"
        with monkeypatch.context() as broken:
            broken.setattr(disk, "keep", full)
            assert Browser(studio.port).ask("GET", link).error == "disk_full"
        assert Browser(studio.port).ask("GET", link).status == 200
