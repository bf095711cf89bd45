"""Pictures that a training should not see: named in a list for `--data.exclude`, or moved aside."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from .. import weights
from ..errors import DiskError, OptionError
from .folders import named

HEAD = "# "
"""What every list begins with, by which one is told from other text."""


def check_list(path: Path) -> None:
    """Whether a list may be written there: over nothing, or over another list.

    Raises:
        OptionError: the file is something else.
    """
    if path.is_file() and path.stat().st_size and not path.read_bytes().startswith(HEAD.encode()):
        raise OptionError(f"{path}: is there and no list of pictures to leave out; choose another name")


def write_list(path: Path, title: str, lines: Iterable[str]) -> None:
    """Writes a list with its title above.

    Raises:
        DiskError: the disk is full or not writable.
    """
    with weights.replacing(path) as file:
        file.write("".join(f"{line}\n" for line in [HEAD + " ".join(title.split()), *lines]).encode(errors="replace"))


def lines(unwanted: Iterable[Path], others: Iterable[Path]) -> tuple[list[str], list[Path]]:
    """FOLDER/NAME of each unwanted picture, as a training's list has it.

    Args:
        others: pictures of the same folders that stay.

    Returns:
        The lines, and the pictures that no line can stand for: another one that stays has the same FOLDER/NAME, or the
        name cannot stand in a list.
    """
    kept = {_line(path) for path in others}
    found, left = set(), []
    for path in unwanted:
        line = _line(path)
        if line in kept or not _fits(line):
            left.append(path)
        else:
            found.add(line)
    return sorted(found), left


def move(paths: Sequence[Path], folder: Path, target: Path) -> list[Path]:
    """Moves pictures of a folder into another one, on the same way below it; gives those that stay where they are.

    A picture stays where the other folder has a file of its name: nothing is ever replaced.

    Raises:
        OptionError: the other folder lies in the first one, where the pictures would still be found.
        DiskError: the disk is full or not writable; what was moved before stays moved.
    """
    check_aside(folder, target)
    stay = []
    for path in paths:
        place = target / path.relative_to(folder)
        if os.path.lexists(place):
            stay.append(path)
            continue
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, place)
        except OSError as error:
            raise DiskError(f"{path}: cannot be moved to {place} ({error.strerror or error})") from error
    return stay


def check_aside(folder: Path, target: Path) -> None:
    """Whether a folder's pictures can be moved to another one.

    Raises:
        OptionError: that is a file, or lies in the folder, where the pictures would still be found.
    """
    if target.exists() and not target.is_dir():
        raise OptionError(f"{target}: is no folder that pictures could be moved to")
    if target.resolve().is_relative_to(folder.resolve()):
        raise OptionError(f"{target}: lies in {folder}, where its pictures would be found again; name one outside")


def _line(path: Path) -> str:
    return named(Path.cwd() / path)  # `.` has a name, too


def _fits(line: str) -> bool:
    """Whether reading a list gives this line back."""
    plain = line.encode(errors="replace").decode() == line
    return plain and line == line.strip() and not line.startswith("#") and line.splitlines() == [line]
