"""How well a run does on what is kept from training, and its best models.

run/best_NAME.safetensors   each model as it was when its figure was best

What is measured is for the recipe to say: `Watch` compares translations with real pictures, `pose.watching.WatchPoses`
poses with their labels. Figures stand in the log as `NAME/FIGURE`, NAME a model's.

They are a function of the weights alone: the first process computes them, the others wait at their next step. What is
drawn at random meanwhile changes nothing, since each step draws anew from (seed, images seen).
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from .. import weights
from ..card import Figure
from ..data.stream import Samples
from . import products
from .signs import is_better
from .state import State

logger = logging.getLogger(__name__)

FEWEST = 8
"""Pictures of a kind below which figures would say more about the pictures than about the model."""


class Measure(Protocol):
    """Measures the models of a run."""

    @property
    def models(self) -> Sequence[str]:
        """Names of those that are measured."""
        ...

    @property
    def figure(self) -> str:
        """The one that decides which model is best."""
        ...

    def __call__(self) -> dict[str, float]:
        """The figures by `NAME/FIGURE`, all finite; none of a model of which there are none."""
        ...

    def yardstick(self) -> dict[str, Any]:
        """What figures depend on beside the models, in values that JSON has."""
        ...

    def about(self, name: str) -> str:
        """What the figures of a model are of, for its card."""
        ...


def watcher(state: State, samples: Samples, run: Path) -> "Watcher | None":
    """Watches the run of the state, if the recipe says so and enough is kept from training.

    Raises:
        RecipeError: the data or the method is not what the recipe's `watch` can measure.
        DataError: what it names for that cannot be used.
    """
    settings = state.recipe.watch
    measure = settings.open(state, samples) if settings.every else None
    return None if measure is None else Watcher(state, run, measure)


def enough(count: int, what: str, field: str) -> bool:
    """Whether so many are enough to measure by; if not, there is a warning.

    Args:
        count: how many there are.
        what: they are, as `pictures of a`.
        field: the recipe's that says how many.
    """
    if count < FEWEST:
        logger.warning(
            "the run is not watched: %d %s are kept from training, %d are needed (%s)", count, what, FEWEST, field
        )
    return count >= FEWEST


class Watcher:
    """The figures of a run, and its best models.

    Args:
        state: the run.
        run: its folder.
        measure: its figures.
    """

    def __init__(self, state: State, run: Path, measure: Measure) -> None:
        self.state, self.run, self.measure = state, run, measure

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
        for name in self.measure.models:
            key = f"{name}/{self.measure.figure}"
            if key in figures and is_better(key, figures[key], self._best(name)):
                self._write(name, figures, counts, losses)
                self.state.best[name] = {**self._yardstick(), "value": figures[key], "images": self.state.seen}
        return self.files()

    def files(self) -> dict[str, Path]:
        """The files of the best models by name."""
        return {path.stem: path for name in self.state.best if (path := best_file(self.run, name)).exists()}

    def _best(self, name: str) -> float | None:
        """The figure to beat; one that was measured otherwise does not count."""
        entry, yardstick = self.state.best.get(name, {}), self._yardstick()
        return float(entry["value"]) if entry.items() >= yardstick.items() else None

    def _yardstick(self) -> dict[str, Any]:
        return {"figure": self.measure.figure, **self.measure.yardstick()}

    def _write(
        self, name: str, figures: Mapping[str, float], counts: Mapping[str, int], losses: Mapping[str, float]
    ) -> None:
        state = self.state
        own = [
            Figure(name=figure.partition("/")[2], value=round(value, 5), unit=self.measure.about(name))
            for figure, value in figures.items()
            if figure.startswith(f"{name}/")
        ]
        card = products.card(name, state.recipe, state.seen, counts, losses, own)
        weights.save(best_file(self.run, name), state.models()[name], card)


def best_file(run: Path, name: str) -> Path:
    """Where the best model of that name is kept."""
    return run / f"best_{name}.safetensors"
