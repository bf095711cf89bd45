"""Areas between the lines of a drawing, and one colour for each.

A network's colours are soft and run over lines; in flat drawings each area has one. Lines drawn by hand have gaps, so
areas are found by balls that are trapped between them (Zhang et al. 2009, "Vectorizing Cartoon Animations"): first by
a ball too large for the gaps, then by smaller ones in what is left.

Shapes: H W pixels, A areas.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

GAP = 0.024
"""Radius of the first ball in longest sides: lines with gaps of up to twice that are taken for closed."""
ALIKE = 0.25
"""Distance of RGB colours in [0, 1] at which what stands before the ground is hardly taken for ground."""


def areas(paper: NDArray[np.bool_]) -> Labels:
    """The area of each pixel (H, W), from 1 on; on lines the nearest one. 0 everywhere if there is no paper.

    Args:
        paper: (H, W), where there are no lines.
    """
    labels = np.zeros(paper.shape, np.int32)
    radius, count = GAP * max(paper.shape), 0
    while radius >= 1:
        free = (paper & (labels == 0)).astype(np.uint8)
        # What is beyond the picture's border is no line: half areas there are not narrower than they look.
        core = (
            cv2.distanceTransform(cv2.copyMakeBorder(free, 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 5) > radius
        )
        core = core[1:-1, 1:-1]
        if core.any():
            apart, nearest = cv2.distanceTransformWithLabels((~core).astype(np.uint8), cv2.DIST_L2, 5)
            grown = (free > 0) & (apart <= radius)
            labels[grown] = nearest[grown] + count
            count += int(nearest.max())
        radius /= 2
    if not count:
        return np.asarray(paper.any() * np.ones_like(labels), np.int32)
    _, nearest = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of = np.zeros(int(nearest.max()) + 1, np.int32)
    of[nearest[labels > 0]] = labels[labels > 0]
    return np.asarray(np.unique(of[nearest], return_inverse=True)[1].reshape(paper.shape) + 1, np.int32)


def evened(painted: Floats, labels: Labels, paper: NDArray[np.bool_]) -> Floats:
    """A painting (H, W, 3) with the median colour of its paper in each area (H, W).

    The ground, which has most of the picture's border, keeps what differs from it: through gaps that are too wide it
    reaches into what stands before it.
    """
    count = int(labels.max()) + 1
    seen = paper.ravel() if paper.any() else np.ones(paper.size, bool)
    colors = np.stack([medians(painted[..., k].ravel()[seen], labels.ravel()[seen], count) for k in range(3)], 1)
    known = np.bincount(labels.ravel()[seen], minlength=count) > 0
    result = np.where(known[labels][..., None], colors[labels], painted)
    border = np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))
    ground = labels == np.bincount(border).argmax()
    apart = np.linalg.norm(painted - result, axis=2) / ALIKE
    share = np.where(ground, np.exp(-(apart**2)), 1)[..., None]
    return np.asarray(share * result + (1 - share) * painted, np.float32)


def medians(values: Floats, labels: Labels, count: int) -> Floats:
    """The (upper) median of values (N,) for each label (N,) below `count`; 0 where there are none."""
    order = np.lexsort((values, labels))
    sizes = np.bincount(labels, minlength=count)
    middles = np.cumsum(sizes) - sizes + sizes // 2
    found = values[order[np.minimum(middles, len(order) - 1)]]
    return np.asarray(np.where(sizes > 0, found, 0), np.float32)
