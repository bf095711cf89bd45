"""What the numbers or the colours of a mask mean: which parts of a person a place may be.

A table in TOML names them, as those of `assets/labels` do:

    tolerance = 40                              # of colours, how far off they may be; 0 if it is left out
    [labels]
    0 = "rest"                                  # any part that no other line names
    1 = "face"
    2 = ["left-arm", "right-arm"]               # one of these, it is not told which
    255 = "unknown"                             # any part at all; 255 is unknown if nothing else is said
    "#00ff80" = "hair"                          # a colour, where masks have some

Shapes: H W pixels. What a place may be is a number whose bit k is 1 if it may be part k (`parts.EVERY`).
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import image
from ..errors import DataError
from ..parts import EVERY, MIRRORED, PARTS

Codes = NDArray[np.uint8]
Sets = NDArray[np.int32]

NAMED = Path(__file__).parent.parent / "assets" / "labels"
UNKNOWN, REST = "unknown", "rest"
SHOWN = 3
"""Labels that an error names."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelMap:
    """What a set's masks tell of each place.

    Attributes:
        name: where it stands, for messages.
        sets: (256,), what a place may be by its code; a mask's numbers are codes, of colours it is their places.
        named: (256,), the codes that masks may hold.
        colors: (M, 3) RGB, the code of each its place; none if masks hold numbers.
        tolerance: how far a colour may be off, in steps of 255; what is farther from all is unknown.
        outside: a code of which nothing is known, for places that a mask does not have.
    """

    name: str
    sets: Sets
    named: NDArray[np.bool_]
    colors: NDArray[np.uint8] | None
    tolerance: float
    outside: int

    @property
    def alone(self) -> NDArray[np.bool_]:
        """(K,), the parts of which a mask can say that a place is this one and no other."""
        return np.isin(1 << np.arange(len(PARTS)), self.sets[self.named])

    def read(self, path: Path) -> Codes:
        """The codes of a mask, (H, W).

        Raises:
            PictureError: it cannot be read.
            DataError: it holds labels that are not named, or colours where numbers are.
        """
        values = image.read_labels(path)
        if self.colors is not None:
            return self._of_colors(values, path)
        if values.ndim == 3:
            raise DataError(f'{path}: is in colours; {self.name} needs lines such as "#ff0000" = "hair"')
        strange = np.flatnonzero((np.bincount(values.ravel(), minlength=256) > 0) & ~self.named)
        if len(strange):
            raise DataError(f"{path}: holds the labels {_first(strange.tolist())}, which {self.name} does not name")
        return values

    def _of_colors(self, values: NDArray[np.uint8], path: Path) -> Codes:
        assert self.colors is not None
        if values.ndim == 2:
            values = np.repeat(values[..., None], 3, 2)
        shades, places = np.unique(values.reshape(-1, 3), axis=0, return_inverse=True)
        far = np.linalg.norm(shades[:, None].astype(np.float32) - self.colors[None], axis=2)
        codes, strange = far.argmin(1).astype(np.uint8), far.min(1) > self.tolerance
        if strange.any() and not self.tolerance:
            named = [f"#{bytes(shade).hex()}" for shade in shades[strange].tolist()]
            raise DataError(f"{path}: holds the colours {_first(named)}, which {self.name} does not name")
        codes[strange] = self.outside
        return codes[places].reshape(values.shape[:2])

    def mirrored(self) -> Sets:
        """The same as `sets` for a mirrored picture, in which left and right are exchanged."""
        return sum((((self.sets >> k) & 1) << MIRRORED[k] for k in range(len(PARTS))), np.zeros_like(self.sets))


def _first(labels: list[Any]) -> str:
    return ", ".join(map(str, labels[:SHOWN])) + (", ..." if len(labels) > SHOWN else "")


def label_map(labels: Any, tolerance: float = 0.0, *, beside: Path = Path(), name: str = "") -> LabelMap:
    """What masks mean, by a name of `assets/labels`, by a file, or by a table.

    Args:
        labels: such as `celebamask`, a path of a TOML file, or {"0": "rest", "1": "face"}.
        tolerance: see `LabelMap`; a file has its own.
        beside: the folder that a path is relative to.
        name: what a table is called in messages.

    Raises:
        DataError: there is no such file, or a line of it cannot be understood.
    """
    if isinstance(labels, Mapping):
        return _of_table(labels, tolerance, name)
    known = sorted(path.stem for path in NAMED.glob("*.toml"))
    path = NAMED / f"{labels}.toml" if labels in known else beside / str(labels)
    if not path.is_file():
        raise DataError(f"{name or 'labels'}: there is no file {path}, and labels are called {', '.join(known)}")
    table = read_toml(path)
    if not isinstance(table.get("labels"), Mapping):
        raise DataError(f"{path}: has no table [labels]")
    return _of_table(table["labels"], table.get("tolerance", 0.0), str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def _of_table(table: Mapping[str, Any], tolerance: Any, name: str) -> LabelMap:
    colors = [key for key in table if str(key).startswith("#")]
    if colors and len(colors) < len(table):
        raise DataError(f"{name}: labels are numbers or colours, not both")
    if not isinstance(tolerance, int | float) or tolerance < 0:
        raise DataError(f"{name}: tolerance = {tolerance!r} is no distance of colours")
    if not table or len(table) > 255:
        raise DataError(f"{name}: has {len(table)} labels; 1 to 255 can be told apart")
    places = {key: _number(key, name) for key in table} if not colors else {key: k for k, key in enumerate(table)}
    own = {places[key]: _set(value, key, name) for key, value in table.items()}
    every = sum({1 << k for bits in own.values() if bits and bits != EVERY for k in range(len(PARTS)) if bits >> k & 1})
    sets, named = np.full(256, EVERY, np.int32), np.zeros(256, bool)
    for code, bits in own.items():
        sets[code], named[code] = bits or EVERY & ~every, True
    if not sets.all():
        raise DataError(f"{name}: no part is left for {REST!r}; all others are named")
    outside = next(code for code in range(255, -1, -1) if code not in own)
    named[255] = True  # unknown, if nothing else is said
    return LabelMap(
        name=name,
        sets=sets,
        named=named,
        colors=np.array([_color(key, name) for key in colors], np.uint8) if colors else None,
        tolerance=float(tolerance),
        outside=outside,
    )


def _number(key: str, name: str) -> int:
    if not str(key).isdecimal() or int(key) > 255:
        raise DataError(f"{name}: the label {key!r} is no number from 0 to 255, and no colour as #ff0000")
    return int(key)


def _color(key: str, name: str) -> tuple[int, ...]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", key):
        raise DataError(f"{name}: {key!r} is no colour as #ff0000")
    return tuple(bytes.fromhex(key[1:]))


def _set(value: Any, key: str, name: str) -> int:
    """What a line of the table says; 0 for the rest."""
    parts = [value] if isinstance(value, str) else value
    if parts == [UNKNOWN]:
        return EVERY
    if parts == [REST]:
        return 0
    if not isinstance(parts, list) or not parts or (strange := [part for part in parts if part not in PARTS]):
        wrong = repr(strange[0]) if isinstance(parts, list) and parts else repr(value)
        raise DataError(f"{name}: {key} = {wrong} is no part; there are {', '.join((*PARTS, REST, UNKNOWN))}")
    return sum(1 << PARTS.index(part) for part in set(parts))
