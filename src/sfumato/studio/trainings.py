"""Trainings as their folders tell: nothing is written there."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from ..train.checkpoint import RECIPE
from ..train.log import Line, read_log
from .schema import Run

DEPTH = 3
"""Folders below the one that is named in which runs are looked for."""
FRESH_S = 600.0
"""Seconds since the last line of a log within which a run is taken to go on."""


def runs_of(folder: Path) -> list[tuple[Run, Path]]:
    """The runs in a folder, or below it, with their folders; the one that changed last comes first."""
    found = [(run_of(path, folder), path) for path in folders(folder, DEPTH)]
    return sorted(found, key=lambda pair: -pair[0].updated)


def folders(folder: Path, depth: int) -> Iterator[Path]:
    """Folders of runs: a run holds no others."""
    if (folder / "log.jsonl").is_file() or (folder / RECIPE).is_file():
        yield folder
    elif depth:
        for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
            yield from folders(inner, depth - 1)


def run_of(path: Path, base: Path) -> Run:
    """What a run's folder tells."""
    recipe, lines = recipe_of(path), read_log(path / "log.jsonl")
    last: Line = lines[-1] if lines else {}
    name = path.relative_to(base).as_posix() if path != base else path.name
    marks = [mark for mark in (path / "log.jsonl", path / "report.html", path / RECIPE) if mark.exists()]
    updated = max((mark.stat().st_mtime for mark in marks), default=0.0)
    images, total = int(last.get("images", 0)), int(recipe.get("images", 0))
    return Run(
        id=id_of(path),
        name=name,
        title=str(recipe.get("title") or recipe.get("method", {}).get("name", "")),
        state=state_of(images, total - int(recipe.get("batch", 1)), updated),
        images=images,
        total=total,
        images_per_s=float(last.get("images_per_s", 0.0)),
        updated=updated,
        has_report=(path / "report.html").is_file(),
        has_plot=(path / "losses.png").is_file(),
        samples=tuple(sorted(int(p.stem) for p in (path / "samples").glob("*.jpg") if p.stem.isdecimal())),
        models=tuple(sorted(p.name for p in path.glob("*.safetensors"))),
    )


def state_of(images: int, enough: int, updated: float) -> Literal["running", "ended", "stopped"]:
    """Whether a run goes on, as well as its files tell."""
    if 0 < enough < images:
        return "ended"
    return "running" if time.time() - updated < FRESH_S else "stopped"


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
    """Lines of a run's log without the first `after`."""
    return read_log(path / "log.jsonl")[after:]
