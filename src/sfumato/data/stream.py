"""A training stream that is a pure function of (seed, step): resuming needs no state of a loader."""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset


class Samples(Protocol):
    """What a data set offers: sample n, whatever came before."""

    def sample(self, seed: int, n: int) -> dict[str, Tensor]: ...


class Numbered(Dataset[dict[str, Tensor]]):
    """Samples by their number, for torch's loader."""

    def __init__(self, samples: Samples, seed: int) -> None:
        self.samples, self.seed = samples, seed

    def __getitem__(self, n: int) -> dict[str, Tensor]:
        return self.samples.sample(self.seed, n)


def numbers(batch: int, first: int, last: int, rank: int, world: int) -> Iterator[list[int]]:
    """The sample numbers of this process, step by step: its share of each batch from sample `first` up to `last`."""
    local = batch // world
    for start in range(first, last, batch):
        yield list(range(start + rank * local, start + (rank + 1) * local))


def batches(
    samples: Samples, seed: int, batch: int, *, first: int, last: int, rank: int = 0, world: int = 1, workers: int = 0
) -> Iterator[dict[str, Tensor]]:
    """Batches of samples `first` to `last` - 1, read ahead by `workers` processes."""
    loader = DataLoader(
        Numbered(samples, seed),
        batch_sampler=list(numbers(batch, first, last, rank, world)),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        multiprocessing_context="fork" if workers and not torch.cuda.is_available() else None,
    )
    return iter(loader)
