"""What a set of pictures has so far: a line of JSON for each, written when its files are complete.

A run that was killed leaves at most half a line, which is left out; its picture is made again. So is one whose files
are not there any more. Sets may be large: lines are read from the disk one by one, and only their places are kept.
"""

import hashlib
import json
import math
import os
import re
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import Cancelled, DataError, DiskError, FailedError, OptionError
from ..locks import lockable, locked
from ..progress import Report
from ..weights import SHOWN, first, replacing
from .coco import written
from .keypoints import NAMES

CONFIG, LABELS, LOCK = "config.json", NAMES[0], ".lock"
SOURCE = "source"
"""The field of config.json that tells what a set was made of."""
LINES = "manifest*.jsonl"
Record = dict[str, Any]
OLD_S = 3600
"""A half-written file that is so old belongs to nobody any more, whatever other machines write to the folder."""


class Manifest:
    """The lines of one process's share of a set.

    Args:
        folder: of the set.
        shard: this share and the number of shares.
    """

    def __init__(self, folder: Path, shard: tuple[int, int] = (0, 1)) -> None:
        self.folder = folder
        self.path = folder / ("manifest.jsonl" if shard[1] == 1 else f"manifest-{shard[0]}-of-{shard[1]}.jsonl")

    @contextmanager
    def appending(self) -> Iterator["Manifest"]:
        """Ready for `add`; what a killed run left of a line goes.

        Raises:
            OptionError: another process makes pictures of this share.
            DiskError: it cannot be written.
        """
        with ExitStack() as opened:
            with _kept_apart(self.folder), _writing(self.path):
                # without a buffer, what did not fit is not tried again at its end
                self._file = opened.enter_context(self.path.open("ab", buffering=0))
                if not locked(self._file.fileno()) or any(map(self._meets, self.folder.glob(LINES))):
                    raise OptionError(
                        f"{self.folder}: another process makes these pictures; wait for it, or share them by --shard"
                    )
                self._file.truncate(_whole_bytes(self.path))
                os.utime(self.path)  # where there are no locks, its age alone tells that somebody is about to write
            yield self

    def _meets(self, other: Path) -> bool:
        """Whether the lines are of another share that has pictures in common with this one, and are being written."""
        (mine, shares), (theirs, parts) = _share(self.path), _share(other)
        if other == self.path or (mine - theirs) % math.gcd(shares, parts):
            return False
        return _is_written(other)

    def add(self, record: Record) -> None:
        """Writes a line to the disk.

        Raises:
            DiskError: it cannot be written.
        """
        with _writing(self.path):
            left = memoryview(json.dumps(record, separators=(",", ":")).encode() + b"\n")
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())


def _share(lines: Path) -> tuple[int, int]:
    """Of a manifest by its name: which share, of how many."""
    found = re.search(r"-(\d+)-of-(\d+)\.jsonl$", lines.name)
    return (int(found[1]), int(found[2])) if found else (0, 1)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def _kept_apart(folder: Path) -> Iterator[None]:
    """One process at a time."""
    path = folder / LOCK
    with ExitStack() as opened:
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with _writing(path):
            locked(opened.enter_context(path.open("ab")).fileno(), wait=True)
        yield


def gather(
    folder: Path,
    count: int,
    make: Callable[[Sequence[int]], Iterator[Record]],
    *,
    claimed: Record,
    description: str,
    shard: tuple[int, int] = (0, 1),
    progress: Report | None = None,
) -> int:
    """Makes the pictures 0 ... count - 1 of the shard that are not there yet, and keypoints.json of all that are then.

    Args:
        folder: of the set.
        count: pictures of the whole set.
        make: from numbers of pictures to their lines, each when its files are complete.
        claimed: what `claim` returned.
        description: of the set, for keypoints.json.
        shard: this share and the number of shares.
        progress: called with the pictures done and their number; False stops.

    Returns:
        How many pictures of all shares there are.

    Raises:
        OptionError: another process makes pictures of this share, or has claimed the folder for another set since.
        DiskError: the disk is full or not writable; the same call goes on, and keypoints.json is as it was.
        DataError: a manifest is damaged, or `make` cannot use something; keypoints.json is of what is there.
        FailedError: `make` gave up on some; likewise.
        Cancelled: `progress` said so, or Ctrl-C; likewise, and the same call goes on.

    What else `make` raises, as MemoryError, comes through, and keypoints.json is as it was.
    """
    mine = range(shard[0], count, shard[1])
    with _going_on(), Manifest(folder, shard).appending() as lines:
        _compare(folder, read_claim(folder), claimed, ())
        there = set(Records(folder).numbers.tolist())
        missing = [number for number in mine if number not in there]
        done = len(mine) - len(missing)
        _sweep(folder, shard)
        try:
            for record in make(missing):
                lines.add(record)
                done += 1
                if progress is not None and progress(done, len(mine)) is False:
                    raise _stopped(done, len(mine))
        except DiskError:
            raise
        except (Cancelled, DataError, FailedError, KeyboardInterrupt) as error:
            _sweep(folder, shard)  # a signal to all processes may have ended those of `make` while they wrote
            if done:
                write_labels(folder, description)
            if isinstance(error, KeyboardInterrupt):
                raise _stopped(done, len(mine)) from error
            raise
        _sweep(folder, shard)
        return write_labels(folder, description)


def _stopped(done: int, total: int) -> Cancelled:
    return Cancelled(f"stopped after {done:,} of {total:,} pictures; the same command goes on from there")


@contextmanager
def _going_on() -> Iterator[None]:
    try:
        yield
    except DiskError as error:
        raise DiskError(f"{error}; once it can, the same command goes on") from error


def _sweep(folder: Path, shard: tuple[int, int]) -> None:
    """Removes what processes that were killed left half-written; with several shares only what is old."""
    before = float("inf") if shard[1] == 1 else time.time() - OLD_S
    with _kept_apart(folder):
        for path in [*folder.glob(".*.tmp"), *folder.glob("*/.*.tmp")]:
            with suppress(FileNotFoundError):  # another machine's, which is complete by now
                if path.stat().st_mtime < before:
                    path.unlink()


class Records:
    """The lines of all shares whose files are there, each picture once, in the order of their numbers.

    Attributes:
        numbers: of the pictures, (N,).

    Raises:
        DataError: a line in the middle is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob(LINES))
        numbers, files, places = array("q"), array("q"), array("q")
        there = _There(folder)
        for which, path in enumerate(self._paths):
            for place, record in _lines(path):
                if all(there(file) for file in (record["file"], *record.get("files", {}).values())):
                    numbers.append(record["id"])
                    files.append(which)
                    places.append(place)
        found = np.array([numbers, files, places], np.int64)
        found = found[:, np.argsort(found[0], kind="stable")]
        found = found[:, np.append(found[0, 1:] != found[0, :-1], True)[: found.shape[1]]]  # the last of each
        self.numbers, self._files, self._places = found

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Record]:
        with ExitStack() as opened:
            files = [opened.enter_context(path.open("rb")) for path in self._paths]
            for which, place in zip(self._files.tolist(), self._places.tolist(), strict=True):
                files[which].seek(place)
                yield json.loads(files[which].readline())


def _lines(path: Path) -> Iterator[tuple[int, Record]]:
    """Where each whole line begins, and what it says."""
    place = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
                yield place, record | {"id": int(record["id"]), "file": str(record["file"])}
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{path}: line {number} is damaged; remove it, and the picture is made again"
                ) from error
            place += len(line)


class _There:
    """Whether files of a set are there.

    Each of its folders is listed once; what is not in the list is looked for, too: those of shared folders may be old.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listed: dict[str, frozenset[str]] = {}

    def __call__(self, file: str) -> bool:
        parent, _, name = file.rpartition("/")
        if parent not in self._listed:
            path = self.folder / parent
            self._listed[parent] = frozenset(os.listdir(path) if path.is_dir() else ())
        return name in self._listed[parent] or (self.folder / file).exists()


def _whole_bytes(path: Path) -> int:
    """Length of the file up to its last whole line."""
    with path.open("rb") as file:
        return sum(len(line) for line in file if line.endswith(b"\n"))


def claim(folder: Path, config: Record, source: Sequence[str] | None = None) -> Record:
    """Writes config.json, or checks that the set that is there is of the same configuration and source.

    A folder in which nothing is made yet takes any.

    Args:
        folder: of the set.
        config: its configuration.
        source: a digest of each thing that it is made of, in their order; more may come at the end.

    Returns:
        What config.json says now, for `gather`.

    Raises:
        OptionError: it is of another one, whose first difference is named, or there is a set that is not ours.
        DataError: the configuration that is there cannot be read.
        DiskError: it cannot be written.
    """
    path = folder / CONFIG
    wanted = config if source is None else config | {SOURCE: _summary(source)}
    foreign = next((folder / name for name in NAMES if (folder / name).exists()), None)
    if foreign and not path.exists():
        raise OptionError(f"{foreign} is of another set, which is not overwritten; choose another folder with -o")
    with _kept_apart(folder):
        there = read_claim(folder) if path.exists() else None
        if there is not None and not _is_bare(folder):
            _compare(folder, there, wanted, source or ())
            if there.get(SOURCE) == wanted.get(SOURCE):
                return wanted
        with replacing(path) as file:
            file.write(json.dumps(wanted, indent=2).encode())
    return wanted


def _is_bare(folder: Path) -> bool:
    """Whether nothing is in the folder of a set but what a run leaves there that makes nothing."""
    return all(
        path.name in (CONFIG, LOCK) or (path.match(LINES) and not path.stat().st_size and _is_left(path))
        if path.is_file()
        else path.is_dir() and not any(path.iterdir())
        for path in folder.iterdir()
    )


def _is_written(lines: Path) -> bool:
    """Whether a process adds to a manifest."""
    with lines.open("rb") as file:
        return not locked(file.fileno(), shared=True)


def _is_left(lines: Path) -> bool:
    """Whether nobody is about to add to an empty manifest; where there are no locks, when nobody did for long."""
    with lines.open("rb") as file:
        known = lockable(file.fileno())
    return not _is_written(lines) if known else lines.stat().st_mtime < time.time() - OLD_S


def _summary(source: Sequence[str]) -> Record:
    return {"count": len(source), "sha256": hashlib.sha256("\n".join(source).encode()).hexdigest()}


def _compare(folder: Path, there: Record, wanted: Record, source: Sequence[str]) -> None:
    """Raises OptionError unless the set that is there goes on with what is wanted."""
    strange = {*there} - {*wanted} - {SOURCE}
    for field in wanted:
        if field not in there and strange:
            said = f"a set of another command or another Sfumato, which notes {min(strange)} and not {field}"
        elif field not in there:
            said = f"a set of an older Sfumato, which did not note {field}"
        elif there[field] == wanted[field]:
            continue
        elif field == SOURCE:
            if there[field] == _summary(source[: int(there[field]["count"])]):
                continue
            said = "a set that was made of another one, or what it was made of has changed since"
        else:
            old, new = _apart(there[field], wanted[field])
            said = f"a set with {field}={old}, not {new}"
        raise OptionError(f"{folder} holds {said}; choose another folder with -o")


def _apart(old: object, new: object) -> tuple[str, str]:
    """Two different values, of long lists only where they begin to differ."""
    if not (isinstance(old, list) and isinstance(new, list) and max(len(old), len(new)) > SHOWN):
        return repr(old), repr(new)
    same = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    before, (begun, other) = "..., " if same else "", (first([repr(v) for v in values[same:]]) for values in (old, new))
    return f"[{before}{begun}] ({len(old)})", f"[{before}{other}] ({len(new)})"


def read_claim(folder: Path) -> Record:
    """The content of config.json.

    Raises:
        DataError: it cannot be read.
    """
    path = folder / CONFIG
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); choose another folder with -o") from error


def write_labels(folder: Path, description: str) -> int:
    """Writes keypoints.json of all pictures that there are so far; how many.

    Raises:
        DiskError: it cannot be written.
        DataError: a manifest is damaged.
    """
    with _kept_apart(folder):
        found = Records(folder)
        with replacing(folder / LABELS) as file:
            for piece in written(found, description):
                file.write(piece.encode())
    return len(found)
