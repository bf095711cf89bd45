"""Where on a sheet something is drawn.

Shapes: h w pixels of the picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import PictureError

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Piece = tuple[int, int, int, int]
"""Left, top, right, bottom."""

SIDE = 512
"""Longest side at which ink is looked for, in pixels."""
FAINTEST = 10
"""How far from the paper around it the strongest ink must be, of 255, in some channel."""
NOISES = 6
"""The same, in standard deviations of the paper's grain."""
SHARE = 0.3
"""Of the strongest ink's strength, from which a pixel is ink."""
EDGE = 0.03
"""How wide the strip along the border is by whose colour paper is told, in sides."""
SHADE = 60
"""How far a pixel of that strip may be from its middle colour to be paper, of 255."""
ROUNDS = 5
"""Of the search for what is paper, on the strip and then on the sheet."""
COARSE = 96
"""Longest side at which paper is looked for."""
FEWEST = 30
"""Pixels that tell what paper is."""
NEAR = 16
"""How far a pixel may be from the paper's colour to be paper, of 255."""
GAP = 13
"""Strokes as near to each other belong together, in pixels of the small picture."""
APART = 0.1
"""Pieces as near to each other do, too, in longer sides of the larger one."""
SPECK = 8
"""Pieces of fewer pixels are dirt."""
MARGIN = 0.1
"""A piece that stays within this share of the sheet's border, and reaches along it, is a frame or a scanner's edge."""
LEVEL = 0.85
"""A level line over this share of the sheet is ground or ruling."""
SWERVE = 0.01
"""So far it may be from level, up and down, in heights of the sheet."""
THIN = 0.02
"""What crosses it and is higher than this share of the sheet stays."""


def figure_box(pixels: Pixels, name: str = "the picture") -> tuple[float, float, float, float]:
    """The box (left, top, width, height) of the largest thing drawn in a picture (h, w, 3).

    Ink is what has another colour than the sheet would have there, darker or lighter as most of it is, so that neither
    the paper's colour nor a shade across a photograph matters. Strokes near each other are one thing; what stands
    apart, as a signature, is not in the box, nor is a frame round the sheet or a line across all of it.

    Args:
        pixels: RGB, uint8.
        name: what to call the picture in the error.

    Raises:
        PictureError: nothing is drawn there.
    """
    height, width = pixels.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    pieces = _things(_ink(small))
    if not pieces:
        raise PictureError(f"{name}: nothing is drawn on it; give the figure's box (--box left,top,width,height)")
    left, top, right, bottom = max(pieces, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    x, y = width / size[0], height / size[1]
    return left * x, top * y, (right - left) * x, (bottom - top) * y


def _ink(small: Pixels) -> Mask:
    """Which pixels (h, w) of a picture (h, w, 3) are ink."""
    apart = small.astype(np.float32) - _paper(small)
    lighter, darker = apart.max(2), -apart.min(2)
    ends = [float(np.percentile(side, 99.8)) for side in (darker, lighter)]
    strength, strongest = (darker, ends[0]) if ends[0] >= ends[1] else (lighter, ends[1])
    faintest = max(FAINTEST, NOISES * _grain(small))
    if strongest < faintest:
        return np.zeros(strength.shape, np.bool_)
    return np.asarray(strength >= max(faintest * 0.8, SHARE * strongest))


def _grain(small: Pixels) -> float:
    """The standard deviation of what differs between neighbours on most of the sheet."""
    grey = small.astype(np.float32).mean(2)
    steps = np.concatenate((np.diff(grey, axis=0).ravel(), np.diff(grey, axis=1).ravel()))
    return float(np.median(np.abs(steps))) * 1.4826 / np.sqrt(2) if len(steps) else 0.0


def _paper(small: Pixels) -> NDArray[np.float32]:
    """The colour (h, w, 3) that the sheet would have without ink: a quadric through what is paper, round by round.

    Paper is first what most of the border is, for the larger part of the sheet may be ink.
    """
    height, width = small.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    surface = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    step = max(1, max(height, width) // COARSE)
    values, terms = (v[::step, ::step].astype(np.float64) for v in (small, surface))
    strip = _outside(values.shape[:2], EDGE)
    values, terms = values.reshape(-1, 3), terms.reshape(-1, 6)
    light = strip & (np.abs(values - np.median(values[strip], axis=0)).max(1) <= SHADE)
    for search in [strip] * ROUNDS + [np.ones_like(strip)] * ROUNDS:
        factors, *_ = np.linalg.lstsq(terms[light], values[light])
        nearby = search & (np.abs(values - terms @ factors).max(1) <= NEAR)
        light = nearby if nearby.sum() > FEWEST else light
    return np.asarray(surface @ factors, np.float32)


def _outside(shape: tuple[int, ...], share: float) -> Mask:
    """Which pixels, one after the other, lie within a share of the sides from the border."""
    height, width = shape[:2]
    strip = np.ones((height, width), np.bool_)
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    strip[rows : height - rows, columns : width - columns] = False
    return strip.ravel()


def _things(ink: Mask) -> list[Piece]:
    """The boxes of strokes that lie together."""
    clean = _without_frames(ink & ~_level_lines(ink))
    joined = cv2.dilate(clean.astype(np.uint8), np.ones((GAP, GAP), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    pieces: list[Piece] = []
    for number in range(1, count):
        rows, columns = np.nonzero((labels == number) & clean)
        pieces.append((int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))
    return _joined(pieces)


def _level_lines(ink: Mask) -> Mask:
    """Which ink is that of thin level lines over nearly all of the sheet; lines by hand are not quite level."""
    height, width = ink.shape
    swerve, run = 2 * round(SWERVE * height) + 1, max(1, round(LEVEL * width))
    marks = ink.astype(np.uint8)
    near = cv2.dilate(marks, np.ones((swerve, 1), np.uint8))
    lines = cv2.dilate(
        cv2.morphologyEx(near, cv2.MORPH_OPEN, np.ones((1, run), np.uint8)), np.ones((swerve, 1), np.uint8)
    )
    thick = cv2.morphologyEx(marks, cv2.MORPH_OPEN, np.ones((max(3, round(THIN * height)), 1), np.uint8))
    return np.asarray(ink & (lines > 0) & (thick == 0))


def _without_frames(ink: Mask) -> Mask:
    """Ink without dirt, frames round the sheet and the edges of scans."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    inside = np.bincount(labels.ravel()[~_outside(ink.shape, MARGIN)], minlength=count)
    reach = np.maximum(stats[:, cv2.CC_STAT_WIDTH] / ink.shape[1], stats[:, cv2.CC_STAT_HEIGHT] / ink.shape[0])
    kept = (stats[:, cv2.CC_STAT_AREA] >= SPECK) & ~((inside == 0) & (reach > 0.5))
    kept[0] = False
    return np.asarray(kept[labels])


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Pieces of which none is near another for their size: those that are become one, the largest first."""
    left = sorted(pieces, key=_side, reverse=True)
    done: list[Piece] = []
    while left:
        piece, *left = left
        near = next((k for k, other in enumerate(left) if _gap(piece, other) <= APART * _side(piece)), None)
        if near is None:
            done.append(piece)
        else:
            left.insert(0, _both(piece, left.pop(near)))
    return done


def _side(piece: Piece) -> int:
    return max(piece[2] - piece[0], piece[3] - piece[1])


def _gap(a: Piece, b: Piece) -> float:
    """How far apart two boxes are."""
    across = max(a[0] - b[2], b[0] - a[2], 0)
    down = max(a[1] - b[3], b[1] - a[3], 0)
    return float(np.hypot(across, down))


def _both(a: Piece, b: Piece) -> Piece:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
