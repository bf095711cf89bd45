"""Measures and bones of the built-in figure: where its joints are, for a look.

Heights by age are rounded means of growth charts; heads in a figure's height, and where joints lie between the soles
and the chin, are the rules of drawing books (7.5 heads for an adult, 5 for a small child).
"""

from dataclasses import dataclass

import numpy as np

from ..character import Floats, Skeleton
from .look import Look

_AGES = (2, 4, 6, 8, 10, 12, 14, 16, 18, 60, 90)
_WOMAN = (0.86, 1.02, 1.15, 1.27, 1.38, 1.50, 1.59, 1.63, 1.65, 1.63, 1.57)
_MAN = (0.87, 1.03, 1.16, 1.28, 1.38, 1.49, 1.63, 1.73, 1.77, 1.75, 1.69)
_HEADS = (4.7, 5.3, 5.7, 6.1, 6.5, 6.8, 7.1, 7.3, 7.4, 7.4, 7.3)
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
ARM_ANGLE = np.radians(52)
"""How far arms hang below the horizontal at rest."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Measures in metres, of the left side where there are two."""

    look: Look
    height: float
    head: float
    """From chin to crown."""
    chin: float
    """Its height above the ground."""
    unit: float
    """1 for the body of an adult of 1.77 m: what thicknesses are measured by."""
    girth: float
    """1 for a body neither thin nor heavy."""
    joints: dict[str, Floats]
    """Heads of bones by name, left and middle."""
    arm: Floats
    """(3,), direction of the left arm at rest."""

    @property
    def up(self) -> Floats:
        """Across the left arm, (3,)."""
        return np.array([-self.arm[1], self.arm[0], 0.0])

    @property
    def hand_axes(self) -> tuple[Floats, Floats]:
        """Across the left hand, to the side of the thumb, and out of its back: half ahead at rest."""
        ahead, turn = np.array([0.0, 0.0, 1.0]), np.radians(50)
        return np.cos(turn) * ahead - np.sin(turn) * self.up, np.cos(turn) * self.up + np.sin(turn) * ahead


def frame(look: Look) -> Frame:
    """The measures of a figure of that look."""
    tall = float(
        (1 - look.gender) * np.interp(look.age, _AGES, _WOMAN) + look.gender * np.interp(look.age, _AGES, _MAN)
    )
    heads = float(np.interp(look.age, _AGES, _HEADS)) * (1 - 0.2 * look.style)
    tall *= 1 - 0.04 * look.style
    head = tall / heads
    chin = tall - head
    unit = chin / 1.53
    legs = (0.88 + 0.12 * look.grown) * (1 + 0.03 * min(look.style, 1.0)) + 0.01 * (1 - look.gender) * look.adult
    man = 0.5 + (look.gender - 0.5) * look.adult
    slim = 1 - 0.07 * min(look.style, 1.0)
    arm = np.array([np.cos(ARM_ANGLE), -np.sin(ARM_ANGLE), 0.0])
    shoulder = np.array([(0.158 + 0.027 * man) * unit * slim, 0.925 * chin, -0.005 * unit])
    hip = np.array([0.085 * unit * slim, 0.585 * chin * legs, 0.0])
    joints = {
        "hips": np.array([0, hip[1] + 0.02 * unit, 0.0]),
        "spine": np.array([0, hip[1] + 0.30 * (shoulder[1] - hip[1]), -0.005 * unit]),
        "chest": np.array([0, hip[1] + 0.58 * (shoulder[1] - hip[1]), -0.01 * unit]),
        "neck": np.array([0, 0.952 * chin, -0.03 * unit]),
        "head": np.array([0, chin + 0.10 * head, -0.06 * head]),
        "crown": np.array([0, tall, 0.0]),
        "shoulder": np.array([0.03 * unit, shoulder[1] + 0.01 * unit, 0.0]),
        "upper_arm": shoulder,
        "forearm": shoulder + arm * 0.283 * unit,
        "hand": shoulder + arm * (0.283 + 0.245) * unit,
        "palm": shoulder + arm * (0.283 + 0.245 + 0.085) * unit,
        "thigh": hip,
        "shin": np.array([0.082 * unit * slim, 0.53 * hip[1], 0.012 * unit]),
        "foot": np.array([0.08 * unit * slim, 0.082 * unit, -0.02 * unit]),
        "toe": np.array([0.088 * unit * slim, 0.03 * unit, 0.115 * unit]),
        "tip": np.array([0.092 * unit * slim, 0.02 * unit, 0.185 * unit]),
    }
    girth = 1 + 0.45 * (look.weight - 0.5) + 0.10 * (1 - look.grown)
    return Frame(look=look, height=tall, head=head, chin=chin, unit=unit, girth=girth, joints=joints, arm=arm)


def fingers(f: Frame) -> dict[str, Floats]:
    """Three places (3, 3) of each finger of the left hand: knuckle, middle joint, tip."""
    out, (across, up) = f.arm, f.hand_axes
    palm, wrist, u = f.joints["palm"], f.joints["hand"], f.unit
    places = {}
    for name, z, ahead, length in (
        ("index", 0.029, 0.002, 0.070),
        ("middle", 0.010, 0.006, 0.079),
        ("ring", -0.009, 0.003, 0.073),
        ("pinky", -0.027, -0.006, 0.056),
    ):
        start = palm + (z * across + ahead * out) * u
        way = out + across * (z * 3.0) - up * 0.10
        way /= np.linalg.norm(way)
        bent = way - up * 0.20
        middle = start + way * length * 0.52 * u
        places[name] = np.stack((start, middle, middle + bent / np.linalg.norm(bent) * length * 0.48 * u))
    start = wrist + (0.024 * out + 0.026 * across - 0.006 * up) * u
    way = out * 0.72 + across * 0.66 - up * 0.22
    way /= np.linalg.norm(way)
    middle = start + way * 0.040 * u
    turned = way + out * 0.35
    places["thumb"] = np.stack((start, middle, middle + turned / np.linalg.norm(turned) * 0.032 * u))
    return places


def skeleton(f: Frame) -> Skeleton:
    """The bones: 5 in the middle, and 8 and ten of fingers on each side."""
    j = f.joints
    bones: list[tuple[str, str, Floats, Floats]] = [
        ("hips", "", j["hips"], j["spine"]),
        ("spine", "hips", j["spine"], j["chest"]),
        ("chest", "spine", j["chest"], j["neck"]),
        ("neck", "chest", j["neck"], j["head"]),
        ("head", "neck", j["head"], j["crown"]),
    ]
    chain = (
        *(("shoulder", "chest", "upper_arm"), ("upper_arm", "shoulder", "forearm"), ("forearm", "upper_arm", "hand")),
        *(("hand", "forearm", "palm"), ("thigh", "hips", "shin"), ("shin", "thigh", "foot"), ("foot", "shin", "toe")),
        ("toe", "foot", "tip"),
    )
    for side, mirror in (("left", 1.0), ("right", -1.0)):
        at = np.array([mirror, 1.0, 1.0])
        for name, parent, end in chain:
            above = parent if parent in {"chest", "hips"} else f"{side}_{parent}"
            bones.append((f"{side}_{name}", above, j[name] * at, j[end] * at))
        for name, places in fingers(f).items():
            first, second, tip = places * at
            bones.append((f"{side}_{name}_1", f"{side}_hand", first, second))
            bones.append((f"{side}_{name}_2", f"{side}_{name}_1", second, tip))
    names = tuple(bone[0] for bone in bones)
    return Skeleton(
        names=names,
        parents=np.array([names.index(bone[1]) if bone[1] else -1 for bone in bones], np.int32),
        heads=np.stack([bone[2] for bone in bones]),
        tails=np.stack([bone[3] for bone in bones]),
    )
