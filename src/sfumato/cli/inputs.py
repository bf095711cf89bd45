"""Which pictures a command works on and where each result goes; all of it is settled before the work starts."""

import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OptionError, PictureError
from .files import identity, path_of

READABLE = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".avif", ".gif", ".bmp"])
TAKEN = READABLE | {".heic", ".heif", ".jxl"}
"""Extensions of the files that are taken from a folder; a file that is named is tried whatever its extension.

Those that cannot be read are taken, too, so that they are named at the end and not left out in silence."""
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
    photos: dict[object, Photo] = {}
    for photo in (photo for argument in arguments for photo in _meant(argument)):
        photos.setdefault(identity(photo.path), photo)
    return list(photos.values())


def find_files(arguments: Sequence[str]) -> list[Path]:
    """The files that names and patterns mean, in that order, repeated where they are; there are no folders among them.

    Raises:
        PictureError: one of them means nothing, or a folder.
    """
    found = [path for argument in arguments for path in matches(argument)]
    for path in found:
        if path.is_dir():
            raise PictureError(f"{path}: is a folder; name pictures in it, or a pattern such as {path / '*.jpg'}")
    return found


def plan(
    photos: Sequence[Photo], ending: str, out: str | None, *, suffix: str = ".png", keep: Sequence[Path] = ()
) -> list[Job]:
    """Where each result goes: PHOTO-ENDING.png beside the photo, or as `out` says.

    Photos that differ only in their extension keep it: PHOTO.jpg-ENDING.png. Of photos that were found, not named,
    those are left out that are results of an earlier run or among `keep`.

    Args:
        ending: what the names of results end in.
        out: a file, for one picture; or a folder: one that exists, or a name without extension or with a final slash.
        suffix: the extension of results that are not named.
        keep: files that must not be replaced; the photos are not either.

    Raises:
        OptionError: a name will not do, or nothing is left.
    """
    first, photos = photos[0], to_work_on(photos, keep)
    folder = None if out is None else _folder(out)
    if out is not None and folder is None and photos:
        if len(photos) > 1:
            raise OptionError(f"-o {out} is one file for {len(photos)} pictures; name a folder: {Path(out).stem}/")
        jobs = [Job(photo=photos[0].path, output=path_of(out))]
    else:
        jobs = _jobs(photos, f"-{ending}{suffix}", folder)
        if not jobs:
            raise OptionError(f"{first.path} and what else was found there are styles or results of an earlier run")
    _check_apart(jobs, keep)
    return jobs


def to_work_on(photos: Sequence[Photo], keep: Sequence[Path] = ()) -> list[Photo]:
    """The photos without those that were found and are among `keep`, or are named after another of the photos."""
    used = {identity(path) for path in keep}
    names = {(p.path.parent, name) for p in photos for name in (p.path.stem, p.path.name)}
    return [p for p in photos if p.root is None or not (identity(p.path) in used or _is_named_after(p.path, names))]


def ending_of(styles: Sequence[Path]) -> str:
    """What the names of results end in: the names of the styles."""
    stems = [path.stem for path in styles]
    if len(stems) > NAMED_STYLES:
        return f"{stems[0]}+{len(stems) - 1}"
    return "+".join(stems)


def _meant(argument: str) -> list[Photo]:
    photos = []
    for path in matches(argument):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if _is_picture(p.relative_to(path)) and not p.is_dir())
            if not inside:
                raise PictureError(f"{path}: there are no pictures in this folder")
            photos += [Photo(path=p, root=path) for p in inside]
        else:
            named = path == path_of(argument)
            photos.append(Photo(path=path, root=None if named else path.parent))
    return photos


def matches(argument: str) -> list[Path]:
    """What a name or a pattern means; a name that exists is never taken for a pattern."""
    path = path_of(argument)
    if os.path.exists(path):
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
    return path.suffix.lower() in TAKEN and not any(part.startswith(".") for part in path.parts)


def _folder(out: str) -> Path | None:
    """The folder that an output names, or None if it names a file."""
    path = path_of(out)
    separators = tuple(s for s in (os.sep, os.altsep, "/") if s)
    return path if path.is_dir() or not path.suffix or out.endswith(separators) else None


def _is_named_after(path: Path, names: set[tuple[Path, str]]) -> bool:
    """Whether a picture is called NAME-ANYTHING.png, as the result of a picture NAME in its folder."""
    if path.suffix.lower() != ".png":
        return False
    return any((path.parent, path.stem[:i]) in names for i, letter in enumerate(path.stem) if letter == "-")


def _beside(photo: Photo, folder: Path | None) -> Path:
    return photo.path.parent if folder is None else folder / photo.below


def _jobs(photos: Sequence[Photo], tail: str, folder: Path | None) -> list[Job]:
    """A job for each photo that is not itself a result of an earlier run."""
    short = {p.path: _beside(p, folder) / (p.path.stem + tail) for p in photos}
    full = {p.path: _beside(p, folder) / (p.path.name + tail) for p in photos}
    # Counted without case, because there are file systems without it.
    count = Counter(str(output).casefold() for output in short.values())
    outputs = {path: full[path] if count[str(output).casefold()] > 1 else output for path, output in short.items()}
    results = {os.path.realpath(output) for output in [*short.values(), *full.values()]}
    return [Job(photo=p.path, output=outputs[p.path]) for p in photos if not _is_result(p, results, folder)]


def _is_result(photo: Photo, results: set[str], folder: Path | None) -> bool:
    """Whether a picture that was found is what an earlier run left there."""
    if photo.root is None:
        return False
    path = os.path.realpath(photo.path)
    if folder is not None:
        root, place = Path(os.path.realpath(photo.root)), Path(os.path.realpath(folder))
        if place != root and place.is_relative_to(root):
            return Path(path).is_relative_to(place)
    return path in results


def _check_apart(jobs: Sequence[Job], keep: Sequence[Path]) -> None:
    """No result replaces another one or something that is read."""
    read = {identity(path) for path in [*keep, *(job.photo for job in jobs)]}
    sources: dict[object, Path] = {}
    for job in jobs:
        key = identity(job.output)
        if key in read:
            raise OptionError(f"{job.output}: the result would replace a picture that it is made from")
        if key in sources:
            raise OptionError(f"{sources[key]} and {job.photo} would both become {job.output}; do them one by one")
        sources[key] = job.photo
