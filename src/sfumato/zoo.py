"""Models by name: list, load, verify, and read the files of the papers' authors.

The name of a model is its file: `microast/art` is `assets/microast/art.safetensors` in the package, or
`microast/art.safetensors` in the cache. `vgg19` and the like are the authors' files that `sfumato models get` brings.
Listing and verifying need no torch.
"""

import contextlib
import dataclasses
import importlib
import importlib.metadata
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from . import download, weights
from .addresses import ADDRESSES
from .card import Card
from .errors import OptionError, UserError, WeightsError

if TYPE_CHECKING:
    import torch
    from torch import nn

ASSETS = Path(__file__).parent / "assets"
SUFFIX = ".safetensors"
GROUP = "sfumato.methods"
"""The entry point group by which other packages add methods."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model that can be loaded, now or after a download."""

    name: str
    place: Literal["bundled", "cached", "downloadable"]
    title: str
    licence: str
    size: int
    """Bytes; about, for what is not here yet."""
    path: Path | None = None
    """None for what is not here yet."""
    card: Card | None = None
    """None for the authors' files and for broken ones."""
    problem: str = ""
    """Why it cannot be loaded."""


def available() -> list[Entry]:
    """All models: bundled, in the cache, to download; a broken file is listed with its problem."""
    own = {entry.name: entry for folder, place in _folders() for entry in _entries(folder, place)}
    return [*own.values(), *(_official_entry(name) for name in ADDRESSES if name not in own)]


def find(name: str) -> Entry:
    """One of `available` by name.

    Raises:
        WeightsError: there is none of that name, and those that there are are named; or it is a file of another kind.
    """
    entries = {entry.name: entry for entry in available()}
    if name not in entries and Path(name).is_file():
        raise WeightsError(f"{name}: is no {SUFFIX} file; `sfumato import` makes one of the files of a paper's authors")
    if name not in entries:
        raise WeightsError(
            f"there is no model {name!r}; choose from {', '.join(entries)}, or give a path to a {SUFFIX} file"
        )
    return entries[name]


def load(name: str | Path, device: "str | torch.device | None" = None) -> "nn.Module":
    """A model by name or by the path of its file, in evaluation mode.

    Args:
        name: such as `microast/art`, or a path that ends in .safetensors.
        device: where to put it, as `device.pick` takes it; None leaves it on the CPU.

    Raises:
        WeightsError: there is no such model, it is damaged, or not downloaded yet.
        OptionError: the device is unknown or absent.
    """
    from .device import pick, to_device

    goal = pick(device) if device is not None else None
    path, official = _locate(name)
    if official and not ADDRESSES[str(name)].method:
        raise WeightsError(f"{name} makes no pictures: `sfumato distance` and trainings judge by it once it is here")
    model = import_official(str(name), {"vgg": path}) if official else _build(path)
    return model if goal is None else to_device(model, goal)


def card(name: str | Path) -> Card:
    """The card of a model by name or by the path of its file.

    Raises:
        WeightsError: there is no such model, it is damaged or has no card.
    """
    return weights.read_card(_locate(name)[0])


def verify(name: str | Path) -> str:
    """Recomputes the digest of a model's file; the line says what it agrees with.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    path, official = _locate(name)
    if official:
        result = download.verify(str(name))
        return f"{path}: sha256 {result.sha256}, compared with {result.checked}"
    return f"{path}: sha256 {weights.verify(path)} of card and tensors, compared with its header"


def import_official(method: str, files: Mapping[str, str | Path], **hints: Any) -> "nn.Module":
    """The model of the authors' own files, in evaluation mode.

    Args:
        method: a method that reads such files (`adain`, `microast`, `vgg`), or one of the names to download (`vgg19`).
        files: paths by role; which roles there must be is the method's `OFFICIAL_ROLES`, which others there may be its
            `OFFICIAL_EXTRAS`, and which of all are JSON and hold no tensors its `OFFICIAL_JSON`.
        hints: what the files do not tell, as the method's `from_official` takes it.

    Raises:
        OptionError: the method, a role or a hint is unknown, or a role is missing.
        WeightsError: a file is damaged or not the one it should be; missing and unexpected keys are listed.
    """
    if method == "vgg19-caffe":
        hints = {"flavour": "caffe"} | hints
    module = method_module(_method_of(method))
    roles = getattr(module, "OFFICIAL_ROLES", ())
    if not roles:
        raise OptionError(f"{method} reads no files of other authors")
    extras = getattr(module, "OFFICIAL_EXTRAS", ())
    if not set(roles) <= set(files) <= {*roles, *extras}:
        more = f", perhaps {', '.join(extras)}" if extras else ""
        raise OptionError(f"{method} needs the files {', '.join(roles)}{more}; given: {', '.join(files) or 'none'}")
    plain = getattr(module, "OFFICIAL_JSON", ())
    states = {
        role: _State((weights.read_json if role in plain else weights.read_foreign)(path), role, path)
        for role, path in files.items()
    }
    try:
        inspect.signature(module.from_official).bind(states, **hints)
    except TypeError as error:
        raise OptionError(f"{method}: {error}") from error
    try:
        with _own_random_numbers():
            return module.from_official(states, **hints).eval()
    except (RuntimeError, LookupError, ValueError) as error:
        raise WeightsError(f"not the files of {method}: {_problem(error)}; {_overview(states)}") from error


def convert(method: str, files: Mapping[str, str | Path], path: str | Path, **hints: Any) -> Card:
    """Reads the authors' own files, writes them as one model file, and returns its card.

    Raises:
        OptionError, WeightsError: as `import_official`.
        DiskError: the file cannot be written.
    """
    model = import_official(method, files, **hints)
    digests = [f"{role}: {Path(p).name}, sha256 {download.file_sha256(Path(p))}" for role, p in files.items()]
    address = ADDRESSES.get(method)
    card = Card(
        name=Path(path).stem,
        method=_method_of(method),
        config=dataclasses.asdict(model.config),  # type: ignore[call-overload]
        title=address.what if address else f"{method}, the authors' own weights",
        licence=address.licence if address else "as the authors state",
        source=address.source if address else "",
        notes=["Converted from " + "; ".join(digests)],
    )
    return weights.save(path, model, card)


def method_module(name: str) -> ModuleType:
    """The module of a method: in `sfumato.methods`, else what an installed package offers under that entry point.

    Raises:
        OptionError: there is none of that name.
    """
    qualified = f"{GROUP}.{name}"
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) and name != "base":
        try:
            return importlib.import_module(qualified)
        except ModuleNotFoundError as error:
            if error.name != qualified:
                raise
        for point in importlib.metadata.entry_points(group=GROUP, name=name):
            return point.load()
    raise OptionError(f"there is no method {name!r}; there are {', '.join(methods())}")


def _method_of(name: str) -> str:
    return ADDRESSES[name].method if name in ADDRESSES else name


def methods() -> list[str]:
    """Names of the methods there are, in alphabetical order; none is imported."""
    own = {path.stem for path in (Path(__file__).parent / "methods").glob("[a-z]*.py")} - {"base"}
    return sorted(own | {point.name for point in importlib.metadata.entry_points(group=GROUP)})


class _State(dict[str, Any]):
    """The tensors, or the values, of one file; a key that it lacks is an error that names the file."""

    def __init__(self, content: Mapping[str, Any], role: str, path: str | Path) -> None:
        super().__init__(content)
        self.role, self.path = role, path

    def __missing__(self, key: str) -> Any:
        problem = weights.mismatch([key], list(self), [])
        raise WeightsError(f"{self.path}: not the file for {self.role}; {problem}")


def _problem(error: Exception) -> str:
    """One line on what `load_state_dict`, or the renaming before it, did not like."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    lists = [re.search(rf"{kind} key\(s\) in state_dict: (.+)", text) for kind in ("Missing", "Unexpected")]
    missing, unexpected = (re.findall(r'"([^"]+)"', found[1]) if found else [] for found in lists)
    shapes = re.findall(r"size mismatch for (\S+):", text)
    return weights.mismatch(missing, unexpected, shapes) or text.partition("\n")[0]


def _overview(states: Mapping[str, _State]) -> str:
    def told(state: _State) -> str:
        kind = "tensors" if all(hasattr(value, "shape") for value in state.values()) else "values"
        return f"{Path(state.path).name} has {len(state)} {kind} from {next(iter(state), 'none')} on"

    return "; ".join(f"{role}={told(state)}" for role, state in states.items())


def _locate(name: str | Path) -> tuple[Path, bool]:
    """The file of a model, and whether it is one of the authors' own."""
    if str(name).endswith(SUFFIX):
        return Path(name), False
    entry = find(str(name))
    if entry.problem:
        raise WeightsError(entry.problem)
    if entry.path is None:
        size = f"{entry.size / 1e6:.0f} MB"
        raise WeightsError(f"{name} is not on this computer; `sfumato models get {name}` downloads it ({size})")
    return entry.path, entry.card is None


def blank(card: Card) -> "nn.Module":
    """The model that a card describes without its weights, which takes no memory: to ask what kind it is.

    Raises:
        WeightsError: the card does not fit this Sfumato.
    """
    import torch

    with torch.device("meta"):
        return _made(card, card.name)


def _build(path: Path) -> "nn.Module":
    card = weights.read_card(path)
    model = _made(card, path)
    weights.load_into(model, weights.load_tensors(path), str(path))
    return model.eval()


def _made(card: Card, name: object) -> "nn.Module":
    try:
        module = method_module(card.method)
        config = _config(module.Config, card.config)
        with _own_random_numbers():
            return module.Model(config)
    except (OptionError, ValueError) as error:
        raise WeightsError(f"{name}: its card does not fit this Sfumato: {str(error).splitlines()[0]}") from error


def _own_random_numbers() -> contextlib.AbstractContextManager[None]:
    """Inside, a new network's first weights, drawn in vain, do not use up the random numbers of the caller."""
    import torch

    return torch.random.fork_rng(devices=[])


def _config(kind: Any, values: Mapping[str, Any]) -> Any:
    from pydantic import TypeAdapter, ValidationError

    if unknown := set(values) - {field.name for field in dataclasses.fields(kind)}:
        raise OptionError(f"config has the unknown fields {', '.join(sorted(unknown))}")
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise OptionError(f"config field {'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from error


def _folders() -> Iterator[tuple[Path, Literal["bundled", "cached"]]]:
    """Cached before bundled: where both have a name the bundled one, met later, is what the name means."""
    with contextlib.suppress(UserError):  # no home folder, no cache
        yield download.cache_dir(), "cached"
    yield ASSETS, "bundled"


def _entries(folder: Path, place: Literal["bundled", "cached"]) -> Iterator[Entry]:
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        entry = Entry(name=name, place=place, title="", licence="", size=path.stat().st_size, path=path)
        try:
            card = weights.read_card(path)
            yield dataclasses.replace(entry, title=card.title, licence=card.licence, card=card)
        except WeightsError as error:
            yield dataclasses.replace(entry, problem=str(error))


def _official_entry(name: str) -> Entry:
    address, path = ADDRESSES[name], download.cached(name)
    return Entry(
        name=name,
        place="cached" if path else "downloadable",
        title=address.what,
        licence=address.licence,
        size=path.stat().st_size if path else address.size,
        path=path,
    )
