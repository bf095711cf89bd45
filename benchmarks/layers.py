"""What the special layers save: each against the plain operations that give the same numbers, turn by turn.

    python benchmarks/layers.py [--repeats 15] [--size 96] [--threads 2]

Batches of four pictures, as a training of MicroAST sees them; forward alone, and with all gradients. The last rows are
one convolution in both number formats, which is why `device.fast_dtype` does not take bf16 everywhere.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import report
import torch
import torch.nn.functional as F
from torch import Tensor

from sfumato import device
from sfumato.nets.layers import ReflectConv2d, in_blocks
from sfumato.nets.norms import EPS, InstanceNorm, conv_mean, moments

BATCH = 4
Call = Callable[[], Tensor]


def plain_moments(x: Tensor) -> Tensor:
    mean = x.mean((2, 3), keepdim=True)
    var = (x - mean).square().sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3] - 1)
    return torch.cat([mean, (var + EPS).sqrt()])


def features(channels: int, size: int) -> Tensor:
    return torch.rand(BATCH, channels, size, size).contiguous(memory_format=torch.channels_last).requires_grad_()


def cases(size: int) -> dict[str, tuple[Call, Call, list[Tensor]]]:
    """By name: the plain operations, ours, and what gradients are taken of."""
    few, quarter, wide = features(16, size + 8), features(64, size // 4), features(64, size)
    half, norm = wide.detach().bfloat16().requires_grad_(), InstanceNorm()
    last, own = torch.nn.Conv2d(16, 3, 9), ReflectConv2d(64, 64, 3, groups=64)
    return {
        "16 channels to 3, 9x9": (
            lambda: F.conv2d(few, last.weight, last.bias),
            lambda: in_blocks(few, last.weight, last.bias),
            [few, last.weight],
        ),
        "mean of a depthwise convolution": (
            lambda: own(quarter).mean((2, 3)),
            lambda: conv_mean(quarter, own),
            [quarter, own.weight],
        ),
        "mean and deviation": (lambda: plain_moments(wide), lambda: torch.cat(moments(wide)), [wide]),
        "instance norm": (lambda: F.instance_norm(wide), lambda: norm(wide), [wide]),
        "instance norm, bf16": (lambda: F.instance_norm(half), lambda: norm(half), [half]),
    }


def medians(calls: list[Callable[[], object]], repeats: int) -> list[float]:
    """Milliseconds of each, called in turn after a warm-up."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + 3):
        for call, spent in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if turn >= 3:
                spent.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(spent) for spent in times]


def with_gradients(call: Call, inputs: list[Tensor]) -> Callable[[], object]:
    def run() -> object:
        y = call()
        return torch.autograd.grad(y, inputs, torch.ones_like(y))

    return run


def formats(size: int, repeats: int) -> list[report.Row]:
    """One convolution in float32 and in bf16."""
    calls = []
    for dtype in (torch.float32, torch.bfloat16):
        x, weight = (
            t.to(dtype, memory_format=torch.channels_last) for t in (features(64, size + 2), torch.rand(64, 64, 3, 3))
        )
        calls.append(lambda x=x, weight=weight: F.conv2d(x, weight))
    with torch.inference_mode():
        times = medians(calls, repeats)
    operations = 2 * BATCH * 64 * 64 * 9 * size**2
    names = ("float32", "bfloat16")
    return [
        {"64 channels, 3x3": n, "ms": t, "GFLOP/s": operations / t / 1e6} for n, t in zip(names, times, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="layers", help="of the results; another for another machine")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--size", type=int, default=96, help="side of the pictures, a multiple of 8")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    device.keep_memory()
    rows = []
    for name, (plain, ours, inputs) in cases(given.size).items():
        forward = medians([plain, ours], given.repeats)
        both = medians([with_gradients(plain, inputs), with_gradients(ours, inputs)], given.repeats)
        for kind, (theirs, own) in (("forward", forward), ("with gradients", both)):
            rows.append({"layer": name, "pass": kind, "plain ms": theirs, "ours ms": own, "faster": theirs / own})
    report.show(
        given.name,
        {f"float32, {BATCH} pictures of {given.size} px": rows, "number formats": formats(given.size, given.repeats)},
    )


if __name__ == "__main__":
    main()
