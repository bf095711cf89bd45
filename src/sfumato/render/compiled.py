"""Functions that Numba turns into machine code when they are first called; it is kept on disk beside the source.

Machine code holds the constants and the compiled functions of other files that a function uses, but Numba asks only
whether the function's own file has changed. So what is kept counts for one state of all files of this package.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import caching

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The same function as machine code; it releases Python's lock while it runs.

    A division by 0 is inf or no number, as in NumPy: without a test at each the machine takes several steps at once.
    """
    made: Any = njit(nogil=True, error_model="numpy")(function)
    with suppress(RuntimeError):  # neither the package's folder nor the user's can be written: compiled in each process
        made._cache = _kept(function)
    return cast(Function, made)


def _kept(function: Callable[..., object]) -> Any:
    """Numba's cache of a function, fresh while no file of the package has changed."""
    numba: Any = caching  # has no types
    cache = numba.FunctionCache(function)
    stamp = cache._impl.locator.get_source_stamp(), _SOURCES
    cache._cache_file = numba.IndexDataCacheFile(cache.cache_path, cache._impl.filename_base, stamp)
    return cache


def _digest(folder: Path) -> bytes:
    """Of the names and the contents of a folder's files of Python."""
    found = blake2b(digest_size=16)
    for file in sorted(folder.glob("*.py")):
        content = file.read_bytes()
        found.update(f"{file.name} {len(content)} ".encode() + content)
    return found.digest()


_SOURCES = _digest(Path(__file__).parent)
