"""What a folder of cut-out faces holds: `faces.json`, by which a second run goes on where the first one stopped.

    {"options": {"size": 256, ...},
     "pictures": {"below/a.jpg": {"size_bytes": 51234, "faces": [
         {"box": [x, y, width, height], "points": [[x, y], ...], "score": 0.94, "file": "below/a-1.png",
          "outside": 0.02}]}},
     "without_face": ["b.jpg"], "broken": {"c.jpg": "why"}, "outdated": {"d.jpg": ["d-1.png"]}}

A part of a run, `--shard 0/8`, writes `faces-0-of-8.json`; a run of the whole takes over what the parts have done.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from .. import weights
from ..errors import DataError, OptionError
from .faces import Face

NAME = "faces.json"
SAVED_S = 10.0
"""Seconds between two savings; more where these themselves take long."""


@dataclass(frozen=True, kw_only=True)
class Cut(Face):
    """A face that was cut out."""

    file: str
    """Of the crop, from the report's folder on."""
    outside: float
    """The share of the crop that lies beyond the edge of the picture."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A picture that was worked on."""

    size_bytes: int
    """Size of its file, by which another picture of that name is noticed."""
    faces: tuple[Cut, ...]


@dataclass(frozen=True, kw_only=True)
class Content:
    """A report as it stands in its file."""

    options: dict[str, Any]
    pictures: dict[str, Done]
    without_face: list[str]
    broken: dict[str, str]
    outdated: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Crops with other options, by the names of pictures whose turn has not come since."""


class Report:
    """What was done, in this run and before.

    Args:
        folder: where the crops and reports are.
        options: what the crops are made with.
        part: `(i, n)` for the i-th of n parts of the work, counted from 0.
        anew: takes nothing over from reports that are there.

    Attributes:
        done: pictures by their names.
        broken: what is wrong with those that could not be read in this run.
        before: the crops that earlier runs left of each picture, from the report's folder on;
        outdated: and those among them that may be replaced.

    Raises:
        DataError: a report that is there cannot be read.
        OptionError: a report that is there tells of other options.
    """

    def __init__(
        self, folder: Path, options: Mapping[str, Any], *, part: tuple[int, int] | None = None, anew: bool = False
    ) -> None:
        self.path = folder / (NAME if part is None else f"faces-{part[0]}-of-{part[1]}.json")
        self.options = dict(options)
        self.done: dict[str, Done] = {}
        self.broken: dict[str, str] = {}
        self.before: dict[str, tuple[str, ...]] = {}
        self.outdated: dict[str, tuple[str, ...]] = {}
        self.saved, self.pause = time.monotonic(), SAVED_S
        reports = [path for path in sorted({folder / NAME, *folder.glob("faces-*-of-*.json")}) if path.is_file()]
        for path in reports:
            self._take(path, anew=anew)
        self.outdated = {name: files for name, files in self.outdated.items() if name not in self.done}
        self.replaced = [path for path in reports if path != self.path] if anew and part is None else []

    def _take(self, path: Path, *, anew: bool) -> None:
        try:
            content = TypeAdapter(Content).validate_python(json.loads(path.read_bytes()))
        except (OSError, ValueError) as error:  # pydantic's error is a ValueError, too
            if anew:
                return
            raise DataError(f"{path}: the report of an earlier run cannot be read; --overwrite begins anew") from error
        crops = {name: tuple(face.file for face in done.faces) for name, done in content.pictures.items()}
        for name, files in (*crops.items(), *content.outdated.items()):
            self.before[name] = (*self.before.get(name, ()), *files)
        self.outdated |= content.outdated
        if anew:
            self.outdated = dict(self.before)
            return
        for name, value in self.options.items():
            if content.options.get(name) != value:
                was = content.options.get(name)
                ways = "--overwrite makes all anew, or name another folder"
                raise OptionError(f"{path} tells of faces with {name} {was}, not {value}; {ways}")
        self.done |= content.pictures

    def files(self) -> set[str]:
        """The crops that were made, from the report's folder on."""
        return {file for files in self.before.values() for file in files}

    def note(self, name: str, done: Done) -> None:
        """A picture is done, and none of its crops outdated."""
        self.done[name] = done
        self.outdated.pop(name, None)

    def save(self, *, if_due: bool = False) -> None:
        """Writes the report, whole or not at all; `if_due` only where the last time is long ago.

        Raises:
            DiskError: the disk is full or not writable.
        """
        start = time.monotonic()
        if if_due and start - self.saved < self.pause:
            return
        content = Content(
            options=self.options,
            pictures=dict(sorted(self.done.items())),
            without_face=self.without_face(self.done),
            broken=dict(sorted(self.broken.items())),
            outdated=dict(sorted(self.outdated.items())),
        )
        with weights.replacing(self.path) as file:
            file.write(json.dumps(asdict(content), indent=1).encode())
        while self.replaced:
            self.replaced.pop().unlink(missing_ok=True)
        self.saved = time.monotonic()
        self.pause = max(SAVED_S, 20 * (self.saved - start))

    def without_face(self, names: Iterable[str]) -> list[str]:
        """Those of the pictures that no face was found in."""
        return sorted(name for name in names if name in self.done and not self.done[name].faces)
