"""Photographs as drawings of lines: edges found, thinned, cleaned and drawn with a pen.

After the edge maps of SketchyGAN (Chen & Hays, CVPR 2018, arXiv:1801.02753, section 3.1).

Shapes: H W pixels of the picture; work is done on a copy, h w pixels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from . import edges, pen, strokes
from .edges import Strength

ENLARGED = 2.0
"""A small picture is looked at so many times as large, at most."""
LABEL = 32
"""Height of a stage's name on the strip, in pixels."""

Pixels = NDArray[np.uint8]
Finder = Callable[[Pixels], Strength]
"""From a picture (h, w, 3) to how much of an edge there is at each place, (h, w) in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What becomes a line, and how it is drawn."""

    detail: Annotated[int, Ge(32), Le(4096)] = 640
    """Longest side, in pixels, of the copy in which edges are found: more draws smaller things."""
    smooth: Annotated[float, Ge(0), Le(5)] = 1.0
    """How much grain and fine texture is taken away first."""
    texture: Annotated[float, Ge(0), Le(3)] = 1.0
    """How much an edge is weakened by others around it, as in grass."""
    threshold: Annotated[float, Gt(0), Le(1)] = 0.35
    """How strong an edge must be to become a line: less draws more."""
    faint: Annotated[float, Gt(0), Le(1)] = 0.4
    """A line goes on where the edge is above this share of the threshold."""
    shortest: Annotated[int, Ge(0)] = 16
    """Pieces of fewer pixels are left out, in pixels of the copy."""
    spurs: Annotated[int, Ge(0)] = 5
    """Twigs of up to so many pixels are left out."""
    shorten: Annotated[int, Ge(0)] = 1
    """Pixels that each end of a line loses."""
    join: Annotated[int, Ge(0), Le(50)] = 5
    """A line that ends at most so many pixels before another one is drawn on up to it."""
    line_width: Annotated[float, Gt(0), Le(100)] = 1.5
    """Width of a line in pixels where the longest side is `detail`; in larger pictures wider, never below 1."""
    curve: Annotated[int, Ge(0), Le(100)] = 6
    """How much lines are smoothed along their way; 0 draws each pixel where it is."""
    keep_grey: bool = False
    """Draw weak edges lighter."""


class Sketcher:
    """Draws pictures as lines.

    Args:
        config: what becomes a line.
        finder: finds the edges; that of colours if None.
    """

    def __init__(self, config: Config | None = None, finder: Finder | None = None) -> None:
        self.config, self.finder = config or Config(), finder

    def __call__(self, pixels: Pixels) -> Pixels:
        """The picture (H, W, 3) as black lines on white, (H, W)."""
        return self.stages(pixels)["lines"]

    def stages(self, pixels: Pixels) -> dict[str, Pixels]:
        """All that is made of the picture (H, W, 3) on the way, by name.

        `photo` (H, W, 3), `lines` (H, W), and at the size of the copy (h, w) in between: `edges`, `ridges`, `strong`,
        `thin`, `clean`; last `distance`, (H, W).
        """
        c, size = self.config, pixels.shape[:2]
        copy = resized(pixels, c.detail)
        strength = (
            self.finder(copy) if self.finder else edges.classical(edges.smoothed(copy, c.smooth), texture=c.texture)
        )
        ridges = strokes.thinned_ridges(strength)
        kept = strokes.strong(ridges, c.threshold, c.faint * c.threshold)
        thin = strokes.thin(kept)
        clean = strokes.without_small(strokes.without_dots(thin), c.shortest)
        clean = strokes.without_spurs(strokes.shorter(clean, c.shorten), c.spurs)
        paths = pen.joined(pen.traced(clean), clean, c.join)
        dark = pen.darkness(paths, strength) if c.keep_grey else [1.0] * len(paths)
        scale = (size[0] / copy.shape[0], size[1] / copy.shape[1])
        lines = pen.drawn(
            [pen.smooth_path(path, c.curve) for path in paths],
            size,
            scale,
            max(1.0, c.line_width * max(size) / c.detail),
            dark,
        )
        return {
            "photo": pixels,
            "edges": inked(strength),
            "ridges": inked(ridges),
            "strong": inked(kept),
            "thin": inked(thin),
            "clean": inked(clean),
            "lines": lines,
            "distance": strokes.distances(lines),
        }


def resized(pixels: Pixels, longest: int) -> Pixels:
    """The picture (H, W, 3) with its longest side brought to `longest` pixels, but at most ENLARGED times as large."""
    scale = min(longest / max(pixels.shape[:2]), ENLARGED)
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    kind = cv2.INTER_AREA if scale <= 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=kind), np.uint8)


def lines_of(picture: Pixels) -> Strength:
    """Edges (h, w) in [0, 1] from a picture of them (h, w), be they dark on light or light on dark."""
    values = picture.astype(np.float32) / 255
    return np.asarray(1 - values if values.mean() > 0.5 else values, np.float32)


def strip(stages: Mapping[str, Pixels], side: int) -> Pixels:
    """All stages side by side, (h, w, 3), each with its longest side at `side` pixels and its name below."""
    height, width = stages["photo"].shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    panels = []
    for name, pixels in stages.items():
        color = pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, 2)
        shown = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
        panel = cv2.copyMakeBorder(shown, 4, LABEL, 4, 4, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        panels.append(
            cv2.putText(panel, name, (8, size[1] + 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
        )
    return np.asarray(np.hstack(panels), np.uint8)


def inked(values: NDArray[np.float32] | NDArray[np.bool_]) -> Pixels:
    """Strength or lines (h, w) as dark on white paper."""
    return np.asarray(np.rint(255 * (1 - values.astype(np.float32))), np.uint8)
