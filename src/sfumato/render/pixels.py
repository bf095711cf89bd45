"""Lines that are found on the picture, not on the mesh: outlines of loose sheets, and where two things touch.

Shapes: H W pixels, h w samples, two to a pixel each way, N points.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data import strokes
from .chains import chained, smoothed
from .character import Floats, Numbers
from .compiled import compiled
from .frame import Bytes

_KERNEL = np.ones((3, 3), np.uint8)
RIM = 4
"""Samples around a sheet that are looked at too."""
SLACK = 1.005
"""What is nearer by less than this, as a share of its distance, does not hide a sheet: skin below hair."""
SMALL = 40
"""Outlines around, and holes of, fewer samples than this are left out."""


def traced(lines: NDArray[np.bool_], shortest: int, smooth: int) -> list[Floats]:
    """Lines a few pixels wide (H, W) as paths (N, 2) through the middles of their pixels.

    Args:
        lines: True on a line.
        shortest: pieces of fewer pixels are left out.
        smooth: how often paths are smoothed.
    """
    lines = strokes.without_small(strokes.thin(lines), shortest)
    numbers = np.full((lines.shape[0] + 2, lines.shape[1] + 2), -1, np.int32)
    rows, columns = np.nonzero(lines)
    if not len(rows):
        return []
    numbers[rows + 1, columns + 1] = np.arange(len(rows))
    segments = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = numbers[rows + 1 + down, columns + 1 + right]
        joined = other >= 0
        if down and right:  # no diagonal where the way along the sides is there
            joined &= (numbers[rows + 1, columns + 1 + right] < 0) & (numbers[rows + 1 + down, columns + 1] < 0)
        segments.append(np.stack((np.flatnonzero(joined), other[joined]), 1))
    places = np.stack((columns + 0.5, rows + 0.5), 1)
    joints = np.concatenate(segments).astype(np.int32)
    order, starts, _ = chained(joints, np.zeros(len(joints), np.int32), places)
    points = smoothed(places[order], starts, smooth)
    return [path for path in np.split(points, starts[1:-1]) if len(path) >= shortest]


def windows(ids: Numbers, things: Numbers, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, slice, slice]]:
    """Each thing that is wanted and shows, with the rows and columns in which it does, and a rim around.

    Args:
        ids: (h, w), the face at each sample; -1 where nothing is.
        things: (F + 1,), the component of each face; last of none, -1.
        wanted: (C,), by component.
    """
    if not wanted.any():
        return
    for thing, (top, bottom, left, right) in enumerate(_boxes(ids, things, wanted).tolist()):
        if bottom >= 0:
            yield (
                thing,
                slice(max(top - RIM, 0), bottom + RIM + 1),
                slice(max(left - RIM, 0), right + RIM + 1),
            )


@compiled
def _boxes(ids: Numbers, things: Numbers, wanted: NDArray[np.bool_]) -> Numbers:
    """First and last row, first and last column of each thing (C, 4) that is wanted; the last ones -1: shows nowhere.

    Arguments as those of `windows`.
    """
    found = np.empty((len(wanted), 4), np.int32)
    found[:, 0], found[:, 1], found[:, 2], found[:, 3] = ids.shape[0], -1, ids.shape[1], -1
    for row in range(ids.shape[0]):
        for column in range(ids.shape[1]):
            face = ids[row, column]
            if face >= 0 and wanted[things[face]]:
                box = found[things[face]]
                box[0], box[1] = min(box[0], row), row
                box[2], box[3] = min(box[2], column), max(box[3], column)
    return found


def outlines(sheet: NDArray[np.bool_], nearest: Floats, smooth: int) -> list[tuple[Floats, NDArray[np.bool_]]]:
    """Rings (N, 2), in samples, around where a loose sheet shows, and which of their pieces are its own outline (N,).

    What lies beyond the outline must not be nearer: where something hides the rest of the sheet, the line is that of
    the nearer thing.

    Args:
        sheet: (h, w), where it shows.
        nearest: (h, w), 1/z of what is nearest; 0 where nothing is.
        smooth: how often rings are smoothed.
    """
    rows, columns = (np.flatnonzero(sheet.any(axis)) for axis in (1, 0))
    if not len(rows):
        return []
    top, left = max(int(rows[0]) - RIM, 0), max(int(columns[0]) - RIM, 0)
    window = np.s_[top : rows[-1] + RIM + 1, left : columns[-1] + RIM + 1]
    sheet, nearest = sheet[window], nearest[window]
    solid = cv2.medianBlur(sheet.astype(np.uint8), 5)
    inside = np.where(sheet, nearest, np.inf).astype(np.float32)
    outside = np.where(sheet | (solid > 0), np.inf, nearest).astype(np.float32)
    wide = np.ones((5, 5), np.uint8)
    own = cv2.erode(outside, wide) / SLACK < cv2.erode(inside, wide)  # erode takes the least: the farthest 1/z
    found = []
    rings, _ = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for ring in rings:
        if cv2.contourArea(ring) < SMALL:
            continue
        pixels = ring[:, 0]
        closed = np.concatenate((pixels, pixels[:1]))
        points = smoothed(closed + np.array([left + 0.5, top + 0.5]), np.array([0, len(closed)], np.int32), smooth)
        found.append((points, own[closed[:, 1], closed[:, 0]]))
    return found


def contacts(things: Numbers, drawn: Bytes) -> NDArray[np.bool_]:
    """Where two components meet (H, W), and no line has been drawn: without a step in depth there is no silhouette.

    Args:
        things: (H, W), component there, of all figures; -1 where nothing is.
        drawn: (H, W), the ink so far.
    """
    found = np.zeros(things.shape, bool)
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        found[one] |= (things[one] >= 0) & (things[other] >= 0) & (things[one] != things[other])
    return found & ~near(drawn, 2)


def near(drawn: Bytes, pixels: int) -> NDArray[np.bool_]:
    """Where ink is, or is at most so many pixels away."""
    return np.asarray(cv2.dilate((drawn > 64).astype(np.uint8), _KERNEL, iterations=pixels) > 0)
