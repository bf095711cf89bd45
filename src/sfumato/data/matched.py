"""Two kinds of pictures without pairs, in which each picture of the one kind is given those of the other most like it.

For methods that learn from pairs: where a generator shall draw other shapes, there is something to copy from the start.
Pictures are to show the same at the same place, as faces do that `sfumato faces` has cut out.

Shapes: N pictures, H W pixels, F cells times channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray
from torch import Tensor

from .domains import Augmented, Domains, alike, tensor
from .folders import CACHE_BYTES, Folder, Pixels, pick

CELLS = 16
"""Of a coarse view, along each side."""
SIGMA = 0.28
"""Deviation in sides of the weights of cells about the middle: what is behind a head counts less."""

NEIGHBOURS = 10
"""Pictures of `a` that tell how near one of `b` is to all of them."""


@dataclass(frozen=True, kw_only=True)
class Matched(Augmented):
    """Two kinds of pictures, each of `a` with one of `b` that is like it in the coarse: samples {"a", "b"}."""

    a: tuple[str, ...] = ()
    """Folders of the one kind."""
    b: tuple[str, ...] = ()
    """Folders of the other."""
    nearest: Annotated[int, Ge(1)] = 3
    """Pictures of `b` that each of `a` appears with, in turn by chance."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Matches":
        """The pictures, found, checked and compared; each process that reads them keeps up to `cache_bytes` of them."""
        return Matches(self, {"a": self.a, "b": self.b}, cache_bytes)


class Matches(Domains):
    """Crops of pictures that are like each other, at the same place.

    Attributes:
        partners: (N, nearest), the pictures of `b` for each of `a`, the most like first.
    """

    def __init__(self, settings: Matched, sides: Mapping[str, tuple[str, ...]], cache_bytes: int) -> None:
        super().__init__(settings, sides, cache_bytes)
        views = {side: views_of(folder) for side, folder in self.folders.items()}
        self.partners = most_alike(views["a"], views["b"], min(settings.nearest, len(views["b"])))

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        index = pick(len(self.folders["a"]), seed, n, "a")
        partner = self.partners[index, np.random.default_rng([seed, n, *b"partner"]).integers(self.partners.shape[1])]
        both = {"a": square(self.folders["a"].picture(index)), "b": square(self.folders["b"].picture(int(partner)))}
        return {side: tensor(x) for side, x in alike(both, self.settings, seed, n).items()}


def square(pixels: Pixels) -> Pixels:
    """The middle square of a picture (H, W, 3)."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def views_of(folder: Folder) -> NDArray[np.float32]:
    """Coarse views (N, F) in CIELAB, in deviations from the folder's mean, weighted from the middle.

    By the deviations dark photographs are given drawings that are dark among drawings.
    """
    rows = []
    for index in range(len(folder)):
        small = cv2.resize(square(folder.picture(index)), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        rows.append(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    views = np.stack(rows)
    place = (np.arange(CELLS, dtype=np.float32) + 0.5) / CELLS - 0.5
    window = np.exp(-0.5 * (place / SIGMA) ** 2)
    views = (views - views.mean((0, 1, 2))) / (views.std((0, 1, 2)) + 1) * np.sqrt(np.outer(window, window))[:, :, None]
    return views.reshape(len(rows), -1).astype(np.float32)


def most_alike(a: NDArray[np.float32], b: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """For each row of a (N, F) the `count` rows of b (M, F) most like it, the most alike first: (N, count).

    What is near to everything would belong to everyone: a row of b counts as farther by its mean distance to the
    nearest ones of a (Conneau et al., Word Translation Without Parallel Data, ICLR 2018, section 2.3).
    """
    distances = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)
    usual = np.sort(distances, axis=0)[:NEIGHBOURS].mean(0)
    return np.argsort(2 * distances - usual, axis=1, kind="stable")[:, :count]
