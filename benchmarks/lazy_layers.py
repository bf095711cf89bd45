"""Gradients in the middle of style2paints' network with and without its guide decoders (Figures 5 and 6 of the paper).

    python benchmarks/lazy_layers.py [DRAWINGS] [--images 800] [--drawn PNG]

Across the skips of a U-Net the decoder can do most of the work, and the layers in its middle, where the hint of the
style comes in, receive little to learn from. For each run there are the norm of the loss's gradient in the middle, its
share of that in the whole network, and the mean difference to the wanted picture. As in the paper the hint is added at
the middle only; a third run shows what comes of its reaching the decoder's blocks, too, as it does by default. All runs
see the same pictures and begin with the same weights in the layers that they share.
"""

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

import report
import torch
from matplotlib.figure import Figure
from torch import Tensor

from sfumato.recipes.style2paints import faces
from sfumato.train.loop import prepare
from sfumato.train.state import State

ROWS = 8
"""Lines of the table."""
RUNS = {
    "with guides": {"film": False},
    "without": {"film": False, "grey_weight": 0.0, "color_weight": 0.0},
    "with guides, hint in each block": {"film": True},
}
Step = tuple[float, float, float]


def gradients(
    folder: str, images: int, options: dict[str, float], first: dict[str, Tensor], *, size: int = 64, batch: int = 4
) -> list[Step]:
    """The norms of the gradient in the middle and in the whole network, and the pixels' loss, for each step.

    Args:
        first: the first weights, filled by the first run; the others begin with them in all layers that they share.

    # The gradient is that of the painting's own loss and the guides', as the paper has it.
    """
    recipe = faces()
    recipe = replace(
        recipe,
        method=replace(recipe.method, shift_start=images + 1, **options),
        data=replace(recipe.data, images=(folder,), size=size, shorter=(size, size * 5 // 4)),
        images=images,
        batch=batch,
        precision="fp32",
        ema_images=0,
    )
    state, samples = State(recipe, torch.device("cpu")), recipe.data.open()
    state.training.load_state_dict(first, strict=False)
    first |= {key: value.clone() for key, value in state.training.state_dict().items()}
    network = state.training.model.network
    middle = [network.into.weight, network.dense.weight, *network.out_of.parameters()]
    found: list[tuple[float, float]] = []
    steps: list[Step] = []

    def norm(parameters: list[torch.nn.Parameter]) -> float:
        return float(torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm())

    def note(_optimizer: object, _args: object, _kwargs: object) -> None:
        found.append((norm(middle), norm(list(network.parameters()))))

    state.settings["generator"] = replace(state.settings["generator"], clip=0.0)
    state.optimizers["generator"].register_step_pre_hook(note)
    for first in range(0, images - batch + 1, batch):
        parts = [samples.sample(recipe.seed, first + i) for i in range(batch)]
        losses = state.step(prepare({key: torch.stack([p[key] for p in parts]) for key in parts[0]}, state.device))
        steps.append((*found[-1], float(losses["generator/pixel"])))
    return steps


def plot(runs: dict[str, list[Step]], path: Path, batch: int = 4) -> None:
    """Draws the norms in the middle, and the losses, over the images seen; means of 10 steps."""
    figure = Figure(figsize=(10, 3.6))
    for place, (column, text) in enumerate([(0, "gradient in the middle"), (2, "difference to the picture")]):
        axes = figure.add_subplot(1, 2, place + 1)
        for name, values in runs.items():
            means = [statistics.mean(v[column] for v in values[i : i + 10]) for i in range(0, len(values), 10)]
            axes.semilogy([batch * 10 * (i + 1) for i in range(len(means))], means, label=name)
        axes.set(xlabel="images seen", title=text)
        axes.legend()
    figure.savefig(path, dpi=110, bbox_inches="tight")


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="drawings in colour")
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--drawn", type=Path, help="picture of the curves")
    given = parser.parse_args()
    folder = given.folder or str(report.data_folder() / "faces_drawn/toon_dicebear_ccby_cc0")
    first: dict[str, Tensor] = {}
    runs = {name: gradients(folder, given.images, options, first) for name, options in RUNS.items()}
    rows: list[report.Row] = []
    steps = len(runs["without"])
    for row in range(ROWS):
        part = slice(row * steps // ROWS, max((row + 1) * steps // ROWS, row * steps // ROWS + 1))
        for name, values in runs.items():
            middle, whole, pixel = (statistics.mean(v[k] for v in values[part]) for k in range(3))
            means = {"middle": middle, "share of all": middle / whole, "difference": pixel}
            rows.append({"images": 4 * part.stop, "run": name, **means})
    report.show("lazy_layers", {"Norm of the gradient in the middle of style2paints' network": rows})
    if given.drawn:
        plot(runs, given.drawn)


if __name__ == "__main__":
    main()
