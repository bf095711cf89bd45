"""Edges and pixels joined into strokes: chained, smoothed, cut where they are hidden.

Shapes: S segments, N nodes, P points of all paths, path after path; `starts` says where each path begins in them, and
last where the last one ends.
"""

import numpy as np
from numpy.typing import NDArray

from .character import Floats, Numbers
from .compiled import compiled

STRAIGHT = -0.5
"""Where more than two segments meet, two are one line if the cosine between them is below this: turns below 60°."""
SHARP, EVEN = 0.6, 0.98
"""Cosines: a corner turns by more than 53°, what leads to it and away by less than 11°."""
ROOM = 16
"""Where more segments than this meet, the rest begin lines of their own."""


@compiled
def chained(segments: Numbers, kinds: Numbers, places: Floats) -> tuple[Numbers, Numbers, Numbers]:
    """Paths as nodes one after the other, where each begins, and the first segment of each path.

    A line goes on where two segments of a kind meet, and over a crossing to the straightest continuation; each segment
    is in one path; a ring ends with the node it begins with.

    Args:
        segments: (S, 2), nodes.
        kinds: (S,), only segments of a kind are joined.
        places: of the nodes, (N, 2) in the picture.
    """
    count = len(segments)
    next_half = _partners(segments, kinds, places)
    used = np.zeros(count, np.bool_)
    order, starts, firsts = np.empty(2 * count, np.int32), np.zeros(count + 1, np.int32), np.empty(count, np.int32)
    size, paths = 0, 0
    for ring in range(2):  # open lines from their ends first, then what is left: rings
        for first in range(2 * count):
            if used[first // 2] or (ring == 0 and next_half[first] >= 0):
                continue
            half = first
            firsts[paths] = half // 2
            order[size] = segments[half // 2, half % 2]
            size += 1
            while half >= 0 and not used[half // 2]:
                used[half // 2] = True
                far = half ^ 1
                order[size] = segments[far // 2, far % 2]
                size += 1
                half = next_half[far]
            paths += 1
            starts[paths] = size
    return order[:size], starts[: paths + 1], firsts[:paths]


@compiled
def _partners(segments: Numbers, kinds: Numbers, places: Floats) -> Numbers:
    """The end of another segment at which each end of a segment goes on, (2 S,); -1 if the line ends there.

    End 0 of segment s is number 2 s, its end 1 is number 2 s + 1.
    """
    count = len(segments)
    flat = segments.ravel()
    order = np.argsort(flat, kind="mergesort")
    partners = np.full(2 * count, -1, np.int32)
    begin = 0
    while begin < 2 * count:
        end = begin
        while end < 2 * count and flat[order[end]] == flat[order[begin]]:
            end += 1
        if end - begin == 2:
            a, b = order[begin], order[begin + 1]
            if kinds[a // 2] == kinds[b // 2] and a // 2 != b // 2:
                partners[a], partners[b] = b, a
        elif end - begin > 2:
            _pair(order[begin : min(end, begin + ROOM)], segments, kinds, places, partners)
        begin = end
    return partners


@compiled
def _pair(halves: NDArray[np.int64], segments: Numbers, kinds: Numbers, places: Floats, partners: Numbers) -> None:
    """Joins the ends that meet at a node, the straightest pair first."""
    count = len(halves)
    ways = np.empty((count, 2))
    for k in range(count):
        here, there = segments[halves[k] // 2, halves[k] % 2], segments[halves[k] // 2, 1 - halves[k] % 2]
        x, y = places[there, 0] - places[here, 0], places[there, 1] - places[here, 1]
        size = max(np.hypot(x, y), 1e-9)
        ways[k, 0], ways[k, 1] = x / size, y / size
    while True:
        best, left, right = STRAIGHT, -1, -1
        for i in range(count):
            for j in range(i):
                free = partners[halves[i]] < 0 and partners[halves[j]] < 0
                turn = ways[i, 0] * ways[j, 0] + ways[i, 1] * ways[j, 1]
                if free and kinds[halves[i] // 2] == kinds[halves[j] // 2] and turn < best:
                    best, left, right = turn, i, j
        if left < 0:
            return
        partners[halves[left]], partners[halves[right]] = halves[right], halves[left]


@compiled
def smoothed(points: Floats, starts: Numbers, times: int) -> Floats:
    """The points (P, 2) moved so often to the mean (1 2 1)/4 of their neighbourhoods.

    Ends stay, a ring has none; so do corners: sharp turns between two straight stretches.
    """
    found = points.copy()
    moves = np.ones(len(points))
    for path in range(len(starts) - 1):
        begin, end = starts[path], starts[path + 1]
        if end - begin < 3:
            continue
        ring = points[begin, 0] == points[end - 1, 0] and points[begin, 1] == points[end - 1, 1]
        last = end - begin - 1
        for k in range(begin + 1 - ring, end - 1):
            moves[k] = 0.0 if _corner(points[begin:end], k - begin, last, ring) else 1.0
        for _ in range(times):
            for axis in range(2):
                first, second, before = found[begin, axis], found[begin + 1, axis], found[begin, axis]
                for p in range(begin + 1, end - 1):
                    here = found[p, axis]
                    found[p, axis] += moves[p] * (0.25 * before - 0.5 * here + 0.25 * found[p + 1, axis])
                    before = here
                if ring:
                    found[begin, axis] += moves[begin] * (0.25 * before - 0.5 * first + 0.25 * second)
                    found[end - 1, axis] = found[begin, axis]
    return found


@compiled
def _corner(points: Floats, k: int, last: int, ring: bool) -> bool:
    """Whether a path turns sharply at point k, and neither at the point before nor at the one after.

    The path has points 0 to `last`; of a ring the last is the first.
    """
    if not ring and (k < 2 or k > last - 2):
        return False
    a, b, c = points[(k - 2) % last], points[(k - 1) % last], points[k]
    d, e = (points[(k + 1) % last], points[(k + 2) % last]) if ring else (points[k + 1], points[k + 2])
    return _cosine(b, c, d) < SHARP and _cosine(a, b, c) > EVEN and _cosine(c, d, e) > EVEN


@compiled
def _cosine(a: Floats, b: Floats, c: Floats) -> float:
    """Of the turn at b on the way from a to c."""
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]
    return (ux * vx + uy * vy) / max(np.hypot(ux, uy) * np.hypot(vx, vy), 1e-12)


@compiled
def cut(
    points: Floats, starts: Numbers, visible: NDArray[np.bool_], shortest: float
) -> tuple[Floats, Numbers, Numbers]:
    """The stretches of paths that are seen: their points, where each begins, and of which path it is.

    Args:
        points: of the paths, (P, 2).
        starts: where each path begins.
        visible: (P,), whether the piece from a point to the next is seen.
        shortest: gaps shorter than this are closed, then shorter stretches are left out.
    """
    found, size, count = np.empty((2 * len(points), 2)), 0, 0
    begins, paths = np.zeros(len(points) + 1, np.int32), np.empty(len(points), np.int32)
    for path in range(len(starts) - 1):
        begin, pieces = starts[path], starts[path + 1] - starts[path] - 1
        turned = _ring_start(points[begin : begin + pieces + 1], visible[begin : begin + pieces])
        order = np.empty(pieces + 1, np.int64)
        for k in range(pieces + 1):
            order[k] = begin + ((k + turned) % pieces if turned > 0 else k)
        kept = _without_gaps(points, order, visible, shortest)
        first = 0
        while first < pieces:
            last = first
            while last < pieces and kept[last] == kept[first]:
                last += 1
            if kept[first] and _length(points, order, first, last) >= shortest:
                for k in range(first, last + 1):
                    found[size] = points[order[k]]
                    size += 1
                paths[count] = path
                count += 1
                begins[count] = size
            first = last
    return found[:size], begins[: count + 1], paths[:count]


@compiled
def _ring_start(points: Floats, visible: NDArray[np.bool_]) -> int:
    """The first hidden piece of a ring after a seen one, where the ring can be opened; 0 for other paths."""
    if points[0, 0] != points[-1, 0] or points[0, 1] != points[-1, 1]:
        return 0
    for k in range(1, len(visible)):
        if visible[k - 1] and not visible[k]:
            return k
    return 0


@compiled
def _without_gaps(
    points: Floats, order: NDArray[np.int64], visible: NDArray[np.bool_], shortest: float
) -> NDArray[np.bool_]:
    """Which pieces of a path are seen once short hidden stretches between seen ones are seen too."""
    pieces = len(order) - 1
    kept = np.empty(pieces, np.bool_)
    for k in range(pieces):
        kept[k] = visible[order[k]]
    first = 0
    while first < pieces:
        last = first
        while last < pieces and kept[last] == kept[first]:
            last += 1
        if not kept[first] and first > 0 and last < pieces and _length(points, order, first, last) < shortest:
            kept[first:last] = True
        first = last
    return kept


@compiled
def _length(points: Floats, order: NDArray[np.int64], first: int, last: int) -> float:
    total = 0.0
    for k in range(first, last):
        a, b = points[order[k]], points[order[k + 1]]
        total += np.hypot(b[0] - a[0], b[1] - a[1])
    return total
