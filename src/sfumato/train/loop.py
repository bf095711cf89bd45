"""The training loop: one for every method.

    train(recipe, run)  ->  run/{recipe.json, state.pt, log.jsonl, losses.png, samples/, NAME.safetensors}

Killed at any moment and started again, it goes on with bitwise the same losses as a run that was never stopped: samples
and noise are functions of (seed, step), all else is in the state.
"""

import copy
import importlib
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import device as devices
from ..data.stream import batches
from ..errors import TrainingDiverged
from ..methods import base
from . import checkpoint, dist
from .log import Log
from .recipe import Adam, Recipe, Schedule


def build(config: Any) -> base.Training:
    """The Training that a Config belongs to: they live in one module."""
    return importlib.import_module(type(config).__module__).Training(config)


class Run:
    """Everything of a run that moves: networks, optimisers, averages, position."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.seen = recipe, device, 0
        self.training = build(recipe.method).to(device, memory_format=torch.channels_last)
        dist.same_weights(self.training.state_dict().values())
        groups = self.training.groups()
        self.parameters = {g: [p for n in networks for p in n.parameters()] for g, networks in groups.items()}
        self.optimizers = {g: optimizer(recipe.optimizers.get(g, Adam()), ps) for g, ps in self.parameters.items()}
        self.averages = copy.deepcopy(dict(self.training.models())) if recipe.ema_images else {}
        for network in self.averages.values():
            network.requires_grad_(False)

    def models(self) -> dict[str, nn.Module]:
        """What is kept: the averaged weights if there are any."""
        return self.averages or dict(self.training.models())

    def step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """One update of every group; returns the losses by `group/term`."""
        factor = schedule_factor(self.recipe.schedule, self.seen, self.recipe.images)
        lesson, record = self.training.learn(batch), {}
        for group, parameters in self.parameters.items():
            for other, ps in self.parameters.items():  # networks that are not being taught keep no activations
                for p in ps:
                    p.requires_grad_(other == group)
            with devices.autocast(self.device, self.recipe.precision):
                terms = next(lesson)
            total = sum((term.float() for term in terms.values()), torch.zeros((), device=self.device))
            total.backward(inputs=parameters)
            dist.average_gradients(parameters)
            self._update(group, factor)
            record |= {f"{group}/{name}": term.detach() for name, term in terms.items()}
        next(lesson, None)  # the method ends its step
        self.seen += self.recipe.batch
        self._average()
        return {name: float(value) for name, value in record.items()}

    def _update(self, group: str, factor: float) -> None:
        settings, optimizer = self.recipe.optimizers.get(group, Adam()), self.optimizers[group]
        if settings.clip:
            nn.utils.clip_grad_norm_(self.parameters[group], settings.clip)
        optimizer.param_groups[0]["lr"] = settings.lr * factor
        optimizer.step()
        optimizer.zero_grad()

    @torch.no_grad()
    def _average(self) -> None:
        if not self.averages:
            return
        # Early on the average is short, so that the first weights are soon forgotten.
        keep = 0.5 ** (self.recipe.batch / min(self.recipe.ema_images, self.seen / 10 + 1))
        for name, network in self.training.models().items():
            mean = self.averages[name]
            torch._foreach_lerp_(list(mean.parameters()), list(network.parameters()), 1 - keep)
            for ours, theirs in zip(mean.buffers(), network.buffers(), strict=True):
                ours.copy_(theirs)


def optimizer(settings: Adam, parameters: list[nn.Parameter]) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=settings.lr, betas=settings.betas, fused=True)


def schedule_factor(schedule: Schedule, seen: int, images: int) -> float:
    """The factor on learning rates after `seen` of `images` samples, in [0, 1]."""
    rise = min(1.0, seen / schedule.warmup) if schedule.warmup else 1.0
    done = max(0, seen - schedule.start) / max(1, images - schedule.start)
    match schedule.kind:
        case "constant":
            return rise
        case "inverse":
            return rise / (1 + schedule.decay * seen)
        case "cosine":
            return rise * (1 + math.cos(math.pi * done)) / 2
        case "linear":
            return rise * (1 - done)


def train(recipe: Recipe, run: Path, *, device: str = "auto", until: int | None = None) -> dict[str, Path]:
    """Trains the recipe in the folder `run`, or goes on where it stopped there; returns the model files by name.

    Args:
        recipe: what to do.
        run: folder of the run; a run of another recipe there is an error.
        device: `auto`, `cpu`, `cuda` ...
        until: stops after this many images, as an interruption would.

    Raises:
        RecipeError: the folder holds a run of another recipe.
        DataError: the data cannot be used.
        TrainingDiverged: a loss is not finite; the last saved state stays.
    """
    rank, world = dist.start()
    state = Run(recipe, devices.pick(device))
    samples = recipe.data.open()
    checkpoint.claim(run, recipe)
    checkpoint.resume(run, state)
    log = Log(run, recipe, state.seen, quiet=rank > 0)
    last = min(recipe.images, until or recipe.images)
    stream = batches(samples, recipe.seed, recipe.batch, first=state.seen, last=last, rank=rank, world=world, workers=recipe.workers)
    for batch, waited in timed(stream):
        torch.manual_seed(recipe.seed * 2**40 + state.seen * 2**8 + rank)  # noise is a function of (seed, step, rank)
        record = state.step(prepare(batch, state.device))
        if not all(math.isfinite(v) for v in record.values()):
            raise TrainingDiverged(f"not finite after {state.seen} images: {record}; the last good state is in {run}")
        log.step(state.seen, record, waited)
        if rank == 0:
            if due(state.seen, recipe.sample_every, recipe.batch):
                log.samples(state.seen, state.training.sample(prepare(batch, state.device)))
            if due(state.seen, recipe.save_every, recipe.batch):
                checkpoint.save(run, state)
    if rank == 0:
        checkpoint.save(run, state)
        log.close()
    return checkpoint.products(run, state)


def due(seen: int, every: int, batch: int) -> bool:
    """Whether the step that ended at `seen` passed a multiple of `every`."""
    return seen // every > (seen - batch) // every


def prepare(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """uint8 pictures to float32 in [0, 1], on the device."""
    moved = {k: v.to(device, non_blocking=True) for k, v in batch.items()}
    return {
        k: (v.float() / 255).contiguous(memory_format=torch.channels_last) if v.dtype == torch.uint8 else v
        for k, v in moved.items()
    }


def timed(stream: Iterator[dict[str, Tensor]]) -> Iterator[tuple[dict[str, Tensor], float]]:
    """Each batch with the seconds it was waited for."""
    while True:
        start = time.perf_counter()
        batch = next(stream, None)
        if batch is None:
            return
        yield batch, time.perf_counter() - start
