"""What this machine has to compute with, and how a process uses its memory."""

import ctypes
import os
import sys

KEPT = 2**26
"""Bytes that a process keeps of what it frees."""


def cores() -> int:
    """Cores that this process may use; on Linux these may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def threads() -> int:
    """How many threads share work on pixels: one for each core, at most 8, as each holds some of them."""
    return min(cores(), 8)


def is_about_memory(error: BaseException) -> bool:
    """Whether there was not enough memory, on a GPU or on the CPU: torch raises a RuntimeError that says so."""
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def keep_memory(most: int | None = KEPT) -> bool:
    """Lets this process keep memory that it frees, for work that takes as much again and again; whether it does.

    Else arrays go back to the system, which clears them page by page before the next ones. Where the C library is not
    glibc, which can be told so, nothing changes.

    Args:
        most: bytes that it keeps, blocks up to half of that; None keeps all.
    """
    if sys.platform != "linux" or not hasattr(library := ctypes.CDLL(None), "mallopt"):  # musl has none
        return False
    trim_threshold, top_pad, mmap_threshold, mmap_max = -1, -2, -3, -4  # from malloc.h
    settings = {mmap_max: 0, trim_threshold: 2**31 - 1, top_pad: 64 * 2**20}
    if most is not None:
        settings = {trim_threshold: most, mmap_threshold: most // 2}
    taken = [library.mallopt(what, value) for what, value in settings.items()]
    return all(taken)
