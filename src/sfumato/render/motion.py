"""What moves a character: for each frame a pose."""

from typing import Protocol

from .character import Character, Pose


class Motion(Protocol):
    """A motion that any character can do."""

    name: str
    """For metadata."""
    frames: int
    """How many there are."""
    fps: float
    """Frames a second."""

    def pose(self, character: Character, frame: int) -> Pose:
        """The character in frame 0 ... frames - 1."""
        ...
