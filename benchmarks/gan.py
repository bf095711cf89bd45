"""GANs of pictures: seconds of a training step and of a translation, and memory, against plain formulations.

    python benchmarks/gan.py [--repeats 5] [--cases 128:1 128:4 256:1]
    python benchmarks/gan.py --device cuda --name gan-gpu --cases 256:1 256:16

Plain: `plain_gan.py`, float32, eager, contiguous. Ours: the trainer's own step in the precision that `auto` gives, and
in float32. Two steps to warm up, then the median of `--repeats`; the sides take turns. Memory is the peak of a process
of its own, on a GPU that of its tensors. Equality: every term of the first step from the same weights, and the norms of
each network's gradients in bf16 against float32, on the CPU. The last table tells where the time of our step goes.
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
from torch.profiler import ProfilerActivity

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
SHOWN = 12
"""Operations of the profile."""
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


def step_of(side: str, method: str, size: int, count: int, place: torch.device) -> Callable[[], object]:
    """A step of `plain`, `fp32` or `bf16`."""
    pictures = batch(size, count)
    if side == "plain":
        return plain_step(method, size, pictures, place)
    state = State(recipe(method, count, side), place)
    return lambda: state.step(prepare(as_bytes(pictures), place))


def plain_step(method: str, size: int, pictures: dict[str, Tensor], place: torch.device) -> Callable[[], object]:
    """A step of the plain formulation."""
    kinds = {"cyclegan": plain_gan.CycleGAN, "cut": plain_gan.CUT, "ugatit": lambda: plain_ugatit.Plain(size)}
    a, b = (signed(pictures[side]).to(place) for side in "ab")
    with torch.device(place):
        plain = kinds[method]()
    return lambda: plain.step(a, b)


def fast(place: torch.device) -> str:
    """The precision that `auto` gives."""
    return "bf16" if device.fast_dtype(place) == torch.bfloat16 else "fp32"


def seconds(call: Callable[[], object], place: torch.device) -> float:
    """How long a call takes, to the end of what it has asked of a GPU."""
    finish(place)
    start = time.perf_counter()
    call()
    finish(place)
    return time.perf_counter() - start


def finish(place: torch.device) -> None:
    if place.type == "cuda":
        torch.cuda.synchronize(place)


def medians(calls: dict[str, Callable[[], object]], repeats: int, place: torch.device) -> dict[str, float]:
    """Of the seconds of each, in turn, once they are warm."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + WARM):
        for name, call in calls.items():
            found = seconds(call, place)
            if turn >= WARM:
                times[name].append(found)
    return {name: statistics.median(values) for name, values in times.items()}


def as_bytes(pictures: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: (x * 255).round().to(torch.uint8) for k, x in pictures.items()}


def measure(method: str, size: int, count: int, repeats: int, place: torch.device) -> report.Row:
    """Medians of a step, the sides in turn."""
    sides = dict.fromkeys(("plain", fast(place), "fp32"))
    found = medians({side: step_of(side, method, size, count, place) for side in sides}, repeats, place)
    row = {"method": method, "size": size, "batch": count} | {f"{side} s": time for side, time in found.items()}
    return said(row | {"faster": found["plain"] / found[fast(place)]})


def said(row: report.Row) -> report.Row:
    """The row, shown as soon as it is there: all of them take twenty minutes."""
    print("  ".join(f"{name} {report.cell(value)}" for name, value in row.items()), flush=True)
    return row


def inference(size: int, repeats: int, place: torch.device) -> report.Row:
    """A translation by the generator, 64 channels and nine blocks."""
    plain = plain_gan.generator().eval().to(place)
    ours = cyclegan.Model().eval().to(place, memory_format=torch.channels_last)
    picture = batch(size, 1)["a"].to(place)
    last, dtype = picture.contiguous(memory_format=torch.channels_last), device.fast_dtype(place)

    def translate() -> None:
        with device.autocast(place, dtype):
            ours(last)

    with torch.inference_mode():
        found = medians({"plain": lambda: plain(picture), "ours": translate}, repeats, place)
    row = {"size": size, "plain s": found["plain"], "ours s": found["ours"], "faster": found["plain"] / found["ours"]}
    return said(row)


def memory(method: str, size: int, count: int, place: torch.device) -> report.Row:
    """Peaks of processes that do two steps."""
    peaks = {}
    for side in ("nothing", "plain", fast(place)):
        words = [sys.executable, __file__, "--child", method, str(size), str(count), side, "--device", str(place)]
        peaks[side] = float(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-1])
    plain, ours = (peaks[side] - peaks["nothing"] for side in ("plain", fast(place)))
    row = {"method": method, "size": size, "batch": count, "plain MB": plain, "ours MB": ours, "share": ours / plain}
    return said(row)


def child(method: str, size: int, count: int, side: str, place: torch.device) -> None:
    device.keep_memory()
    if side != "nothing":
        step = step_of(side, method, size, count, place)
        for _ in range(2):
            step()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(torch.cuda.max_memory_allocated(place) / 1e6 if place.type == "cuda" else resident)


def profile(method: str, size: int, count: int, place: torch.device) -> list[report.Row]:
    """Where the time of our step goes: kernels of a GPU, operations of a CPU."""
    step = step_of(fast(place), method, size, count, place)
    for _ in range(WARM):
        step()
    return operations(step, place)


def operations(step: Callable[[], object], place: torch.device) -> list[report.Row]:
    """The longest kernels of a GPU, or operations of a CPU, of one step that is warm."""
    on_gpu = place.type == "cuda"
    kinds = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_gpu
    with torch.profiler.profile(activities=kinds) as found:
        step()
        finish(place)
    wanted = torch.autograd.DeviceType.CUDA if on_gpu else torch.autograd.DeviceType.CPU
    events = [(e, e.self_device_time_total if on_gpu else e.self_cpu_time_total) for e in found.key_averages()]
    events = [(e, spent) for e, spent in events if e.device_type == wanted and spent]
    whole = sum(spent for _, spent in events)
    longest = sorted(events, key=lambda pair: -pair[1])[:SHOWN]
    rows = [{"operation": e.key[:60], "calls": e.count, "ms": t / 1000, "share": t / whole} for e, t in longest]
    return [*rows, {"operation": "all", "calls": sum(e.count for e, _ in events), "ms": whole / 1000, "share": 1.0}]


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
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    place = device.pick(args.device)
    torch.set_num_threads(2)
    if args.child:
        method, size, count, side = args.child
        return child(method, int(size), int(count), side, place)
    device.keep_memory()
    cases = [tuple(int(n) for n in case.split(":")) for case in args.cases]
    memories = [memory("cyclegan", 256, 1, place)]  # before this process grows: a child's peak begins with its parent's
    steps = [measure("cyclegan", size, count, args.repeats, place) for size, count in cases]
    steps += [measure("cut", size, count, args.repeats, place) for size, count in cases[:1] + cases[-1:]]
    steps += [measure("ugatit", size, count, args.repeats, place) for size, count in cases[:1]]
    tables = {
        "a training step": steps,
        "a translation": [inference(256, args.repeats, place)],
        "memory of a step": memories,
        "equality of the first step, 128 px": equality(128),
        "gradients of the first step, 128 px": gradients(128),
        "profile of CycleGAN's step, {}:{}".format(*cases[-1]): profile("cyclegan", *cases[-1], place),
    }
    report.show(args.name, tables)


if __name__ == "__main__":
    main()
