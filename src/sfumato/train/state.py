"""Everything of a run that changes, and the step that changes it.

Shapes: B samples of this process.
"""

import copy
import importlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .. import device as devices
from ..methods import base
from . import dist
from .optim import optimizer
from .recipe import Optimizer, Recipe, Schedule, check

STATISTICS = ("running_mean", "running_var")
"""Buffers of batch normalisations."""


def build(config: Any) -> base.Training:
    """The Training that a Config belongs to: they live in one module."""
    return importlib.import_module(type(config).__module__).Training(config)


class State:
    """Networks, optimisers, averages and the position of a run.

    Args:
        recipe: what to do, its precision settled.
        device: where to.

    Attributes:
        seen: images so far.
        best: the best figure so far by model, as `watch` keeps it.

    Raises:
        RecipeError: the recipe does not fit the method or the processes.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.seen = recipe, device, 0
        self.best: dict[str, dict[str, Any]] = {}
        self.dtype = devices.DTYPES[recipe.precision]  # type: ignore[index]
        self.training = devices.to_device(build(recipe.method), device)
        groups = self.training.groups()
        check(recipe, groups, dist.world())
        dist.same_weights(self.training.state_dict().values())
        self.parameters = {g: [p for n in networks for p in n.parameters()] for g, networks in groups.items()}
        self.settings = {g: recipe.optimizers.get(g, Optimizer()) for g in groups}
        self.optimizers = {g: optimizer(self.settings[g], ps) for g, ps in self.parameters.items()}
        self.averages = copy.deepcopy(dict(self.training.models())) if recipe.ema_images else {}
        for network in self.averages.values():
            network.requires_grad_(False)
        if recipe.compile:
            compile_parts(self.training)

    def models(self) -> Mapping[str, nn.Module]:
        """What is kept: the averaged weights if there are any."""
        return self.averages or self.training.models()

    def rates(self) -> dict[str, float]:
        """The learning rate of each group at this point."""
        factor = schedule_factor(self.recipe.schedule, self.seen, self.recipe.images)
        return {group: settings.lr * factor for group, settings in self.settings.items()}

    def step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """One update of every group; returns the losses of the whole batch by `group/term`."""
        self._seed_noise()
        self.training.seen = self.seen
        lesson, rates = self.training.learn(batch), self.rates()
        record: dict[str, Tensor] = {}
        for group in self.training.order():
            parameters = self.parameters[group]
            self._teach_only(group)
            with devices.autocast(self.device, self.dtype):
                terms = next(lesson)
            total = sum((term.float() for term in terms.values()), torch.zeros((), device=self.device))
            total.backward(inputs=parameters)
            dist.average_gradients(parameters)
            self._update(group, rates[group])
            record |= {f"{group}/{name}": term.detach() for name, term in terms.items()}
        next(lesson, None)  # the method ends its step
        self.seen += self.recipe.batch
        self._average()
        return dist.average(record)

    def _seed_noise(self) -> None:
        """Makes the step's noise a function of (seed, images seen); each process draws for all, see `nets.parallel`."""
        torch.manual_seed((self.recipe.seed * 2**40 + self.seen * 2**8) % 2**63)

    def _teach_only(self, group: str) -> None:
        for other, parameters in self.parameters.items():  # networks that are not being taught keep no activations
            for p in parameters:
                p.requires_grad_(other == group)

    def _update(self, group: str, rate: float) -> None:
        if clip := self.settings[group].clip:
            nn.utils.clip_grad_norm_(self.parameters[group], clip)
        for own in self.optimizers[group].param_groups:
            own["lr"] = rate
        self.optimizers[group].step()
        self.optimizers[group].zero_grad()

    @torch.no_grad()
    def _average(self) -> None:
        if not self.averages:
            return
        # Early on the average is short, so that the first weights are soon forgotten.
        keep = 0.5 ** (self.recipe.batch / min(self.recipe.ema_images, self.seen / 10 + 1))
        for name, network in self.training.models().items():
            (means, copies), (values, others) = parts(self.averages[name]), parts(network)
            torch._foreach_lerp_(means, values, 1 - keep)
            for ours, theirs in zip(copies, others, strict=True):
                ours.copy_(theirs)

    @torch.no_grad()
    def sample(self, batch: dict[str, Tensor]) -> Mapping[str, Tensor]:
        """Pictures (B, 3, H, W) in [0, 1] by caption, made by what is kept; the training itself is not touched."""
        with self._as_kept(), evaluating(self.training), devices.autocast(self.device, self.dtype):
            return {k: v.float().cpu() for k, v in self.training.sample(batch).items()}

    @contextmanager
    def _as_kept(self) -> Iterator[None]:
        """Inside, the models have the averaged weights and statistics."""
        pairs = [
            pair
            for name, mean in self.averages.items()
            for pair in zip(parts(mean)[0], parts(self.training.models()[name])[0], strict=True)
        ]
        swap(pairs)
        try:
            yield
        finally:
            swap(pairs)


def parts(network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """What an average of networks is the mean of, and what it has from the last one.

    The statistics of a batch normalisation are those of what its layer gives: averaged weights need averaged ones.
    """
    kinds: tuple[list[Tensor], list[Tensor]] = list(network.parameters()), []
    for name, buffer in network.named_buffers():
        kinds[name.rpartition(".")[2] not in STATISTICS].append(buffer)
    return kinds


def swap(pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Exchanges the values of each two tensors, without a copy."""
    for a, b in pairs:
        a.data, b.data = b.data, a.data


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Inside, the module and all its parts are in evaluation mode; afterwards each is in its own again."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def compile_parts(training: nn.Module) -> None:
    """Lets torch.compile translate the networks and their parts, whichever of them is called: methods call both."""
    for network in training.children():
        for part in (network, *network.children()):
            if any(True for _ in part.parameters()) and not isinstance(part, nn.ModuleList | nn.ModuleDict):
                part.compile()


def schedule_factor(schedule: Schedule, seen: int, images: int) -> float:
    """The factor on learning rates after `seen` of `images` samples, in [0, 1]."""
    low = schedule.warmup_from
    rise = low + (1 - low) * min(1.0, seen / schedule.warmup) if schedule.warmup else 1.0
    done = min(1.0, max(0, seen - schedule.start) / max(1, images - schedule.start))
    match schedule.kind:
        case "constant":
            return rise
        case "inverse":
            return rise / (1 + schedule.decay * max(0, seen - schedule.start))
        case "cosine":
            return rise * (schedule.floor + (1 - schedule.floor) * (1 + math.cos(math.pi * done)) / 2)
        case "linear":
            return rise * (schedule.floor + (1 - schedule.floor) * (1 - done))
        case "step":
            return rise * schedule.factor ** (max(0, seen - schedule.start) // schedule.every)
