"""Two data sets as one; the second one's share of the samples may grow on the way.

So SketchyGAN goes from edge maps, of which there are many, to drawings by hand, of which there are few (Chen & Hays,
CVPR 2018, arXiv:1801.02753, section 3.1). Any recipe can, by `--more.FIELD` and `--share.FIELD`.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from torch import Tensor

from ..errors import RecipeError
from .stream import Samples

Part = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of the samples as a function of the images seen."""

    first: Part = 0.1
    """Share at the beginning,"""
    last: Part = 0.9
    """and at the end."""
    images: Annotated[int, Ge(0)] = 0
    """Images over which it goes from one to the other, evenly; 0: it is the last one from the beginning."""

    def at(self, n: int) -> float:
        """The share at image n, in [0, 1]."""
        return self.first + (self.last - self.first) * min(1.0, n / self.images) if self.images else self.last


class Mixed:
    """Samples of one set or the other; sample n is a function of (seed, n).

    Args:
        samples: the first set.
        more: the second, with samples of the same names and shapes.
        share: how much of all is the second's.

    Raises:
        DataError: no picture can be read.
        RecipeError: their samples differ in names or shapes.
    """

    def __init__(self, samples: Samples, more: Samples, share: Share) -> None:
        self.samples, self.more, self.share = samples, more, share
        ones, others = ({k: tuple(x.shape) for k, x in s.sample(0, 0).items()} for s in (samples, more))
        if ones != others:
            raise RecipeError(f"more: its samples are {others}, those of data {ones}; they must be of one size")

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """Sample n of one of the two.

        Raises:
            DataError: no picture is left that can be read.
        """
        drawn = np.random.default_rng([seed, n, *b"share"]).random()
        return (self.more if drawn < self.share.at(n) else self.samples).sample(seed, n)

    def counts(self) -> dict[str, int]:
        """How many pictures each folder has."""
        return self.samples.counts() | self.more.counts()

    def broken(self) -> list[str]:
        """What is wrong with pictures that looked sound at first; others take their places."""
        return self.samples.broken() + self.more.broken()

    def digest(self) -> str:
        """Sixteen digits that tell whether the pictures are still the same, by their names and number."""
        return hashlib.sha256(f"{self.samples.digest()} {self.more.digest()}".encode()).hexdigest()[:16]
