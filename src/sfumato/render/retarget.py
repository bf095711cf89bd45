"""From the joints of a motion file to stances that any character can take.

Only where joints are tells how the body stands: directions of segments, the lines between the shoulders and the hips,
the planes of elbows and knees. So it does not matter how the bones of the file lie while all angles are 0. Three things
are told better by angles and are, where that pose is of use: the turn of the head, and how trunk and feet of somebody
who stands straight lie.

Shapes: T frames, J joints.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np

from ..errors import DataError, OptionError
from .bones import FAMILIES, joint_map, map_file
from .character import Character, Floats, Pose, ancestors
from .grip import RELAXED
from .motion import checked
from .stance import POINTED, SIDES, UP, Stance, arm_poles, foot_pole, leg_poles, posed
from .vectors import across, applied, dot, halfway, length, swing, turned_back, unit, upright

RADII = {"foot": 0.1, "toe": 0.03, "shin": 0.06, "hand": 0.05, "thigh": 0.1}
"""How far a joint is above the ground that its flesh lies on, in leg lengths."""
SLACK = 0.04
"""What is less above the ground, in leg lengths, is on it."""
STRAIGHT = 0.8
"""Cosine: a file's pose with all angles 0 is a person who stands if trunk and legs are within that of upright."""


class Source(Protocol):
    """A motion in a file, in the file's own axes and units."""

    @property
    def path(self) -> Path: ...

    @property
    def name(self) -> str:
        """For metadata."""
        ...

    @property
    def fps(self) -> float: ...

    @property
    def names(self) -> tuple[str, ...]:
        """Of the J joints."""
        ...

    @property
    def parents(self) -> tuple[int, ...]:
        """Places of the joints above; -1: a root."""
        ...

    def moved(self, joints: Sequence[int] | None = None) -> tuple[Floats, Floats]:
        """Where joints, or all, are in each frame (T, J, 3), and how they are turned since `zero` (T, J, 3, 3)."""
        ...

    def zero(self) -> Floats:
        """Where the joints (J, 3) are while all angles are 0."""
        ...


class Recorded:
    """A motion from a file, for any character; see `recorded`. How the body stands is found when a pose is asked for.

    Args:
        source: the file.
        in_place: its steps lead nowhere.
        every: so many frames are from one that is kept to the next.
    """

    def __init__(self, source: Source, in_place: bool, every: int) -> None:
        self.name, self.fps, self.every, self.in_place = source.name, source.fps, every, in_place
        joints = _Joints(source, every)
        self.frames = joints.frames
        self._known: _Joints | Stance = joints
        self._lock = Lock()

    @property
    def stances(self) -> Stance:
        """One for each frame that is kept."""
        with self._lock:
            if isinstance(self._known, _Joints):
                self._known = self._known.stances(self.in_place)
            return self._known

    def pose(self, character: Character, frame: int) -> Pose:
        """See Motion."""
        place, between = divmod(checked(self, frame), self.every)
        if between:
            raise OptionError(f"{self.name}: frame {frame} is not kept; every {self.every}th is")
        return posed(character, self.stances[place])


def recorded(source: Source, *, in_place: bool = False, every: int = 1) -> Recorded:
    """The motion of a file, begun at the origin towards +Z.

    Args:
        source: the file.
        in_place: its steps lead nowhere.
        every: only every so many frames are kept.

    Raises:
        DataError: the file's joints have unknown names, or limbs have no length.
    """
    return Recorded(source, in_place, every)


class _Joints:
    """A file's joints with Y up: those that tell how a body stands, in the frames that are kept.

    What is told by all frames together, as lengths and where the ground is, is told before the others go.
    """

    def __init__(self, source: Source, every: int) -> None:
        self.path = source.path
        known = joint_map(source.names, map_file(source.path))
        if not known:
            first = ", ".join(name for name in source.names if not name.endswith(" END"))[:80]
            raise DataError(
                f"{source.path}: joints of unknown names ({first} ...); name them as one of these:"
                f" {', '.join(FAMILIES)}; or in a file {source.path.stem}.bones.toml beside it"
            )
        legs = ancestors(source.parents, known["left_thigh"])
        spine = [joint for joint in ancestors(source.parents, known["neck"]) if joint not in legs][::-1]
        wanted = sorted({*known.values(), *spine})
        self.known = {bone: wanted.index(joint) for bone, joint in known.items()}
        self.spine = [wanted.index(joint) for joint in spine]
        places, turns = source.moved(wanted)
        zero = source.zero()[None, wanted]
        self.leg = self._leg(places)
        hips = np.median(self._middle(places, "thigh"), axis=0) / self.leg
        up = _up(unit(self._trunk(zero)), unit(self._trunk(places)), self._stands(zero, self._trunk(zero)), hips)
        level = swing(up, UP)
        self.head = level @ turns[:, self.known["head"]] @ level.T
        self.places, self.zero = applied(level, places), applied(level, zero)
        self.stands = self._stands(self.zero, np.broadcast_to(UP, (1, 3)))
        self._keep(every)

    def _keep(self, every: int) -> None:
        """What all frames tell, and then only those that are needed."""
        self.frames = len(self.places)
        self.waist, self.above = self._waist(self.places), self._above()
        base = self._straight() if self.stands else self._chest(self.zero, self._waist(self.zero))
        self.head = self.head @ base
        self.turns_its_head = self.stands or float(np.median(dot(self.head[..., :, 1], self._neck()))) > 0.5
        self.slopes = {side: self._slope(side) for side in SIDES if f"{side}_toe" in self.known}
        kept = np.arange(0, self.frames, every)
        start = min(1, self.frames - 1)  # the first frame of many files is a pose to begin with, elsewhere
        rows = np.union1d(kept, start)
        self.places, self.waist = self.places[rows], self.waist[rows]
        self.head, self.above = self.head[rows], self.above[rows]
        self.start, self.kept = int(np.searchsorted(rows, start)), np.searchsorted(rows, kept)

    def _at(self, places: Floats, bone: str) -> Floats:
        return places[:, self.known[bone]]

    def _middle(self, places: Floats, bone: str) -> Floats:
        return (self._at(places, f"left_{bone}") + self._at(places, f"right_{bone}")) / 2

    def _neck(self) -> Floats:
        """Where the neck points (T, 3); of a rig without one where the chest does."""
        neck, head = self._at(self.places, "neck"), self._at(self.places, "head")
        return unit(np.where(length(head - neck) < 1e-3 * self.leg, neck - self.waist, head - neck))

    def _line(self, places: Floats, bone: str) -> Floats:
        return self._at(places, f"left_{bone}") - self._at(places, f"right_{bone}")

    def _trunk(self, places: Floats) -> Floats:
        return self._at(places, "neck") - self._middle(places, "thigh")

    def _stands(self, zero: Floats, up: Floats) -> bool:
        """Whether trunk and legs of a pose (1, J, 3) are straight, one above the other."""
        legs = self._middle(zero, "thigh") - self._middle(zero, "foot")
        cosines = [float(dot(unit(vectors), unit(up))[0, 0]) for vectors in (self._trunk(zero), legs)]
        side = float(dot(unit(self._line(zero, "thigh")), unit(up))[0, 0])
        return min(cosines) > STRAIGHT and abs(side) < 1 - STRAIGHT

    def _leg(self, places: Floats) -> float:
        """The length of a leg; checks that no segment of a limb is empty."""
        lengths = {
            f"{side}_{bone}": float(np.median(length(self._segment(places, f"{side}_{bone}"))))
            for side in SIDES
            for bone in ("upper_arm", "forearm", "thigh", "shin")
        }
        for bone, size in lengths.items():
            if size < 1e-6 * max(lengths.values()) or size == 0:
                raise DataError(f"{self.path}: the {bone.replace('_', ' ')} has no length")
        return sum(lengths[f"{side}_{bone}"] for side in SIDES for bone in ("thigh", "shin")) / 2

    def _segment(self, places: Floats, name: str) -> Floats:
        """From a joint to the next of its limb."""
        side, _, bone = name.partition("_")
        after = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot", "foot": "toe"}[bone]
        return self._at(places, f"{side}_{after}") - self._at(places, name)

    def stances(self, in_place: bool) -> Stance:
        """All frames that are kept."""
        hips, chest = self._pelvis(self.places, self.waist), self._chest(self.places, self.waist)
        if self.stands:
            straight, waist = self._straight(), self._waist(self.zero)
            hips = hips @ turned_back(self._pelvis(self.zero, waist)) @ straight
            chest = chest @ turned_back(self._chest(self.zero, waist)) @ straight
        head = self.head if self.turns_its_head else upright(chest[..., :, 0], self._neck())
        shoulders = [self._shoulder(side, chest) for side in SIDES]
        turns = np.stack((hips, halfway(hips, chest), chest, halfway(chest, head), head, *shoulders), axis=1)
        along, poles = self._limbs(hips, chest)
        away = (self._middle(self.places, "thigh"))[:, [0, 2]] / self.leg
        ahead = _ahead(hips[self.start])
        away = applied(ahead, np.insert(away - away[self.start], 1, 0, axis=1))[:, [0, 2]]
        found = Stance(
            turns=ahead @ turns,
            along=applied(ahead, along),
            poles=applied(ahead, poles),
            place=np.zeros_like(away) if in_place else away,
            above=self.above,
            hands=np.broadcast_to(RELAXED, (len(away), 2, 3)),
        )
        return found[self.kept]

    def _waist(self, places: Floats) -> Floats:
        """The point halfway along the spine from the middle of the hips to the neck."""
        points = np.concatenate((self._middle(places, "thigh")[:, None], places[:, self.spine]), axis=1)
        steps = np.median(np.linalg.norm(np.diff(points, axis=1), axis=2), axis=0)
        ends = np.concatenate(([0], np.cumsum(steps)))
        last = int(np.clip(np.searchsorted(ends, ends[-1] / 2), 1, len(steps)))
        part = (ends[-1] / 2 - ends[last - 1]) / max(steps[last - 1], 1e-12)
        waist: Floats = points[:, last - 1] + part * (points[:, last] - points[:, last - 1])
        return waist

    def _pelvis(self, places: Floats, waist: Floats) -> Floats:
        return upright(self._line(places, "thigh"), waist - self._middle(places, "thigh"))

    def _chest(self, places: Floats, waist: Floats) -> Floats:
        return upright(self._line(places, "upper_arm"), self._at(places, "neck") - waist)

    def _straight(self) -> Floats:
        """How the person who stands while all angles are 0 is turned about the upright axis."""
        return upright(across(self._line(self.zero, "thigh"), UP), np.broadcast_to(UP, (1, 3)))

    def _shoulder(self, side: str, chest: Floats) -> Floats:
        """How a clavicle is turned: with the chest, and up and down on it."""
        name = f"{side}_shoulder"
        if name not in self.known or not self.stands:
            return chest
        zero, now = (self._at(p, f"{side}_upper_arm") - self._at(p, name) for p in (self.zero, self.places))
        if float(length(zero)[0, 0]) < 1e-3 * self.leg:
            return chest
        rest = applied(turned_back(self._straight()), unit(zero))
        return chest @ swing(rest, applied(turned_back(chest), unit(now)))

    def _limbs(self, hips: Floats, chest: Floats) -> tuple[Floats, Floats]:
        """Directions and poles (T, 10, 3) of the bones of POINTED."""
        along: dict[str, Floats] = {}
        poles: dict[str, Floats] = {}
        for side in SIDES:
            arm, fore, thigh, shin, foot = (f"{side}_{b}" for b in ("upper_arm", "forearm", "thigh", "shin", "foot"))
            along |= {name: unit(self._segment(self.places, name)) for name in (arm, fore, thigh, shin)}
            poles[arm], poles[fore] = arm_poles(along[arm], along[fore], chest, side == "left")
            toes = f"{side}_toe" in self.known
            towards = unit(self._segment(self.places, foot)) if toes else np.zeros_like(along[shin])
            poles[thigh], poles[shin] = leg_poles(along[thigh], along[shin], towards, hips)
            along[foot] = _sole(towards, along[shin], self.slopes[side]) if toes else poles[shin]
            poles[foot] = foot_pole(along[shin], poles[shin], along[foot])
        return np.stack([along[n] for n in POINTED], axis=1), np.stack([poles[n] for n in POINTED], axis=1)

    def _slope(self, side: str) -> float:
        """How steeply a foot whose sole is level leads down from the ankle to the ball of the toes, in radians."""
        if self.stands:
            down, still = unit(self._segment(self.zero, f"{side}_shin")), unit(self._segment(self.zero, f"{side}_foot"))
            return float(np.arcsin(np.clip(float(dot(still, down)[0, 0]), -1, 1)))
        # as when the foot is lowest
        foot, heights = unit(self._segment(self.places, f"{side}_foot")), self._at(self.places, f"{side}_foot")[:, 1]
        low = heights <= np.quantile(heights, 0.3)
        return float(np.arcsin(np.clip(np.median(-foot[low, 1]), -1, 1)))

    def _above(self) -> Floats:
        """How far the lowest part of the body is above the lowest ever, (T,) in leg lengths."""
        heights = [
            self.places[:, self.known[f"{side}_{bone}"], 1] / self.leg - radius
            for side in SIDES
            for bone, radius in RADII.items()
            if f"{side}_{bone}" in self.known
        ]
        low = np.min(heights, axis=0)
        return np.maximum(low - np.quantile(low, 0.02) - SLACK, 0)


def _sole(foot: Floats, shin: Floats, slope: float) -> Floats:
    """Where a sole points, of feet (T, 3) that lead down so steeply when it is level, below shins (T, 3)."""
    if not 0 < slope < np.radians(60):
        return foot
    sole: Floats = np.cos(slope) * foot + np.sin(slope) * unit(across(-shin, foot))
    return unit(sole)


def _up(zero: Floats, trunk: Floats, stands: bool, hips: Floats) -> Floats:
    """The axis (3,) that is up, from directions of the trunk with all angles 0 (1, 3) and in the frames (T, 3).

    With all angles 0 only a person who stands tells it, and not if the trunk is along another axis nearly always while
    the hips, (3,) in leg lengths, are as high along it as those of people who stand: others lie.
    """
    usual = np.median(trunk, axis=0)
    axis = np.abs(usual).argmax()
    if stands:
        told = np.abs(zero[0]).argmax()
        other = len(trunk) >= 10 and abs(usual[axis]) > STRAIGHT and abs(usual[told]) < 1 - STRAIGHT
        if not (other and 0.6 < np.sign(usual[axis]) * hips[axis] < 1.5):
            return np.sign(zero[0, told]) * np.eye(3)[told]
    return np.sign(usual[axis]) * np.eye(3)[axis]


def _ahead(hips: Floats) -> Floats:
    """The turn (3, 3) about the upright axis that makes a pelvis (3, 3) look along +Z."""
    left = across(hips[:, 0], UP)
    if float(length(left)[0]) < 0.3:  # it lies on its side
        left = across(np.cross(UP, hips[:, 2]), UP)
    return turned_back(upright(left, UP))
