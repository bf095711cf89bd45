"""The bounds in a dataclass's annotations, for those who make it without a parser."""

import operator
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from ..errors import OptionError

_TESTS: dict[type, tuple[str, str, Callable[[float, float], bool]]] = {
    Ge: ("ge", "at least", operator.ge),
    Gt: ("gt", "above", operator.gt),
    Le: ("le", "at most", operator.le),
    Lt: ("lt", "below", operator.lt),
}
"""Of each kind of bound: where its number is, its words, and how a value is compared with it."""


def checked(made: object) -> None:
    """Whether all fields of a dataclass are within their bounds; of a tuple each value is to be.

    Raises:
        OptionError: one is not.
    """
    kind: type = type(made)
    for name in _bounds(kind):
        value = getattr(made, name)
        for one in value if isinstance(value, tuple) else (value,):
            if wrong := problem(kind, name, one):
                raise OptionError(f"{name}={one} {wrong}")


def problem(kind: type, name: str, value: float) -> str:
    """What is wrong with a value of a field, as `must be from 0 to 1`; empty if nothing is."""
    limits = _bounds(kind)[name]
    if all(_TESTS[type(limit)][2](value, _limit(limit)) for limit in limits):
        return ""
    found = {type(limit): f"{_limit(limit):g}" for limit in limits}
    if found.keys() == {Ge, Le}:
        return f"must be from {found[Ge]} to {found[Le]}"
    return f"must be {' and '.join(f'{_TESTS[bound][1]} {limit}' for bound, limit in found.items())}"


def _limit(bound: Any) -> float:
    return float(getattr(bound, _TESTS[type(bound)][0]))


@cache
def _bounds(kind: type) -> dict[str, tuple[Any, ...]]:
    """Of each field that has some."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: found for name, hint in hints.items() if (found := tuple(dict.fromkeys(_within(hint))))}


def _within(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        yield from (bound for bound in hint.__metadata__ if type(bound) in _TESTS)
    for part in get_args(hint):
        yield from _within(part)
