"""How well a run that learns poses does: average precision and correct keypoints on figures kept from training.

The figures are those of `evaluate_pose`: `pose/AP` by COCO's rules, which decides which model is best, and `pose/PCK`,
the share of keypoints within a tenth of a figure's longer side.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from ..data.keypoints import Figure, read_set
from ..data.poses import Opened, digest, is_usable
from ..data.stream import Samples
from ..errors import DataError, RecipeError
from ..methods import hrnet
from ..train.recipe import Watching
from ..train.state import State, evaluating
from ..train.watch import enough
from .estimator import PoseEstimator
from .evaluation import compare, correct, mean, precision

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WatchPoses(Watching):
    """The figures of a run that learns poses: how near they are to labels that it never sees."""

    root: tuple[str, ...] = ()
    """Folders of labelled pictures to measure by, as of `data`; none: those that `data.hold_out` keeps."""
    pictures: str = ""
    """Folder of the pictures of `root`, if it is not `images` beside the labels or the labels' own."""
    count: Annotated[int, Ge(2)] = 200
    """Most figures that are looked at; of more, every so many."""

    def open(self, state: State, samples: Samples) -> "LabelledPoses | None":
        models = [name for name, model in state.models().items() if isinstance(model, hrnet.Model)]
        if not models or not isinstance(samples, Opened):
            raise RecipeError(f"watch.every: {self.every} needs poses to learn; 0 watches nothing")
        figures = _named(self) if self.root else samples.held
        field = "watch.root" if self.root else "data.hold_out, or watch.root with a set of its own"
        if not enough(len(figures), "figures", field):
            return None
        count = min(self.count, len(figures))
        few = [figures[k * len(figures) // count] for k in range(count)]
        sets = [Path(root).name for root in self.root or samples.settings.root]
        return LabelledPoses(state, models, _numbered(few), sets)


def _numbered(figures: Sequence[Figure]) -> list[Figure]:
    """The figures with numbers of pictures that no two pictures share, as those of two sets may."""
    numbers = {path: k for k, path in enumerate(dict.fromkeys(figure.path for figure in figures), 1)}
    return [replace(figure, image=numbers[figure.path]) for figure in figures]


def _named(settings: WatchPoses) -> list[Figure]:
    sets = [read_set(root, settings.pictures) for root in settings.root]
    for found in sets:
        if not any(is_usable(figure) for figure in found.figures):
            raise DataError(f"watch.root: {found.file}: none of its figures has a box and labelled keypoints")
    return [figure for found in sets for figure in found.figures if is_usable(figure)]


class LabelledPoses:
    """The figures of models that find poses.

    Args:
        state: the run.
        models: their names.
        figures: labelled ones that are not learned from.
        sets: what they are of.
    """

    figure = "AP"

    def __init__(self, state: State, models: Sequence[str], figures: Sequence[Figure], sets: Sequence[str]) -> None:
        self.state, self.models, self.figures, self.sets = state, models, figures, sets
        self.told: set[str] = set()

    def __call__(self) -> dict[str, float]:
        """The figures, by `NAME/FIGURE`."""
        found: dict[str, float] = {}
        for name in self.models:
            model = self.state.models()[name]
            with evaluating(model):
                estimator = PoseEstimator(model, device=str(self.state.device))
                compared, faults = compare(estimator, self.figures)
            for fault in [fault for fault in faults if fault not in self.told]:
                logger.warning("left out of what is watched: %s", fault)
                self.told.add(fault)
            if compared:
                stats = precision(compared, draws=0).stats
                found |= {f"{name}/AP": stats["AP"], f"{name}/PCK": mean(correct(compared))}
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def yardstick(self) -> dict[str, Any]:
        """What figures depend on beside the models."""
        return {"figures": len(self.figures), "labels": digest(self.figures)}

    def about(self, _name: str) -> str:
        """What the figures are of."""
        return f"{len(self.figures)} figures of {', '.join(self.sets)}, held out"
