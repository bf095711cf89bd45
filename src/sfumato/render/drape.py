"""A skirt over legs that move: skinned with them first, then made even, heavy, and kept outside them.

Skinning alone tears a skirt between two thighs and lets knees come through. So how far each vertex was carried off from
where it would hang on the hips is made even over the cloth, what was carried far sags, and what came into a leg is
pushed out again, to the side on which skinning has it.

Shapes: R rows from the waist to the hem, N vertices of a row, V vertices, L lining vertices, K rods.
"""

from dataclasses import dataclass

import numpy as np

from .character import Floats, Numbers, Pose

EVEN = 3
"""How often what carries the cloth off is averaged with that of its neighbours, before it lies on the legs;"""
ROUNDS = 3
"""and how often it is averaged a little and pushed out of the legs again."""
SAG = 0.35
"""How far a vertex sags in metres that is carried off by one metre; it goes with the square."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drape:
    """A skirt of a character."""

    cloth: Numbers
    """(R, N), vertices; the first row stays on the hips."""
    lining: Numbers
    """(L, N), rows of vertices inside that do what the cloth does."""
    beside: Floats
    """(L,), the row of the cloth, and parts of it, where each row of the lining is."""
    hips: int
    """The bone from which it hangs."""
    rods: Numbers
    """(K, 2), bones from the head of one to the head of the other: thighs and shins."""
    radii: Floats
    """(K, 2), how thick they are there, in metres."""

    def laid(self, skinned: Floats, pose: Pose, rest: Floats, heads: Floats) -> Floats:
        """The vertices (V, 3) with the skirt as it hangs.

        Args:
            skinned: all vertices, (V, 3).
            pose: in which they are.
            rest: all vertices at rest, (V, 3).
            heads: of the bones at rest, (J, 3).
        """
        turn, start = pose.rotations[self.hips], pose.heads[self.hips]
        hanging = (rest[self.cloth] - heads[self.hips]) @ turn.T + start
        carried = skinned[self.cloth]
        away = carried - hanging
        away[..., 1] -= SAG * (away**2).sum(-1)
        for _ in range(EVEN):
            away = _evened(away)
        rods = [_Rod.of(carried, pose.heads[rod], radii) for rod, radii in zip(self.rods, self.radii, strict=True)]
        free = [_Rod.of(rest[self.cloth], heads[rod], radii).gap for rod, radii in zip(self.rods, self.radii)]
        for k in range(ROUNDS):
            away = _evened(away) if k else away
            for rod, least in zip(rods, free, strict=True):
                away += rod.push(hanging + away, np.minimum(least, 0))
        body = np.ones(len(skinned), bool)
        body[self.cloth], body[self.lining] = False, False
        ground = float(skinned[body, 1].min())
        moved = skinned.copy()
        laid = hanging + away
        laid[..., 1] = np.maximum(laid[..., 1], ground)
        moved[self.cloth] = laid
        low = np.minimum(self.beside.astype(int), len(self.cloth) - 2)
        part = (self.beside - low)[:, None, None]
        moved[self.lining] = (rest[self.lining] - heads[self.hips]) @ turn.T + start
        moved[self.lining] += (1 - part) * (laid - hanging)[low] + part * (laid - hanging)[low + 1]
        return moved


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rod:
    """A leg's part and the cloth around it."""

    start: Floats
    way: Floats
    radii: Floats
    out: Floats
    """(R, N, 3), from the rod to where skinning has the cloth."""
    gap: Floats
    """(R, N), how far the cloth is from its surface there; below 0: inside."""

    @classmethod
    def of(cls, cloth: Floats, ends: Floats, radii: Floats) -> "_Rod":
        """Of places (R, N, 3) of the cloth, the rod's ends (2, 3) and its radii there (2,)."""
        start, way = ends[0], ends[1] - ends[0]
        part = _part(cloth, start, way)
        off = cloth - start - part[..., None] * way
        size = np.maximum(np.linalg.norm(off, axis=-1), 1e-9)
        return cls(
            start=start,
            way=way,
            radii=radii,
            out=off / size[..., None],
            gap=size - radii[0] - part * (radii[1] - radii[0]),
        )

    def push(self, cloth: Floats, least: Floats) -> Floats:
        """How far to move places (R, N, 3) so that they are out of the rod, or no deeper in it than `least` (R, N)."""
        part = _part(cloth, self.start, self.way)
        off = cloth - self.start - part[..., None] * self.way
        radius = self.radii[0] + part * (self.radii[1] - self.radii[0]) + least
        high = (off * self.out).sum(-1)
        beside = (off**2).sum(-1) - high**2
        short = np.sqrt(np.maximum(radius**2 - beside, 0)) - high
        here = (part > 0) & (part < 1) & (beside < radius**2)
        return np.where(here, np.maximum(short, 0), 0)[..., None] * self.out


def _part(cloth: Floats, start: Floats, way: Floats) -> Floats:
    """Where along a rod places (R, N, 3) are (R, N): 0 at its start, 1 at its end."""
    along: Floats = (cloth - start) @ way / max(float(way @ way), 1e-12)
    return np.minimum(np.maximum(along, 0), 1)


def _evened(values: Floats) -> Floats:
    """Values (R, N, 3) averaged with their neighbours' along and across the rows; the first row stays.

    Beyond the hem they would go on as they do before it, so that there nothing is averaged across.
    """
    before, after = (np.concatenate((values[:, k:], values[:, :k]), 1) for k in (-1, 1))
    around = 0.25 * before + 0.5 * values + 0.25 * after
    found = around.copy()
    found[1:-1] = 0.25 * around[:-2] + 0.5 * around[1:-1] + 0.25 * around[2:]
    found[0] = values[0]
    return found
