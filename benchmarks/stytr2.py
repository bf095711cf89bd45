"""StyTr2 against the plain eager float32 transcription of the authors' test path, and against our own network so run.

    python benchmarks/stytr2.py [--sides 256 512] [--repeats 3] [--device cpu]

Prints a row for each side and writes results/stytr2.json. Weights are random: time does not depend on them.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from plain_stytr2 import StyTr2, test_path

from sfumato.device import autocast, pick, to_device
from sfumato.methods import stytr2
from sfumato.nets.vgg import VGG

RESULTS = Path(__file__).parent / "results" / "stytr2.json"
LAYERS = stytr2.LAYERS


class Features(torch.nn.Module):
    """The normalised VGG-19 up to relu5_1, whose features the authors' test computes for every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.vgg = VGG(19, LAYERS[-1])

    def forward(self, images: torch.Tensor) -> object:
        return self.vgg(images, LAYERS)


def ways(side: int, device: torch.device) -> dict[str, Callable[[], object]]:
    """What is compared, by name."""
    torch.manual_seed(0)
    plain, vgg = StyTr2().eval().to(device), Features().eval().to(device)
    ours = stytr2.Model().eval()
    for role in stytr2.OFFICIAL_ROLES:
        getattr(ours, role).load_state_dict(getattr(plain, role).state_dict())
    ours = to_device(ours, device)
    content, style = (torch.rand(1, 3, side, side, device=device) for _ in range(2))

    def own(dtype: torch.dtype) -> object:
        with torch.inference_mode(), autocast(device, dtype):
            return ours(content, style).float()

    def eager() -> object:
        with torch.no_grad():
            return plain(content, style)

    return {
        "authors' test path": lambda: test_path(plain, vgg, content, style),
        "plain, nothing wasted": eager,
        "ours, float32": lambda: own(torch.float32),
        "ours, bfloat16": lambda: own(torch.bfloat16),
    }


def timed(ways: dict[str, Callable[[], object]], repeats: int, device: torch.device) -> dict[str, float]:
    """Median seconds of each way, in turn, after one try of each."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    device, rows = pick(given.device), []
    for side in given.sides:
        seconds = timed(ways(side, device), given.repeats, device)
        theirs, plain = seconds["authors' test path"], seconds["plain, nothing wasted"]
        for name, value in seconds.items():
            row = {"side": side, "way": name, "seconds": round(value, 3)}
            rows.append(row | {"times the test path": round(theirs / value, 2), "times plain": round(plain / value, 2)})
            print(rows[-1], flush=True)
    RESULTS.write_text(json.dumps({"device": str(device), "threads": torch.get_num_threads(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
