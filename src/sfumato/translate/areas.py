"""Areas between the lines of a drawing, and one colour for each.

A network's colours are soft and run over lines; in flat drawings each area has one. Lines drawn by hand have gaps, so
areas are found by balls that are trapped between them (Zhang et al. 2009, "Vectorizing Cartoon Animations"): first by
a ball too large for the gaps. Smaller balls then reach into corners, and find areas that were too narrow for it.

Shapes: H W pixels, A areas.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]

GAP = 0.016
"""Radius of the first ball in longest sides: lines with gaps of up to twice that are taken for closed."""
ALIKE = 0.25
"""Distance of RGB colours in [0, 1] at which what stands before the ground is hardly taken for ground."""
SAME = 0.12
"""Distance of colours below which areas that no line parts are one: a narrow passage parted them."""
FAR = 32
"""Pixels that areas grow at the end, along strips that are too narrow for any ball."""
RING = 0.05
"""Where the ground is looked for, in sides from the border: within a frame, if one is drawn."""


def areas(paper: Mask) -> Labels:
    """The area of each pixel (H, W), from 1 on; on lines the nearest one. 0 everywhere if there is no paper.

    Args:
        paper: (H, W), where there are no lines.
    """
    labels = np.zeros(paper.shape, np.int32)
    # What is beyond the picture's border is no line: half areas there are not narrower than they look.
    framed = cv2.copyMakeBorder(paper.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    room = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    radius = max(1.0, GAP * max(paper.shape))
    while radius >= 1:
        seeded(labels, room > radius)
        grown(labels, paper, round(radius) + 1)
        radius /= 2
    if not labels.any():
        return np.asarray(paper.any() * np.ones_like(labels), np.int32)
    grown(labels, paper, FAR)
    return nearest(labels)


def seeded(labels: Labels, core: Mask) -> None:
    """Labels places (H, W) where a ball fits, in place: those that hang together are of one area.

    That of an area found before, if there is one among them; if there are several, the ball has slipped through a gap,
    and the areas only grow.
    """
    count, found = cv2.connectedComponents(core.astype(np.uint8), connectivity=4)
    parts = np.asarray(found, np.int32)
    known = core & (labels > 0)
    lowest, highest = np.full(count, np.iinfo(np.int32).max, np.int32), np.zeros(count, np.int32)
    np.minimum.at(lowest, parts[known], labels[known])
    np.maximum.at(highest, parts[known], labels[known])
    new = highest == 0
    new[0] = False  # lines, and paper that is too narrow
    own = np.where(lowest == highest, highest, 0)
    own[new] = int(labels.max()) + 1 + np.arange(int(new.sum()))
    empty = core & (labels == 0)
    labels[empty] = own[parts[empty]]


def grown(labels: Labels, paper: Mask, steps: int) -> None:
    """Lets areas grow over open paper by so many pixels, in place, as far as there is paper without an area."""
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    free, left = paper & (labels == 0), -1
    spread = labels.astype(np.float32)  # OpenCV dilates no 32-bit numbers
    for _ in range(steps):
        np.copyto(spread, cv2.dilate(spread, cross), where=free)
        free &= spread == 0
        before, left = left, int(np.count_nonzero(free))
        if left in (0, before):
            break
    labels[:] = spread


def nearest(labels: Labels) -> Labels:
    """Labels (H, W) without zeros: of each pixel the nearest one; numbered from 1 on."""
    _, places = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of = np.zeros(int(places.max()) + 1, np.int32)
    of[places[labels > 0]] = labels[labels > 0]
    return np.asarray(np.unique(of[places], return_inverse=True)[1].reshape(labels.shape) + 1, np.int32)


def evened(painted: Floats, labels: Labels, paper: Mask) -> Floats:
    """A painting (H, W, 3) with the median colour of its paper in each area (H, W).

    The ground keeps what differs from it: through gaps that are too wide it reaches into what stands before it.
    """
    count = int(labels.max()) + 1
    seen = paper if paper.any() else np.ones_like(paper)
    colors, sizes = colors_of(painted, labels, seen, count)
    labels = joined(labels, colors, seen)[labels]
    colors, sizes = colors_of(painted, labels, seen, count)
    result = np.where((sizes > 0)[labels][..., None], colors[labels], painted)
    apart = np.linalg.norm(painted - result, axis=2) / ALIKE
    share = np.where(labels == ground_of(labels), np.exp(-(apart**2)), 1)[..., None]
    return np.asarray(share * result + (1 - share) * painted, np.float32)


def ground_of(labels: Labels) -> int:
    """The area that most of a ring a little within the border belongs to."""
    top, left = (int(RING * side) for side in labels.shape)
    bottom, right = labels.shape[0] - 1 - top, labels.shape[1] - 1 - left
    inner = slice(top, bottom + 1), slice(left, right + 1)
    ring = (labels[top, inner[1]], labels[bottom, inner[1]], labels[inner[0], left], labels[inner[0], right])
    return int(np.bincount(np.concatenate(ring)).argmax())


def colors_of(painted: Floats, labels: Labels, seen: Mask, count: int) -> tuple[Floats, NDArray[np.intp]]:
    """The median colours (A, 3) of areas where they are seen, and how many pixels these are, (A,)."""
    of = labels[seen]
    colors = np.stack([medians(painted[..., k][seen], of, count) for k in range(3)], 1)
    return colors, np.bincount(of, minlength=count)


def joined(labels: Labels, colors: Floats, paper: Mask) -> Labels:
    """For each area (A,) the one that it is part of: areas of nearly one colour that meet on open paper are one."""
    pairs = []
    for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        meet = paper[a] & paper[b] & (labels[a] != labels[b])
        pairs.append(np.stack((labels[a][meet], labels[b][meet]), 1))
    root = np.arange(len(colors), dtype=np.int32)
    for one, other in np.unique(np.sort(np.concatenate(pairs), 1), axis=0):
        if np.linalg.norm(colors[one] - colors[other]) < SAME:
            first, second = sorted((root[one], root[other]))
            root[root == second] = first
    return root


def medians(values: Floats, labels: Labels, count: int) -> Floats:
    """The (upper) median of values (N,) for each label (N,) below `count`; 0 where there are none."""
    order = np.lexsort((values, labels))
    sizes = np.bincount(labels, minlength=count)
    middles = np.cumsum(sizes) - sizes + sizes // 2
    found = values[order[np.minimum(middles, len(order) - 1)]]
    return np.asarray(np.where(sizes > 0, found, 0), np.float32)
