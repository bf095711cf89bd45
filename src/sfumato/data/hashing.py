"""Pictures that look the same: found by 64 bits of each, the signs of the low frequencies of its grey values.

The bits are those of "pHash" (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010): the
picture as 32 x 32 grey values, their cosine transform, and which of its 8 x 8 lowest frequencies lie above the median.
Drawings of one kit and aligned faces have much in common, so that what the bits find is compared once more, in a
smaller copy of each picture. Measured in docs/data.md.

Shapes: H W pixels, N pictures, P pairs.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 64
FARTHEST = 15
"""The largest distance that `pairs` can be asked for."""
PARTS = 4
"""So many parts of a hash are looked up: two hashes that differ in d bits differ in at most d // 4 in one of them."""
BLOCK = 2**21
"""How many pairs are compared at once."""

LOOK = 24
"""Side of the small copy."""
ALIKE = 0.98
"""Correlation of two small copies from which on they show the same."""
EVEN = 2.0
"""Mean difference, of 255, that cannot be seen."""

Pixels = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]
"""(P, 3): two numbers of hashes, the smaller one first, and in how many bits they differ."""

_BYTE_BITS = np.array([bin(i).count("1") for i in range(256)], np.uint8)


def perceptual(pixels: Pixels) -> int:
    """The 64 bits of a picture (H, W, 3); they hardly change with its size, its compression or its brightness."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    low[0] = 0  # the mean brightness tells nothing
    low[np.abs(low) < 0.01 * 32] = 0  # what an even picture has is rounding
    bits = low > np.median(low)
    return int(np.packbits(bits).view(">u8")[0])


def look(pixels: Pixels) -> Pixels:
    """A small copy of a picture (H, W, 3), by which `alike` compares: (24, 24, 3)."""
    return np.asarray(cv2.resize(pixels, (LOOK, LOOK), interpolation=cv2.INTER_AREA), np.uint8)


def groups(hashes: Hashes, looks: Pixels, order: Sequence[int], distance: int) -> dict[int, list[tuple[int, int]]]:
    """The pictures that look like a better one, by the number of that one, each with the bits in which they differ.

    None is in two groups, and each looks like the one that its group is named by.

    Args:
        hashes: of each picture (N,).
        looks: small copies of them (N, 24, 24, 3).
        order: their numbers, the best first.
        distance: in how many bits they may differ.
    """
    values, numbers = np.unique(np.asarray(hashes, np.uint64), return_inverse=True)
    near: dict[int, list[tuple[int, int]]] = {i: [(i, 0)] for i in range(len(values))}
    for a, b, bits in pairs(values, distance).tolist():
        near[a].append((b, bits))
        near[b].append((a, bits))
    kept: dict[int, list[int]] = {}
    found: dict[int, list[tuple[int, int]]] = {}
    for i in order:
        number = int(numbers.ravel()[i])
        candidates = [(bits, k) for other, bits in near[number] for k in kept.get(other, ())]
        same = alike(looks[i], looks[[k for _, k in candidates]])
        if same.any():
            bits, best = min(c for c, is_same in zip(candidates, same, strict=True) if is_same)
            found.setdefault(best, []).append((i, bits))
        else:
            kept.setdefault(number, []).append(i)
    return found


def alike(one: Pixels, others: Pixels) -> NDArray[np.bool_]:
    """Whether small copies (N, 24, 24, 3) show the same as one of them, whatever their brightness and contrast."""
    a, b = _centred(one[None])[0], _centred(others)
    lengths, length = np.linalg.norm(b, axis=1), np.linalg.norm(a)
    same = b @ a >= ALIKE * lengths * length
    even = np.minimum(lengths, length) < EVEN * np.sqrt(
        a.size
    )  # no contrast to speak of: only the same colour is alike
    close = np.abs(others.astype(np.float32) - one).reshape(len(others), a.size).mean(1) < EVEN
    return np.where(even, close, same)


def _centred(looks: Pixels) -> NDArray[np.float32]:
    values = looks.reshape(len(looks), LOOK * LOOK * 3).astype(np.float32)
    return values - values.mean(1, keepdims=True)


def pairs(values: Hashes, distance: int) -> Pairs:
    """All pairs of different hashes that differ in at most `distance` bits, without comparing each with each.

    Args:
        values: no two are the same.
        distance: at most `FARTHEST`.
    """
    found = np.concatenate([np.zeros((0, 3), np.int64), *_between(values, distance)])
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _between(values: Hashes, distance: int) -> Iterator[Pairs]:
    """The pairs of different hashes, each once, in blocks."""
    parts = np.stack([_part(values, k) for k in range(PARTS)])
    for k, part in enumerate(parts):
        order = np.argsort(part, kind="stable")
        ends = np.searchsorted(part[order], np.arange(2**16 + 1))
        for mask in _masks(distance // PARTS):
            others = part ^ mask
            for left, right in _candidates(others, order, ends):
                bits = bits_set(values[left] ^ values[right])
                chosen = bits <= distance
                for earlier in parts[:k]:  # found by one of these already?
                    near = _BYTE_BITS[(earlier[left] ^ earlier[right]).view(np.uint8)].reshape(-1, 2).sum(1)
                    chosen &= near > distance // PARTS
                yield np.stack([left, right, bits], 1)[chosen]


def _part(values: Hashes, k: int) -> NDArray[np.uint16]:
    """Every fourth bit of each hash, from the k-th on: so each part has bits of all frequencies."""
    result = np.zeros(len(values), np.uint16)
    for i in range(BITS // PARTS):
        bit = (values >> np.uint64(i * PARTS + k)) & np.uint64(1)
        result |= (bit << np.uint64(i)).astype(np.uint16)
    return result


def _masks(most: int) -> list[np.uint16]:
    """All numbers of 16 bits of which at most so many are set."""
    return [
        np.uint16(sum(1 << i for i in places)) for count in range(most + 1) for places in combinations(range(16), count)
    ]


def _candidates(
    wanted: NDArray[np.uint16], order: NDArray[np.int64], ends: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of a hash and each later one whose part is the wanted one, some at a time.

    Args:
        wanted: for each hash the value of the part.
        order: the hashes, sorted by that part.
        ends: where in that order each value of the part begins.
    """
    starts, counts = ends[wanted], ends[wanted.astype(np.int64) + 1] - ends[wanted]
    sums = np.cumsum(counts)
    first = 0
    while first < len(wanted):
        last = max(int(np.searchsorted(sums, (sums[first - 1] if first else 0) + BLOCK, side="right")), first + 1)
        count = counts[first:last]
        left = np.repeat(np.arange(first, last), count)
        place = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
        right = order[np.repeat(starts[first:last], count) + place]
        later = right > left
        yield left[later], right[later]
        first = last


def bits_set(values: Hashes) -> NDArray[np.int64]:
    """How many bits are set in each."""
    return _BYTE_BITS[values.view(np.uint8)].reshape(-1, 8).sum(1, dtype=np.int64)
