"""The faces of many pictures, cut out into a folder."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from .. import image
from ..errors import DiskError, PictureError
from ..image.depth import to_8
from .face_report import Cut, Done, Report
from .faces import Options, Pixels, crop, detect, outside
from .ordered import in_order

ALIKE = 3.0
"""Crops whose values differ by less on average are the same crop, written by a run that was killed."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A picture whose faces are wanted."""

    picture: Path
    name: str
    """What the report calls it."""
    target: str
    """Of its crops the way from the report's folder on, without number and extension."""


@dataclass(frozen=True, kw_only=True)
class Cutter:
    """How faces are cut out, and where to."""

    folder: Path
    options: Options
    suffix: str = ".png"
    limit_mp: float = image.LIMIT_MP
    overwrite: bool = False
    kept: frozenset[str] = frozenset()
    """Real paths of files that no crop may replace: the pictures."""

    def is_done(self, task: Task, report: Report) -> bool:
        """Whether the faces of a picture are there."""
        done = report.done.get(task.name)
        return (
            done is not None
            and done.size_bytes == _size(task.picture)
            and all((self.folder / face.file).is_file() for face in done.faces)
        )

    def cut_all(self, tasks: Sequence[Task], report: Report) -> Iterator[Task]:
        """Works on pictures and notes in the report what came of each; gives those that are over.

        Raises:
            DiskError: the disk is full or not writable.
        """

        def work(task: Task) -> Done | PictureError:
            try:
                return self._cut(task, report)
            except PictureError as error:
                return error

        try:
            for task, result in zip(tasks, in_order(work, tasks), strict=True):
                if isinstance(result, Done):
                    self._drop(report.before.get(task.name, ()), result)
                    report.note(task.name, result)
                else:
                    report.broken[task.name] = str(result)
                report.save(if_due=True)
                yield task
        finally:
            report.save()

    def _cut(self, task: Task, report: Report) -> Done:
        """Writes the faces of a picture.

        Raises:
            PictureError: it cannot be read, or a crop would replace something else.
            DiskError: the disk is full or not writable.
        """
        size, before = _size(task.picture), report.done.get(task.name)
        if before is not None and before.size_bytes != size:
            raise PictureError(
                f"{task.picture}: {self.folder} holds the faces of another picture called {task.name}; "
                "--overwrite replaces them, or name another folder"
            )
        pixels = to_8(image.read(task.picture, limit_mp=self.limit_mp).compose_on_white().pixels)
        cuts, outdated = [], report.outdated.get(task.name, ())
        for number, face in enumerate(detect(pixels, self.options), 1):
            file = f"{task.target}-{number}{self.suffix}"
            replaces = self.overwrite or file in outdated
            self._write(self.folder / file, crop(pixels, face, self.options), replaces=replaces)
            beyond = outside(face, self.options, *pixels.shape[:2])
            cuts.append(Cut(box=face.box, points=face.points, score=face.score, file=file, outside=round(beyond, 4)))
        return Done(size_bytes=size, faces=tuple(cuts))

    def _write(self, path: Path, pixels: Pixels, *, replaces: bool) -> None:
        if os.path.realpath(path) in self.kept:
            raise PictureError(f"{path}: the crop would replace a picture that is read; name another folder")
        if not replaces and path.is_file() and _shows(path, pixels):
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiskError(f"{path.parent}: the folder cannot be made ({error.strerror or error})") from error
        image.write(path, image.Picture(pixels=pixels), overwrite=replaces)

    def _drop(self, before: Sequence[str], now: Done) -> None:
        """Removes crops of an earlier run that this one has not made anew."""
        for name in set(before) - {face.file for face in now.faces}:
            path = self.folder / name
            if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts:
                path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it tells what is wrong


def _shows(path: Path, pixels: Pixels) -> bool:
    """Whether a file holds this crop."""
    try:
        held = image.read(path).pixels
    except PictureError:
        return False
    return held.shape == pixels.shape and float(np.abs(held.astype(float) - pixels).mean()) < ALIKE
