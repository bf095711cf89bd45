"""How well a run between two kinds of pictures does: translations of pictures kept from training against real ones.

The figures are `NAME/fid` or, by other features, `NAME/fd-...`: the Frechet distance, which decides what is best;
`NAME/kid` or `NAME/kd-...`: the kernel distance; `NAME/diversity`: how far each translation is from the one most like
it, in shares of what its inputs, or the wanted pictures if those are more alike, have. Of pairs there are, too,
`NAME/l1`, the mean difference to the partner in [0, 1], and `NAME/psnr` in dB. They do not decide what is best: blurred
pictures differ least.

Shapes: N pictures, S their side, D features.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import device as devices
from ..data.stream import Samples
from ..errors import DataError, RecipeError
from ..metrics.features import Judge
from ..metrics.fid import Features, frechet_distance, kernel_distance
from .recipe import Watch
from .state import State, evaluating
from .watch import enough

logger = logging.getLogger(__name__)

CHUNK = 8
"""Pictures that are translated together."""
DRAWS = 20
"""Halves of the pictures whose kernel distances are averaged."""


def opened(settings: Watch, state: State, samples: Samples) -> "Translations | None":
    """What measures the models of the state; None, with a warning, where too few pictures are kept from training.

    Raises:
        RecipeError: the data or the method is not of two kinds of pictures.
    """
    find = getattr(samples, "held_out", None)
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
    if not enough(len(pictures[fewest]), f"pictures of {fewest}", "data.hold_out"):
        return None
    judge = Judge(settings.network, state.device)
    return Translations(state, pictures, routes, judge, labels, paired=samples.paired)  # type: ignore[attr-defined]


class Translations:
    """The figures of models that lead from one kind of pictures to another.

    Args:
        state: the run.
        pictures: those kept from training by the name of their side, (N, 3, S, S) uint8.
        routes: the sides that models lead from and to, by the models' names.
        judge: what compares pictures.
        labels: classes (N,) that models are told beside the pictures of any side, if there are classes.
        paired: whether pictures of equal number belong together.
    """

    def __init__(
        self,
        state: State,
        pictures: Mapping[str, Tensor],
        routes: Mapping[str, tuple[str, str]],
        judge: Judge,
        labels: Tensor | None = None,
        *,
        paired: bool,
    ) -> None:
        self.state, self.pictures, self.routes = state, pictures, routes
        self.judge, self.labels, self.paired = judge, labels, paired
        self.models, self.figure = tuple(routes), judge.frechet
        self.real: dict[str, Features] = {}

    def __call__(self) -> dict[str, float]:
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

    def yardstick(self) -> dict[str, Any]:
        """What figures depend on beside the models."""
        return {"pictures": [len(pictures) for pictures in self.pictures.values()]}

    def about(self, name: str) -> str:
        """What the figures of a model are of."""
        source, wanted = self.routes[name]
        return f"{len(self.pictures[source])} translations, {len(self.pictures[wanted])} real pictures, held out"


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
