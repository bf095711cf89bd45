"""Faces drawn by the bundled generators, against two floors and two other methods, on pictures kept from training.

    python benchmarks/faces.py [--sets kaokore toon] [--also kaokore:cut=FILE] [--grid docs/images]

A tenth of each set, chosen by its file names, is kept from training; of photographs and cartoons these are the crops by
`sfumato faces --largest`, whose eyes are at the same places. Every method translates the photographs among
these; its results are compared with the drawings among them. Floors: the photographs as they are, and the photographs
with the colours (mean and covariance) of a drawing of the training set each. Other methods: MicroAST with such a
drawing each as its style, and what `--also` names. The last row are drawings of the training set themselves: what a
perfect method would get.

    distance     Frechet distance of features (fd-compact, or fid if Inception's weights are there); few pictures, so
                 that it is never near 0, and only rows of one table compare
    kernel       kernel distance of the same, x 1000, unbiased: about 0 where the kinds agree
    content      mean squared difference of relu4_1 from the photograph: how much of it is kept, 0 is all
    diversity    distance from each result to the one most like it, in shares of the drawings' own
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import report
import torch
from torch import Tensor

from sfumato import cli, device, image, zoo
from sfumato.data.domains import Unpaired, middle, tensor
from sfumato.losses.style import content_loss
from sfumato.metrics.features import Judge
from sfumato.metrics.fid import frechet_distance, kernel_distance
from sfumato.nets.colors import coral
from sfumato.nets.perceptual import read_network
from sfumato.train.watch import nearest

SIDES = {"kaokore": 256, "toon": 128}
"""Pixels, as the models learned from."""
SHOWN = 6
PHOTOS = ("faces_photo/sfhq_mit_synthetic", "faces_photo/usgov_staff_cc0")
SETS = {"kaokore": ("paintings/kaokore_ccbysa",), "toon": ("faces_drawn/toon_dicebear_ccby_cc0",)}
CROPPED = ("toon",)

Method = Callable[[Tensor, Tensor], Tensor]
"""Photograph and a drawing (1, 3, H, W) in [0, 1] -> result."""


def methods(name: str, also: list[str]) -> dict[str, Method]:
    """What is compared, by the words of its row."""
    found: dict[str, Method] = {
        "photographs as they are": lambda photo, _: photo,
        "with a drawing's colours": coral,
        "microast/art, a drawing each": zoo.load("microast/art"),
        f"faces2{name}": partial(translated, zoo.load(f"faces2{name}")),
    }
    for word in also:
        kind, _, rest = word.partition(":")
        label, _, file = rest.partition("=")
        if kind == name:
            found[label] = partial(translated, zoo.load(file))
    return found


def translated(model: torch.nn.Module, photo: Tensor, _drawing: Tensor) -> Tensor:
    result: Tensor = model(photo)
    return result


def opened_sides(name: str, scratch: Path) -> Unpaired:
    """The data set of photographs and drawings of that name."""
    folder = report.data_folder()
    sides = {side: tuple(str(folder / part) for part in parts) for side, parts in (("a", PHOTOS), ("b", SETS[name]))}
    if name in CROPPED:
        sides = {side: tuple(cut_out(part, scratch / Path(part).name) for part in sides[side]) for side in sides}
    exclude = Path(__file__).parent / "kaokore_no_face.txt"
    return Unpaired(**sides, exclude=str(exclude) if name == "kaokore" else "", size=SIDES[name])


def cut_out(folder: str, out: Path) -> str:
    """The largest face of each picture, in a folder of its own."""
    if code := cli.main(["faces", folder, "--largest", "-o", str(out), "--quiet"]):
        sys.exit(code)
    return str(out)


def drawings_learned(data: Unpaired, count: int) -> Iterator[Tensor]:
    """Pictures of the training set, as those held out are cut."""
    opened = data.open()
    folder = opened.folders["b"]
    for i in np.random.default_rng(0).permutation(len(folder))[:count]:
        yield prepared(tensor(middle(folder.picture(int(i)), data.size)))


def prepared(pixels: Tensor) -> Tensor:
    return pixels[None].float() / 255


class Jury:
    """What the columns say of results."""

    def __init__(self, photos: list[Tensor], drawings: list[Tensor]) -> None:
        self.judge, self.photos = Judge("auto", torch.device("cpu")), photos
        self.real = self.judge(drawings)
        self.network = read_network("compact").eval()

    def row(self, label: str, results: list[Tensor]) -> report.Row:
        made = self.judge(results)
        size = min(len(made), len(self.real)) // 2
        kernel, spread = kernel_distance(made, self.real, subsets=100, subset_size=size)
        return {
            "method": label,
            "pictures": len(made),
            self.judge.frechet: round(frechet_distance(made, self.real), 3),
            f"{self.judge.kernel} x 1000": round(1000 * kernel, 1),
            "+-": round(1000 * spread, 1),
            "content": self._content(results),
            "diversity": round(nearest(made) / nearest(self.real[: len(made)]), 2),
        }

    def _content(self, results: list[Tensor]) -> float | str:
        if len(results) != len(self.photos) or results[0].shape != self.photos[0].shape:
            return ""
        ours, theirs = (
            [self.network(x, ["relu4_1"])["relu4_1"] for x in pictures] for pictures in (results, self.photos)
        )
        return round(float(np.mean([content_loss(a, b).item() for a, b in zip(ours, theirs, strict=True)])), 3)


def grid(path: Path, rows: dict[str, list[Tensor]]) -> None:
    """A page of the first results of each method; the drawings themselves may not be shown."""
    pictures, labels = [], []
    for label, results in rows.items():
        pictures += [image.from_any(x[0]) for x in results[:SHOWN]]
        labels += [label] * SHOWN
    image.contact_sheet(pictures, columns=SHOWN, labels=labels, side=176).save(path, quality=88)


@torch.inference_mode()
def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", nargs="+", choices=SETS, default=["kaokore"])
    asked.add_argument("--also", nargs="*", default=[], metavar="SET:LABEL=FILE", help="further models")
    asked.add_argument("--grid", metavar="DIR", help="also draw a page for each set there")
    asked.add_argument("--name", default="faces")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tables = {f"photographs to {name}": rows_of(name, given, Path(scratch)) for name in given.sets}
    report.show(given.name, tables)


def rows_of(name: str, given: argparse.Namespace, scratch: Path) -> list[report.Row]:
    """The table of one set."""
    data = opened_sides(name, scratch)
    held = {side: [prepared(x) for x in found] for side, found in data.open().held_out(1000).items()}
    learned = list(drawings_learned(data, 300))
    jury, shown = Jury(held["a"], held["b"]), {"photographs as they are": held["a"]}
    rows = []
    for label, method in methods(name, given.also).items():
        order = np.random.default_rng(1).integers(len(learned), size=len(held["a"]))
        results = [method(photo, learned[i]).clamp(0, 1) for photo, i in zip(held["a"], order, strict=True)]
        rows.append(jury.row(label, results))
        shown[label] = results
    rows.append(jury.row("drawings of the training set", learned))
    if given.grid:
        grid(Path(given.grid) / f"faces-{name}.jpg", shown)
    return rows


if __name__ == "__main__":
    device.keep_memory()
    main()
