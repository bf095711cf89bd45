"""What can be chosen when parts of a photograph are redrawn: flags, sliders and the fields of a request.

Importing this needs neither torch nor NumPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import Ge, Le, Lt, MinLen

from ..errors import OptionError
from ..options import Checked
from ..parts import PARTS, Part

Blend = Literal["guided", "feather", "laplacian", "hard"]
Filter = Literal["none", "warm", "cool", "vivid", "pale", "contrast"]
FILTERS: tuple[Filter, ...] = get_args(Filter)
"""What the model can be shown in place of the photograph's own colours."""


@dataclass(frozen=True, kw_only=True)
class Options(Checked):
    """How parts of a photograph are redrawn and put back.

    `blend`, `softness`, `color_match` and `strength` take effect in `blend`: they can change without the model at work.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "use_attribute_docstrings": True}

    parts: Annotated[tuple[Part, ...], MinLen(1)] = ("face", "hair")
    """The parts that are redrawn: face, hair, hat, sunglasses, upper-clothes and others, or background."""
    blend: Blend = "guided"
    """How the border is found: `guided` follows strands of hair, `feather` blurs, `laplacian` mixes scale by scale."""
    softness: Annotated[float, Ge(0), Le(1)] = 0.5
    """How wide the border is: 0 is crisp, 1 is widest."""
    color_match: Annotated[float, Ge(0), Le(1)] = 0.0
    """How far the drawing takes the mean colour and contrast of what it covers."""
    strength: Annotated[float, Ge(0), Le(1)] = 1.0
    """How much of the drawing: 0 keeps the photograph."""
    filter: Filter = "none"
    """The colours in which the model sees the photograph."""
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Fixes what a model that draws noise makes."""
    padding: Annotated[float, Ge(0), Le(2)] = 0.25
    """What the model sees around the zone on each side, as a share of the zone's box."""
    size: Annotated[int, Ge(16), Le(4096)] | None = None
    """Side of what the model is given, in pixels; if none is given, the crop's own, at most what suits the model."""
    iterations: tuple[Annotated[int, Ge(1)], ...] = ()
    """Looks at the picture at each size, for gatys, which optimises; its own numbers if none is given."""

    def __post_init__(self) -> None:
        if not self.parts or (unknown := [part for part in self.parts if part not in PARTS]):
            told = f"{unknown[0]!r} is none" if self.parts else "name at least one"
            raise OptionError(f"parts: {told} of {', '.join(PARTS)}")
        for name, choices in (("blend", get_args(Blend)), ("filter", FILTERS)):
            if (given := getattr(self, name)) not in choices:
                raise OptionError(f"{name} {given!r} is none of {', '.join(choices)}")
        for name, low, high in (("softness", 0, 1), ("color_match", 0, 1), ("strength", 0, 1), ("padding", 0, 2)):
            if not low <= (value := getattr(self, name)) <= high:
                raise OptionError(f"{name} {value:g} is not between {low} and {high}")
        for name, low, high in (("seed", 0, 2**31 - 1), ("size", 16, 4096)):
            self.check_whole(name, low, high)
        self.check_iterations()


def absent(parts: Sequence[str]) -> str:
    """How it is said that none of the parts was found."""
    return f"no {' and no '.join(parts)} was found"
