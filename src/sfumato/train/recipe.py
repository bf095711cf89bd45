"""A recipe says everything about a run; it is data, not code."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt, Le, Lt

from ..data.mixed import Share
from ..data.stream import Samples
from ..errors import RecipeError

if TYPE_CHECKING:
    from .state import State
    from .watch import Measure

T = TypeVar("T")
WANING = Share(first=0.9, last=0.1)
"""The share of what there is plenty of, from nine tenths of the samples to one."""


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """How one group of networks learns: by Adam, or by Muon and Adam."""

    lr: Annotated[float, Gt(0)] = 2e-4
    """Step size."""
    betas: tuple[Annotated[float, Ge(0), Lt(1)], Annotated[float, Ge(0), Lt(1)]] = (0.9, 0.999)
    """Decay of the running mean of gradients and of their squares."""
    clip: Annotated[float, Ge(0)] = 0.0
    """Largest norm of the group's gradient; 0 never clips."""
    muon: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Momentum of Muon for the weights that are matrices, 0.95 as a rule; 0: Adam for all."""
    weight_decay: Annotated[float, Ge(0)] = 0.0
    """L2: this share of each weight is added to its gradient."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The factor on every learning rate, a function of the images seen."""

    kind: Literal["constant", "inverse", "cosine", "linear", "step"] = "constant"
    """`inverse` is 1 / (1 + decay * images after `start`); `cosine` and `linear` fall to `floor` between `start` and
    the run's end; `step` is multiplied by `factor` after each `every` images."""
    warmup: Annotated[int, Ge(0)] = 0
    """Images over which the factor rises to 1."""
    warmup_from: Annotated[float, Ge(0), Lt(1)] = 0.0
    """The factor at the very first image, if there is a warm-up."""
    start: Annotated[int, Ge(0)] = 0
    """Images after which the factor begins to fall."""
    decay: Annotated[float, Ge(0)] = 0.0
    """Of `inverse`, for each image."""
    every: Annotated[int, Gt(0)] = 10_000
    """Images between the falls of `step`, from `start` on."""
    factor: Annotated[float, Gt(0), Le(1)] = 0.8
    """What is left after a fall of `step`."""
    floor: Annotated[float, Ge(0), Lt(1)] = 0.0
    """What is left at the end by `cosine` and `linear`."""


@dataclass(frozen=True, kw_only=True)
class Watching:
    """How well a run does on what is kept from training; what is measured, each kind of it says."""

    every: Annotated[int, Ge(0)] = 0
    """Images between figures; 0 watches nothing."""
    patience: Annotated[int, Ge(0)] = 0
    """Images without a better figure after which there is a warning; 0 never warns."""

    def open(self, state: "State", samples: Samples) -> "Measure | None":
        """What measures the models of a run; None, with a warning, where too little is kept from training.

        Raises:
            RecipeError: the data or the method is of another kind.
            DataError: what is named for it cannot be used.
        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Watch(Watching):
    """The figure of a run between two kinds of pictures: how far translations are from pictures kept from training."""

    count: Annotated[int, Ge(2)] = 200
    """Most pictures of each kind that are translated and compared; `data.hold_out` says how many there are."""
    network: str = "auto"
    """Whose features are compared: `compact`, the bundled one, `inception`, or a file of its weights; `auto` takes
    Inception where its weights are."""

    def open(self, state: "State", samples: Samples) -> "Measure | None":
        from .translations import opened

        return opened(self, state, samples)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One run."""

    method: Any
    """The Config of a module in sfumato.methods."""
    data: Any
    """A data set's description in sfumato.data."""
    more: Any = None
    """A second one of the same kind, mixed in: `--more.FIELD VALUE` tells in what it differs from `data`, which is what
    the run is for, and of which figures and grids are. Each is given half of the memory for pictures."""
    share: Share = field(default_factory=lambda: WANING)
    """How much of the samples is of the second one."""
    images: Annotated[int, Gt(0)]
    """Samples seen in all, whatever the batch is; at the end, what is less than a whole batch is left out."""
    batch: Annotated[int, Gt(0)] = 1
    """Samples of a step over all processes."""
    optimizers: dict[str, Optimizer] = field(default_factory=dict)
    """By group of the method; `Optimizer()` where absent."""
    schedule: Schedule = Schedule()
    """How learning rates move."""
    ema_images: Annotated[int, Ge(0)] = 10_000
    """Half-life of the averaged weights in images; 0 keeps no average."""
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """Of the forward pass; `auto` is bf16 where the device is faster with it. Weights and optimisers stay float32."""
    compile: bool = False
    """Translate the networks by torch.compile: a minute at the start, a compiler needed, faster steps on a GPU."""
    start: str = ""
    """What the run begins with: the state.pt of another run of the method, for all networks, or a model for one."""
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Fixes samples, noise and first weights."""
    workers: Annotated[int, Ge(0)] = 1
    """Processes that read pictures; 0 reads between the steps."""
    cache_mb: Annotated[int, Ge(0)] = 1_000
    """Memory for pictures that are kept decoded, over all workers."""
    log_every: Annotated[int, Gt(0)] = 200
    """Images between lines of the log, which hold the means of the losses since the line before."""
    save_every: Annotated[int, Gt(0)] = 2_000
    """Images between saved states."""
    sample_every: Annotated[int, Gt(0)] = 5_000
    """Images between sample grids."""
    watch: Watching = Watch()
    """How well the run does on pictures that it never sees; the model of the best figure is kept."""
    tensorboard: bool = False
    """Log for TensorBoard, too."""
    title: str = ""
    """What the models are, for their card."""
    licence: str = "unknown"
    """Of the trained weights, for their card."""
    attribution: tuple[str, ...] = ()
    """Whom to name when the models are passed on, for their card."""
    data_licences: dict[str, str] = field(default_factory=dict)
    """Licence of the pictures by the name of their folder, for the card."""
    notes: tuple[str, ...] = ()
    """Limits and warnings, for the card."""


def validated(recipe: Recipe) -> Recipe:
    """The recipe with every value of its declared type and within its bounds.

    Raises:
        RecipeError: a value is not; names its field.
    """
    method, data = _validated(recipe.method, "method."), _validated(recipe.data, "data.")
    more = None if recipe.more is None else _validated(_alike(recipe.more, recipe.data), "more.")
    if more is None and recipe.share != WANING:
        raise RecipeError("share: there is no second data set to have one; --more.FIELD names it")
    watch = _validated(recipe.watch, "watch.")
    recipe = replace(_validated(recipe, ""), method=method, data=data, more=more, watch=watch)
    if recipe.images < recipe.batch:
        raise RecipeError(f"images: {recipe.images} are less than one batch of {recipe.batch}")
    return recipe


def _alike(more: object, data: object) -> object:
    if type(more) is not type(data):
        raise RecipeError(f"more: {more!r} is no {type(data).__name__} as data is; tell its fields, --more.FIELD VALUE")
    return more


def check(recipe: Recipe, groups: Collection[str], world: int) -> None:
    """Checks what can only be told with the method and the processes at hand.

    Raises:
        RecipeError: an optimiser is for no group, or the batch cannot be shared evenly.
    """
    if strangers := recipe.optimizers.keys() - set(groups):
        raise RecipeError(f"optimizers: the method has no group {min(strangers)!r}; it has {', '.join(groups)}")
    if recipe.batch % world:
        raise RecipeError(f"batch: {recipe.batch} samples cannot be shared evenly by {world} processes")


def _validated(value: T, path: str) -> T:
    from pydantic import TypeAdapter, ValidationError

    if not is_dataclass(value) or isinstance(value, type):
        raise RecipeError(f"{path.rstrip('.') or 'recipe'}: {value!r} is not a dataclass")
    try:
        return TypeAdapter(type(value)).validate_python(asdict(value))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = path + ".".join(str(part) for part in first["loc"])
        raise RecipeError(f"{where}: {first['msg'].lower()}, not {first['input']!r}") from error
