"""Which side of a tile is the fastest: the same picture with several, turn by turn, as medians.

    python benchmarks/tiles.py [--size 3072 2048] [--sides 0 512 768 1024 1536 2048] [--repeats 5]

With a network of the size of `microast/art`; 0 is the whole picture at once.
"""

import argparse
import statistics
import time

import numpy as np
import report

from sfumato.image import from_any
from sfumato.methods import microast
from sfumato.translate import Translator


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, nargs=2, default=(3072, 2048))
    parser.add_argument("--sides", type=int, nargs="+", default=(0, 512, 768, 1024, 1536, 2048))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    draw = np.random.default_rng(0)
    width, height = given.size
    photo = from_any(draw.integers(0, 256, (height, width, 3)).astype(np.uint8))
    style = draw.integers(0, 256, (512, 512, 3)).astype(np.uint8)
    model = microast.Model()
    made = {side: Translator(model, side, device=given.device, precision=given.precision) for side in given.sides}
    times: dict[int, list[float]] = {side: [] for side in made}
    for turn in range(given.repeats + 1):
        for side, translator in made.items():
            start = time.perf_counter()
            translator.translate_picture(photo, [style])
            if turn:  # the first one warms up
                times[side].append(time.perf_counter() - start)
    best = min(statistics.median(taken) for taken in times.values())
    rows = [
        {"tile": side, "seconds": statistics.median(taken), "of the best": statistics.median(taken) / best}
        for side, taken in times.items()
    ]
    report.show("tiles", {f"{width} x {height} pixels, {given.precision}, median of {given.repeats}": rows})


if __name__ == "__main__":
    main()
