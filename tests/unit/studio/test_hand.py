"""The process that works, as the server sees it: slow to start, dead, dumb, or talkative."""

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from studios import photo, running, until

from sfumato.studio import hand, lane, pictures
from sfumato.studio.hand import Hand
from sfumato.studio.problems import Refusal


def refused(folder):
    """How a process fails to start, and whether there is one afterwards."""
    made = Hand("heavy", device="cpu", folder=folder, cancel_s=1)

    async def start():
        with pytest.raises(Refusal) as caught:
            await made.start()
        return caught.value

    with ThreadPoolExecutor(1) as thread:  # in this one Playwright may have a loop that runs
        return thread.submit(lambda: asyncio.run(start())).result(), made


def test_a_job_is_cancelled_while_its_process_starts(tmp_path, monkeypatch):
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)\n"
    monkeypatch.setattr(hand, "CODE", waits + hand.CODE)
    with running(tmp_path / "home") as studio:
        browser = studio.browser()
        job = {"id": browser.upload(photo(), "")["status"]["job"]}
        until(lambda: browser.get(f"/api/jobs/{job['id']}")["state"] == "working")
        assert studio.studio.engine.quick.state == "starting"
        browser.ask("DELETE", f"/api/jobs/{job['id']}")
        gate.touch()
        assert browser.finish(job)[0] == "cancelled"
        events = list(browser.listen(f"/api/jobs/{job['id']}/events"))
        assert not [data for _, name, data in events if name == "progress" and data["done"] > 0]


def test_a_process_that_cannot_be_started_is_tried_again(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(lane, "PAUSE_S", 0.1)
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/nowhere/python")
        error, made = refused(tmp_path)
        assert (error.code, made.pid) == ("failed", None)
        assert error.message == "The working process cannot be started: No such file or directory."
        with running(tmp_path / "home") as studio:
            until(lambda: caplog.text.count("the working process does not start") > 1)
            broken.undo()
            studio.ready()


def test_a_process_that_says_what_nobody_understands_is_ended(tmp_path, monkeypatch):
    for words in ("print('hello', flush=True)", "print('x' * 10**6, flush=True)", "print('3 0\\nabc', flush=True)"):
        monkeypatch.setattr(hand, "CODE", f"import time; {words}; time.sleep(600)")
        error, made = refused(tmp_path)
        assert (error.code, made.pid) == ("worker_died", None)
        assert "signal 9" in error.message


def test_the_terminal_names_the_log_of_what_nobody_foresaw(tmp_path, monkeypatch, caplog):
    """In the process, or in what the server does about it; what was foreseen is none of that."""
    breaks = "from sfumato.studio import work\nwork.OPS['preview'] = lambda bench, given: 1 + 'x'\n"
    monkeypatch.setattr(hand, "CODE", breaks + hand.CODE)
    with running(tmp_path / "home") as studio:
        browser, log = studio.browser(), tmp_path / "home" / "tmp" / "quick.log"
        made = browser.upload(photo())["id"]
        path, body = f"/api/photos/{made}/stylize/preview", {"styles": [made], "side": 64}
        assert browser.ask("POST", path, body | {"side": 1}).error == "wrong_option"
        assert "an unexpected error" not in caplog.text
        assert browser.ask("POST", path, body).json["detail"] == "in_log"
        assert caplog.messages[-1] == f"an unexpected error over preview; {log} says what happened"
        assert "TypeError" in log.read_text(encoding="utf-8")
        monkeypatch.setattr(pictures, "parsed", lambda *_given: 1 / 0)
        job = browser.post(f"/api/photos/{made}/parts", {})
        assert browser.finish(job)[1]["detail"] == "in_log"
        assert caplog.messages[-1] == f"an unexpected error over parse; {log} says what happened"
        assert "ZeroDivisionError" in log.read_text(encoding="utf-8")


def test_long_logs_are_told_whole(tmp_path):
    """More than any pipe or buffer holds, as one answer; and the process goes on."""
    run = tmp_path / "runs" / "long"
    run.mkdir(parents=True)
    line = {"images": 1, "seconds": 1.0} | {f"generator/loss-{number}": number / 7 for number in range(20)}
    (run / "log.jsonl").write_text((json.dumps(line) + "\n") * 12_000, encoding="utf-8")
    with running(tmp_path / "home", runs=tmp_path / "runs") as studio:
        browser = studio.browser()
        one = browser.get("/api/runs")["runs"][0]["id"]
        told = browser.get(f"/api/runs/{one}/log")
        assert (told["next"], told["lines"][-1]) == (12_000, line)
        assert browser.get(f"/api/runs/{one}/log?after=11999") == {"lines": [line], "next": 12_000}


def test_wishes_for_a_preview_are_bounded_and_leave_nothing(tmp_path):
    with running(tmp_path / "home", queue=0) as studio:
        studio.ready()
        browser = studio.browser()
        source = browser.upload(photo())["id"]
        answer = browser.ask("POST", f"/api/photos/{source}/stylize/preview", {"styles": [source], "side": 64})
        assert (answer.status, answer.error, answer.headers["retry-after"]) == (429, "busy", "2")
        assert studio.studio.engine._latest == {}
