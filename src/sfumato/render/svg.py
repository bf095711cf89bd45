"""Strokes as an SVG picture, to be edited in any drawing program."""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

import numpy as np

from .character import Floats
from .frame import Settings, Stroke
from .ink import radii_along


def svg(strokes: Sequence[Stroke], size: tuple[int, int], settings: Settings | None = None, color: str = "#000") -> str:
    """The same strokes as an SVG picture; paths carry their kind and figure. `size` is width and height."""
    settings = settings or Settings()
    width, height = size
    style = f"fill={quoteattr(color)}" if settings.taper else f'fill="none" stroke={quoteattr(color)}'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<g {style} stroke-width="{0 if settings.taper else settings.line_width:g}" stroke-linecap="round" '
        'stroke-linejoin="round">',
    ]
    lines += [
        f'<path class="{stroke.kind}" data-figure="{stroke.figure}" d="{_path(stroke.points, settings)}"/>'
        for stroke in strokes
    ]
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _path(points: Floats, settings: Settings) -> str:
    """A path's data: the line itself, or the outline of a tapered one."""
    ring = bool((points[0] == points[-1]).all())
    if settings.taper:
        radii = radii_along(points, settings)[:, None]
        ways = np.gradient(points, axis=0)
        across = np.stack((-ways[:, 1], ways[:, 0]), 1) / np.maximum(np.linalg.norm(ways, axis=1), 1e-9)[:, None]
        points, ring = np.concatenate((points + radii * across, (points - radii * across)[::-1])), True
    numbers = " ".join(f"{x:g} {y:g}" for x, y in np.round(points, 2).tolist())
    return f"M{numbers}" + ("Z" if ring else "")
