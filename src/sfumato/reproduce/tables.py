"""Rows of figures as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from .rows import METHODS


def markdown(made: Mapping[str, Any]) -> str:
    """The tables, and below them what is otherwise than in the thesis.

    Args:
        made: as tables.json holds it.
    """
    names = list(made["measured_by"])
    parts = [f"# Poses in sketches, scale {made['scale']['name']}"]
    for title, rows in made["tables"].items():
        parts.append(f"## {title}\n\n" + "\n".join(_lines(rows, names)))
    heads = "AP by COCO's rules, with the interval of 95 of 100 sets drawn from these pictures; PCK within a tenth of a"
    counts = " and ".join(f"{count:,} {name}" for name, count in _figures(made).items())
    heads += " figure's longer side" + (f"; of {counts} figures" if counts else "")
    parts.append(f"{heads}.\n\n" + "\n".join(f"- {note}" for note in made["notes"]))
    command = f"`{made['command']}`, " if made["command"] else ""
    return "\n\n".join([*parts, f"{command}{made['machine']}"]) + "\n"


def _figures(made: Mapping[str, Any]) -> dict[str, int]:
    """How many figures each set to measure by has, of those whose scores tell."""
    rows = [row for rows in made["tables"].values() for row in rows if "left_out" not in row]
    counts = {name: [row[name]["figures"] for row in rows] for name in made["measured_by"]}
    return {name: told[0] for name, all_ in counts.items() if (told := [n for n in all_ if n is not None])}


def _lines(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    heads = ["learned from", "styled by", "the thesis's AP", *(f"{what}, {n}" for n in names for what in ("AP", "PCK"))]
    cells = [heads, ["---"] * len(heads), *(_cells(row, names) for row in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


def _cells(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    stylizer = row["styled_by"] or ""
    cells = [row["row"], METHODS.get(stylizer.partition("/")[0], stylizer), _number(row["thesis_AP"], 2)]
    for name in names:
        if "left_out" in row:
            cells += [f"left out: {row['left_out']}", ""]
        else:
            low, high = row[name]["AP_interval"] or (None, None)
            ap = _number(row[name]["AP"], 3) + (f" ({low:.3f} to {high:.3f})" if low is not None else "")
            cells += [ap, _number(row[name]["PCK@0.1"], 3)]
    return cells


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
