import errno
import json
import os
import time

import pytest

from sfumato.data import manifest
from sfumato.data.manifest import Manifest, claim, records, write_labels
from sfumato.errors import DataError, DiskError, OptionError

RECORD = {"file": "images/x.png", "width": 8, "height": 8, "annotations": []}


def fill(folder, numbers, shard=(0, 1)):
    with Manifest(folder, shard).appending() as lines:
        for number in numbers:
            lines.add(RECORD | {"id": number})


def test_lines_are_added_and_read(tmp_path):
    fill(tmp_path, [2, 0])
    fill(tmp_path, [1])
    assert [record["id"] for record in records(tmp_path)] == [0, 1, 2]
    assert write_labels(tmp_path, "x") == 3
    labels = json.loads((tmp_path / "keypoints.json").read_text())
    assert [image["id"] for image in labels["images"]] == [0, 1, 2]


def test_half_a_line_is_left_out_and_overwritten(tmp_path):
    fill(tmp_path, [0, 1])
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(path.read_bytes() + b'{"id":2,"file":"ima')
    assert [record["id"] for record in records(tmp_path)] == [0, 1]
    fill(tmp_path, [2])
    assert [record["id"] for record in records(tmp_path)] == [0, 1, 2]


def test_shards_have_files_of_their_own(tmp_path):
    fill(tmp_path, [0, 2], (0, 2))
    fill(tmp_path, [1, 3], (1, 2))
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["manifest-0-of-2.jsonl", "manifest-1-of-2.jsonl"]
    assert [record["id"] for record in records(tmp_path)] == [0, 1, 2, 3]


def test_a_damaged_line_is_named(tmp_path):
    fill(tmp_path, [0])
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(b"rubbish\n" + path.read_bytes())
    with pytest.raises(DataError, match=r"manifest\.jsonl: line 1 is damaged"):
        list(records(tmp_path))


def test_a_folder_holds_one_set(tmp_path):
    claim(tmp_path, {"seed": 1, "size": [8, 8]})
    claim(tmp_path, {"seed": 1, "size": [8, 8]})
    with pytest.raises(OptionError, match="seed=1, not 2; choose another folder"):
        claim(tmp_path, {"seed": 2, "size": [8, 8]})
    (tmp_path / manifest.CONFIG).write_text("{")
    with pytest.raises(DataError, match=r"config\.json: cannot be read"):
        claim(tmp_path, {"seed": 1})


@pytest.mark.parametrize(("shard", "age_s", "stays"), [((0, 1), 0, False), ((0, 2), 0, True), ((0, 2), 9000, False)])
def test_what_killed_processes_left_half_written_goes(tmp_path, shard, age_s, stays):
    (tmp_path / "images").mkdir()
    left = [tmp_path / ".keypoints.json.0a1b.tmp", tmp_path / "images/.sfumato-0a1b.tmp"]
    for path in left:
        path.write_text("half")
        os.utime(path, (time.time() - age_s,) * 2)
    made = manifest.gather(
        tmp_path, 2, lambda numbers: ({**RECORD, "id": n} for n in numbers), description="", shard=shard
    )
    assert made == 2 // shard[1]
    assert [path.exists() for path in left] == [stays, stays]  # others may write to them now


class Full:
    """A file on a disk with room for so many bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.file.write(data[: self.room])
        self.room -= written
        return written


def test_half_a_line_on_a_full_disk(tmp_path):
    full = pytest.raises(DiskError, match=r"manifest\.jsonl: cannot be written \(No space left on device\)")
    with full, Manifest(tmp_path).appending() as lines:
        lines.add(RECORD | {"id": 0})
        lines._file = Full(lines._file, room=10)
        lines.add(RECORD | {"id": 1})
    assert (tmp_path / "manifest.jsonl").read_bytes().endswith(b'\n{"file":"i')
    fill(tmp_path, [1])
    assert [record["id"] for record in records(tmp_path)] == [0, 1]
