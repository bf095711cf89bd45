"""Where a file can be written, picture or not."""

import os
from contextlib import suppress
from pathlib import Path

from ..errors import DiskError, PictureError


def check_place(path: str | os.PathLike[str], *, overwrite: bool = False, makes_folder: bool = False) -> Path:
    """Return the path if a file could be written there: to be asked before long work.

    Args:
        path: the new file.
        overwrite: whether a file that is there may be replaced.
        makes_folder: whether folders that are missing will be made.

    Raises:
        PictureError: no file can have that name, the folder does not exist, or the file does and may not be replaced.
        DiskError: the folder cannot be written.
    """
    path = Path(path)
    try:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            os.lstat(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{str(path)!r}: no file can have such a name ({reason})") from error
    if os.path.isdir(path):
        raise PictureError(f"{path}: is a folder")
    folder = path.parent
    if makes_folder:
        folder = next((place for place in path.parents if os.path.lexists(place)), folder)
    if not os.path.isdir(folder):
        what = f"{folder} is no folder" if os.path.lexists(folder) else f"there is no folder {folder}"
        raise PictureError(f"{path}: {what}")
    if os.path.exists(path) and not overwrite:
        raise PictureError(f"{path}: exists already; it is replaced only with overwrite (--overwrite)")
    if not os.access(folder, os.W_OK):
        raise DiskError(f"{path}: cannot be written: the folder {folder} is read-only")
    return path
