"""Cores are counted on every system; memory stays with a process that wants it."""

import os
import subprocess
import sys

import pytest

from sfumato.machine import cores


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
if sys.argv[1] == "kept":
    keep_memory()
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.full(3 * 2**19, 1.0) for _ in range(3)]
    del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(sum([pages() for _ in range(9)][3:]))
"""
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", program, word], capture_output=True, check=True).stdout)
        for word in ("kept", "given back")
    )
    assert kept < 60 < given_back
