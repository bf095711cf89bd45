"""Strokes as ink on a picture.

Lines are drawn with round ends and exact sub-pixel places: how much of a pixel is inked follows from its distance to
the line, so that nothing needs to be drawn larger first.

Shapes: H W pixels, P points of all strokes.
"""

from collections.abc import Sequence

import numpy as np

from .character import Floats, Numbers
from .compiled import compiled
from .frame import Bytes, Settings, Stroke

LANDING = 12.0
"""A tapered line is as thick as it gets so many line widths from its ends, or in its middle if it is shorter."""


def drawn(strokes: Sequence[Stroke], size: tuple[int, int], settings: Settings, *, over: Bytes | None = None) -> Bytes:
    """How much ink there is on each pixel (H, W), 0 to 255; `size` is width and height.

    Args:
        strokes: the lines.
        size: of the picture.
        settings: how wide they are.
        over: (H, W), ink that is there; it stays as it is.
    """
    ink = np.zeros((size[1], size[0]), np.uint8) if over is None else over.copy()
    if strokes:
        points = np.concatenate([stroke.points for stroke in strokes])
        starts = np.cumsum([0] + [len(stroke.points) for stroke in strokes]).astype(np.int32)
        if settings.taper:
            radii = np.concatenate([radii_along(stroke.points, settings) for stroke in strokes])
        else:
            radii = np.full(len(points), settings.line_width / 2)
        _draw(points, radii, starts, ink)
    return ink


def radii_along(points: Floats, settings: Settings) -> Floats:
    """Half the width of a line at each of its points (N,); a ring has no ends."""
    half = settings.line_width / 2
    if not settings.taper or (points[0] == points[-1]).all():
        return np.full(len(points), half)
    along = np.concatenate(([0.0], np.hypot(*np.diff(points, axis=0).T).cumsum()))
    landing = max(min(LANDING * settings.line_width, along[-1] / 2), 1e-9)
    near = np.minimum(np.minimum(along, along[-1] - along) / landing, 1)
    return np.asarray(half * (1 - settings.taper * (1 - np.sqrt(near))))


@compiled
def _draw(points: Floats, radii: Floats, starts: Numbers, ink: Bytes) -> None:
    """Adds lines to `ink` (H, W), in place; where lines cross, the darker counts."""
    height, width = ink.shape
    for stroke in range(len(starts) - 1):
        for p in range(starts[stroke], starts[stroke + 1] - 1):
            ax, ay, bx, by = points[p, 0], points[p, 1], points[p + 1, 0], points[p + 1, 1]
            reach = max(radii[p], radii[p + 1]) + 0.5
            dx, dy = bx - ax, by - ay
            square = max(dx * dx + dy * dy, 1e-12)
            for y in range(max(int(min(ay, by) - reach), 0), min(int(max(ay, by) + reach) + 1, height)):
                for x in range(max(int(min(ax, bx) - reach), 0), min(int(max(ax, bx) + reach) + 1, width)):
                    along = min(max(((x + 0.5 - ax) * dx + (y + 0.5 - ay) * dy) / square, 0.0), 1.0)
                    far = np.hypot(x + 0.5 - ax - along * dx, y + 0.5 - ay - along * dy)
                    radius = radii[p] + along * (radii[p + 1] - radii[p])
                    covered = min(radius, far + 0.5) - max(-radius, far - 0.5)  # of the pixel's width across the line
                    if covered > 0:
                        ink[y, x] = max(ink[y, x], np.uint8(np.rint(np.float32(covered) * np.float32(255))))
