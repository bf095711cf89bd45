"""What models make of sketches: whether it is of the class wanted, how near to photographs, and how much it differs.

    python benchmarks/sketches.py NAME=MODEL... --photos FOLDER... [--root FOLDER] [--edges FOLDER] [--count 50]
    python benchmarks/sketches.py --pairs OUT --photos FOLDER... [--edges FOLDER]

The sketches are edge maps of photographs that were kept from training, up to `--count` of each class. Models are
SketchyGAN's, and pix2pix' for comparison, for which `--pairs` writes what it learns from: OUT/a, the edge maps, and
OUT/b, the photographs, the same that SketchyGAN learns from. They are all to be learned from: `pix2pix.pairs` takes
`--data.hold-out 0`, or else it keeps a tenth of them back once more.

    consistency  share of results that a small classifier, taught on the training's photographs, takes for their class;
                 of the held-out photographs themselves it is the ceiling, of sketches the floor
    fd-compact   Frechet distance to the held-out photographs, by features of the compact VGG; `fid` where Inception is
    pixels       mean difference from the photographs, in values from 0 to 1
    distance     mean distance of two pictures by the judge's features
    by noise     the same of pictures of one sketch with eight noises, in shares of the former; 0 where noise is ignored
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import report
import torch
from torch import Tensor

from sfumato import device, image, zoo
from sfumato.data.sketch_pairs import Opened, SketchPhotos
from sfumato.methods import pix2pix, sketchygan
from sfumato.metrics.classes import class_consistency, pairwise_distance
from sfumato.metrics.features import Judge
from sfumato.metrics.fid import Features, frechet_distance

NOISES = 8
COLUMNS = 9
"""Of the picture that is drawn."""
Model = sketchygan.Model | pix2pix.Model


def main() -> None:
    """Measures, prints and writes."""
    given = arguments()
    if given.pairs:
        write_pairs(opened(given, sketchygan.Config().size), given.pairs)
        return
    where = device.pick("auto")
    models = {name: read(file, where) for name, _, file in (x.partition("=") for x in given.models)}
    size = given.size or next(m.config.size for m in models.values() if isinstance(m, sketchygan.Model))
    data = opened(given, size)
    judge = Judge("auto", where)
    learned = real_features(data, judge, given.learned)
    kept = list(data.kept_apart(given.count))
    sketches, photos = (torch.stack([x[k] for x in kept]).float() / 255 for k in ("sketch", "photo"))
    labels = torch.stack([x["label"] for x in kept]).argmax(1)
    pictures = {"held-out photographs": photos, "sketches": sketches}
    pictures |= {name: made(model, sketches, labels, 0) for name, model in models.items()}
    truth, rows = judge(photos.split(8)), []
    for name, shown in pictures.items():
        features = judge(shown.split(8))
        row: report.Row = {
            "pictures": name,
            "parameters": sum(p.numel() for p in models[name].parameters()) if name in models else "",
            "consistency": class_consistency(features, labels.numpy(), *learned),
            judge.frechet: max(0.0, frechet_distance(features, truth)),
            "pixels": float((shown - photos).abs().mean()),
            "distance": pairwise_distance(features),
            "by noise": "",
        }
        if isinstance(models.get(name), sketchygan.Model):
            row["by noise"] = by_noise(models[name], kept, judge)
        rows.append(row)
    classes = next((m.classes for m in models.values() if isinstance(m, sketchygan.Model)), data.names)
    title = f"{len(kept)} sketches to pictures of {size} pixels, {', '.join(classes)}"
    report.show(given.name, {title: rows})
    if given.drawn:
        del pictures["held-out photographs"]  # what models make may be shown, these not always
        draw(pictures, labels, given.drawn)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="NAME=MODEL")
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--root", default="")
    parser.add_argument("--edges", default="")
    parser.add_argument("--exclude", default="")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--size", type=int, help="side in pixels; that of the first SketchyGAN if none is given")
    parser.add_argument("--learned", type=int, default=600, help="photographs that the classifier learns from")
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--drawn", type=Path, help="picture of some results, to look at")
    parser.add_argument("--name", default="sketches", help="of the results' file")
    return parser.parse_args()


def opened(given: argparse.Namespace, size: int) -> Opened:
    """The photographs and their edge maps."""
    names = {"photos": tuple(given.photos), "root": given.root, "edges": given.edges, "exclude": given.exclude}
    return SketchPhotos(**names, size=size, shorter=(size, size), flip=False).open()


def read(file: str, where: torch.device) -> Model:
    """A model of sketches."""
    model = zoo.load(file, where)
    if not isinstance(model, Model):
        raise SystemExit(f"{file} is neither a SketchyGAN nor a pix2pix")
    return model


def write_pairs(data: Opened, out: Path) -> None:
    """Edge maps and photographs of the training under the same names, NUMBER-CLASS-NAME.png."""
    for number, (label, path, sketch, photo) in enumerate(data.pairs()):
        for side, pixels in (("a", sketch), ("b", photo)):
            file = out / side / f"{number:06d}-{data.names[label]}-{Path(path).stem}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            image.write(file, image.from_any(pixels), overwrite=True)


def draw(pictures: dict[str, Tensor], labels: Tensor, file: Path) -> None:
    """A column for each of nine sketches, of all classes in turn, and a row for each kind of pictures."""
    turn = torch.cat([torch.arange(int(n)) for n in labels.bincount()])
    order = turn.argsort(stable=True)[:COLUMNS].sort().values
    cells = [image.from_any(x) for shown in pictures.values() for x in shown[order]]
    names = [name for name in pictures for _ in order]
    image.write(
        file, image.from_any(image.contact_sheet(cells, columns=COLUMNS, labels=names, side=128)), overwrite=True
    )


def real_features(data: Opened, judge: Judge, count: int) -> tuple[Features, np.ndarray]:
    """Features of the training's photographs and their classes."""
    samples = [data.sample(0, n) for n in range(count)]
    labels = torch.stack([x["real_label"] for x in samples]).argmax(1).numpy()
    return judge((torch.stack([x["real"] for x in samples]).float() / 255).split(8)), labels


@torch.inference_mode()
def made(model: Model, sketches: Tensor, labels: Tensor, seed: int) -> Tensor:
    """What the model makes of sketches (N, 3, S, S)."""

    def parts() -> Iterator[Tensor]:
        where = next(model.parameters()).device
        for some, own in zip(sketches.split(8), labels.split(8), strict=True):
            if isinstance(model, sketchygan.Model):
                yield model(some.to(where), own.to(where), seed).clamp(0, 1).cpu()
            else:
                yield model(some.to(where)).clamp(0, 1).cpu()

    return torch.cat(list(parts()))


def by_noise(model: sketchygan.Model, kept: list[dict[str, Tensor]], judge: Judge) -> float:
    """How far results of one sketch are apart, the mean over a few sketches, in shares of those of all."""
    chosen = kept[:: max(1, len(kept) // 12)]
    sketches = torch.stack([x["sketch"] for x in chosen]).float() / 255
    labels = torch.stack([x["label"] for x in chosen]).argmax(1)
    features = np.stack([judge(made(model, sketches, labels, seed).split(8)) for seed in range(NOISES)])
    usual = pairwise_distance(features[0])
    return float(np.mean([pairwise_distance(features[:, i]) for i in range(len(chosen))])) / usual


if __name__ == "__main__":
    main()
