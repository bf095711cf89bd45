"""A training stream that is a pure function of (seed, step): resuming needs no state of a loader."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Protocol

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import FailedError, SfumatoError

log = logging.getLogger(__name__)

Loaded = tuple[dict[str, Tensor], list[str]] | SfumatoError
"""A batch and what turned out to be broken so far, or why there is no batch."""


class Samples(Protocol):
    """What a data set offers: sample n, whatever came before."""

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """Tensors of sample n by name; all samples have the same names and shapes."""
        ...

    def counts(self) -> dict[str, int]:
        """How many pictures each folder has."""
        ...

    def broken(self) -> list[str]:
        """What is wrong with pictures that were met and could not be read."""
        ...

    def digest(self) -> str:
        """Digits that tell whether the pictures are still the same."""
        ...


class Batches(Dataset[Loaded]):
    """Batches by the number of their first sample, for torch's loader.

    Args:
        samples: the data set.
        seed: of the run.
        shift: of this process's samples from the first of a batch.
        count: how many of a batch are this process's.
    """

    def __init__(self, samples: Samples, seed: int, shift: int, count: int) -> None:
        self.samples, self.seed, self.shift, self.count = samples, seed, shift, count

    def __getitem__(self, first: int) -> Loaded:
        try:
            parts = [self.samples.sample(self.seed, first + self.shift + i) for i in range(self.count)]
        except SfumatoError as error:  # raised here it would come out of the loader wrapped in a traceback
            return error
        return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}, self.samples.broken()


def batches(
    samples: Samples, seed: int, firsts: range, *, share: tuple[int, int] = (0, 1), workers: int = 0, pin: bool = False
) -> Generator[dict[str, Tensor], None, None]:
    """Batches of tensors by name, read ahead by `workers` processes.

    Args:
        samples: the data set.
        seed: of the run.
        firsts: number of the first sample of each batch; its step is the batch's size over all processes.
        share: rank of this process and number of processes that share each batch.
        workers: 0 reads between the steps.
        pin: put them in memory from which a GPU reads fast.

    Raises:
        DataError: no picture is left that can be read.
    """
    rank, world = share
    count = firsts.step // world
    loader = DataLoader(
        Batches(samples, seed, rank * count, count),
        batch_size=None,
        sampler=firsts,
        num_workers=workers,
        multiprocessing_context=_context() if workers else None,
        worker_init_fn=_begin_worker,
        pin_memory=pin,
    )
    named: set[str] = set()
    ahead = iter(loader)
    while (loaded := _next(ahead)) is not None:
        if isinstance(loaded, SfumatoError):
            raise loaded
        batch, broken = loaded
        for fault in [fault for fault in broken if fault not in named]:
            log.warning("broken, another picture takes its place: %s", fault)
            named.add(fault)
        yield batch


@contextmanager
def reading() -> Iterator[None]:
    """Says clearly when a process that reads pictures dies; torch reports that at any moment, even between batches.

    Raises:
        FailedError: one died.
    """
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise _ended(str(error).splitlines()[0]) from error


def _next(ahead: Iterator[Loaded]) -> Loaded | None:
    try:
        return next(ahead, None)
    except (EOFError, ConnectionError, FileNotFoundError) as error:  # it died between naming a tensor and sending it
        raise _ended(type(error).__name__) from error


def _ended(how: str) -> FailedError:
    return FailedError(
        f"a process that reads pictures ended ({how}); if memory ran out, take fewer workers; if a script of yours"
        " calls train, it needs `if __name__ == '__main__':` around the call"
    )


def _context() -> "multiprocessing.context.BaseContext":
    """How workers are started: never by a plain fork, which can hang once torch or CUDA runs threads."""
    server = sys.platform not in ("win32", "darwin")  # the one cannot fork, the other's libraries do not survive it
    context = multiprocessing.get_context("forkserver" if server else "spawn")
    if server:
        context.set_forkserver_preload([__name__])  # imports torch once for all workers
    return context


def _begin_worker(_number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the trainer, which ends its workers itself
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _leave_with_parent() -> None:
    """Ends this worker when the trainer was killed; torch's own watch looks at the server that started the worker."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
