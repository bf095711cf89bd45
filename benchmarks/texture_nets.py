"""A texture by optimisation and by a network: how good it is after how long, and how much memory it takes.

    python benchmarks/texture_nets.py [SWATCH...] [--size 256] [--steps 1500] [--iterations 200 100] [--threads N]

Each part runs in a process of its own, whose peak memory is that of Python and PyTorch with it: Gatys' optimisation of
a seamless texture, the training of a texture network by the recipe `texture_nets.texture`, and textures made by that
network. Both look at the swatch through the compact network. They are judged by one that neither has seen, the
normalised VGG-19 up to relu3_1: the distance of Gram matrices relative to the swatch's, summed over relu1_1, relu2_1
and relu3_1. `seam` is the mean difference of pixels where two copies of a texture meet, relative to that of all other
neighbours, as the network makes it; what the command writes begins where neighbours differ least. Times are those of
the clock, without the judging.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from report import HERE, Row, data_folder, show
from torch import Tensor

from sfumato import weights
from sfumato.card import Card
from sfumato.data.swatch import Swatch
from sfumato.losses.texture import Gram
from sfumato.methods import gatys
from sfumato.nets.perceptual import read_perceptual
from sfumato.recipes import texture_nets as recipes
from sfumato.train.products import card
from sfumato.train.state import State
from sfumato.translate.weaver import Weaver

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
LOOKS = 24
"""Moments at which a picture is kept to be judged."""
DRAWN = HERE.parent / "docs" / "images" / "texture_nets.jpg"


class Judge:
    """How far textures are from a swatch (1, 3, h, w)."""

    def __init__(self, swatch: Tensor) -> None:
        file = data_folder() / "weights/vgg19_wct/vgg_normalised_conv3_1.pth"
        self.network = read_perceptual([str(file)])
        self.targets = {layer: Gram(Gram.of(x)) for layer, x in self.network(swatch, LAYERS).items()}

    @torch.inference_mode()
    def __call__(self, texture: Tensor) -> dict[str, float]:
        """The distance in each layer, of (1, 3, H, W)."""
        features = self.network(texture, LAYERS)
        return {layer: float(goal.distance(goal.of(features[layer]))) for layer, goal in self.targets.items()}


def read(swatch: str, side: int) -> Tensor:
    """A swatch (1, 3, h, w) in [0, 1], its longest side that long."""
    return Swatch(style=(swatch,), style_px=side).open().sample(0, 0)["style"][None].float() / 255


def seam(texture: Tensor) -> float:
    """The mean difference across the borders of copies side by side, relative to that between neighbours."""
    across = [(texture.select(d, 0) - texture.select(d, -1)).abs().mean() for d in (2, 3)]
    inside = [texture.diff(dim=d).abs().mean() for d in (2, 3)]
    return float(sum(across) / sum(inside))


def optimise(given: argparse.Namespace) -> dict[str, Any]:
    """Gatys' texture, and what it was on the way."""
    looks: list[tuple[float, int, Tensor]] = []
    config = gatys.Config(perceptual=("compact",), style_px=given.size, iterations=tuple(given.iterations))
    swatch, start, aside = read(given.swatches[0], given.size), time.perf_counter(), 0.0

    def look(step: int, steps: int, _loss: float, preview: Any) -> None:
        nonlocal aside
        if step % max(1, steps // LOOKS) == 0 or step == 1:
            before = time.perf_counter()
            looks.append((before - start - aside, step, preview()))
            aside += time.perf_counter() - before

    result = gatys.Model(config).texture(swatch, given.size, True, progress=look)
    looks.append((time.perf_counter() - start - aside, looks[-1][1], result))
    return {"looks": looks}


def learn(given: argparse.Namespace) -> dict[str, Any]:
    """A network of the recipe, saved, and a texture of it on the way."""
    recipe = recipes.texture()
    images, looks = given.steps * recipe.batch, []
    data = replace(recipe.data, style=(given.swatches[0],), style_px=given.size)
    recipe = replace(recipe, data=data, images=images)
    start, aside = time.perf_counter(), 0.0
    state = State(recipe, torch.device("cpu"))
    batch = {"style": read(given.swatches[0], given.size).expand(recipe.batch, -1, -1, -1)}
    moments = {round((given.steps - 1) * (k / LOOKS) ** 2) + 1 for k in range(LOOKS + 1)}
    for step in range(1, given.steps + 1):
        state.step(batch)
        if step in moments:
            before = time.perf_counter()
            (model,) = state.models().values()
            looks.append((before - start - aside, step, model.texture(given.size)))  # type: ignore[operator]
            aside += time.perf_counter() - before
    made: Card = card("texture", recipe, images, {}, {})
    weights.save(given.child[1], model, made)
    return {"looks": looks}


def weave(given: argparse.Namespace) -> dict[str, Any]:
    """Textures of the saved network: median seconds of one, and the mean seam of several before they are cut."""
    weaver, times, seams = Weaver(given.child[1], device="cpu"), [], []
    for seed in range(9):
        start = time.perf_counter()
        weaver.texture((given.size, given.size), seed=seed)
        times.append(time.perf_counter() - start)
        with torch.inference_mode():
            seams.append(seam(weaver.model.texture(given.size, seed=seed)))
    looks = [(statistics.median(times[1:]), 0, weaver.model.texture(given.size))]
    return {"looks": looks, "seam": statistics.mean(seams)}


def part(name: str, given: argparse.Namespace, swatch: str, folder: str) -> dict[str, Any]:
    """What a part did in a process of its own, its pictures judged."""
    model, kept = str(Path(folder) / "texture.safetensors"), str(Path(folder) / "looks.pt")
    words = [swatch, "--size", given.size, "--steps", given.steps, "--threads", given.threads]
    words += ["--iterations", *given.iterations, "--child", name, model, kept]
    subprocess.run([sys.executable, __file__, *map(str, words)], check=True)
    found = torch.load(kept, weights_only=True)
    judge = Judge(read(swatch, given.size))
    curve = [(seconds, step, judge(picture)) for seconds, step, picture in found["looks"]]
    return found | {"curve": curve, "picture": found["looks"][-1][2]}


def row(swatch: str, name: str, found: dict[str, Any], gatys_loss: float) -> Row:
    """A line of the table."""
    seconds, step, losses = found["curve"][-1]
    loss = sum(losses.values())
    return {
        "swatch": Path(swatch).stem,
        "part": name,
        "steps": step,
        "seconds": seconds,
        "peak GB": found["peak GB"],
        "style loss": loss,
        "of Gatys'": loss / gatys_loss,
        **losses,
        "seam": found.get("seam") or seam(found["picture"]),
    }


def draw(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Writes docs/images/texture_nets.jpg: for each swatch what was made of it, and the losses over the time."""
    figure = Figure(figsize=(8.4, 3.1 * len(results)), layout="constrained")
    for k, parts in enumerate(results.values()):
        for place, name in enumerate(("Gatys", "network"), 1):
            axes = figure.add_subplot(len(results), 3, 3 * k + place, title=name)
            axes.imshow(parts[name]["picture"][0].permute(1, 2, 0).clamp(0, 1).numpy())
            axes.axis("off")
        axes = figure.add_subplot(len(results), 3, 3 * k + 3, xlabel="seconds", title="style loss, VGG-19")
        for name, color in (("Gatys", "tab:blue"), ("network", "tab:orange")):
            curve = parts[name]["curve"]
            axes.plot([c[0] for c in curve], [sum(c[2].values()) for c in curve], color=color, label=name)
        axes.axvline(
            parts["a texture"]["curve"][-1][0], color="tab:orange", linestyle=":", label="a texture, once learned"
        )
        axes.set(xscale="log", yscale="log")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(DRAWN, dpi=100)


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = [str(data_folder() / f"textures/misc_permissive/{name}.jpg") for name in ("0000", "0014")]
    parser.add_argument("swatches", nargs="*", default=usual)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--iterations", type=int, nargs="+", default=[200, 100])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.child:
        found = {"optimise": optimise, "learn": learn, "weave": weave}[given.child[0]](given)
        found["peak GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        torch.save(found, given.child[2])
        return
    results, rows = {}, []
    for swatch in given.swatches:
        with tempfile.TemporaryDirectory() as folder:
            parts = {
                name: part(kind, given, swatch, folder)
                for name, kind in (("Gatys", "optimise"), ("network", "learn"), ("a texture", "weave"))
            }
        results[swatch] = parts
        gatys_loss = sum(parts["Gatys"]["curve"][-1][2].values())
        rows += [row(swatch, name, found, gatys_loss) for name, found in parts.items()]
        # After each swatch, which takes half an hour.
        show(
            "texture_nets", {f"{given.size} x {given.size} pixels, {given.threads} threads": rows}
        )  # half an hour each
        draw(results)


if __name__ == "__main__":
    main()
