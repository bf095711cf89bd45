"""Sets on a Ray cluster of two nodes on this machine: every picture once, whoever is killed."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfumato.render import render
from sfumato.render.job import Config

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

CONFIG = Config(size=(64, 64), variants=2, motion=("builtin:wave",))
COUNT = 240
FLAGS = ["--size", "64", "--variants", "2", "--motion", "builtin:wave"]
CODE = """
import signal, sys
from sfumato.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored
sys.exit(main(sys.argv[1:]))
"""
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


@pytest.fixture(scope="module")
def nodes():
    """The process that holds the cluster, and its address."""
    if importlib.util.find_spec("ray") is None:
        missing = 'Ray is not installed: pip install "sfumato[ray]"'
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    child = Path(__file__).parent.parent / "cluster_child.py"
    environment = {name: value for name, value in os.environ.items() if name not in PROXIES}
    with subprocess.Popen(
        [sys.executable, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        address = process.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield process, address
        process.stdin.close()
        process.wait(60)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same set, made by this process."""
    folder = tmp_path_factory.mktemp("alone")
    render(CONFIG, COUNT, folder)
    return folder


def started(address, folder):
    """`sfumato render` on the cluster, begun."""
    words = ["render", "--count", str(COUNT), *FLAGS, "--ray", address, "-o", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def lines(folder):
    manifest = folder / "manifest.jsonl"
    return manifest.read_bytes().count(b"\n") if manifest.exists() else 0


def reached(folder, count, process):
    """Waits until so many pictures are in the manifest."""
    while process.poll() is None and lines(folder) < count:
        time.sleep(0.02)
    assert process.poll() is None, process.stderr.read()


def ended(process):
    """Its exit code, and what it said beside how far it is."""
    out, err = process.communicate(timeout=600)
    return process.returncode, out, [line for line in err.splitlines() if not line.startswith("rendering ")]


def assert_whole(folder, alone):
    """Every picture once in the manifest, bytes and labels those of the set that was made alone."""
    records = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert sorted(record["id"] for record in records) == list(range(COUNT))
    assert (folder / "keypoints.json").read_bytes() == (alone / "keypoints.json").read_bytes()
    for picture in (alone / "images").iterdir():
        assert (folder / "images" / picture.name).read_bytes() == picture.read_bytes(), picture.name
    assert not list(folder.rglob("*.tmp"))


def test_a_driver_that_is_killed_and_one_that_is_interrupted(nodes, alone, tmp_path):
    _, address = nodes
    with started(address, tmp_path) as first:
        reached(tmp_path, 4, first)
        first.kill()
    assert 4 <= lines(tmp_path) < COUNT
    with started(address, tmp_path) as second:
        reached(tmp_path, lines(tmp_path) + 4, second)
        second.send_signal(signal.SIGINT)
        code, out, said = ended(second)
    assert (code, out, len(said)) == (130, "", 1), said
    assert re.fullmatch(
        rf"sfumato: stopped after \d+ of {COUNT} pictures; the same command goes on from there", said[0]
    )
    there = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert len(there) < COUNT
    time.sleep(2)
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == there
    with started(address, tmp_path) as third:
        assert ended(third) == (0, f"{tmp_path}/keypoints.json\n", [])
    assert_whole(tmp_path, alone)


def test_a_node_that_is_killed_midway(nodes, alone, tmp_path):
    cluster, address = nodes
    with started(address, tmp_path) as process:
        reached(tmp_path, 8, process)
        cluster.stdin.write("kill\n")
        cluster.stdin.flush()
        assert cluster.stdout.readline() == "killed\n"
        assert lines(tmp_path) < COUNT
        assert ended(process) == (0, f"{tmp_path}/keypoints.json\n", [])
    assert_whole(tmp_path, alone)
