"""Reads BVH, Biovision's hierarchical motion files: a tree of joints and their channels, frame by frame.

The format as in Meredith & Maddock, Motion Capture File Formats Explained (University of Sheffield, CS-01-11, 2001).
Channels may come in any order; whether positions of inner joints are in place of offsets or on top of them differs
from program to program and is told by the values.

Shapes: T frames, J joints.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import DataError
from .character import Floats, ancestors
from .vectors import about, applied

AXES = ("x", "y", "z")
DEEPEST = 300
"""Joints of a file in a row from the root, at most; more are taken for a damaged file."""


@dataclass(kw_only=True)
class Joint:
    """A joint as the file has it."""

    name: str
    parent: int
    """Its place; -1: a root."""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """From the parent's joint."""
    channels: list[str] = field(default_factory=list)
    """As `xposition` or `zrotation`, in the order of the file."""
    first: int = 0
    """Where in a frame its values begin."""
    end: bool = False
    """It only says where its parent's bone ends."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bvh:
    """A file that was read."""

    path: Path
    joints: tuple[Joint, ...]
    """J, parents before their children, ends among them."""
    values: Floats
    """(T, channels), as in the file: degrees and lengths of an unknown unit."""
    fps: float

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def parents(self) -> tuple[int, ...]:
        return tuple(joint.parent for joint in self.joints)

    @property
    def names(self) -> tuple[str, ...]:
        """The J joints' names; an end is called END after its parent."""
        return tuple(joint.name for joint in self.joints)

    def moved(self, joints: Sequence[int] | None = None) -> tuple[Floats, Floats]:
        """Where joints, or all, are in each frame (T, J, 3), how they are turned (T, J, 3, 3); in the file's axes."""
        wanted = range(len(self.joints)) if joints is None else joints
        needed = {above for joint in wanted for above in ancestors(self.parents, joint)}
        found: dict[int, tuple[Floats, Floats]] = {}
        for place in sorted(needed):
            joint = self.joints[place]
            turn, offset = _turned(joint, self.values), _moved(joint, self.values)
            if joint.parent >= 0:
                start, above = found[joint.parent]
                offset, turn = start + applied(above, offset), above @ turn
            found[place] = offset, np.ascontiguousarray(turn)
        places, turns = (np.stack([found[joint][k] for joint in wanted], axis=1) for k in (0, 1))
        return places, turns

    def zero(self) -> Floats:
        """Where the joints (J, 3) are while all channels are 0."""
        places = np.zeros((len(self.joints), 3))
        for place, joint in enumerate(self.joints):
            places[place] = np.array(joint.offset) + (places[joint.parent] if joint.parent >= 0 else 0)
        return places


def _turned(joint: Joint, values: Floats) -> Floats:
    """The turn (T, 3, 3) of the joint in its parent's axes: the file's rotations one after the other."""
    turn = np.broadcast_to(np.eye(3), (len(values), 3, 3))
    for place, channel in enumerate(joint.channels, joint.first):
        if channel.endswith("rotation"):
            turn = turn @ about(AXES.index(channel[0]), values[:, place])
    return turn


def _moved(joint: Joint, values: Floats) -> Floats:
    """The joint (T, 3) in its parent's axes."""
    offset = np.array(joint.offset)
    moves = np.zeros((len(values), 3))
    for place, channel in enumerate(joint.channels, joint.first):
        if channel.endswith("position"):
            moves[:, AXES.index(channel[0])] = values[:, place]
    size = np.median(np.linalg.norm(moves, axis=1))
    instead = np.median(np.linalg.norm(moves - offset, axis=1)) < size
    return moves if instead else offset + moves


def read(path: Path) -> Bvh:
    """What the file holds.

    Raises:
        DataError: it cannot be read, or is not a whole BVH file; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="strict")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a BVH file ({error})") from None
    lines = _Lines(path, text)
    joints = _hierarchy(lines)
    frames, frame_time = _head(lines)
    return Bvh(path=path, joints=tuple(joints), values=_values(lines, joints, frames), fps=1 / frame_time)


class _Lines:
    """The words of each line that has any, one after the other."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.number = 0
        self._lines = iter([(n, words) for n, line in enumerate(text.splitlines(), 1) if (words := line.split())])

    def __iter__(self) -> Iterator[list[str]]:
        for number, words in self._lines:
            self.number = number
            yield words

    def next(self, wanted: str) -> list[str]:
        """The next line.

        Raises:
            DataError: there is none.
        """
        for words in self:
            return words
        raise self.wrong(f"the file ends where {wanted} must follow; it was cut short")

    def wrong(self, what: str) -> DataError:
        """The error that this is wrong in the present line."""
        return DataError(f"{self.path}, line {self.number}: {what}")

    def numbers(self, words: list[str]) -> list[float]:
        """Finite numbers.

        Raises:
            DataError: a word is none.
        """
        try:
            found = [*map(float, words)]
        except ValueError:
            word = next(word for word in words if not _is_number(word))
            raise self.wrong(f"{word!r} is not a number") from None
        if not all(map(math.isfinite, found)):
            word = next(word for word in words if not math.isfinite(float(word)))
            raise self.wrong(f"{word} is not a finite number; export the motion again or cut this frame out")
        return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _hierarchy(lines: _Lines) -> list[Joint]:
    """The joints, up to the line MOTION."""
    if lines.next("HIERARCHY")[0].upper() != "HIERARCHY":
        raise lines.wrong("a BVH file begins with HIERARCHY; this is another format")
    joints: list[Joint] = []
    open_joints: list[int] = []
    while (words := lines.next("MOTION"))[0].upper() != "MOTION":
        _line_of_joint(lines, words, joints, open_joints)
    if open_joints:
        raise lines.wrong(f"joint {joints[open_joints[-1]].name} is not closed by a }}")
    if not joints:
        raise lines.wrong("there is no ROOT above MOTION")
    for joint in joints:
        if not joint.end and not joint.channels:
            raise lines.wrong(f"joint {joint.name} has no CHANNELS; each joint needs its rotations")
    return joints


def _line_of_joint(lines: _Lines, words: list[str], joints: list[Joint], open_joints: list[int]) -> None:
    """What one line of the hierarchy adds; `open_joints` are the places of those whose } is still to come."""
    match [words[0].upper(), *words[1:]]:
        case ["ROOT" | "JOINT", *name] if name:
            _open(lines, Joint(name=" ".join(name).removesuffix("{").strip(), parent=-1), joints, open_joints)
        case ["END", _] if open_joints:
            end = Joint(name=f"{joints[open_joints[-1]].name} END", parent=-1, end=True)
            _open(lines, end, joints, open_joints)
        case ["{"]:
            return
        case ["}"] if open_joints:
            open_joints.pop()
        case ["OFFSET", *numbers] if open_joints:
            if len(numbers) != 3:
                raise lines.wrong(f"OFFSET needs 3 numbers, here are {len(numbers)}")
            x, y, z = lines.numbers(numbers)
            joints[open_joints[-1]].offset = (x, y, z)
        case ["CHANNELS", count, *names] if open_joints:
            joints[open_joints[-1]].channels = _channels(lines, count, names)
            joints[open_joints[-1]].first = sum(len(joint.channels) for joint in joints[:-1])
        case _:
            raise lines.wrong(f"{' '.join(words)[:60]!r} does not belong here")


def _open(lines: _Lines, joint: Joint, joints: list[Joint], open_joints: list[int]) -> None:
    if len(open_joints) >= DEEPEST:
        raise lines.wrong(f"joints lie more than {DEEPEST} deep; a }} is missing")
    if joint.name in {other.name for other in joints if not other.end}:
        raise lines.wrong(f"there are two joints {joint.name}")
    joint.parent = open_joints[-1] if open_joints else -1
    open_joints.append(len(joints))
    joints.append(joint)


def _channels(lines: _Lines, count: str, names: list[str]) -> list[str]:
    """The channels of a joint in small letters."""
    found = [name.lower() for name in names]
    if str(len(found)) != count:
        raise lines.wrong(f"CHANNELS {count} is followed by {len(found)} names")
    allowed = {axis + kind for axis in AXES for kind in ("position", "rotation")}
    for name in found:
        if name not in allowed or found.count(name) > 1:
            raise lines.wrong(f"channel {name!r} must be one of {', '.join(sorted(allowed))}, and once")
    return found


def _head(lines: _Lines) -> tuple[int, float]:
    """How many frames there are, and the seconds of each."""
    words = lines.next("Frames:")
    if words[0].lower() not in {"frames:", "frames"} or not words[-1].isdigit():
        raise lines.wrong("after MOTION comes the line 'Frames: NUMBER'")
    frames = int(words[-1])
    if frames == 0:
        raise lines.wrong("the motion has no frames; export it again")
    words = lines.next("Frame Time:")
    if [word.lower() for word in words[:-1]] not in (["frame", "time:"], ["frame", "time", ":"]):
        raise lines.wrong("after Frames comes the line 'Frame Time: SECONDS'")
    (seconds,) = lines.numbers(words[-1:])
    if seconds <= 0:
        raise lines.wrong(f"Frame Time is {words[-1]}; it must be above 0")
    return frames, seconds


def _values(lines: _Lines, joints: list[Joint], frames: int) -> Floats:
    """(T, channels)."""
    channels = sum(len(joint.channels) for joint in joints)
    rows: list[list[float]] = []
    for words in lines:
        if len(words) != channels:
            raise lines.wrong(f"frame {len(rows)} has {len(words)} values; the {channels} channels need one each")
        rows.append(lines.numbers(words))
        if len(rows) > frames:
            raise lines.wrong(f"there are more frames than the {frames} that the file names")
    if len(rows) < frames:
        raise lines.wrong(f"the file ends after {len(rows)} of {frames} frames; it was cut short")
    return np.array(rows)
