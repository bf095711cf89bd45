"""How well a run that learns parts does: intersection over union on pictures kept from training.

The figures are those of `evaluate_parts` by the standard protocol: `parser/mIoU`, the mean over parts, which decides
which model is best, and `parser/IoU-hair` and `parser/IoU-face`.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from ..data.parsing import Opened, digest
from ..data.part_sets import Labelled, read_set
from ..data.stream import Samples
from ..errors import RecipeError
from ..methods import segformer
from ..metrics.parts import agreement
from ..parts import PARTS
from ..train.recipe import Watching
from ..train.state import State, evaluating
from ..train.watch import enough
from .evaluation import BORDERS, compare
from .parser import PartParser

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WatchParts(Watching):
    """The figures of a run that learns parts: how they agree with masks that it never sees."""

    root: tuple[str, ...] = ()
    """Sets to measure by, as of `data`; none: the pictures that `data.hold_out` keeps."""
    count: Annotated[int, Ge(2)] = 100
    """Most pictures that are looked at; of more, every so many."""
    side: Annotated[int, Ge(32)] | None = None
    """Longest side, in pixels, at which they are looked at; else that of the method."""

    def open(self, state: State, samples: Samples) -> "LabelledParts | None":
        models = {name: model for name, model in state.models().items() if isinstance(model, segformer.Model)}
        if not models or not isinstance(samples, Opened):
            raise RecipeError(f"watch.every: {self.every} needs parts to learn; 0 watches nothing")
        items = [item for root in self.root for item in read_set(root).items] if self.root else samples.held
        field = "watch.root" if self.root else "data.hold_out, or watch.root with a set of its own"
        if not enough(len(items), "pictures", field):
            return None
        number = min(self.count, len(items))
        few = [items[k * len(items) // number] for k in range(number)]
        sets = [Path(root).name for root in dict.fromkeys(self.root or samples.settings.root)]
        side = self.side or next(iter(models.values())).config.side
        return LabelledParts(state, list(models), few, sets=sets, side=side)


class LabelledParts:
    """The figures of models that find parts.

    Args:
        state: the run.
        models: their names.
        items: labelled pictures that are not learned from.
        sets: what they are of.
        side: longest side at which they are looked at.
    """

    figure = "mIoU"

    def __init__(
        self, state: State, models: Sequence[str], items: Sequence[Labelled], *, sets: Sequence[str], side: int
    ) -> None:
        self.state, self.models, self.items, self.sets, self.side = state, models, items, sets, side
        self.told: set[str] = set()

    def __call__(self) -> dict[str, float]:
        """The figures, by `NAME/FIGURE`."""
        found: dict[str, float] = {}
        for name in self.models:
            model = self.state.models()[name]
            with evaluating(model):
                parser = PartParser(model, device=str(self.state.device), side=self.side, flip=False)
                scored, faults = compare(parser, self.items)
            for fault in [fault for fault in faults if fault not in self.told]:
                logger.warning("left out of what is watched: %s", fault)
                self.told.add(fault)
            if scored:
                figures = agreement([s.counts["standard"] for s in scored])
                found[f"{name}/mIoU"] = figures.mean_iou
                found |= {f"{name}/IoU-{part}": float(figures.iou[PARTS.index(part)]) for part in BORDERS}
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def yardstick(self) -> dict[str, Any]:
        """What figures depend on beside the models."""
        return {"pictures": len(self.items), "labels": digest(self.items), "side": self.side}

    def about(self, _name: str) -> str:
        """What the figures are of."""
        return f"{len(self.items)} pictures of {', '.join(self.sets)}, held out"
