"""Decoders that keep to themselves: no limit, warning or message but the caller's own."""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from PIL import Image

# Without a handler of anyone's, Python prints what Pillow logs of a damaged file.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class Together:
    """A context that is entered once for all threads that are inside, because it changes the whole process."""

    def __init__(self, context: Callable[[], AbstractContextManager[None]]) -> None:
        """Keep how to make the context."""
        self._make = context
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        """Enter, and the context itself if nobody is inside."""
        with self._lock:
            if self._inside == 0:
                self._context = self._make()
                self._context.__enter__()
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        """Leave, and the context itself as the last one."""
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._context.__exit__(None, None, None)


@contextmanager
def _unlimited() -> Iterator[None]:
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def _silenced() -> Iterator[None]:
    if sys.stderr is not None:
        sys.stderr.flush()
    kept = None
    with suppress(OSError):  # a process may have no standard error
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    try:
        yield
    finally:
        if kept is not None:
            os.dup2(kept, 2)
            os.close(kept)


unlimited = Together(_unlimited)
"""Within it Pillow has no pixel limit of its own and does not warn."""

silenced = Together(_silenced)
"""Within it nothing reaches the standard error, where libtiff and libpng write what they think of a damaged file."""
