"""Where the border of a zone really is, from a mask that is only about right: the share of the zone in each pixel.

The guided filter finds strands of hair by the photograph's colours (He, Sun & Tang, TPAMI 2013; its fast version,
arXiv:1505.00996: coefficients are found on a small copy). Where skin meets skin there is no border to find, and a hard
one would show: there the share falls over a wide ramp, and the drawing's tone comes near the photograph's.

All widths are shares of the zone's size, the square root of its area. Shapes: H W pixels of a zone's surroundings,
h w cells of a small copy.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..image.guided import coefficients
from ..machine import threads
from ..parsing import Parts

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

RADIUS = 0.13
"""Half the side of the guided filter's windows,"""
EPSILON = 1e-4
"""its regularisation, for colours in [0, 1],"""
CONTRAST = 1.5
"""and how much its result is spread about a half."""
INNER, OUTER = 0.06, 0.11
"""What lies deeper in the mask, or farther from it, is not asked about."""
PASSES = 2
"""How often it is done."""
CELLS = 12
"""Cells of the copy in a radius."""
RAMP = 0.2
"""Width of the ramp from skin to skin."""
INSIDE = 0.7
"""Share of it that lies inside."""
FADE = 0.25
"""How deep into the zone its tone comes near that of the skin around it."""
BESIDE = 0.05
"""How far on both sides of the border colours are compared."""
ALIKE = (0.09, 0.18)
"""Distances of mean colours, see `unlike`, up to which they are one material, and from which on they are not."""
EVEN = (0.035, 0.08)
"""Deviations of colours beside the border up to which it is as even as skin, and from which on it is not."""
WIDE = 8
"""A blur of a greater deviation, in cells, is done on a coarser copy."""
STRIP = 2**18
"""Pixels that a thread works on at once."""
SKIN = ("face", "left-arm", "right-arm", "left-leg", "right-leg")
TINY = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """The surroundings of a zone, on a small copy."""

    guide: Floats
    """(h, w, 3), the photograph in [0, 1]."""
    mask: Mask
    """(h, w)."""
    away: Floats
    """(h, w), distance from the mask's border in cells, below 0 inside."""
    size: float
    """The zone's, in cells."""
    shape: tuple[int, int]
    """Height and width of what is copied."""

    @classmethod
    def of(cls, photo: Floats, mask: Mask, size: float, width: float) -> "Site":
        """The copy of a photograph (H, W, 3) in [0, 1] with its mask (H, W).

        Args:
            size: the zone's in pixels.
            width: a factor on widths, by which the cells grow, too.
        """
        cell = max(1.0, size * RADIUS * width / CELLS)
        small = tuple(max(1, round(side / cell)) for side in mask.shape[::-1])
        inside = shrunk(mask.astype(np.float32), small) > 0.5
        if not inside.any():
            inside = shrunk(mask.astype(np.float32), small) > 0
        return cls(guide=shrunk(photo, small), mask=inside, away=signed(inside), size=size / cell, shape=mask.shape)

    def grown(self, plane: Floats, rows: slice) -> Floats:
        """A plane of cells (h, w) or (h, w, C) as these rows of one of pixels."""
        height, (tall, wide) = len(plane), self.shape
        places = np.arange(rows.start, rows.stop, dtype=np.float32)
        places = ((places + 0.5) * (height / tall) - 0.5).clip(0, height - 1)
        above = places.astype(np.intp)
        part = (places - above).reshape(-1, *[1] * (plane.ndim - 1))
        between = plane[above] * (1 - part) + plane[np.minimum(above + 1, height - 1)] * part
        return np.asarray(cv2.resize(between, (wide, len(between)), interpolation=cv2.INTER_LINEAR), np.float32)

    def by_strips(self, work: Callable[[slice], None]) -> None:
        """Does the work for all rows of pixels, few at a time: a large photograph is never held in many planes at once.

        Several strips are worked on at once, each by a thread of its own.
        """
        step = max(1, STRIP // self.shape[1])
        strips = [slice(first, min(first + step, self.shape[0])) for first in range(0, self.shape[0], step)]
        with ThreadPoolExecutor(threads()) as pool:
            for _ in pool.map(work, strips):
                pass  # what fails there is raised here


def shrunk(plane: Floats, size: tuple[int, ...]) -> Floats:
    """A plane of pixels in a smaller width and height."""
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def signed(mask: Mask) -> Floats:
    """The distance (H, W) from the border of a mask, below 0 inside."""
    inside = mask.astype(np.uint8)
    out, within = (cv2.distanceTransform(side, cv2.DIST_L2, 5) for side in (1 - inside, inside))
    farthest = sum(mask.shape)  # OpenCV has no number for a border that there is not
    return np.asarray(out.clip(0.5, farthest) - within.clip(0.5, farthest), np.float32)


def slopes(site: Site, width: float) -> Floats:
    """The share of the zone as a linear function of the photograph's colours around each cell: (h, w, 4).

    Args:
        width: a factor on the band about the mask's border and on the windows.
    """
    radius = max(1, round(RADIUS * width * site.size))
    share = site.mask.astype(np.float32)
    for _ in range(PASSES - 1):  # the next pass sees soft borders where the first has found them
        share = _banded(_found(_linear(site, share, radius), site.guide), site.away, site.size * width)
    return _linear(site, share, radius)


def _linear(site: Site, share: Floats, radius: int) -> Floats:
    return np.ascontiguousarray(coefficients(site.guide, share[..., None], radius, EPSILON)[:, :, 0])


def guided(site: Site, planes: Floats, photo: Floats, rows: slice, width: float) -> Floats:
    """The share of the zone in each pixel of some rows (n, W), by the guided filter within a band about its border.

    Args:
        planes: what `slopes` gives.
        photo: (n, W, 3) in [0, 1], these rows of it.
        width: as there.
    """
    return _banded(_found(site.grown(planes, rows), photo), site.grown(site.away, rows), site.size * width)


def _found(planes: Floats, guide: Floats) -> Floats:
    """What slopes and offset (H, W, 4) make of the guide (H, W, 3), spread about a half and clipped."""
    found = np.einsum("hwc,hwc->hw", planes[..., :3], guide) + planes[..., 3]
    return np.asarray(((found - 0.5) * CONTRAST + 0.5).clip(0, 1), np.float32)


def _banded(share: Floats, away: Floats, size: float) -> Floats:
    """The share where it is asked for, 1 deeper in the mask and 0 farther from it; in place."""
    share[away <= -max(INNER * size, 0.5)] = 1
    share[away >= max(OUTER * size, 0.5)] = 0
    return share


def on_skin(site: Site, parts: Parts | None) -> Floats:
    """How sure it is that skin meets skin at the border next to each cell, (h, w) in [0, 1].

    Args:
        parts: those of the site's pixels, or None: colours tell.
    """
    near = BESIDE * site.size
    sides = [(site.away < -0.5) & (site.away > -near - 1), (site.away > 0.5) & (site.away < near + 1)]
    means, evens = zip(*(_colors(site.guide, side, near / 2) for side in sides), strict=True)
    sure = falling(unlike(*means), *ALIKE) * falling(np.maximum(*evens), *EVEN)
    if parts is not None:
        one, other = (skin + unknown * sure for skin, unknown in _known(site, parts, sides, near / 2))
        sure = one * other
    border = (np.abs(site.away) <= 1.5).astype(np.float32)
    sigma = max(RAMP * site.size / 3, 1.0)
    total = blurred(border, sigma)
    spread = np.where(total > TINY, blurred(sure * border, sigma) / total.clip(TINY), 0)
    return np.asarray(falling(spread, 0.9, 0.1), np.float32)


def unlike(one: Floats, other: Floats) -> Floats:
    """How far apart colours (h, w, 3) in [0, 1] are as materials: shadow counts little, hue counts much."""
    tones, lights = [], []
    for color in (one + 0.05, other + 0.05):
        total = color.sum(2, keepdims=True)
        tones.append(color / total)
        lights.append(np.log(total[..., 0]))
    hue = np.linalg.norm(tones[0] - tones[1], axis=2)
    return np.asarray(np.hypot(2 * hue, 0.2 * (lights[0] - lights[1])), np.float32)


def _colors(guide: Floats, side: Mask, sigma: float) -> tuple[Floats, Floats]:
    """The mean colour (h, w, 3) of what is at a side of the border nearby, and its deviation (h, w)."""
    weight = side.astype(np.float32)[..., None]
    count = blurred(weight, sigma)[..., None].clip(TINY)
    mean = blurred(guide * weight, sigma) / count
    square = blurred(np.square(guide) * weight, sigma) / count
    return mean, np.sqrt((square - np.square(mean)).clip(0).mean(2))


def _known(site: Site, parts: Parts, sides: Sequence[Mask], sigma: float) -> Iterator[tuple[Floats, Floats]]:
    """The share (h, w) of skin, and of what no part is named for, at each side of the border nearby."""
    size = site.mask.shape[::-1]
    named = [name for name in SKIN if name in parts.names], parts.names[:1]
    planes = [shrunk(parts.mask(names).astype(np.float32), size) for names in named]
    for side in sides:
        weight = side.astype(np.float32)
        count = blurred(weight, sigma).clip(TINY)
        skin, unknown = (blurred(plane * weight, sigma) / count for plane in planes)
        yield skin, unknown


def ramp(site: Site, width: float) -> Floats:
    """A share (h, w) that falls evenly across the border, more of it inside, so that what is outside changes little.

    It begins no deeper than the zone is, so that the middle of a thin or tiny zone is all drawing.
    """
    whole = max(RAMP * width * site.size, 1.0)
    return falling(site.away, max(-INSIDE * whole, float(site.away.min())), (1 - INSIDE) * whole)


def toned(site: Site, difference: Floats, skin: Floats) -> tuple[Floats, Floats]:
    """What is to be added to a drawing so that its tone meets the skin around it, and less farther inside.

    Twice (h, w, 3), for what lies inside of the border and outside: a drawing has edges of its own there.

    Args:
        difference: (h, w, 3), the drawing's from the photograph.
        skin: (h, w), where skin meets skin.
    """
    near = skin * np.exp(-np.square(site.away / max(0.025 * site.size, 1)))
    deep = falling(-site.away, 0.1 * FADE * site.size, max(FADE * site.size, 1.0)) * skin
    sigma = max(0.04 * site.size, 1.0)

    def tone(side: Mask) -> Floats:
        weight = near * side
        total = blurred(weight, sigma)[..., None]
        mean = blurred(difference * weight[..., None], sigma) / total.clip(TINY)
        return np.asarray(-mean * deep[..., None], np.float32)

    return tone(site.away < 0), tone(site.away >= 0)


def blurred(plane: Floats, sigma: float) -> Floats:
    """A plane (h, w) or (h, w, C), smoothed; a wide blur of a copy is the same in a fraction of the time."""
    cell = sigma / WIDE
    if cell <= 1:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(sigma, 0.3), borderType=cv2.BORDER_REPLICATE), np.float32)
    height, width = plane.shape[:2]
    small = shrunk(plane, (max(1, round(width / cell)), max(1, round(height / cell))))
    return np.asarray(cv2.resize(blurred(small, WIDE), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def falling(values: Any, full: float, none: float) -> Floats:
    """1 at `full` or before, 0 at `none` or beyond, smooth between, either of them the larger."""
    share = ((np.asarray(values) - none) / (full - none)).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
