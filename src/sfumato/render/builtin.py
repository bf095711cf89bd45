"""Motions made by code: a few postures of each, and the way from one to the next.

They need no files, so that characters move at once. A seed varies each of them: how large it is, how the body is held,
which side does it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

import numpy as np

from ..errors import OptionError
from . import gestures
from .anatomy import Arm, Leg, Posture, limited, mixed, stance
from .character import Character, Pose
from .keys import EASY, HIPS, STAND, Keys, both, held, steps, there_and_back
from .motion import checked
from .stance import SIDES, posed

FPS = 30.0
Limb = TypeVar("Limb", bound=Arm | Leg)


def _idle() -> Keys:
    shifted = replace(STAND, tilt=4, sway=-5, look=12, x=0.04, right_leg=Leg(aside=3, knee=8, forward=5, outward=12))
    return there_and_back(replace(STAND, look=-10), shifted)


def _walk() -> Keys:
    contact = Posture(
        turn=-5, twist=10, bend=4, lean=2,
        left_arm=Arm(raised=24, ahead=-80, elbow=12), right_arm=Arm(raised=22, ahead=75, elbow=28),
        left_leg=Leg(forward=24, knee=4, ankle=8, flat=0.4), right_leg=Leg(forward=-14, knee=24, ankle=-18, flat=0),
    )  # fmt: skip
    passing = Posture(
        tilt=-2, bend=4, lean=2, left_arm=replace(EASY, raised=10), right_arm=replace(EASY, raised=10, elbow=22),
        left_leg=Leg(forward=3, knee=8), right_leg=Leg(forward=22, knee=58, ankle=-5, flat=0),
    )  # fmt: skip
    return steps(contact, passing)


def _run() -> Keys:
    contact = Posture(
        turn=-8, twist=16, lean=10, bend=6, nod=-8, above=0.06,
        left_arm=Arm(raised=48, ahead=-75, elbow=85, curl=60),
        right_arm=Arm(raised=42, ahead=65, elbow=98, inward=10, curl=60),
        left_leg=Leg(forward=46, knee=42, ankle=5, flat=0), right_leg=Leg(forward=-22, knee=28, ankle=-32, flat=0),
    )  # fmt: skip
    passing = Posture(
        lean=10, bend=6, nod=-8,
        left_arm=Arm(raised=15, ahead=-60, elbow=90, curl=60), right_arm=Arm(raised=15, ahead=60, elbow=90, curl=60),
        left_leg=Leg(forward=18, knee=36), right_leg=Leg(forward=22, knee=108, ankle=-20, flat=0),
    )  # fmt: skip
    return steps(contact, passing)


def _sneak() -> Keys:
    contact = Posture(
        lean=18, bend=22, nod=-25, look=15,
        left_arm=Arm(raised=40, ahead=60, elbow=85, wrist=35),
        right_arm=Arm(raised=55, ahead=70, elbow=60, wrist=-30),
        left_leg=Leg(forward=62, knee=62), right_leg=Leg(forward=5, knee=60, ankle=-12, flat=0),
    )  # fmt: skip
    passing = replace(contact, look=-20, left_leg=Leg(forward=42, knee=66), right_leg=Leg(forward=70, knee=105, flat=0))
    return steps(contact, passing)


def _wave() -> Keys:
    up = Arm(raised=96, ahead=25, elbow=75, inward=-75, shrug=6, wrist=-12, aside=14, curl=5)
    inwards = replace(STAND, look=8, cock=6, sway=4, left_arm=up)
    outwards = replace(inwards, left_arm=replace(up, elbow=35, aside=-18), cock=10, sway=7)
    return ((0, STAND), (0.2, inwards), (0.35, outwards), (0.5, inwards), (0.65, outwards), (0.8, inwards))


def _jump() -> Keys:
    low = both(
        STAND,
        arms=Arm(raised=55, ahead=-80, elbow=15),
        legs=Leg(forward=70, knee=88, aside=5),
        lean=32,
        bend=20,
        nod=-25,
    )
    push = both(
        STAND, arms=Arm(raised=110, ahead=80, elbow=20), legs=Leg(forward=-4, knee=4, ankle=-40, flat=0, aside=4)
    )
    high = both(
        push,
        arms=Arm(raised=150, ahead=70, elbow=25),
        legs=Leg(forward=38, knee=70, ankle=-30, flat=0, aside=8),
        above=0.42,
    )
    return ((0, STAND), (0.25, low), (0.4, push), (0.55, high), (0.7, push), (0.82, low))


def _jumping_jacks() -> Keys:
    apart = both(STAND, arms=Arm(raised=158, ahead=12, elbow=22, curl=6), legs=Leg(aside=24, outward=10), bend=0)
    hop = replace(mixed(STAND, apart, 0.5), above=0.1)
    return ((0, STAND), (0.25, hop), (0.5, apart), (0.75, hop))


def _sit() -> Keys:
    arms = Arm(raised=38, ahead=80, elbow=52, inward=15, wrist=12, curl=26)
    down = both(STAND, arms=arms, legs=Leg(forward=58, knee=78, aside=6), lean=35, bend=12, nod=-20)
    seated = both(STAND, arms=arms, legs=Leg(forward=88, knee=92, aside=8), lean=-4, bend=10)
    aside = replace(seated, twist=15, look=25, right_leg=Leg(forward=88, knee=60, ankle=-5, aside=4))
    return ((0, STAND), (0.2, down), (0.35, seated), (0.55, aside), (0.7, seated), (0.85, down))


def _floor() -> Keys:
    arms = Arm(raised=45, ahead=-60, elbow=12, wrist=-58, curl=6)
    sits = both(STAND, arms=arms, legs=Leg(forward=82, knee=18, aside=10, flat=0, ankle=-15), lean=-12, bend=14)
    knee = replace(
        sits, left_leg=Leg(forward=118, knee=112, aside=5), left_arm=Arm(raised=60, ahead=85, elbow=35, wrist=30)
    )
    return held(sits, knee)


def _dance() -> Keys:
    left = Posture(
        tilt=9, sway=-14, twist=12, bend=2, cock=10, look=10, x=0.1,
        left_arm=Arm(raised=120, ahead=25, elbow=60, inward=-40, wrist=-35),
        right_arm=Arm(raised=48, ahead=40, elbow=80, inward=35, wrist=32),
        left_leg=Leg(forward=12, knee=22, aside=8, outward=15), right_leg=Leg(forward=16, knee=34, aside=20, outward=9),
    )  # fmt: skip
    low = both(
        STAND, arms=Arm(raised=70, ahead=35, elbow=95), legs=Leg(forward=32, knee=52, aside=12, outward=18), bend=8
    )
    return ((0, left), (0.25, low), (0.5, left.mirrored()), (0.75, low))


def _box() -> Keys:
    guard = Posture(
        turn=-32, twist=8, lean=8, bend=12, look=22, nod=8,
        left_arm=Arm(raised=42, ahead=75, elbow=118, inward=9, curl=80),
        right_arm=Arm(raised=30, ahead=50, elbow=135, inward=9, curl=80),
        left_leg=Leg(forward=26, knee=28, aside=6), right_leg=Leg(forward=-8, knee=32, aside=10, outward=25, ankle=5),
    )  # fmt: skip
    jab = replace(guard, twist=-14, look=45, left_arm=Arm(raised=90, ahead=82, elbow=6, inward=45, shrug=8, curl=80))
    cross = replace(
        guard, turn=-5, twist=32, look=-20, right_arm=Arm(raised=88, ahead=100, elbow=10, inward=40, shrug=8, curl=80)
    )
    hook = replace(guard, twist=-32, look=45, left_arm=Arm(raised=86, ahead=60, elbow=88, inward=5, curl=80))
    return ((0, guard), (0.15, jab), (0.3, guard), (0.45, cross), (0.6, guard), (0.75, hook))


def _kick() -> Keys:
    guard = _box()[0][1]
    lifted = replace(guard, lean=-5, left_leg=Leg(forward=88, knee=112, flat=0))
    out = replace(
        lifted, lean=-22, left_leg=Leg(forward=88, knee=8, flat=0, ankle=10), right_leg=Leg(knee=10, outward=30)
    )
    return ((0, guard), (0.25, lifted), (0.45, out), (0.65, lifted))


def _reach() -> Keys:
    high = replace(
        STAND, bend=-6, nod=-30, sway=-8, look=-8,
        right_arm=Arm(raised=165, ahead=60, elbow=8, shrug=22, wrist=-15, curl=6),
        left_leg=Leg(ankle=-28, flat=0, aside=3), right_leg=Leg(ankle=-28, flat=0, aside=3),
    )  # fmt: skip
    low = replace(
        STAND, lean=45, bend=32, nod=-15, twist=12, right_arm=Arm(raised=100, ahead=85, elbow=6, wrist=18, curl=28),
        left_leg=Leg(forward=72, knee=45, aside=4), right_leg=Leg(forward=52, knee=48, aside=4),
    )  # fmt: skip
    return held(STAND, high, low)


def _kneel() -> Keys:
    step = replace(
        STAND, lean=15, left_leg=Leg(forward=62, knee=62), right_leg=Leg(forward=2, knee=62, ankle=-8, flat=0)
    )
    down = replace(
        STAND, left_leg=Leg(forward=88, knee=90, aside=4), right_leg=Leg(forward=-2, knee=90, ankle=-35, flat=0),
        left_arm=Arm(raised=35, ahead=75, elbow=60, wrist=25), nod=18, bend=10,
    )  # fmt: skip
    knees = both(
        STAND, legs=Leg(forward=8, knee=100, ankle=-45, flat=0, aside=5), arms=Arm(raised=28, ahead=70, elbow=40)
    )
    return ((0, STAND), (0.2, step), (0.4, down), (0.55, down), (0.75, knees), (0.9, step))


def _bow() -> Keys:
    bowed = both(
        STAND, arms=Arm(raised=30, ahead=82, elbow=10), legs=Leg(forward=52, aside=2), lean=50, bend=26, nod=12
    )
    return held(STAND, bowed)


def _squat() -> Keys:
    low = both(
        STAND, arms=Arm(raised=86, ahead=80, elbow=8), legs=Leg(forward=100, knee=112, aside=14, outward=14), lean=32
    )
    return there_and_back(STAND, replace(low, bend=6, nod=-22))


def _clap() -> Keys:
    apart = both(STAND, arms=Arm(raised=58, ahead=45, elbow=75, inward=-5, wrist=-20, curl=5), look=5)
    closed = both(STAND, arms=Arm(raised=50, ahead=85, elbow=82, inward=38, curl=5), nod=8)
    return ((0, apart), (0.25, closed), (0.5, apart), (0.75, closed))


def _point() -> Keys:
    ahead = replace(STAND, twist=-10, look=22, left_arm=Arm(raised=90, ahead=70, elbow=4, inward=20, shrug=4))
    aside = replace(STAND, twist=15, look=60, left_arm=Arm(raised=95, ahead=0, elbow=5), sway=5)
    return held(STAND, ahead, aside)


def _think() -> Keys:
    chin = replace(
        STAND, nod=12, cock=8, look=10, left_arm=Arm(raised=35, ahead=70, elbow=140, inward=25, wrist=25, curl=60),
        right_arm=Arm(raised=28, ahead=60, elbow=95, inward=65, curl=30),
        right_leg=Leg(forward=6, knee=12, outward=20, aside=4),
    )  # fmt: skip
    hips = both(STAND, arms=HIPS, cock=-6, look=-18)
    return held(chin, hips)


def _stretch() -> Keys:
    up = both(STAND, arms=Arm(raised=165, ahead=15, elbow=12, shrug=20, wrist=-28, curl=4), bend=-14, nod=-22)
    return held(STAND, up, replace(up, sway=24, tilt=4, cock=8), replace(up, sway=-24, tilt=-4, cock=-8))


def _throw() -> Keys:
    back = Posture(
        turn=-35, twist=-28, lean=-6, look=45, left_arm=Arm(raised=85, ahead=60, elbow=20),
        right_arm=Arm(raised=95, ahead=-15, elbow=100, inward=-70, wrist=-40, curl=45),
        left_leg=Leg(forward=38, knee=50, flat=0), right_leg=Leg(forward=4, knee=16, outward=25),
    )  # fmt: skip
    through = Posture(
        turn=15, twist=34, lean=22, bend=18, look=-15, left_arm=Arm(raised=40, ahead=-30, elbow=60),
        right_arm=Arm(raised=92, ahead=105, elbow=12, inward=30, wrist=42, curl=12),
        left_leg=Leg(forward=46, knee=34), right_leg=Leg(forward=-18, knee=42, ankle=-30, flat=0),
    )  # fmt: skip
    return ((0, STAND), (0.35, back), (0.6, through))


def _crawl() -> Keys:
    first = Posture(
        lean=76, bend=8, nod=-42,
        left_arm=Arm(raised=104, ahead=85, elbow=10, wrist=-62, curl=5),
        right_arm=Arm(raised=72, ahead=85, elbow=14, wrist=-62, curl=5),
        left_leg=Leg(forward=62, knee=84, ankle=-45, flat=0), right_leg=Leg(forward=92, knee=90, ankle=-45, flat=0),
    )  # fmt: skip
    return there_and_back(first, first.mirrored())


def _lie() -> Keys:
    back = both(
        STAND,
        arms=Arm(raised=38, ahead=-5, elbow=20),
        legs=Leg(aside=8, outward=15, flat=0, ankle=-25),
        lean=-86,
        bend=0,
    )
    knees = replace(
        back,
        left_leg=Leg(forward=50, knee=95, flat=1),
        left_arm=Arm(raised=140, ahead=-5, elbow=70, inward=-60, wrist=20, curl=30),
    )
    return held(back, knees)


_MAKERS: dict[str, tuple[Callable[[], Keys], float]] = {
    "idle": (_idle, 4.0),
    "walk": (_walk, 1.1),
    "run": (_run, 0.7),
    "sneak": (_sneak, 2.4),
    "wave": (_wave, 3.0),
    "jump": (_jump, 1.6),
    "jumping_jacks": (_jumping_jacks, 1.2),
    "sit": (_sit, 5.0),
    "floor": (_floor, 4.0),
    "dance": (_dance, 2.0),
    "box": (_box, 2.4),
    "kick": (_kick, 1.8),
    "reach": (_reach, 4.0),
    "kneel": (_kneel, 4.0),
    "bow": (_bow, 3.0),
    "squat": (_squat, 2.4),
    "clap": (_clap, 1.2),
    "point": (_point, 4.0),
    "think": (_think, 4.0),
    "stretch": (_stretch, 5.0),
    "throw": (_throw, 1.8),
    "crawl": (_crawl, 1.6),
    "lie": (_lie, 5.0),
    **gestures.MAKERS,
}
"""Keys of each motion, and how many seconds it takes."""
NAMES = tuple(_MAKERS)
"""All there are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Builtin:
    """A motion between postures; it ends as it began. See `motion`."""

    name: str
    keys: Keys
    frames: int
    fps: float = FPS
    manner: "Manner | None" = None
    """Of who does it."""

    def posture(self, frame: int) -> Posture:
        """The body in a frame."""
        moment = checked(self, frame) / self.frames
        later = [k for k, (at, _) in enumerate(self.keys) if at > moment]
        after = later[0] if later else 0
        (start, first), (end, second) = self.keys[after - 1], self.keys[after]
        if self.manner is not None:
            first, second = self.manner.of(first), self.manner.of(second)
        end += 1 if end <= start else 0
        part = (moment - start) / (end - start)
        return mixed(first, second, part * part * (3 - 2 * part))

    def pose(self, character: Character, frame: int) -> Pose:
        """See Motion."""
        return posed(character, stance(self.posture(frame)))


def motion(name: str, *, seed: int = 0) -> Builtin:
    """A built-in motion; seed 0 is as it was made, others are variations.

    Raises:
        OptionError: there is none of that name.
    """
    if name not in _MAKERS:
        raise OptionError(f"there is no built-in motion {name!r}; there are {', '.join(NAMES)}")
    keys, seconds = _made(name)
    if not seed:
        return Builtin(name=name, keys=keys, frames=_frames(seconds))
    digest = hashlib.sha256(f"{name} {seed}".encode()).digest()
    rng = np.random.default_rng(list(digest[:16]))
    manner = Manner.drawn(rng)
    return Builtin(name=name, keys=keys, frames=_frames(seconds * rng.uniform(0.8, 1.3)), manner=manner)


@cache
def _made(name: str) -> tuple[Keys, float]:
    """Keys of a motion, and how many seconds it takes."""
    maker, seconds = _MAKERS[name]
    return maker(), seconds


def _frames(seconds: float) -> int:
    return max(round(seconds * FPS), 2)


_EXPRESSIVE = ("twist", "bend", "sway", "look", "nod", "cock")
"""Angles of the trunk that may be larger or smaller, or a habit of somebody, without the body losing its footing."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Manner:
    """How somebody moves: larger or smaller, holding himself otherwise, perhaps mirrored. Shifts of angles by name."""

    size: float
    mirrored: bool
    trunk: Mapping[str, float]
    arms: Mapping[str, Mapping[str, float]]
    legs: Mapping[str, float]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Manner":
        """Anybody's."""
        size, mirrored = rng.uniform(0.8, 1.12), rng.random() < 0.5
        trunk = {name: rng.normal(0, 3) for name in _EXPRESSIVE}
        spread = {"raised": 5, "ahead": 5, "inward": 5, "elbow": 5, "shrug": 5, "wrist": 9, "aside": 5, "curl": 6}
        arms = {f"{side}_arm": {name: rng.normal(0, width) for name, width in spread.items()} for side in SIDES}
        legs = {"aside": rng.normal(0, 2), "outward": rng.normal(0, 4)}
        return cls(size=size, mirrored=mirrored, trunk=trunk, arms=arms, legs=legs)

    def of(self, posture: Posture) -> Posture:
        """The posture in that manner."""
        larger = mixed(STAND, posture, self.size)
        changes: dict[str, Any] = {name: getattr(larger, name) + shift for name, shift in self.trunk.items()}
        changes |= {name: _shifted(getattr(larger, name), shifts) for name, shifts in self.arms.items()}
        changes |= {f"{s}_leg": _shifted(getattr(posture, f"{s}_leg"), self.legs) for s in SIDES}
        changed = limited(replace(posture, **changes))
        return changed.mirrored() if self.mirrored else changed


def _shifted(limb: Limb, shifts: Mapping[str, float]) -> Limb:
    """The limb with angles added."""
    return replace(limb, **{name: getattr(limb, name) + shift for name, shift in shifts.items()})
