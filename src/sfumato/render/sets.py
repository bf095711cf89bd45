"""A set of pictures with labels in a folder: made by several processes and machines, stopped and gone on with.

DIR/images/000000000000.png ...   DIR/keypoints.json   DIR/manifest.jsonl   DIR/config.json
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from .. import cluster
from ..data import manifest
from ..errors import OptionError
from ..progress import Report
from . import job, sources, workers
from .job import Config


def render(
    config: Config,
    count: int,
    folder: str | Path,
    *,
    processes: int = 0,
    ray: str | None = None,
    shard: tuple[int, int] = (0, 1),
    progress: Report | None = None,
) -> int:
    """Makes the pictures 0 ... count - 1 that are not there yet, and keypoints.json of all that are there then.

    Args:
        config: what they show.
        count: how many the set is to have.
        folder: where it is or is to be.
        processes: that work at once; 0 works in this one.
        ray: address of a Ray cluster, as `cluster.each` takes it, whose processes work instead; all its nodes must
            reach the folder under the same path.
        shard: only the first number's share of so many, for several machines that write to one folder.
        progress: called with the pictures done and their number; False stops.

    Returns:
        How many pictures of all shares there are.

    Raises:
        OptionError: the folder holds another set, or one of files that have changed since, another process makes it,
            no Ray cluster answers, or it is given a share only.
        DataError: a character or motion cannot be used, or a node does not reach the folder.
        DiskError: the disk is full or not writable; the same call goes on.
        FailedError: processes die again and again, or at some pictures, once all others are there; likewise.
        Cancelled: `progress` said so, or Ctrl-C; likewise.
    """
    folder = Path(folder)
    if ray is not None:
        cluster.installed()
        if shard != (0, 1):
            raise OptionError("--shard: with --ray the cluster shares the work among its nodes; give one of the two")
    job.check(config)
    made_of = sources.digests(config)
    claimed = manifest.claim(folder, plain(config) | {f"digest of {spec}": made_of[spec] for spec in made_of})

    def made(numbers: Sequence[int]) -> Iterator[manifest.Record]:
        task = partial(job.make, config, folder=folder.absolute())
        if ray is not None and numbers:
            return cluster.each(task, numbers, ray, folder.absolute())
        return workers.each(task, numbers, min(processes, len(numbers)))

    said = "Rendered by Sfumato"
    return manifest.gather(folder, count, made, claimed=claimed, description=said, shard=shard, progress=progress)


def plain(config: Config) -> dict[str, Any]:
    """The configuration as JSON has it."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return values
