"""A run as a page to look at, run/report.html: what went well, what did not, how fast, and by which recipe.

The page is one file that needs no other and asks nothing of the network. All of it comes from what lies in the folder
of the run, above all log.jsonl; while the run goes on it loads itself anew.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import torch

from ..progress import duration
from ..weights import replacing
from .charts import Kind, chart
from .checkpoint import describe
from .log import Line, drawable, read_log
from .recipe import Recipe
from .report_style import STYLE
from .samples import grids
from .signs import Sign, Signs, is_figure, is_loss, is_measured, rises

RELOAD_S = 30
"""Seconds after which the page of a run that goes on loads itself anew."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser may load and run for the page: nothing but what it holds, and no script at all."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a run is."""

    seen: int
    """Images so far."""
    ended: str = ""
    """How it ended, one line; empty while it goes on."""
    failed: bool = False
    """Whether it ended by an error."""
    best: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The best figure by model, as `watch` keeps it."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """Device and memory."""


def write(run: Path, recipe: Recipe, status: Status) -> None:
    """Writes run/report.html, whole or not at all.

    Raises:
        DiskError: the disk is full or not writable.
    """
    content = page(run, recipe, status).encode()
    with replacing(run / "report.html") as file:
        file.write(content)


def page(run: Path, recipe: Recipe, status: Status) -> str:
    """The page as HTML."""
    lines, described = read_log(run / "log.jsonl"), describe(recipe)
    title = recipe.title or str(described["method"]["name"])
    body = "\n".join(
        f'<section id="{anchor(name)}"><h2>{name}</h2>\n{content}</section>'
        for name, content in sections(run, recipe, status, lines).items()
        if content
    )
    reload = "" if status.ended else f'<meta http-equiv="refresh" content="{RELOAD_S}">\n'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{reload}'
        f"<title>{escape(f'{title}, {status.seen:,} images')}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{header(title, run, lines, status, recipe.images)}<main>\n{body}\n</main>\n"
        f"<footer>Written {time.strftime('%Y-%m-%d %H:%M:%S %z')}</footer>\n</body>\n</html>\n"
    )


def sections(run: Path, recipe: Recipe, status: Status, lines: Sequence[Line]) -> dict[str, str]:
    """What stands below each heading; nothing where there is nothing to show."""
    names = drawable(lines)
    learning = [name for name in names if name.startswith("lr/")]
    speed = {**dict(speed_rows(lines, status, recipe.images)), **status.machine}
    return {
        "Warnings": "".join(warnings(Signs(recipe.watch.patience).replay(lines).told)),
        "Best": table(best_rows(status.best)),
        "Samples": grids(run / "samples", status.seen),
        "Figures": curves(lines, [name for name in names if is_measured(name)]),
        "Losses": curves(lines, [name for name in names if is_loss(name)]),
        "Learning rates": curves(lines, learning),
        "Speed and memory": table(speed.items()),
        "Recipe": table(flat(describe(recipe))),
    }


def header(title: str, run: Path, lines: Sequence[Line], status: Status, images: int) -> str:
    """The top of the page: what it is, and where it is."""
    kind = "failed" if status.failed else "ended" if status.ended else "running"
    return (
        f'<header>\n<h1>{escape(title)}</h1>\n<p class="place">{escape(str(run))}</p>\n'
        f'<p class="status {kind}">{escape(headline(lines, status, images))}</p>\n'
        f'<progress value="{status.seen}" max="{images}"></progress>\n</header>\n'
    )


def headline(lines: Sequence[Line], status: Status, images: int) -> str:
    """Where the run is, in one line."""
    if status.ended:
        return f"{status.ended[:1].upper()}{status.ended[1:]}"
    rate = lines[-1]["images_per_s"] if lines else 0.0
    left = f", about {duration((images - status.seen) / rate)} left" if rate > 0 else ""
    return f"Running: {status.seen:,} of {images:,} images{left}"


def warnings(signs: Iterable[Sign]) -> Iterator[str]:
    """A line for each sign; those that are there come first, the last to come on top."""
    for sign in sorted(signs, key=lambda sign: (sign.until is not None, -sign.images)):
        gone = f", gone after {sign.until:,}" if sign.until is not None else ""
        kind = "sign" if sign.until is None else "sign gone"
        yield f'<p class="{kind}">After {sign.images:,} images{gone}: {escape(sign.text)}</p>\n'


def best_rows(best: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The best figure of each model, and the file that keeps it."""
    for name, entry in best.items():
        yield (
            f"best_{name}.safetensors",
            f"{entry['figure']} {entry['value']:.4g} after {entry['images']:,} images",
        )


def speed_rows(lines: Sequence[Line], status: Status, images: int) -> Iterator[tuple[str, str]]:
    """How fast the run is."""
    yield "images", f"{status.seen:,} of {images:,}"
    if lines:
        last, recent = lines[-1], lines[-20:]
        yield "training time", duration(last["seconds"])
        mean = last["images"] / max(last["seconds"], 1e-9)
        yield "images per second", f"{last['images_per_s']:.3g} now, {mean:.3g} overall"
        shares = [line["data_share"] for line in recent if "data_share" in line]
        yield "share of the time spent waiting for pictures", f"{sum(shares) / max(1, len(shares)):.0%}"


def machine(device: torch.device, precision: str) -> dict[str, str]:
    """Device, precision and the peaks of memory of this process."""
    found = {"device": f"{device}, {precision}"}
    if device.type == "cuda":
        found["device"] = f"{torch.cuda.get_device_name(device)} ({device}), {precision}"
        found["peak memory of the GPU"] = f"{torch.cuda.max_memory_allocated(device) / 1e9:.2f} GB"
    if sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        found["peak memory of the process"] = f"{peak / 1e9:.2f} GB"
    return found | {"processor cores": str(os.cpu_count())}


def flat(values: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The values of nested dicts by their paths, with dots."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list) and all(isinstance(value, str) for value in values):
        yield path, ", ".join(values)
    else:
        yield path, values if isinstance(values, str) else json.dumps(values)


def curves(lines: Sequence[Line], names: Sequence[str]) -> str:
    """A chart for each of the names."""
    charts = [
        chart(name, [(line["images"], line[name]) for line in lines if name in line], kind=kind_of(name))
        for name in names
    ]
    return f'<div class="charts">\n{"".join(charts)}</div>\n' if charts else ""


def kind_of(name: str) -> Kind:
    """How a value of the log is drawn."""
    if is_figure(name):
        return "rising" if rises(name) else "falling"
    return "measured" if is_measured(name) else "loss" if is_loss(name) else "rate"


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values; nothing if there are none."""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>\n" for name, value in rows)
    return f"<table>\n{body}</table>\n" if body else ""


def anchor(title: str) -> str:
    """A section's name in links."""
    return title.lower().replace(" ", "-")
