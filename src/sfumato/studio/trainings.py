"""Trainings as their folders tell: nothing is written there."""

import base64
import hashlib
import json
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from ..train.checkpoint import RECIPE, is_claimed
from ..train.log import Line, read_log
from .schema import Run

log = logging.getLogger(__name__)

DEPTH = 3
"""Folders below the one that is named in which runs are looked for."""
FRESH_S = 600.0
"""Seconds since the last line of a log within which a run is taken to go on, where no lock tells."""


def runs_of(folder: Path) -> list[tuple[Run, Path]]:
    """The runs in a folder, or below it, with their folders; the one that changed last comes first."""
    found = [(run_of(path, folder), path) for path in folders(folder, DEPTH)]
    return sorted(found, key=lambda pair: -pair[0].updated)


def folders(folder: Path, depth: int) -> Iterator[Path]:
    """Folders of runs: a run holds no others."""
    if (folder / "log.jsonl").is_file() or (folder / RECIPE).is_file():
        yield folder
    elif depth:
        for inner in sorted(inside(folder)):
            yield from folders(inner, depth - 1)


def inside(folder: Path) -> list[Path]:
    """The folders in a folder that are not hidden; none if it may not be read."""
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError as error:
        log.warning("%s: left out (%s)", folder, error.strerror)
        return []


def whole(value: object) -> int:
    """A number of a record as a whole one; 0 for what is none."""
    return int(value) if is_number(value) else 0  # type: ignore[call-overload]


def run_of(path: Path, base: Path) -> Run:
    """What a run's folder tells."""
    recipe, lines = recipe_of(path), log_of(path, 0)
    last: Line = lines[-1] if lines else {}
    name = path.relative_to(base).as_posix() if path != base else path.name
    marks = [mark for mark in (path / "log.jsonl", path / "report.html", path / RECIPE) if mark.exists()]
    updated = max((mark.stat().st_mtime for mark in marks), default=0.0)
    images, total = whole(last.get("images")), whole(recipe.get("images"))
    method = recipe.get("method")
    return Run(
        id=id_of(path),
        name=name,
        title=str(recipe.get("title") or (method.get("name", "") if isinstance(method, dict) else "")),
        state=state_of(path, images, total - (whole(recipe.get("batch")) or 1), updated),
        images=images,
        total=total,
        images_per_s=last.get("images_per_s", 0.0),
        updated=updated,
        has_report=(path / "report.html").is_file(),
        has_plot=(path / "losses.png").is_file(),
        samples=tuple(sorted(int(p.stem) for p in (path / "samples").glob("*.jpg") if p.stem.isdecimal())),
        models=tuple(sorted(p.name for p in path.glob("*.safetensors"))),
    )


def state_of(path: Path, images: int, enough: int, updated: float) -> Literal["running", "ended", "stopped"]:
    """Whether a run goes on, as well as its files tell."""
    if 0 < enough < images:
        return "ended"
    held = is_claimed(path)
    goes_on = time.time() - updated < FRESH_S if held is None else held
    return "running" if goes_on else "stopped"


def id_of(path: Path) -> str:
    """The same for the same folder."""
    digest = hashlib.blake2b(str(path).encode(), digest_size=16).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def recipe_of(path: Path) -> dict[str, Any]:
    """The recipe of a run; empty if it cannot be read."""
    try:
        found = json.loads((path / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def log_of(path: Path, after: int) -> list[Line]:
    """Lines of a run's log without the first `after`; of a line only what is a finite number."""
    lines = read_log(path / "log.jsonl")[after:]
    return [{name: value for name, value in line.items() if is_number(value)} for line in lines]


def is_number(value: object) -> bool:
    """Whether a value of a record is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
