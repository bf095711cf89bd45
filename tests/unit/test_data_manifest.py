import errno
import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc

import pytest

from sfumato import locks
from sfumato.data import manifest
from sfumato.data.manifest import Manifest, Records, claim, gather, write_labels
from sfumato.errors import Cancelled, DataError, DiskError, FailedError, OptionError

RECORD = {"file": "images/x.png", "width": 8, "height": 8, "annotations": []}


def made(folder, numbers):
    """Pictures, and their lines."""
    (folder / "images").mkdir(exist_ok=True)
    for number in numbers:
        file = f"images/{number}.png"
        (folder / file).touch()
        yield RECORD | {"id": number, "file": file}


def fill(folder, numbers, shard=(0, 1)):
    with Manifest(folder, shard).appending() as lines:
        for record in made(folder, numbers):
            lines.add(record)


def gathered(folder, count, make, *, description="", shard=(0, 1)):
    """The set of seed 1, claimed and gathered."""
    return gather(folder, count, make, claimed=claim(folder, {"seed": 1}), description=description, shard=shard)


def numbers(folder):
    return [record["id"] for record in Records(folder)]


def labelled(folder):
    return [image["id"] for image in json.loads((folder / "keypoints.json").read_text())["images"]]


def test_lines_are_added_and_read(tmp_path):
    fill(tmp_path, [2, 0])
    fill(tmp_path, [1])
    assert numbers(tmp_path) == [0, 1, 2]
    assert write_labels(tmp_path, "x") == 3
    assert labelled(tmp_path) == [0, 1, 2]


def test_half_a_line_is_left_out_and_overwritten(tmp_path):
    fill(tmp_path, [0, 1])
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(path.read_bytes() + b'{"id":2,"file":"ima')
    assert numbers(tmp_path) == [0, 1]
    fill(tmp_path, [2])
    assert numbers(tmp_path) == [0, 1, 2]


def test_shards_have_files_of_their_own(tmp_path):
    fill(tmp_path, [0, 2], (0, 2))
    fill(tmp_path, [1, 3], (1, 2))
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["manifest-0-of-2.jsonl", "manifest-1-of-2.jsonl"]
    assert numbers(tmp_path) == [0, 1, 2, 3]


def test_a_damaged_line_is_named(tmp_path):
    fill(tmp_path, [0])
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(b"rubbish\n" + path.read_bytes())
    with pytest.raises(DataError, match=r"manifest\.jsonl: line 1 is damaged"):
        Records(tmp_path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, DataError("a.png: is broken"), FailedError("processes died")])
def test_what_is_there_has_labels_whatever_ends_the_work(tmp_path, error):
    def make(missing):
        yield from made(tmp_path, missing[:2])
        raise error

    wanted = Cancelled if error is KeyboardInterrupt else type(error)
    with pytest.raises(wanted, match=r"stopped after 2 of 5 pictures; the same command goes on|broken|died"):
        gathered(tmp_path, 5, make, description="x")
    assert labelled(tmp_path) == [0, 1]


def test_a_folder_holds_one_set(tmp_path):
    claim(tmp_path, {"seed": 1, "size": [8, 8]})
    fill(tmp_path, [0])
    claim(tmp_path, {"seed": 1, "size": [8, 8]})
    with pytest.raises(OptionError, match="seed=1, not 2; choose another folder"):
        claim(tmp_path, {"seed": 2, "size": [8, 8]})
    (tmp_path / manifest.CONFIG).write_text("{")
    with pytest.raises(DataError, match=r"config\.json: cannot be read"):
        claim(tmp_path, {"seed": 1})


def test_a_folder_in_which_nothing_is_made_takes_any_set(tmp_path):
    def stopped(_numbers):
        raise KeyboardInterrupt

    with pytest.raises(Cancelled, match="stopped after 0 of 5 pictures"):
        gathered(tmp_path, 5, stopped, description="x")
    claim(tmp_path, {"seed": 2})
    with Manifest(tmp_path).appending(), pytest.raises(OptionError, match="seed=2, not 3"):
        claim(tmp_path, {"seed": 3})  # another process is about to make the first
    (tmp_path / "images").mkdir()
    claim(tmp_path, {"seed": 3})
    (tmp_path / "images" / "0.png").touch()
    with pytest.raises(OptionError, match="seed=3, not 4"):
        claim(tmp_path, {"seed": 4})


def test_two_sets_that_are_begun_at_once_do_not_mix(tmp_path):
    """The second claims the folder before the first, which has claimed it, makes anything."""
    first = claim(tmp_path, {"seed": 1})
    second = claim(tmp_path, {"seed": 2})
    with pytest.raises(OptionError, match="seed=2, not 1; choose another folder"):
        gather(tmp_path, 3, lambda ns: made(tmp_path, ns), claimed=first, description="")
    assert not (tmp_path / "images").exists()
    assert gather(tmp_path, 3, lambda ns: made(tmp_path, ns), claimed=second, description="") == 3
    assert manifest.read_claim(tmp_path) == {"seed": 2}


def test_a_claim_waits_for_one_who_begins(tmp_path):
    """Between its look at the folder and what it writes there nobody takes the manifest."""
    claim(tmp_path, {"seed": 1})
    with manifest._kept_apart(tmp_path):
        other = threading.Thread(target=claim, args=(tmp_path, {"seed": 2}))
        other.start()
        other.join(0.2)
        assert manifest.read_claim(tmp_path) == {"seed": 1}
    other.join(10)
    assert manifest.read_claim(tmp_path) == {"seed": 2}


def test_without_locks_an_empty_manifest_is_left_only_if_it_is_old(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_tried", lambda file, *, wait, shared: None)
    claimed = claim(tmp_path, {"seed": 1})

    def make(numbers):
        with pytest.raises(OptionError, match="seed=1, not 2"):
            claim(tmp_path, {"seed": 2})  # another process, before the first file is there
        yield from made(tmp_path, numbers[:0])

    (tmp_path / "manifest.jsonl").touch()
    aged(tmp_path / "manifest.jsonl")
    gather(tmp_path, 3, make, claimed=claimed, description="")
    (tmp_path / "keypoints.json").unlink()
    aged(tmp_path / "manifest.jsonl")
    claim(tmp_path, {"seed": 2})
    assert manifest.read_claim(tmp_path) == {"seed": 2}


def aged(path):
    """Makes a file so old that it is nobody's."""
    os.utime(path, (time.time() - 2 * manifest.OLD_S,) * 2)


def test_what_killed_helpers_left_half_written_goes_when_the_work_is_stopped(tmp_path):
    def make(numbers):
        yield from made(tmp_path, numbers[:1])
        (tmp_path / "images" / ".1.png.0a1b.tmp").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(Cancelled, match="stopped after 1 of 3"):
        gathered(tmp_path, 3, make)
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["0.png"]


def test_a_set_of_another_command_is_called_so(tmp_path):
    claim(tmp_path, {"character": ["mannequin"], "seed": 1})
    fill(tmp_path, [0])
    with pytest.raises(OptionError, match="another command or another Sfumato, which notes character and not model"):
        claim(tmp_path, {"model": "microast/art", "seed": 1})
    with pytest.raises(OptionError, match="an older Sfumato, which did not note size"):
        claim(tmp_path, {"character": ["mannequin"], "seed": 1, "size": [8, 8]})


def test_of_long_lists_the_difference_is_told(tmp_path):
    names = [f"{k}.jpg" for k in range(300)]
    claim(tmp_path, {"styles": names})
    fill(tmp_path, [0])
    told = r"styles=\[..., '200.jpg', '201.jpg', '202.jpg', '203.jpg', ...\] \(300\), not \[..., 'x.jpg'\] \(201\);"
    with pytest.raises(OptionError, match=told):
        claim(tmp_path, {"styles": [*names[:200], "x.jpg"]})


@pytest.mark.parametrize(("shard", "age_s", "stays"), [((0, 1), 0, False), ((0, 2), 0, True), ((0, 2), 9000, False)])
def test_what_killed_processes_left_half_written_goes(tmp_path, shard, age_s, stays):
    (tmp_path / "images").mkdir()
    left = [tmp_path / ".keypoints.json.0a1b.tmp", tmp_path / "images/.sfumato-0a1b.tmp"]
    for path in left:
        path.write_text("half")
        os.utime(path, (time.time() - age_s,) * 2)
    assert gathered(tmp_path, 2, lambda ns: made(tmp_path, ns), description="", shard=shard) == 2 // shard[1]
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
        first, second = made(tmp_path, [0, 1])
        lines.add(first)
        lines._file = Full(lines._file, room=10)
        lines.add(second)
    assert (tmp_path / "manifest.jsonl").read_bytes().endswith(b'\n{"file":"i')
    fill(tmp_path, [1])
    assert numbers(tmp_path) == [0, 1]


def test_a_picture_that_was_deleted_is_made_again(tmp_path):
    gathered(tmp_path, 4, lambda ns: made(tmp_path, ns), description="")
    for number in (1, 3):
        (tmp_path / f"images/{number}.png").unlink()
    assert write_labels(tmp_path, "") == 2
    assert labelled(tmp_path) == [0, 2]
    again = []
    assert gathered(tmp_path, 4, lambda ns: again.extend(ns) or made(tmp_path, ns), description="") == 4
    assert again == [1, 3]
    assert labelled(tmp_path) == numbers(tmp_path) == [0, 1, 2, 3]


def test_a_picture_counts_with_all_its_files(tmp_path):
    with Manifest(tmp_path).appending() as lines:
        for record in made(tmp_path, [0, 1]):
            (tmp_path / f"depth-{record['id']}.png").touch()
            lines.add(record | {"files": {"lines": record["file"], "depth": f"depth-{record['id']}.png"}})
    (tmp_path / "depth-0.png").unlink()
    assert numbers(tmp_path) == [1]


def test_a_file_that_a_list_of_the_folder_lacks_is_looked_for(tmp_path, monkeypatch):
    fill(tmp_path, [0, 1])
    monkeypatch.setattr(os, "listdir", lambda path: ["0.png"])  # as that of a shared folder, some seconds old
    assert numbers(tmp_path) == [0, 1]


def test_shards_that_end_together_lose_no_labels(tmp_path, monkeypatch):
    reached, goes_on = threading.Event(), threading.Event()
    written = manifest.written

    def slow(records, description):
        if threading.current_thread().name == "first":
            reached.set()
            goes_on.wait(10)
        return written(records, description)

    monkeypatch.setattr(manifest, "written", slow)
    shards = [
        threading.Thread(
            name=name,
            target=lambda part: gathered(tmp_path, 6, lambda ns: made(tmp_path, ns), description="", shard=(part, 2)),
            args=(part,),
        )
        for part, name in enumerate(("first", "second"))
    ]
    shards[0].start()
    assert reached.wait(10)  # its labels are read, and not yet written
    shards[1].start()
    shards[1].join(0.5)
    goes_on.set()
    for shard in shards:
        shard.join(10)
    assert labelled(tmp_path) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        *[((0, 1), (0, 1), True), ((1, 2), (1, 2), True), ((0, 1), (2, 3), True), ((1, 2), (3, 4), True)],
        *[((0, 2), (1, 2), False), ((0, 2), (3, 4), False)],
    ],
)
def test_one_process_makes_a_picture(tmp_path, first, second, meet):
    with Manifest(tmp_path, first).appending() as lines:
        (record,) = made(tmp_path, [first[0]])
        if meet:
            with pytest.raises(OptionError, match=r"another process makes these pictures; wait for it, or share them"):
                gathered(tmp_path, 12, lambda ns: made(tmp_path, ns), description="", shard=second)
        else:
            gathered(tmp_path, 12, lambda ns: made(tmp_path, ns), description="", shard=second)
        lines.add(record)
    assert first[0] in numbers(tmp_path)
    gathered(tmp_path, 12, lambda ns: made(tmp_path, ns), description="", shard=first)


def test_another_process_is_told_and_its_death_frees_the_folder(tmp_path):
    code = "import sys; from pathlib import Path; from sfumato.data.manifest import Manifest\n"
    code += "with Manifest(Path(sys.argv[1])).appending(): print('there', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "there\n"
        with pytest.raises(OptionError, match="another process makes these pictures"):
            fill(tmp_path, [0])
        other.kill()
    fill(tmp_path, [0])
    assert numbers(tmp_path) == [0]


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def fail(number):
        def flock(file, how):
            raise OSError(number, os.strerror(number))

        return flock

    monkeypatch.setattr(fcntl, "flock", fail(errno.ENOSYS))
    fill(tmp_path, [0])
    assert write_labels(tmp_path, "") == 1
    monkeypatch.setattr(fcntl, "flock", fail(errno.EIO))
    with pytest.raises(DiskError, match=r"\.lock: cannot be written \("):
        fill(tmp_path, [1])
    with (tmp_path / "file").open("ab") as file, pytest.raises(OSError, match="error"):
        locks.locked(file.fileno())


def test_what_was_given_up_leaves_labels_of_the_others(tmp_path):
    def make(numbers):
        yield from made(tmp_path, numbers[:2])
        raise FailedError("processes died")

    with pytest.raises(FailedError, match="processes died"):
        gathered(tmp_path, 3, make, description="")
    assert labelled(tmp_path) == [0, 1]


def test_large_sets_need_little_memory(tmp_path):
    figure = {"keypoints": [1.5, 2.5, 2] * 17, "segmentation": {"size": [8, 8], "counts": "0" * 300}}
    lines = [
        json.dumps(RECORD | {"id": n, "file": "picture.png", "annotations": [figure]}, separators=(",", ":")) + "\n"
        for n in range(400)
    ]
    (tmp_path / "manifest.jsonl").write_text("".join(reversed(lines)))
    (tmp_path / "picture.png").touch()
    del lines
    tracemalloc.start()
    assert write_labels(tmp_path, "") == 400
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e5  # all lines as objects need 2 MB, their text 0.25 MB
    assert labelled(tmp_path) == list(range(400))


def test_what_a_set_was_made_of_may_grow(tmp_path):
    claim(tmp_path, {"seed": 1}, ["a", "b"])
    fill(tmp_path, [0])
    claim(tmp_path, {"seed": 1}, ["a", "b"])
    claim(tmp_path, {"seed": 1}, ["a", "b", "c"])
    other = pytest.raises(OptionError, match="a set that was made of another one, or what it was made of has changed")
    for source in (["a", "b"], ["a", "x", "c", "d"], []):
        with other:
            claim(tmp_path, {"seed": 1}, source)


def test_a_set_of_an_older_version(tmp_path):
    claim(tmp_path, {"seed": 1})
    fill(tmp_path, [0])
    with pytest.raises(OptionError, match=r"older Sfumato, which did not note source; choose another folder with -o"):
        claim(tmp_path, {"seed": 1}, ["a"])
    with pytest.raises(OptionError, match=r"older Sfumato, which did not note size; choose another folder with -o"):
        claim(tmp_path, {"seed": 1, "size": 3})
