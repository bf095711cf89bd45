"""Hands: a palm and five fingers of two bones, each a closed tube."""

import numpy as np

from ..character import Floats
from .curves import circle, step
from .frame import Frame, fingers
from .look import Color
from .surface import Piece, mirrored, outward, tube
from .weighing import Weigher

SIDES = 10
_FINGER = 6


def hands(f: Frame, w: Weigher, color: Color) -> list[Piece]:
    """Palms and fingers of both hands."""
    slim = 1 - 0.10 * min(f.look.style, 1.0) - 0.05 * (1 - f.look.gender) * f.look.adult
    left = [
        _palm(f, w, color, slim),
        *(_finger(f, w, color, name, places, slim) for name, places in fingers(f).items()),
    ]
    return [*left, *(mirrored(piece, w.swap) for piece in left)]


def _palm(f: Frame, w: Weigher, color: Color, slim: float) -> Piece:
    u, wrist = f.unit, f.joints["hand"]
    ahead, up = f.hand_axes
    path = (
        (-0.012, 0.024, 0.019, 0.0),
        (0.012, 0.030, 0.019, 0.001),
        (0.040, 0.041, 0.019, 0.004),
        (0.068, 0.043, 0.016, 0.001),
        (0.092, 0.040, 0.012, 0.0),
        (0.102, 0.033, 0.008, 0.0),
    )
    rings = np.stack(
        [
            circle(wrist + (f.arm * a + ahead * z) * u, up, ahead, (thick * u * slim, wide * u * slim), SIDES)
            for a, wide, thick, z in path
        ]
    )
    flat = rings.reshape(-1, 3)
    along = (flat - wrist) @ f.arm
    hand = step(along, -0.025 * u, 0.02 * u)
    weights = w.rows({"left_forearm": 1 - hand, "left_hand": hand})
    piece = Piece(vertices=flat, quads=tube(rings), weights=weights, part="left-arm", color=color, thing="left hand")
    return outward(piece)


def _finger(f: Frame, w: Weigher, color: Color, name: str, places: Floats, slim: float) -> Piece:
    """A tube from inside the palm through the middle joint to a round tip."""
    u = f.unit
    knuckle, middle, tip = places
    thick = {"thumb": 0.0112, "index": 0.0092, "middle": 0.0096, "ring": 0.0090, "pinky": 0.0078}[name] * u * slim
    first, second = middle - knuckle, tip - middle
    inside = knuckle - 0.022 * u * first / np.linalg.norm(first)
    line = [inside, middle - 0.25 * first, middle + 0.12 * second, middle + 0.82 * second, tip]
    radii = np.array([1.22, 1.03, 0.98, 0.85, 0.42]) * thick
    if name == "thumb":
        radii[:2] = 1.7 * thick, 1.25 * thick
    rings = []
    for k, (centre, radius) in enumerate(zip(line, radii)):
        way = second if k > 2 else first + second if k in {1, 2} else first
        way = way / np.linalg.norm(way)
        side = np.cross(way, f.up)
        side /= np.linalg.norm(side)
        rings.append(circle(centre, np.cross(side, way), side, (radius, radius), _FINGER))
    stack = np.stack(rings)
    flat = stack.reshape(-1, 3)
    axis = (second + first) / np.linalg.norm(second + first)
    start, bend = (knuckle - middle) @ axis, (flat - middle) @ axis
    a, b = step(bend, start - 0.012 * u, start + 0.012 * u), step(bend, -0.008 * u, 0.008 * u)
    weights = w.rows({"left_hand": 1 - a, f"left_{name}_1": a * (1 - b), f"left_{name}_2": a * b})
    piece = Piece(vertices=flat, quads=tube(stack), weights=weights, part="left-arm", color=color, thing="left hand")
    return outward(piece)
