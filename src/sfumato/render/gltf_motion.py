"""Animations that a glTF file brings, as motions of its own character."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .character import Character, Floats, Pose, Skeleton
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

    def at(self, time: float) -> Floats:
        """The value (n,) at that second."""
        cubic = self.rule == "CUBICSPLINE"
        keys = self.values[1::3] if cubic else self.values
        k = int(np.clip(np.searchsorted(self.times, time, "right") - 1, 0, max(len(self.times) - 2, 0)))
        if len(keys) == 1 or time <= self.times[0]:
            return np.asarray(keys[0])
        if time >= self.times[-1]:
            return np.asarray(keys[-1])
        span = float(self.times[k + 1] - self.times[k])
        t = (time - float(self.times[k])) / max(span, 1e-12)
        a, b = keys[k], keys[k + 1]
        if self.rule == "STEP":
            return np.asarray(a)
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
class Rig:
    """What turns nodes into a pose; all in the file's own axes and units but for the last two."""

    parents: tuple[int, ...]
    """Of all nodes."""
    order: tuple[int, ...]
    """All nodes, parents first."""
    rest: tuple[tuple[Floats, Floats, Floats] | None, ...]
    """Translation, rotation and scale of each node; None: it has a matrix."""
    locals: Floats
    """(nodes, 4, 4)."""
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

    def globals(self, moved: dict[int, Floats]) -> Floats:
        """World matrices (nodes, 4, 4), where some nodes have other matrices than their own."""
        out = np.empty((len(self.parents), 4, 4))
        for node in self.order:
            local = moved.get(node, self.locals[node])
            out[node] = local if self.parents[node] < 0 else out[self.parents[node]] @ local
        return out


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
        time = frame / self.fps
        changed: dict[int, dict[str, Floats]] = {}
        for track in self.tracks:
            changed.setdefault(track.node, {})[track.kind] = track.at(time)
        moved = {}
        for node, new in changed.items():
            if (own := self.rig.rest[node]) is not None:
                kinds = dict(zip(("translation", "rotation", "scale"), own)) | new
                moved[node] = matrix(kinds["translation"], kinds["rotation"], kinds["scale"])
        now = self.rig.globals(moved)[list(self.rig.joints)]
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
    """The rotations (J, 3, 3) nearest to matrices, without their scale."""
    u, _, v = np.linalg.svd(matrices)
    flip = np.ones((len(matrices), 3))
    flip[:, 2] = np.sign(np.linalg.det(u @ v))
    return np.asarray((u * flip[:, None]) @ v)


def motions(file: GltfFile, rig: Rig) -> dict[str, GltfMotion]:
    """All animations of the file that move nodes, by name; of two with one name the second gets a number."""
    found: dict[str, GltfMotion] = {}
    for k, animation in enumerate(file.items("animations")):
        tracks = _tracks(file, animation)
        if not tracks:
            continue
        name = str(animation.get("name") or f"animation {k}")
        name = f"{name} {k}" if name in found else name
        last = max(float(track.times[-1]) for track in tracks)
        found[name] = GltfMotion(name=name, frames=round(last * FPS) + 1, tracks=tracks, rig=rig)
    return found


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


def _between(a: Floats, b: Floats, t: float) -> Floats:
    """A quaternion between two, on the shorter arc."""
    dot = float(a @ b)
    b = b if dot >= 0 else -b
    angle = float(np.arccos(min(abs(dot), 1.0)))
    if angle < 1e-4:
        return np.asarray(a + (b - a) * t)
    return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))
