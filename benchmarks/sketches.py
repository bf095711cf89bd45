"""What a model makes of sketches: whether it is of the class wanted, and how much it differs.

    python benchmarks/sketches.py MODEL --photos FOLDER... [--root FOLDER] [--edges FOLDER] [--count 50]

The sketches are edge maps of photographs that were kept from training, up to `--count` of each class.

    consistency  share of results that a small classifier, taught on the training's photographs, takes for their class;
                 of the held-out photographs themselves it is the ceiling, of sketches the floor
    distance     mean distance of two pictures by features of the judge (compact VGG, or Inception if it is there)
    by noise     the same of pictures of one sketch with eight noises, in shares of the former; 0 where noise is ignored
"""

import argparse
from collections.abc import Iterator

import numpy as np
import report
import torch
from torch import Tensor

from sfumato import device, zoo
from sfumato.data.sketch_pairs import Opened, SketchPhotos
from sfumato.methods.sketchygan import Model
from sfumato.metrics.classes import Classifier, pairwise_distance
from sfumato.metrics.features import Judge
from sfumato.metrics.fid import Features

NOISES = 8


def main() -> None:
    """Measures, prints and writes."""
    given = arguments()
    where = device.pick("auto")
    model = zoo.load(given.model, where)
    if not isinstance(model, Model):
        raise SystemExit(f"{given.model} is no SketchyGAN")
    size = model.config.size
    data = SketchPhotos(
        photos=tuple(given.photos), root=given.root, edges=given.edges, size=size, shorter=(size, size), flip=False
    ).open()
    judge = Judge("auto", where)
    real, labels = real_features(data, judge, given.learned)
    classifier = Classifier(real, labels)
    kept = list(data.kept_apart(given.count))
    sketches, photos = (torch.stack([x[k] for x in kept]).float() / 255 for k in ("sketch", "photo"))
    wanted = torch.stack([x["label"] for x in kept]).argmax(1)
    rows = []
    for name, pictures in (
        ("held-out photographs", photos),
        ("results", made(model, sketches, wanted, 0)),
        ("sketches", sketches),
    ):
        features = judge(pictures.split(8))
        right = float((classifier(features).argmax(1) == wanted.numpy()).mean())
        row = {"pictures": name, "count": len(pictures), "consistency": right, "distance": pairwise_distance(features)}
        rows.append(row | {"by noise": by_noise(model, kept, judge) if name == "results" else ""})
    report.show("sketches", {f"Sketches to pictures of {size} pixels, {', '.join(model.classes)}": rows})


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--root", default="")
    parser.add_argument("--edges", default="")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--learned", type=int, default=600, help="photographs that the classifier learns from")
    return parser.parse_args()


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
            yield model(some.to(where), own.to(where), seed).clamp(0, 1).cpu()

    return torch.cat(list(parts()))


def by_noise(model: Model, kept: list[dict[str, Tensor]], judge: Judge) -> float:
    """How far results of one sketch are apart, the mean over a few sketches, in shares of those of all."""
    chosen = kept[:: max(1, len(kept) // 12)]
    sketches = torch.stack([x["sketch"] for x in chosen]).float() / 255
    labels = torch.stack([x["label"] for x in chosen]).argmax(1)
    features = np.stack([judge(made(model, sketches, labels, seed).split(8)) for seed in range(NOISES)])
    usual = pairwise_distance(features[0])
    return float(np.mean([pairwise_distance(features[:, i]) for i in range(len(chosen))])) / usual


if __name__ == "__main__":
    main()
