"""Files of the studio: written whole or not at all, counted, and cleared away."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ..weights import replacing
from .schema import Model


def keep(path: Path, record: Model, *, secret: bool = False) -> None:
    """Writes a record as JSON, whole or not at all; `secret`: no other user of this computer may read it.

    Raises:
        DiskError: the disk is full or cannot be written.
    """
    with replacing(path) as file:
        if secret:
            os.chmod(file.name, 0o600)  # while nothing is in it
        file.write(record.model_dump_json().encode())


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; those that vanish meanwhile do not count."""
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _sizes(Path(entry.path))
                else:
                    yield entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return


def clear(folder: Path) -> None:
    """Removes a folder with all that is in it, if it is there; what another still reads, on Windows, stays."""
    shutil.rmtree(folder, ignore_errors=True)


def moved(folder: Path, into: Path) -> Path:
    """Moves a folder into another one of the studio, where it counts as changed now; returns where it is.

    Raises:
        OSError: it cannot be moved.
    """
    target = into / folder.name
    if target.exists():
        target = into / f"{folder.name}-{time.time_ns()}"
    os.replace(folder, target)
    os.utime(target)
    return target


def private(folder: Path) -> Path:
    """The folder, made if need be; no other user of this computer may look into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def copied(source: Path, target: Path) -> None:
    """The same file under another name, without a second copy of its bytes where the file system can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
