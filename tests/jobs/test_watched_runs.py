"""Watched runs by the command: killed and resumed, shared by two processes."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import shapes
import torch

from sfumato import train, weights
from sfumato.recipes import parse
from sfumato.train.log import read_log

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="sends a POSIX signal, names the loopback device"),
]

CHANGES = {
    "data.hold-out": "0.25",
    "data.shorter": "32 36",
    "watch.every": "8",
    "watch.count": "10",
    "watch.network": "compact",
    "images": "64",
    "ema-images": "20",
    "log-every": "8",
    "save-every": "24",
    "sample-every": "1000",
}
NAMES = ("a2b", "b2a", "best_a2b", "best_b2a")


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Recipe and overrides of the command."""
    sides = shapes.folders(tmp_path_factory.mktemp("shapes"), 50)
    changes = CHANGES | {f"data.{side}": folder for side, (folder,) in sides.items()}
    return ["cyclegan.tiny", *(word for key, value in changes.items() for word in (f"--{key}", *value.split()))]


@pytest.fixture(scope="module")
def straight(words, tmp_path_factory):
    """A run that nobody interrupts."""
    run = tmp_path_factory.mktemp("runs") / "straight"
    train(parse(words[0], words[1:]), run, device="cpu")
    return run


def start(words, run, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "sfumato", "train", *words, "--run", str(run), "--device", "cpu", "-q"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def figures(run):
    """Images and the values measured, line by line."""
    found = read_log(run / "log.jsonl")
    return [(line["images"], {k: v for k, v in line.items() if k[:4] in ("a2b/", "b2a/")}) for line in found]


def test_killed_and_resumed_the_best_is_the_same_bit_by_bit(words, straight, tmp_path):
    run = tmp_path / "run"
    process = start(words, run)
    while process.poll() is None and len(read_log(run / "log.jsonl")) < 4:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert read_log(run / "log.jsonl")[-1]["images"] < 64
    train(parse(words[0], words[1:]), run, device="cpu")
    assert figures(run) == figures(straight)
    for name in NAMES:
        ours, theirs = (weights.load_tensors(folder / f"{name}.safetensors") for folder in (run, straight))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name
    ours, theirs = (torch.load(folder / "state.pt", weights_only=True)["best"] for folder in (run, straight))
    assert ours == theirs


def test_of_two_processes_only_the_first_watches(words, straight, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "GLOO_SOCKET_IFNAME": "lo"}
    pair = [start(words, tmp_path / "run", **common, RANK=rank, LOCAL_RANK=rank) for rank in ("0", "1")]
    said = [process.communicate() for process in pair]
    assert [process.returncode for process in pair] == [0, 0], said
    ours, theirs = figures(tmp_path / "run"), figures(straight)
    assert [images for images, _ in ours] == [images for images, _ in theirs] == list(range(8, 65, 8))
    assert ours[0][1] == pytest.approx(theirs[0][1], rel=0.01)  # later on rounding grows, as in every such game
    assert all(our.keys() == their.keys() for (_, our), (_, their) in zip(ours, theirs, strict=True))
    for name in ("a2b", "b2a"):
        best = min(ours, key=lambda figure: figure[1][f"{name}/fd-compact"])[0]
        assert weights.read_card(tmp_path / "run" / f"best_{name}.safetensors").images_seen == best
    assert "Finished after 64 of 64 images" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
