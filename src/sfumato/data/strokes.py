"""From the strength of edges to lines one pixel wide, and to distances from them; each step a function of its own.

The steps of SketchyGAN's edge maps (Chen & Hays, CVPR 2018, arXiv:1801.02753, section 3.1; its PostprocessHED.m).

Shapes: H W pixels. Lines are arrays (H, W) of bool, True on a line; two pixels are neighbours if they share a corner.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Lines = NDArray[np.bool_]
Strength = NDArray[np.float32]

BORDER = 4
"""Along the border edges are weakened, in pixels: what a filter sees there is half made up."""
DARK = 250
"""Values of a sketch below are lines, those above paper."""

_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""(y, x) of P2 to P9 as the papers on thinning count: from the one above on, as the clock goes."""
_CODES = (np.arange(256)[:, None] >> np.arange(8)) & 1
"""(256, 8), which neighbours are set by the sum of their powers of two."""
_COUNT = _CODES.sum(1)
_TURNS = ((_CODES == 0) & (np.roll(_CODES, -1, 1) == 1)).sum(1)
"""How often the way around goes from no line to a line."""


def _free() -> Lines:
    """(2, 256), which pixels the two halves of a round of `thin` take away, by their neighbours."""
    p = _CODES.T == 1  # (8, 256), P2 to P9; every second one shares a side with the pixel
    sides = range(0, 8, 2)
    pieces = sum(~p[k] & (p[k + 1] | p[(k + 2) % 8]) for k in sides)
    pairs = np.minimum(sum(p[k - 1] | p[k] for k in sides), sum(p[k] | p[k + 1] for k in sides))
    kept = [(p[k] | p[k + 1] | ~p[k + 3]) & p[k + 2] for k in (0, 4)]
    return np.asarray((pieces == 1) & (pairs >= 2) & (pairs <= 3) & ~np.stack(kept))


_FREE = _free()


def thinned_ridges(strength: Strength) -> Strength:
    """The strength where it is largest across the edge, (H, W), else 0: non-maximum suppression.

    The direction across is that of the strongest curvature of the smoothed strength, as in Dollar & Zitnick's
    structured edges, whose `edgesNms` the authors use; what lies one pixel off is interpolated.
    """
    height, width = strength.shape
    smooth = cv2.blur(cv2.GaussianBlur(strength, (0, 0), 1.5), (3, 3))
    xx, yy, xy = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=5) for order in ((2, 0), (0, 2), (1, 1)))
    across = 0.5 * np.arctan2(2 * xy, xx - yy) + np.where(xx + yy > 0, 0, np.pi / 2)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dx, dy = np.cos(across).astype(np.float32), np.sin(across).astype(np.float32)
    sides = [
        cv2.remap(strength, x + sign * dx, y + sign * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for sign in (-1, 1)
    ]
    kept = np.where(strength * 1.01 >= np.maximum(*sides), strength, 0)
    near = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    return np.asarray(kept * np.minimum(near / BORDER, 1), np.float32)


def strong(ridges: Strength, threshold: float, faint: float) -> Lines:
    """Where ridges are above the threshold, and faint ones that run on from there (Canny's hysteresis).

    # Differs from the authors' one threshold of 25 of 255 where `faint` is below `threshold`, because lines then break
    # less often.
    """
    if faint >= threshold:
        return np.asarray(ridges >= threshold)
    found = (ridges >= max(faint, 1e-6)).astype(np.uint8)
    count, labels = cv2.connectedComponents(found, connectivity=8)
    kept = np.zeros(count, bool)
    kept[np.unique(labels[ridges >= threshold])] = True
    kept[0] = False
    return np.asarray(kept[labels])


def thin(lines: Lines) -> Lines:
    """Lines brought down to one pixel; what hangs together still does, and nothing vanishes.

    Guo & Hall, Parallel Thinning with Two-Subiteration Algorithms, CACM 1989, algorithm A1, for all set pixels at once.
    Zhang & Suen's of 1984 takes away squares of 2 x 2 and diagonals two pixels wide.
    """
    grid, places = _framed(lines)
    around = _offsets(grid)
    while True:
        before = len(places)
        for table in _FREE:
            gone = table[_codes(grid, places, around)]
            grid.ravel()[places[gone]] = False
            places = places[~gone]
        if len(places) == before:
            return grid[1:-1, 1:-1].copy()


def without_dots(lines: Lines) -> Lines:
    """Lines without pixels that stand alone."""
    return without_small(lines, 2)


def without_small(lines: Lines, pixels: int) -> Lines:
    """Lines without pieces of fewer than so many pixels."""
    _, labels = cv2.connectedComponents(lines.astype(np.uint8), connectivity=8)
    piece = labels[lines]
    found = np.zeros_like(lines)
    found[lines] = (np.bincount(piece) >= pixels)[piece]
    return found


def ends(lines: Lines) -> Lines:
    """The ends of lines: pixels with one neighbour, or with two that touch each other."""
    grid, places = _framed(lines)
    codes = _codes(grid, places, _offsets(grid))
    found = np.zeros_like(grid)
    found.ravel()[places[(_TURNS[codes] == 1) & (_COUNT[codes] <= 2)]] = True
    return found[1:-1, 1:-1].copy()


def shorter(lines: Lines, pixels: int = 1) -> Lines:
    """Lines shorter by so many pixels at each end; of short pieces nothing is left.

    # Differs from Matlab's `shrink`, which leaves the last pixel: those are taken for dots right after.
    """
    for _ in range(pixels):
        lines = lines & ~ends(lines)
    return without_dots(lines)


def without_spurs(lines: Lines, pixels: int) -> Lines:
    """Lines without twigs of up to so many pixels; all else keeps its length.

    Ends are cut so many times, then those that are left grow back along the old lines (pruning, Gonzalez & Woods,
    Digital Image Processing, section 9.5).
    """
    cut = lines
    for _ in range(pixels):
        cut = cut & ~ends(cut)
    cut = thin(cut)  # of a twig its first pixel is no end, but leans on the line
    tips = ends(cut)
    kernel = np.ones((3, 3), np.uint8)
    for _ in range(pixels):
        tips = (cv2.dilate(tips.astype(np.uint8), kernel) > 0) & lines
    return cut | tips


def distances(sketch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How far each place of a sketch (H, W) is from the nearest line, 0 to 255 at the farthest; blank paper is all 255.

    What the network sees in place of thin lines, which are gone after a few convolutions.
    """
    paper = (sketch >= DARK).astype(np.uint8)
    if paper.all():
        return np.full(sketch.shape, 255, np.uint8)
    far = cv2.distanceTransform(paper, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.rint(far * (255 / max(float(far.max()), 1.0))), np.uint8)


def _framed(lines: Lines) -> tuple[Lines, NDArray[np.intp]]:
    """The lines (H + 2, W + 2) with nothing around them, and the places of their pixels, counted along the rows."""
    grid = np.pad(lines, 1)
    return grid, np.flatnonzero(grid)


def _offsets(grid: Lines) -> NDArray[np.intp]:
    return np.array([y * grid.shape[1] + x for y, x in _AROUND])


def _codes(grid: Lines, places: NDArray[np.intp], around: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Which neighbours of each place are set: the sum of 1 for P2, 2 for P3, 4 for P4 and so on."""
    codes = np.zeros(len(places), np.uint8)
    for bit, offset in enumerate(around):
        codes |= grid.ravel()[places + offset].astype(np.uint8) << np.uint8(bit)
    return codes
