"""Ctrl-C, or SIGTERM, in the middle of the work: exit code 130, one line, what was done stays, nothing half-written."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image
from stylizers import made_photo

CODE = """
import signal, sys
from sfumato.cli import main
from sfumato.progress import Progress

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored

def interrupted(self, done, total=0):
    if self.label == {label!r}:
        signal.raise_signal(signal.{asked})

Progress.__call__ = interrupted
sys.exit(main({words}))
"""


@pytest.mark.parametrize(
    ("words", "label", "left"),
    [
        (["stylize", "a.png", "b.png", "--style", "c.png"], "2 of 2: b.png", ["a-c.png"]),
        (["stylize", "a.png", "--style", "c.png", "--method", "gatys"], "a.png", []),
        (["texture", "c.png", "--size", "64"], "c-texture.png", []),
    ],
    ids=["stylize", "gatys", "texture"],
)
@pytest.mark.parametrize("asked", ["SIGINT", "SIGTERM"])
def test_ctrl_c_and_a_request_to_end(tmp_path, words, label, left, asked):
    for seed, name in enumerate(["a.png", "b.png", "c.png"]):
        Image.fromarray(made_photo(64, 64, seed=seed)).save(tmp_path / name)
    code = CODE.format(label=label, words=words, asked=asked)
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (130, "sfumato: interrupted\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.png", "b.png", "c.png", *left])


INTERRUPTED_FILM = """
import os, signal, sys
from sfumato import collage
from sfumato.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)
whole, count = collage.Film.__call__, 0

def drawn(self, pixels):
    global count
    count += 1
    if count == {at}:
        os.kill(os.getpid(), signal.{asked})
    return whole(self, pixels)

collage.Film.__call__ = drawn
sys.exit(main(["collage", "clip.mp4", "--model", "faces2toon"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("asked", "at"), [("SIGINT", 2), ("SIGTERM", 80)])
def test_a_film_that_was_interrupted_leaves_nothing_and_says_so(tmp_path, asked, at):
    """Before the first frame is in the file (the encoder looks ahead), and in its midst."""
    av = pytest.importorskip("av")
    with av.open(tmp_path / "clip.mp4", "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(90):
            frame = av.VideoFrame.from_ndarray(made_photo(48, 64, seed=k), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    code = INTERRUPTED_FILM.format(asked=asked, at=at)
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    told = f"sfumato: clip-faces2toon-collage.mp4: stopped after {at - 1} frames; nothing is kept of it"
    assert (run.returncode, run.stdout) == (130, "")
    assert run.stderr.splitlines()[-1] == told  # after lines of progress, where the film takes minutes
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


DRAWS = """
import sys, time
from pathlib import Path

from sfumato.cli import main
from sfumato.render import job
from sfumato.weights import replacing

def drawn(config, number, folder):
    file = f"images/{number}.png"
    with replacing(folder / file) as picture:
        picture.write(b"half of a picture")
        picture.flush()
        if number:
            Path(f"writes-{number}").touch()
            time.sleep(600)
    return {"id": number, "file": file, "width": 64, "height": 64, "annotations": []}

job.make = drawn
if __name__ == "__main__":
    sys.exit(main(["render", "-o", "set", "--count", "5", "--size", "64", "--workers", "2"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
def test_a_request_to_end_to_a_command_and_the_processes_that_draw(tmp_path):
    """Those are ended while they write; what is half-written goes, what is there has labels."""
    (tmp_path / "draws.py").write_text(DRAWS)
    with subprocess.Popen(
        [sys.executable, "draws.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        manifest = tmp_path / "set" / "manifest.jsonl"
        while run.poll() is None and not (
            all((tmp_path / f"writes-{k}").exists() for k in (1, 2)) and manifest.read_bytes().endswith(b"\n")
        ):
            time.sleep(0.02)
        assert len(list((tmp_path / "set" / "images").glob(".*.tmp"))) == 2
        os.killpg(run.pid, signal.SIGTERM)
        said = run.communicate(timeout=120)[1]
    assert run.returncode == 130
    assert said == "sfumato: stopped after 1 of 5 pictures; the same command goes on from there\n"
    assert [path.name for path in (tmp_path / "set" / "images").iterdir()] == ["0.png"]
    assert [image["id"] for image in json.loads((tmp_path / "set" / "keypoints.json").read_text())["images"]] == [0]


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
def test_a_request_to_end_that_was_ignored_stays_ignored(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(made_photo(64, 64)).save(tmp_path / name)
    words = ["stylize", "a.png", "b.png", "--style", "c.png"]
    code = CODE.format(label="2 of 2: b.png", words=words, asked="SIGTERM")
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + code
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "a-c.png\nb-c.png\n", "")
