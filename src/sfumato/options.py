"""What can be chosen when a picture is stylized, whatever the model: flags, sliders and the fields of a request.

Importing this needs neither torch nor NumPy.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, Self

from annotated_types import Ge, Le

from .errors import OptionError


class Checked:
    """What dataclasses of options share."""

    @classmethod
    def of(cls, **given: Any) -> Self:
        """The options with these values; lists and other rows of values become tuples.

        Raises:
            OptionError: one has no such name or a value that it cannot have.
        """
        known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        if unknown := sorted(set(given) - set(known)):
            raise OptionError(f"there is no option {unknown[0]!r}; there are {', '.join(known)}")
        rows = {k: tuple(x) for k, x in given.items() if isinstance(x, Iterable) and not isinstance(x, str)}
        try:
            return cls(**given | rows)
        except TypeError as error:
            raise OptionError(f"an option has a value of a wrong type ({error})") from error

    def check_whole(self, name: str, low: int, high: int) -> None:
        """Raises OptionError if a value is neither None nor a whole number within limits."""
        value = getattr(self, name)
        if value is not None and not (isinstance(value, int) and low <= value <= high):
            raise OptionError(f"{name} {value!r} is not a whole number from {low} to {high}")

    def check_iterations(self) -> None:
        """Raises OptionError if one of `iterations` is no whole number from 1 on."""
        for number in self.iterations:  # type: ignore[attr-defined]
            if not (isinstance(number, int) and number >= 1):
                raise OptionError(f"iterations {number!r} is not a whole number from 1 on")


@dataclass(frozen=True, kw_only=True)
class Options(Checked):
    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "use_attribute_docstrings": True}

    strength: Annotated[float, Ge(0), Le(1)] = 1.0
    """How far to go: 0 keeps the picture, 1 is the full style."""
    weights: tuple[Annotated[float, Ge(0)], ...] = ()
    """A number for each style, as large as its share; equal shares if none is given."""
    keep_colors: Literal["none", "luminance", "coral", "histogram"] = "none"
    """Keep the picture's colours: `luminance` changes light and dark only; the others recolour the style first."""
    style_size: Annotated[int, Ge(16), Le(4096)] | None = None
    """Longest side of the style in pixels, larger for larger strokes; its own, at most 512, if none is given."""
    size: Annotated[int, Ge(1), Le(100_000)] | None = None
    """Longest side of the result in pixels; the picture's own if none is given."""
    draw_size: Annotated[int, Ge(16), Le(4096)] | None = None
    """Longest side in pixels that it is drawn at, smaller for larger strokes; a larger result takes its edges from the
    picture. As large as the result if none is given."""
    iterations: tuple[Annotated[int, Ge(1)], ...] = ()
    """Looks at the picture at each size, for gatys, which optimises; its own numbers if none is given."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise OptionError(f"strength {self.strength:g} is not between 0 and 1")
        if self.weights and not (all(0 <= w < math.inf for w in self.weights) and sum(self.weights) > 0):
            shown = ", ".join(f"{w:g}" for w in self.weights)
            raise OptionError(f"weights {shown} must be 0 or more, and one of them above 0")
        if self.keep_colors not in ("none", "luminance", "coral", "histogram"):
            raise OptionError(f"keep_colors {self.keep_colors!r} is none of none, luminance, coral, histogram")
        for name, low, high in (("style_size", 16, 4096), ("size", 1, 100_000), ("draw_size", 16, 4096)):
            self.check_whole(name, low, high)
        self.check_iterations()

    def shares(self, count: int) -> tuple[float, ...]:
        """The weights of `count` styles, of sum 1.

        Raises:
            OptionError: there is not one weight for each style.
        """
        weights = self.weights or (1.0,) * count
        if len(weights) != count:
            raise OptionError(f"{len(weights)} weights were given for {count} styles; give one for each, or none")
        return tuple(weight / sum(weights) for weight in weights)
