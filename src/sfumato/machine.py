"""What this machine has to compute with."""

import os
import sys


def cores() -> int:
    """Cores that this process may use; on Linux these may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
