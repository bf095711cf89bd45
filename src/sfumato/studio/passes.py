"""What lets a browser in again: of each pass a digest is kept on the disk, from which the pass cannot be had."""

import hashlib
import logging
import secrets
import time
from pathlib import Path

from . import disk
from .schema import Model

log = logging.getLogger(__name__)

YEAR_S = 31_536_000
"""How long a pass is good, and a browser keeps a cookie."""
FILE = "passes.json"


class Kept(Model):
    """The file."""

    passes: dict[str, float]
    """When each was given, in seconds since 1970, by its digest."""


class Passes:
    """The passes of a studio; they outlive it.

    Args:
        home: the studio's folder. In a new one there are none.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._given = self._read()

    def _read(self) -> dict[str, float]:
        try:
            return Kept.model_validate_json(self.path.read_bytes()).passes
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else "it is of another version or damaged"
            log.warning("%s cannot be read (%s), so browsers must be let in anew", self.path, told)
            return {}

    def give(self) -> str:
        """A new one.

        Raises:
            DiskError: the disk is full or cannot be written; then there is none.
        """
        made = secrets.token_urlsafe(24)
        good = {digest: when for digest, when in self._given.items() if is_good(when)}
        given = good | {digest_of(made): time.time()}
        disk.keep(self.path, Kept(passes=given), secret=True)
        self._given = given
        return made

    def good(self, kept: str) -> bool:
        """Whether this is one of them, which is not too old."""
        when = self._given.get(digest_of(kept))  # what time this takes tells of digests only
        return when is not None and is_good(when)


def is_good(when: float) -> bool:
    """Whether a pass that was given then is good still."""
    return time.time() - when < YEAR_S


def digest_of(kept: str) -> str:
    """Of a pass: it is drawn at random and long, so nothing more is needed to keep it secret."""
    return hashlib.sha256(kept.encode()).hexdigest()
