"""Cores are counted on every system; memory stays with a process that wants it."""

import ctypes
import os
import subprocess
import sys

import pytest

from sfumato.machine import cores, keep_memory


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes have no cores of their own")
def test_cores_of_this_process():
    assert cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("told", "found"), [(6, 6), (None, 1)])
def test_cores_where_no_affinity_is_told(monkeypatch, told, found):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert cores() == found


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries cannot be told")
def test_memory_that_is_kept_is_not_asked_for_again():
    """Pages that the system gives a process for three arrays of 12 MB, the first times apart."""
    program = """
import resource, sys
import numpy as np
from sfumato.machine import keep_memory
if sys.argv[1] == "kept" and not keep_memory():
    sys.exit("not glibc")
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.full(3 * 2**19, 1.0) for _ in range(3)]
    del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(sum([pages() for _ in range(9)][3:]))
"""
    runs = [
        subprocess.run([sys.executable, "-c", program, word], capture_output=True, text=True, check=False)
        for word in ("kept", "given back")
    ]
    if runs[0].stderr == "not glibc\n":
        pytest.skip("other C libraries cannot be told")
    assert [run.returncode for run in runs] == [0, 0], runs
    kept, given_back = (int(run.stdout) for run in runs)
    assert kept < 60 < given_back


class Library:
    """A C library that notes what it is told."""

    def __init__(self):
        self.told = {}

    def mallopt(self, what, value):
        self.told[what] = value
        return 1


@pytest.mark.parametrize(
    ("most", "told"),
    [((), {-1: 2**26, -3: 2**25}), ((None,), {-4: 0, -1: 2**31 - 1, -2: 2**26}), ((64,), {-1: 64, -3: 32})],
)
def test_what_the_library_is_told_to_keep(monkeypatch, most, told):
    library = Library()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    assert keep_memory(*most)
    assert library.told == told
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert not keep_memory(*most), "musl cannot be told"
