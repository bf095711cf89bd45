"""Many pictures by one command: each in turn, the bad ones named at the end."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import OptionError, PictureError, UserError
from ..progress import Report
from . import inputs
from .console import Console

JobT = TypeVar("JobT", bound=inputs.Job)


def each(
    jobs: Sequence[inputs.Job],
    console: Console,
    one: Callable[[inputs.Job, str], None],
    progress: Report | None = None,
) -> int:
    """Calls `one` with every job and a label for its progress; returns the exit code.

    Args:
        progress: called with the jobs done and their number.

    Raises:
        PictureError, OptionError: what was wrong with the picture, if there is only one.
    """
    failures: list[UserError] = []
    try:
        failures.extend(_failures(jobs, one, progress))
    finally:  # where the disk is full or work is stopped, they are told all the same
        for failure in failures:
            console.fail(str(failure), failure)
        if failures:
            console.fail(f"{len(failures)} of {len(jobs)} pictures could not be done")
    return 1 if failures else 0


def _failures(
    jobs: Sequence[inputs.Job], one: Callable[[inputs.Job, str], None], progress: Report | None
) -> Iterator[UserError]:
    """Does the work; gives the errors of pictures that are broken or do not fit."""
    for number, job in enumerate(jobs, 1):
        label = job.photo.name if len(jobs) == 1 else f"{number} of {len(jobs)}: {job.photo.name}"
        try:
            one(job, label)
        except (PictureError, OptionError) as error:
            if len(jobs) == 1:
                raise
            yield error
        if progress is not None:
            progress(number, len(jobs))


def missing(
    jobs: Sequence[inputs.Job],
    console: Console,
    results: Callable[[inputs.Job], Sequence[Path]] = lambda job: [job.output],
) -> list[inputs.Job]:
    """The jobs of whose results one is not there; says how many others there are."""
    left = [job for job in jobs if not all(map(os.path.isfile, results(job)))]
    if len(left) < len(jobs):
        console.note(f"{len(jobs) - len(left)} of {len(jobs)} pictures left out: their results are there")
    return left


def shard(jobs: Sequence[JobT], text: str) -> list[JobT]:
    """Every n-th of the jobs from the i-th on, for a text `i/n` that counts from 0.

    Raises:
        OptionError: it is none.
    """
    first, count = part(text)
    return list(jobs[first::count])


def part(text: str) -> tuple[int, int]:
    """The numbers of a text `i/n`, the i-th of n parts.

    Raises:
        OptionError: it is none.
    """
    first, slash, count = text.partition("/")
    if not (slash and first.isdecimal() and count.isdecimal() and int(first) < int(count)):
        raise OptionError(f"--shard {text}: wants i/n, the i-th of n parts, i from 0 to n - 1")
    return int(first), int(count)
