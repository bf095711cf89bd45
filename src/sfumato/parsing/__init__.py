"""Where the parts of a person are in a picture.

A parser takes a picture, as `image.from_any` does, and gives `Parts` of its size: `PartParser` by a model, `first_zone`
without weights; `find` by the better of them that is here. `tidied` says which parts count as found, and where. What
needs torch is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .first_zone import first_zone
from .parts import Parts
from .tidying import tidied

if TYPE_CHECKING:
    from .evaluation import PartsReport, evaluate_parts
    from .finding import find, finder
    from .parser import PartParser

__all__ = ["PartParser", "Parts", "PartsReport", "evaluate_parts", "find", "finder", "first_zone", "tidied"]

_HOMES = {
    "PartParser": "parser",
    "PartsReport": "evaluation",
    "evaluate_parts": "evaluation",
    "find": "finding",
    "finder": "finding",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
