"""Edge maps of photographs: from memory, from files, or made and kept.

    DIR/CLASS/PHOTO-sketch.png   the map of CLASS/PHOTO.jpg, named as `sfumato sketch` does
    DIR/made.json                how those were made that were missing

Shapes: H W pixels.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import image
from ..errors import DataError, DiskError, PictureError
from ..image.depth import to_8
from ..weights import replacing
from .folders import Cache, Pixels, scan
from .sketches import Config as Lines
from .sketches import Sketcher

NOTE = "made.json"


class EdgeMaps:
    """The edge maps of photographs of some classes.

    Maps that are there are taken as they are, by whatever they were made. Once one is made here, all that are made
    later must be made alike, for else old and new ones would be mixed.

    Args:
        kept: folder in which they are kept; empty: nowhere.
        folders: one of photographs for each class.
        lines: how maps are made.
        memory: where they are kept in memory.

    Attributes:
        faults: what is wrong with maps that cannot be read.

    Raises:
        DataError: those in the folder were made in another way.
    """

    def __init__(self, kept: str, folders: Sequence[Path], lines: Lines, memory: Cache) -> None:
        self.kept, self.folders, self.memory = Path(kept) if kept else None, folders, memory
        self.how = {"data.side": lines.detail, "data.threshold": lines.threshold}
        self.sketcher, self.faults = Sketcher(lines), dict[str, str]()
        self.shared = [shared_stems(folder) if kept else frozenset() for folder in folders]
        self._check()

    def __call__(self, label: int, path: str, photo: Pixels) -> Pixels:
        """The edge map (H, W, 3) of a photograph of that class.

        Raises:
            DataError: another run has made others in the folder meanwhile.
            DiskError: a map cannot be written.
        """
        key = f"edges of {path}"
        lines = self.memory.pictures.get(key)
        if lines is None:
            file = self._file(label, path)
            lines = None if file is None else self._read(file)
            if lines is None:
                lines = self.sketcher(photo)
                if file is not None:
                    self._keep(file, lines)
            self.memory.offer(key, lines)
        return np.repeat(lines[..., None], 3, axis=2)

    def _file(self, label: int, path: str) -> Path | None:
        """Where the map of a photograph is kept."""
        if self.kept is None:
            return None
        below = Path(path).relative_to(self.folders[label])
        stem = below.name if unended(below) in self.shared[label] else below.stem
        return self.kept / self.folders[label].resolve().name / below.with_name(f"{stem}-sketch.png")

    def _read(self, file: Path) -> Pixels | None:
        """The edge map (H, W) of a file, if it is there."""
        if not file.is_file():
            return None
        try:
            return to_8(image.read(file).compose_on_white().pixels)[..., 0]
        except PictureError as error:
            self.faults[str(file)] = f"{error}; made anew"
            return None

    def _keep(self, file: Path, lines: Pixels) -> None:
        """Writes an edge map (H, W), and beside the first one how it was made."""
        assert self.kept is not None
        if not self._check():
            with replacing(self.kept / NOTE) as note:
                note.write(json.dumps(self.how).encode())
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiskError(f"{file.parent}: the folder cannot be made ({error.strerror or error})") from error
        image.write(file, image.from_any(lines), overwrite=True)

    def _check(self) -> bool:
        """Whether there is a note of how maps were made; it must say that they were made as they would be now."""
        if self.kept is None or not (self.kept / NOTE).exists():
            return False
        file = self.kept / NOTE
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
            made = ", ".join(f"{name} {value}" for name, value in there.items())
        except (OSError, ValueError, AttributeError) as error:
            raise DataError(
                f"{file} cannot be read; delete it and the edge maps beside it to make them anew"
            ) from error
        if there != self.how:
            wanted = ", ".join(f"{name} {value}" for name, value in self.how.items())
            raise DataError(
                f"{self.kept}: edge maps there were made with {made}, and not {wanted}; name another folder in"
                " data.edges, or delete this one to make them anew"
            )
        return True


def unended(path: Path) -> str:
    """The path without its extension and without case, because there are file systems without it."""
    return str(path.with_suffix("")).casefold()


def shared_stems(folder: Path) -> frozenset[str]:
    """Paths below a folder, as `unended` has them, of pictures that differ in their extension only."""
    count = Counter(unended(path.relative_to(folder)) for path in scan(str(folder)))
    return frozenset(path for path, times in count.items() if times > 1)
