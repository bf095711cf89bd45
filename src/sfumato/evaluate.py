"""How far two folders of pictures are from each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from . import device as devices
from . import image
from .data.folders import scan
from .errors import Cancelled, DataError, PictureError
from .metrics.features import Judge
from .metrics.fid import Features, frechet_distance, kernel_distance
from .progress import Report

FEW = 2_000
"""Pictures below which the Frechet distance says more of their number than of what they show."""
SIDE = 256
"""Pixels of a side that pictures are brought to for the compact network."""
SUBSETS, SUBSET_SIZE = 100, 1_000


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far two sets of pictures are from each other.

    Attributes:
        frechet_name: `fid` by the standard Inception, `fd-compact` by the bundled network.
        frechet: the squared Frechet distance; 0 for equal sets, biased upwards by few pictures.
        kernel_name: `kid` or `kd-compact`.
        kernel: the squared kernel distance, without bias, the mean over subsets; about 0 for sets of one kind.
        kernel_std: its standard deviation over the subsets.
        counts: pictures of each folder.
        left_out: what is wrong with those that cannot be read.
    """

    frechet_name: str
    frechet: float
    kernel_name: str
    kernel: float
    kernel_std: float
    counts: tuple[int, int]
    left_out: tuple[str, ...]


def distance(
    a: str | Path,
    b: str | Path,
    *,
    network: str = "auto",
    device: str = "auto",
    progress: Report | None = None,
) -> Distance:
    """The Frechet and the kernel distance between the pictures of two folders and below.

    Pictures become squares as the definition of the FID has it: by Inception's own resize, of whatever aspect; for the
    compact network by averaging. What is transparent is white.

    Args:
        a: a folder.
        b: another.
        network: `inception`, `compact`, a file of Inception's weights, or `auto`: Inception if its weights are there.
        device: where to compute.
        progress: called with the pictures done and their total; returning False stops.

    Raises:
        DataError: a folder is missing or has fewer than two pictures that can be read.
        WeightsError: Inception is wanted and not here.
        OptionError: there is no such device.
        Cancelled: `progress` stopped it.
    """
    judge = Judge(network, devices.pick(device))
    folders = [scan(str(folder)) for folder in (a, b)]
    total, done = sum(map(len, folders)), 0
    features, left_out = [], []
    for folder, paths in zip((a, b), folders, strict=True):
        read = _Reading(paths, inception=judge.frechet == "fid")
        rows: list[Features] = []
        for part in read:
            rows.append(judge([part]))
            if progress and progress(done + read.done, total) is False:
                raise Cancelled("stopped; nothing is kept of it")
        done += read.done
        if len(rows) < 2:
            raise DataError(f"{folder}: {len(rows)} pictures that can be read, at least two are needed")
        features.append(np.concatenate(rows))
        left_out += read.left_out
    kernel, spread = kernel_distance(features[0], features[1], subsets=SUBSETS, subset_size=SUBSET_SIZE)
    return Distance(
        frechet_name=judge.frechet,
        frechet=frechet_distance(features[0], features[1]),
        kernel_name=judge.kernel,
        kernel=kernel,
        kernel_std=spread,
        counts=(len(features[0]), len(features[1])),
        left_out=tuple(left_out),
    )


class _Reading:
    """The pictures of some files as (1, 3, H, W) in [0, 1], one after the other."""

    def __init__(self, paths: list[Path], *, inception: bool) -> None:
        self.paths, self.inception, self.done, self.left_out = paths, inception, 0, list[str]()

    def __iter__(self) -> Iterator[Tensor]:
        for path in self.paths:
            self.done += 1
            try:
                picture = image.read(path).compose_on_white()
            except PictureError as error:
                self.left_out.append(str(error))
                continue
            yield (picture if self.inception else image.resize(picture, size=(SIDE, SIDE))).tensor()
