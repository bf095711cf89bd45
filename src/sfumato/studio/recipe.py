"""How a result was made, in words that a program can read: written into files, and read when one comes back."""

import json
from typing import Any

from .. import __version__
from ..image import exif

MARK = "sfumato"
LONGEST = 20_000
"""Characters of a recipe that is read."""


def text(kind: str, **facts: Any) -> str:
    """A recipe as JSON: models and options; no names of files."""
    return json.dumps({MARK: __version__, "kind": kind} | facts, ensure_ascii=False, separators=(",", ":"))


def within(raw: bytes | None) -> dict[str, Any] | None:
    """The recipe in the EXIF of a picture; None if there is none."""
    remark = exif.comment_of(raw)
    if not remark.startswith("{") or len(remark) > LONGEST:
        return None
    try:
        found = json.loads(remark)
    except ValueError:
        return None
    return found if isinstance(found, dict) and MARK in found else None
