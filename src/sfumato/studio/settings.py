"""How a studio is run."""

from dataclasses import dataclass, field
from pathlib import Path

from .schema import Limits


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that is chosen when a studio starts."""

    home: Path
    """Its folder: sessions, and files that live for a moment."""
    runs: Path | None = None
    """Folder of trainings to show."""
    device: str = "auto"
    """As `device.pick` takes it."""
    listens: bool = False
    """Whether other computers may come, with a token."""
    token: bool = False
    """Whether a token is wanted on this computer, too."""
    trusted: tuple[str, ...] = ()
    """Further names that an address may have, such as a proxy's."""
    limits: Limits = field(default_factory=Limits)
    queue: int = 32
    """Jobs that may wait, of all sessions."""
    store_bytes: int = 30_000_000_000
    """Bytes of all sessions; beyond, those that were not used for longest go."""
    keep_days: float = 30.0
    """A session that is not used for longer goes."""
    leave_s: float = 10.0
    """Seconds that a job goes on after its last listener has left."""
    cancel_s: float = 20.0
    """Seconds in which work must end once it is cancelled; then its process is ended."""
    idle_s: float = 600.0
    """Seconds after which the process for quick work ends if nobody asks for any."""
    decode_bytes: int = 1_200_000_000
    """Memory that pictures may take while they are read, all together; one that alone needs more is read alone."""
    stall_s: float = 60.0
    """Seconds without a byte after which a request that is still coming is given up."""
    body_bytes: int = 1_000_000
    """Bytes of a request in JSON."""
    mask_bytes: int = 8_000_000
    """Bytes of a mask."""

    @property
    def wants_token(self) -> bool:
        """Whether a browser must bring a token to be let in."""
        return self.listens or self.token
