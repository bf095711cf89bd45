"""The state of a run on disk: written whole or not at all, checked when read, read without running code.

run/recipe.json         what the run is
run/state.pt            where it is
run/state.previous.pt   where it was one save before, should the last one be damaged
"""

import importlib
import json
import logging
import pickle
import shlex
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import DiskError, RecipeError, SfumatoError, TrainingDiverged, WeightsError
from ..locks import lockable, locked
from ..weights import load_tensors, mismatch, read_card, replacing
from . import dist
from .overrides import said
from .recipe import validated

if TYPE_CHECKING:
    from .log import Log
    from .recipe import Recipe
    from .state import State

logger = logging.getLogger(__name__)

FREE = frozenset(
    [
        *("images", "start", "workers", "cache_mb", "log_every", "save_every", "sample_every", "watch", "tensorboard"),
        *("title", "licence", "attribution", "data_licences", "notes"),
    ]
)
"""What may be changed when a run goes on: all but its length leaves each step as it is."""
DAMAGED = (zipfile.BadZipFile, pickle.UnpicklingError, EOFError, RuntimeError, ValueError, LookupError)
"""What reading a damaged state raises."""
RECIPE, STATE, PREVIOUS, LOCK = "recipe.json", "state.pt", "state.previous.pt", "lock"
LOOKS, LOOK_S = 20, 0.02
"""How often a lock is tried that another has, and the seconds between."""


def describe(recipe: "Recipe") -> dict[str, Any]:
    """The recipe as JSON values, with the method's and the data's names."""
    values = json.loads(json.dumps(asdict(recipe)))
    values["method"] = {"name": type(recipe.method).__module__.rpartition(".")[2], **values["method"]}
    values["data"] = {"kind": type(recipe.data).__name__, **values["data"]}
    return values


def begun(run: Path) -> dict[str, Any]:
    """The recipe of the run in the folder; empty as long as none has saved a state: nothing is lost by another then.

    Raises:
        RecipeError: it cannot be read.
    """
    return _read_json(run / RECIPE) if (run / STATE).exists() or (run / PREVIOUS).exists() else {}


@contextmanager
def claimed(run: Path, recipe: "Recipe") -> Iterator[None]:
    """Keeps the folder for this process and writes run/recipe.json, or checks that the run there is of this recipe.

    Raises:
        RecipeError: the folder holds another run, which names the first difference, or another process trains in it.
        DiskError: it cannot be written.
    """
    with writing(run):
        run.mkdir(parents=True, exist_ok=True)
        lock = (run / LOCK).open("ab")
    with lock:
        if not _locked(lock.fileno()):
            raise RecipeError(f"{run}: another process is training there; wait for it or choose another --run")
        for rest in run.glob(".*.tmp"):  # of a process that was killed while it wrote
            rest.unlink()
        wanted = describe(recipe)
        for field, (there, here) in _differences(begun(run), wanted):
            if field.split(".")[0] not in FREE:
                raise RecipeError(f"{run} holds a run with {field}={there!r}, not {here!r}; choose another --run")
        with replacing(run / RECIPE) as file:
            file.write(json.dumps(wanted, indent=2).encode())
        yield


def _locked(lock: int) -> bool:
    """Locks a run for this process; who only looks whether it is locked, as `is_claimed` does, is soon gone."""
    for _ in range(LOOKS):
        if locked(lock):
            return True
        time.sleep(LOOK_S)
    return False


def is_claimed(run: Path) -> bool | None:
    """Whether a process trains in a folder; None where that cannot be told: without locks, or of an older version."""
    try:
        with (run / LOCK).open("rb") as lock:
            return not locked(lock.fileno(), shared=True) if lockable(lock.fileno()) else None
    except OSError:
        return None


def contents(state: "State", log: "Log", data: str) -> dict[str, Any]:
    """All that a run must remember, as tensors and plain values; `data` tells whether the pictures are the same."""
    return {
        "seen": state.seen,
        "best": state.best,
        "weights": dict(_moving(state)),
        "buffers": dict(state.training.named_buffers()),
        "averages": {name: network.state_dict() for name, network in state.averages.items()},
        "optimizers": {group: optimizer.state_dict() for group, optimizer in state.optimizers.items()},
        "log": log.state(),
        "data": data,
    }


def check_finite(values: dict[str, Any], run: Path) -> None:
    """Checks what is to be saved.

    Raises:
        TrainingDiverged: it holds NaN or infinity.
    """
    if fault := next(unfit(values), None):
        raise diverged(run, f"after {values['seen']:,} images {fault} is not finite")


def diverged(run: Path, what: str) -> TrainingDiverged:
    """The error of a run that has gone wrong, with what helps."""
    return TrainingDiverged(
        f"{what}: the run diverged. {run} keeps its last good state; to do better, begin a new --run with smaller"
        " learning rates (--optimizers.GROUP.lr) or clipped gradients (--optimizers.GROUP.clip)"
    )


def save(run: Path, values: dict[str, Any]) -> None:
    """Writes run/state.pt, whole or not at all, and keeps the one before.

    Raises:
        DiskError: the disk is full or not writable; what is there stays.
    """
    with replacing(run / "state.new.pt") as file:
        _write(values, file)
    with writing(run):
        if (run / STATE).exists():
            (run / STATE).replace(run / PREVIOUS)
        (run / "state.new.pt").replace(run / STATE)


def forget(run: Path) -> None:
    """Removes the state of a run that has seen nothing, so that the folder is free for another.

    Raises:
        DiskError: it cannot be removed.
    """
    with writing(run):
        for name in (STATE, PREVIOUS):
            (run / name).unlink(missing_ok=True)


def resume(run: Path, state: "State", log: "Log", data: str) -> None:
    """Brings `state` and `log` to where the run stopped, if it ever began.

    Raises:
        WeightsError: what is there is damaged, or of another version of the method.
    """
    saved = _newest(run, state.device)
    if not dist.alike(saved["seen"] if saved else 0, state.device):
        raise DiskError(f"{run}: not all processes see the same state there; it must be on a disk that they share")
    if saved is None:
        log.restore({}, 0)
        return
    try:
        _restore(state, saved)
        log.restore(saved["log"], state.seen)
        known = saved["data"]
    except (LookupError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"{run / STATE} is not of this version of the method ({reason}); choose another --run"
        ) from error
    if known != data:
        logger.warning("%s: the pictures are not those that the run began with; it goes on with what is there now", run)


def begin(start: str, state: "State") -> None:
    """Gives a run that has not begun the networks of another and their averages, or a model to its first one.

    Args:
        start: a run's state.pt, or a model's .safetensors file.
        state: the run.

    Raises:
        WeightsError: there is no such file, it is damaged, or of other networks.
    """
    if state.seen:
        return
    try:
        if start.endswith(".pt"):
            _begin_as(_read(Path(start), state.device), state)
        else:
            _begin_with(load_tensors(start), state)
    except OSError as error:
        raise WeightsError(f"start {start} cannot be read ({error.strerror or error})") from error
    except DAMAGED as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if overrides := _of_other_sizes(start, state.recipe):
            what = f"is a network of other sizes than the recipe's ({reason}); for one like it add {overrides}"
        else:
            what = f"is of another method or damaged ({reason})"
        raise WeightsError(f"start {start} {what}") from error


def _of_other_sizes(start: str, recipe: "Recipe") -> str:
    """Words that make the recipe's network like the model; empty where that is not of its method, or not whole."""
    if start.endswith(".pt"):
        return ""
    wanted, card = describe(recipe)["method"], read_card(start)
    others = {name: value for name, value in card.config.items() if wanted.get(name) != value}
    if card.method != wanted["name"] or not others or others.keys() - wanted.keys():
        return ""
    try:
        method = validated(replace(recipe, method=replace(recipe.method, **card.config))).method
        network = importlib.import_module(type(method).__module__).Model(method)
    except (SfumatoError, RuntimeError, ValueError) as error:
        logger.info("%s: no network is made by its card (%s)", start, error)
        return ""
    shapes, there = ({key: x.shape for key, x in of.items()} for of in (network.state_dict(), load_tensors(start)))
    if shapes != there:
        return ""
    return shlex.join(word for name, value in others.items() for word in said(f"method.{name}", value))


@torch.no_grad()
def _begin_as(saved: Mapping[str, Any], state: "State") -> None:
    _fill(dict(_moving(state)), saved["weights"])
    for name, network in state.averages.items():
        _fill(network.state_dict(), saved["averages"].get(name) or state.training.models()[name].state_dict())


@torch.no_grad()
def _begin_with(weights: Mapping[str, Tensor], state: "State") -> None:
    name, first = next(iter(state.training.models().items()))
    _fill(first.state_dict(), weights)
    if name in state.averages:
        _fill(state.averages[name].state_dict(), weights)


def unfit(values: Any, name: str = "") -> Iterator[str]:
    """Names of the tensors, in a nest of dicts and lists, that hold NaN or infinity."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from unfit(value, f"{name}.{key}" if name else str(key))
    elif isinstance(values, list | tuple):
        for i, value in enumerate(values):
            yield from unfit(value, f"{name}.{i}")
    elif isinstance(values, Tensor) and values.is_floating_point() and not bool(values.isfinite().all()):
        yield name


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what a full or broken disk raises into one line.

    Raises:
        DiskError: something could not be written.
    """
    try:
        yield
    except OSError as error:
        raise DiskError(f"{path}: cannot be written ({error.strerror or error})") from error


def _moving(state: "State") -> Iterator[tuple[str, Tensor]]:
    """The parameters that are taught, by name; the others come anew from the recipe."""
    taught = {id(p) for parameters in state.parameters.values() for p in parameters}
    return ((name, p) for name, p in state.training.named_parameters() if id(p) in taught)


def _write(values: dict[str, Any], file: IO[bytes]) -> None:
    try:
        torch.save(values, file)
    except RuntimeError as error:  # what torch makes of a write that failed
        raise OSError(str(error).splitlines()[0]) from error


def _newest(run: Path, device: torch.device) -> dict[str, Any] | None:
    """The last state that was saved and can be read; None if none ever was.

    Raises:
        WeightsError: there are some, all damaged.
    """
    faults = []
    for path in [run / name for name in (STATE, PREVIOUS) if (run / name).exists()]:
        try:
            saved = _read(path, device)
        except (*DAMAGED, OSError) as error:
            faults.append(f"{path} is damaged ({(str(error) or type(error).__name__).splitlines()[0]})")
            continue
        if faults:
            logger.warning("%s; going on from the one before it, at %d images", faults[0], saved["seen"])
        return saved
    if faults:
        raise WeightsError(f"{'; '.join(faults)}: choose another --run, or delete {run} to begin anew")
    return None


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:  # torch does not look at the checksums that it writes
        if part := archive.testzip():
            raise zipfile.BadZipFile(f"the checksum of {part} does not agree")
    saved: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
    return saved


@torch.no_grad()
def _restore(state: "State", saved: Mapping[str, Any]) -> None:
    _fill(dict(_moving(state)), saved["weights"])
    buffers = dict(state.training.named_buffers())
    for key, tensor in buffers.items():  # one whose size the first batch tells
        if not tensor.numel() and key in saved["buffers"]:
            tensor.resize_(saved["buffers"][key].shape)
    _fill(buffers, saved["buffers"])
    for name, network in state.averages.items():
        _fill(network.state_dict(), saved["averages"][name])
    for group, optimizer in state.optimizers.items():
        optimizer.load_state_dict(saved["optimizers"][group])
    state.seen, state.best = saved["seen"], saved.get("best", {})


def _fill(own: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    shapes = [k for k in own if k in saved and own[k].shape != saved[k].shape]
    if problem := mismatch([k for k in own if k not in saved], [k for k in saved if k not in own], shapes):
        raise ValueError(problem)
    for key, tensor in own.items():
        tensor.copy_(saved[key])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (ValueError, OSError) as error:
        raise RecipeError(f"{path} cannot be read ({error}); choose another --run") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path} is no recipe; choose another --run")
    return values


def _differences(there: Any, here: Any, name: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Fields, by their path, in which two recipes differ; one that only one of them knows has come or gone since."""
    fields = name != "optimizers" or there.keys() == here.keys()  # those are groups, and a group more is a difference
    if isinstance(there, dict) and isinstance(here, dict) and fields:
        for key in there.keys() & here.keys():
            yield from _differences(there[key], here[key], f"{name}.{key}" if name else key)
    elif there != here:
        yield name, (there, here)
