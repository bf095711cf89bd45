"""The models of a run as files, each with its card."""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from .. import weights
from ..card import Card, DataSet, Figure

if TYPE_CHECKING:
    from .recipe import Recipe
    from .state import State


def write(run: Path, state: "State", counts: Mapping[str, int], losses: Mapping[str, float]) -> dict[str, Path]:
    """Writes run/NAME.safetensors for each of the models, whole or not at all; returns the files by name.

    Args:
        run: folder of the run.
        state: where the run is.
        counts: pictures by folder.
        losses: the last ones.

    Raises:
        DiskError: the disk is full or not writable.
    """
    paths = {name: run / f"{name}.safetensors" for name in state.models()}
    for name, model in state.models().items():
        weights.save(paths[name], model, card(name, state.recipe, state.seen, counts, losses))
    return paths


def card(
    name: str,
    recipe: "Recipe",
    seen: int,
    counts: Mapping[str, int],
    losses: Mapping[str, float],
    figures: Sequence[Figure] = (),
) -> Card:
    """The card of one model after `seen` images; folders are named by their last part, not by where they lie here."""
    method = type(recipe.method).__module__.rpartition(".")[2]
    return Card(
        name=f"{method}/{name}",
        method=method,
        config=_portable(asdict(recipe.method)),
        title=recipe.title,
        licence=recipe.licence,
        attribution=list(recipe.attribution),
        data=[
            DataSet(name=folder, licence=recipe.data_licences.get(folder, "unknown"), count=count)
            for folder, count in ((_last(path), count) for path, count in counts.items())
        ],
        command=command(sys.argv),
        images_seen=seen,
        losses={key: round(value, 6) for key, value in losses.items()},
        figures=list(figures),
        notes=list(recipe.notes),
    )


def command(words: list[str]) -> str:
    """The command line of this process without the places of its files; empty where there is none, as in a notebook."""
    program, *rest = words or [""]
    rest = ["=".join(_portable(part) for part in word.split("=", 1)) for word in rest]
    name = PurePath(program).name
    if name == "__main__.py" or re.fullmatch(r"sfumato(\.exe)?", name):
        return shlex.join(["sfumato", *rest])
    return shlex.join(["python", name, *rest]) if name.endswith(".py") else ""


def _portable(value: Any) -> Any:
    """The value with the names of files in place of absolute paths, which mean nothing elsewhere."""
    if isinstance(value, dict):
        return {key: _portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    if isinstance(value, str) and (PurePath(value).is_absolute() or PureWindowsPath(value).is_absolute()):
        return _last(value)
    return value


def _last(path: str) -> str:
    return PurePath(path).name or path
