"""What the first photograph needs is loaded before it comes, unless that would be to somebody's cost."""

import asyncio

import pytest
from studios import photo, running

from sfumato.studio import engine, serving
from sfumato.studio.hand import Hand
from sfumato.studio.problems import Refusal, lost_worker

PARSER = "segformer/parts"


def warmed(studio):
    """Has a studio do what it does once it is ready."""
    waiting = asyncio.run_coroutine_threadsafe(serving.started(studio.server), studio.loop)
    assert waiting.result(100) is None


@pytest.fixture
def asked(monkeypatch):
    """What processes were asked for: their names, the work, and how often a model was loaded for it."""
    found, exchanged = [], Hand._exchanged

    async def noted(self, process, message, hear):
        told = []
        answer = await exchanged(self, process, message, lambda one: (told.append(one["kind"]), hear(one)))
        found.append((self.name, message["op"], told.count("loading")))
        return answer

    monkeypatch.setattr(Hand, "_exchanged", noted)
    return found


def test_the_parser_is_there_before_the_first_photograph_and_is_loaded_once(tmp_path, asked):
    with running(tmp_path / "home") as studio:
        warmed(studio)
        quick = studio.studio.engine.quick
        assert quick.loaded == (PARSER,)
        assert asked == [("heavy", "hello", 0), ("quick", "hello", 0), ("quick", "warm", 1), ("quick", "warm", 0)]
        browser, pid = studio.browser(), quick.pid
        browser.done({"id": browser.upload(photo(), "")["status"]["job"]})
        assert asked[4:] == [("quick", "parse", 0)], "nothing is loaded again"
        warmed(studio)
        assert [loadings for _, op, loadings in asked if op == "warm"] == [1, 0, 0, 0]
        assert quick.pid == pid


def test_it_ends_when_nobody_needs_it_and_does_not_come_back_by_itself(tmp_path, asked):
    with running(tmp_path / "home", idle_s=600.0) as studio:
        warmed(studio)
        quick = studio.studio.engine.quick
        asyncio.run_coroutine_threadsafe(quick.rest(), studio.loop).result(100)
        assert quick.pid is None
        assert studio.browser().get("/api/models")["models"]
        assert [op for name, op, _ in asked if name == "quick"] == ["hello", "warm", "warm", "hello", "models"]


def test_nothing_is_loaded_where_memory_is_short(tmp_path, monkeypatch, asked):
    monkeypatch.setattr(engine, "WARM_BYTES", 1 << 60)
    with running(tmp_path / "home") as studio:
        warmed(studio)
        assert studio.studio.engine.quick.pid is None
        browser = studio.browser()
        browser.done({"id": browser.upload(photo(), "")["status"]["job"]})
        assert asked[-1] == ("quick", "parse", 1), "it is loaded once it is needed"


def test_a_studio_goes_on_whose_process_dies_over_it(tmp_path, monkeypatch):
    async def dies(self, op, given, hear=None, owner=None):
        monkeypatch.undo()
        raise lost_worker(-9)

    with running(tmp_path / "home") as studio:
        studio.ready()
        monkeypatch.setattr(Hand, "call", dies)
        warmed(studio)
        browser = studio.browser()
        browser.done({"id": browser.upload(photo(), "")["status"]["job"]})


def test_real_work_comes_between_the_pieces(tmp_path, monkeypatch, asked):
    """A slider that is moved while the parser is loaded waits for that alone, not for the detector."""
    exchanged, wishes = Hand._exchanged, []

    async def wished(self, process, message, hear):
        if message["op"] == "warm" and not wishes:
            wishes.append(asyncio.ensure_future(studio.studio.engine.live("session", "models", {})))
        return await exchanged(self, process, message, hear)

    with running(tmp_path / "home") as studio:
        monkeypatch.setattr(Hand, "_exchanged", wished)
        warmed(studio)
        assert [op for name, op, _ in asked if name == "quick"] == ["hello", "warm", "models", "warm"]


def test_a_process_that_cannot_start_is_no_reason_to_end(tmp_path, monkeypatch):
    async def never(self):
        raise Refusal("failed", "The working process cannot be started.")

    with running(tmp_path / "home") as studio:
        studio.ready()
        monkeypatch.setattr(studio.studio.engine.quick, "start", never.__get__(studio.studio.engine.quick))
        warmed(studio)
        assert studio.browser().ask("GET", "/api/health").status == 200
