"""Pictures by several processes; one that dies is replaced, and what it was making is made again."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ..errors import FailedError

logger = logging.getLogger(__name__)

AHEAD = 3
"""Tasks that each process has in store."""
DEATHS = 3
"""So many times in a row processes may die without a result in between."""

Task = Callable[[int], dict[str, Any]]


def each(task: Task, numbers: Sequence[int], workers: int) -> Iterator[dict[str, Any]]:
    """The task's result for each number, in the order in which they are ready.

    Args:
        task: can be pickled; called in another process if there are workers.
        numbers: what it is called with.
        workers: processes; 0 works in this one.

    Raises:
        FailedError: processes die again and again.
    """
    if workers == 0:
        yield from map(task, numbers)
        return
    left, deaths = dict.fromkeys(numbers), 0
    while left:
        try:
            for number, result in _pooled(task, list(left), workers):
                deaths = 0
                del left[number]
                yield result
        except BrokenProcessPool as error:
            deaths += 1
            if deaths == DEATHS:
                raise FailedError(
                    f"processes died {DEATHS} times near picture {next(iter(left))}, for want of memory perhaps; try"
                    " --workers 1, and the same command goes on"
                ) from error
            logger.warning("a process died; %d pictures are left, others make them", len(left))


def _pooled(task: Task, numbers: Sequence[int], workers: int) -> Iterator[tuple[int, dict[str, Any]]]:
    waiting, running = iter(numbers), dict[Any, int]()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        try:
            for number in waiting:
                running[pool.submit(task, number)] = number
                if len(running) < AHEAD * workers:
                    continue
                yield from _finished(running)
            while running:
                yield from _finished(running)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _finished(running: dict[Any, int]) -> Iterator[tuple[int, dict[str, Any]]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in sorted(done, key=lambda one: running[one]):
        yield running.pop(future), future.result()


def _begin() -> None:
    """Ctrl-C is for the parent, whose end is this process's, however it ends; OpenCV takes one thread."""
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)
