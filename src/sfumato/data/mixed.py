"""Two data sets as one, whose shares of the samples move on the way.

So SketchyGAN goes from edge maps, of which there are many, to drawings by hand, of which there are few (Chen & Hays,
CVPR 2018, arXiv:1801.02753, section 3.1). Other recipes can, too: `--data.FIELD` is what the run is for, `--more.FIELD`
what there is plenty of, and `--share.FIELD` how much of it is left when.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from torch import Tensor

from ..errors import RecipeError
from .stream import Samples

UnitInterval = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of the samples as a function of the images seen."""

    first: UnitInterval = 0.1
    """Share at the beginning."""
    last: UnitInterval = 0.9
    """Share at the end."""
    images: Annotated[int, Ge(0)] = 0
    """Images over which it goes from one to the other, evenly; 0: the whole run in `share`, none in `data.share`."""

    def at(self, n: int) -> float:
        """The share at image n, in [0, 1]."""
        return self.first + (self.last - self.first) * min(1.0, n / self.images) if self.images else self.last


class Mixed:
    """Samples of one set or the other; sample n is a function of (seed, n).

    Args:
        first: one set.
        second: the other, with samples of the same names and shapes; a sample of each is read to see that.
        share: how much of all is the second's.

    Raises:
        DataError: no picture can be read.
        RecipeError: their samples differ in names or shapes.
    """

    def __init__(self, first: Samples, second: Samples, share: Share) -> None:
        self.first, self.second, self.share = first, second, share
        ones, others = ({k: tuple(x.shape) for k, x in s.sample(0, 0).items()} for s in (first, second))
        for name in ones | others:
            if ones.get(name) != others.get(name):
                raise RecipeError(f"more: {name} is {others.get(name)}, in data {ones.get(name)}; both must be alike")

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """Sample n of one of the two.

        Raises:
            DataError: no picture is left that can be read.
        """
        drawn = np.random.default_rng([seed, n, *b"share"]).random()
        return (self.second if drawn < self.share.at(n) else self.first).sample(seed, n)

    def counts(self) -> dict[str, int]:
        """How many pictures each folder has; of one that is in both sets, as the larger of them has it."""
        ones, others = self.first.counts(), self.second.counts()
        return {folder: max(ones.get(folder, 0), others.get(folder, 0)) for folder in ones | others}

    def broken(self) -> list[str]:
        """What is wrong with pictures that looked sound at first; others take their places."""
        return list(dict.fromkeys(self.first.broken() + self.second.broken()))

    def digest(self) -> str:
        """Sixteen digits that tell whether the pictures are still the same, by their names and number."""
        return hashlib.sha256(f"{self.first.digest()} {self.second.digest()}".encode()).hexdigest()[:16]
