"""The files that a command line names: found by their words, read and written with a word on what is going on."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DiskError, OptionError
from .console import Console

if TYPE_CHECKING:
    from ..image import Picture


def path_of(text: str) -> Path:
    """What a word means: the file of that name if there is one, else `~` at its beginning is the home folder.

    Raises:
        OptionError: no file can have such a name.
    """
    path = Path(text)
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last where the name cannot be encoded
        with suppress(RuntimeError):  # `~name` where nobody has that name is a name like others
            return path.expanduser()
    except OSError as error:
        raise OptionError(f"{text}: no file can have such a name ({error.strerror or error})") from error
    return path


def folder_of(text: str) -> Path:
    """The folder of results that a word means, whether it is there or not.

    Raises:
        OptionError: no folder can be there.
    """
    path = path_of(text)
    if path.exists() and not path.is_dir():
        raise OptionError(f"{path}: is a file; -o wants a folder")
    return path


def identity(path: Path) -> object:
    """What two names of one file share, be it that one is a link or that upper and lower case are the same."""
    if not os.path.exists(path):
        return os.path.normcase(os.path.realpath(path))
    held = os.stat(path)
    return held.st_dev, held.st_ino


def read(path: Path, console: Console, *, limit_mp: float, label: str = "") -> "Picture":
    """The picture of a file; `label` is what to call it while that takes long.

    Raises:
        PictureError: it cannot be read, or has more megapixels than the limit.
    """
    from .. import image
    from ..progress import during

    with during(f"reading {label or path.name}", quiet=console.quiet):
        return image.read(path, limit_mp=limit_mp)


def check_wanted(size: tuple[int, int], limit_mp: float) -> None:
    """Whether a result of that (height, width) may be asked for: the limit is that of what is read, too.

    Raises:
        OptionError: it has more megapixels than the limit.
    """
    height, width = size
    megapixels = height * width / 1e6
    if megapixels > limit_mp:
        raise OptionError(
            f"--size: {width} x {height} pixels are {megapixels:,.1f} megapixels, more than the limit of {limit_mp:g}:"
            " --limit-mp raises it"
        )


def write(path: Path, picture: "Picture", console: Console, *, overwrite: bool) -> None:
    """Writes a result, in a folder that is made if need be, and says so.

    Raises:
        PictureError: the picture cannot be written in that format.
        DiskError: the folder cannot be made, or the disk is full or not writable.
    """
    from .. import image
    from ..progress import during

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(f"{path.parent}: the folder cannot be made ({error.strerror or error})") from error
    with during(f"writing {path.name}", quiet=console.quiet):
        image.write(path, picture, overwrite=overwrite)
    console.say(str(path))


def tell_list(path: Path, lines: Sequence[str], left: Sequence[Path], console: Console) -> None:
    """Says what a list of pictures to leave out holds, and what it cannot."""
    console.say(f"{path}: {len(lines):,} names")
    if left:
        some = ", ".join(map(str, left[:3])) + (" ..." if len(left) > 3 else "")
        console.warn(f"{len(left):,} pictures are not in {path}: a line for them would mean others, too ({some})")
