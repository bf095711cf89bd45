"""How well the parts of persons are found: intersection over union by two protocols, and how near borders are.

Shapes: N pictures, K parts, H W pixels. Labels (H, W) are sets of parts: bit k is 1 if a place may be part k. What is
found (H, W) is the number of one part.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint8]
Sets = NDArray[np.int32]
Floats = NDArray[np.float64]

Protocol = Literal["standard", "ignoring background"]
"""`standard`: every place counts. `ignoring background`: places labelled background alone are left out before anything
is counted, as by `ignore_index=0` of the Hugging Face metric: what is found there costs nothing, and the background,
though never right, is a class of which the mean is taken."""
PROTOCOLS: tuple[Protocol, ...] = ("standard", "ignoring background")
BACKGROUND = 0
NEAR = 0.0075
"""How far, in diagonals of the picture, a border may be off (Csurka et al., BMVC 2013)."""
DRAWS = 1000
"""Sets of pictures drawn for an interval."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """Places of a picture.

    Attributes:
        right: (K,), by part: labelled as that alone, and found.
        missed: (K,): labelled as that alone, and something else is found.
        wrong: (K,): found where the label rules it out.
        fitting: places where what is found is one of the parts of the label.
        known: places whose label rules something out.
    """

    right: NDArray[np.int64]
    missed: NDArray[np.int64]
    wrong: NDArray[np.int64]
    fitting: int
    known: int

    @property
    def row(self) -> Floats:
        """All of it, (3 K + 2,): rows of pictures can be added."""
        return np.array([*self.right, *self.missed, *self.wrong, self.fitting, self.known], np.float64)


def count(found: Numbers, labels: Sets, parts: int, protocol: Protocol = "standard") -> Counts:
    """Compares what is found with labels, both (H, W).

    Args:
        found: numbers of parts.
        labels: sets of parts; where all are possible, nothing is counted.
        parts: K.
        protocol: see `Protocol`.
    """
    flat = labels.ravel()
    wanted = np.flatnonzero(np.bincount(flat))  # far faster than to sort, as `np.unique` does
    places = np.zeros(int(wanted[-1]) + 1, np.intp)
    places[wanted] = np.arange(len(wanted)) * parts
    table = np.bincount(places[flat] + found.ravel(), minlength=len(wanted) * parts).reshape(-1, parts)
    used = wanted != 2**parts - 1
    if protocol != "standard":
        used &= wanted != 1 << BACKGROUND
    wanted, table = wanted[used], table[used]
    bits = (wanted[:, None] >> np.arange(parts)) & 1  # (labels that occur, K)
    alone = bits * (bits.sum(1, keepdims=True) == 1)
    right = (table * alone).sum(0)
    return Counts(
        right=right,
        missed=(table.sum(1, keepdims=True) * alone).sum(0) - right,
        wrong=(table * (1 - bits)).sum(0),
        fitting=int((table * bits).sum()),
        known=int(table.sum()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """How far what is found agrees with labels.

    Attributes:
        iou: (K,), by part: intersection over union; NaN where a part is neither labelled nor wrongly found.
        accuracy: (K,): the share of what is labelled that is found; NaN where nothing is.
        mean_iou: over the parts that have one.
        mean_accuracy: likewise.
        overall: the share of all places where what is found fits the label.
    """

    iou: Floats
    accuracy: Floats
    mean_iou: float
    mean_accuracy: float
    overall: float


def agreement(counts: Sequence[Counts]) -> Agreement:
    """The figures of all pictures together."""
    return figures(np.sum([c.row for c in counts], axis=0))


def figures(row: Floats) -> Agreement:
    """The figures of pictures whose `Counts.row`, added up, is this."""
    (right, missed, wrong), (fitting, known) = row[:-2].reshape(3, -1), row[-2:].tolist()
    iou, accuracy = share(right, right + missed + wrong), share(right, right + missed)
    return Agreement(
        iou=iou,
        accuracy=accuracy,
        mean_iou=mean(iou),
        mean_accuracy=mean(accuracy),
        overall=fitting / known if known else math.nan,
    )


def share(some: Floats, every: Floats) -> Floats:
    """The quotients, NaN where nothing is divided by."""
    return np.where(every > 0, some / np.maximum(every, 1), math.nan)


def mean(values: Floats | Sequence[float]) -> float:
    """The mean of those that are not NaN; NaN if none is."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else math.nan


def border_score(found: Numbers, labels: Sets, part: int, *, near: float = NEAR) -> float:
    """How well the border of a part is met, in [0, 1]: the F-score of border places that are near the other's.

    Borders are between pixels of a picture; its own edge is none. Where a label leaves open whether it is that part,
    borders do not count. NaN where the label has no such part.

    Args:
        found: (H, W), numbers of parts.
        labels: (H, W), sets of parts.
        part: which.
        near: how near, in diagonals of the picture.
    """
    own = labels == 1 << part
    if not own.any():
        return math.nan
    unsure = ((labels >> part) & 1).astype(bool) & ~own
    beside = cv2.dilate(unsure.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    ours, theirs = (_border(mask) & ~beside for mask in (found == part, own))
    if not theirs.any():
        return math.nan
    reach = near * math.hypot(*labels.shape)
    precision, recall = _near(ours, theirs, reach), _near(theirs, ours, reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask (H, W) beside one that is not of it."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return mask & ~inner.astype(bool)


def _near(some: NDArray[np.bool_], others: NDArray[np.bool_], reach: float) -> float:
    """The share of pixels (H, W) that have one of the others within reach; 0 where there are none of either."""
    if not some.any() or not others.any():
        return 0.0
    far = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((far[some] <= reach).mean())


def interval(
    value: Callable[[NDArray[np.int64]], float], pictures: int, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """The middle 95 of 100 values over sets of as many pictures, drawn with replacement.

    Args:
        value: of a set, given the numbers of its pictures.
        pictures: N.
        draws: how often pictures are drawn.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    values = [value(rng.integers(pictures, size=pictures)) for _ in range(draws)]
    known = [x for x in values if not math.isnan(x)]
    if not known:
        return math.nan, math.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
