"""A body's posture as the angles of its joints, and the stance that they make.

Angles are degrees. A body with all angles 0 stands upright, looks along +Z and lets its arms hang, palms to the thighs.
"""

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from .character import Floats
from .grip import RELAXED
from .stance import FRONT, POINTED, UP, Stance
from .vectors import about, across, halfway, length, swing, unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One arm."""

    raised: float = 0
    """Of the upper arm: 0 hanging, 90 level, 180 straight up;"""
    ahead: float = 0
    """which way it is raised: 0 to the side, 90 to the front, below 0 to the back."""
    inward: float = 0
    """How far it is turned about itself, so that the elbow bends towards the other side."""
    elbow: float = 0
    """0: straight."""
    shrug: float = 0
    """Of the clavicle, upwards."""
    wrist: float = RELAXED[0]
    """Of the hand to its palm; below 0 to its back."""
    aside: float = RELAXED[1]
    """Of the hand to the thumb's side; below 0 away from it."""
    curl: float = RELAXED[2]
    """Of each joint of the fingers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One leg."""

    forward: float = 0
    """Of the thigh: 90 level to the front;"""
    aside: float = 0
    """away from the other leg;"""
    outward: float = 0
    """about itself, so that the knee looks away from the other leg."""
    knee: float = 0
    """0: straight."""
    ankle: float = 0
    """Toes up; below 0 they point down."""
    flat: float = 1
    """1: the sole is level, whatever the ankle's angle would be; 0: the angle holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """A body."""

    turn: float = 0
    """Of the hips to the left,"""
    lean: float = 0
    """forward,"""
    tilt: float = 0
    """to the left side."""
    twist: float = 0
    """Of the chest on the hips: to the left,"""
    bend: float = 0
    """forward,"""
    sway: float = 0
    """to the left side."""
    look: float = 0
    """Of the head on the chest: to the left,"""
    nod: float = 0
    """forward,"""
    cock: float = 0
    """to the left side."""
    left_arm: Arm = field(default_factory=Arm)
    right_arm: Arm = field(default_factory=Arm)
    left_leg: Leg = field(default_factory=Leg)
    right_leg: Leg = field(default_factory=Leg)
    x: float = 0
    """Where the hips are, in leg lengths,"""
    z: float = 0
    """from the origin."""
    above: float = 0
    """How far the lowest point is above the ground, in leg lengths."""

    def mirrored(self) -> "Posture":
        """Left and right exchanged."""
        changed: dict[str, Any] = {n: -getattr(self, n) for n in ("turn", "tilt", "twist", "sway", "look", "cock", "x")}
        changed |= {"left_arm": self.right_arm, "right_arm": self.left_arm}
        return replace(self, **changed, left_leg=self.right_leg, right_leg=self.left_leg)


LIMITS: dict[type, dict[str, tuple[float, float]]] = {
    Arm: {
        "raised": (0, 172),
        "ahead": (-85, 130),
        "inward": (-80, 90),
        "elbow": (0, 145),
        "shrug": (-10, 30),
        "wrist": (-70, 75),
        "aside": (-30, 20),
        "curl": (0, 85),
    },
    Leg: {
        "forward": (-30, 125),
        "aside": (-20, 60),
        "outward": (-35, 45),
        "knee": (0, 145),
        "ankle": (-50, 25),
        "flat": (0, 1),
    },
    Posture: {
        "twist": (-50, 50),
        "bend": (-25, 60),
        "sway": (-30, 30),
        "look": (-75, 75),
        "nod": (-45, 45),
        "cock": (-40, 40),
        "above": (0, 2),
    },
}
"""How far joints go; about those of healthy adults (Norkin & White, Measurement of Joint Motion, appendix)."""

Part = TypeVar("Part", bound=Arm | Leg | Posture)


def mixed(first: Part, second: Part, part: float) -> Part:
    """The way from one posture to another by a part in [0, 1], every angle by itself."""
    values: dict[str, Any] = {}
    for f in fields(first):
        a, b = getattr(first, f.name), getattr(second, f.name)
        values[f.name] = mixed(a, b, part) if is_dataclass(a) else (1 - part) * a + part * b
    return type(first)(**values)


def limited(posture: Part) -> Part:
    """The same with every angle in LIMITS."""
    values: dict[str, Any] = {}
    limits = LIMITS[type(posture)]
    for f in fields(posture):
        value = getattr(posture, f.name)
        if isinstance(value, Arm | Leg):
            values[f.name] = limited(value)
        elif f.name in limits:
            low, high = limits[f.name]
            values[f.name] = float(min(max(value, low), high))
    return replace(posture, **values)


def stance(posture: Posture) -> Stance:
    """The stance of a body in that posture."""
    p = posture
    hips = about(1, p.turn) @ about(0, p.lean) @ about(2, -p.tilt)
    chest = hips @ about(1, p.twist) @ about(0, p.bend) @ about(2, -p.sway)
    head = chest @ about(1, p.look) @ about(0, p.nod) @ about(2, -p.cock)
    shoulders = [chest @ about(2, p.left_arm.shrug), chest @ about(2, -p.right_arm.shrug)]
    turns = np.stack((hips, halfway(hips, chest), chest, halfway(chest, head), head, *shoulders))
    bones = {
        **_arm("left", p.left_arm, chest),
        **_arm("right", p.right_arm, chest),
        **_leg("left", p.left_leg, hips),
        **_leg("right", p.right_leg, hips),
    }
    along, poles = (np.stack([bones[name][k] for name in POINTED]) for k in (0, 1))
    hands = np.array([(arm.wrist, arm.aside, arm.curl) for arm in (p.left_arm, p.right_arm)])
    return Stance(
        turns=turns, along=along, poles=poles, place=np.array([p.x, p.z]), above=np.array(p.above), hands=hands
    )


def _arm(side: str, arm: Arm, chest: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Direction and pole of its bones."""
    sign = 1 if side == "left" else -1
    up, ahead = np.radians((arm.raised, arm.ahead))
    way = np.array([sign * np.sin(up) * np.cos(ahead), -np.cos(up), np.sin(up) * np.sin(ahead)])
    upper = chest @ swing(-UP, way) @ about(1, -sign * arm.inward)
    fore = upper @ about(0, -arm.elbow)
    return {f"{side}_upper_arm": (upper @ -UP, upper @ FRONT), f"{side}_forearm": (fore @ -UP, fore @ FRONT)}


def _leg(side: str, leg: Leg, hips: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Direction and pole of its bones."""
    sign = 1 if side == "left" else -1
    thigh = hips @ about(0, -leg.forward) @ about(2, sign * leg.aside) @ about(1, sign * leg.outward)
    shin = thigh @ about(0, leg.knee)
    foot = shin @ about(0, -leg.ankle)
    sole, pole = foot @ FRONT, foot @ UP
    level = across(shin @ FRONT, UP)
    if leg.flat and float(length(level)[0]) > 0.2:
        sole = unit((1 - leg.flat) * sole + leg.flat * unit(level))
        pole = unit(across((1 - leg.flat) * pole + leg.flat * UP, sole))
    bones = {"thigh": thigh, "shin": shin}
    return {f"{side}_{n}": (t @ -UP, t @ FRONT) for n, t in bones.items()} | {f"{side}_foot": (sole, pole)}
