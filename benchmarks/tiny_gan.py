"""A tiny CycleGAN in float32 and in bfloat16, over seeds: whether it ends as well.

    python benchmarks/tiny_gan.py [--seeds 3]

Discs on paper as in tests/shapes.py, 1,200 images in batches of 4 at 32 pixels; the Frechet distance by the compact
network on 24 held-out pictures of each kind, both ways, is the mean of the last two figures of a run. Longer
trajectories are chaotic, so that single runs differ by more than precisions do.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import shapes

from sfumato import train
from sfumato.train.log import read_log


def final(sides: dict[str, tuple[str]], precision: str, seed: int, run: Path) -> dict[str, float]:
    """The figures at the end of one run, by the direction."""
    train(shapes.recipe(sides, precision=precision, seed=seed), run, device="cpu")
    lines = read_log(run / "log.jsonl")[-2:]
    return {way: float(np.mean([line[f"{way}/fd-compact"] for line in lines])) for way in ("a2b", "b2a")}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=3)
    given = asked.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        sides = shapes.folders(Path(folder) / "shapes")
        for seed in range(given.seeds):
            found = {p: final(sides, p, seed, Path(folder) / f"{p}-{seed}") for p in ("fp32", "bf16")}
            rows += [{"seed": seed, "way": way, **{p: round(found[p][way]) for p in found}} for way in ("a2b", "b2a")]
    whole = [
        {"seed": name, "way": "both", **{p: round(float(of([row[p] for row in rows]))) for p in ("fp32", "bf16")}}
        for name, of in (("mean", np.mean), ("median", np.median))
    ]
    report.show("tiny_gan", {"fd-compact at the end": rows + whole})
    for row in whole:
        print(f"bf16 / fp32, {row['seed']}: {row['bf16'] / row['fp32']:.3f}")


if __name__ == "__main__":
    main()
