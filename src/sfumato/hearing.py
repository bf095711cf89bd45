"""What a task in another process warns of, carried to the one that asked for it, which alone tells the user.

Lines of several processes would run into each other, and those of another machine are seen by nobody.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Heard(Generic[T]):
    """How a task ended, and what it warned of before."""

    results: tuple[T, ...]
    """Its result; empty if it raised."""
    error: Exception | None
    """What it raised, with a note that shows where."""
    warnings: tuple[str, ...]


def heard(task: Callable[P, T], /, *args: P.args, **settings: P.kwargs) -> Heard[T]:
    """Calls the task, in the other process; what it raises and warns of is part of what is returned."""
    warnings = list[str]()
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    above = logging.getLogger(__package__)
    above.addHandler(handler)
    try:
        return Heard(results=(task(*args, **settings),), error=None, warnings=tuple(warnings))
    except Exception as error:  # noqa: BLE001 (`told` raises it, after the warnings)
        error.add_note("in another process:\n" + "".join(traceback.format_exception(error)).rstrip())
        return Heard(results=(), error=error, warnings=tuple(warnings))
    finally:
        above.removeHandler(handler)


def told(found: Heard[T]) -> T:
    """The task's result, in this process; its warnings are logged first.

    Raises:
        Exception: what the task raised.
    """
    for text in found.warnings:
        logger.warning("%s", text)
    if found.error is not None:
        raise found.error
    return found.results[0]
