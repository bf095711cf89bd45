"""HRNet-W32 at work and in training: how much faster than the plain network, and how near its maps stay.

    python benchmarks/hrnet.py [--batch 8] [--repeats 5] [--threads N] [--variant w32]

Pictures of 192 x 256 pixels. `plain` is a transcription of the authors' code in float32, one operation after the other
(plain_hrnet.py); `fast` is `hrnet.Fast`: normalisations folded into convolutions, channels_last, bf16 where the
processor is faster with it. Both are called in turn, times are medians. Weights are the formula of the golden files.
`least s` is the time that the operations of its convolutions would take at the largest rate of its 3x3 convolutions
(those of the four branches and of the stem), each alone, at the same batch and in the same number format: no
arrangement of these convolutions is faster. A training step of the plain network is Adam on contiguous float32; ours is
that of a recipe with bf16 where the processor is faster with it.
"""

import argparse
import dataclasses
import functools
import runpy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from plain_hrnet import PlainHRNet
from report import Row, show
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sfumato import device
from sfumato.methods import hrnet
from sfumato.recipes import hrnet as recipes
from sfumato.train.state import State


def trained(variant: str) -> hrnet.Model:
    """A model with the weights of the golden files, which are a formula: of random ones bf16's error grows by layer."""
    model = hrnet.Model(hrnet.Config(variant=variant))  # type: ignore[arg-type]
    golden = runpy.run_path(str(Path(__file__).parents[1] / "tests" / "parity" / "golden" / "fill.py"))["golden_fill"]
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            scale = name.endswith(".weight") and tensor.dim() == 1
            tensor.copy_(torch.from_numpy(golden(name, tensor.shape)) * (0.5 if scale else 1))
    return model.eval()


def medians(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds of each, called in turn after a warm-up."""
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def layers(variant: str) -> list[tuple[int, int, int]]:
    """Channels, height and width of the 3x3 convolutions of the four branches, and of the stem."""
    branches = [(int(variant.removeprefix("w")) << k, 64 >> k, 48 >> k) for k in range(4)]
    return [*branches, (64, 64, 48)]


def rate(variant: str, batch: int, dtype: torch.dtype, where: torch.device, repeats: int) -> float:
    """Operations a second of that of the network's 3x3 convolutions which makes most, each alone at this batch."""
    rates = []
    for channels, height, width in layers(variant):
        layer = device.to_device(nn.Conv2d(channels, channels, 3, padding=1, bias=False), where).to(dtype)
        maps = torch.rand(batch, channels, height, width).to(where, dtype, memory_format=torch.channels_last)
        with torch.inference_mode():
            seconds = medians({"layer": functools.partial(layer, maps)}, 10 * repeats)["layer"]
        rates.append(2 * layer.weight.numel() * batch * height * width / seconds)
    return max(rates)


def operations(model: nn.Module, pictures: Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(pictures)
    return counter.get_total_flops()


def at_work(variant: str, batch: int, repeats: int, where: torch.device) -> Row:
    """Times of both, and the difference of their maps."""
    pictures = torch.rand(batch, 3, 256, 192, generator=torch.Generator().manual_seed(1)).to(where)
    model = trained(variant).to(where)
    plain = PlainHRNet(model.state_dict())
    fast = hrnet.Fast(model, where)

    def plainly() -> Tensor:
        return plain((pictures - model.mean) / model.std)

    exact, ours = plainly(), fast(pictures)
    times = medians({"plain": plainly, "fast": lambda: fast(pictures)}, repeats)
    return {
        "network": variant,
        "batch": batch,
        "plain s": times["plain"],
        "fast s": times["fast"],
        "times faster": times["plain"] / times["fast"],
        "least s": operations(model, pictures) / rate(variant, batch, fast.dtype, where, repeats),
        "numbers": str(fast.dtype).removeprefix("torch."),
        "difference / std": float((ours - exact).square().mean().sqrt() / exact.std()),
    }


def in_training(variant: str, batch: int, repeats: int, where: torch.device) -> Row:
    """Times of a step of both."""
    sample = {
        "image": torch.rand(batch, 3, 256, 192).to(where),
        "joints": torch.rand(batch, 17, 2).to(where) * 190,
        "weights": torch.ones(batch, 17).to(where),
    }
    plain = hrnet.Training(hrnet.Config(variant=variant)).to(where).train()  # type: ignore[arg-type]
    adam = torch.optim.Adam(plain.parameters(), lr=1e-3)

    def plainly() -> None:
        loss = sum(next(plain.learn(sample)).values())
        adam.zero_grad()
        loss.backward()  # type: ignore[union-attr]
        adam.step()

    fast = device.fast_dtype(where) == torch.bfloat16
    recipe = dataclasses.replace(recipes.w32(), precision="bf16" if fast else "fp32", batch=batch)
    recipe = dataclasses.replace(recipe, method=dataclasses.replace(recipe.method, variant=variant))
    state = State(recipe, where)
    state.training.train()
    last = {key: x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for key, x in sample.items()}
    times = medians({"plain": plainly, "ours": lambda: state.step(last)}, repeats)
    ratio = times["plain"] / times["ours"]
    return {
        "network": variant,
        "batch": batch,
        "plain s": times["plain"],
        "ours s": times["ours"],
        "times faster": ratio,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="w32", choices=("w48", "w32"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    where = device.pick("auto")
    device.keep_memory()
    work = [at_work(given.variant, batch, given.repeats, where) for batch in sorted({1, given.batch})]
    steps = [in_training(given.variant, given.batch, given.repeats, where)]
    show("hrnet", {"Heatmaps of figures of 192 x 256 pixels": work, "A step of training": steps})


if __name__ == "__main__":
    main()
