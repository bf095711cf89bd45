"""Where faces are, by YuNet through OpenCV: on copies of the picture that are resized, smoothed and turned.

Wu, Peng & Yu, YuNet: A Tiny Millisecond-level Face Detector, Machine Intelligence Research 2023,
doi:10.1007/s11633-023-1423-y.

The network was taught on photographs. It finds drawn faces, too, once their outlines are blurred away, and faces that
fill a picture where this is widened by its edge. Measured in docs/data.md.

Shapes: H W pixels, N faces. A row of faces is left, top, width, height, five points x y (the eye on the left of an
upright face, the other eye, the tip of the nose, both corners of the mouth in that order), score: 15 numbers.
"""

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..image.quiet import silenced

FILE = Path(__file__).parent.parent / "assets" / "yunet" / "yunet_n.onnx"
HINT = 0.3
"""Score from which on something is looked at, at all."""
SAME = 0.4
"""Two boxes show the same face if this share of their union is in both,"""
INSIDE = 0.6
"""or this share of the smaller one lies in the other."""
LEAST = 14
"""Pixels that a face needs on a copy to be found well."""
LARGEST = 1536
"""The largest copy."""
SHORTEST = 64
"""Sides of copies are at least so many pixels: of less OpenCV 4 gives random numbers."""

CLOSE = 192
"""Side of the copy on which a face is looked at by itself, in pixels;"""
AROUND = 2.2
"""it shows so many sides of the face's box,"""
CLOSE_BLUR = 2.0
"""smoothed by so many pixels."""
LEVEL_DEG = 5.0
"""Faces that are turned by less are not looked at by themselves."""
SETTLED_DEG = 3.0
"""A turn by less is the last one,"""
TURNS = 3
"""or so many."""

Pixels = NDArray[np.uint8]
Rows = NDArray[np.float64]


class Pass(NamedTuple):
    """A copy that is looked at."""

    side: int
    """Square root of its area, in pixels."""
    border: float = 0.0
    """Its edge is repeated outwards by this share of the side."""
    blur: float = 0.0
    """Standard deviation of the smoothing in pixels."""
    turned_deg: int = 0


PLAIN = (Pass(512), Pass(256, border=0.25))
SMOOTHED = (Pass(512, border=0.25, blur=3.0), Pass(256, border=0.25, blur=2.6))
TURNED = (Pass(384, border=0.25, turned_deg=-30), Pass(384, border=0.25, turned_deg=30))
"""Looked at only where all others show nothing."""


def find(pixels: Pixels, *, score: float, smallest: float, drawn: bool) -> Rows:
    """The faces of a picture (H, W, 3), best first: (N, 15) in its own pixels.

    Args:
        score: from which on something counts as a face.
        smallest: shorter side of the smallest box that counts, in pixels.
        drawn: whether smoothed and turned copies are looked at, too.
    """
    passes = [*PLAIN, *(SMOOTHED if drawn else ())]
    side = math.sqrt(pixels.shape[0] * pixels.shape[1])
    finest = min(round(side * LEAST / max(smallest, 1)), LARGEST)
    if finest > PLAIN[0].side * 1.2:
        passes.insert(0, Pass(finest))
    pixels, scale = _resized(pixels, max(copy.side for copy in passes), enlarges=False)
    rows = np.concatenate([_look(pixels, copy) for copy in passes])
    if drawn and not (rows[:, 14] >= score).any():
        rows = np.concatenate([rows, *(_look(pixels, copy) for copy in TURNED)])
    rows = fuse(rows)
    rows = settle(pixels, rows[rows[:, 14] >= score])
    rows[:, :14] /= scale
    return rows[rows[:, 2:4].min(1) >= smallest]


def settle(pixels: Pixels, rows: Rows) -> Rows:
    """The same faces, those that are turned looked at once more, each by itself and upright.

    The network takes turned faces for less turned than they are. A box is then that of the upright face, at its place.
    """
    rows = rows.copy()
    for row in rows:
        for _ in range(TURNS):
            before = tilt(row[4:14].reshape(5, 2))
            found = _close(pixels, row, before) if abs(before) > LEVEL_DEG else None
            if found is None:
                break
            row[:14] = found[:14]
            if abs(tilt(row[4:14].reshape(5, 2)) - before) < SETTLED_DEG:
                break
    return rows


def _close(pixels: Pixels, row: Rows, angle_deg: float) -> Rows | None:
    """A face on a copy of its surroundings, where it is turned upright by the angle; None if it is not seen there.

    The mean of what is seen there and in a mirror: alone, each is off to one side.
    """
    middle = row[:2] + row[2:4] / 2
    scale = CLOSE / AROUND / row[2:4].max()
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle_deg, scale)
    turn[:, 2] = turn[:, 2] + CLOSE / 2 - middle
    upright = cv2.warpAffine(pixels, turn, (CLOSE, CLOSE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    upright = cv2.GaussianBlur(upright, (0, 0), CLOSE_BLUR)
    expected = np.array([*((CLOSE - row[2:4] * scale) / 2), *(row[2:4] * scale)])
    seen = [_detect(np.asarray(upright, np.uint8)), _mirrored(_detect(np.asarray(upright[:, ::-1], np.uint8)))]
    best = []
    for rows in seen:
        near = rows[_overlap(expected, rows)[0] > SAME]
        if len(near):
            best.append(near[near[:, 14].argmax()])
    return _back(np.mean(best, axis=0)[None], turn)[0] if best else None


def _mirrored(rows: Rows) -> Rows:
    """Faces on a mirrored copy at their places before: left and right change in numbers and in names."""
    rows = rows.copy()
    rows[:, 0] = CLOSE - rows[:, 0] - rows[:, 2]
    rows[:, 4:14:2] = CLOSE - rows[:, 4:14:2]
    rows[:, 4:14] = rows[:, [6, 7, 4, 5, 8, 9, 12, 13, 10, 11]]
    return rows


def fuse(rows: Rows) -> Rows:
    """One row for each face, best first: the mean of those that show it, weighted by their scores, with the best score.

    Args:
        rows: what was found on all copies (N, 15).
    """
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    faces = []
    while len(rows):
        union, part = _overlap(rows[0], rows)
        same = union > SAME
        same[0] = True
        face = np.average(rows[same], axis=0, weights=rows[same, 14])
        face[14] = rows[0, 14]
        faces.append(face)
        rows = rows[~(same | (part > INSIDE))]
    return np.array(faces).reshape(-1, 15)


def _overlap(one: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """What one box shares with others: as a part of their union, and of the smaller one."""
    ends = np.minimum(one[:2] + one[2:4], rows[:, :2] + rows[:, 2:4])
    shared = (ends - np.maximum(one[:2], rows[:, :2])).clip(0).prod(1)
    area, areas = one[2:4].prod(), rows[:, 2:4].prod(1)
    return shared / (area + areas - shared), shared / np.minimum(area, areas)


def _look(pixels: Pixels, copy: Pass) -> Rows:
    """What is found on one copy, in the picture's own pixels."""
    small, scale = _resized(pixels, copy.side)
    if copy.blur:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), copy.blur), np.uint8)
    edge = round(copy.side * copy.border)
    if edge:
        small = np.asarray(cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REPLICATE), np.uint8)
    turn = cv2.getRotationMatrix2D((small.shape[1] / 2, small.shape[0] / 2), copy.turned_deg, 1.0)
    if copy.turned_deg:
        small = np.asarray(cv2.warpAffine(small, turn, small.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)
    rows = _back(_detect(small), turn)
    rows[:, [0, 1, *range(4, 14)]] -= edge
    rows[:, :14] /= scale
    return rows


def _back(rows: Rows, turn: NDArray[Any]) -> Rows:
    """Faces of a picture that was turned and scaled by a matrix (2, 3) at their places before; boxes stay upright."""
    places = rows[:, :14].reshape(-1, 7, 2)  # (N, 7, 2): corner, size, five points
    places[:, 0] += places[:, 1] / 2
    places = np.delete(places, 1, axis=1)
    places = (places - turn[:, 2]) @ np.linalg.inv(turn[:, :2]).T
    size = rows[:, 2:4] / np.sqrt(np.linalg.det(turn[:, :2]))
    return np.concatenate([places[:, 0] - size / 2, size, places[:, 1:].reshape(-1, 10), rows[:, 14:]], axis=1)


def _resized(pixels: Pixels, side: float, *, enlarges: bool = True) -> tuple[Pixels, float]:
    """A copy whose area is the square of `side`, and its scale; strips are kept from becoming endless."""
    height, width = pixels.shape[:2]
    scale = min(side / math.sqrt(height * width), 4 * side / max(height, width))
    if scale >= 1 and not enlarges:
        return pixels, 1.0
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=kind), np.uint8), scale


class _Own(threading.local):
    """The detector of each thread: it keeps what it works on."""

    network: Any = None


_own = _Own()


def _detect(pixels: Pixels) -> Rows:
    below, right = (max(SHORTEST - side, 0) for side in pixels.shape[:2])
    if below or right:
        pixels = np.asarray(cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
    height, width = pixels.shape[:2]
    if _own.network is None:
        file, nothing = np.fromfile(FILE, np.uint8), np.empty(0, np.uint8)
        with silenced:  # OpenCV 5 tells that it chooses a device by itself
            _own.network = cv2.FaceDetectorYN.create("onnx", file, nothing, (width, height), HINT, SAME)
    _own.network.setInputSize((width, height))
    rows = _own.network.detect(np.ascontiguousarray(pixels[..., ::-1]))[1]  # blue first
    return np.empty((0, 15)) if rows is None else np.asarray(rows, np.float64)


def tilt(points: Sequence[tuple[float, float]] | Rows) -> float:
    """By how many degrees a face is turned clockwise; of profiles, whose eyes are close, the mouth tells, too.

    Args:
        points: the five of a face.
    """
    spots = np.array(points)
    across, down = spots[1] - spots[0], (spots[3] + spots[4] - spots[0] - spots[1]) / 2
    if np.hypot(*across) < np.hypot(*down) / 2:
        across = across + (down[1], -down[0])
    return math.degrees(math.atan2(across[1], across[0]))
