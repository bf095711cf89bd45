"""Functions that Numba turns into machine code when they are first called; it is kept on disk beside the source."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The same function as machine code; it releases Python's lock while it runs."""
    return cast(Function, njit(cache=True, nogil=True)(function))
