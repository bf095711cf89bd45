"""A run as a page to look at, run/report.html: what went well, what did not, how fast, and by which recipe.

The page is one file that needs no other and asks nothing of the network. All of it comes from what lies in the folder
of the run, above all log.jsonl; while the run goes on it loads itself anew.
"""

import base64
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..progress import duration
from ..weights import replacing
from .checkpoint import describe
from .log import Line, curves, drawable, read_log
from .recipe import Recipe
from .signs import Sign, Signs, is_loss, is_measured

RELOAD_S = 30
"""Seconds after which the page of a run that goes on loads itself anew."""
GRIDS = 6
"""Sample grids on the page: the first, the last and those evenly between."""
GRIDS_BYTES = 6_000_000
"""Room for their JPEGs: with base64 and all curves a page stays below 10 MB."""
WIDEST = 1200
"""Pixels of a grid's width; larger ones are shrunk."""
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; }
body { margin: 0 auto; padding: 1.5rem; max-width: 1240px; }
h1 { margin: 0; }
h2 { margin: 2rem 0 .5rem; border-bottom: 1px solid #ddd; }
h3 { margin: 1rem 0 .3rem; font-weight: 500; }
nav a { margin-right: 1em; }
progress { width: 100%; height: 1rem; }
img { max-width: 100%; height: auto; display: block; }
figure { margin: 1rem 0; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; overflow-wrap: anywhere; }
th { font-weight: 500; min-width: 12rem; }
th, figcaption { color: #555; }
.sign { border-left: 4px solid #c33; background: #fdf0f0; padding: .4rem .8rem; margin: .4rem 0; }
.gone { border-color: #aaa; background: #f5f5f5; color: #666; }
"""


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a run is."""

    seen: int
    """Images so far."""
    ended: str = ""
    """How it ended, one line; empty while it goes on."""
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
    lines = read_log(run / "log.jsonl")
    described = describe(recipe)
    name = str(described["method"]["name"])
    sections = {
        "Warnings": list(warnings(Signs(recipe.watch.patience).replay(lines).told)),
        "Best": [table(best_rows(status.best))] if status.best else [],
        "Samples": list(grids(run / "samples", status.seen)),
        "Figures": list(plots(lines, {"": [n for n in drawable(lines) if is_measured(n)]})),
        "Losses": list(plots(lines, by_group(n for n in drawable(lines) if is_loss(n)))),
        "Learning rates": list(plots(lines, {"": [n for n in drawable(lines) if n.startswith("lr/")]})),
        "Speed and memory": [table(speed_rows(lines, status, recipe.images))],
        "Recipe": [table(flat(described))],
    }
    shown = {title: parts for title, parts in sections.items() if parts}
    links = " ".join(f'<a href="#{anchor(title)}">{escape(title)}</a>' for title in shown)
    body = "\n".join(
        f'<section id="{anchor(title)}"><h2>{escape(title)}</h2>\n{"".join(parts)}</section>'
        for title, parts in shown.items()
    )
    reload = "" if status.ended else f'<meta http-equiv="refresh" content="{RELOAD_S}">\n'
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n{reload}'
        f"<title>{escape(f'{name}, {status.seen:,} images')}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escape(recipe.title or name)}</h1>\n<p>{escape(headline(lines, status, recipe.images))}</p>\n"
        f'<progress value="{status.seen}" max="{recipe.images}"></progress>\n<nav>{links}</nav>\n</header>\n'
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
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
    """How fast the run is and what it takes."""
    yield "images", f"{status.seen:,} of {images:,}"
    if lines:
        last, recent = lines[-1], lines[-20:]
        yield "training time", duration(last["seconds"])
        mean = last["images"] / max(last["seconds"], 1e-9)
        yield "images per second", f"{last['images_per_s']:.3g} now, {mean:.3g} overall"
        shares = [line["data_share"] for line in recent if "data_share" in line]
        yield "share of the time spent waiting for pictures", f"{sum(shares) / max(1, len(shares)):.0%}"
    yield from status.machine.items()


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


def by_group(names: Iterable[str]) -> dict[str, list[str]]:
    """The names of losses, `GROUP/TERM`, by their groups."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition("/")[0], []).append(name)
    return groups


def plots(lines: Sequence[Line], groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A picture of curves for each group, below its name."""
    for group, names in groups.items():
        if names:
            heading = f"<h3>{escape(group)}</h3>\n" if group else ""
            yield heading + picture("png", curves(lines, names, dpi=80), ", ".join(names)) + "\n"


def grids(folder: Path, seen: int) -> Iterator[str]:
    """Sample grids up to now, from the last to the first."""
    paths = chosen([path for path in sorted(folder.glob("*.jpg")) if path.stem.isdigit() and int(path.stem) <= seen])
    for path in reversed(paths):
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if pixels is not None:
            caption = f"{int(path.stem):,} images"
            content = jpeg(np.asarray(pixels, np.uint8), GRIDS_BYTES // len(paths))
            yield f"<figure>{picture('jpeg', content, caption)}<figcaption>{caption}</figcaption></figure>\n"


def chosen(paths: Sequence[Path], count: int = GRIDS) -> list[Path]:
    """The first, the last and others evenly between, `count` at most."""
    last = len(paths) - 1
    return [paths[i] for i in sorted({round(k * last / (count - 1)) for k in range(count)})] if paths else []


def jpeg(pixels: NDArray[np.uint8], room: int) -> bytes:
    """Pixels (H, W, 3), in OpenCV's order, as a JPEG of at most `room` bytes; shrunk if it must be."""
    scale = min(1.0, WIDEST / pixels.shape[1])
    while True:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()
        if len(content) <= room or max(size) == 1:
            return content
        scale *= 0.7


def picture(kind: str, content: bytes, text: str) -> str:
    """An image that the page holds itself."""
    return f'<img alt="{escape(text)}" src="data:image/{kind};base64,{base64.b64encode(content).decode()}">'


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>\n" for name, value in rows)
    return f"<table>\n{body}</table>\n"


def anchor(title: str) -> str:
    """A section's name in links."""
    return title.lower().replace(" ", "-")
