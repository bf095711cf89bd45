"""Which pictures a command works on and where each result goes; all of it is settled before the work starts."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DiskError, OptionError, PictureError

READABLE = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".avif", ".gif", ".bmp"])
"""Extensions of the files that are taken from a folder; a file that is named is tried whatever its extension."""
NAMED_STYLES = 3
"""A result is named after at most so many styles."""


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture to work on."""

    path: Path
    root: Path | None = None
    """The folder that it was found in, itself or below; None for a picture that was named."""

    @property
    def below(self) -> Path:
        """The way from the root to the picture's folder, which results keep."""
        return Path() if self.root is None else self.path.parent.relative_to(self.root)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A picture and where its result goes."""

    photo: Path
    output: Path


def find_photos(arguments: Sequence[str]) -> list[Photo]:
    """The pictures that files, folders and patterns mean, each once, those of a folder in the order of their names.

    Raises:
        PictureError: one of them means nothing.
    """
    photos: dict[Path, Photo] = {}
    for photo in (photo for argument in arguments for photo in _meant(argument)):
        photos.setdefault(photo.path, photo)
    return list(photos.values())


def find_files(arguments: Sequence[str]) -> list[Path]:
    """The files that names and patterns mean, in that order, repeated where they are; there are no folders among them.

    Raises:
        PictureError: one of them means nothing, or a folder.
    """
    found = [path for argument in arguments for path in _matches(argument)]
    for path in found:
        if path.is_dir():
            raise PictureError(f"{path}: is a folder; name pictures in it, or a pattern such as {path / '*.jpg'}")
    return found


def plan(
    photos: Sequence[Photo], ending: str, out: str | None, *, suffix: str = ".png", keep: Sequence[Path] = ()
) -> list[Job]:
    """Where each result goes: PHOTO-ENDING.png beside the photo, or as `out` says.

    Args:
        ending: what the names of results end in.
        out: a file, for one picture; or a folder: one that exists, or a name without extension or with a final slash.
        suffix: the extension of results that are not named.
        keep: files that must not be replaced; the photos are not either.

    Raises:
        OptionError: a name will not do.
    """
    folder = None if out is None else _folder(out)
    if out is not None and folder is None:
        if len(photos) > 1:
            raise OptionError(f"-o {out} is one file for {len(photos)} pictures; name a folder: {Path(out).stem}/")
        jobs = [Job(photo=photos[0].path, output=Path(out).expanduser())]
    else:
        names = {p.path: _beside(p, folder) / f"{p.path.stem}-{ending}{suffix}" for p in photos}
        results = set(names.values())
        jobs = [Job(photo=p.path, output=names[p.path]) for p in photos if not _is_result(p, results, folder)]
        if not jobs:
            raise OptionError(f"{photos[0].path} and what else was found there are results of an earlier run")
    _check_apart(jobs, keep)
    return jobs


def check_pictures(paths: Sequence[Path], *, overwrite: bool) -> None:
    """As `check_outputs`, and makes sure that there is a format for each name.

    Raises:
        PictureError: a file is there already, or its extension names no format.
        DiskError: a folder cannot be made or written.
    """
    from ..image import FORMATS

    for path in paths:
        if path.suffix.lower() not in FORMATS:
            known = ", ".join(FORMATS)
            raise PictureError(f"{path}: no format has the extension {path.suffix!r}; choose from {known}")
    check_outputs(paths, overwrite=overwrite)


def check_outputs(paths: Sequence[Path], *, overwrite: bool) -> None:
    """Makes the folders and makes sure that every file can be written.

    Raises:
        PictureError: a file is there already.
        DiskError: a folder cannot be made or written.
    """
    existing = [path for path in paths if path.exists()]
    if existing and not overwrite:
        more = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise PictureError(f"{existing[0]}: is there already{more}; --overwrite replaces it")
    for folder in dict.fromkeys(path.parent for path in paths):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiskError(f"{folder}: the folder cannot be made ({error.strerror or error})") from error
        if not os.access(folder, os.W_OK):
            raise DiskError(f"{folder}: the folder cannot be written")


def ending_of(styles: Sequence[Path]) -> str:
    """What the names of results end in: the names of the styles."""
    stems = [path.stem for path in styles]
    if len(stems) > NAMED_STYLES:
        return f"{stems[0]}+{len(stems) - 1}"
    return "+".join(stems)


def _meant(argument: str) -> list[Photo]:
    photos = []
    for path in _matches(argument):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if _is_picture(p.relative_to(path)) and p.is_file())
            if not inside:
                raise PictureError(f"{path}: there are no pictures in this folder")
            photos += [Photo(path=p, root=path) for p in inside]
        else:
            named = path == Path(argument).expanduser()
            photos.append(Photo(path=path, root=None if named else path.parent))
    return photos


def _matches(argument: str) -> list[Path]:
    """What a name or a pattern means; a name that exists is never taken for a pattern."""
    path = Path(argument).expanduser()
    if path.exists():
        return [path]
    if glob.has_magic(argument):
        # Windows leaves patterns to the programs; elsewhere this is a pattern in quotes.
        found = sorted(Path(p) for p in glob.glob(str(path), recursive=True))
        if not found:
            raise PictureError(f"{argument}: no file matches this pattern")
        return found
    raise PictureError(f"{argument}: there is no such file or folder")


def _is_picture(path: Path) -> bool:
    """Whether a path below a named folder looks like a picture; hidden files and folders do not count."""
    return path.suffix.lower() in READABLE and not any(part.startswith(".") for part in path.parts)


def _folder(out: str) -> Path | None:
    """The folder that an output names, or None if it names a file."""
    path = Path(out).expanduser()
    separators = tuple(s for s in (os.sep, os.altsep, "/") if s)
    return path if path.is_dir() or not path.suffix or out.endswith(separators) else None


def _beside(photo: Photo, folder: Path | None) -> Path:
    return photo.path.parent if folder is None else folder / photo.below


def _is_result(photo: Photo, results: set[Path], folder: Path | None) -> bool:
    """Whether a picture that was found is what an earlier run left there."""
    if photo.root is None:
        return False
    if folder is None:
        return photo.path in results
    root, place = photo.root.resolve(), folder.resolve()
    inner = place != root and place.is_relative_to(root)
    return (
        photo.path.resolve().is_relative_to(place) if inner else photo.path.resolve() in {r.resolve() for r in results}
    )


def _check_apart(jobs: Sequence[Job], keep: Sequence[Path]) -> None:
    """No result replaces another one or something that is read."""
    read = {_identity(path) for path in [*keep, *(job.photo for job in jobs)]}
    sources: dict[str, Path] = {}
    for job in jobs:
        identity = _identity(job.output)
        if identity in read:
            raise OptionError(f"{job.output}: the result would replace a picture that it is made from")
        if identity in sources:
            raise OptionError(f"{sources[identity]} and {job.photo} would both become {job.output}; do them one by one")
        sources[identity] = job.photo


def _identity(path: Path) -> str:
    return os.path.normcase(path.resolve())
