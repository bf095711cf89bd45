"""What networks and losses ask of the other processes of a run, if there are any.

A batch is spread over the processes in the order of their ranks. What goes through these functions comes out as if one
process had the whole batch.

Shapes: B samples of this process, W processes.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def several() -> bool:
    """Whether this process has joined others."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if several() else 0


def world() -> int:
    """How many processes work on each batch."""
    return dist.get_world_size() if several() else 1


def gather(x: Tensor) -> Tensor:
    """The rows of all processes: (B, ...) -> (W * B, ...), in the order of the samples; gradients flow back to each.

    A loss on gathered rows is to be that of the whole batch, the same in every process.
    """
    return x if world() == 1 else _Gather.apply(x)  # type: ignore[no-untyped-call]


def mean(x: Tensor) -> Tensor:
    """The average over processes of a tensor without gradients, such as the mean of a target over the batch."""
    if world() == 1:
        return x
    total = x.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total / world()


def total(x: Tensor) -> Tensor:
    """The sum over processes; gradients flow back to each, for losses that are means over each process's samples."""
    return x if world() == 1 else _Total.apply(x)  # type: ignore[no-untyped-call]


def rand(*shape: int, device: torch.device) -> Tensor:
    """Uniform numbers in [0, 1) of shape (B, ...): the same for each sample, however many processes there are."""
    everything = torch.rand(world() * shape[0], *shape[1:], device=device)
    return everything.narrow(0, rank() * shape[0], shape[0])


def randn(*shape: int, device: torch.device) -> Tensor:
    """Normal numbers of shape (B, ...), likewise."""
    everything = torch.randn(world() * shape[0], *shape[1:], device=device)
    return everything.narrow(0, rank() * shape[0], shape[0])


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(world())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(_ctx: Any, *grads: Tensor) -> Tensor:
        # Every process sends back the gradient of the same loss; their sum is undone by the average over processes
        # that follows each backward pass.
        total = grads[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(world())[rank()]


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        result = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(result)
        return result

    @staticmethod
    def backward(_ctx: Any, grad: Tensor) -> Tensor:
        # Each process's loss is the mean over its own samples, and the average over processes that follows makes of
        # them that of the whole batch: here every process needs the sum of what all losses say of the common number.
        result = grad.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(result)
        return result
