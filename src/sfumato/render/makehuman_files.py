"""MakeHuman's files as arrays: the base mesh, its bones and weights, shape targets, clothes fitted to it.

MakeHuman's assets are CC0 (makehumancommunity.org); nothing of its code is used.

Shapes: V vertices of the base mesh, J bones, M vertices of a garment.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .character import Floats, Numbers

METRES = 0.1
"""A unit of the files is a decimetre."""
Faces = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Obj:
    """A mesh file."""

    vertices: Floats
    """(V, 3)."""
    quads: Faces
    """(Q, 4); a triangle has its last vertex twice."""
    groups: tuple[str, ...]
    """Names of groups."""
    group: Numbers
    """(Q,), place in `groups`."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """The body as it comes, before any shape."""

    folder: Path
    obj: Obj
    names: tuple[str, ...]
    """Of J bones, parents first."""
    parents: Numbers
    heads: tuple[tuple[int, ...], ...]
    """By bone, the vertices in whose middle its head is."""
    tails: tuple[tuple[int, ...], ...]
    weights: Floats
    """(V, J), rows sum to 1."""
    targets: dict[str, Path]
    """Shape targets by their names: the path below `targets` without its ending."""
    garments: dict[str, Path]
    """Clothes, hair and the like by name."""


@dataclass(frozen=True, kw_only=True)
class Garment:
    """Something fitted to the body."""

    name: str
    kind: str
    """The folder it lies in: hair, clothes, eyebrows, eyelashes."""
    tags: str
    """Of the file, in lower case."""
    obj: Obj
    at: Faces
    """(M, 3), vertices of the body."""
    shares: Floats
    """(M, 3), how much of each."""
    offsets: Floats
    """(M, 3), in units of the scales."""
    scales: tuple[tuple[int, int, float], ...]
    """For x, y and z two vertices of the body, whose distance is divided by the number."""
    hidden: NDArray[np.int64]
    """Vertices of the body that it hides."""

    def fitted(self, body: Floats) -> Floats:
        """Its vertices (M, 3) on a body (V, 3)."""
        size = [abs(body[a, k] - body[b, k]) / d if a != b else METRES for k, (a, b, d) in enumerate(self.scales)]
        return np.asarray(np.einsum("mk,mka->ma", self.shares, body[self.at]) + self.offsets * size)


def is_makehuman(folder: Path) -> bool:
    """Whether base.obj and default.mhskel lie in a folder or below."""
    return all(_found(folder, name) is not None for name in ("base.obj", "default.mhskel"))


@lru_cache(maxsize=2)
def read_base(folder: Path) -> Base:
    """The body in a folder.

    Raises:
        DataError: one of its files is not there or damaged.
    """
    files = {name: _found(folder, name) for name in ("base.obj", "default.mhskel", "default_weights.mhw")}
    if missing := [name for name, file in files.items() if file is None]:
        raise DataError(
            f"{folder}: {', '.join(missing)} of MakeHuman is not there; name the folder that holds its data"
        )
    obj = read_obj(_there(files["base.obj"]))
    skeleton = _json(_there(files["default.mhskel"]))
    names = _ordered({name: bone["parent"] for name, bone in skeleton["bones"].items()})
    bones, joints = skeleton["bones"], skeleton["joints"]
    weights = np.zeros((len(obj.vertices), len(names)))
    for name, pairs in _json(_there(files["default_weights.mhw"]))["weights"].items():
        if name in names and pairs:
            rows = np.array(pairs)
            weights[rows[:, 0].astype(int), names.index(name)] = rows[:, 1]
    loose = weights.sum(1) == 0
    weights[loose, 0] = 1
    root = _there(files["base.obj"]).parent
    targets = {
        file.relative_to(root / "targets").with_suffix("").as_posix(): file
        for file in sorted(root.glob("targets/**/*.target"))
    }
    return Base(
        folder=folder,
        obj=obj,
        names=names,
        parents=np.array(
            [names.index(bones[name]["parent"]) if bones[name]["parent"] else -1 for name in names], np.int32
        ),
        heads=tuple(tuple(joints[bones[name]["head"]]) for name in names),
        tails=tuple(tuple(joints[bones[name]["tail"]]) for name in names),
        weights=weights / weights.sum(1, keepdims=True),
        targets=targets,
        garments={file.stem: file for file in sorted(folder.rglob("*.mhclo"))},
    )


@lru_cache(maxsize=256)
def read_target(file: Path) -> tuple[NDArray[np.int64], Floats]:
    """Which vertices a shape target moves, and by how much (N, 3)."""
    lines = [line for line in _text(file).splitlines() if line.strip() and not line.startswith("#")]
    try:
        rows = np.array(" ".join(lines).split(), np.float64).reshape(-1, 4)
    except ValueError:
        raise DataError(f"{file}: is no shape target of MakeHuman") from None
    return rows[:, 0].astype(np.int64), rows[:, 1:]


@lru_cache(maxsize=64)
def read_garment(file: Path) -> Garment:
    """A .mhclo file and the mesh it names.

    Raises:
        DataError: it is damaged, or its mesh is not there.
    """
    fields: dict[str, list[str]] = {}
    rows: list[list[float]] = []
    hidden: list[str] = []
    section = ""
    for line in _text(file).splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in {"verts", "delete_verts"}:
            section = words[0]
        elif section == "verts" and _is_number(words[0]):
            rows.append([float(word) for word in words])
        elif section == "delete_verts" and (words[0] == "-" or _is_number(words[0])):
            hidden += words
        else:
            fields.setdefault(words[0], []).append(line.partition(" ")[2].strip())
    table = np.array([row if len(row) == 9 else [row[0]] * 3 + [1.0, 0, 0, 0, 0, 0] for row in rows], np.float64)
    if not len(table) or "obj_file" not in fields:
        raise DataError(f"{file}: is no garment of MakeHuman")
    obj = read_obj(file.with_name(fields["obj_file"][0]))
    if len(obj.vertices) != len(table):
        raise DataError(f"{file}: fits {len(table)} vertices, but its mesh has {len(obj.vertices)}")
    scales = []
    for axis in ("x_scale", "y_scale", "z_scale"):
        a, b, d = fields.get(axis, ["0 0 1"])[0].split()
        scales.append((int(a), int(b), float(d)))
    return Garment(
        name=file.stem,
        kind=file.parent.parent.name,
        tags=" ".join(fields.get("tag", [])).lower(),
        obj=obj,
        at=table[:, :3].astype(np.int64),
        shares=table[:, 3:6],
        offsets=table[:, 6:],
        scales=tuple(scales),
        hidden=_ranges(hidden),
    )


def read_obj(file: Path) -> Obj:
    """A mesh file of triangles and quads."""
    vertices: list[str] = []
    quads: list[list[str]] = []
    groups: dict[str, int] = {}
    group: list[int] = []
    now = groups.setdefault("", 0)
    for line in _text(file).splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append(rest)
        elif kind == "g":
            now = groups.setdefault(rest.strip(), len(groups))
        elif kind == "f":
            corners = [word.partition("/")[0] for word in rest.split()]
            for k in range(1, len(corners) - 1, 2):
                quads.append([corners[0], corners[k], corners[k + 1], corners[min(k + 2, len(corners) - 1)]])
                group.append(now)
    try:
        points = np.array(" ".join(vertices).split(), np.float64).reshape(len(vertices), -1)[:, :3]
        faces = np.array(quads, np.int64).reshape(-1, 4) - 1
    except ValueError:
        raise DataError(f"{file}: is a damaged mesh") from None
    if not len(faces) or faces.min() < 0 or faces.max() >= len(points) or not np.isfinite(points).all():
        raise DataError(f"{file}: is a damaged mesh: its faces or vertices are wrong")
    return Obj(vertices=points, quads=faces, groups=tuple(groups), group=np.array(group, np.int32))


def _ranges(words: list[str]) -> NDArray[np.int64]:
    """Numbers from `4 7 - 9`."""
    found: list[int] = []
    k = 0
    while k < len(words):
        if k + 2 < len(words) and words[k + 1] == "-":
            found += range(int(words[k]), int(words[k + 2]) + 1)
            k += 3
        else:
            found.append(int(words[k]))
            k += 1
    return np.array(found, np.int64)


def _ordered(parents: dict[str, str | None]) -> tuple[str, ...]:
    """Names with parents before their children."""
    done: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in done:
            if parent := parents[name]:
                add(parent)
            done[name] = None

    for name in parents:
        add(name)
    return tuple(done)


def _found(folder: Path, name: str) -> Path | None:
    return min(folder.rglob(name), default=None, key=lambda file: (len(file.parts), str(file)))


def _there(file: Path | None) -> Path:
    if file is None:
        raise DataError("a file of MakeHuman is not there")
    return file


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None


def _json(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_text(file)))
    except ValueError:
        raise DataError(f"{file}: is damaged: it is no JSON") from None


def _is_number(word: str) -> bool:
    return word.lstrip("-").replace(".", "", 1).isdigit()
