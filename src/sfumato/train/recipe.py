"""A recipe says everything about a run; it is data, not code."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt


@dataclass(frozen=True, kw_only=True)
class Adam:
    """The optimiser of one group of networks."""

    lr: Annotated[float, Gt(0)] = 2e-4
    """Step size."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the running mean of gradients and of their squares."""
    clip: Annotated[float, Ge(0)] = 0.0
    """Largest norm of the group's gradient; 0 never clips."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The factor on every learning rate, a function of the images seen."""

    kind: Literal["constant", "inverse", "cosine", "linear"] = "constant"
    """`inverse` is 1 / (1 + decay * images); `cosine` and `linear` fall to zero between `start` and the run's end."""
    warmup: Annotated[int, Ge(0)] = 0
    """Images over which the factor rises from 0."""
    start: Annotated[int, Ge(0)] = 0
    """Images after which `linear` begins to fall."""
    decay: Annotated[float, Ge(0)] = 0.0
    """Of `inverse`, for each image."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One run."""

    method: Any
    """The Config of a module in sfumato.methods."""
    data: Any
    """A data set's description in sfumato.data."""
    images: Annotated[int, Gt(0)]
    """Samples seen in all; the length does not depend on the batch."""
    batch: Annotated[int, Gt(0)] = 1
    """Samples of a step over all processes."""
    optimizers: dict[str, Adam] = field(default_factory=dict)
    """By group of the method; `Adam()` where absent."""
    schedule: Schedule = Schedule()
    """How learning rates move."""
    ema_images: Annotated[int, Ge(0)] = 10_000
    """Half-life of the averaged weights in images; 0 keeps no average."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the forward pass; weights and optimisers are always float32."""
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Fixes samples, noise and first weights."""
    workers: Annotated[int, Ge(0)] = 1
    """Processes that read pictures; 0 reads between the steps."""
    save_every: Annotated[int, Gt(0)] = 2_000
    """Images between saved states."""
    sample_every: Annotated[int, Gt(0)] = 5_000
    """Images between sample grids."""
    title: str = ""
    """What the models are, for their card."""
    licence: str = "unknown"
    """Of the trained weights, for their card."""
