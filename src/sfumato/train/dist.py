"""Data parallelism without wrappers: the same weights everywhere, gradients averaged before each step.

    torchrun --nproc-per-node 2 -m -- sfumato train RECIPE ...

Every function here is called by all processes alike, and does nothing where there is only one. What a network or a loss
must know of the others is in `nets.parallel`.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from .. import device as devices
from ..nets.parallel import rank, several, world

__all__ = ["agree", "alike", "average", "average_gradients", "joined", "rank", "same_weights", "together", "world"]


@contextmanager
def joined(device: str) -> Iterator[torch.device]:
    """Joins the processes that torchrun started, if it did; gives the device of this one.

    Raises:
        OptionError: there is no such device.
    """
    where = devices.pick(device)
    starts = "RANK" in os.environ and "WORLD_SIZE" in os.environ and not several()
    if where.type == "cuda" and where.index is None:
        where = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(where)
    if starts:
        dist.init_process_group("nccl" if where.type == "cuda" else "gloo")
    if rank():
        logging.getLogger("sfumato").setLevel(logging.ERROR)  # the first process speaks for all
    yield where
    if starts:  # not after an error: the others may be waiting, and torchrun ends them
        dist.destroy_process_group()


def together() -> None:
    """Waits for the others."""
    if several():
        dist.barrier()


def agree(flag: bool, device: torch.device) -> bool:
    """Whether the flag is up in any process."""
    if world() == 1:
        return flag
    count = torch.tensor(float(flag), device=device)
    dist.all_reduce(count)
    return bool(count)


def alike(number: int, device: torch.device) -> bool:
    """Whether the number is the same in every process."""
    if world() == 1:
        return True
    ends = torch.tensor([number, -number], device=device)
    dist.all_reduce(ends, dist.ReduceOp.MAX)
    return int(ends[0]) == -int(ends[1])


def same_weights(tensors: Iterable[Tensor]) -> None:
    """Gives every process the tensors of the first."""
    if world() == 1:
        return
    for tensor in tensors:
        first = tensor.detach().contiguous()
        dist.broadcast(first, src=0)
        tensor.data.copy_(first)


def average(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Scalars averaged over the processes."""
    if world() == 1 or not values:
        return dict(values)
    stacked = torch.stack([value.float() for value in values.values()])
    dist.all_reduce(stacked)
    return dict(zip(values, (stacked / world()).unbind(), strict=True))


def average_gradients(parameters: Sequence[Tensor]) -> None:
    """Averages the gradients over the processes, all in one message; a process that has none counts as 0."""
    if world() == 1 or not parameters:
        return
    used = torch.tensor([float(p.grad is not None) for p in parameters], device=parameters[0].device)
    dist.all_reduce(used, dist.ReduceOp.MAX)
    taught = [p for p, somewhere in zip(parameters, used.tolist(), strict=True) if somewhere]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in taught]
    if not gradients:
        return
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= world()
    for p, gradient, new in zip(taught, gradients, flat.split([g.numel() for g in gradients]), strict=True):
        p.grad = gradient.copy_(new.view_as(gradient))
