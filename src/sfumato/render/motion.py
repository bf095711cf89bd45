"""What moves a character: for each frame a pose."""

from dataclasses import dataclass
from typing import Protocol

from ..errors import OptionError
from .character import Character, Pose


class Motion(Protocol):
    """A motion that any character can do."""

    @property
    def name(self) -> str:
        """For metadata."""
        ...

    @property
    def frames(self) -> int:
        """How many there are."""
        ...

    @property
    def fps(self) -> float:
        """Frames a second."""
        ...

    def pose(self, character: Character, frame: int) -> Pose:
        """The character in frame 0 ... frames - 1.

        Raises:
            OptionError: there is no such frame.
        """
        ...


def checked(motion: Motion, frame: int) -> int:
    """The frame.

    Raises:
        OptionError: the motion has no such frame.
    """
    if not 0 <= frame < motion.frames:
        raise OptionError(f"{motion.name}: there is no frame {frame}; it has 0 to {motion.frames - 1}")
    return frame


@dataclass(frozen=True, kw_only=True, eq=False)
class Every:
    """Every n-th frame of a motion, as a motion."""

    motion: Motion
    step: int
    """n, from 1."""
    start: int = 0
    """The first frame that is taken; it has to be there."""

    def __post_init__(self) -> None:
        if self.step < 1:
            raise OptionError(f"every {self.step} frames: the step must be 1 or more")
        checked(self.motion, self.start)

    @property
    def name(self) -> str:
        return self.motion.name

    @property
    def frames(self) -> int:
        return len(range(self.start, self.motion.frames, self.step))

    @property
    def fps(self) -> float:
        return self.motion.fps / self.step

    def source(self, frame: int) -> int:
        """Which frame of the whole motion this one is."""
        return self.start + self.step * checked(self, frame)

    def pose(self, character: Character, frame: int) -> Pose:
        """See Motion."""
        return self.motion.pose(character, self.source(frame))
