"""Lines one pixel wide drawn anew by a pen: traced, smoothed, and drawn at any size with soft borders.

Shapes: H W pixels, N points of a path as (x, y).
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .strokes import Lines, Strength

Path = NDArray[np.float32]
"""(N, 2), the middles of pixels."""

TAIL = 5
"""The last points of a path tell where it was going,"""
AHEAD = 0.7
"""and what lies off that way by less than the angle of this cosine is ahead."""
FINE = 3
"""The canvas is so many times finer than the result, as long as that is below"""
LARGEST = 3000
"""this side in pixels; above, once."""


def traced(lines: Lines) -> list[Path]:
    """The paths that lines one pixel wide are made of, from end or fork to end or fork, then closed ones."""
    left = {(int(x), int(y)) for y, x in np.argwhere(lines)}
    around = {p: [q for q in _near(p) if q in left] for p in left}
    paths: list[Path] = []
    used: set[frozenset[tuple[int, int]]] = set()
    forks = [p for p, near in around.items() if len(near) != 2]
    for start in [*forks, *around]:
        ways = (_walk(start, first, around, used) for first in around[start] if frozenset((start, first)) not in used)
        paths += [np.array(list(way), np.float32) for way in ways]
    return paths


def _near(p: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The neighbours of a pixel, those that share a side first."""
    x, y = p
    for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)):
        yield x + dx, y + dy


def _walk(
    start: tuple[int, int],
    first: tuple[int, int],
    around: dict[tuple[int, int], list[tuple[int, int]]],
    used: set[frozenset[tuple[int, int]]],
) -> Iterator[tuple[int, int]]:
    """The pixels from one on, until the way forks, ends or comes back."""
    yield start
    before, here = start, first
    while True:
        used.add(frozenset((before, here)))
        yield here
        near = around[here]
        if here == start or len(near) != 2:
            return
        ahead = near[0] if near[1] == before else near[1]
        if frozenset((here, ahead)) in used:
            return
        before, here = here, ahead


def joined(paths: Sequence[Path], lines: Lines, reach: int) -> list[Path]:
    """The paths, with those that end shortly before another line drawn on up to it.

    Args:
        lines: what the paths were traced from, (H, W).
        reach: how far an end looks ahead, in pixels; 0 does nothing.
    """
    padded = np.pad(lines, reach)
    grown = []
    for path in paths:
        open_ended = len(path) > TAIL and not (path[0] == path[-1]).all()
        for _ in range(2 if open_ended and reach else 0):
            path = path[::-1]
            if (ahead := _ahead(path, lines, padded, reach)) is not None:
                path = np.concatenate((path, ahead[None]))
        grown.append(path)
    return grown


def _ahead(path: Path, lines: Lines, padded: Lines, reach: int) -> Path | None:
    """The nearest point (2,) of a line that lies ahead of the path's end; None if that is no end, or nothing does."""
    x, y = (int(v) for v in path[-1])
    if lines[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].sum() != 2:
        return None
    found = np.argwhere(padded[y : y + 2 * reach + 1, x : x + 2 * reach + 1])[:, ::-1] - reach  # from the end on
    way = path[-1] - path[-TAIL]
    along, far = found @ way / np.linalg.norm(way), np.hypot(*found.T)
    fits = (far <= reach) & (along > AHEAD * far) & (far > 0)
    return (path[-1] + found[fits][far[fits].argmin()]).astype(np.float32) if fits.any() else None


def smooth_path(path: Path, times: int) -> Path:
    """The path with its points moved to the mean of their neighbourhoods so many times; ends stay, a ring has none."""
    ring = len(path) > 3 and bool((path[0] == path[-1]).all())
    for _ in range(times if len(path) > 2 else 0):
        inner = 0.25 * path[:-2] + 0.5 * path[1:-1] + 0.25 * path[2:]
        end = 0.25 * path[-2:-1] + 0.5 * path[:1] + 0.25 * path[1:2] if ring else path[:1]
        path = np.concatenate((end, inner, end if ring else path[-1:]))
    return path


def darkness(paths: Sequence[Path], strength: Strength) -> list[float]:
    """How dark to draw each path, in [0, 1]: by the mean strength below it, never too faint to be seen."""
    means = [float(strength[p[:, 1].astype(int), p[:, 0].astype(int)].mean()) for p in paths]
    return [0.35 + 0.65 * min(1.0, mean / 0.6) for mean in means]


def drawn(
    paths: Sequence[Path], size: tuple[int, int], scale: tuple[float, float], width: float, dark: Sequence[float]
) -> NDArray[np.uint8]:
    """Paths in black on white paper, (H, W).

    Args:
        paths: what to draw.
        size: height and width of the paper.
        scale: pixels of the paper for one of the paths, down and across.
        width: of a line in pixels of the paper.
        dark: of each path, 1 is black.
    """
    fine = FINE if max(size) <= LARGEST else 1
    paper = np.full((size[0] * fine, size[1] * fine), 255, np.uint8)
    factor = np.array([scale[1], scale[0]], np.float32) * fine
    thick = max(1, round(width * fine))
    for ink, path in sorted(zip(dark, paths, strict=True), key=lambda pair: pair[0]):
        points = np.rint(((path + 0.5) * factor - 0.5) * 16).astype(np.int32)
        value = round(255 * (1 - ink))
        cv2.polylines(paper, [points], False, value, thick, cv2.LINE_AA, shift=4)
    if fine > 1:
        paper = np.asarray(cv2.resize(paper, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    return paper
