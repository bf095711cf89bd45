"""What clothes the hips and legs: trousers of one surface, skirts, bare legs and shoes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..character import Floats
from ..drape import Drape
from .curves import circle, oval, shrink, step
from .frame import Frame
from .look import Color
from .surface import Piece, grid, lid, mirrored, outward, smoothed, tube
from .trunk import AROUND, sections
from .weighing import Weigher

PLEATS, CLOTH, LINING = 36, 8, 4
"""Vertices of a ring of a skirt, its rings from the waist to the hem, and those inside up again."""
LEG = 8
"""Vertices of a ring of a leg before smoothing: 7 of half a ring of the hips and 1 between the legs."""
_TURN = 2 * np.pi * np.arange(AROUND) / AROUND


def leg_radius(f: Frame, y: float) -> float:
    """Of the bare leg at that height."""
    j, u, look = f.joints, f.unit, f.look
    strong = 1 + 0.15 * (look.muscle - 0.5)
    slim = 1 - 0.12 * min(look.style, 1.0)
    knee, hip, foot = j["shin"][1], j["thigh"][1], j["foot"][1]
    places = (
        0.0,
        foot,
        foot + 0.3 * (knee - foot),
        foot + 0.65 * (knee - foot),
        knee,
        knee + 0.3 * (hip - knee),
        hip - 0.06 * u,
    )
    radii = (0.040, 0.037, 0.044, 0.056, 0.053, 0.066, 0.084)
    return float(np.interp(y, places, radii)) * u * strong * slim * f.girth**0.8


def leg_ring(f: Frame, y: float, loose: float) -> Floats:
    """A ring (8, 3) around the left leg, whose first vertex is at the front, 45 degrees to the inside."""
    j = f.joints
    heights = [j["foot"][1], j["shin"][1], j["thigh"][1]]
    x, z = (float(np.interp(y, heights, [j[name][k] for name in ("foot", "shin", "thigh")])) for k in (0, 2))
    calf = -0.012 * f.unit * np.exp(-(((y - j["shin"][1] * 0.72) / (0.09 * f.unit)) ** 2))
    slim = 1 - 0.12 * float(step(y, j["shin"][1], j["thigh"][1] - 0.06 * f.unit))
    deep = (leg_radius(f, y) + loose) / shrink(LEG)
    wide = (leg_radius(f, y) * slim + loose) / shrink(LEG)
    x = max(x, wide * shrink(LEG) + 0.003 * f.unit)  # legs do not run into each other
    turn = np.radians(-45) + 2 * np.pi * np.arange(LEG) / LEG
    return np.stack((x + wide * np.sin(turn), np.full(LEG, y), z + calf + deep * np.cos(turn)), -1)


def trousers(f: Frame, w: Weigher, color: Color, *, hem: float, loose: float, straight: float) -> Piece:
    """Trousers from the waist to `hem` (metres above the ground), closed by turned-in edges.

    Args:
        f: the measures.
        w: gives the weights.
        color: of the cloth.
        hem: height of its end.
        loose: how far it stands off the skin.
        straight: how much wider it gets at the hem.
    """
    s, u = sections(f), f.unit
    belly, hip, crotch = s["belly"], s["hip"], s["crotch"]

    def ring(y: float, half: float, ahead: float, behind: float) -> Floats:
        near = oval(_TURN, half=half + loose, z=(ahead + loose, 0.0, behind - loose), y=(y, y, y), round_=0.9)
        return np.asarray(near / (shrink(AROUND), 1, shrink(AROUND)))

    top = hip[0] + 0.04 * u  # under the shirt
    share = (top - hip[0]) / (belly[0] - hip[0])
    small = [0.93 * (a + share * (b - a)) for a, b in zip(hip[1:], belly[1:])]
    low = ring(*crotch)
    low[:, 1] += 0.05 * u * np.abs(np.sin(_TURN))
    low[:, 1] -= 0.015 * u
    rows = [ring(top - 0.02 * u, *(0.8 * k for k in small)), ring(top, *small), ring(*hip), low]
    trunk = np.concatenate(rows)
    first = AROUND * (len(rows) - 1)
    between = np.array([(0.0, low[0, 1] - 0.015 * u, 0.0)])
    heights = [k for k in _heights(f) if k > hem + 0.02 * u]
    legs = [leg_ring(f, k, loose + straight * float(step(k, hem + 0.25 * u, hem))) for k in heights]
    wide = loose + straight
    legs += [leg_ring(f, hem + 0.012 * u, wide), leg_ring(f, hem, wide), leg_ring(f, hem + 0.015 * u, 0.3 * wide)]
    leg = np.concatenate(legs)
    vertices = np.concatenate((trunk, between, leg, leg * (-1, 1, 1)))
    inner = np.array([len(trunk)])
    starts = len(trunk) + 1 + len(leg) * np.arange(2)
    left = np.concatenate((first + np.arange(7), inner))
    right = np.concatenate((first + (-np.arange(7)) % AROUND, inner))
    faces = [grid(len(rows), AROUND), lid(np.arange(AROUND)[::-1])]
    faces += [_leg_faces(left, starts[0], len(legs)), _leg_faces(right, starts[1], len(legs))[:, ::-1]]
    leg_weights = w.leg(leg)
    hips = w.trunk(trunk)
    rim = slice(first, first + AROUND)
    hips[rim] = _low(f, w, trunk[rim])
    weights = np.concatenate((hips, _low(f, w, between), leg_weights, leg_weights[:, w.swap]))
    piece = Piece(
        vertices=vertices, quads=np.concatenate(faces), weights=weights, part="pants", color=color, thing="bottom"
    )
    return outward(smoothed(piece))


def _heights(f: Frame) -> list[float]:
    """Of the rings of a leg, from the top."""
    j, u = f.joints, f.unit
    knee, foot, top = j["shin"][1], j["foot"][1], j["thigh"][1] - 0.115 * u
    return [
        *(top + share * (knee + 0.06 * u - top) for share in (0.0, 0.55)),
        *(knee + 0.05 * u, knee - 0.045 * u),
        *(knee - 0.045 * u + share * (foot + 0.02 * u - knee + 0.045 * u) for share in (0.4, 1.0)),
    ]


def _low(f: Frame, w: Weigher, vertices: Floats) -> Floats:
    """Where hips become legs: each side follows its thigh, the middle stays."""
    side = np.abs(vertices[:, 0]) / (0.15 * f.unit)
    share = np.clip(0.25 + 0.4 * side, 0, 0.6)
    left = step(vertices[:, 0], -0.05 * f.unit, 0.05 * f.unit)
    return w.rows({"hips": 1 - share, "left_thigh": share * left, "right_thigh": share * (1 - left)})


def _leg_faces(rim: NDArray[np.int64], start: int, rings: int) -> NDArray[np.int64]:
    ring = start + np.arange(LEG)
    join = np.stack((rim, np.roll(rim, -1), np.roll(ring, -1), ring), -1)
    return np.concatenate((join, grid(rings, LEG, first=start), lid(ring + LEG * (rings - 1))))


def bare_legs(f: Frame, w: Weigher, color: Color, top: float) -> tuple[Piece, Piece]:
    """Legs from inside the clothes (height `top`) to inside the shoes."""
    u, j = f.unit, f.joints
    low = j["foot"][1] - 0.03 * u
    heights = [top, *(y for y in _heights(f) if low + 0.02 * u < y < top - 0.07 * u), low]
    rings = np.stack([leg_ring(f, y, 0.0) for y in heights])
    flat = rings.reshape(-1, 3)
    piece = Piece(vertices=flat, quads=tube(rings), weights=w.leg(flat), part="left-leg", color=color, thing="left leg")
    left = outward(smoothed(piece))
    return left, mirrored(left, w.swap)


def skirt(f: Frame, w: Weigher, color: Color, *, hem: float, part: str, thing: str) -> Piece:
    """A skirt with soft folds from the waist to `hem`; its inside is there too."""
    s, u = sections(f), f.unit
    turn = 2 * np.pi * np.arange(PLEATS) / PLEATS
    names = ("waist", "belly", "hip", "crotch")
    heights = np.array([s[name][0] for name in names])[::-1]
    top = s["belly"][0] + 0.055 * u

    def ring(y: float, inside: float = 0.0) -> Floats:
        half, ahead, behind = (float(np.interp(y, heights, [s[name][k] for name in names][::-1])) for k in (1, 2, 3))
        down = float(np.clip((s["hip"][0] + 0.03 * u - y) / u, 0, 1))
        fold = (0.03 * down + 0.11 * down**1.3) * 0.33 * np.cos(12 * turn + 0.6 * np.sin(3 * turn)) * u
        out = (0.012 + 0.30 * down) * u - inside + fold
        near = oval(turn, half=half, z=(ahead, 0.0, behind), y=(y, y, y), round_=0.95)
        return np.asarray(near + np.stack((np.sin(turn) * out, 0 * turn, np.cos(turn) * out), -1))

    outer = [ring(y) for y in np.linspace(top, hem, CLOTH)]
    inner = [ring(y, 0.008 * u) for y in np.linspace(hem + 0.002 * u, s["crotch"][0], LINING)]
    rings = np.stack([ring(top - 0.01 * u, 0.03 * u), *outer, *inner])
    flat = rings.reshape(-1, 3)
    return outward(Piece(vertices=flat, quads=tube(rings), weights=w.skirt(flat), part=part, color=color, thing=thing))


def drape(f: Frame, skirt: Piece, first: int, names: Sequence[str]) -> Drape:
    """How a skirt, of which the first vertex has that number, lies over the legs; `names` are those of the bones."""
    rings = first + np.arange((1 + CLOTH + LINING) * PLEATS).reshape(-1, PLEATS)
    heights = skirt.vertices[:, 1].reshape(-1, PLEATS)[:, 0]
    joints = ("thigh", "shin", "foot")
    rods = [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in zip(joints, joints[1:])]
    thick = {name: leg_radius(f, f.joints[name][1]) + 0.028 * f.unit for name in joints}
    return Drape(
        cloth=rings[1 : 1 + CLOTH].astype(np.int32),
        lining=rings[1 + CLOTH :].astype(np.int32),
        beside=np.interp(-heights[1 + CLOTH :], -heights[1 : 1 + CLOTH], np.arange(CLOTH)),
        hips=names.index("hips"),
        rods=np.array([[names.index(name) for name in rod] for rod in rods], np.int32),
        radii=np.array([[thick[name.split("_")[1]] for name in rod] for rod in rods]),
    )


def shoes(f: Frame, w: Weigher, color: Color, sole: Color) -> list[Piece]:
    """Both shoes, each a surface that turns from the ankle to the toes, on a sole."""
    u, foot, toe = f.unit, f.joints["foot"], f.joints["toe"]
    x = foot[0]
    turned = 0.10
    around = 14
    # centre z and y, tilt of the ring in degrees, half width, half height
    path = (
        (-0.022, 0.150, 0, 0.042, 0.044),
        (-0.022, 0.158, 0, 0.048, 0.052),
        (-0.024, 0.110, 6, 0.046, 0.053),
        (-0.012, 0.070, 40, 0.043, 0.078),
        (0.040, 0.052, 72, 0.042, 0.056),
        (0.090, 0.040, 84, 0.047, 0.041),
        (0.135, 0.032, 90, 0.050, 0.033),
        (0.180, 0.027, 92, 0.043, 0.027),
        (0.204, 0.025, 95, 0.027, 0.018),
    )
    slim = 1 - 0.08 * min(f.look.style, 1.0)
    rings = []
    for z, y, tilt, half, high in path:
        a = np.radians(tilt)
        ring = circle((0, y * u, z * u), (1, 0, 0), (0, np.sin(a), np.cos(a)), (half * u * slim, high * u), around)
        rings.append(ring)
    cage = np.stack(rings)
    flat = cage.reshape(-1, 3)
    flat[:, 1] = np.maximum(flat[:, 1], 0.014 * u)
    flat = _placed(flat, x, turned)
    piece = Piece(
        vertices=flat,
        quads=tube(cage),
        weights=_foot(f, w, flat, toe),
        part="left-shoe",
        color=color,
        thing="left shoe",
    )
    upper = outward(piece)
    turn = 2 * np.pi * np.arange(16) / 16
    outline = oval(turn, half=0.047 * u * slim, z=(0.214 * u, 0.09 * u, -0.082 * u), y=(0, 0, 0), round_=0.82)
    waist = 1 - 0.22 * np.exp(-(((outline[:, 2] / u - 0.03) / 0.05) ** 2))
    outline[:, 0] *= waist * (0.92 + 0.10 * step(outline[:, 2], 0.02 * u, 0.13 * u))
    levels = [outline * (0.97, 1, 0.985), outline + (0, 0.004 * u, 0), outline + (0, 0.022 * u, 0)]
    stack = np.stack(levels)
    flat = _placed(stack.reshape(-1, 3), x, turned)
    slab = outward(
        Piece(
            vertices=flat,
            quads=tube(stack),
            weights=_foot(f, w, flat, toe),
            part="left-shoe",
            color=sole,
            thing="left sole",
        )
    )
    return [upper, mirrored(upper, w.swap), slab, mirrored(slab, w.swap)]


def _placed(vertices: Floats, x: float, turned: float) -> Floats:
    turn = np.array([[np.cos(turned), 0, np.sin(turned)], [0, 1, 0], [-np.sin(turned), 0, np.cos(turned)]])
    return np.asarray(vertices @ turn.T + (x, 0, 0))


def _foot(f: Frame, w: Weigher, vertices: Floats, toe: Floats) -> Floats:
    u = f.unit
    shin = step(vertices[:, 1], 0.085 * u, 0.15 * u)
    front = step(vertices[:, 2], toe[2] - 0.025 * u, toe[2] + 0.025 * u)
    return w.rows({"left_shin": shin, "left_foot": (1 - shin) * (1 - front), "left_toe": (1 - shin) * front})
