"""Data parallelism without wrappers: the same weights everywhere, gradients averaged before each step."""

import os
from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor


def start() -> tuple[int, int]:
    """Joins the group that torchrun made, if it did; returns (rank, number of processes)."""
    if "RANK" not in os.environ:
        return 0, 1
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return dist.get_rank(), dist.get_world_size()


def same_weights(tensors: Iterable[Tensor]) -> None:
    """Gives every process the tensors of the first."""
    if dist.is_initialized():
        for tensor in tensors:
            dist.broadcast(tensor.data, src=0)


def average_gradients(parameters: Sequence[Tensor]) -> None:
    """Averages the gradients over the processes, all in one message."""
    if dist.is_initialized():
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for gradient, new in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(new.view_as(gradient))
