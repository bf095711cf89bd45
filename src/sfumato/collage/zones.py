"""Where a collage is to be: masks cleaned up, and the heads in them told apart.

Shapes: H W pixels of the photograph, h w of a part of it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data import faces
from ..image import Box, Pixels
from ..image.depth import to_8
from ..parsing import Parts
from .options import Options

Mask = NDArray[np.bool_]

SMALL = 0.01
"""Pieces and holes with less than this share of the largest piece are gone."""
SMOOTH = 0.012
"""Deviation of the blur that smooths the border, in sizes of the zone (the square root of its area)."""
WORK = 1024
"""Longest side of the copy on which a mask is cleaned up."""


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
    """Where the parts that `options` names are, cleaned up: (H, W); empty if there are none.

    Raises:
        OptionError: the parser knows no such part.
    """
    wanted = (options or Options()).parts
    return cleaned(parts.mask(wanted) if parts.soft is None else parts.shares(wanted) > 0.5)


def cleaned(mask: Mask) -> Mask:
    """The mask (H, W) without pieces and holes that are small against the whole, its border smoothed."""
    if not mask.any():
        return mask.copy()
    box = bounds(mask)
    inside = mask[box.slices]
    edge = round(3 * SMOOTH * max(inside.shape)) + 2
    scale = min(1.0, WORK / max(inside.shape))
    size = tuple(max(1, round(side * scale)) for side in inside.shape[::-1])
    copy = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    edge = round(edge * scale) + 1
    copy = cv2.copyMakeBorder(_whole(copy > 0.5).astype(np.float32), edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    copy = cv2.GaussianBlur(copy, (0, 0), max(SMOOTH * float(copy.sum()) ** 0.5, 0.3))
    smooth = cv2.resize(copy[edge:-edge, edge:-edge], inside.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    result = np.zeros_like(mask)
    result[box.slices] = smooth if smooth.any() else inside
    return result


def _whole(mask: Mask) -> Mask:
    """The mask without small pieces, small holes filled."""
    labels, areas = _pieces(mask)
    least = SMALL * areas.max(initial=0)
    mask = mask & ~np.isin(labels, np.flatnonzero(areas < least) + 1)
    labels, areas = _pieces(~mask)
    return np.asarray(mask | np.isin(labels, np.flatnonzero(areas < least) + 1), np.bool_)


def _pieces(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The number of the piece that each pixel is in, 0 for none, and the areas of those from 1 on."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return np.asarray(labels, np.int32), np.asarray(stats[1:, cv2.CC_STAT_AREA], np.int32)


def bounds(mask: Mask) -> Box:
    """The box of what is in a mask (H, W), which is not empty."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def heads(mask: Mask, pixels: Pixels) -> list[Head]:
    """A mask (H, W) as one for each head in it, the largest first; each of its pixels is in one of them.

    Pieces that do not hang together are apart, but for small ones beside a larger one. Where several faces are found in
    a piece, each pixel belongs to the nearest, by the faces' own sizes.

    Args:
        pixels: the photograph (H, W, 3), in which faces are looked for.
    """
    if not mask.any():
        return []
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    known = faces.detect(to_8(pixels)) if min(pixels.shape[:2]) >= 16 else []
    found: list[Head] = []
    for place in range(1, count):
        piece = labels == place
        box = bounds(piece)
        own = piece[box.slices]
        inside = [face for face in known if _holds(piece, face)]
        owners = _nearest(inside, box) if len(inside) > 1 else np.zeros(own.shape, np.int64)
        for number, face in enumerate(inside or [None]):
            part = own & (owners == number)
            if part.any():
                inner = bounds(part)
                at = Box(inner.top + box.top, inner.left + box.left, inner.bottom + box.top, inner.right + box.left)
                found.append(Head(box=at, mask=part[inner.slices], face=face))
    return sorted(found, key=lambda head: -int(head.mask.sum()))


def _holds(piece: Mask, face: faces.Face) -> bool:
    """Whether the middle of a face's five points lies in a piece."""
    x, y = np.mean(face.points, axis=0)
    height, width = piece.shape
    return 0 <= x < width and 0 <= y < height and bool(piece[int(y), int(x)])


def _nearest(known: list[faces.Face], box: Box) -> NDArray[np.int64]:
    """The place of the nearest face for each pixel of a box."""
    rows, columns = np.mgrid[box.slices].astype(np.float32)
    away = []
    for face in known:
        left, top, width, height = face.box
        away.append(np.hypot((columns - left - width / 2) / width, (rows - top - height / 2) / height))
    return np.asarray(np.argmin(away, axis=0), np.int64)


def frame(box: Box, padding: float) -> Box:
    """The square around a box with so much on each side, as a share of it; it may reach beyond the picture."""
    side = max(1, round(max(box.height, box.width) * (1 + 2 * padding)))
    top, left = (box.top + box.bottom - side) // 2, (box.left + box.right - side) // 2
    return Box(top, left, top + side, left + side)
