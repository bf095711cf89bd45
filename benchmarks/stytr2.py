"""StyTr2 against a plain float32 transcription: of the authors' whole test path, and of what a result needs of it.

    python benchmarks/stytr2.py [--sides 256 512] [--repeats 3] [--device cpu]

The authors' test computes what only trainings need, too: each picture in its own style, and features of all five. bf16
is timed where the device has units for it. The last table has the most memory of a process that makes one result.
Weights are random: time and memory do not depend on them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import report
import torch
from memory import peak
from plain_stytr2 import StyTr2, test_path

from sfumato.device import autocast, fast_dtype, pick, to_device
from sfumato.methods import stytr2
from sfumato.nets.vgg import VGG

LARGE = 1024
"""Side of the result whose memory is measured."""
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

    made = {
        "authors' test path": lambda: test_path(plain, vgg, content, style),
        "plain, nothing wasted": eager,
        "ours, float32": lambda: own(torch.float32),
    }
    if fast_dtype(device) == torch.bfloat16:
        made["ours, bfloat16"] = lambda: own(torch.bfloat16)
    return made


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


def compared(side: int, repeats: int, device: torch.device) -> list[report.Row]:
    """A row for each way."""
    seconds = timed(ways(side, device), repeats, device)
    theirs, plain = seconds["authors' test path"], seconds["plain, nothing wasted"]
    return [
        {"way": name, "seconds": value, "times the test path": theirs / value, "times plain": plain / value}
        for name, value in seconds.items()
    ]


def one_result(side: int) -> report.Row:
    """Seconds and the most memory of this process, which makes one result on the CPU in float32."""
    model = stytr2.Model().eval()
    content, style = torch.rand(1, 3, side, side), torch.rand(1, 3, 512, 512)
    start = time.perf_counter()
    with torch.inference_mode():
        model(content, style)
    return {
        "pixels": f"{side} x {side}",
        "style": "512 x 512",
        "seconds": time.perf_counter() - start,
        "peak GB": peak(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(one_result(given.child)))
        return
    tables = {}
    for side in given.sides:
        tables[f"{side} pixels"] = compared(side, given.repeats, pick(given.device))
        print(report.table(tables[f"{side} pixels"]), flush=True)
    run = subprocess.run([sys.executable, __file__, "--child", str(LARGE)], check=True, capture_output=True, text=True)
    tables["memory"] = [json.loads(run.stdout.splitlines()[-1])]
    report.show("stytr2", tables)


if __name__ == "__main__":
    main()
