"""What lies on the face: eyes, lashes, brows, mouth; thin patches just off the skin, whose edges are the lines."""

from dataclasses import dataclass

import numpy as np

from ..character import Floats
from .curves import step
from .head import Head
from .look import Color, Colors
from .surface import Piece, grid
from .weighing import Weigher


@dataclass(frozen=True, kw_only=True)
class Skin:
    """The front of the head, to put things on."""

    corners: Floats
    """(F, 3, 3) triangles, metres."""

    @classmethod
    def of(cls, piece: Piece) -> "Skin":
        """The triangles of a head that look ahead."""
        q = piece.quads
        corners = piece.vertices[np.concatenate((q[:, [0, 1, 2]], q[:, [0, 2, 3]]))]
        ahead = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] > 0
        return cls(corners=corners[ahead])

    def depth(self, xy: Floats) -> Floats:
        """How far ahead the skin lies (M,) at places (M, 2) seen from the front."""
        a, b, c = (self.corners[:, k] for k in range(3))
        d = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        d = np.where(np.abs(d) < 1e-14, 1e-14, d)
        x, y = xy[:, :1] - a[:, 0], xy[:, 1:] - a[:, 1]
        u = (x * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * y) / d
        v = ((b[:, 0] - a[:, 0]) * y - x * (b[:, 1] - a[:, 1])) / d
        inside = (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6)
        z = a[:, 2] + u * (b[:, 2] - a[:, 2]) + v * (c[:, 2] - a[:, 2])
        return np.asarray(np.where(inside, z, -np.inf).max(1))


class Features:
    """Makes the patches of one face."""

    def __init__(self, head: Head, skin: Piece, w: Weigher, colors: Colors) -> None:
        self.head, self.skin, self.w, self.colors = head, Skin.of(skin), w, colors

    def patch(self, points: Floats, off: float, color: Color, thing: str) -> Piece:
        """A patch of points (R, C, 2) in shares of the head, rising, each row to the left; so many mm off the skin."""
        rows, columns = points.shape[:2]
        flat = points.reshape(-1, 2) * self.head.size + self.head.base[:2]
        z = self.skin.depth(flat) + off * 0.001 * self.head.size / 0.23
        quads = grid(rows, columns, closed=False)
        vertices = np.concatenate((flat, z[:, None]), 1)
        corner = vertices[quads[len(quads) // 2]]
        if np.cross(corner[1] - corner[0], corner[2] - corner[0])[2] < 0:
            quads = quads[:, ::-1].copy()
        return Piece(
            vertices=vertices,
            quads=quads,
            weights=self.w.only("head", len(flat)),
            part="face",
            color=color,
            thing=thing,
        )

    def eye(self, side: float) -> list[Piece]:
        """White, lashes, iris, pupil, light of the left (1) or right (-1) eye; vertex 0 of the pupil is its middle."""
        c, s = self.head.face, min(self.head.frame.look.style, 1.0)
        name = "left" if side > 0 else "right"
        half, high = c.eye_size
        t = np.linspace(-1, 1, 11)  # from the inner corner to the outer
        upper, lower = self._lids(t)

        def place(local: Floats) -> Floats:
            return np.asarray((np.asarray(c.eye) + local * (half, high)) * (side, 1))

        white = place(np.stack([np.stack((t, lower + k * (upper - lower)), -1) for k in np.linspace(0, 1, 3)]))
        lash = 0.10 + 0.16 * s + 0.06 * (1 - self.head.frame.look.gender)
        thick = lash * (0.35 + 0.65 * step(t, -1, 0.5)) * (0.3 + 0.7 * (1 - np.abs(t) ** 4)) * (1.0 if s > 0.4 else 1.3)
        tail = np.stack((t + 0.14 * step(t, 0.6, 1.0), upper), -1)
        line = place(np.stack((tail - (0, 0.02), tail + np.stack((0 * t, thick), -1))))
        pieces = [
            self.patch(white, 0.4, self.colors.white, f"{name} eye"),
            self.patch(line, 2.2, self.colors.dark, f"{name} lash"),
        ]
        size = 0.50 if s < 0.3 else 0.50 + 0.10 * s
        radii = np.array((size * half, max(size * half, (0.55 + 0.40 * s) * high)))
        for share, off, color, thing in ((1.0, 0.9, self.colors.eyes, "iris"), (0.48, 1.4, self.colors.dark, "pupil")):
            pieces.append(self.patch(place(self._disc(radii * share)), off, color, f"{name} {thing}"))
        if s > 0.3:
            spot = self._disc(radii * 0.24) + np.array((-0.20 * side, 0.42)) * (1, radii[1] / high)
            pieces.append(self.patch(place(spot), 1.9, (1.0, 1.0, 1.0), f"{name} light"))
        return pieces

    def _lids(self, t: Floats) -> tuple[Floats, Floats]:
        """Heights of both lids, in half heights of the eye, from the inner corner (-1) to the outer (1)."""
        s = min(self.head.frame.look.style, 1.0)
        arch = (1 - np.abs(t) ** (2.2 + 1.2 * s)) ** 0.8
        tilt = 0.16 * t * (1 - 0.4 * s)
        return arch * (1.0 + 0.08 * t) + tilt, -arch * (0.85 + 0.10 * s) * (1 - 0.1 * t) + tilt

    def _disc(self, radii: Floats) -> Floats:
        """Points (3, 13, 2) of an ellipse around its middle, cut by the lids, in half sizes of the eye."""
        c = self.head.face
        turn = np.linspace(0, 2 * np.pi, 13)
        ring = np.stack((np.cos(turn), np.sin(turn)), -1) * radii / c.eye_size
        points = np.stack([ring * k for k in (1e-3, 0.6, 1.0)])
        upper, lower = self._lids(np.clip(points[..., 0], -0.98, 0.98))
        points[..., 1] = np.clip(points[..., 1] + 0.04, lower + 0.03, upper)
        return points

    def brow(self, side: float) -> Piece:
        """A brow, thicker at its inner end."""
        c, look = self.head.face, self.head.frame.look
        t = np.linspace(0, 1, 9)
        s, man = min(look.style, 1.0), look.gender * look.adult * (1 + 0.8 * look.old)
        x = c.eye[0] - 0.068 - 0.012 * s + t * (0.155 + 0.02 * s)
        y = c.eye[1] + c.brow + 0.030 * np.sin(np.pi * (0.15 + 0.72 * t)) - 0.012 * t
        thick = (0.012 + 0.010 * man - 0.003 * s) * (1 - t**2 * 0.85) * (0.5 + 0.5 * step(t, 0, 0.15))
        points = np.stack((np.stack((x, y - thick), -1), np.stack((x, y + 0.6 * thick), -1))) * (side, 1)
        color = tuple(0.75 * k for k in self.colors.hair)
        return self.patch(points, 1.2, (color[0], color[1], color[2]), f"{'left' if side > 0 else 'right'} brow")

    def mouth(self) -> list[Piece]:
        """The line between the lips, and in realistic faces the shade under the lower one."""
        c, s = self.head.face, min(self.head.frame.look.style, 1.0)
        t = np.linspace(-1, 1, 11)
        line = c.mouth + 0.008 * t**2 * (0.6 + s) - 0.004 * (1 - s) * np.exp(-((t / 0.25) ** 2))
        r, g, b = self.colors.lips
        color = (0.55 * r, 0.55 * g, 0.55 * b)
        thick = (0.0045 + 0.001 * s) * (1 - 0.8 * np.abs(t) ** 3)
        pieces = [self._stroke(t * c.mouth_width, line, thick, color, "mouth")]
        if s < 0.6:
            low = c.mouth - 0.050 + 0.010 * t**2
            pieces.append(self._stroke(t * 0.42 * c.mouth_width, low, 0.003 * (1 - 0.8 * t**2), color, "lower lip"))
        return pieces

    def _stroke(self, x: Floats, y: Floats, thick: Floats, color: Color, thing: str) -> Piece:
        """A line along places, so thick to each side."""
        return self.patch(np.stack((np.stack((x, y - thick), -1), np.stack((x, y + thick), -1))), 1.3, color, thing)

    def nose(self) -> list[Piece]:
        """Nostrils in realistic faces, a short shade under the tip in drawn ones."""
        c, s = self.head.face, min(self.head.frame.look.style, 1.0)
        pieces = []
        t = np.linspace(-1, 1, 5)
        places = (1.0, -1.0) if s < 0.6 else (0.0,)
        for side in places:
            x = side * 0.030 + t * 0.011
            y = c.nose - 0.012 + 0.006 * (1 - t**2) + (0.004 if side else 0.0)
            points = np.stack((np.stack((x, y - 0.0045 * (1 - 0.7 * t**2)), -1), np.stack((x, y), -1)))
            pieces.append(self.patch(points, 1.5, self.colors.dark, f"nostril {side}"))
        return pieces

    def wrinkles(self) -> list[Piece]:
        """Of the old: from the nose past the mouth and under the eyes first, then beside them and on the forehead."""
        c, old = self.head.face, self.head.frame.look.old
        (x, y), (half, high), t = c.eye, c.eye_size, np.linspace(0, 1, 5)
        places: list[Floats] = []
        if old > 0.2:
            ends = np.array([(0.056, c.nose + 0.012), (c.mouth_width + 0.030, c.mouth - 0.012)])
            places.append(ends[0] + t[:, None] * (ends[1] - ends[0]) + np.outer(np.sin(np.pi * t), (0.012, 0.010)))
            bag = (x + half * (2 * t - 1) * 0.8, y - 1.1 * high - 0.018 - 0.016 * np.sin(np.pi * t))
            places.append(np.stack(bag, -1))
        if old > 0.5:
            places += [np.stack((x + 1.25 * half + 0.045 * t, y + up * (0.3 + t)), -1) for up in (0.018, -0.022)]
            below = (c.mouth_width + 0.012 + 0.008 * t, c.mouth - 0.020 - 0.035 * t)
            places.append(np.stack(below, -1))
        r, g, b = self.colors.skin
        color = (0.6 * r, 0.6 * g, 0.6 * b)
        thick = 0.0022 * (1 - 0.8 * (2 * t - 1) ** 2)
        pieces = [
            self._stroke(side * line[:, 0], line[:, 1], thick, color, f"wrinkle {k} {side}")
            for k, line in enumerate(places)
            for side in (1.0, -1.0)
            if self._on_skin(line * (1.08, 1))
        ]
        if old > 0.35:
            for k, up in enumerate((0.075, 0.115)):
                arc = np.stack(((0.26 - 0.06 * k) * (t - 0.5), y + c.brow + up + 0.010 * np.sin(np.pi * t)), -1)
                if self._on_skin(arc):
                    pieces.append(self._stroke(arc[:, 0], arc[:, 1], thick, color, f"forehead {k}"))
        return pieces

    def _on_skin(self, line: Floats) -> bool:
        """Whether places (M, 2), in shares of the head, lie on the front of the head, which is narrow in some."""
        return bool(np.isfinite(self.skin.depth(line * self.head.size + self.head.base[:2])).all())

    def all(self) -> list[Piece]:
        """Every patch of the face."""
        pieces = [*self.eye(1.0), *self.eye(-1.0), self.brow(1.0), self.brow(-1.0), *self.mouth(), *self.nose()]
        return [*pieces, *self.wrinkles()]
