"""What this machine has to compute with."""

import os
import sys


def cores() -> int:
    """Cores that this process may use; on Linux these may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def is_about_memory(error: BaseException) -> bool:
    """Whether there was not enough memory, on a GPU or on the CPU: torch raises a RuntimeError that says so."""
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)
