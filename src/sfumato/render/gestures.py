"""Built-in motions of people who stay where they are: arms crossed, crouching, sitting cross-legged, on the belly, ...

Drawings are full of them, and recorded motions have few.
"""

from collections.abc import Callable
from dataclasses import replace

from .anatomy import Arm, Leg, Posture
from .keys import CROSSED, HIPS, STAND, TO_HEAD, Keys, both, held


def _cross() -> Keys:
    left, right = CROSSED
    leaning = Leg(forward=6, knee=14, outward=18, aside=6)
    crossed = replace(STAND, left_arm=left, right_arm=right, bend=0, sway=4, look=14, tilt=2, right_leg=leaning)
    one = replace(STAND, left_arm=HIPS, sway=-7, tilt=-4, cock=6, look=-15, left_leg=leaning)
    return held(crossed, both(STAND, arms=HIPS, legs=Leg(aside=9, outward=12), nod=-4), one)


def _crouch() -> Keys:
    low = both(
        STAND, arms=Arm(raised=42, ahead=84, elbow=30, wrist=-40, curl=8),
        legs=Leg(forward=118, knee=138, aside=10, outward=12, ankle=-8, flat=0), lean=30, bend=18, nod=-20,
    )  # fmt: skip
    hugging = both(low, arms=Arm(raised=56, ahead=80, elbow=62, inward=42, wrist=20, curl=35), lean=18, bend=34, nod=22)
    start = replace(low, left_leg=Leg(forward=105, knee=104, aside=6), right_leg=Leg(forward=48, knee=118, flat=0))
    return held(low, hugging, replace(start, lean=44, bend=10))


def _lotus() -> Keys:
    sits = replace(
        both(STAND, arms=Arm(raised=34, ahead=66, elbow=42, wrist=14, curl=30), lean=-4, bend=10),
        left_leg=Leg(forward=92, aside=30, outward=44, knee=130, ankle=-26, flat=0),
        right_leg=Leg(forward=97, aside=27, outward=44, knee=111, ankle=-26, flat=0),
    )
    reads = both(sits, arms=Arm(raised=36, ahead=78, elbow=96, inward=26, wrist=-24, curl=30), bend=22, nod=24)
    return held(sits, reads)


def _prone() -> Keys:
    elbows = Arm(raised=104, ahead=84, elbow=88, wrist=-20, curl=14)
    flat = Leg(forward=-4, aside=6, knee=6, ankle=-40, flat=0)
    reads = both(STAND, arms=elbows, legs=flat, lean=84, bend=-24, nod=-34)
    kicking = replace(reads, left_leg=replace(flat, knee=96), right_leg=replace(flat, knee=62, aside=10))
    asleep = both(reads, arms=Arm(raised=128, ahead=30, elbow=92, inward=-30, curl=26), bend=-4, nod=4, look=62)
    return held(reads, kicking, asleep)


def _side() -> Keys:
    rests = replace(
        STAND, tilt=84, sway=-22, cock=-12, bend=10, left_arm=Arm(raised=112, ahead=30, elbow=128, wrist=10, curl=30),
        right_arm=Arm(raised=26, ahead=62, elbow=58, wrist=20), left_leg=Leg(forward=22, knee=30, flat=0, ankle=-25),
        right_leg=Leg(forward=34, knee=52, flat=0, ankle=-25),
    )  # fmt: skip
    curled = replace(
        rests,
        sway=-6,
        bend=28,
        nod=24,
        left_leg=Leg(forward=82, knee=92, flat=0),
        right_leg=Leg(forward=94, knee=104, flat=0),
    )
    return held(rests, curled)


def _lunge() -> Keys:
    low = replace(
        STAND, bend=0, look=30, left_arm=Arm(raised=92, ahead=8, elbow=6, wrist=-8, curl=6),
        right_arm=Arm(raised=92, ahead=-4, elbow=6, wrist=-8, curl=6), left_leg=Leg(forward=76, knee=80, outward=6),
        right_leg=Leg(forward=-26, knee=10, ankle=12, flat=0),
    )  # fmt: skip
    up = both(low, arms=Arm(raised=166, ahead=40, elbow=8, shrug=16, curl=5), nod=-18, look=0)
    return held(low, replace(up, right_leg=low.right_leg, left_leg=low.left_leg))


def _leap() -> Keys:
    gathers = both(STAND, arms=Arm(raised=48, ahead=-60, elbow=20), legs=Leg(forward=52, knee=70), lean=24, bend=14)
    flies = Posture(
        bend=-8, nod=-10, above=0.5, left_arm=Arm(raised=112, ahead=70, elbow=10, wrist=-30, curl=8),
        right_arm=Arm(raised=96, ahead=-12, elbow=14, wrist=-25, curl=8),
        left_leg=Leg(forward=82, knee=12, ankle=-40, flat=0), right_leg=Leg(forward=-30, knee=26, ankle=-45, flat=0),
    )  # fmt: skip
    lands = replace(
        STAND, lean=16, left_leg=Leg(forward=46, knee=62), right_leg=Leg(forward=-6, knee=46, ankle=-20, flat=0)
    )
    return ((0, gathers), (0.35, flies), (0.6, replace(flies, above=0.3)), (0.8, lands))


def _overhead() -> Keys:
    head = both(STAND, arms=TO_HEAD, bend=-6, nod=4, sway=6)
    lifts = both(
        STAND, arms=Arm(raised=150, ahead=50, elbow=50, shrug=18, wrist=-55, curl=22), legs=Leg(aside=9), bend=-4
    )
    hangs = replace(
        both(STAND, arms=Arm(raised=168, ahead=40, elbow=10, shrug=26, wrist=10, curl=72), nod=-24, above=0.25),
        left_leg=Leg(forward=62, knee=86, ankle=-20, flat=0), right_leg=Leg(forward=-4, knee=16, ankle=-40, flat=0),
    )  # fmt: skip
    return held(head, lifts, hangs)


def _carry() -> Keys:
    arms = Arm(raised=30, ahead=80, elbow=84, inward=6, wrist=-18, curl=40)
    stands = both(STAND, arms=arms, lean=-6, bend=2, legs=Leg(aside=6, outward=8))
    lifts = both(STAND, arms=Arm(raised=66, ahead=84, elbow=24, wrist=-10, curl=40), lean=48, bend=14, nod=-22)
    lifts = both(lifts, legs=Leg(forward=96, knee=98, aside=12, outward=10))
    walks = replace(stands, left_leg=Leg(forward=24, knee=10), right_leg=Leg(forward=-12, knee=24, ankle=-15, flat=0))
    return held(lifts, stands, walks)


MAKERS: dict[str, tuple[Callable[[], Keys], float]] = {
    "cross": (_cross, 4.0),
    "crouch": (_crouch, 4.0),
    "lotus": (_lotus, 4.0),
    "prone": (_prone, 4.0),
    "side": (_side, 3.0),
    "lunge": (_lunge, 3.0),
    "leap": (_leap, 1.6),
    "overhead": (_overhead, 4.0),
    "carry": (_carry, 4.0),
}
"""Keys of each motion, and how many seconds it takes."""
