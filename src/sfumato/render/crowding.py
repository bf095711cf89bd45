"""Lines that crowd: where two run beside each other without white between them, the one that says less is left out.

As artists do with the fingers of a small hand: its outline stays, and of the lines within it as many as there is room
for. Density of lines as a limit: Wilson & Ma, Rendering Complexity in Computer-Generated Pen-and-Ink Illustrations,
NPAR 2004.
# Differs from the paper: no outline is ever left out, and lines are judged one after the other against those drawn so
# far, because labels of the set are read off the outline.

Shapes: P points of all strokes, stroke after stroke, h w samples of the z-buffer, two to a pixel each way.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .chains import cut
from .character import Floats, Numbers
from .compiled import compiled
from .frame import Settings, Singles, Stroke
from .scene import FINE

PARALLEL = 0.77
"""Two lines run beside each other if the cosine between them is above this: within 40 degrees."""
ROUND = 3.0
"""Of one line places at least so many times the least distance from each other, along it, can crowd."""
LOOK = 3
"""Samples around a line in which what it separates is looked for."""
MOST_M = 1.0
"""A step in depth beyond this counts as this."""


def uncrowded(strokes: Sequence[Stroke], nearest: Floats, size: tuple[int, int], settings: Settings) -> list[Stroke]:
    """The strokes without what crowds.

    Against the ground and at borders all is kept. Else the lines are drawn in the order of the steps in depth at them,
    a limb on a body before a finger on a finger, and each leaves out where it runs beside one that is there: nearer to
    it than a line's width and `gap_px`.

    Args:
        strokes: all of a picture that are found on meshes.
        nearest: (h, w), 1/z of what is nearest; 0 where nothing is.
        size: width and height of the picture.
        settings: how the lines are drawn.
    """
    if not strokes:
        return []
    points = np.concatenate([stroke.points for stroke in strokes])
    starts = np.cumsum([0] + [len(stroke.points) for stroke in strokes]).astype(np.int32)
    steps = _steps(points * FINE, starts, nearest)
    inner = np.where(np.isfinite(steps), steps, 0)
    weights = np.add.reduceat(inner, starts[:-1]) / np.maximum(np.add.reduceat(inner > 0, starts[:-1], dtype=int), 1)
    order = np.argsort(-weights, kind="stable").astype(np.int32)
    borders = np.array([stroke.kind == "border" for stroke in strokes])
    fixed = np.isinf(steps) | np.repeat(borders, np.diff(starts))
    kept = _kept(points, starts, order, fixed, settings.line_width + settings.gap_px, size)
    path, begins, origins = cut(points, starts, kept, 0.0)
    pieces = (path[a:b] for a, b in zip(begins[:-1], begins[1:], strict=True))
    return [
        Stroke(points=piece, kind=strokes[k].kind, figure=strokes[k].figure)
        for piece, k in zip(pieces, origins, strict=True)
    ]


@compiled
def _steps(points: Floats, starts: Numbers, nearest: Floats) -> Floats:
    """How far what is farthest around each piece lies behind what is nearest there (P,), in metres.

    A piece is from a point to the next; inf where it ends at nothing; 0 for the last points of strokes.
    """
    height, width = nearest.shape
    found = np.zeros(len(points))
    for stroke in range(len(starts) - 1):
        for p in range(starts[stroke], starts[stroke + 1] - 1):
            x = int(np.floor((points[p, 0] + points[p + 1, 0]) / 2))
            y = int(np.floor((points[p, 1] + points[p + 1, 1]) / 2))
            least, most = np.inf, 0.0
            for row in range(max(y - LOOK, 0), min(y + LOOK + 1, height)):
                for column in range(max(x - LOOK, 0), min(x + LOOK + 1, width)):
                    least, most = min(least, nearest[row, column]), max(most, nearest[row, column])
            if least <= 0 or most <= 0:
                found[p] = np.inf
            else:
                found[p] = min(1 / least - 1 / most, MOST_M)
    return found


@compiled
def _kept(
    points: Floats, starts: Numbers, order: Numbers, fixed: NDArray[np.bool_], apart: float, size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Which pieces are drawn (P,).

    Args:
        points: of the strokes, (P, 2) in pixels.
        starts: where each stroke begins.
        order: the strokes, those to be drawn first before others.
        fixed: (P,), pieces that are drawn whatever is beside them; all of them come first.
        apart: least distance between the middles of lines beside each other.
        size: width and height of the picture.
    """
    cell = max(apart / 2, 0.75)
    marks = np.zeros((int(size[1] / cell) + 1, int(size[0] / cell) + 1, 6), np.float32)
    pieces, kept = _pieces(points, starts), fixed.copy()
    for stroke in range(len(starts) - 1):
        _mark(pieces, kept, stroke, starts[stroke], starts[stroke + 1] - 1, cell, marks)
    for stroke in order:
        begin, end = starts[stroke], starts[stroke + 1] - 1
        for p in range(begin, end):
            if not fixed[p] and not _crowded(pieces[p], stroke, apart, cell, marks):
                kept[p] = True
                _mark(pieces, kept, stroke, p, p + 1, cell, marks)
        _settle(kept, fixed, pieces[:, 4], begin, end, apart)
        _mark(pieces, kept, stroke, begin, end, cell, marks)
    return kept


@compiled
def _pieces(points: Floats, starts: Numbers) -> Floats:
    """Of each piece (P, 6): its middle, its direction, its length, and how far along the stroke it begins."""
    found = np.zeros((len(points), 6))
    for stroke in range(len(starts) - 1):
        along = 0.0
        for p in range(starts[stroke], starts[stroke + 1] - 1):
            x, y = points[p + 1, 0] - points[p, 0], points[p + 1, 1] - points[p, 1]
            length = np.hypot(x, y)
            found[p, 0], found[p, 1] = points[p, 0] + x / 2, points[p, 1] + y / 2
            found[p, 2], found[p, 3] = x / max(length, 1e-12), y / max(length, 1e-12)
            found[p, 4], found[p, 5] = length, along
            along += length
    return found


@compiled
def _mark(
    pieces: Floats, kept: NDArray[np.bool_], stroke: int, begin: int, end: int, cell: float, marks: Singles
) -> None:
    """Writes what is kept of the pieces from begin to end into the cells of `marks` that are free: (rows, columns, 6).

    A cell has the stroke's number and one, a place and a direction, and how far along the stroke that is.
    """
    for p in range(begin, end):
        x, y, ux, uy, length, along = pieces[p]
        if not kept[p] or length == 0:
            continue
        count = int(length / cell) + 1
        for k in range(count):
            part = (k + 0.5) * length / count
            px, py = x + (part - length / 2) * ux, y + (part - length / 2) * uy
            row, column = int(np.floor(py / cell)), int(np.floor(px / cell))
            if 0 <= row < marks.shape[0] and 0 <= column < marks.shape[1] and marks[row, column, 0] == 0:
                mark = marks[row, column]
                mark[0], mark[1], mark[2], mark[3], mark[4], mark[5] = stroke + 1, px, py, ux, uy, along + part


@compiled
def _crowded(piece: Floats, stroke: int, apart: float, cell: float, marks: Singles) -> bool:
    """Whether a piece runs beside a line that is there."""
    x, y, ux, uy, length, along = piece
    reach = int(np.ceil(apart / cell))
    row, column = int(np.floor(y / cell)), int(np.floor(x / cell))
    for r in range(max(row - reach, 0), min(row + reach + 1, marks.shape[0])):
        for c in range(max(column - reach, 0), min(column + reach + 1, marks.shape[1])):
            mark = marks[r, c]
            if mark[0] == 0 or (mark[0] == stroke + 1 and abs(along + length / 2 - mark[5]) < ROUND * apart):
                continue
            dx, dy = x - mark[1], y - mark[2]
            near = dx * dx + dy * dy < apart * apart
            if (
                near
                and 2 * abs(dx * mark[3] + dy * mark[4]) <= max(apart, cell)
                and (abs(ux * mark[3] + uy * mark[4]) > PARALLEL)
            ):
                return True
    return False


@compiled
def _settle(
    kept: NDArray[np.bool_], fixed: NDArray[np.bool_], lengths: Floats, begin: int, end: int, apart: float
) -> None:
    """Drops what is left of a stroke in bits, then takes back short gaps; both in place.

    Lines that meet at an angle are beside each other for a little: there they stay joined.
    """
    for wanted, longest in ((True, apart), (False, 2 * apart)):
        first = begin
        while first < end:
            last, total, free = first, 0.0, True
            while last < end and kept[last] == kept[first]:
                total += lengths[last]
                free &= not fixed[last]
                last += 1
            whole = first == begin and last == end
            if kept[first] == wanted and free and not whole and total < longest:
                kept[first:last] = not wanted
            first = last
