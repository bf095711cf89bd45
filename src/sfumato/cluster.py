"""The same bulk work on a Ray cluster: a task for each number, wherever a node has a core free.

Numbers go out in small lots. What comes back is small, a line of the manifest for each; the pictures themselves go to a
folder that all nodes reach under one path. A node that dies takes only the lots with it that it was making: Ray gives
them to others (Moritz et al., OSDI 2018, arXiv:1712.05889).
"""

import logging
import os
import platform
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from . import __version__
from .errors import DataError, DiskError, FailedError, OptionError, SfumatoError
from .hearing import Heard, heard, told
from .machine import keep_memory

LOT = 4
"""Numbers that a core is given at once."""
AHEAD = 3
"""Lots that each core has in store."""
RETRIES = 3
"""So often a lot whose process or node died is begun again."""
ANSWER_S = 5
"""So long the head of a cluster may take to answer; Ray itself would try for minutes, and say so line by line."""
GRACE_S = 10
"""So long lots that nobody wants any more may take to end."""
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "^"}
"""For Ray: it tells nobody of the user's work, and of all its lines prints none among ours."""

Task = Callable[[int], dict[str, Any]]
Lots = dict[Any, Sequence[int]]
"""Numbers of each by what Ray will have of it."""


def each(task: Task, numbers: Sequence[int], address: str, folder: Path) -> Iterator[dict[str, Any]]:
    """The task's result for each number, in the order in which they are ready.

    Args:
        task: can be pickled; called on any node, where relative paths are those of this process.
        numbers: what it is called with.
        address: as `ray.init` takes it: `auto`, the cluster that this machine is a node of; `HOST:PORT`, the cluster
            with its head there; `local`, one of this machine alone, which ends with the work.
        folder: where the task writes, absolute; all nodes must reach it under this path.

    Raises:
        OptionError: Ray is not installed, or no cluster answers.
        DataError: a node does not reach the folder, or what the task raises.
        DiskError: the folder cannot be written.
        FailedError: processes die again and again, or a node has another Sfumato or none.
    """
    ray = installed()
    with _connected(ray, address), _running(ray) as running, _marked(folder) as mark:
        place = Place(mark=mark, work=Path.cwd(), version=__version__)
        yield from _made(ray, running, task, numbers, place)


def installed() -> ModuleType:
    """Ray.

    Raises:
        OptionError: it is not there.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise OptionError('--ray: Ray is not installed; pip install "sfumato[ray]"') from error
    return ray


@contextmanager
def _connected(ray: ModuleType, address: str) -> Iterator[None]:
    host, colon, port = address.rpartition(":")
    try:
        if colon and port.isdecimal() and "/" not in host:
            socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()
        ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:  # Ray raises bare ones, too
        first = str(error).strip().partition("\n")[0]
        raise OptionError(
            f"--ray {address}: no Ray cluster answers ({first}); `ray start --head` begins one, `--ray local` makes one"
            " of this machine alone"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _running(ray: ModuleType) -> Iterator[Lots]:
    """For the lots that are under way; waits for those that nobody wants any more.

    They end by themselves, the mark being gone by then. `ray.cancel` would now and then end this process instead: Ray
    2.60 aborts where it cancels a task just as it hands it to a node.
    """
    running: Lots = {}
    try:
        yield running
    finally:
        if running:
            ray.wait(list(running), num_returns=len(running), timeout=GRACE_S)


@contextmanager
def _marked(folder: Path) -> Iterator[Path]:
    """A file in the folder, as long as its pictures are wanted; by it nodes know that their folder is the same."""
    mark = folder / f".cluster.{secrets.token_hex(8)}.tmp"
    try:
        mark.touch()
    except OSError as error:
        raise DiskError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and by what the work is done, the same on every node."""

    mark: Path
    """A file in the folder that is written to, which is gone when the driver wants no more."""
    work: Path
    """What relative paths begin at."""
    version: str
    """Of Sfumato."""


def _lot(task: Task, numbers: Sequence[int], place: Place) -> list[dict[str, Any]]:
    """The task's results, on a node, which errors name."""
    import cv2

    cv2.setNumThreads(1)
    keep_memory()
    try:
        if place.version != __version__:
            raise FailedError(f"has Sfumato {__version__}, not {place.version}; install the same on all nodes")
        if place.work.is_dir():
            os.chdir(place.work)
        return [_wanted(task, number, place) for number in numbers]
    except SfumatoError as error:
        raise type(error)(f"node {platform.node()}: {error}") from error


def _wanted(task: Task, number: int, place: Place) -> dict[str, Any]:
    if not place.mark.exists():
        raise DataError(f"does not reach the folder {place.mark.parent}; all nodes must share it under the same path")
    return task(number)


def _made(ray: ModuleType, running: Lots, task: Task, numbers: Sequence[int], place: Place) -> Iterator[dict[str, Any]]:
    remote = ray.remote(num_cpus=1, max_retries=RETRIES)(heard)
    for begin in range(0, len(numbers), LOT):
        lot = numbers[begin : begin + LOT]
        running[remote.remote(_lot, task, lot, place)] = lot
        if len(running) >= AHEAD * _cores(ray):
            yield from _finished(ray, running)
    while running:
        yield from _finished(ray, running)


def _cores(ray: ModuleType) -> int:
    """Of all nodes at the moment."""
    return max(int(ray.cluster_resources().get("CPU", 0)), 1)


def _finished(ray: ModuleType, running: Lots) -> Iterator[dict[str, Any]]:
    done, _ = ray.wait(list(running))
    for lot in done:
        first = running.pop(lot)[0]
        try:
            found: Heard[list[dict[str, Any]]] = ray.get(lot)
        except ray.exceptions.RayTaskError as error:  # before the lot was begun
            raise _cause(error.cause) from error
        except ray.exceptions.RayError as error:
            raise FailedError(
                f"processes died {RETRIES + 1} times near picture {first} ({type(error).__name__}), for want of memory"
                " perhaps; the same command goes on"
            ) from error
        try:
            yield from told(found)
        except ModuleNotFoundError as error:
            raise _cause(error) from error


def _cause(error: Exception) -> Exception:
    """What to raise of what a node did."""
    if isinstance(error, ModuleNotFoundError):
        return FailedError(f"a node says: {error}; install Sfumato {__version__} on all nodes")
    return error
