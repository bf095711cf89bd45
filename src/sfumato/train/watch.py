"""How well a run between two kinds of pictures does: translations of pictures kept from training against real ones.

run/best_NAME.safetensors   each model as it was when its figure was best

The figures of a line are `NAME/fid` or, by other features, `NAME/fd-...`: the Frechet distance, which decides what is
best; `NAME/kid` or `NAME/kd-...`: the kernel distance; `NAME/diversity`: how far each translation is from the one most
like it, in shares of what its inputs, or the wanted pictures if those are more alike, have. Of pairs there are, too,
`NAME/l1`, the mean difference to the partner in [0, 1], and `NAME/psnr` in dB. They do not decide what is best: blurred
pictures differ least.

They are a function of the weights alone: the first process computes them, the others wait at their next step. What is
drawn at random meanwhile changes nothing, since each step draws anew from (seed, images seen).

Shapes: N pictures, S their side, D features.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import device as devices
from .. import weights
from ..card import Figure
from ..data.stream import Samples
from ..errors import DataError, RecipeError
from ..metrics.features import Judge
from ..metrics.fid import Features, frechet_distance, kernel_distance
from . import products
from .state import State, evaluating

logger = logging.getLogger(__name__)

FEWEST = 8
"""Pictures of a kind below which figures would say more about the pictures than about the model."""
CHUNK = 8
"""Pictures that are translated together."""
DRAWS = 20
"""Halves of the pictures whose kernel distances are averaged."""


def watcher(state: State, samples: Samples, run: Path) -> "Watcher | None":
    """Watches the run of the state, if the recipe says so and enough pictures are kept from training.

    Raises:
        RecipeError: the data or the method is not of two kinds of pictures.
    """
    settings, find = state.recipe.watch, getattr(samples, "held_out", None)
    if not settings.every:
        return None
    if find is None:
        kind = type(state.recipe.data).__name__
        raise RecipeError(f"watch.every: {settings.every} needs two kinds of pictures, not {kind}; 0 watches nothing")
    try:
        pictures = {side: torch.stack(list(found)) for side, found in find(settings.count).items()}
        labels = pictures.pop("label", None)
    except DataError as error:
        logger.warning("the run is not watched, by the pictures kept from training (data.hold_out): %s", error)
        return None
    routes = {name: (a, b) for name in state.models() for a, _, b in [name.partition("2")] if {a, b} <= pictures.keys()}
    if not routes:
        kinds = f"no model of the method leads from one of {', '.join(pictures)} to another"
        raise RecipeError(f"watch.every: {settings.every} has nothing to measure, for {kinds}; 0 watches nothing")
    fewest = min(pictures, key=lambda side: len(pictures[side]))
    if len(pictures[fewest]) < FEWEST:
        logger.warning(
            "the run is not watched: %d pictures of %s are kept from training, %d are needed (data.hold_out)",
            len(pictures[fewest]),
            fewest,
            FEWEST,
        )
        return None
    return Watcher(state, run, pictures, routes, labels, paired=samples.paired)  # type: ignore[attr-defined]


class Watcher:
    """The figures of a run.

    Args:
        state: the run.
        run: its folder.
        pictures: those kept from training by the name of their side, (N, 3, S, S) uint8.
        routes: the sides that models lead from and to, by the models' names.
        labels: classes (N,) that models are told beside the pictures of any side, if there are classes.
        paired: whether pictures of equal number belong together.
    """

    def __init__(
        self,
        state: State,
        run: Path,
        pictures: Mapping[str, Tensor],
        routes: Mapping[str, tuple[str, str]],
        labels: Tensor | None = None,
        *,
        paired: bool,
    ) -> None:
        self.state, self.run, self.pictures, self.routes = state, run, pictures, routes
        self.labels, self.paired = labels, paired
        self.judge = Judge(state.recipe.watch.network, state.device)
        self.real: dict[str, Features] = {}

    def measure(self) -> dict[str, float]:
        """The figures of what is kept, by `NAME/FIGURE`; none of a model whose pictures are not finite."""
        if not self.real:
            self.real = {side: self.judge(chunks(pictures)) for side, pictures in self.pictures.items()}
        figures: dict[str, float] = {}
        for name, (source, wanted) in self.routes.items():
            if (made := self._translations(name, source)) is not None:
                found = self._compare(self.judge(chunks(made)), self.real[source], self.real[wanted])
                if self.paired:
                    found |= likeness(made, self.pictures[wanted])
                figures |= {f"{name}/{figure}": value for figure, value in found.items()}
        return figures

    @torch.no_grad()
    def _translations(self, name: str, source: str) -> Tensor | None:
        """What the model makes of the pictures of a side, as files would hold it: (N, 3, S, S) uint8; None of NaN."""
        state, model, made = self.state, self.state.models()[name], []
        with evaluating(model):
            for i, images in enumerate(chunks(self.pictures[source])):
                label = [] if self.labels is None else [self.labels[i * CHUNK :][: len(images)].to(state.device)]
                with devices.autocast(state.device, state.dtype):
                    result = model(images.to(state.device, memory_format=torch.channels_last), *label).float()
                if not bool(result.isfinite().all()):
                    return None
                made.append((result.clamp(0, 1) * 255).round().to(torch.uint8).cpu())
        return torch.cat(made)

    def _compare(self, made: Features, source: Features, wanted: Features) -> dict[str, float]:
        size = max(2, min(len(made), len(wanted)) // 2)
        kernel, _ = kernel_distance(made, wanted, subsets=DRAWS, subset_size=size)
        return {
            self.judge.frechet: frechet_distance(made, wanted),
            self.judge.kernel: kernel,
            "diversity": diversity(made, source, wanted),
        }

    def keep_best(
        self, figures: Mapping[str, float], counts: Mapping[str, int], losses: Mapping[str, float]
    ) -> dict[str, Path]:
        """Writes run/best_NAME.safetensors for each model whose figure is better than ever; returns all by name.

        Args:
            figures: of `measure`.
            counts: pictures by folder, for the card.
            losses: the last ones, for the card.

        Raises:
            DiskError: the disk is full or not writable.
        """
        for name in self.routes:
            value = figures.get(f"{name}/{self.judge.frechet}", float("inf"))
            if value < self._best(name):
                self._write(name, figures, counts, losses)
                self.state.best[name] = {**self._yardstick(), "value": value, "images": self.state.seen}
        return self.files()

    def files(self) -> dict[str, Path]:
        """The files of the best models by name."""
        return {path.stem: path for name in self.state.best if (path := best_file(self.run, name)).exists()}

    def _best(self, name: str) -> float:
        """The figure to beat; one that was measured otherwise does not count."""
        entry, yardstick = self.state.best.get(name, {}), self._yardstick()
        return float(entry["value"]) if entry.items() >= yardstick.items() else float("inf")

    def _yardstick(self) -> dict[str, Any]:
        return {"figure": self.judge.frechet, "pictures": [len(pictures) for pictures in self.pictures.values()]}

    def _write(
        self, name: str, figures: Mapping[str, float], counts: Mapping[str, int], losses: Mapping[str, float]
    ) -> None:
        state, (source, wanted) = self.state, self.routes[name]
        pictures = f"{len(self.pictures[source])} translations, {len(self.pictures[wanted])} real pictures, held out"
        own = [
            Figure(name=figure.partition("/")[2], value=round(value, 5), unit=pictures)
            for figure, value in figures.items()
            if figure.startswith(f"{name}/")
        ]
        card = products.card(name, state.recipe, state.seen, counts, losses, own)
        weights.save(best_file(self.run, name), state.models()[name], card)


def best_file(run: Path, name: str) -> Path:
    """Where the best model of that name is kept."""
    return run / f"best_{name}.safetensors"


def chunks(pictures: Tensor) -> Iterator[Tensor]:
    """uint8 pictures (N, 3, S, S) as float32 in [0, 1], a few at a time."""
    return (part.float() / 255 for part in pictures.split(CHUNK))


def likeness(made: Tensor, wanted: Tensor) -> dict[str, float]:
    """How near pictures (N, 3, S, S) uint8 are to their partners: the mean difference in [0, 1], and the PSNR in dB."""
    apart = (made.float() - wanted.float()).flatten(1) / 255
    psnr = -10 * apart.square().mean(1).clamp(min=1e-10).log10()
    return {"l1": float(apart.abs().mean()), "psnr": float(psnr.mean())}


def diversity(made: Features, source: Features, wanted: Features) -> float:
    """How far made pictures are from the one most like them, in shares of real ones; 0 where all are the same.

    Args:
        made: features of translations, (N, D).
        source: of what was translated; of the same pictures.
        wanted: of real pictures of the other kind. If those are more alike, translations may be, too.
    """
    count = min(len(made), len(wanted))  # the more pictures there are, the nearer is the nearest
    usual = min(nearest(source[:count]), nearest(wanted[:count]))
    return nearest(made[:count]) / usual if usual > 0 else 1.0


def nearest(features: Features) -> float:
    """The mean distance from a picture to the one most like it, by features (N, D)."""
    squares = np.square(features).sum(1)
    apart = squares[:, None] + squares - 2 * features @ features.T
    np.fill_diagonal(apart, np.inf)
    return float(np.sqrt(np.maximum(apart.min(1), 0)).mean())
