"""GANs of pictures: seconds of a training step and of a translation, and memory, against plain formulations.

    python benchmarks/gan.py [--repeats 5] [--cases 128:1 128:4 256:1]

Plain: `plain_gan.py`, float32, eager, contiguous. Ours: the trainer's own step in the precision that `auto` gives, and
in float32. Two steps to warm up, then the median of `--repeats`; the sides take turns. Memory is the peak of a process
of its own. Equality: every term of the first step from the same weights, and the norms of each network's gradients in
bf16 against float32.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import plain_gan
import plain_ugatit
import report
import torch
from torch import Tensor, nn

from sfumato import device
from sfumato.methods import cyclegan
from sfumato.methods.base import signed
from sfumato.nets.official import load_in_order
from sfumato.recipes import cut as cut_recipes
from sfumato.recipes import cyclegan as cyclegan_recipes
from sfumato.recipes import ugatit as ugatit_recipes
from sfumato.train.loop import prepare
from sfumato.train.recipe import Recipe
from sfumato.train.state import State

CPU = torch.device("cpu")
WARM = 2
RECIPES = {"cyclegan": cyclegan_recipes, "cut": cut_recipes, "ugatit": ugatit_recipes}


def batch(size: int, count: int) -> dict[str, Tensor]:
    """Made pictures (B, 3, size, size) in [0, 1]."""
    draw = torch.Generator().manual_seed(0)
    soft = torch.rand(2 * count, 3, 8, 8, generator=draw)
    pictures = nn.functional.interpolate(soft, (size, size), mode="bicubic").clamp(0, 1)
    return {"a": pictures[:count], "b": pictures[count:]}


def recipe(method: str, count: int, precision: str) -> Recipe:
    return replace(RECIPES[method].selfie2anime(), batch=count, precision=precision, ema_images=0)


def same_weights(plain: plain_gan.CycleGAN | plain_gan.CUT, training: nn.Module) -> None:
    """Gives the plain networks' weights to ours."""
    pairs = [(plain.a2b, training.a2b.network)]
    if isinstance(plain, plain_gan.CycleGAN):
        pairs += [
            (plain.b2a, training.b2a.network),
            (plain.judge_a, training.judge_a),
            (plain.judge_b, training.judge_b),
        ]
    else:
        pairs += [(plain.judge, training.judge)]
    for theirs, ours in pairs:
        state = {f"model.{k}": t for k, t in theirs.state_dict().items() if not k.endswith("filt")}
        load_in_order(ours, state, "the plain network")


def step_of(side: str, method: str, size: int, count: int) -> Callable[[], object]:
    """A step of `plain`, `fp32` or `bf16`."""
    pictures = batch(size, count)
    if side == "plain":
        kinds = {"cyclegan": plain_gan.CycleGAN, "cut": plain_gan.CUT, "ugatit": lambda: plain_ugatit.Plain(size)}
        plain = kinds[method]()
        a, b = signed(pictures["a"]), signed(pictures["b"])
        return lambda: plain.step(a, b)
    state = State(recipe(method, count, side), CPU)
    return lambda: state.step(prepare(as_bytes(pictures), CPU))


def fast() -> str:
    """The precision that `auto` gives."""
    return "bf16" if device.fast_dtype(CPU) == torch.bfloat16 else "fp32"


def as_bytes(pictures: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: (x * 255).round().to(torch.uint8) for k, x in pictures.items()}


def measure(method: str, size: int, count: int, repeats: int) -> report.Row:
    """Medians of a step, the sides in turn."""
    steps = {side: step_of(side, method, size, count) for side in dict.fromkeys(("plain", fast(), "fp32"))}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(repeats + WARM):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn >= WARM:
                times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in times.items()}
    row = {"method": method, "size": size, "batch": count} | {f"{side} s": time for side, time in medians.items()}
    return row | {"faster": medians["plain"] / medians[fast()]}


def inference(size: int, repeats: int) -> report.Row:
    """A translation by the generator, 64 channels and nine blocks."""
    plain, ours = plain_gan.generator().eval(), cyclegan.Model().eval().to(memory_format=torch.channels_last)
    picture = batch(size, 1)["a"]
    last = picture.contiguous(memory_format=torch.channels_last)
    dtype = device.fast_dtype(CPU)

    def translate() -> None:
        with device.autocast(CPU, dtype):
            ours(last)

    times: dict[str, list[float]] = {"plain": [], "ours": []}
    with torch.inference_mode():
        for turn in range(repeats + WARM):
            for name, call in (("plain", lambda: plain(picture)), ("ours", translate)):
                start = time.perf_counter()
                call()
                if turn >= WARM:
                    times[name].append(time.perf_counter() - start)
    a, b = (statistics.median(times[name]) for name in ("plain", "ours"))
    return {"size": size, "plain s": a, "ours s": b, "faster": a / b}


def memory(method: str, size: int, count: int) -> report.Row:
    """Peaks of processes that do two steps."""
    peaks = {}
    for side in ("nothing", "plain", fast()):
        words = [sys.executable, __file__, "--child", method, str(size), str(count), side]
        peaks[side] = float(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-1])
    plain, ours = (peaks[side] - peaks["nothing"] for side in ("plain", fast()))
    return {"method": method, "size": size, "batch": count, "plain MB": plain, "ours MB": ours, "share": ours / plain}


def child(method: str, size: int, count: int, side: str) -> None:
    device.keep_memory()
    if side != "nothing":
        step = step_of(side, method, size, count)
        for _ in range(2):
            step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def equality(size: int) -> list[report.Row]:
    """The terms of CycleGAN's first step from the same weights."""
    pictures, rows = batch(size, 1), []
    plain = plain_gan.CycleGAN()
    state = {p: State(recipe("cyclegan", 1, p), CPU) for p in ("fp32", "bf16")}
    for each in state.values():
        same_weights(plain, each.training)
    exact = {k: x.round(decimals=7) for k, x in prepare(as_bytes(pictures), CPU).items()}
    plain.step(signed(exact["a"]), signed(exact["b"]))
    found = {p: s.step(dict(exact)) for p, s in state.items()}
    for name, loss in plain.losses.items():
        group = "discriminators" if name in ("a", "b") else "generators"
        ours = {p: float(found[p][f"{group}/{name}"]) for p in found}
        rows.append(
            {"term": name, "plain": loss.item()} | {f"{p}: off by": abs(v / loss.item() - 1) for p, v in ours.items()}
        )
    return rows


def gradients(size: int) -> list[report.Row]:
    """The norms of gradients in the first step of each method, bf16 against float32 from the same weights."""
    rows = []
    for method in RECIPES:
        found: dict[str, dict[str, float]] = {}
        for precision in ("fp32", "bf16"):
            state = State(recipe(method, 1, precision), CPU)
            found[precision] = norms(state, prepare(as_bytes(batch(size, 1)), CPU))
        for name, value in found["fp32"].items():
            rows.append(
                {
                    "method": method,
                    "gradients of": name,
                    "norm": value,
                    "bf16: off by": abs(found["bf16"][name] / value - 1),
                }
            )
    return rows


def norms(state: State, pictures: dict[str, Tensor]) -> dict[str, float]:
    """The norm of the gradients of each group in one step."""
    update, found = state._update, {}

    def noted(group: str, rate: float) -> None:
        gradients = [p.grad for p in state.parameters[group] if p.grad is not None]
        found[group] = float(torch.stack([g.float().norm() for g in gradients]).norm())
        update(group, rate)

    state._update = noted  # type: ignore[method-assign]
    state.step(pictures)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="gan", help="of the results; another for another machine")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cases", nargs="+", default=["128:1", "128:4", "256:1"], help="SIZE:BATCH")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(2)
    if args.child:
        method, size, count, side = args.child
        return child(method, int(size), int(count), side)
    device.keep_memory()
    cases = [tuple(int(n) for n in case.split(":")) for case in args.cases]
    memories = [memory("cyclegan", 256, 1)]  # before this process grows: a child's peak begins with its parent's
    steps = [measure("cyclegan", size, count, args.repeats) for size, count in cases]
    steps += [measure("cut", size, count, args.repeats) for size, count in cases[:1] + cases[-1:]]
    steps += [measure("ugatit", size, count, args.repeats) for size, count in cases[:1]]
    tables = {
        "a training step": steps,
        "a translation": [inference(256, args.repeats)],
        "memory of a step": memories,
        "equality of the first step, 128 px": equality(128),
        "gradients of the first step, 128 px": gradients(128),
    }
    report.show(args.name, tables)


if __name__ == "__main__":
    main()
