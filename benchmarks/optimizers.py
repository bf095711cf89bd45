"""Adam against Muon: how far MicroAST comes from random weights in the same number of steps, on the same samples.

    python benchmarks/optimizers.py [--steps 500] [--size 64]

The recipe `microast.art` with crops of that size and a learning rate that falls to zero. The losses are means over the
last quarter of the steps.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import report
import training

from sfumato import device, recipes
from sfumato.train import Optimizer, Recipe, Schedule, train
from sfumato.train.log import read_log

CHOICES = [
    Optimizer(lr=7e-4, clip=10.0),
    Optimizer(lr=1.5e-3, clip=10.0),
    Optimizer(lr=1.5e-3, clip=10.0, muon=0.95),
    Optimizer(lr=4e-3, clip=10.0, muon=0.95),
]


def shortened(optimizer: Optimizer, steps: int, size: int) -> Recipe:
    """The recipe with that optimiser, logged four times and never saved on the way."""
    recipe = training.filled(recipes.find("microast.art"))
    images = steps * recipe.batch
    return dataclasses.replace(
        recipe,
        images=images,
        data=dataclasses.replace(recipe.data, size=size, shorter=(size, 320)),
        optimizers={"stylizer": optimizer},
        schedule=Schedule(kind="linear", warmup=images // 5),
        log_every=images // 4,
        save_every=images,
        sample_every=images,
    )


def measure(optimizer: Optimizer, steps: int, size: int) -> report.Row:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        train(shortened(optimizer, steps, size), folder)
        last = read_log(Path(folder) / "log.jsonl")[-1]
    losses = {name.partition("/")[2]: value for name, value in last.items() if name.startswith("stylizer/")}
    kind = f"Muon {optimizer.muon:g}" if optimizer.muon else "Adam"
    return {"optimiser": kind, "learning rate": optimizer.lr, **losses, "seconds": last["seconds"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--size", type=int, default=64)
    given = parser.parse_args()
    device.keep_memory()
    rows = [measure(choice, given.steps, given.size) for choice in CHOICES]
    report.show("optimizers", {f"losses after {given.steps} steps": rows})


if __name__ == "__main__":
    main()
