"""What a set of pictures has so far: a line of JSON for each, written when its files are complete.

A run that was killed leaves at most half a line, which is left out; its picture is made again.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import Cancelled, DataError, DiskError, OptionError
from ..progress import Report
from ..weights import replacing
from .coco import coco
from .keypoints import NAMES

CONFIG, LABELS = "config.json", NAMES[0]
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
            DiskError: it cannot be written.
        """
        with self._writing():
            whole = _whole_bytes(self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)  # what did not fit is not tried again at its end
        with self._file:
            with self._writing():
                self._file.truncate(whole)
            yield self

    def add(self, record: Record) -> None:
        """Writes a line to the disk.

        Raises:
            DiskError: it cannot be written.
        """
        with self._writing():
            left = memoryview(json.dumps(record, separators=(",", ":")).encode() + b"\n")
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskError(f"{self.path}: cannot be written ({error.strerror or error})") from error


def gather(
    folder: Path,
    count: int,
    make: Callable[[Sequence[int]], Iterator[Record]],
    *,
    description: str,
    shard: tuple[int, int] = (0, 1),
    progress: Report | None = None,
) -> int:
    """Makes the pictures 0 ... count - 1 of the shard that are not there yet, and keypoints.json of all that are then.

    Args:
        folder: of the set, claimed.
        count: pictures of the whole set.
        make: from numbers of pictures to their lines, each when its files are complete.
        description: of the set, for keypoints.json.
        shard: this share and the number of shares.
        progress: called with the pictures done and their number; False stops.

    Returns:
        How many pictures of all shares there are.

    Raises:
        DiskError: the disk is full or not writable; the same call goes on.
        DataError: a manifest is damaged.
        Cancelled: `progress` said so; the same call goes on.
    """
    mine, there = range(shard[0], count, shard[1]), {record["id"] for record in records(folder)}
    missing = [number for number in mine if number not in there]
    done = len(mine) - len(missing)
    with _going_on(), Manifest(folder, shard).appending() as lines:
        _sweep(folder, shard)
        for record in make(missing):
            lines.add(record)
            done += 1
            if progress is not None and progress(done, len(mine)) is False:
                write_labels(folder, description)
                raise Cancelled(
                    f"stopped after {done:,} of {len(mine):,} pictures; the same command goes on from there"
                )
    with _going_on():
        _sweep(folder, shard)
        return write_labels(folder, description)


@contextmanager
def _going_on() -> Iterator[None]:
    try:
        yield
    except DiskError as error:
        raise DiskError(f"{error}; once it can, the same command goes on") from error


def _sweep(folder: Path, shard: tuple[int, int]) -> None:
    """Removes what processes that were killed left half-written; with several shares only what is old."""
    before = float("inf") if shard[1] == 1 else time.time() - OLD_S
    for path in [*folder.glob(".*.tmp"), *folder.glob("*/.*.tmp")]:
        with suppress(FileNotFoundError):  # another machine's, which is complete by now
            if path.stat().st_mtime < before:
                path.unlink()


def records(folder: Path) -> Iterator[Record]:
    """The lines of all shares, each picture once, in the order of their numbers.

    Raises:
        DataError: a line in the middle is damaged.
    """
    found: dict[int, Record] = {}
    for path in sorted(folder.glob("manifest*.jsonl")):
        content = path.read_bytes()[: _whole_bytes(path)]
        for number, line in enumerate(content.splitlines(), 1):
            try:
                record = json.loads(line)
                found[int(record["id"])] = record
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{path}: line {number} is damaged; remove it, and the picture is made again"
                ) from error
    yield from (found[number] for number in sorted(found))


def _whole_bytes(path: Path) -> int:
    """Length of the file up to its last whole line."""
    if not path.exists():
        return 0
    return path.read_bytes().rfind(b"\n") + 1


def claim(folder: Path, config: Record) -> None:
    """Writes config.json, or checks that the set that is there is of the same configuration.

    Raises:
        OptionError: it is of another one, whose first difference is named, or there is a set that is not ours.
        DataError: the configuration that is there cannot be read.
        DiskError: it cannot be written.
    """
    path = folder / CONFIG
    if path.exists():
        try:
            there = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{path}: cannot be read ({error}); choose another folder with -o") from error
        for field in config:
            if there.get(field) != config[field]:
                raise OptionError(
                    f"{folder} holds a set with {field}={there.get(field)!r}, not {config[field]!r};"
                    " choose another folder with -o"
                )
        return
    if foreign := next((folder / name for name in NAMES if (folder / name).exists()), None):
        raise OptionError(f"{foreign} is of another set, which is not overwritten; choose another folder with -o")
    with replacing(path) as file:
        file.write(json.dumps(config, indent=2).encode())


def write_labels(folder: Path, description: str) -> int:
    """Writes keypoints.json of all pictures that there are so far; how many.

    Raises:
        DiskError: it cannot be written.
        DataError: a manifest is damaged.
    """
    found = list(records(folder))
    with replacing(folder / LABELS) as file:
        file.write(json.dumps(coco(found, description), separators=(",", ":")).encode())
    return len(found)
