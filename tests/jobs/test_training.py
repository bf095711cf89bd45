"""Whole runs in processes of their own: killed, interrupted, shared by two."""

import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest
import torch
import train_child

from sfumato import train, weights
from sfumato.train.log import read_log

CLOCK = ("seconds", "images_per_s", "data_share")
LONG = {"images": 320, "log_every": 4, "save_every": 40, "sample_every": 10_000}
SLOW = {**LONG, "pause_s": 0.01}
NAMES = ("toy", "vgg", "sketchygan", "texture_nets", "style2paints", "hrnet", *train_child.STYLIZERS, *train_child.GANS)

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def start(data):
    """Starts a training process; none outlives the test."""
    started = []

    def start(names, run, *, environment=None, **changes):
        words = [f"{key}={value!r}" for key, value in changes.items()]
        process = subprocess.Popen(
            [sys.executable, "-W", "error", train_child.__file__, names, str(data), str(run), *words],
            env={**os.environ, **(environment or {})},  # the same number of threads as here, or sums differ
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def lines(run):
    return [{key: value for key, value in line.items() if key not in CLOCK} for line in read_log(run / "log.jsonl")]


def reach(process, run, images):
    """Waits until a run has logged so many images."""
    while process.poll() is None:
        log = read_log(run / "log.jsonl")
        if log and log[-1]["images"] >= images:
            return
        time.sleep(0.01)
    raise AssertionError(f"it ended too early: {process.communicate()}")


@pytest.fixture(scope="module")
def straight(data, tmp_path_factory):
    """A run that nobody interrupts."""
    run = tmp_path_factory.mktemp("runs") / "straight"
    train(train_child.recipe_of("toy", data, **LONG), run, device="cpu")
    return run


def assert_same_run(run, straight):
    assert lines(run) == lines(straight)
    assert [line["images"] for line in lines(run)] == list(range(4, 321, 4))
    ours, theirs = (torch.load(folder / "state.pt", weights_only=True) for folder in (run, straight))
    for part in ("weights", "buffers"):
        assert ours[part].keys() == theirs[part].keys()
        assert all(torch.equal(ours[part][key], theirs[part][key]) for key in ours[part])
    ours, theirs = (weights.load_tensors(folder / "paint.safetensors") for folder in (run, straight))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_killed_in_the_middle_and_resumed_the_losses_are_bitwise_the_same(start, data, straight, tmp_path):
    run, moments = tmp_path / "toy", random.Random(0)
    for stop, workers in ((60, 0), (170, 1)):
        process = start("toy", tmp_path, workers=workers, **SLOW)
        reach(process, run, stop)
        time.sleep(moments.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert stop <= read_log(run / "log.jsonl")[-1]["images"] < 320
    train(train_child.recipe_of("toy", data, **SLOW), run, device="cpu")
    assert_same_run(run, straight)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_killed_at_ten_moments_a_run_between_two_folders_is_the_same(start, data, tmp_path):
    """Two generators and their averages, three discriminators, a pool, noisy labels, batch statistics."""
    often = {"images": 240, "log_every": 4, "save_every": 8, "sample_every": 10_000}
    train(train_child.recipe_of("cyclegan", data, **often), tmp_path / "straight", device="cpu")
    run, moments = tmp_path / "cyclegan", random.Random(1)
    for k in range(10):
        process = start("cyclegan", tmp_path, workers=k % 3, **often)
        known = read_log(run / "log.jsonl") if run.exists() else []
        reach(process, run, (known[-1]["images"] if known else 0) + moments.choice([4, 8, 12]))
        time.sleep(moments.random() * 0.2)  # within a step, a line, a save
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    assert read_log(run / "log.jsonl")[-1]["images"] < 240
    train(train_child.recipe_of("cyclegan", data, **often), run, device="cpu")
    assert lines(run) == lines(tmp_path / "straight")
    ours, theirs = (torch.load(folder / "state.pt", weights_only=True) for folder in (run, tmp_path / "straight"))
    for part in ("weights", "buffers"):
        assert ours[part].keys() == theirs[part].keys()
        assert all(torch.equal(ours[part][key], theirs[part][key]) for key in ours[part])
    for name in ("a2b", "b2a"):
        ours, theirs = (weights.load_tensors(f / f"{name}.safetensors") for f in (run, tmp_path / "straight"))
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_interrupted_it_saves_and_says_how_to_go_on(start, data, straight, tmp_path):
    run = tmp_path / "toy"
    process = start("toy", tmp_path, workers=1, **SLOW)
    reach(process, run, 100)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    seen = torch.load(run / "state.pt", weights_only=True)["seen"]
    assert 100 <= seen < 320
    assert said == f"stopped after {seen} of 320 images; the same command goes on from there\n"
    train(train_child.recipe_of("toy", data, **SLOW), run, device="cpu")
    assert_same_run(run, straight)


AVERAGE = """
import sys, torch
from sfumato.train import dist
torch.distributed.init_process_group("gloo", rank=int(sys.argv[1]), world_size=2, init_method=sys.argv[2])
a, b, c, d = (torch.zeros(n, requires_grad=True) for n in (1, 2, 3, 4))
mine, value = ((a, b), 10.0) if sys.argv[1] == "0" else ((a, c), 100.0)
for p in mine:
    p.grad = torch.full_like(p, value)
dist.average_gradients([a, b, c, d])
print([None if p.grad is None else p.grad.tolist() for p in (a, b, c, d)])
torch.distributed.destroy_process_group()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="names the loopback device")
def test_gradients_that_only_one_process_has_are_averaged_with_nothing(tmp_path):
    words = [f"file://{tmp_path / 'meet'}"]
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", AVERAGE, rank, *words],
            env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    said = [process.communicate(timeout=100)[0].strip() for process in pair]
    assert said == [str([[55.0], [5.0] * 2, [50.0] * 3, None])] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="names the loopback device")
def test_two_processes_do_what_one_does(start, data, tmp_path):
    """Each in two halves, so that resuming is shared, too."""
    for name in NAMES:
        train(train_child.recipe_of(name, data), tmp_path / "one" / name, device="cpu")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "GLOO_SOCKET_IFNAME": "lo"}
    ranks = [{**common, "RANK": rank, "LOCAL_RANK": rank} for rank in ("0", "1")]
    pair = [start(",".join(NAMES), tmp_path / "two", environment=environment) for environment in ranks]
    for process in pair:
        assert process.communicate() == ("", "")
        assert process.returncode == 0
    for name in NAMES:
        ours, theirs = (lines(tmp_path / run / name) for run in ("two", "one"))
        assert len(ours) == len(theirs)
        for our, their in zip(ours, theirs, strict=True):
            assert our == pytest.approx(their, rel=1e-3, abs=1e-5), name
    ours, theirs = (weights.load_tensors(tmp_path / run / "toy/paint.safetensors") for run in ("two", "one"))
    for key, tensor in theirs.items():
        torch.testing.assert_close(ours[key], tensor, rtol=1e-3, atol=1e-5)
