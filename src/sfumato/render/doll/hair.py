"""Hair: a cap that follows the skull to the hairline, and locks over it, for each cut."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..character import Floats
from .curves import step, through
from .head import Head
from .look import Color
from .surface import Piece, outward, tube
from .weighing import Weigher

_HAIRLINE = np.array(
    [(0, 3.4), (25, 3.4), (48, 3.9), (62, 5.0), (74, 6.7), (86, 7.2), (98, 7.0), (112, 8.3), (140, 9.0), (180, 9.2)]
)
"""Degrees from the front, and the row of the head down to which hair grows."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A strand from its root to its tip, over the head's (row, degrees)."""

    root: tuple[float, float]
    tip: tuple[float, float]
    width: float
    """Half of it at its widest, in shares of the head."""
    off: float
    """How far its middle stands off the skull."""
    flare: float = 0.0
    """How far its tip stands off beyond that."""
    bend: float = 0.0
    """Degrees by which its middle lies aside."""
    blunt: float = 0.0
    """How wide its tip is, as a share of its width: 0 a point."""


class Hair:
    """Makes the hair of one head."""

    def __init__(self, head: Head, w: Weigher, color: Color, seed: int) -> None:
        self.head, self.w, self.color = head, w, color
        self.rng = np.random.default_rng((seed, 7))
        self.style = min(head.frame.look.style, 1.0)
        self.full = 0.045 + 0.025 * self.style
        """How thick the cap is."""
        look = head.frame.look
        self.bald = look.old * look.gender * look.adult
        """How far the hairline of old men has gone back."""

    def guide(self, rows: Floats, degrees: Floats, off: Floats) -> Floats:
        """Places (M, 3) off the skull; below the ears hair hangs straight down."""
        hang = 6.4
        at = self.head.at(np.minimum(rows, hang), np.radians(degrees), off)
        below = np.maximum(rows - hang, 0) * self.head.size
        at[:, 1] -= 0.105 * below
        at[:, 2] -= 0.020 * below * np.maximum(-np.cos(np.radians(degrees)), 0)  # off the back
        return at

    def cap(self, thick: float) -> Piece:
        """The closed shell over the skull, down to the hairline."""
        count = 24
        degrees = np.arange(count) * 360 / count
        fold = np.minimum(degrees, 360 - degrees)
        end = np.interp(fold, _HAIRLINE[:, 0], _HAIRLINE[:, 1]) - 1.3 * self.bald * (1 - step(fold, 30, 75))
        rings = []
        for share in (0.07, 0.25, 0.45, 0.65, 0.83, 0.95, 1.0):
            edge = thick * (1 - 0.65 * step(share, 0.7, 1.0)) + 0.004 * np.cos(np.radians(degrees) * 6) * share
            rings.append(self.head.at(end * share, np.radians(degrees), edge))
        rings.append(self.head.at(end * 0.99, np.radians(degrees), np.full(count, -0.03)))
        stack = np.stack(rings)
        return self._piece(stack.reshape(-1, 3), tube(stack))

    def lock(self, lock: Lock) -> Piece:
        """A strand with a lens for its section, pointed at its tip."""
        t = np.linspace(0, 1, 6 if lock.tip[0] < 11 else 8) ** 1.25
        rows = lock.root[0] + (lock.tip[0] - lock.root[0]) * t
        degrees = lock.root[1] + (lock.tip[1] - lock.root[1]) * t + lock.bend * np.sin(np.pi * t)
        off = lock.off * (0.3 + 0.7 * step(t, 0.0, 0.35)) + lock.flare * t**2
        line = self.guide(rows, degrees, off)
        inner = self.guide(rows, degrees, off - 0.05)
        way = np.gradient(line, axis=0)
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
        out = line - inner
        out -= (out * way).sum(1, keepdims=True) * way
        out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
        side = np.cross(way, out)
        shape = (0.55 + 0.45 * np.sin(np.pi * np.minimum(t / 0.9, 1) * 0.62)) * (
            1 - step(t, 0.45 + 0.35 * lock.blunt, 1.02) * (0.97 - lock.blunt)
        )
        width = (lock.width * shape * self.head.size)[:, None]
        bulge = 0.33 * width
        section = ((-1.0, -0.10), (-0.55, 0.70), (0.0, 1.0), (0.55, 0.70), (1.0, -0.10), (0.0, -0.45))
        rings = np.stack([line + side * width * a + out * bulge * b for a, b in section], 1)
        return self._piece(rings.reshape(-1, 3), tube(rings))

    def _piece(self, vertices: Floats, quads: NDArray[np.int64]) -> Piece:
        weights = self.w.only("head", len(vertices))
        low = vertices[:, 1] < self.head.frame.joints["neck"][1] - 0.02 * self.head.frame.unit
        if low.any():
            share = step(-vertices[:, 1], -self.head.frame.chin, -self.head.frame.joints["chest"][1])
            weights = self.w.rows({"head": 1 - 0.7 * share, "neck": 0.3 * share, "chest": 0.4 * share})
        return outward(
            Piece(
                vertices=vertices,
                quads=quads,
                weights=weights,
                part="hair",
                color=self.color,
                thing="hair",
            )
        )

    def fringe(self, low: float, parting: float, count: int = 6) -> list[Piece]:
        """Locks over the forehead, down to a row, from a parting (degrees)."""
        pieces = []
        for k, degrees in enumerate(np.linspace(-62, 62, count)):
            jitter = self.rng.uniform(-1, 1, 3)
            end = low - 1.2 * self.bald + 0.9 * (abs(degrees) / 62) ** 2 + 0.35 * jitter[0]
            root = parting + 0.35 * (degrees - parting)
            away = degrees + np.sign(degrees - parting) * (6 + 12 * (1 - self.style)) + 4 * jitter[1]
            width = 0.115 - 0.012 * self.style + 0.012 * jitter[2]
            pieces.append(
                self.lock(
                    Lock(
                        root=(1.6, root),
                        tip=(end, away),
                        width=width,
                        off=self.full + 0.004 * (k % 3),
                        flare=0.01,
                        bend=4 * jitter[0],
                        blunt=0.25 * (1 - self.style),
                    )
                )
            )
        return pieces

    def around(
        self, low: float, *, first: float, count: int, flare: float = 0.0, start: float = 1.8, width: float = 0.15
    ) -> list[Piece]:
        """Locks from the crown down the sides and the back, from `first` degrees on either side.

        Those that stand off end in points, others are cut.
        """
        blunt = 0.0 if flare > 0.03 else 0.5
        pieces = []
        for k, degrees in enumerate(np.linspace(first, 360 - first, count)):
            jitter = self.rng.uniform(-1, 1, 3)
            pieces.append(
                self.lock(
                    Lock(
                        root=(start, degrees + 5 * jitter[0]),
                        tip=(low + 0.45 * jitter[1], degrees + 7 * jitter[2]),
                        width=width,
                        off=self.full + 0.006 * (k % 2),
                        flare=flare * (1 + 0.4 * jitter[1]),
                        blunt=blunt,
                    )
                )
            )
        return pieces

    def tail(self, root: tuple[float, float], length: float, thick: float) -> list[Piece]:
        """A bundle that hangs from the back of the head, and the band around it."""
        f = self.head.frame
        start = self.head.at(np.array([root[0]]), np.array([np.radians(root[1])]), np.array([0.02]))[0]
        line = np.array(
            [(0, 0, 0), (0, 0.05, -0.16), (0, -0.05, -0.30), (0, -0.35, -0.36), (0, -0.75, -0.34), (0, -1.0, -0.30)]
        )
        line = start + line * (self.head.size, self.head.size * length, self.head.size)
        t = np.linspace(0, len(line) - 1, 12)
        path = through(line, t)
        radius = np.interp(t, (0, 0.6, 1, 2, 3, 4, 5), (0.6, 0.45, 0.75, 1.0, 1.0, 0.75, 0.08)) * thick * self.head.size
        turn = 2 * np.pi * np.arange(12) / 12
        rings = []
        way = np.gradient(path, axis=0)
        for centre, r, d in zip(path, radius, way):
            side = np.array([1.0, 0, 0])
            up = np.cross(side, d / np.linalg.norm(d))
            swell = 1 + 0.13 * np.cos(3 * turn + 0.7)
            rings.append(centre + (np.cos(turn) * r * swell)[:, None] * side + (np.sin(turn) * r * swell)[:, None] * up)
        stack = np.stack(rings)
        piece = self._piece(stack.reshape(-1, 3), tube(stack))
        share = step(-piece.vertices[:, 1], -f.joints["neck"][1], -f.joints["spine"][1])
        weights = self.w.rows({"head": 1 - 0.6 * share, "chest": 0.6 * share})
        return [
            Piece(
                vertices=piece.vertices, quads=piece.quads, weights=weights, part="hair", color=self.color, thing="hair"
            )
        ]

    def bun(self) -> list[Piece]:
        """A knot at the back of the crown."""
        centre = self.head.at(np.array([2.3]), np.array([np.pi]), np.array([0.10]))[0]
        rings, count = [], 14
        turn = 2 * np.pi * np.arange(count) / count
        for a in np.linspace(0.12, np.pi - 0.12, 9):
            r = 0.155 * self.head.size * np.sin(a) * (1 + 0.05 * np.cos(3 * turn + 2 * a))
            rings.append(
                centre
                + np.stack((r * np.cos(turn), np.full(count, 0.13 * self.head.size * np.cos(a)), r * np.sin(turn)), -1)
            )
        stack = np.stack(rings)
        return [self._piece(stack.reshape(-1, 3), tube(stack))]

    def cut(self, name: str) -> list[Piece]:
        """All of a cut."""
        cap = self.cap(self.full * (0.55 if name == "cropped" else 0.8))
        parting = float(self.rng.choice((-22, -10, 12, 24)))
        low = 4.45 + 0.25 * self.style
        makers: dict[str, Callable[[], list[Piece]]] = {
            "short": lambda: [*self.fringe(low - 0.5, parting), *self.around(7.1, first=102, count=10)],
            "spiky": lambda: [
                *self.fringe(low, parting, 5),
                *self.around(3.7, first=60, count=9, flare=0.15, start=0.7),
                *self.around(7.6, first=98, count=6, flare=0.05),
            ],
            "bob": lambda: [*self.fringe(low, parting), *self.around(9.7, first=74, count=13, width=0.16)],
            "long": lambda: [
                *self.fringe(low, parting, 6),
                *self.around(9.4, first=76, count=2, width=0.10),
                *self.around(14.5, first=106, count=8, flare=0.02, width=0.165),
            ],
            "ponytail": lambda: [*self.fringe(low, parting, 6), *self.tail((3.2, 180), 1.25, 0.15)],
            "bun": lambda: [*self.fringe(low - 0.3, parting, 6), *self.bun()],
        }
        return [cap, *(makers[name]() if name in makers else [])]  # cropped: the cap alone
