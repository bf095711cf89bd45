"""Where a collage is to be, and the heads in it told apart.

Shapes: H W pixels of the photograph, h w of a part of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data import faces
from ..image import Box, Pixels
from ..image.depth import to_8
from ..parsing import Parts, tidied
from .options import Options

Mask = NDArray[np.bool_]

APART = 16
"""So many pieces are apart, and all smaller ones with the last of them;"""
SPECK = 25
"""one that is so many times smaller than another"""
BESIDE = 0.11
"""and lies within so many sizes of its box is a speck of that."""
NEAR = 1.0
"""A piece without a face belongs to one whose middle is within so many of that face's sizes of the piece's own."""
LEAST = 16
"""Pixels that a side needs for a face to be looked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """What hangs together in a mask."""

    box: Box
    """Where it is in the photograph."""
    mask: Mask
    """(h, w), its pixels in that box."""
    size: float
    """Square root of its area in pixels, without specks."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """A part of a zone that is drawn by itself."""

    box: Box
    """Where it is in the photograph."""
    mask: Mask
    """(h, w), its pixels in that box."""
    face: faces.Face | None
    """The face in it, if one was found."""


def zone(parts: Parts, options: Options | None = None) -> Mask:
    """Where the parts that `options` names count as found, `parsing.tidied`: (H, W); empty if none does.

    Raises:
        OptionError: the parser knows no such part.
    """
    return tidied(parts).mask((options or Options()).parts)


def bounds(mask: Mask) -> Box:
    """The box of what is in a mask (H, W), which is not empty."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def pieces(mask: Mask) -> Iterator[Piece]:
    """The pieces of a mask (H, W) that do not hang together, the largest first; specks with what they lie beside."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    ends = np.column_stack((stats[:, :2], stats[:, :2] + stats[:, 2:4]))  # left, top, right, bottom
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    left = np.arange(1, count)[np.argsort(-areas[1:], kind="stable")]
    for number in range(APART):
        if not len(left):
            return
        size = float(areas[left[0]]) ** 0.5
        low, high = ends[left[0], :2] - BESIDE * size, ends[left[0], 2:] + BESIDE * size
        near = (ends[left, 2:] > low).all(1) & (ends[left, :2] < high).all(1)
        joined = (near & (areas[left] * SPECK <= areas[left[0]])) | (left == left[0]) | (number == APART - 1)
        own, left = left[joined], left[~joined]
        (x, y), (right, bottom) = ends[own, :2].min(0), ends[own, 2:].max(0)
        box = Box(int(y), int(x), int(bottom), int(right))
        yield Piece(box=box, mask=np.isin(labels[box.slices], own), size=size)


def heads(mask: Mask, pixels: Pixels, known: Sequence[faces.Face] | None = None) -> list[Head]:
    """A mask (H, W) as one for each head in it, the largest first; each of its pixels is in one of them.

    Pieces that do not hang together are apart, unless they lie about the same face, as hair does on both sides of it.
    Where several faces are found in a piece, each pixel belongs to the nearest, by the faces' own sizes.

    Args:
        pixels: the photograph (H, W, 3), in which faces are looked for if they are not known.
        known: its faces; those count of which `faces.detect` is sure.
    """
    if not mask.any():
        return []
    if known is None:
        known = faces.detect(to_8(pixels)) if min(pixels.shape[:2]) >= LEAST else []
    known = [face for face in known if face.score >= faces.Options.score]
    found: list[Head] = []
    for piece in pieces(mask):
        inside = [face for face in known if _holds(piece, face)] or _beside(piece, known)
        owners = _nearest(inside, piece.box)
        for number, face in enumerate(inside or [None]):
            part = piece.mask & (owners == number)
            if part.any():
                inner = bounds(part)
                top, left = inner.top + piece.box.top, inner.left + piece.box.left
                box = Box(top, left, top + inner.height, left + inner.width)
                found.append(Head(box=box, mask=part[inner.slices], face=face))
    return sorted(_joined(found), key=lambda head: -int(head.mask.sum()))


def _joined(found: Sequence[Head]) -> list[Head]:
    """The heads, those of one face as one."""
    alone = [head for head in found if head.face is None]
    for face in dict.fromkeys(head.face for head in found if head.face is not None):
        own = [head for head in found if head.face is face]
        edges = np.array([[*head.box] for head in own])
        (top, left), (bottom, right) = edges[:, :2].min(0).tolist(), edges[:, 2:].max(0).tolist()
        mask = np.zeros((bottom - top, right - left), np.bool_)
        for head in own:
            box = Box(head.box.top - top, head.box.left - left, head.box.bottom - top, head.box.right - left)
            mask[box.slices] |= head.mask
        alone.append(Head(box=Box(top, left, bottom, right), mask=mask, face=face))
    return alone


def _beside(piece: Piece, known: Sequence[faces.Face]) -> list[faces.Face]:
    """The face that a piece without one lies about; none if there is no such face."""
    x, y = (piece.box.left + piece.box.right) / 2, (piece.box.top + piece.box.bottom) / 2
    away = [float(_away(face, x, y)) for face in known]
    return [known[int(np.argmin(away))]] if min(away, default=np.inf) <= NEAR else []


def _holds(piece: Piece, face: faces.Face) -> bool:
    """Whether the middle of a face's five points lies in a piece."""
    x, y = (int(place) for place in np.mean(face.points, axis=0))
    box = piece.box
    within = box.left <= x < box.right and box.top <= y < box.bottom
    return within and bool(piece.mask[y - box.top, x - box.left])


def _nearest(known: Sequence[faces.Face], box: Box) -> NDArray[np.intp]:
    """The place of the nearest face for each pixel of a box, 0 if there is none."""
    if len(known) < 2:
        return np.zeros((box.height, box.width), np.intp)
    rows, columns = np.mgrid[box.slices].astype(np.float32) + 0.5  # a pixel's middle
    return np.asarray(np.argmin([_away(face, columns, rows) for face in known], axis=0), np.intp)


def _away(face: faces.Face, x: float | NDArray[np.float32], y: float | NDArray[np.float32]) -> NDArray[np.float32]:
    """How far places are from a face's middle, in its own sizes."""
    left, top, width, height = face.box
    return np.asarray(np.hypot((x - left - width / 2) / width, (y - top - height / 2) / height), np.float32)


def frame(box: Box, padding: float, height: int, width: int) -> Box:
    """The square around a box of a picture with so much on each side, as a share of it.

    It is moved to lie in the picture of `height` x `width` pixels; where that is too short, it ends with it.
    """
    side = max(1, round(max(box.height, box.width) * (1 + 2 * padding)))
    top, bottom = _along(box.top, box.bottom, side, height)
    left, right = _along(box.left, box.right, side, width)
    return Box(top, left, bottom, right)


def _along(first: int, last: int, side: int, length: int) -> tuple[int, int]:
    """Where so many pixels around a stretch begin and end, within a length."""
    side = min(side, length)
    begin = min(max((first + last - side) // 2, 0), length - side)
    return begin, begin + side
