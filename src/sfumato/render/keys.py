"""Postures at moments of which built-in motions are made, and what these have in common."""

from dataclasses import replace
from typing import Any

from .anatomy import Arm, Leg, Posture

Keys = tuple[tuple[float, Posture], ...]
"""Moments in [0, 1) in order, and postures; after the last one the first comes again."""

EASY = Arm(raised=9, ahead=15, elbow=16, inward=12)
STAND = Posture(
    bend=4, nod=2, left_arm=EASY, right_arm=EASY, left_leg=Leg(aside=3, outward=6), right_leg=Leg(aside=3, outward=6)
)
"""At ease; what the other postures are changes of."""
HIPS = Arm(raised=38, ahead=-28, elbow=85, inward=58, wrist=-36, aside=-26, curl=45)
"""A hand on the hip."""
CROSSED = (
    Arm(raised=36, ahead=87, elbow=100, inward=88, wrist=-6, curl=26),
    Arm(raised=25, ahead=83, elbow=84, inward=87, curl=26),
)
"""Arms crossed before the chest, the right one below."""
TO_HEAD = Arm(raised=118, ahead=3, elbow=135, inward=-79, shrug=12, wrist=50, curl=25)
"""A hand at the head."""


def both(posture: Posture, *, arms: Arm | None = None, legs: Leg | None = None, **more: float) -> Posture:
    """The posture with both arms or both legs alike, and other angles of the trunk."""
    limbs = {"left_arm": arms, "right_arm": arms, "left_leg": legs, "right_leg": legs}
    changes: dict[str, Any] = {**{name: limb for name, limb in limbs.items() if limb}, **more}
    return replace(posture, **changes)


def there_and_back(first: Posture, second: Posture) -> Keys:
    return ((0, first), (0.5, second))


def held(*postures: Posture) -> Keys:
    """Each posture is kept for a moment."""
    step = 1 / len(postures)
    return tuple(key for k, p in enumerate(postures) for key in ((k * step, p), (k * step + 0.35 * step, p)))


def steps(contact: Posture, passing: Posture) -> Keys:
    """A gait: contact of the left foot, the right one passing, then the other way round."""
    return ((0, contact), (0.25, passing), (0.5, contact.mirrored()), (0.75, passing.mirrored()))
