import logging
import multiprocessing
import os
import signal

import pytest
import torch
from toy import pictures

from sfumato.data.folders import ContentStyle
from sfumato.data.stream import batches, reading
from sfumato.errors import DataError, FailedError


@pytest.fixture
def data(tmp_path):
    folder = str(pictures(tmp_path / "photos", 5))
    return ContentStyle(content=(folder,), style=(folder,), size=8, shorter=(8, 16)).open()


def contents(stream):
    return [batch["content"] for batch in stream]


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_samples_in_order(data, workers):
    found = contents(batches(data, 3, range(6, 30, 4), workers=workers))
    assert len(found) == 6
    for i, batch in enumerate(found):
        expected = torch.stack([data.sample(3, 6 + 4 * i + k)["content"] for k in range(4)])
        assert torch.equal(batch, expected)


def test_processes_share_each_batch_in_the_order_of_ranks(data):
    whole = contents(batches(data, 0, range(0, 16, 4)))
    shares = [contents(batches(data, 0, range(0, 16, 4), share=(rank, 2))) for rank in range(2)]
    assert all(torch.equal(a, torch.cat(parts)) for a, parts in zip(whole, zip(*shares, strict=True), strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_pictures_that_break_on_the_way_are_named_once(data, tmp_path, caplog, workers):
    (tmp_path / "photos" / "2.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        found = contents(batches(data, 0, range(0, 40, 4), workers=workers))
    assert len(found) == 10
    named = [record.getMessage() for record in caplog.records]
    assert len(named) == 1
    assert "2.png" in named[0]


@pytest.mark.parametrize("workers", [0, 1])
def test_when_no_picture_is_left_the_error_is_its_own(data, tmp_path, workers):
    for path in (tmp_path / "photos").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="^no picture is left") as caught:
        contents(batches(data, 0, range(0, 40, 4), workers=workers))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_a_worker_that_dies_is_an_error_not_a_hang(data):
    before = set(multiprocessing.active_children())
    with pytest.raises(FailedError, match="a process that reads pictures ended") as caught, reading():
        for _ in batches(data, 0, range(0, 100_000, 1), workers=1):
            for worker in set(multiprocessing.active_children()) - before:
                os.kill(worker.pid, signal.SIGKILL)
    assert "\n" not in str(caught.value)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="other"), reading():
        raise RuntimeError("other")


def test_workers_end_with_the_stream(data):
    before = set(multiprocessing.active_children())
    stream = batches(data, 0, range(0, 100_000, 4), workers=2)
    next(stream)
    assert len(set(multiprocessing.active_children()) - before) == 2
    stream.close()
    assert not set(multiprocessing.active_children()) - before  # others may end meanwhile
