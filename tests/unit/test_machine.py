"""Cores are counted on every system."""

import os
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
