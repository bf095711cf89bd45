"""What a node checks before it draws, and what is said where there is no cluster; sets on one are in tests/jobs."""

import platform
import re
import sys
from pathlib import Path
from types import ModuleType

import cv2
import pytest

from sfumato import __version__, cluster
from sfumato.errors import DataError, FailedError, OptionError


def double(number):
    return {"id": number, "twice": 2 * number, "in": Path.cwd().name}


def complains(number):
    raise DataError(f"{number} is no good")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that is reached, where the work is done."""
    monkeypatch.chdir(tmp_path.parent)
    (tmp_path / "mark").touch()
    threads = cv2.getNumThreads()
    yield cluster.Place(mark=tmp_path / "mark", work=tmp_path, version=__version__)
    cv2.setNumThreads(threads)


def test_a_lot_where_the_driver_works(place, tmp_path):
    made = cluster._lot(double, [3, 5], place)
    assert made == [{"id": n, "twice": 2 * n, "in": tmp_path.name} for n in (3, 5)]


def test_a_node_that_does_not_reach_the_folder(place):
    place.mark.unlink()
    said = f"node {platform.node()}: does not reach the folder {place.mark.parent}; all nodes must share it"
    with pytest.raises(DataError, match=re.escape(said)):
        cluster._lot(double, [0], place)


def test_a_node_with_another_version(place):
    other = cluster.Place(mark=place.mark, work=place.work, version="99.0")
    with pytest.raises(FailedError, match=r"node .*: has Sfumato [\d.]+\w*, not 99\.0; install the same on all"):
        cluster._lot(double, [0], other)


def test_an_error_names_its_node(place):
    with pytest.raises(DataError, match=re.escape(f"node {platform.node()}: 7 is no good")):
        cluster._lot(complains, [7], place)


def test_no_ray(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OptionError, match=r'Ray is not installed; pip install "sfumato\[ray\]"'):
        next(cluster.each(double, [0], "auto", tmp_path))


def refuse(*_args, **_settings):
    raise ValueError("a malformed address\nand more")


@pytest.mark.parametrize(
    ("address", "why"), [("127.0.0.1:1", "refused"), ("[::1]:1", ""), ("nonsense", "a malformed address")]
)
def test_no_cluster(tmp_path, monkeypatch, address, why):
    ray = ModuleType("ray")
    ray.init = refuse
    monkeypatch.setitem(sys.modules, "ray", ray)
    said = rf"--ray {re.escape(address)}: no Ray cluster answers \(.*{why}.*\); `ray start --head` begins one"
    with pytest.raises(OptionError, match=said):
        next(cluster.each(double, [0], address, tmp_path))
    assert not list(tmp_path.iterdir())
