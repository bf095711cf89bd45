"""The state of a run on disk: written atomically, read without running code."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import RecipeError

if TYPE_CHECKING:
    from .loop import Run
    from .recipe import Recipe


def describe(recipe: "Recipe") -> dict[str, Any]:
    """The recipe as JSON values, with the method's and the data's names."""
    values = json.loads(json.dumps(asdict(recipe)))
    values["method"] = {"name": type(recipe.method).__module__.rpartition(".")[2], **values["method"]}
    values["data"] = {"kind": type(recipe.data).__name__, **values["data"]}
    return values  # type: ignore[no-any-return]


def claim(run: Path, recipe: "Recipe") -> None:
    """Writes run/recipe.json, or checks that the run there is of this recipe; only the length may differ.

    Raises:
        RecipeError: the folder holds another run; names the first difference.
    """
    run.mkdir(parents=True, exist_ok=True)
    path, wanted = run / "recipe.json", describe(recipe)
    if path.exists():
        there = json.loads(path.read_text())
        free = {"images", "workers", "save_every", "sample_every", "title", "licence"}
        for key in wanted.keys() - free:
            if there.get(key) != wanted[key]:
                raise RecipeError(f"{run} holds a run with {key}={there.get(key)!r}, not {wanted[key]!r}; choose another --run")
    write(path, json.dumps(wanted, indent=2).encode())


def save(run: Path, state: "Run") -> None:
    """Writes run/state.pt and the models' files."""
    moving = {name: p for name, p in state.training.named_parameters() if any(p is q for ps in state.parameters.values() for q in ps)}
    torch.save(
        {
            "seen": state.seen,
            "weights": moving,
            "buffers": dict(state.training.named_buffers()),
            "averages": {name: network.state_dict() for name, network in state.averages.items()},
            "optimizers": {group: o.state_dict() for group, o in state.optimizers.items()},
        },
        run / "state.pt.tmp",
    )
    with open(run / "state.pt.tmp", "rb") as file:
        os.fsync(file.fileno())
    (run / "state.pt.tmp").replace(run / "state.pt")
    products(run, state)


def resume(run: Path, state: "Run") -> None:
    """Brings `state` to where run/state.pt stopped, if there is one."""
    if not (run / "state.pt").exists():
        return
    saved = torch.load(run / "state.pt", weights_only=True, map_location=state.device)
    state.seen = saved["seen"]
    with torch.no_grad():
        for name, p in state.training.named_parameters():
            if name in saved["weights"]:
                p.copy_(saved["weights"][name])
        for name, b in state.training.named_buffers():
            b.copy_(saved["buffers"][name])
    for name, network in state.averages.items():
        network.load_state_dict(saved["averages"][name])
    for group, o in state.optimizers.items():
        o.load_state_dict(saved["optimizers"][group])


def write(path: Path, data: bytes) -> None:
    """Writes a file at once or not at all."""
    part = path.with_name(path.name + ".tmp")
    part.write_bytes(data)
    part.replace(path)


def products(run: Path, state: "Run") -> dict[str, Path]:
    from safetensors.torch import save_file

    paths = {}
    for name, network in state.models().items():
        paths[name] = run / f"{name}.safetensors"
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, str(paths[name]) + ".tmp")
        Path(str(paths[name]) + ".tmp").replace(paths[name])
    return paths
