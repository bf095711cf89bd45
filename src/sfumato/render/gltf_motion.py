"""Animations that a glTF file brings: as motions of its own character, and as recordings for any."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .character import Character, Floats, Pose, Skeleton, ancestors
from .gltf_file import GltfFile, matrix

FPS = 30.0


@dataclass(frozen=True, kw_only=True)
class Track:
    """How one property of one node changes."""

    node: int
    kind: str
    """translation, rotation or scale."""
    times: Floats
    """(T,) seconds."""
    values: Floats
    """(T, n), or (3 T, n) for cubic ones: tangent in, value, tangent out."""
    rule: str
    """LINEAR, STEP or CUBICSPLINE."""

    def at(self, times: Floats) -> Floats:
        """The values (..., n) at those seconds (...)."""
        cubic = self.rule == "CUBICSPLINE"
        keys = self.values[1::3] if cubic else self.values
        if len(keys) == 1:
            return np.broadcast_to(keys[0], (*np.shape(times), keys.shape[1]))
        times = np.clip(times, self.times[0], self.times[-1])
        k = np.clip(np.searchsorted(self.times, times, "right") - 1, 0, len(self.times) - 2)
        span = np.maximum(self.times[k + 1] - self.times[k], 1e-12)[..., None]
        t = (times - self.times[k])[..., None] / span
        a, b = keys[k], keys[k + 1]
        if self.rule == "STEP":
            return np.asarray(np.where(t < 1, a, b))
        if cubic:
            out, into = self.values[3 * k + 2] * span, self.values[3 * k + 3] * span
            return np.asarray(
                (2 * t**3 - 3 * t**2 + 1) * a
                + (t**3 - 2 * t**2 + t) * out
                + (3 * t**2 - 2 * t**3) * b
                + (t**3 - t**2) * into
            )
        return _between(a, b, t) if self.kind == "rotation" else np.asarray(a + (b - a) * t)


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The nodes of a file, in its own axes and units."""

    parents: tuple[int, ...]
    order: tuple[int, ...]
    """All nodes, parents first."""
    rest: tuple[tuple[Floats, Floats, Floats] | None, ...]
    """Translation, rotation and scale of each node; None: it has a matrix."""
    locals: Floats
    """(nodes, 4, 4)."""

    def globals(self, tracks: Sequence[Track], times: Floats, nodes: Sequence[int] | None = None) -> Floats:
        """World matrices (..., nodes, 4, 4) of some nodes, or all, at those seconds (...)."""
        wanted = range(len(self.parents)) if nodes is None else nodes
        needed = {above for node in wanted for above in ancestors(self.parents, node)}
        moved = self._moved([track for track in tracks if track.node in needed], times)
        found: dict[int, Floats] = {}
        for node in self.order:
            if node in needed:
                local = moved.get(node, self.locals[node])
                found[node] = local if self.parents[node] < 0 else found[self.parents[node]] @ local
        shape = (*np.shape(times), 4, 4)
        return np.stack([np.broadcast_to(found[node], shape) for node in wanted], axis=-3)

    def _moved(self, tracks: Sequence[Track], times: Floats) -> dict[int, Floats]:
        """Matrices (..., 4, 4) of the nodes that tracks move."""
        changed: dict[int, dict[str, Floats]] = {}
        for track in tracks:
            changed.setdefault(track.node, {})[track.kind] = track.at(times)
        moved = {}
        for node, new in changed.items():
            if (own := self.rest[node]) is not None:
                still = (np.broadcast_to(value, (*np.shape(times), len(value))) for value in own)
                kinds = dict(zip(("translation", "rotation", "scale"), still)) | new
                moved[node] = matrix(kinds["translation"], kinds["rotation"], kinds["scale"])
        return moved


@dataclass(frozen=True, kw_only=True)
class Rig:
    """What turns nodes into a pose."""

    nodes: Nodes
    joints: tuple[int, ...]
    """The node of each bone."""
    inverse_rest: Floats
    """(J, 4, 4), from the file's world to each bone, when the mesh is as it is."""
    turn: Floats
    """(3, 3), from the file's axes to ours."""
    scale: float
    """Metres for a unit of the file."""

    @cached_property
    def rest_heads(self) -> Floats:
        """(J, 3), heads of the bones at rest, in our axes and metres."""
        return np.asarray((np.linalg.inv(self.inverse_rest)[:, :3, 3] @ self.turn.T) * self.scale)


@dataclass(kw_only=True)
class GltfMotion:
    """An animation of the file, sampled 30 times a second; only its own character can do it."""

    name: str
    frames: int
    tracks: tuple[Track, ...]
    rig: Rig
    fps: float = FPS

    def pose(self, character: Character, frame: int) -> Pose:
        """The character, in its own or other proportions, in frame 0 ... frames - 1."""
        now = self.rig.nodes.globals(self.tracks, np.array(frame / self.fps))[list(self.rig.joints)]
        change = now @ self.rig.inverse_rest
        turn = self.rig.turn
        rotations = turn @ rotation_of(change[:, :3, :3]) @ turn.T
        heads = (now[:, :3, 3] @ turn.T) * self.rig.scale
        return Pose(rotations=rotations, heads=_fitted(character.skeleton, self.rig, rotations, heads))


def _fitted(skeleton: Skeleton, rig: Rig, rotations: Floats, heads: Floats) -> Floats:
    """Heads (J, 3) of a skeleton in other proportions than the file's, which has its own at `heads` then.

    By as much as a bone is elsewhere on the one above at rest, turned with that one, it is elsewhere now.
    """
    moved = skeleton.heads - rig.rest_heads
    out = heads + moved
    for bone, parent in enumerate(skeleton.parents):
        if parent >= 0:
            step = heads[bone] - heads[parent]
            out[bone] = out[parent] + step + rotations[parent] @ (moved[bone] - moved[parent])
    return out


def rotation_of(matrices: Floats) -> Floats:
    """The rotations (..., 3, 3) nearest to matrices, without their scale."""
    u, _, v = np.linalg.svd(matrices)
    flip = np.ones((*matrices.shape[:-2], 1, 3))
    flip[..., 0, 2] = np.sign(np.linalg.det(u @ v))
    return np.asarray((u * flip) @ v)


def nodes_of(file: GltfFile) -> Nodes:
    """The nodes of a file."""
    nodes = file.items("nodes")
    parents, order = file.tree
    kinds = (("translation", (0, 0, 0)), ("rotation", (0, 0, 0, 1)), ("scale", (1, 1, 1)))
    rest = [
        None if "matrix" in node else tuple(np.array(node.get(name, own), np.float64) for name, own in kinds)
        for node in nodes
    ]
    return Nodes(
        parents=parents,
        order=order,
        rest=tuple(rest),  # type: ignore[arg-type]
        locals=np.stack([file.local(node) for node in nodes]) if nodes else np.empty((0, 4, 4)),
    )


def motions(file: GltfFile, rig: Rig) -> dict[str, GltfMotion]:
    """All animations of the file that move nodes, by name, as motions of its own character."""
    return {
        name: GltfMotion(name=name, frames=_frames(tracks), tracks=tracks, rig=rig)
        for name, tracks in _animations(file).items()
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class GltfRecording:
    """An animation of a file, for other characters; see `retarget.Source`."""

    path: Path
    name: str
    nodes: Nodes
    names: tuple[str, ...]
    tracks: tuple[Track, ...]
    fps: float = FPS

    @property
    def parents(self) -> tuple[int, ...]:
        return self.nodes.parents

    def moved(self, joints: Sequence[int] | None = None) -> tuple[Floats, Floats]:
        """Where nodes, or all, are in each frame (T, J, 3), and how they are turned since `zero` (T, J, 3, 3)."""
        now = self.nodes.globals(self.tracks, np.arange(_frames(self.tracks)) / self.fps, joints)
        rest = rotation_of(self.nodes.globals((), np.array(0.0), joints)[:, :3, :3])
        return now[..., :3, 3], rotation_of(now[..., :3, :3]) @ np.swapaxes(rest, 1, 2)

    def zero(self) -> Floats:
        """Where the nodes (J, 3) are at rest."""
        return np.asarray(self.nodes.globals((), np.array(0.0))[:, :3, 3])


def recordings(file: GltfFile) -> list[GltfRecording]:
    """All animations of the file.

    Raises:
        DataError: there are none, or the file is damaged.
    """
    found = _animations(file)
    if not found:
        raise DataError(f"{file.path}: holds no motion")
    nodes, stem = nodes_of(file), file.path.stem
    names = tuple(str(node.get("name", f"node {k}")) for k, node in enumerate(file.items("nodes")))
    return [
        GltfRecording(
            path=file.path, name=f"{stem} {name}" if len(found) > 1 else stem, nodes=nodes, names=names, tracks=tracks
        )
        for name, tracks in found.items()
    ]


def _animations(file: GltfFile) -> dict[str, tuple[Track, ...]]:
    """The tracks of animations that move nodes, by name; of two with one name the second gets a number."""
    found: dict[str, tuple[Track, ...]] = {}
    for k, animation in enumerate(file.items("animations")):
        if tracks := _tracks(file, animation):
            name = str(animation.get("name") or f"animation {k}")
            found[f"{name} {k}" if name in found else name] = tracks
    return found


def _frames(tracks: Sequence[Track]) -> int:
    return round(max(float(track.times[-1]) for track in tracks) * FPS) + 1


def _tracks(file: GltfFile, animation: dict[str, Any]) -> tuple[Track, ...]:
    tracks = []
    for channel in animation["channels"]:
        target, sampler = channel["target"], animation["samplers"][channel["sampler"]]
        kind = str(target["path"])
        if kind not in {"translation", "rotation", "scale"} or "node" not in target:
            continue
        times = _numbers(file, sampler["input"])[:, 0]
        if len(times):
            values = _numbers(file, sampler["output"])
            rule = str(sampler.get("interpolation", "LINEAR"))
            tracks.append(Track(node=target["node"], kind=kind, times=times, values=values, rule=rule))
    return tuple(tracks)


def _numbers(file: GltfFile, place: int) -> NDArray[np.float64]:
    values = np.asarray(file.values(place), np.float64)
    if not np.isfinite(values).all():
        raise DataError(f"{file.path}: an animation holds values that are no numbers (NaN); export it again")
    return values


def _between(a: Floats, b: Floats, t: Floats) -> Floats:
    """Quaternions between two (..., 4), on the shorter arc; t is (..., 1)."""
    dot = (a * b).sum(-1, keepdims=True)
    b = np.where(dot < 0, -b, b)
    angle = np.arccos(np.minimum(np.abs(dot), 1.0))
    near = angle < 1e-4
    sine = np.where(near, 1.0, np.sin(angle))
    return np.where(near, a + (b - a) * t, (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / sine)
