"""The head: a skull between three profiles, with nose, lips and sockets raised from it; ears; the neck below.

Measures are shares of the head's height from chin (0) to crown (1), forward from the axis of the ears.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..character import Floats
from .curves import bump, oval, step, through
from .frame import Frame
from .look import Color, Look
from .surface import Piece, mirrored, outward, tube
from .weighing import Weigher

FRONT = 20
"""Columns of the face, from ear to ear; as many intervals."""
BACK = 8
"""Columns behind the ears."""
ROWS = np.array(
    (0.3, 1.2, 2.1, 3.0, 3.9, 4.65, 5.2, 5.7, 6.1, 6.5, 6.85, 7.2, 7.5, 7.8, 8.1, 8.4, 8.75)
    + (9.1, 9.55, 10.0, 10.5, 11.0, 11.5, 12.4, 13.5, 15.0)
)
"""Where between the profiles' points the rings lie."""

# Points from the crown to the neck: front (y, z), side (y, half width, z), back (y, z).
_PROFILE = np.array(
    [
        (1.000, 0.02, 1.000, 0.020, -0.03, 1.000, -0.08),
        (0.982, 0.15, 0.985, 0.155, -0.03, 0.985, -0.21),
        (0.925, 0.27, 0.940, 0.250, -0.04, 0.935, -0.34),
        (0.835, 0.355, 0.860, 0.312, -0.04, 0.840, -0.425),
        (0.715, 0.395, 0.730, 0.340, -0.04, 0.690, -0.455),
        (0.590, 0.405, 0.600, 0.340, -0.04, 0.550, -0.440),
        (0.490, 0.382, 0.480, 0.330, -0.03, 0.450, -0.405),
        (0.390, 0.385, 0.370, 0.312, -0.02, 0.360, -0.355),
        (0.285, 0.388, 0.255, 0.282, -0.01, 0.270, -0.300),
        (0.185, 0.388, 0.165, 0.255, 0.01, 0.200, -0.268),
        (0.090, 0.378, 0.095, 0.222, 0.03, 0.130, -0.252),
        (0.018, 0.360, 0.045, 0.190, 0.02, 0.060, -0.245),
        (-0.022, 0.270, 0.000, 0.172, -0.04, 0.000, -0.242),
        (-0.060, 0.115, -0.070, 0.168, -0.08, -0.070, -0.246),
        (-0.200, 0.075, -0.200, 0.172, -0.09, -0.180, -0.252),
        (-0.380, 0.085, -0.360, 0.200, -0.09, -0.320, -0.262),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Face:
    """Where features lie on the face, in shares of the head's height."""

    eye: tuple[float, float]
    """Middle of the left eye: sideways, up."""
    eye_size: tuple[float, float]
    """Half its width, half its height."""
    nose: float
    """Height of its tip."""
    nose_length: float
    """How far it stands out."""
    mouth: float
    """Its height."""
    mouth_width: float
    """Half of it."""
    brow: float
    """Its height above the middle of the eye."""


def face(look: Look) -> Face:
    """The features for a look: large low eyes and a small nose in drawn styles and in children, less so in the old."""
    s, child, old = min(look.style, 1.4) * (1 - 0.35 * look.old), 1 - look.grown, look.old
    woman = (1 - look.gender) * (0.4 + 0.6 * look.adult)
    eye_y = 0.485 - 0.105 * s - 0.045 * child
    return Face(
        eye=(0.146 + 0.020 * s + 0.004 * child, eye_y),
        eye_size=(
            0.062 + 0.004 * woman + 0.032 * s + 0.006 * child,
            (0.027 + 0.036 * s + 0.008 * child + 0.004 * woman) * (1 - 0.22 * old),
        ),
        nose=0.300 - 0.060 * s - 0.01 * child,
        nose_length=(0.105 - 0.012 * woman) * (1 - 0.45 * min(s, 1)) * (1 - 0.35 * child) * (1 + 0.15 * old),
        mouth=0.192 - 0.044 * s - 0.005 * child - 0.006 * old,
        mouth_width=(0.098 + 0.004 * look.gender) * (1 - 0.28 * min(s, 1)) * (1 - 0.1 * child),
        brow=0.095 + 0.060 * s - 0.012 * look.gender * look.adult - 0.014 * old,
    )


class Head:
    """The shape of a head for a figure: a surface over (row of the profile, angle from the front)."""

    def __init__(self, f: Frame) -> None:
        look = f.look
        self.frame, self.size, self.profile = f, f.head, _profile(look, f)
        wanted = face(look)
        wide = float(np.interp(-wanted.eye[1], -self.profile[2:10, 2], self.profile[2:10, 3]))
        x = min(wanted.eye[0], 0.50 * wide)
        half = min(wanted.eye_size[0], (0.86 * wide - x) / 1.14)  # lashes reach that far; the face must be under them
        self.face = replace(wanted, eye=(x, wanted.eye[1]), eye_size=(half, min(wanted.eye_size[1], 0.9 * half)))
        self.base = np.array([0.0, f.chin, 0.02 * f.head - 0.012 * f.unit])

    def local(self, rows: Floats, turns: Floats) -> Floats:
        """Places (N, 3) at rows and angles, in shares of the head's height, without features."""
        p = through(self.profile, rows).T
        full = np.interp(rows, (0, 3, 6, 10, 12, 14), (1.0, 0.94, 0.90, 0.98, 1.0, 1.0))
        return oval(turns, half=p[3], z=(p[1], p[4], p[6]), y=(p[0], p[2], p[5]), round_=full)

    def at(self, rows: Floats, turns: Floats, out: Floats) -> Floats:
        """Places (M, 3) in metres at rows and angles, so far (shares) off the skull."""
        skull = self.local(rows, turns)
        middle = np.stack((0 * rows, np.interp(rows, (0, 5, 8), (0.6, 0.55, 0.45)), 0 * rows - 0.04), -1)
        middle[:, 1] = np.where(rows > 5, skull[:, 1], middle[:, 1])
        away = skull - middle
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        return self.placed(skull + away * np.asarray(out)[:, None])

    def placed(self, local: Floats) -> Floats:
        """From shares of the head's height to metres."""
        return np.asarray(local * self.size + self.base)

    def skin(self, w: Weigher, color: Color) -> Piece:
        """Head and neck, closed inside the collar."""
        ahead = np.linspace(-np.pi / 2, np.pi / 2, FRONT + 1)
        ahead = ahead - 0.10 * np.sin(2 * ahead)  # closer together around the middle
        turn = np.concatenate((ahead, np.linspace(np.pi / 2, 1.5 * np.pi, BACK + 1)[1:-1]))
        rings = np.stack([self._featured(self.local(np.full(len(turn), row), turn)) for row in ROWS])
        flat = self.placed(rings.reshape(-1, 3))
        return outward(
            Piece(vertices=flat, quads=tube(rings), weights=w.neck(flat), part="face", color=color, thing="head")
        )

    def _featured(self, p: Floats) -> Floats:
        """A ring with what is raised from the face."""
        c, look = self.face, self.frame.look
        x, y, z = p.T
        front = step(z, 0.05, 0.2)
        s = min(look.style, 1.0)
        top = c.eye[1] + 0.02
        down = np.clip((top - y) / (top - c.nose), 0, 1.3)
        ridge = np.where(down <= 1, down**1.25, np.clip(1 - (down - 1) / 0.16, 0, 1))
        wide = 0.020 + 0.026 * (1 - 0.45 * s) * np.clip(down, 0, 1)
        out = c.nose_length * ridge * np.exp(-0.5 * (x / wide) ** 2)
        wings = 0.022 * (1 - s) * bump(np.abs(x), 0.050, 0.018) * bump(y, c.nose + 0.015, 0.02)
        side = np.abs(x)
        socket = -0.030 * (1 - 0.55 * s) * bump(side, c.eye[0] - 0.01, 0.075) * bump(y, c.eye[1], 0.045)
        brow = 0.012 * look.gender * look.adult * (1 - s) * bump(side, 0.12, 0.08) * bump(y, c.eye[1] + 0.10, 0.03)
        lips = (
            0.022
            * (1 - 0.7 * s)
            * (1 - 0.5 * look.old)
            * bump(x, 0, c.mouth_width * 0.6)
            * (bump(y, c.mouth + 0.018, 0.014) + bump(y, c.mouth - 0.026, 0.016))
        )
        under = -0.014 * (1 - s) * bump(x, 0, 0.09) * bump(y, c.mouth - 0.065, 0.02)
        chin = (0.022 + 0.008 * look.old) * bump(x, 0, 0.06 - 0.02 * s) * bump(y, 0.045, 0.05)
        cheek = (0.010 + 0.012 * (1 - look.grown)) * bump(side, 0.20, 0.06) * bump(y, c.eye[1] - 0.15, 0.07)
        sunken = -0.016 * look.old * bump(side, 0.20, 0.05) * bump(y, c.mouth + 0.05, 0.05)
        moved = p.copy()
        moved[:, 2] += front * (out + wings + socket + brow + lips + under + chin + cheek + sunken)
        return moved

    def tip(self, skin: Piece) -> int:
        """The vertex of the skin that is the tip of the nose."""
        x, y, z = ((skin.vertices - self.base) / self.size).T
        near = (np.abs(x) < 1e-6) & (np.abs(y - self.face.nose) < 0.07)
        return int(np.argmax(np.where(near, z, -np.inf)))

    def ears(self, w: Weigher, color: Color) -> tuple[Piece, Piece]:
        """Both ears: a rim around a hollow."""
        c, look = self.face, self.frame.look
        around = 10
        turn = 2 * np.pi * np.arange(around) / around
        high = 0.098 * (1 - 0.15 * min(look.style, 1.0)) * (1 + 0.14 * look.old)
        middle_y = c.eye[1] - 0.055 + 0.01 * min(look.style, 1.0)
        row = float(np.interp(-middle_y, -self.profile[2:10, 2], np.arange(2, 10)))
        anchor = self.local(np.array([row]), np.array([np.radians(97.0)]))[0]
        outline = np.stack((0 * turn, high * np.cos(turn), -0.055 * np.sin(turn) * (1 + 0.30 * np.cos(turn))), -1)
        steps = ((-0.030, 0.72), (0.004, 0.80), (0.032, 1.0), (0.045, 0.95), (0.036, 0.74), (0.016, 0.45))
        rings = []
        for out, size in steps:
            ring = outline * size + (out, 0, 0)
            ring[:, 0] += -0.40 * ring[:, 2] * np.clip(out / 0.04, 0, 1) + 0.12 * ring[:, 1] * np.clip(out / 0.04, 0, 1)
            ring[:, 2] -= 0.20 * ring[:, 1]
            rings.append(ring + anchor)
        stack = np.stack(rings)
        flat = self.placed(stack.reshape(-1, 3))
        left = outward(
            Piece(
                vertices=flat,
                quads=tube(stack),
                weights=w.only("head", len(flat)),
                part="face",
                color=color,
                thing="left ear",
            )
        )
        return left, mirrored(left, w.swap)


def _profile(look: Look, f: Frame) -> Floats:
    p = _PROFILE.copy()
    s, child, man = min(look.style, 1.0), 1 - look.grown, look.gender * look.adult
    woman = (1 - look.gender) * look.adult
    jaw = np.interp(np.arange(len(p)), (6, 8, 10, 11, 13), (0, 1, 1, 0.7, 0))
    p[:, 3] *= (
        1
        + jaw * (0.09 * man - 0.055 * woman - 0.15 * s * (1 - 0.6 * look.old) - 0.02 * child)
        + 0.03 * (f.girth - 1) * 4 * jaw
    )
    p[:, 3] *= 1 + np.interp(np.arange(len(p)), (1, 4, 7, 9), (0, 1, 1, 0)) * 0.05 * max(s, child)
    p[:, 3] *= 1 + np.interp(np.arange(len(p)), (6, 7.5, 9.5, 10.5, 12), (0, -0.03, 0.06, 0.04, 0)) * look.old  # jowls
    p[:11, [4, 6]] -= 0.01 * child
    p[6:12, 1] -= 0.020 * s + 0.025 * child
    p[11, 1] += 0.012 * man
    neck = 1 + 0.16 * man - 0.09 * woman - 0.16 * s - 0.10 * child + 0.15 * (f.girth - 1)
    low = np.interp(np.arange(len(p)), (10, 12, 15), (0, 1, 1))
    ratio = 1 + low * (neck * f.unit / f.head * 0.239 - 1)  # necks go with the body, not with the head
    p[:, 3] *= ratio
    middle = -0.09
    p[:, 6] = np.where(low > 0, middle + (p[:, 6] - middle) * ratio, p[:, 6])
    p[:, 1] = np.where(np.arange(len(p)) >= 13, middle + (p[:, 1] - middle) * ratio, p[:, 1])
    # the last points lie in the body, however long the head is
    drop = (f.chin - f.joints["neck"][1]) / f.head
    for k, column in ((14, 0), (14, 2), (14, 5)):
        p[k, column] = -0.62 * drop - 0.03
    p[15, [0, 2, 5]] = -drop - np.array([0.28, 0.20, 0.10]) * 0.06 / f.head
    return p
