"""Curves over the images of a run as SVG, for a page that brings its own colours.

Shapes: a chart is WIDE x HIGH units, its curves lie within MARGINS (left, top, right, bottom).
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Literal

from .log import smooth

WIDE, HIGH = 340, 180
MARGINS = (46, 8, 10, 22)
MOST = 300
"""Points of a curve at most; of more, the lowest and the highest of neighbours are drawn."""
DOTS = 60
"""Points up to which a measured curve has dots that tell their values."""
LOG_FROM = 20.0
"""Times the smallest value from which positive values get a logarithmic scale."""

Points = Sequence[tuple[float, float]]
"""Images seen and a value."""
Kind = Literal["loss", "falling", "rising", "measured", "rate"]


def chart(name: str, points: Points, *, kind: Kind = "loss") -> str:
    """A figure of one curve.

    Args:
        name: what it shows.
        points: at least one, in the order of their images; values are finite.
        kind: a loss has its running mean on top; of the figure that decides which model is best the lowest is marked,
            or the highest of one that is to rise.
    """
    axes = Axes(points)
    if kind != "loss":
        choose = {"falling": min, "rising": max}.get(kind)
        best = [choose(points, key=lambda point: point[1])] if choose else []
        dots = points if kind != "rate" and len(points) <= DOTS else []
        curve = (
            axes.line(points) + "".join(axes.dot(p, "dot") for p in dots) + "".join(axes.dot(p, "best") for p in best)
        )
    else:
        images, values = zip(*points, strict=True)
        curve = axes.line(points, "raw") + axes.line(list(zip(images, smooth(values), strict=True)))
    text = escape(name)
    return (
        f'<figure class="chart"><figcaption>{text} <b>{points[-1][1]:.4g}</b></figcaption>'
        f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{text}">{axes.grid()}{curve}</svg></figure>\n'
    )


class Axes:
    """The scales of a chart.

    Args:
        points: all that it is to hold.
    """

    def __init__(self, points: Points) -> None:
        values = [value for _, value in points]
        low, high = min(values), max(values)
        self.logarithmic = low > 0 and high > LOG_FROM * low
        self.ticks = powers(low, high) if self.logarithmic else steps(low, high)
        self.low, self.high = self._scaled(min(low, self.ticks[0])), self._scaled(max(high, self.ticks[-1]))
        self.last = max(1.0, points[-1][0])

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def place(self, images: float, value: float) -> tuple[float, float]:
        """Where a point is drawn."""
        left, top, right, bottom = MARGINS
        share = (self._scaled(value) - self.low) / (self.high - self.low)
        return left + (WIDE - left - right) * images / self.last, top + (HIGH - top - bottom) * (1 - share)

    def line(self, points: Points, kind: str = "mean") -> str:
        """A curve through the points."""
        if len(points) == 1:
            return self.dot(points[0], "dot")
        drawn = " ".join("{:.1f},{:.1f}".format(*self.place(*point)) for point in thinned(points))
        return f'<polyline class="{kind}" points="{drawn}"/>'

    def dot(self, point: tuple[float, float], kind: str) -> str:
        """A dot that tells its value."""
        x, y = self.place(*point)
        title = f"{point[1]:.4g} after {point[0]:,.0f} images"
        return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{title}</title></circle>'

    def grid(self) -> str:
        """Lines and numbers."""
        left, top, right, bottom = MARGINS
        parts = []
        for value in self.ticks:
            y = self.place(0, value)[1]
            parts.append(f'<path class="grid" d="M{left} {y:.1f}H{WIDE - right}"/>')
            parts.append(f'<text x="{left - 5}" y="{y + 3.5:.1f}" text-anchor="end">{value:.4g}</text>')
        for images in steps(0, self.last):
            if images <= self.last:
                x = left + (WIDE - left - right) * images / self.last
                parts.append(f'<path class="grid" d="M{x:.1f} {top}V{HIGH - bottom}"/>')
                parts.append(f'<text x="{x:.1f}" y="{HIGH - 7}" text-anchor="middle">{short(images)}</text>')
        return "".join(parts)


def steps(low: float, high: float) -> list[float]:
    """Three to six round numbers, evenly apart, from below `low` to above `high`."""
    span = high - low or abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(span / 3))
    step = next(unit * factor for factor in (1, 2, 5, 10) if span / (unit * factor) <= 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12 - math.floor(math.log10(step))) for k in range(first, max(last, first + 1) + 1)]


def powers(low: float, high: float) -> list[float]:
    """Powers of ten from below `low` to above `high`, six at most."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    apart = -(-(last - first) // 5)
    return [10.0**k for k in range(first, last + apart, apart)]


def thinned(points: Points) -> list[tuple[float, float]]:
    """At most about MOST of the points: of each few neighbours the lowest and the highest, so that no peak is lost."""
    if len(points) <= MOST:
        return list(points)
    size = -(-2 * len(points) // MOST)
    kept = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        ends = {min(range(len(part)), key=lambda i: part[i][1]), max(range(len(part)), key=lambda i: part[i][1])}
        kept += [part[i] for i in sorted(ends)]
    return kept


def short(images: float) -> str:
    """A number of images with few signs: 500, 20k, 1.5M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if images >= size:
            return f"{images / size:.3g}{unit}"
    return f"{images:.3g}"
