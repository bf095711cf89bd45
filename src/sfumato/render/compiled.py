"""Functions that Numba turns into machine code when they are first called; it is kept on disk beside the source."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The same function as machine code; it releases Python's lock while it runs.

    A division by 0 is inf or no number, as in NumPy: without a test at each the machine takes several steps at once.
    """
    try:
        return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # neither the package's folder nor the user's can be written: compiled anew in each process
        return cast(Function, njit(nogil=True, error_model="numpy")(function))
