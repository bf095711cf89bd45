"""What can go wrong, by code: the status of the answer, and what it means."""

import errno
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from ..errors import DiskError, OptionError, PictureError, SfumatoError, UserError, WeightsError
from .schema import Problem, Value

CODES = {
    "bad_request": (400, "The body is no JSON, or a value in it is wrong; the message names the field."),
    "no_access": (401, "Listening beyond this computer: the address with the token was not opened in this browser."),
    "forbidden": (403, "The request comes from another site, or lacks the header `X-Studio: 1`."),
    "not_found": (404, "There is nothing of that id in this session, or no such page."),
    "style_gone": (404, "A picture that the style was taken from is no longer in this session."),
    "not_allowed": (405, "The page knows no such method."),
    "superseded": (409, "A newer request of the same kind took its place; forget this one."),
    "too_big": (413, "More bytes than the limit."),
    "too_many_pixels": (413, "More pixels than the limit."),
    "not_a_picture": (415, "No picture of a format that can be read, or a damaged one."),
    "wrong_host": (421, "The name in the address is not one that this studio answers to."),
    "too_small": (422, "A side has less pixels than the limit."),
    "not_a_mask": (422, "The mask is no 8-bit PNG, or not opaque."),
    "wrong_size": (422, "The mask has not the working size of its photo."),
    "empty_zone": (422, "No pixel of the zone is chosen: paint it, or choose a part."),
    "nothing_found": (422, "None of the parts that a batch draws was found in the photo."),
    "wrong_option": (422, "An option has a value that it cannot have."),
    "no_model": (422, "There is no such model here, or it does other work."),
    "busy": (429, "Too many jobs wait; the header Retry-After says when to ask again."),
    "no_memory": (500, "There was not enough memory."),
    "worker_died": (500, "The process that does the work was ended, most often for want of memory; it starts again."),
    "failed": (500, "The work failed; the message says why."),
    "unexpected": (500, "A mistake of the studio itself."),
    "not_ready": (503, "The studio starts or ends."),
    "session_full": (507, "The session holds as many pictures or bytes as it may: delete some."),
    "disk_full": (507, "The disk is full or cannot be written."),
}
DETAILS: dict[str, tuple[str, ...]] = {
    "empty": (),
    "unknown": (),
    "heic": (),
    "tiff": (),
    "damaged": (),
    "no_mask": (),
    "no_parts": ("parts",),
    "result_size": ("width", "height", "megapixels"),
    "no_swatch": (),
    "transparent_jpeg": (),
    "no_such_model": ("name",),
    "other_work": ("name",),
    "no_style": (),
    "at_least": ("field", "limit"),
    "at_most": ("field", "limit"),
    "above": ("field", "limit"),
    "below": ("field", "limit"),
    "too_many": ("field", "limit"),
    "too_few": ("field", "limit"),
    "no_whole_number": ("field",),
    "no_number": ("field",),
    "no_such_choice": ("field",),
    "no_id": ("field",),
    "no_process": (),
    "in_log": ("kind",),
}
"""What exactly is wrong, where a code leaves it open, and the values that a sentence of it needs: clients that speak
other languages have the sentences, as the page does in `strings/`."""
_VALUES = {
    "greater_than_equal": ("at_least", "ge"),
    "less_than_equal": ("at_most", "le"),
    "greater_than": ("above", "gt"),
    "less_than": ("below", "lt"),
    "too_long": ("too_many", "max_length"),
    "too_short": ("too_few", "min_length"),
    "int_type": ("no_whole_number", ""),
    "int_parsing": ("no_whole_number", ""),
    "int_parsing_size": ("no_whole_number", ""),
    "int_from_float": ("no_whole_number", ""),
    "float_type": ("no_number", ""),
    "float_parsing": ("no_number", ""),
    "finite_number": ("no_number", ""),
    "literal_error": ("no_such_choice", ""),
    "string_pattern_mismatch": ("no_id", ""),
}
"""The details of what pydantic finds wrong with a value that a form can send, and the name of its limit there."""
_SAID = {
    "string_pattern_mismatch": "{place} is not an id of this studio.",
    "too_short": "{place}: at least {min_length} must be chosen.",
    "too_long": "{place}: at most {max_length} can be chosen.",
}
"""What is said instead of words of pydantic's that only programmers understand; of strings only ids have a pattern."""
MALFORMED = ("json_invalid", "extra_forbidden", "unexpected_keyword_argument", "missing")
"""What pydantic calls it if a body has not the fields that it should have."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What the system says of a disk that takes no more."""
ANYWHERE = ("wrong_host", "forbidden", "no_access", "bad_request", "not_allowed", "unexpected", "not_ready")
"""Codes that any route can answer."""


class Refusal(Exception):
    """A problem on its way to the client.

    Args:
        code: one of `CODES`.
        message: what is wrong, one sentence.
        hint: what to do about it; may be empty.
        retry_s: seconds after which it is worth to ask again.
        detail: one of `DETAILS`, or nothing.
        values: of the detail.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        retry_s: float | None = None,
        detail: str = "",
        values: Mapping[str, Value] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.retry_s = code, message, hint, retry_s
        self.detail, self.values = detail, dict(values or {})

    @classmethod
    def of(cls, problem: dict[str, Any]) -> Self:
        """That of which another process tells, by the fields of its `problem`."""
        code, message, hint = (problem[name] for name in ("error", "message", "hint"))
        return cls(code, message, hint, detail=problem["detail"], values=problem["values"])

    @property
    def status(self) -> int:
        """That of the answer."""
        return CODES[self.code][0]

    @property
    def problem(self) -> Problem:
        """As the client is told."""
        told = {"message": self.message, "hint": self.hint, "detail": self.detail, "values": self.values}
        return Problem.model_validate({"error": self.code, **told})


def refusal(error: SfumatoError, *paths: str | Path) -> Refusal:
    """An error of the library as the client is told.

    Args:
        error: what went wrong.
        paths: files that its message may name: where these lie is nobody's business.
    """
    if isinstance(error, DiskError) and isinstance(error.__cause__, OSError):
        return disk_full(error.__cause__)
    code = next((code for kind, code in _KINDS if isinstance(error, kind)), "failed")
    message = without(str(error), paths)
    kind = error.kind if isinstance(error, PictureError) else ""
    return Refusal(code, message[:1].upper() + message[1:], detail=kind)


def without(message: str, paths: Iterable[str | Path]) -> str:
    """A message that names none of these files."""
    for path in paths:
        message = message.replace(f"{path}: ", "").replace(str(path), "the picture")
    return message


_KINDS: tuple[tuple[type[SfumatoError], str], ...] = (
    (PictureError, "not_a_picture"),
    (OptionError, "wrong_option"),
    (WeightsError, "no_model"),
    (DiskError, "disk_full"),
    (UserError, "wrong_option"),
)


def wrong_value(error: ValidationError) -> Refusal:
    """What pydantic finds wrong, of which the first is told."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    code = "bad_request" if first["type"] in MALFORMED else "wrong_option"
    detail, limit = _VALUES.get(first["type"], ("", ""))
    names = [part for part in first["loc"] if isinstance(part, str)]
    values: dict[str, Value] = {"field": names[-1] if names else place}
    if limit:
        values["limit"] = first["ctx"][limit]
    words = _SAID.get(first["type"], "{place}: {told}.")
    message = words.format(place=place or "the body", told=first["msg"], **first.get("ctx", {}))
    return Refusal(code, message, detail=detail, values=values if detail else None)


def unforeseen(error: Exception, message: str) -> Refusal:
    """An error that nobody foresaw, of which the log has all."""
    return Refusal("unexpected", message, detail="in_log", values={"kind": type(error).__name__})


def no_such_model(name: str) -> Refusal:
    """There is no model of that name on this computer."""
    message, hint = f"There is no model {name!r} on this computer.", "Choose one of those that are listed."
    return Refusal("no_model", message, hint, detail="no_such_model", values={"name": name})


def disk_full(error: OSError) -> Refusal:
    """A file that cannot be written."""
    return Refusal("disk_full", f"The studio's folder cannot be written: {error.strerror or error}.", "Make room.")


def lost_worker(exit_code: int | None) -> Refusal:
    """The process that worked has ended."""
    how = f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"
    return Refusal(
        "worker_died",
        f"The work stopped: the process that does it was ended ({how}), most often because memory ran out.",
        "It has been started again. Close other programs or take a smaller size, then try again.",
    )
