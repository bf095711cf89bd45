"""Random poses that a body can take: within the limits of its joints, the limbs in keeping with each other.

People stand more often than they lie, a bent knee goes with a bent hip, arms often do the same. What would pass through
the body is drawn again. The lowest point is on the ground, but for those who jump.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .anatomy import LIMITS, Arm, Leg, Posture, limited, stance
from .character import Character, Floats, Pose
from .keys import CROSSED, HIPS, TO_HEAD
from .motion import checked
from .stance import SIDES, legs, posed, segment
from .vectors import unit

ENDLESS = 2**62
"""Poses where no number is said."""
TRIES = 30
"""Poses drawn until one passes; then the one that comes nearest is taken."""
HAND = 0.6
"""From the wrist to the finger tips, in forearms."""
GESTURES = 0.2
"""How often arms rest on the body."""

Rng = np.random.Generator


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomPoses:
    """Poses one after the other that have nothing to do with each other; frame k is a function of the seed and k."""

    frames: int = ENDLESS
    seed: int = 0
    name: str = "random"
    fps: float = 1.0

    def pose(self, character: Character, frame: int) -> Pose:
        """See Motion. What passes through what depends on the character's build, and so may the pose."""
        rng = np.random.default_rng([self.seed, checked(self, frame), *b"pose"])
        best, gap = _drawn(rng, character)
        for _ in range(TRIES - 1):
            if gap >= 0:
                break
            best, gap = max((best, gap), _drawn(rng, character), key=lambda found: found[1])
        return best


def _drawn(rng: Rng, character: Character) -> tuple[Pose, float]:
    """A random pose and its room."""
    pose = posed(character, stance(posture(rng)))
    return pose, room(character, pose)


def posture(rng: Rng) -> Posture:
    """A random posture."""
    makers, shares = zip(*_KINDS)
    maker: Callable[[Rng], Posture] = makers[int(rng.choice(len(makers), p=shares))]
    found = maker(rng)
    if rng.random() < GESTURES:
        found = replace(found, **_gesture(rng))
    found = limited(found)
    return found.mirrored() if rng.random() < 0.5 else found


def _gesture(rng: Rng) -> dict[str, Any]:
    """One arm or both as people hold them when they do nothing: on the hips, crossed, at the head."""
    kind = int(rng.choice(4, p=[0.3, 0.3, 0.25, 0.15]))
    arms = (
        {"left_arm": CROSSED[0], "right_arm": CROSSED[1]},
        {"left_arm": HIPS, "right_arm": HIPS},
        {"left_arm": HIPS},
        {"left_arm": TO_HEAD, "right_arm": TO_HEAD},
    )[kind]
    names = ("raised", "ahead", "inward", "elbow", "wrist", "curl")
    return {
        side: replace(arm, **{name: getattr(arm, name) + rng.normal(0, 3) for name in names})
        for side, arm in arms.items()
    }


def _trunk(rng: Rng, lean: float = 0.0) -> Posture:
    """Trunk, head and arms."""
    left, right = _arm(rng), _arm(rng)
    if rng.random() < 0.3:
        right = _like(rng, left)
    return Posture(
        lean=rng.normal(lean, 7),
        tilt=rng.normal(0, 4),
        twist=rng.normal(0, 14),
        bend=rng.normal(6, 11),
        sway=rng.normal(0, 8),
        look=rng.normal(0, 25),
        nod=rng.normal(0, 12),
        cock=rng.normal(0, 8),
        left_arm=left,
        right_arm=right,
    )


def _arm(rng: Rng) -> Arm:
    raised = (abs(rng.normal(12, 12)), rng.uniform(30, 105), rng.uniform(105, 170))[rng.choice(3, p=[0.4, 0.4, 0.2])]
    back = np.interp(raised, (30, 90, 170), (-55, -15, 0))
    return Arm(
        raised=raised,
        ahead=rng.uniform(back, 100),
        inward=rng.normal(5, 30),
        elbow=LIMITS[Arm]["elbow"][1] * rng.beta(1.1, 1.8),
        shrug=max(raised - 90, 0) * 0.15 + rng.normal(0, 3),
        **_hand(rng),
    )


def _hand(rng: Rng) -> dict[str, float]:
    """A hand: most hang loose, some are open or fists."""
    curl = (rng.normal(22, 9), rng.uniform(0, 8), rng.uniform(60, 85))[rng.choice(3, p=[0.65, 0.2, 0.15])]
    return {"wrist": rng.normal(4, 24), "aside": rng.normal(-3, 9), "curl": curl}


def _like(rng: Rng, arm: Arm) -> Arm:
    """An arm that does nearly what the other one does."""
    raised, ahead, inward, elbow = np.array((arm.raised, arm.ahead, arm.inward, arm.elbow)) + rng.normal(0, 6, 4)
    hand = {"wrist": arm.wrist, "aside": arm.aside, "curl": arm.curl}
    return Arm(raised=raised, ahead=ahead, inward=inward, elbow=elbow, shrug=arm.shrug, **hand)


def _standing(rng: Rng) -> Posture:
    """On both feet: legs apart by a stride, and bent alike, so that both feet are on the ground."""
    stride, crouch = rng.normal(0, 13), min(abs(rng.normal(0, 14)), 50)
    trunk = _trunk(rng, lean=0.6 * crouch)
    left = Leg(forward=crouch + stride, knee=2 * crouch + 3, aside=rng.uniform(0, 16), outward=rng.normal(8, 8))
    right = replace(left, forward=crouch - stride, outward=rng.normal(8, 8))
    return replace(trunk, left_leg=left, right_leg=right)


def _one_leg(rng: Rng) -> Posture:
    """On one foot."""
    knee = abs(rng.normal(0, 14))
    return replace(
        _trunk(rng, lean=rng.normal(4, 8)),
        left_leg=Leg(forward=knee / 2, knee=knee, aside=rng.uniform(-3, 5), outward=rng.normal(8, 8)),
        right_leg=_free_leg(rng),
    )


def _free_leg(rng: Rng) -> Leg:
    """A leg in the air."""
    forward = rng.uniform(-25, 110)
    knee = rng.uniform(max(forward - 70, 0), 90 + 0.4 * max(forward, 0))
    ankle = rng.normal(-15, 14)
    return Leg(forward=forward, aside=rng.uniform(0, 35), outward=rng.normal(8, 12), knee=knee, ankle=ankle, flat=0)


def _sitting(rng: Rng) -> Posture:
    """As on a chair, or on the ground."""
    ground = rng.random() < 0.5
    forward, knee = rng.uniform(78, 96), rng.uniform(8, 40) if ground else rng.uniform(70, 105)
    leg = Leg(forward=forward, knee=knee, aside=rng.uniform(0, 25), outward=rng.normal(10, 10))
    if ground:
        leg = replace(leg, flat=0, ankle=rng.normal(-15, 8))
    other = replace(leg, knee=knee + rng.normal(0, 8), aside=rng.uniform(0, 25))
    if ground and rng.random() < 0.5:
        other = Leg(forward=rng.uniform(110, 122), knee=rng.uniform(100, 120), aside=rng.uniform(0, 20))
    return replace(_trunk(rng, lean=rng.uniform(-18, 8)), left_leg=leg, right_leg=other)


def _cross_legged(rng: Rng) -> Posture:
    """On the ground, shins before each other."""
    leg = Leg(forward=rng.uniform(90, 95), aside=rng.uniform(28, 32), outward=rng.uniform(42, 45), ankle=-26, flat=0)
    left = replace(leg, knee=rng.uniform(126, 133))
    right = replace(leg, forward=leg.forward + 5, aside=leg.aside - 3, knee=left.knee - 19)
    return replace(_trunk(rng, lean=rng.uniform(-8, 8)), left_leg=left, right_leg=right)


def _crouching(rng: Rng) -> Posture:
    """Low on both feet, or with the heels up."""
    deep, tiptoe = rng.uniform(0, 1), rng.random() < 0.4
    leg = Leg(forward=92 + 30 * deep, knee=100 + 38 * deep, aside=rng.uniform(4, 22), outward=rng.normal(12, 6))
    leg = replace(leg, flat=0, ankle=rng.normal(-8, 8)) if tiptoe else leg
    return replace(_trunk(rng, lean=24 + 10 * deep), left_leg=leg, right_leg=replace(leg, aside=rng.uniform(4, 22)))


def _kneeling(rng: Rng) -> Posture:
    """On one knee or both."""
    down = Leg(forward=rng.uniform(-5, 12), knee=rng.uniform(92, 112), aside=rng.uniform(0, 8), ankle=-42, flat=0)
    if rng.random() < 0.5:
        deep = rng.uniform(0, 30)
        both = replace(down, forward=down.forward + deep, knee=min(down.knee + deep, 140))
        return replace(_trunk(rng, lean=deep / 3), left_leg=both, right_leg=replace(both, aside=rng.uniform(0, 10)))
    up = Leg(forward=rng.uniform(80, 95), knee=rng.uniform(78, 105), aside=rng.uniform(0, 15))
    return replace(_trunk(rng), left_leg=up, right_leg=down)


def _jumping(rng: Rng) -> Posture:
    """In the air."""
    trunk = _trunk(rng, lean=rng.normal(5, 12))
    return replace(trunk, left_leg=_free_leg(rng), right_leg=_free_leg(rng), above=rng.uniform(0.08, 0.6))


def _lying(rng: Rng) -> Posture:
    """On the back, the belly or a side."""
    found = _trunk(rng)
    if rng.random() < 0.25:
        bent = rng.uniform(10, 90)
        left = Leg(forward=bent, knee=bent + rng.uniform(0, 20), flat=0, ankle=-25)
        right = replace(left, forward=left.forward + rng.uniform(4, 20), aside=rng.uniform(4, 12))
        return replace(found, lean=0, tilt=86, sway=rng.uniform(-25, 0), bend=bent / 4, left_leg=left, right_leg=right)
    lean = -88 if rng.random() < 0.6 else 88
    thighs = (0, 70) if lean < 0 else (-8, 5)
    left, right = (
        Leg(
            forward=(f := rng.uniform(*thighs)),
            knee=max(1.6 * f, 0) + rng.uniform(0, 15),
            aside=rng.uniform(0, 20),
            flat=0,
            ankle=-35,
        )
        for _ in SIDES
    )
    return replace(found, lean=lean, bend=0, tilt=0, sway=found.sway, left_leg=left, right_leg=right)


_KINDS = (
    (_standing, 0.36),
    (_one_leg, 0.14),
    (_sitting, 0.13),
    (_cross_legged, 0.03),
    (_crouching, 0.06),
    (_kneeling, 0.09),
    (_jumping, 0.13),
    (_lying, 0.06),
)
"""How often which."""


def room(character: Character, pose: Pose) -> float:
    """How much room is left between parts of the body that must not meet, in leg lengths; below 0: they do.

    Limbs and trunk are taken for rods with a thickness; what is joined to each other is not looked at.
    """
    at = {name: pose.heads[bone] for name, bone in character.limbs.items()}
    up = pose.rotations[character.limbs["head"]][:, 1] * 0.12 * legs(character)
    hips = (at["left_thigh"] + at["right_thigh"]) / 2
    collar = (at["left_upper_arm"] + at["right_upper_arm"]) / 2
    trunk, head = (hips, hips + 0.9 * (collar - hips)), (at["head"] + 0.5 * up, at["head"] + 1.3 * up)
    rods = {"trunk": trunk, "head": head}
    for side in SIDES:
        elbow, wrist = at[f"{side}_forearm"], at[f"{side}_hand"]
        hand = pose.rotations[character.limbs[f"{side}_hand"]] @ unit(segment(character, f"{side}_hand"))
        rods[f"{side}_arm"] = (elbow, wrist)
        rods[f"{side}_hand"] = (wrist, wrist + HAND * float(np.linalg.norm(wrist - elbow)) * hand)
        knee, hip = at[f"{side}_shin"], at[f"{side}_thigh"]
        rods[f"{side}_thigh"], rods[f"{side}_shin"] = (hip + 0.4 * (knee - hip), knee), (knee, at[f"{side}_foot"])
    points = {name: _points(*rod) for name, rod in rods.items()}
    return min(_gap(points[a], points[b]) / legs(character) - least for a, b, least in _APART)


_ARM = tuple(f"{side}_{part}" for side in SIDES for part in ("arm", "hand"))
_APART = (
    *((rod, part, least) for rod in _ARM for part, least in (("trunk", 0.13), ("head", 0.13))),
    *((rod, f"{side}_{part}", 0.09) for rod in _ARM for side in SIDES for part in ("thigh", "shin")),
    *((rod, other, 0.06) for rod in _ARM[:2] for other in _ARM[2:]),
    ("left_thigh", "right_thigh", 0.08),
    ("left_shin", "right_shin", 0.07),
    *((f"{side}_{part}", "trunk", 0.13) for side in SIDES for part in ("shin",)),
)
"""Pairs of rods and how far apart their middles are at least, in leg lengths."""


def _points(start: Floats, end: Floats) -> Floats:
    """(9, 3)."""
    return start + np.linspace(0, 1, 9)[:, None] * (end - start)


def _gap(first: Floats, second: Floats) -> float:
    return float(np.linalg.norm(first[:, None] - second[None], axis=2).min())
