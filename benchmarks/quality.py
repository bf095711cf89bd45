"""Quality of a MicroAST against the authors' weights: content and style loss on pictures neither was trained on.

    python benchmarks/quality.py [--ours microast/art] [--sizes 256 512 1024] [--grid docs/images/quality.jpg]

20 Kodak photographs, each with one of the 20 paintings of `held_out.txt`. Judges: the true normalised VGG-19 (content
at relu3_1, style at relu1_1 to relu3_1) and, apart, the public small VGG-19 of Collaborative Distillation (both at
relu4_1). Also: what strength 0 gives back (PSNR), both losses over strengths, and how far the middle is from a mere mix
of pixels. All in float32.
"""

import argparse
from pathlib import Path

import report
import torch
from torch import Tensor

from sfumato import device, image, zoo
from sfumato.losses.style import content_loss, moment_loss
from sfumato.methods import microast
from sfumato.nets.norms import moments
from sfumato.nets.perceptual import read_network

JUDGES = {
    "vgg19": ("vgg19_wct/vgg_normalised_conv3_1.pth", "relu3_1", ("relu1_1", "relu2_1", "relu3_1")),
    "small": ("vgg19_16x_collab_distill/4SE.pth", "relu4_1", ("relu4_1",)),
}
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def pairs(data: Path, size: int, count: int) -> list[tuple[Tensor, Tensor]]:
    """Contents and styles (1, 3, h, w) in [0, 1], their longer side `size`, no side cut, multiples of 8."""
    listed = (Path(__file__).parent / "held_out.txt").read_text().split()
    paintings = [data / "paintings" / name for name in listed if (data / "paintings" / name).exists()]
    photos = sorted((data / "photos/kodak24_unrestricted").glob("*.[jp][pn]g"))[:20]
    return [(read(p, size), read(s, size)) for p, s in zip(photos[:count], paintings[:count], strict=True)]


def read(path: Path, size: int) -> Tensor:
    picture = image.read(path)
    scale = size / max(picture.pixels.shape[:2])
    height, width = (max(8, round(n * scale / 8) * 8) for n in picture.pixels.shape[:2])
    return image.resize(picture, size=(height, width)).tensor()


class Judge:
    """One network's opinion of results: (content loss, style loss)."""

    def __init__(self, data: Path, name: str) -> None:
        file, self.content, self.style = JUDGES[name]
        self.network = read_network(str(data / "weights" / file)).eval().to(memory_format=torch.channels_last)

    def __call__(self, result: Tensor, content: Tensor, style: Tensor) -> tuple[float, float]:
        layers = {self.content, *self.style}
        ours, theirs = self.network(result, layers), self.network(content, [self.content])
        target = self.network(style, self.style)
        style_losses = [moment_loss(ours[k], moments(target[k])).item() for k in self.style]
        return content_loss(ours[self.content], theirs[self.content]).item(), sum(style_losses)


@torch.inference_mode()
def losses(
    model: torch.nn.Module, judges: dict[str, Judge], pictures: list[tuple[Tensor, Tensor]], strength: float = 1.0
) -> dict[str, float]:
    """Mean losses by `judge content` and `judge style` of the clamped results."""
    rows: dict[str, list[float]] = {}
    for content, style in pictures:
        result = model(content.contiguous(memory_format=torch.channels_last), style, strength).clamp(0, 1)
        for name, judge in judges.items():
            for kind, value in zip(("content", "style"), judge(result, content, style), strict=True):
                rows.setdefault(f"{name} {kind}", []).append(value)
    return {k: sum(v) / len(v) for k, v in rows.items()}


@torch.inference_mode()
def ends_and_middle(model: microast.Model, pictures: list[tuple[Tensor, Tensor]]) -> report.Row:
    """What strength 0 gives back, what the network alone would, and how far strength 0.5 is from a mix of pixels."""
    rows = []
    for content, style in pictures:
        alone = model.render(content, model.encode_style(content))
        none, half, full = (model(content, style, s).clamp(0, 1) for s in (0.0, 0.5, 1.0))
        mix = (content + full) / 2
        apart = (half - mix).square().mean().sqrt() / (full - content).square().mean().sqrt()
        rows.append((psnr(none, content), psnr(alone.clamp(0, 1), content), apart.item()))
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    names = (
        "PSNR dB (at least 25)",
        "of the network alone",
        "strength 0.5 from the mix of the ends, share of their distance",
    )
    return dict(zip(names, means, strict=True))


def psnr(result: Tensor, content: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, at most 100."""
    return min(100.0, -10 * torch.log10((result - content).square().mean().clamp(min=1e-12)).item())


def grid(models: dict[str, torch.nn.Module], pictures: list[tuple[Tensor, Tensor]], path: Path) -> None:
    """Content, style and each model's result, a row a pair."""
    cells, labels = [], []
    with torch.inference_mode():
        for content, style in pictures:
            results = [model(content, style).clamp(0, 1) for model in models.values()]
            cells += [image.from_any(t) for t in (content, style, *results)]
            labels += ["content", "style", *models]
    image.write(
        path,
        image.from_any(image.contact_sheet(cells, columns=2 + len(models), labels=labels, side=220)),
        overwrite=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default="microast/art")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--count", type=int, default=20, help="pairs of pictures")
    parser.add_argument("--grid", type=Path, help="also write a picture grid here")
    parser.add_argument("--data", type=Path, default=report.data_folder())
    args = parser.parse_args()
    device.keep_memory()
    official = {
        r: args.data / f"weights/microast/{r}_iter_160000.pth.tar"
        for r in ("content_encoder", "style_encoder", "modulator", "decoder")
    }
    models = {"ours": zoo.load(args.ours), "official": zoo.import_official("microast", official)}
    for model in models.values():
        model.to(memory_format=torch.channels_last)
    judges = {name: Judge(args.data, name) for name in JUDGES}
    rows = []
    for size in args.sizes:
        pictures = pairs(args.data, size, args.count)
        got = {name: losses(model, judges, pictures) for name, model in models.items()}
        for figure in got["ours"]:
            ours, theirs = got["ours"][figure], got["official"][figure]
            rows.append({"size": size, "figure": figure, "ours": ours, "official": theirs, "ratio": ours / theirs})
    pictures = pairs(args.data, 512, args.count)
    steps = [{"strength": s, **losses(models["ours"], judges, pictures, s)} for s in STRENGTHS]
    report.show(
        "quality",
        {
            "losses (ratio: at most 1.15)": rows,
            "over strengths, 512 px": steps,
            "strength 0 and 0.5": [ends_and_middle(models["ours"], pictures)],
        },
    )
    if args.grid:
        grid(models, pictures[:6], args.grid)


if __name__ == "__main__":
    main()
