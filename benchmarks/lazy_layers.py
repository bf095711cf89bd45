"""Gradients in the middle of style2paints' network with and without its guide decoders (Figures 5 and 6 of the paper).

    python benchmarks/lazy_layers.py DRAWINGS [--images N] [--out PNG]

Across the skips of a U-Net the decoder can do most of the work, and the layers in its middle, where the hint of the
style comes in, receive little to learn from. For each run the norm of the loss's gradient in the middle is printed, and
its share of that in the whole network; both runs see the same pictures and begin with the same weights.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from sfumato.recipes.style2paints import faces
from sfumato.train.loop import prepare
from sfumato.train.state import State

ROWS = 10
"""Lines of the table."""


def gradients(folder: str, images: int, *, guided: bool, size: int = 64, batch: int = 4) -> list[tuple[float, float]]:
    """The norms of the gradient in the middle and in the whole network, for each step.

    # The gradient is that of the painting's own loss and the guides', as the paper has it.
    """
    recipe = faces()
    weights = {} if guided else {"grey_weight": 0.0, "color_weight": 0.0}
    recipe = replace(
        recipe,
        method=replace(recipe.method, shift_start=images + 1, **weights),
        data=replace(recipe.data, images=(folder,), size=size, shorter=(size, size * 5 // 4)),
        images=images,
        batch=batch,
        precision="fp32",
        ema_images=0,
    )
    state, samples = State(recipe, torch.device("cpu")), recipe.data.open()
    network = state.training.model.network
    middle = [network.into.weight, network.dense.weight, *network.out_of.parameters()]
    found = []

    def norm(parameters: list[torch.nn.Parameter]) -> float:
        return float(torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm())

    def note(_optimizer: object, _args: object, _kwargs: object) -> None:
        found.append((norm(middle), norm(list(network.parameters()))))

    state.settings["generator"] = replace(state.settings["generator"], clip=0.0)
    state.optimizers["generator"].register_step_pre_hook(note)
    for first in range(0, images - batch + 1, batch):
        parts = [samples.sample(recipe.seed, first + i) for i in range(batch)]
        state.step(prepare({key: torch.stack([p[key] for p in parts]) for key in parts[0]}, state.device))
    return found


def plot(runs: dict[str, list[tuple[float, float]]], path: Path, batch: int = 4) -> None:
    """Draws the norms in the middle over the images seen."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, values in runs.items():
        axes.semilogy([batch * (i + 1) for i in range(len(values))], [middle for middle, _ in values], label=name)
    axes.set(xlabel="images seen", ylabel="norm of the gradient in the middle")
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="drawings in colour")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("lazy_layers.png"))
    given = parser.parse_args()
    runs = {
        "with guide decoders": gradients(given.folder, given.images, guided=True),
        "without": gradients(given.folder, given.images, guided=False),
    }
    print(f"{'images':>10} " + " ".join(f"{name:>22} {'share':>6}" for name in runs))
    steps = len(runs["without"])
    rows = {}
    for row in range(ROWS):
        part = slice(row * steps // ROWS, max((row + 1) * steps // ROWS, row * steps // ROWS + 1))
        means = {}
        for name, values in runs.items():
            middle, whole = (sum(v[k] for v in values[part]) / len(values[part]) for k in (0, 1))
            means[name] = (middle, middle / whole)
        rows[4 * part.stop] = means
        print(f"{4 * part.stop:>10} " + " ".join(f"{m:>22.4f} {share:>6.2f}" for m, share in means.values()))
    plot(runs, given.out)
    given.out.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
