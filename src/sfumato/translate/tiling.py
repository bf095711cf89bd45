"""A picture in tiles, with the result that the whole picture at once would give.

What a model asks of the whole picture, the statistics of its features, is gathered first: one pass over all tiles for
each level of `Moments`, each stopped as soon as the last statistic of that level is known. The last pass renders every
tile with the statistics of the whole. A tile sees a margin as wide as the model's receptive field, and only its core
counts. The features of as many tiles as there is room for are kept from one pass to the next.

Shapes: B batch, C channels, H W pixels of the content, h w cells of a feature map.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import Cancelled
from ..image import Box, Tile
from ..methods.base import Code, Features, ImageToImage, Stylizer
from ..nets.norms import EPS, Moments
from ..progress import Report

Statistic = tuple[Tensor, Tensor]
Model = Stylizer | ImageToImage


class _Enough(Exception):
    """All that this pass is to gather from a tile has been seen."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is to be rendered."""

    content: Callable[[Box], Tensor]
    """The part of the content in a box of pixels, (1, 3, H, W) on the model's device."""
    code: Callable[[Box], Code]
    """The code for that part."""
    strength: float
    keep: Callable[[Tile, Tensor], None]
    """Takes each tile and the part of the result that is its core, (1, 3, H, W)."""


def render(
    model: Model,
    work: Work,
    tiles: Sequence[Tile],
    report: Report,
    *,
    plan: "Plan",
    room: int = 0,
    known: "Mapping[Moments, Statistic] | None" = None,
) -> None:
    """Renders all tiles; with several, each with the statistics of the whole picture.

    Args:
        plan: of this model at such a strength.
        report: called now and then with the pixels done and the pixels of the picture; returning False cancels.
        room: bytes of memory that features may take from one pass to the next.
        known: statistics to take in place of the picture's own, as `measured` gives them: then there is one pass.

    Raises:
        Cancelled: `report` said so.
    """
    passes = [*plan.levels, None] if len(tiles) > 1 and not known else [None]
    kept = plan.features_kept(tiles, room) if len(passes) > 1 else frozenset()
    meter = _Meter(report, _area(tile.core for tile in tiles), plan.total(passes, tiles, kept))
    statistics, memory = _Statistics(known or {}), dict[Tile, Features]()
    with meter.watching(model), statistics.watching(model):
        for level in passes:
            statistics.begin(plan.levels.get(level, []))
            for tile in tiles:
                statistics.tile = tile
                features = memory.pop(tile, None) or model.features(work.content(tile.padded), work.strength)
                if tile in kept and level is not None:
                    memory[tile] = features
                try:
                    result = model.paint(features, work.code(tile.padded), work.strength)
                except _Enough:
                    continue
                work.keep(tile, result[:, :, *tile.inner.slices].float())
            statistics.end()
    meter.finish()


def _area(boxes: Iterable[Box]) -> int:
    return sum(box.height * box.width for box in boxes)


@dataclass(kw_only=True)
class Plan:
    """What a model does with a picture."""

    levels: dict[int | None, list[Moments]] = field(default_factory=dict)
    """The statistics that it asks for, by level, the lowest first."""
    costs: dict[int | None, float] = field(default_factory=dict)
    """Operations for each pixel up to the last statistic of a level; None is the whole way."""
    features_cost: float = 0.0
    """Those of the features alone."""
    features_bytes: float = 0.0
    """Their memory for each pixel."""

    def features_kept(self, tiles: Sequence[Tile], room: int) -> frozenset[Tile]:
        """The tiles whose features are kept from the first pass to the last."""
        ends = itertools.accumulate(self.features_bytes * _area([tile.padded]) for tile in tiles)
        return frozenset(tile for tile, end in zip(tiles, ends, strict=True) if end <= room)

    def total(self, passes: Sequence[int | None], tiles: Sequence[Tile], kept: frozenset[Tile]) -> float:
        """Operations of all passes."""
        spared = self.features_cost * (len(passes) - 1) * _area(tile.padded for tile in kept)
        return sum(self.costs[p] for p in passes) * _area(tile.padded for tile in tiles) - spared


def measured(model: Model, content: Tensor, code: Code, strength: float) -> dict[Moments, Statistic]:
    """The statistics that the model asks of a picture (1, 3, H, W), a smaller one of the same motif."""
    found: dict[Moments, Statistic] = {}

    def note(module: nn.Module, _inputs: tuple[Any, ...], output: Statistic) -> None:
        assert isinstance(module, Moments)
        found[module] = output

    with _hooks(model, Moments, note):
        model.paint(model.features(content, strength), code, strength)
    return found


def trace(model: Model, code: Code, strength: float, device: torch.device) -> Plan:
    """Tries the model on a tiny picture."""
    side, plan, spent = 2 * model.stride, Plan(), 0.0
    content = torch.zeros(1, 3, side, side, device=device)

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        nonlocal spent
        spent += cost(module, inputs, output) / side**2

    def note(module: nn.Module, _inputs: tuple[Any, ...], _output: Statistic) -> None:
        assert isinstance(module, Moments)
        plan.levels.setdefault(module.level, []).append(module)
        plan.costs[module.level] = spent

    with _hooks(model, COUNTED, count), _hooks(model, Moments, note):
        features = model.features(content, strength)
        plan.features_cost = spent
        plan.features_bytes = sum(part.numel() * part.element_size() for part in features) / side**2
        model.paint(features, code, strength)
    plan.costs[None] = spent
    plan.levels = {level: plan.levels[level] for level in sorted(plan.levels, key=lambda level: level or 0)}
    return plan


COUNTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


def cost(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> float:
    """Operations of a convolution or linear layer: multiplications, and what moving its numbers is worth of them."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    moved = inputs[0].numel() + output.numel()
    places = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
    return places.numel() * weight[0].numel() + MOVE_COST * moved


MOVE_COST = 400.0
"""Multiplications that take about as long as reading or writing a number does, padding and ReLU with it, on a CPU."""


@contextmanager
def _hooks(
    model: nn.Module, kind: type[nn.Module] | tuple[type[nn.Module], ...], hook: Callable[..., Any]
) -> Iterator[None]:
    """Calls `hook` after each module of that kind; what it returns, if anything, replaces the module's output."""
    handles = [module.register_forward_hook(hook) for module in model.modules() if isinstance(module, kind)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Meter:
    """Reports the share of the operations done, as pixels of the picture."""

    def __init__(self, report: Report, pixels: int, total: float) -> None:
        self.report, self.pixels, self.total, self.done = report, pixels, max(total, 1.0), 0.0

    def watching(self, model: nn.Module) -> AbstractContextManager[None]:
        return _hooks(model, COUNTED, self._count)

    def _count(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        self.done += cost(module, inputs, output)
        self._tell(min(int(self.pixels * self.done / self.total), self.pixels - 1))

    def finish(self) -> None:
        self._tell(self.pixels)

    def _tell(self, done: int) -> None:
        if self.report(done, self.pixels) is False:
            raise Cancelled("cancelled")


class _Sum:
    """Count, mean and squared deviations of numbers that come in parts (Chan, Golub & LeVeque, 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = torch.zeros((), dtype=torch.float64)

    def add(self, x: Tensor) -> None:
        """Takes in features (B, C, h, w)."""
        x = x.float()
        count, mean = x.shape[2] * x.shape[3], x.mean((2, 3), keepdim=True)
        squares = (x - mean).square().sum((2, 3), keepdim=True).cpu().double()
        mean = mean.cpu().double()
        total, apart = self.count + count, mean - self.mean
        self.mean = self.mean + apart * (count / total)
        self.squares = self.squares + squares + apart.square() * (self.count * count / total)
        self.count = total

    def statistic(self, device: torch.device, correction: int) -> Statistic:
        """Mean and deviation as `nets.norms.moments` defines them, (B, C, 1, 1)."""
        deviation = (self.squares / max(1, self.count - correction) + EPS).sqrt()
        return self.mean.float().to(device), deviation.float().to(device)


class _Statistics:
    """Gathers the statistics of one level after the other, and hands out those that are known."""

    def __init__(self, known: Mapping[Moments, Statistic]) -> None:
        self.tile: Tile
        self.known: dict[nn.Module, Statistic] = {module: known[module] for module in known}
        self.sums: dict[Moments, _Sum] = {}
        self.waiting: set[nn.Module] = set()
        self.device = torch.device("cpu")

    def watching(self, model: nn.Module) -> AbstractContextManager[None]:
        return _hooks(model, Moments, self._asked)

    def begin(self, modules: Sequence[Moments]) -> None:
        """Starts a pass that gathers these statistics; the last one gathers none."""
        self.sums, self.waiting = {module: _Sum() for module in modules}, set()

    def end(self) -> None:
        for module, gathered in self.sums.items():
            self.known[module] = gathered.statistic(self.device, module.correction)

    def _asked(self, module: Moments, inputs: tuple[Any, ...], _own: Statistic) -> Statistic | None:
        if module in self.sums:
            x = module.map(*inputs)
            self.device = x.device
            self.waiting = (self.waiting or set(self.sums)) - {module}
            rows, columns = inner_cells(self.tile, x)
            self.sums[module].add(x[:, :, rows, columns])
            if not self.waiting:
                raise _Enough
        return self.known.get(module)


def inner_cells(tile: Tile, features: Tensor) -> tuple[slice, slice]:
    """The cells of a tile's feature map (B, C, h, w) that belong to its core."""
    result = []
    inner, padded = tile.inner, tile.padded
    sides = ((inner.top, inner.bottom, padded.height), (inner.left, inner.right, padded.width))
    for (start, stop, pixels), cells in zip(sides, features.shape[2:], strict=True):
        assert start * cells % pixels == stop * cells % pixels == 0, "a statistic of cells that straddle two tiles"
        result.append(slice(start * cells // pixels, stop * cells // pixels))
    return result[0], result[1]
