"""What clothes the trunk and arms: a shirt of one surface from hem to cuffs, also the upper half of a dress."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..character import Floats
from .curves import bump, circle, oval, shrink, step
from .frame import Frame
from .look import Color
from .surface import Piece, grid, lid, mirrored, outward, smoothed
from .weighing import Weigher

AROUND, SLEEVE = 12, 8
"""Vertices of a ring of the trunk and of a sleeve before smoothing."""
_TURN = 2 * np.pi * np.arange(AROUND) / AROUND


def sections(f: Frame) -> dict[str, tuple[float, float, float, float]]:
    """Height, half width, front and back (metres) of the skin at named heights of the trunk."""
    j, u, look = f.joints, f.unit, f.look
    man = 0.5 + (look.gender - 0.5) * look.adult
    fat = look.weight - 0.5
    slim = 1 - 0.10 * min(look.style, 1.0)
    low, high = j["hips"][1], j["upper_arm"][1]

    def at(
        share: float, width: tuple[float, float], depth: tuple[float, float], soft: float
    ) -> tuple[float, float, float, float]:
        w = (width[0] + (width[1] - width[0]) * man) * u * slim * f.girth
        ahead = depth[0] * u * slim * (f.girth + max(fat, 0) * soft)
        return low + share * (high - low), w, ahead, -depth[1] * u * slim * f.girth

    child = 0.02 * (1 - look.grown)
    return {
        "crotch": at(-0.14, (0.158, 0.150), (0.085, 0.105), 0.1),
        "hip": at(0.0, (0.170, 0.158), (0.098, 0.118), 0.4),
        "belly": at(0.20, (0.148 + child, 0.146), (0.100 + child, 0.092), 1.0),
        "waist": at(0.37, (0.122 + child, 0.138), (0.094 + child, 0.080), 1.0),
        "ribs": at(0.58, (0.130, 0.150), (0.106, 0.088), 0.4),
        "armpit": at(0.79, (0.140, 0.163), (0.106, 0.100), 0.2),
    }


def _ring(y: float, section: tuple[float, float, float], loose: float) -> Floats:
    half, ahead, behind = section
    return oval(_TURN, half=half + loose, z=(ahead + loose, 0.0, behind - loose), y=(y, y, y), round_=0.88) / (
        shrink(AROUND),
        1,
        shrink(AROUND),
    )


def _shoulders(f: Frame, loose: float) -> list[Floats]:
    """Three rings: at half the height of the armholes, over the shoulders, around the neck."""
    u, s = f.unit, f.joints["upper_arm"]
    pit = sections(f)["armpit"]
    tip = s[0] + 0.004 * u
    y = 0.5 * (pit[0] + s[1])
    middle = oval(
        _TURN,
        half=max(pit[1] * 0.5 + tip * 0.5, pit[1]) + loose,
        z=(pit[2] * 0.90, -0.005 * u, pit[3]),
        y=(y, y, y),
        round_=0.85,
    )
    top = s[1] + 0.046 * u + loose
    over = oval(
        _TURN,
        half=tip,
        z=(0.066 * u + loose, -0.012 * u, -0.088 * u - loose),
        y=(s[1] + 0.012 * u, top, s[1] + 0.03 * u),
        round_=0.9,
    )
    n = f.joints["neck"]
    wide = 0.072 * u * (1 - 0.12 * min(f.look.style, 1.0)) * f.girth**0.5 + 0.4 * loose
    neck = oval(
        _TURN,
        half=wide,
        z=(n[2] + 0.078 * u, n[2] + 0.008 * u, n[2] - 0.056 * u),
        y=(n[1] - 0.020 * u, n[1] + 0.018 * u, n[1] + 0.034 * u),
    )
    return [middle, over, neck]


def _holes(rows: int, first: int) -> NDArray[np.int64]:
    """Faces of the trunk's rings without two columns at each side between three rows from `first` on."""
    faces = grid(rows, AROUND)
    row, column = np.divmod(np.arange(len(faces)), AROUND)
    gone = (row >= first) & (row < first + 2) & np.isin(column, (2, 3, 8, 9))
    return faces[~gone]


def _rim(first: int, side: int) -> NDArray[np.int64]:
    """The 8 vertices around the left (1) or right (-1) armhole: from the top over the front."""
    low, middle, high = (AROUND * (first + k) for k in range(3))
    at = AROUND // 4 if side > 0 else 3 * AROUND // 4
    ahead, behind = at - side, at + side
    return np.array(
        [high + at, high + ahead, middle + ahead, low + ahead, low + at, low + behind, middle + behind, high + behind]
    )


def sleeve_rings(f: Frame, end: float, loose: float) -> Floats:
    """Rings (R, 8, 3) of a left sleeve from the armhole to `end` (metres from its joint), turned in there."""
    u, s = f.unit, f.joints["upper_arm"]
    flare = 0.006 * u
    places = [k * u for k in (0.035, 0.09) if k * u < end - 0.02 * u]
    if end > 0.3 * u:
        places += [0.19 * u, 0.25 * u, 0.316 * u, 0.41 * u, end - 0.012 * u, end]
    else:
        places += [end - 0.01 * u, end]
    rings = [_arm_ring(f, s, along, arm_radius(f, along) + loose + flare * along / end) for along in places]
    inner = _arm_ring(f, s, end - 0.015 * u, arm_radius(f, end) + 0.4 * loose)
    return np.stack([*rings, inner])


def _arm_ring(f: Frame, start: Floats, along: float, radius: float) -> Floats:
    r = radius / shrink(SLEEVE)
    drop = -0.010 * f.unit * bump(along, 0.035 * f.unit, 0.05 * f.unit)
    return circle(start + f.arm * along + f.up * drop, f.up, (0, 0, 1), (r, r * 0.97), SLEEVE)


def arm_radius(f: Frame, along: float) -> float:
    """Of the bare arm, so far from the shoulder's joint."""
    u, look = f.unit, f.look
    strong = 1 + 0.25 * (look.muscle - 0.5) + 0.10 * (look.gender - 0.5) * look.adult
    slim = 1 - 0.16 * min(look.style, 1.0)
    points = (0.056, 0.050, 0.044, 0.038, 0.041, 0.034, 0.026, 0.025)
    places = np.array((0.0, 0.06, 0.16, 0.27, 0.33, 0.43, 0.515, 0.56)) * u
    return float(np.interp(along, places, points)) * u * strong * slim * f.girth**0.7


def shirt(f: Frame, w: Weigher, color: Color, *, sleeve: float, hem: float, loose: float) -> Piece:
    """The shirt, closed at hem, cuffs and neck by turned-in edges.

    Args:
        f: the measures.
        w: gives the weights.
        color: of the cloth.
        sleeve: how long, in metres from the shoulder's joint.
        hem: its height above the ground.
        loose: how far it stands off the skin, in metres.
    """
    s, u = sections(f), f.unit
    names = [name for name in ("hip", "belly", "waist", "ribs", "armpit") if s[name][0] > hem + 0.02 * u]
    heights = [s[name][0] for name in s]
    wide, ahead, behind = (float(np.interp(hem, heights, [s[name][k] for name in s])) for k in (1, 2, 3))
    at_hem = (wide, ahead, behind)
    rings = [
        _ring(hem + 0.012 * u, at_hem, 0.1 * loose),
        _ring(hem, at_hem, 1.3 * loose),
        _ring(hem + 0.014 * u, at_hem, 1.4 * loose),
        *(
            _ring(s[name][0], s[name][1:], loose * (1.25 if name in {"waist", "belly", "hip"} else 0.9))
            for name in names
        ),
    ]
    first = len(rings) - 1
    rings += _shoulders(f, 0.7 * loose)
    collar = rings[-1]
    middle = collar.mean(0)
    rings += [collar + (0, 0.008 * u, 0), middle + (collar - middle) * (0.93, 1, 0.93) + (0, -0.012 * u, 0)]
    trunk = np.stack(rings)
    rows, flat = len(rings), trunk.reshape(-1, 3)
    sleeves = sleeve_rings(f, sleeve, loose)
    vertices, faces = [flat, sleeves.reshape(-1, 3), sleeves.reshape(-1, 3) * (-1, 1, 1)], [_holes(rows, first)]
    faces += [lid(np.arange(AROUND)[::-1]), lid(np.arange(AROUND) + AROUND * (rows - 1))]
    for k, side in enumerate((1, -1)):
        start = len(flat) + k * sleeves.shape[0] * SLEEVE
        inside = grid(len(sleeves), SLEEVE, first=start)
        rim = _rim(first, side)
        ring = start + np.arange(SLEEVE)
        join = np.stack((rim, np.roll(rim, -1), np.roll(ring, -1), ring), -1)
        both = np.concatenate((join, inside, lid(ring + SLEEVE * (len(sleeves) - 1))))
        faces.append(both if side > 0 else both[:, ::-1])
    weights = _weights(f, w, flat, sleeves.reshape(-1, 3), first)
    piece = Piece(
        vertices=np.concatenate(vertices),
        quads=np.concatenate(faces),
        weights=weights,
        part="upper-clothes",
        color=color,
        thing="top",
    )
    return _shaped(f, outward(smoothed(piece)))


def _weights(f: Frame, w: Weigher, trunk: Floats, sleeve: Floats, first: int) -> Floats:
    base, arm = w.trunk(trunk), w.arm(sleeve)
    for side, swap in ((1, np.arange(len(w.names))), (-1, w.swap)):
        rim = _rim(first, side)
        mixed = 0.55 * base[rim] + 0.45 * w.arm(trunk[rim] * (side, 1, 1))[:, swap]
        high = rim >= AROUND * (first + 2)
        base[rim] = np.where(high[:, None], mixed, 0.5 * base[rim] + 0.5 * mixed)
    return np.concatenate((base, arm, arm[:, w.swap]))


def _shaped(f: Frame, piece: Piece) -> Piece:
    """With a bosom and with folds at elbows and waist, in the finer surface."""
    u, look, v = f.unit, f.look, piece.vertices.copy()
    x, y, z = v.T
    bosom = 0.034 * (1 - look.gender) * step(look.age, 11, 17) * (0.8 + 0.5 * look.weight) * u
    chest = sections(f)["armpit"][0] - 0.035 * u
    ahead = (z > 0) & (np.abs(x) < 0.17 * u)
    v[:, 2] += np.where(ahead, bosom * (bump(np.abs(x), 0.068 * u, 0.040 * u) * bump(y, chest, 0.042 * u)), 0)
    along = (v * (np.sign(x)[:, None] * (1, 0, 0) + (0, 1, 1)) - f.joints["upper_arm"]) @ f.arm
    fold = 0.0035 * u * np.sin(along / u * 150 + 6 * z / u) * bump(along, 0.285 * u, 0.04 * u)
    centre = np.stack(
        (
            np.sign(x) * (f.joints["upper_arm"][0] + along * f.arm[0]),
            f.joints["upper_arm"][1] + along * f.arm[1],
            0 * z,
        ),
        -1,
    )
    away = v - centre
    on_arm = (along > 0.1 * u) & (np.linalg.norm(away, axis=1) < 0.1 * u)
    v += np.where(
        on_arm[:, None], away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9) * fold[:, None], 0
    )
    return replace(piece, vertices=v)


def arms(f: Frame, w: Weigher, color: Color, start: float) -> tuple[Piece, Piece]:
    """Bare arms from `start` (metres from the shoulder's joint) to inside the hands."""
    u, s = f.unit, f.joints["upper_arm"]
    end = 0.548 * u
    knots = np.array([start, *(k * u for k in (0.12, 0.20, 0.25, 0.316, 0.42, 0.50) if start < (k - 0.02) * u), end])
    rings = np.stack([_arm_ring(f, s, along, arm_radius(f, along)) for along in knots])
    flat = rings.reshape(-1, 3)
    faces = [grid(len(rings), SLEEVE), lid(np.arange(SLEEVE)[::-1]), lid(np.arange(SLEEVE) + SLEEVE * (len(rings) - 1))]
    piece = Piece(
        vertices=flat, quads=np.concatenate(faces), weights=w.arm(flat), part="left-arm", color=color, thing="left hand"
    )
    left = outward(smoothed(piece))
    return left, mirrored(left, w.swap)
