"""How fast a picture is optimised, against the plain formulation, and that both come equally far.

    python benchmarks/gatys.py [--size 512] [--repeats 7] [--iterations 40] [--threads N]

Both sides look at the same picture with the same layers of the same network, compare Gram matrices with cached
targets, and weigh the same terms. Plain is: the network's own modules in float32 and in PyTorch's default layout, Gram
matrices by one product, `torch.optim`. Ours is what `sfumato.methods.gatys` does; `narrow`, its default, leaves out the
1x1 heads of the compact network and so has a loss of its own. Times are medians of runs of a few iterations each, plain
and ours by turns; the processor's own seconds beside those of the clock tell whether other work disturbed them. The
final loss is that of the plain formulation in float32, for all; our L-BFGS has another first step than PyTorch's, so
what bfloat16 does to it is seen beside ours in float32.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from report import Row, data_folder, show
from torch import Tensor

from sfumato import device, image
from sfumato.losses.descent import LBFGS, Adam
from sfumato.losses.judge import Judge
from sfumato.nets.frozen import Frozen
from sfumato.nets.perceptual import Perceptual, read_perceptual

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
STYLE_WEIGHT, SMOOTHNESS, RATE, HISTORY, PER_RUN = 10.0, 1.0, 0.02, 10, 4
EXAMPLES = Path(image.__file__).resolve().parents[1] / "assets/examples"

Step = Callable[[], Tensor]
"""Does one iteration and gives the picture as it is."""


class Plain:
    """The loss as it is usually written."""

    def __init__(self, network: Perceptual, content: Tensor, style: Tensor) -> None:
        self.network = network
        self.layers = [k for k in LAYERS if k in network.layers]
        self.content_layer = max(k for k in network.layers if k <= "relu4_2")
        with torch.no_grad():
            self.target = network(content, [self.content_layer])[self.content_layer]
            self.grams = {k: gram(x) for k, x in network(style, self.layers).items()}

    def __call__(self, picture: Tensor) -> Tensor:
        features = self.network(picture, {*self.layers, self.content_layer})
        loss = F.mse_loss(features[self.content_layer], self.target) / self.target.square().mean()
        for layer, goal in self.grams.items():
            distance = (gram(features[layer]) - goal).square().sum() / goal.square().sum()
            loss = loss + STYLE_WEIGHT / len(self.layers) * distance
        steps = picture.diff(dim=2).square().sum() + picture.diff(dim=3).square().sum()
        return loss + SMOOTHNESS * steps / picture.numel()


def gram(features: Tensor) -> Tensor:
    """(1, C, H, W) -> (C, C)."""
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def plain(kind: str, loss: Plain, content: Tensor) -> Step:
    """`torch.optim` on the plain loss."""
    picture = content.clone().requires_grad_()
    adam = torch.optim.Adam([picture], lr=RATE, betas=(0.9, 0.99))
    lbfgs = torch.optim.LBFGS([picture], max_iter=1, history_size=HISTORY)
    optimizer = adam if kind == "adam" else lbfgs

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(picture)
        value.backward()
        return value

    def step() -> Tensor:
        optimizer.step(closure)
        if kind == "adam":
            picture.data.clamp_(0, 1)
        return picture.detach().clamp(0, 1)

    return step


def ours(kind: str, like: Plain, content: Tensor, style: Tensor, *, narrow: bool, dtype: torch.dtype) -> Step:
    """The same with this project's parts."""
    network = Frozen(like.network, dtype=dtype, narrow=narrow)
    judge = Judge(network, {k: STYLE_WEIGHT / len(like.layers) for k in like.layers}, smoothness=SMOOTHNESS)
    judge.ask_styles([style], [1.0])
    judge.ask_content(content, like.content_layer, 1.0)
    descent = Adam(RATE) if kind == "adam" else LBFGS(HISTORY)
    picture = content

    def step() -> Tensor:
        nonlocal picture
        picture = descent.step(picture, *judge(picture))
        return picture

    return step


def measure(steps: dict[str, Step], repeats: int) -> dict[str, tuple[float, float]]:
    """Milliseconds per iteration by the clock and of the processor, medians over runs by turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for repeat in range(repeats + 1):
        for name, step in steps.items():
            start = time.perf_counter(), time.process_time()
            for _ in range(PER_RUN):
                step()
            took = time.perf_counter() - start[0], time.process_time() - start[1]
            if repeat:  # the first run warms up
                times[name].append((took[0] / PER_RUN * 1e3, took[1] / PER_RUN * 1e3))
    medians = {name: [statistics.median(column) for column in zip(*taken)] for name, taken in times.items()}
    return {name: (clock, processor) for name, (clock, processor) in medians.items()}


def rows(title: str, network: Perceptual, pictures: tuple[Tensor, Tensor], options: argparse.Namespace) -> list[Row]:
    """Both optimisers on one network."""
    loss, fast = Plain(network, *pictures), device.fast_dtype(device.pick("cpu"))
    result = []
    for kind in ("adam", "lbfgs"):
        make: dict[str, Callable[[], Step]] = {
            "plain": partial(plain, kind, loss, pictures[0]),
            "ours, float32": partial(ours, kind, loss, *pictures, narrow=False, dtype=torch.float32),
        }
        if fast != torch.float32:
            name = f"ours, {str(fast).removeprefix('torch.')}"
            make[name] = partial(ours, kind, loss, *pictures, narrow=False, dtype=fast)
        if title == "compact":
            make["ours, narrow"] = partial(ours, kind, loss, *pictures, narrow=True, dtype=fast)
        times = measure({name: build() for name, build in make.items()}, options.repeats)
        final = {name: distance_after(options.iterations, build(), loss) for name, build in make.items()}
        for name, (clock, processor) in times.items():
            result.append(
                {
                    "network": title,
                    "optimiser": kind,
                    "formulation": name,
                    "ms per iteration": clock,
                    "faster": times["plain"][0] / clock,
                    "processor ms": processor,
                    "faster, processor": times["plain"][1] / processor,
                    "final loss": final[name],
                    "of plain's": final[name] / final["plain"],
                }
            )
    return result


def distance_after(iterations: int, step: Step, loss: Plain) -> float:
    """The plain loss of the picture after some iterations."""
    for _ in range(iterations):
        picture = step()
    with torch.no_grad():
        return float(loss(picture))


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    size = (options.size, options.size)
    content, style = (
        F.interpolate(image.read(EXAMPLES / name).tensor(), size, mode="bicubic", antialias=True).clamp(0, 1)
        for name in ("lake.jpg", "arlesiennes.jpg")
    )
    networks = {"compact": ("compact",)}
    teacher = data_folder() / "weights/vgg19_wct/vgg_normalised_conv3_1.pth"
    if teacher.exists():
        networks["vgg19 to relu3_1"] = (str(teacher),)
    table = [
        r for name, files in networks.items() for r in rows(name, read_perceptual(files), (content, style), options)
    ]
    show(
        "gatys",
        {f"{options.size} x {options.size} pixels, content and Gram matrices, {options.iterations} iterations": table},
    )


if __name__ == "__main__":
    main()
