"""What moves a character: for each frame a pose."""

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
