"""Throughput of the recipe `microast.art`: images per second, and the share of the time spent waiting for pictures.

    python benchmarks/training.py [--seconds 30] [--recipes microast.art]

Trains on the photographs and paintings of the data folder, in a folder that is thrown away. The first quarter of the
time, in which the networks warm up and pictures are read for the first time, is told apart.
"""

import argparse
import contextlib
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import report

from sfumato import recipes
from sfumato.errors import Cancelled
from sfumato.train import Recipe, train
from sfumato.train.log import read_log

PHOTOS = ("photos/cc0_pd", "photos/unsplash_licence")
PAINTINGS = ("paintings/artic_cc0", "paintings/pd_masters")


def filled(recipe: Recipe, images: int | None = None) -> Recipe:
    """The recipe with folders of pictures, logged often and never saved on the way."""
    folders = {
        name: tuple(str(report.data_folder() / part) for part in parts)
        for name, parts in {"content": PHOTOS, "style": PAINTINGS, "images": PHOTOS + PAINTINGS}.items()
        if name in {field.name for field in dataclasses.fields(recipe.data)}
    }
    data = dataclasses.replace(recipe.data, **folders)
    rare = images or recipe.images
    every = {"log_every": 2 * recipe.batch, "save_every": rare, "sample_every": rare}
    return dataclasses.replace(recipe, data=data, **every)


def stop_after(seconds: float) -> Callable[[int, int], bool]:
    """A progress callback that cancels once the time since the first step is over."""
    began: list[float] = []

    def progress(_done: int, _total: int) -> bool:
        began.append(time.monotonic())
        return began[-1] - began[0] < seconds

    return progress


def measure(name: str, seconds: float, **changes: object) -> report.Row:
    """One row of the table."""
    recipe = dataclasses.replace(filled(recipes.find(name)), **changes)
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.suppress(Cancelled):
            train(recipe, folder, progress=stop_after(seconds))
        lines = read_log(Path(folder) / "log.jsonl")
        precision = json.loads((Path(folder) / "recipe.json").read_text())["precision"]  # that `auto` became
    times = [line["seconds"] for line in lines]
    warm = [i for i, moment in enumerate(times) if moment > times[-1] / 4]
    first, last = warm[0], warm[-1]
    spent = [later - earlier for earlier, later in zip(times, times[1:], strict=False)][first:last]
    waited = sum(t * line["data_share"] for t, line in zip(spent, lines[first + 1 : last + 1], strict=True))
    return {
        "recipe": name,
        "crop": recipe.data.size,
        "batch": recipe.batch,
        "precision": precision,
        "workers": recipe.workers,
        "cache_mb": recipe.cache_mb,
        "images/s": (lines[last]["images"] - lines[first]["images"]) / sum(spent),
        "waiting for data, %": 100 * waited / sum(spent),
        "first quarter: images/s": lines[first]["images"] / times[first],
        "first quarter: waiting, %": 100 * sum(line["data_share"] for line in lines[: first + 1]) / (first + 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="training", help="of the results; another for another machine")
    parser.add_argument("--seconds", type=float, default=30, help="for each row")
    parser.add_argument("--recipes", nargs="+", default=["microast.art"])
    given = parser.parse_args()
    rows = []
    for name in given.recipes:
        rows.append(measure(name, given.seconds))
        rows.append(measure(name, given.seconds, cache_mb=0))
        rows += [measure(name, given.seconds, precision=precision) for precision in ("fp32", "bf16")]
    report.show(given.name, {"throughput": rows})


if __name__ == "__main__":
    main()
