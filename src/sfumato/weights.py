"""Model files: one `name.safetensors` holds the tensors and, in its header, the card that says what they are.

Reading cards and checking files needs no torch.
"""

import dataclasses
import hashlib
import json
import os
import pickle
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safetensors import safe_open

from .card import Card
from .errors import DiskError, WeightsError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

CARD_KEY = "sfumato"
DIGEST_KEY = "sha256"
NESTS = ("state_dict", "model_state_dict", "model", "params", "net")
"""Names under which authors put the tensors inside their files."""
NPZ_NEST = "sd/"
"""What the keys of a state dict begin with in a NumPy file that holds other arrays, too."""
SHOWN = 4
"""How many keys an error names."""


def save(
    path: str | Path, model: "nn.Module | Mapping[str, Tensor]", card: Card, *, dtype: "torch.dtype | None" = None
) -> Card:
    """Writes a model file, whole or not at all, and returns the card as written (date and version filled in).

    Args:
        dtype: what floating-point tensors are stored as, such as `torch.float16` for half the size; None keeps each.

    Raises:
        WeightsError: the card is unfit, or a value is not finite in that dtype.
        DiskError: the disk is full or not writable; an older file of that name is untouched.
    """
    import safetensors.torch

    tensors = model if isinstance(model, Mapping) else model.state_dict()
    stored = {key: _storable(key, tensor, dtype) for key, tensor in tensors.items()}
    version = card.sfumato_version or _version()
    card = dataclasses.replace(card, created=card.created or date.today().isoformat(), sfumato_version=version)
    text = card.to_json()
    digest = _digest(safetensors.torch.save(stored), text)
    content = safetensors.torch.save(stored, {"format": "pt", CARD_KEY: text, DIGEST_KEY: digest})
    with replacing(path) as file:
        file.writelines(_ordered(content))
    return card


def _ordered(content: bytes) -> "tuple[bytes, memoryview]":
    """Header and tensors of a file, the notes in the order of their names: safetensors writes them in any order."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text, memoryview(content)[8 + size :]


def _storable(key: str, tensor: "Tensor", dtype: "torch.dtype | None") -> "Tensor":
    import torch

    floating = tensor.is_floating_point()
    target = dtype if dtype is not None and floating else tensor.dtype
    result = tensor.detach().to("cpu", target, copy=True, memory_format=torch.contiguous_format)
    if floating and not bool(torch.isfinite(result).all()):
        raise WeightsError(f"{key} has values that are not finite as {target}; it was not saved")
    return result


def _version() -> str:
    try:
        return metadata.version("sfumato")
    except metadata.PackageNotFoundError:  # run from a source folder that is not installed
        return ""


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` once all is on the disk; on any error `path` stays as it was.

    Raises:
        DiskError: the disk is full or not writable.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(f"{path}: cannot be written ({error.strerror or error})") from error


def read_card(path: str | Path) -> Card:
    """The card of a model file; torch is not needed.

    Raises:
        WeightsError: the file is missing, damaged or without a card.
    """
    notes = _notes(Path(path))
    if CARD_KEY not in notes:
        raise WeightsError(f"{path}: has tensors but no card; `sfumato import` makes a model of the authors' own files")
    try:
        return Card.from_json(notes[CARD_KEY])
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}; a newer Sfumato may have written it") from error


def load_tensors(path: str | Path, *, dtype: "torch.dtype | None" = None) -> "dict[str, Tensor]":
    """The tensors of a safetensors file on the CPU, independent of the file, those of floating point as `dtype`.

    Args:
        dtype: None is float32.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    import safetensors.torch
    import torch

    with _named(Path(path), "safetensors"):
        tensors = safetensors.torch.load_file(path)
    target = dtype or torch.float32
    return {k: t.to(target if t.is_floating_point() else t.dtype, copy=True) for k, t in tensors.items()}


def verify(path: str | Path) -> str:
    """Recomputes the digest of a model file, which covers its card and its tensors; torch is not needed.

    Returns:
        The digest, 64 hexadecimal digits.

    Raises:
        WeightsError: the file is missing, damaged, or without card or digest.
    """
    card = read_card(path)
    notes = _notes(Path(path))
    if DIGEST_KEY not in notes:
        raise WeightsError(f"{path}: the card of {card.name} has no digest to compare with")
    digest = _digest(Path(path).read_bytes(), notes[CARD_KEY])
    if digest != notes[DIGEST_KEY]:
        raise WeightsError(f"{path}: damaged, its content does not agree with its digest")
    return digest


def read_foreign(path: str | Path) -> "dict[str, Tensor]":
    """The tensors of a file of other authors: PyTorch (tensors only, no code is run), safetensors or NumPy's npz.

    Nests such as {'state_dict': ...} and the prefix `module.` of data parallel training are taken off. Of a file of
    several networks, {'A': {...}, 'B': {...}}, each key begins with the name of its network, `A.`.

    Raises:
        WeightsError: the file is missing, damaged, or holds no tensors.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        content: Any = load_tensors(path)
    elif suffix == ".npz":
        content = _read_npz(path)
    else:
        content = _read_pickled(path)
    content = _side_by_side(_unnested(content))
    tensors = {str(k): v for k, v in content.items() if _is_tensor(v)} if isinstance(content, Mapping) else {}
    if not tensors:
        raise WeightsError(f"{path}: holds no named tensors")
    if all(key.startswith("module.") for key in tensors):
        tensors = {key.removeprefix("module."): tensor for key, tensor in tensors.items()}
    return tensors


def read_json(path: str | Path) -> dict[str, Any]:
    """What a JSON file of other authors says, such as a config.json.

    Raises:
        WeightsError: the file is missing, damaged, or says no values by name.
    """
    path = Path(path)
    with _named(path, "JSON"):
        content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds no values by name")
    return content


def _unnested(content: Any) -> Any:
    while isinstance(content, Mapping) and not any(_is_tensor(v) for v in content.values()):
        nest = next((n for n in NESTS if isinstance(content.get(n), Mapping)), None)
        if nest is None:
            break
        content = content[nest]
    return content


def _side_by_side(content: Any) -> Any:
    """The tensors of several networks as of one."""
    parts = list(content.items()) if isinstance(content, Mapping) else []
    if not parts or not all(isinstance(p, Mapping) and p and all(map(_is_tensor, p.values())) for _, p in parts):
        return content
    return {f"{name}.{key}": tensor for name, part in parts for key, tensor in part.items()}


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _read_pickled(path: Path) -> Any:
    import torch

    with _named(path, "PyTorch"):
        return torch.load(path, map_location="cpu", weights_only=True)


def _read_npz(path: Path) -> "dict[str, Tensor]":
    """The arrays of numbers; of a file that has some under `sd/`, a state dict, these alone."""
    import numpy
    import torch

    with _named(path, "NumPy"), numpy.load(path, allow_pickle=False) as arrays:
        nested = [key for key in arrays.files if key.startswith(NPZ_NEST)]
        numbers = {key.removeprefix(NPZ_NEST): arrays[key] for key in nested or arrays.files}
    return {key: torch.from_numpy(array) for key, array in numbers.items() if array.dtype.kind in "fiub"}


def load_into(module: "nn.Module", tensors: "Mapping[str, Tensor]", name: str) -> None:
    """Fills a module with tensors of exactly its keys and shapes.

    Args:
        name: the model's name or file, for the error.

    Raises:
        WeightsError: keys are missing or unexpected, or shapes differ; the first few of each are named.
    """
    own = module.state_dict()
    shapes = [
        f"{k} {tuple(tensors[k].shape)}, not {tuple(own[k].shape)}"
        for k in own
        if k in tensors and tensors[k].shape != own[k].shape
    ]
    missing, unexpected = [k for k in own if k not in tensors], [k for k in tensors if k not in own]
    if problem := mismatch(missing, unexpected, shapes):
        raise WeightsError(f"{name}: {problem}")
    module.load_state_dict(dict(tensors))


def mismatch(missing: list[str], unexpected: list[str], shapes: list[str]) -> str:
    """One line on keys that do not fit: counts and the first few of each; empty if all is well."""
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    return "; ".join(f"{len(keys)} {kind}: {first(keys)}" for kind, keys in kinds.items() if keys)


def first(keys: list[str]) -> str:
    """The first few of a list of keys, in one line."""
    return ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")


def _notes(path: Path) -> dict[str, str]:
    with _named(path, "safetensors"), safe_open(path, framework="np") as file:
        return dict(file.metadata() or {})


@contextmanager
def _named(path: Path, kind: str) -> Iterator[None]:
    """Turns all that reading a strange file can raise into one line that names it; what it was stays as the cause."""
    try:
        yield
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: there is no such file") from error
    except pickle.UnpicklingError as error:
        text = "damaged, or holds more than tensors (such files can run code and are not read)"
        raise WeightsError(f"{path}: {text}") from error
    except Exception as error:
        if isinstance(error, ValueError) and "allow_pickle" in str(error):
            text = "holds more than numbers (such files can run code and are not read)"
            raise WeightsError(f"{path}: {text}") from error
        if path.is_dir():
            raise WeightsError(f"{path}: is a folder, not a model file") from error
        if isinstance(error, PermissionError):
            raise WeightsError(f"{path}: may not be read") from error
        raise WeightsError(f"{path}: damaged, or not a {kind} file") from error


def _digest(content: bytes, card: str) -> str:
    """sha256 of the card, the table of tensors and their bytes, of the content of a safetensors file."""
    length = int.from_bytes(content[:8], "little")
    table = json.loads(content[8 : 8 + length])
    table.pop("__metadata__", None)
    digest = hashlib.sha256(json.dumps([table, card], sort_keys=True).encode())
    digest.update(memoryview(content)[8 + length :])
    return digest.hexdigest()
