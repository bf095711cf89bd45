"""What this machine has to compute with, and how a process uses its memory."""

import ctypes
import os
import sys

KEPT = 2**26
"""Bytes that a process keeps of what it frees."""


def cores() -> int:
    """Cores that this process may use; on Linux these may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def is_about_memory(error: BaseException) -> bool:
    """Whether there was not enough memory, on a GPU or on the CPU: torch raises a RuntimeError that says so."""
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def keep_memory() -> None:
    """Lets this process keep memory that it frees, for work that takes as much again and again.

    Else arrays go back to the system, which clears them page by page before the next ones: up to a sixth of the time
    in which a picture is drawn. Where the C library cannot be told so nothing changes.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(-1, KEPT)  # M_TRIM_THRESHOLD
        library.mallopt(-3, KEPT // 2)  # M_MMAP_THRESHOLD
