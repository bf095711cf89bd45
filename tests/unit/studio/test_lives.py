"""Processes that die, studios that start again, sessions that grow old."""

import os
import signal
import time

import numpy as np
import pytest
from studios import encoded, opened, photo, running, until
from stylizers import made_photo

from sfumato.studio import disk
from sfumato.studio.store import Store, new_id

LONG = {"size": [96, 96], "options": {"iterations": [5000], "smallest_px": 96}}


@pytest.fixture
def own(tmp_path):
    """A studio whose processes may be killed."""
    with running(tmp_path / "home") as studio:
        studio.ready()
        yield studio


def kill(hand):
    """Ends a process as the system does that has no memory left."""
    pid = hand.pid
    os.kill(pid, signal.SIGKILL)
    return pid


def test_a_job_whose_process_is_killed_says_so_and_the_next_one_works(own):
    browser = own.browser()
    swatch, source = browser.upload(photo())["id"], browser.upload(photo())["id"]
    job = browser.post("/api/textures", LONG | {"swatches": [swatch]})
    waits = browser.post(f"/api/photos/{source}/stylize", {"styles": [swatch]})
    events = browser.listen(f"/api/jobs/{job['id']}/events")
    next(event for event in events if event[1] == "progress" and event[2]["done"] > 0)
    pid = kill(own.studio.engine.heavy)
    *_, (_, name, problem) = events
    assert (name, problem["error"]) == ("error", "worker_died")
    assert "signal 9" in problem["message"]
    assert "memory" in problem["message"]
    assert problem["hint"]
    assert browser.done(waits)["files"], "what waited is done by the next process"
    assert own.studio.engine.heavy.pid != pid
    assert browser.get(f"/api/jobs/{job['id']}")["problem"] == problem
    own.ready()


def test_a_process_that_dies_while_it_is_idle_comes_back_at_once(own):
    browser, heavy = own.browser(), own.studio.engine.heavy
    swatch = browser.upload(photo())["id"]
    pid = kill(heavy)
    until(lambda: heavy.pid not in (None, pid))
    own.ready()
    assert browser.done(browser.post(f"/api/photos/{swatch}/stylize", {"styles": [swatch]}))["files"]


def test_a_preview_whose_process_is_killed_says_so(own):
    browser = own.browser()
    source = browser.upload(photo())["id"]
    path, body = f"/api/photos/{source}/stylize/preview", {"styles": [source], "side": 64}
    assert browser.ask("POST", path, body).status == 200
    kill(own.studio.engine.quick)
    answers = [browser.ask("POST", path, body) for _ in range(2)]
    assert answers[0].status == 200 or answers[0].error == "worker_died"
    assert answers[1].status == 200


def test_work_that_does_not_stop_is_ended(tmp_path):
    with running(tmp_path / "home", cancel_s=0.0) as studio:
        studio.ready()
        browser, heavy = studio.browser(), studio.studio.engine.heavy
        swatch = browser.upload(photo())["id"]
        job = browser.post("/api/textures", LONG | {"swatches": [swatch]})
        until(lambda: browser.get(f"/api/jobs/{job['id']}")["done"] > 0)
        os.kill(heavy.pid, signal.SIGSTOP)  # it hears nothing now
        browser.ask("DELETE", f"/api/jobs/{job['id']}")
        assert browser.finish(job)[0] == "cancelled"
        assert browser.done(browser.post(f"/api/photos/{swatch}/stylize", {"styles": [swatch]}))["files"]


def test_the_quick_process_ends_when_nobody_needs_it(tmp_path):
    with running(tmp_path / "home", idle_s=0.5) as studio:
        assert studio.browser().get("/api/models")["models"]
        quick = studio.studio.engine.quick
        until(lambda: quick.pid is None)
        assert studio.browser().get("/api/models")["models"]


def test_processes_end_with_the_studio(tmp_path):
    with running(tmp_path / "home") as studio:
        studio.ready()
        studio.browser().get("/api/models")
        pids = [hand.pid for hand in (studio.studio.engine.heavy, studio.studio.engine.quick)]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_session_outlives_the_studio(tmp_path):
    mask = made_photo(120, 160)[..., 0]
    with running(tmp_path / "home") as studio:
        studio.ready()
        browser = studio.browser()
        source, style = browser.upload(photo(), "?name=a.jpg&parts=0"), browser.upload(photo(90, 90))
        browser.ask("PUT", f"/api/photos/{source['id']}/mask", encoded(mask))
        file = browser.done(browser.post(f"/api/photos/{source['id']}/stylize", {"styles": [style["id"]]}))["files"][0]
        before = browser.get("/api/photos")
        waits = browser.upload(photo(), "")
    with running(tmp_path / "home") as studio:
        assert studio.port != browser.port
        browser.port = studio.port  # cookies go by the folder, not by the port
        after = browser.get("/api/photos")
        assert [one for one in after["photos"] if one["id"] != waits["id"]] == before["photos"]
        kept = opened(browser.ask("GET", f"/api/photos/{source['id']}/mask").body)
        assert np.array_equal(np.asarray(kept), mask)
        assert browser.ask("GET", f"/api/photos/{source['id']}/preview").status == 200
        assert browser.get("/api/files")["files"] == [file]
        assert len(browser.ask("GET", f"/api/files/{file['id']}").body) == file["bytes"]
        studio.ready()
        status = browser.get(f"/api/photos/{waits['id']}/status")
        if status["state"] not in ("parsed", "no_person"):  # what was under way has ended, and can be asked for anew
            assert status["state"] == "none"
            job = browser.post(f"/api/photos/{waits['id']}/parts", None)
            assert browser.done(job)["status"]["state"] == "no_person"


def test_a_damaged_record_is_put_aside(tmp_path, caplog):
    with running(tmp_path / "home") as studio:
        browser = studio.browser()
        good, bad = browser.upload(photo())["id"], browser.upload(photo())["id"]
    (record,) = [path for path in (tmp_path / "home").rglob("photo.json") if path.parent.name == bad]
    record.write_text("{", encoding="utf-8")
    store = Store(tmp_path / "home", 10**9, 1)
    (session,) = store.sessions.values()
    assert list(session.photos) == [good]
    aside = tmp_path / "home" / "aside"
    assert f"{record} cannot be read (it is of another version or damaged)" in caplog.text
    assert not record.parent.exists(), "what nobody can see must not count, nor be out of everybody's reach"
    assert (aside / bad / "original").read_bytes() == photo()
    assert session.bytes == disk.size_of(session.folder) == disk.size_of(session.photos[good].folder)
    os.utime(aside / bad, (0, 0))
    Store(tmp_path / "home", 10**9, 1)
    assert list(aside.iterdir()) == []


def test_a_damaged_record_of_a_result_is_put_aside(tmp_path):
    store = Store(tmp_path / "home", 10**9, 1)
    session = store.begun(new_id())
    (session.folder / "photos" / "x").mkdir()
    (session.folder / "photos" / "x" / "photo.json").write_text("[]", encoding="utf-8")
    place = disk.private(session.place(new_id()))
    (place / "file.json").write_text('{"id": "?"}', encoding="utf-8")
    (place / "data.png").write_bytes(bytes(1000))
    store = Store(tmp_path / "home", 10**9, 1)
    assert {path.name for path in store.aside.iterdir()} == {"x", place.name}
    assert store.sessions == {}, "nothing is left of it"


# Old sessions


def sessions(store, count):
    """Sessions of 1000 bytes, each used an hour after the one before, and the last of them now."""
    made = [store.begun(new_id()) for _ in range(count)]
    for age, session in enumerate(reversed(made)):
        (session.folder / "photos" / "x").write_bytes(bytes(1000))
        session.bytes, session.used = disk.size_of(session.folder), time.time() - 3600 * age
    return made


def dropped(store, *busy):
    """Ids of the sessions that are swept away, whose folders are out of the way already."""
    folders = store.sweep(frozenset(busy))
    assert all(folder.parent == store.passing for folder in folders)
    return [folder.name for folder in folders]


def test_sessions_that_were_not_used_for_longest_go_first(tmp_path):
    store = Store(tmp_path / "home", 2500, 30)
    made = sessions(store, 4)
    assert dropped(store) == [session.id for session in made[:2]]
    assert list(store.sessions) == [session.id for session in made[2:]]
    assert dropped(store) == []


def test_a_session_that_works_stays(tmp_path):
    store = Store(tmp_path / "home", 2500, 30)
    made = sessions(store, 4)
    assert dropped(store, made[0].id) == [session.id for session in made[1:3]]


def test_sessions_expire(tmp_path):
    store = Store(tmp_path / "home", 10**9, 1)
    made = sessions(store, 3)
    made[0].used -= 86400
    assert dropped(store) == [made[0].id]


def test_who_comes_back_while_an_old_session_is_cleared_keeps_what_is_new(tmp_path):
    store = Store(tmp_path / "home", 0, 30)
    (old,) = sessions(store, 1)
    (folder,) = store.sweep(frozenset())
    new = store.begun(old.id)
    assert new is not old
    (new.folder / "photos" / "new").write_bytes(b"new")
    disk.clear(folder)
    assert [path.name for path in new.folder.rglob("*") if path.is_file()] == ["new"]


def test_old_sessions_are_cleared_at_the_start(tmp_path):
    store = Store(tmp_path / "home", 10**9, 1)
    old, new = sessions(store, 2)
    mark = old.folder / "used"
    mark.touch()
    os.utime(mark, (0, 0))
    store = Store(tmp_path / "home", 10**9, 1)
    assert list(store.sessions) == [new.id]
    assert not old.folder.exists()
    assert new.folder.exists()


def test_a_session_that_was_dropped_begins_anew(tmp_path):
    with running(tmp_path / "home", store_bytes=0, idle_s=0.1) as studio:
        browser = studio.browser()
        browser.upload(photo())
        until(lambda: browser.get("/api/photos")["photos"] == [])
        until(lambda: not any((tmp_path / "home" / "sessions").iterdir()))
        browser.upload(photo())
