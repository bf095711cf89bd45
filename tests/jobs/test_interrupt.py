"""Ctrl-C, or SIGTERM, in the middle of the work: exit code 130, one line, what was done stays, nothing half-written."""

import subprocess
import sys

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
