"""Pictures by several processes; one that dies is replaced, and what it was making is made again, last and alone.

A picture that kills its process, for want of memory perhaps, holds up no other: it is named at the end.
"""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ..errors import FailedError
from ..hearing import heard, told
from ..machine import keep_memory
from ..weights import first

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
        FailedError: processes die again and again, or, once all other numbers are done, at some of them.
    """
    if workers == 0:
        yield from map(task, numbers)
        return
    left, suspects, lost = list(numbers), list[int](), list[int]()
    deaths, idle = 0, True
    while batch := left or suspects:
        made, alone, dead = set[int](), not left, list[int]()
        try:
            for number, result in _pooled(task, batch, 1 if alone else workers, 1 if alone else AHEAD):
                made.add(number)
                yield result
        except _Died as died:
            dead = died.numbers
        idle = idle and not made
        rest = [number for number in batch if number not in made and number not in dead]
        if alone:
            suspects, lost = rest, lost + dead
        else:
            left, suspects = rest, suspects + dead
        if dead:
            deaths = 1 if made else deaths + 1
            if deaths == DEATHS and (idle or not alone):
                raise FailedError(
                    f"processes died {DEATHS} times near picture {min(dead)}, for want of memory perhaps; try"
                    " --workers 1, and the same command goes on"
                )
            logger.warning("a process died near picture %d; others make what is left", dead[0])
    if lost:
        raise FailedError(
            f"processes died at {len(lost)} pictures, for want of memory perhaps: {first([str(n) for n in lost])}; all"
            " others are there, and the same command tries these again"
        )


class _Died(Exception):
    """A process did, while these numbers were under way or in store."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__(numbers)
        self.numbers = numbers


def _pooled(
    task: Task, numbers: Sequence[int], workers: int, ahead: int = AHEAD
) -> Iterator[tuple[int, dict[str, Any]]]:
    waiting, running = iter(numbers), dict[Any, int]()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        try:
            for number in waiting:
                running[pool.submit(heard, task, number)] = number
                if len(running) < ahead * workers:
                    continue
                yield from _finished(running)
            while running:
                yield from _finished(running)
        except BrokenProcessPool as error:
            raise _Died(sorted(running.values())) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _finished(running: dict[Any, int]) -> Iterator[tuple[int, dict[str, Any]]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in sorted(done, key=lambda one: running[one]):
        found = future.result()
        yield running.pop(future), told(found)


def _begin() -> None:
    """Ctrl-C is for the parent, whose end is this process's, however it ends; OpenCV takes one thread.

    Pictures take the same memory one after the other.
    """
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    keep_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)
