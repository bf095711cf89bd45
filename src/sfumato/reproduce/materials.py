"""What sets and runs are made of: pictures of styles, stylizers, and weights to begin with."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from .. import zoo
from ..data import folders
from ..errors import DataError, DiskError, OptionError
from .rows import IN_PLACE

EXAMPLES = ("arlesiennes.jpg", "chrysanthemums.jpg", "gravel.jpg", "saint-george.jpg", "seascape.jpg", "sketch.png")
"""Of the bundled pictures, those that make styles."""


def styles(given: tuple[str, ...]) -> list[Path]:
    """Up to twelve pictures whose styles are taken, from all over the folders."""
    if not given:
        return [zoo.ASSETS / "examples" / name for name in EXAMPLES]
    found = [path for folder in given for path in folders.meant(folder)]
    if not found:
        raise DataError(f"--styles {' '.join(given)}: there are no pictures")
    count = min(12, len(found))
    return [found[k * len(found) // count] for k in range(count)]


def copied(pictures: Sequence[Path], folder: Path) -> Path:
    """The folder, with copies of the pictures in their order."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for k, path in enumerate(pictures):
            if not (place := folder / f"{k:02}-{path.name}").exists():
                shutil.copyfile(path, place)
    except OSError as error:
        raise DiskError(f"{folder}: cannot be written ({error.strerror or error})") from error
    return folder


def stylizer(method: str, given: str) -> str:
    """The stylizer of a method: the one given, else one of that method that is here, else what stands in for it."""
    if given:
        if zoo.card(given).method != method:
            raise OptionError(f"--{method} {given}: is a model of {zoo.card(given).method}, not of {method}")
        return given
    own = [entry.name for entry in zoo.available() if entry.card is not None and entry.card.method == method]
    return own[0] if own else IN_PLACE


def start(kind: str, path: Path, out: Path) -> Path:
    """The model of a file of weights, converted if it is the authors' own."""
    if path.suffix != zoo.SUFFIX:
        made = out / "starts" / f"{kind}{zoo.SUFFIX}"
        zoo.convert("hrnet", {"pose": path}, made)
        path = made
    if zoo.card(path).method != "hrnet":
        raise OptionError(f"--start {kind}={path}: is a model of {zoo.card(path).method}, not of hrnet")
    return path
