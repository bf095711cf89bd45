"""What a node checks before it draws, and what is said where there is no cluster; sets on one are in tests/jobs."""

import logging
import pickle
import platform
import re
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

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


def test_a_lot_that_nobody_wants_any_more_ends_before_its_next_picture(place):
    made = []

    def last(number):
        made.append(number)
        place.mark.unlink()

    with pytest.raises(DataError, match="does not reach the folder"):
        cluster._lot(last, [0, 1], place)
    assert made == [0]


def test_a_node_with_another_version(place):
    other = cluster.Place(mark=place.mark, work=place.work, version="99.0")
    with pytest.raises(FailedError, match=r"node .*: has Sfumato [\d.]+\w*, not 99\.0; install the same on all"):
        cluster._lot(double, [0], other)


def test_an_error_names_its_node(place):
    with pytest.raises(DataError, match=re.escape(f"node {platform.node()}: 7 is no good")):
        cluster._lot(complains, [7], place)


class NearRay:
    """Ray whose tasks are called here, through pickles."""

    exceptions = SimpleNamespace(RayTaskError=ZeroDivisionError, RayError=ZeroDivisionError)

    def remote(self, **_settings):
        return lambda function: SimpleNamespace(
            remote=lambda *words: pickle.dumps(function(*pickle.loads(pickle.dumps(words))))
        )

    def cluster_resources(self):
        return {"CPU": 1}

    def wait(self, running, *, num_returns=1, **_settings):
        return running[:num_returns], running[num_returns:]

    def get(self, lot):
        return pickle.loads(lot)


def warns(number):
    logging.getLogger("sfumato.render").warning("odd at %d", number)
    return complains(number) if number == 2 else double(number)


def said_here(caplog):
    """What was logged by the process that asked, here the same as that of the node."""
    return [record.getMessage() for record in caplog.records if record.name == "sfumato.hearing"]


def test_what_nodes_warn_of_is_said_also_before_an_error(place, caplog):
    found = cluster._made(NearRay(), {}, warns, [1], place)
    assert [made["twice"] for made in found] == [2]
    assert said_here(caplog) == ["odd at 1"]
    caplog.clear()
    with pytest.raises(DataError, match=f"node {re.escape(platform.node())}: 2 is no good"):
        list(cluster._made(NearRay(), {}, warns, [2, 3], place))
    assert said_here(caplog) == ["odd at 2"]


def test_lots_are_waited_for_when_the_mark_is_gone(tmp_path, monkeypatch):
    waited, ray = [], NearRay()

    def wait(running, **settings):
        if len(running) > 1:
            waited.append((len(running), settings.get("num_returns"), list(tmp_path.iterdir())))
        return running[:1], running[1:]

    monkeypatch.setattr(ray, "wait", wait, raising=False)
    monkeypatch.setattr(cluster, "installed", lambda: ray)
    monkeypatch.setattr(cluster, "_connected", lambda _ray, _address: nullcontext())
    made = cluster.each(double, range(12), "auto", tmp_path)
    assert next(made)["id"] == 0
    waited.clear()
    made.close()
    assert waited == [(2, 2, [])]


def lacks(number):
    raise ModuleNotFoundError(f"No module named 'part{number}'")


def test_a_node_that_lacks_a_module(place):
    with pytest.raises(FailedError, match=r"a node says: No module named 'part0'; install Sfumato .* on all nodes"):
        list(cluster._made(NearRay(), {}, lacks, [0], place))


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
