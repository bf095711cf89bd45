"""The same work on many things by all cores, the results in their order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ThingT = TypeVar("ThingT")
ResultT = TypeVar("ResultT")


def in_order(work: Callable[[ThingT], ResultT], things: Iterable[ThingT], threads: int = 0) -> Iterator[ResultT]:
    """What `work` gives for each thing, in their order; what it raises ends all.

    No more is begun than some things ahead of what was taken, so that leaving, as by Ctrl-C, ends soon.

    Args:
        threads: how many; 0 is one for each core.
    """
    threads = threads or os.cpu_count() or 1
    waiting: deque[Future[ResultT]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for thing in things:
            waiting.append(pool.submit(work, thing))
            if len(waiting) >= 4 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
