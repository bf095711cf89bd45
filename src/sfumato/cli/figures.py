"""What a report of `sfumato evaluate` says, in lines; n/a where a set has no such figures."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..parsing import PartsReport
    from ..pose import PoseReport

NAMES = {"standard": "standard", "ignoring background": "background ignored"}
"""Of the protocols, at the head of their columns."""


def of_poses(report: "PoseReport") -> list[str]:
    """The figures of poses, one or two a line."""
    stats, low, high = report.precision.stats, report.precision.low, report.precision.high
    rows = [f"AP    {_shown(stats['AP'])}  ({_shown(low)} to {_shown(high)}, 95 % of sets drawn from these pictures)"]
    rows += [f"{name:5} {_shown(stats[name])}" for name in stats if name != "AP"]
    rows += [f"PCK   {_shown(report.mean_correct)}  (within a tenth of the figure's longer side)"]
    rows += [f"  {name:15} {_shown(value)}" for name, value in report.correct.items()]
    rows += [f"{len(report.scored)} figures, {report.seconds:.3g} s each; {_manner(report)}"]
    counts = (
        (len(report.not_found), "figures where no ink is found count as missed"),
        (report.legs_exchanged, "figures whose legs the drawing does not settle count in the other order"),
        (report.areas_of_boxes, "figures without an area are judged by that of their box, which is larger"),
    )
    return [*rows, *(f"{count} {text}" for count, text in counts if count)]


def _manner(report: "PoseReport") -> str:
    """How it was measured, in words."""
    manner = report.manner
    mirrored = "with" if manner.flip else "without"
    return f"{manner.boxes} boxes, {manner.decode}, {mirrored} the mirrored picture, {manner.precision}"


def _shown(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.3f}"


def of_parts(report: "PartsReport") -> list[str]:
    """The figures of parts, both protocols side by side, a part a line."""
    from ..metrics.parts import PROTOCOLS
    from ..parts import PARTS

    found = [report.agreements[protocol] for protocol in PROTOCOLS]
    columns = [NAMES[protocol] for protocol in PROTOCOLS]
    rows = [_row("", columns), _row("mean IoU", [_shown(x.mean_iou) for x in found])]
    between = [f"{_shown(low)} to {_shown(high)}" for low, high in (report.intervals[p] for p in PROTOCOLS)]
    rows += [_row("  95 % of sets drawn", between)]
    rows += [_row("mean accuracy", [_shown(x.mean_accuracy) for x in found])]
    rows += [_row("overall accuracy", [_shown(x.overall) for x in found])]
    seen = [k for k in range(len(PARTS)) if not all(math.isnan(x.iou[k]) for x in found)]
    for name, of in (("IoU", [x.iou for x in found]), ("accuracy", [x.accuracy for x in found])):
        rows += [_row(f"  {name} {PARTS[k]}", [_shown(float(values[k])) for values in of]) for k in seen]
    for part, (value, (low, high)) in report.borders.items():
        rows.append(f"border of {part}: F {_shown(value)}  ({_shown(low)} to {_shown(high)})")
    manner = report.manner
    ways = f"longest side {manner.side}, {'with' if manner.flip else 'without'} the mirrored picture"
    ways += ", heads from near" if manner.zoom else ""
    return [*rows, f"{len(report.scored)} pictures, {report.seconds:.3g} s each; {ways}, {manner.precision}"]


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:26}" + "".join(f"{cell:20}" for cell in cells).rstrip()
