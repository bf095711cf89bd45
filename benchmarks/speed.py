"""How fast the embedded stylizer is, against AdaIN's network and MicroAST's own module as their authors run them.

    python benchmarks/speed.py [--size 512] [--repeats 7] [--threads 2]

All at once in one process, turn by turn: AdaIN (VGG-19 to relu4_1 on content and style, then the decoder; float32),
the authors' MicroAST module (grouped convolutions, float32, default memory order), and `microast/art` as the
translator runs it (bf16 where the processor is faster with it, channels_last). All encode the style at each call; the
cached style is a line of its own. Also how far bf16 is from float32 on photographs.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import quality
import report
import torch
from torch import Tensor, nn

from sfumato import device, zoo
from sfumato.methods import microast
from sfumato.nets.layers import Double, ReflectConv2d
from sfumato.nets.norms import ConvMean, moments
from sfumato.nets.vgg import VGG


class PlainMean(nn.Module):
    """The mean response of a convolution as the authors' module computes it."""

    def forward(self, x: Tensor, conv: nn.Conv2d) -> tuple[Tensor]:
        return (conv(x).mean((2, 3), keepdim=True),)


class AdaIN(nn.Module):
    """The authors' network with random weights: nothing here depends on their values."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = VGG(19, "relu4_1")
        plan = [
            (512, 256, 2),
            (256, 256, 1),
            (256, 256, 1),
            (256, 256, 1),
            (256, 128, 2),
            (128, 128, 1),
            (128, 64, 2),
            (64, 64, 1),
        ]
        layers: list[nn.Module] = []
        for wide, narrow, factor in plan:
            layers += [nn.Conv2d(wide, narrow, 3, padding=1, padding_mode="reflect"), nn.ReLU()]
            layers += [nn.Upsample(scale_factor=2)] if factor == 2 else []
        self.decoder = nn.Sequential(*layers, nn.Conv2d(64, 3, 3, padding=1, padding_mode="reflect"))

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        c, s = (self.encoder(x, ["relu4_1"])["relu4_1"] for x in (content, style))
        (mean_c, std_c), (mean_s, std_s) = moments(c), moments(s)
        return self.decoder((c - mean_c) / std_c * std_s + mean_s)


def as_the_authors(model: microast.Model) -> microast.Model:
    """A copy of the model of the layers that the authors' module has: grouped convolutions, `nn.Upsample`."""
    plain = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    for parent in list(plain.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Double):
                setattr(parent, name, nn.Upsample(scale_factor=2, mode="bilinear"))
            if isinstance(child, ConvMean):
                setattr(parent, name, PlainMean())
            if isinstance(child, ReflectConv2d):
                setattr(parent, name, plain_conv(child))
    return plain


def plain_conv(conv: ReflectConv2d) -> nn.Conv2d:
    """The same convolution by torch's own module."""
    kernel = conv.kernel_size[0]
    made = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        kernel,
        conv.stride[0],
        kernel // 2,
        groups=conv.groups,
        padding_mode="reflect",
    )
    made.load_state_dict(conv.state_dict())
    return made


def medians(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each, called in turn `repeats` times after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(t) for name, t in times.items()}


@torch.inference_mode()
def bf16_error(model: microast.Model, pictures: list[tuple[Tensor, Tensor]]) -> list[float]:
    """Root mean square of bf16 minus float32 over float32's standard deviation, for each pair of pictures."""
    errors = []
    for content, style in pictures:
        exact = model(content, style)
        with device.autocast(torch.device("cpu"), "bf16"):
            near = model(content, style).float()
        errors.append(float((near - exact).square().mean().sqrt() / exact.std()))
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="speed", help="of the results; another for another machine")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, default=report.data_folder())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device.keep_memory()
    where = torch.device("cpu")
    precision = "bf16" if device.fast_dtype(where) == torch.bfloat16 else "fp32"
    model = zoo.load("microast/art").to(memory_format=torch.channels_last)
    adain, plain = AdaIN().eval(), as_the_authors(model)
    content, style = torch.rand(2, 1, 3, args.size, args.size)
    content_last, style_last = (x.contiguous(memory_format=torch.channels_last) for x in (content, style))
    with torch.inference_mode():
        code = model.encode_style(style_last)
        difference = float((plain(content, style) - model(content_last, style_last)).abs().max())

        def ours() -> Tensor:
            with device.autocast(where, precision):
                return model(content_last, style_last)

        def cached() -> Tensor:
            with device.autocast(where, precision):
                return model.render(content_last, code)

        runs = {
            "AdaIN, fp32": lambda: adain(content, style),
            "MicroAST's module, fp32": lambda: plain(content, style),
            f"microast/art, {precision}": ours,
            f"microast/art, {precision}, style cached": cached,
        }
        found = medians(runs, args.repeats)
    mine = found[f"microast/art, {precision}"]
    rows = [{"network": name, "ms": ms, "times ours": ms / mine} for name, ms in found.items()]
    errors = bf16_error(model, quality.pairs(args.data, args.size, 8))
    checks = [
        {
            "largest difference, module and ours in fp32": difference,
            "bf16 error / std, mean": statistics.mean(errors),
            "largest": max(errors),
        }
    ]
    report.show(args.name, {f"{args.size} x {args.size}, {args.threads} threads": rows, "exactness": checks})


if __name__ == "__main__":
    main()
