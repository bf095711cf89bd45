"""Nose, eyes and ears of a foreign character, guessed from what its head looks like.

The eyes come first: from what is named so; else two patches that mirror each other, for eyes are pieces of their own or
have a colour of their own; else by the head's size alone. Hats, hair and hoods spoil that size, so where there are eyes
they tell where to look for the rest.

Shapes: V vertices, F faces, O faces of the head, N of some of them, R patches.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .character import Floats, Keypoint, Mesh
from .vectors import length, unit
from .welding import pieces

LEVEL = 1e-4
"""What differs by less than this share of the head's size is as far out."""
ALIKE = 0.12
"""Colours are one if no channel differs by more."""
SKIN = 0.25
"""What differs by less from the colour of the nose is skin."""
MIRRORED = 0.04
"""Two patches are a pair if one lies no farther from the other's mirror image, in shares of the head's size."""

_Flags = NDArray[np.bool_]
_Numbers = NDArray[np.int64]
_Places = tuple[int, ...]


def face_points(mesh: Mesh, on_head: _Flags, *, named: _Flags, sockets: Sequence[Floats] = ()) -> tuple[Keypoint, ...]:
    """Nose, eyes and ears of a head that looks along +Z, guessed; all approximate.

    The nose is the most forward vertex (or the middle of several) near the middle plane, from the eyes down to 0.8 of
    the distance between them; the ears are the most lateral vertices of the skin at that height behind the eyes. Of a
    head without eyes these heights are 0.25 to 0.6 of its own, and the eyes are what a ray from the front meets at
    half of it, a quarter of the head's width to each side.

    Args:
        mesh: at rest.
        on_head: (V,), vertices that follow the head most.
        named: (F,), faces that are eyes by their name.
        sockets: heads (3,) of the bones that move the left and the right eye, if there are such.
    """
    head = _Head(mesh, on_head)
    eyes = head.eyes(named, sockets)
    x, y, z = head.points.T
    if eyes:
        left, right = (mesh.vertices[list(eye)].mean(0) for eye in eyes)
        middle, apart, high = (left[0] + right[0]) / 2, left[0] - right[0], (left[1] + right[1]) / 2
        low = high - 0.8 * apart
    else:
        middle, apart = head.middle[0], head.size[0] / 2
        low, half, high = (head.low[1] + share * head.size[1] for share in (0.25, 0.5, 0.6))
        spots = [(middle + sign * apart / 2, half) for sign in (1, -1)]
    level = _first((y > low) & (y < high), np.ones_like(y, bool))
    nose = head.most(2, 1, _first(level & (np.abs(x - middle) < 0.24 * apart), level))
    skin = level & head.colored(nose) if eyes else level
    eyes = eyes or [head.corners(spot) or nose for spot in spots]
    depth = min(float(mesh.vertices[list(eye)].mean(0)[2]) for eye in eyes)
    behind = z < depth - 0.15 * head.size[2]
    ears = [head.most(0, sign, _first(skin & behind, level & behind, level)) for sign in (1, -1)]
    return tuple(Keypoint(vertices=found, approximate=True) for found in (nose, *eyes, *ears))


def _first(*choices: _Flags) -> _Flags:
    """The first that holds anywhere."""
    return next(choice for choice in choices if choice.any())


class _Head:
    """A head and its measures.

    Args:
        mesh: at rest.
        on_head: (V,), its vertices.
    """

    def __init__(self, mesh: Mesh, on_head: _Flags) -> None:
        self.mesh = mesh
        self.places = np.flatnonzero(on_head)
        self.points = mesh.vertices[self.places]
        self.own = np.flatnonzero(on_head[mesh.faces].all(1))
        """(O,), its faces."""
        self.low, high = np.percentile(self.points, (1, 99), axis=0)
        self.size, self.middle = np.maximum(high - self.low, 1e-6), (self.low + high) / 2

    def most(self, axis: int, sign: int, among: _Flags) -> _Places:
        """The vertices farthest out; of a flat face all are as far, and rounding must not choose among them."""
        values = np.where(among, sign * self.points[:, axis], -np.inf)
        return tuple(int(k) for k in self.places[values >= values.max() - LEVEL * self.size[axis]])

    def colored(self, like: _Places) -> _Flags:
        """Which vertices of the head have a face of the colour of those around some; none, if these have no face."""
        faces, colors = self.mesh.faces[self.own], self.mesh.colors[self.own]
        around = np.isin(faces, like).any(1)
        if not around.any():
            return np.zeros(len(self.places), bool)
        skin = np.abs(colors - colors[around].mean(0)).max(1) < SKIN
        return np.isin(self.places, faces[skin])

    def eyes(self, named: _Flags, sockets: Sequence[Floats]) -> list[_Places]:
        """Left and right eye, each in the middle of some vertices; none if there are not both."""
        across = self.mesh.vertices[self.mesh.faces[self.own], 0].mean(1) - self.middle[0]
        halves = [self.own[named[self.own] & (sign * across > 0)] for sign in (1, -1)]
        if not all(map(len, halves)):
            if sockets and all(found := [self.corners(socket) for socket in sockets]):
                return found
            halves = self.pair()
        return [self._crown(half) for half in halves]

    def pair(self) -> list[_Numbers]:
        """The faces (N,) of two patches that look most like eyes; none if no two do.

        They mirror each other in the front of the head, not too high or low, are about as wide as high, unlike brows,
        and of all such pairs stand out most against what is beside them.
        """
        patches = [patch for patch in self._patches() if len(patch) > 1]
        boxes = np.array([self._box(patch) for patch in patches]).reshape(-1, 2, 3)  # (R, 2, 3)
        sizes, places = boxes[:, 1] - boxes[:, 0], (boxes.mean(1) - self.middle) / self.size
        shares = sizes[:, :2] / self.size[:2]
        good = (shares > 0.03).all(1) & (shares < 0.35).all(1) & (np.abs(places[:, 0]) < 0.42) & (places[:, 2] > 0.1)
        good &= (np.abs(places[:, 1]) < 0.35) & (sizes[:, 0] > 0.4 * sizes[:, 1]) & (sizes[:, 0] < 1.7 * sizes[:, 1])
        lefts, rights = (np.flatnonzero(good & (sign * places[:, 0] > 0.06)) for sign in (1, -1))
        best: list[_Numbers] = []
        most = ALIKE
        for left, right in product(lefts, rights):
            apart = np.abs(places[left] - places[right] * (-1, 1, 1)), np.abs(sizes[left] - sizes[right]) / self.size
            if np.max(apart) < MIRRORED:
                out = [self._contrast(patches[k], boxes[k]) for k in (left, right)]
                if max(out) > most:
                    best, most = [patches[left], patches[right]], max(out)
        return best

    def _contrast(self, patch: _Numbers, box: Floats) -> float:
        """How far the colour of a patch is from that beside it towards the nose; 0 where the patch is not seen."""
        middle, wide = box.mean(0), box[1, 0] - box[0, 0]
        inner = middle - (0.8 * wide * np.sign(middle[0] - self.middle[0]), 0, 0)
        beside, colors = self.front(inner), self.mesh.colors
        if beside is None or self.front(middle) not in patch:
            return 0.0
        return float(np.abs(colors[patch].mean(0) - colors[beside]).max())

    def _box(self, faces: _Numbers) -> tuple[Floats, Floats]:
        corners = self.mesh.vertices[self.mesh.faces[faces].reshape(-1)]
        return corners.min(0), corners.max(0)

    def _patches(self) -> list[_Numbers]:
        """The faces (N,) of each patch: of one piece, from face to face of one colour."""
        faces, colors = self.mesh.faces[self.own], self.mesh.colors[self.own]
        sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1)
        order = np.lexsort(sides.T)
        shared = (sides[order[1:]] == sides[order[:-1]]).all(1)
        first, second = order[:-1][shared] // 3, order[1:][shared] // 3
        alike = np.abs(colors[first] - colors[second]).max(1) < ALIKE
        alone = np.arange(len(faces))
        links = np.concatenate((alone, first[alike])), np.concatenate((alone, second[alike]))
        label = pieces(np.stack((*links, links[1]), 1).astype(np.int32), len(faces))[: len(faces)]
        order = np.argsort(label, kind="stable")
        return np.split(self.own[order], np.flatnonzero(np.diff(label[order])) + 1)

    def front(self, spot: Sequence[float] | Floats) -> int | None:
        """The most forward face of the head that a ray along -Z at (x, y) meets."""
        a, b, c = (self.mesh.vertices[self.mesh.faces[self.own, k]] for k in range(3))
        d = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        safe = np.where(np.abs(d) < 1e-14, np.inf, d)
        x, y = spot[0] - a[:, 0], spot[1] - a[:, 1]
        u = (x * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * y) / safe
        v = ((b[:, 0] - a[:, 0]) * y - x * (b[:, 1] - a[:, 1])) / safe
        met = (u >= 0) & (v >= 0) & (u + v <= 1) & np.isfinite(safe)
        z = np.where(met, a[:, 2] + u * (b[:, 2] - a[:, 2]) + v * (c[:, 2] - a[:, 2]), -np.inf)
        return int(self.own[np.argmax(z)]) if met.any() else None

    def corners(self, spot: Sequence[float] | Floats) -> _Places:
        """Those of that face; none, if there is none."""
        face = self.front(spot)
        return () if face is None else tuple(map(int, self.mesh.faces[face]))

    def _crown(self, patch: _Numbers) -> _Places:
        """The corner or corners of a face nearest to the middle of what of a patch (N,) looks to the front."""
        corners = self.mesh.faces[patch]
        a, b, c = (self.mesh.vertices[corners[:, k]] for k in range(3))
        normals = np.cross(b - a, c - a)
        ahead = _first(unit(normals)[:, 2] > 0.3, np.ones(len(patch), bool))
        crown = _first(unit(normals) @ unit(normals[ahead].sum(0)) > 0.8, ahead)
        middle = np.average((a + b + c)[crown] / 3, axis=0, weights=length(normals)[crown, 0] + 1e-12)
        choices = [corners[crown][:, some] for some in ([0], [1], [2], [0, 1], [1, 2], [2, 0], [0, 1, 2])]
        away = [np.linalg.norm(self.mesh.vertices[some].mean(1) - middle, axis=1) for some in choices]
        some = int(np.argmin([values.min() for values in away]))
        return tuple(map(int, choices[some][away[some].argmin()]))
