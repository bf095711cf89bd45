"""Trainings as they are shown: what their folders hold, and nothing else."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from studios import running

from sfumato.cli import main
from sfumato.studio.training import REPORT_POLICY


def line(images):
    return {"images": images, "seconds": images / 10, "images_per_s": 10.0, "data_share": 0.1, "g/loss": 1 / images}


def append(run, *images):
    with (run / "log.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line(n)) + "\n" for n in images)


@pytest.fixture
def made(shared):
    """A run of the shared studio."""
    run = shared.studio.settings.runs / "faces" / f"run-{time.monotonic_ns()}"
    (run / "samples").mkdir(parents=True)
    recipe = {"images": 1000, "batch": 10, "title": "Faces", "method": {"name": "cut"}}
    (run / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    append(run, 100, 200)
    return run


def found(browser, run):
    return next(one for one in browser.get("/api/runs")["runs"] if one["name"] == f"faces/{run.name}")


def test_a_run_that_goes_on(ready, browser, made):
    one = found(browser, made)
    assert (one["title"], one["state"], one["images"], one["total"]) == ("Faces", "running", 200, 1000)
    assert (one["has_plot"], one["has_report"], one["samples"], one["models"]) == (False, False, [], [])
    assert browser.get(f"/api/runs/{one['id']}") == one
    append(made, 1000)
    (made / "a2b.safetensors").write_bytes(b"")
    one = found(browser, made)
    assert (one["state"], one["images"], one["models"]) == ("ended", 1000, ["a2b.safetensors"])


def test_a_run_goes_on_as_long_as_its_process_does(ready, browser, made):
    """By the lock that it holds, not by the age of its files: killed, it has stopped at once."""
    claims = (
        "import sys; from sfumato.locks import locked; file = open(sys.argv[1], 'ab'); print(locked(file.fileno()))"
    )
    words = [sys.executable, "-c", f"{claims}; sys.stdout.flush(); sys.stdin.read()", str(made / "lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "True\n"
        old = time.time() - 86400
        for file in made.glob("*.json*"):
            os.utime(file, (old, old))
        assert found(browser, made)["state"] == "running", "one step may take long"
        append(made, 300)
        process.kill()
        process.wait()
        assert found(browser, made)["state"] == "stopped"
    append(made, 1000)
    assert found(browser, made)["state"] == "ended"


def test_a_run_that_failed_at_its_start_has_stopped(ready, browser, shared, tmp_path, capsys):
    """Its recipe is there, and nothing else."""
    folder = shared.studio.settings.runs / "faces" / f"failed-{time.monotonic_ns()}"
    assert main(["train", "segformer.tiny", "--data.root", str(tmp_path), "--run", str(folder)]) == 2
    assert "sfumato:" in capsys.readouterr().err
    assert (folder / "recipe.json").exists()
    assert found(browser, folder)["state"] == "stopped"


def test_its_log(ready, browser, made):
    one = found(browser, made)
    path = f"/api/runs/{one['id']}/log"
    assert browser.get(path) == {"lines": [line(100), line(200)], "next": 2}
    assert browser.get(f"{path}?after=1") == {"lines": [line(200)], "next": 2}
    assert browser.ask("GET", f"{path}?after=-1").error == "bad_request"
    with (made / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"images": 300, "sec')  # as a run writes it at this moment
    assert browser.get(path)["next"] == 2


def test_its_log_while_it_grows(ready, browser, made):
    path = f"/api/runs/{found(browser, made)['id']}/events"
    events = browser.listen(path)
    assert next(events) == (2, "lines", {"lines": [line(100), line(200)], "next": 2})
    append(made, 300)
    assert next(events) == (3, "lines", {"lines": [line(300)], "next": 3})
    events.close()
    append(made, 400)
    again = browser.listen(path, after=3)
    assert next(again) == (4, "lines", {"lines": [line(400)], "next": 4})
    again.close()


def test_its_pictures(ready, browser, made):
    path = f"/api/runs/{found(browser, made)['id']}"
    assert browser.ask("GET", f"{path}/losses.png").status == 404
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(made / "losses.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(made / "samples" / "00000200.jpg")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(made / "samples" / "other.jpg")
    assert found(browser, made)["samples"] == [200]
    assert browser.ask("GET", f"{path}/losses.png").headers["content-type"] == "image/png"
    assert browser.ask("GET", f"{path}/samples/200").headers["content-type"] == "image/jpeg"
    for wrong in ("other", "201", "-1", "..%2f..%2flosses"):
        assert browser.ask("GET", f"{path}/samples/{wrong}").status == 404


def test_its_report_can_only_be_looked_at(ready, browser, made):
    path = f"/api/runs/{found(browser, made)['id']}/report"
    assert browser.ask("GET", path).status == 404
    (made / "report.html").write_text("<h1>Report</h1><script>alert(1)</script>", encoding="utf-8")
    answer = browser.ask("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == REPORT_POLICY
    assert "default-src 'none'" in REPORT_POLICY
    assert "script" not in REPORT_POLICY.replace("sandbox", "")


def test_only_what_is_listed_can_be_asked_for(ready, browser, made):
    for wrong in ("x" * 22, "faces", "..", f"faces%2f{made.name}"):
        for page in ("", "/log", "/events", "/losses.png", "/report", "/samples/1"):
            assert browser.ask("GET", f"/api/runs/{wrong}{page}").status == 404


def test_a_studio_without_runs(tmp_path):
    with running(tmp_path / "home") as studio:
        assert studio.browser().get("/api/runs") == {"runs": [], "folder": False}


def test_a_damaged_run_does_not_hide_the_others(ready, browser, made):
    base = made.parent
    for name, recipe, log in (
        ("text", '{"images": "many", "batch": null, "method": "cut"}', '{"images": "x", "seconds": [1]}\n'),
        ("list", "[1, 2]", "\x00\xff"),
        ("nan", '{"images": NaN, "title": 7}', '{"images": 5, "seconds": NaN, "g/loss": Infinity}\n'),
    ):
        folder = base / f"{made.name}-{name}"
        folder.mkdir()
        (folder / "recipe.json").write_text(recipe, encoding="utf-8")
        (folder / "log.jsonl").write_text(log, encoding="latin-1")
    (base / f"{made.name}-link").symlink_to(base / "nowhere")
    runs = {one["name"].rpartition("/")[2]: one for one in browser.get("/api/runs")["runs"]}
    assert runs[made.name]["images"] == 200
    assert [runs[f"{made.name}-{name}"]["images"] for name in ("text", "list", "nan")] == [0, 0, 5]
    log = browser.get(f"/api/runs/{runs[f'{made.name}-nan']['id']}/log")
    assert log == {"lines": [{"images": 5}], "next": 1}
