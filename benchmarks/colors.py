"""Drawings that a colouring model never saw, painted from their lines: how near their own colours come.

    python benchmarks/colors.py [MODEL] [--images FOLDER...] [--count 60] [--drawn PNG --sketches FOLDER]

Lines are found by the four extractors in turn. The style is the drawing itself, mirrored, turned, cropped and bent, so
that it tells which colours there are, and not where.

    to picture   mean CIE 1976 colour difference to the drawing itself, 2.3 is just visible
    to style     share of the style's colours that the result has not: 1 less the intersection of their histograms of
                 8 x 8 x 8 colours

Rows without a model say what the figures are worth: the lines alone, and areas all of the style's mean colour.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import report
import torch
from numpy.typing import NDArray

from sfumato import image
from sfumato.data.line_pairs import LinePairs, points_of, warped
from sfumato.data.lines import EXTRACTORS, extracted
from sfumato.translate.colorist import Colorist, ColorOptions

BINS = 8
POINTS = 8
SIZE = 192
SHOWN = 6
Pixels = NDArray[np.uint8]


def main() -> None:
    """Measures, prints and writes."""
    given = arguments()
    colorist = Colorist(given.model)
    drawings = held_out(given.images or [str(report.data_folder() / "faces_drawn/toon_dicebear_ccby_cc0")], given.count)
    kinds: dict[str, list[tuple[float, float]]] = {}
    seconds = []
    for n, drawing in enumerate(drawings):
        rng = np.random.default_rng(n)
        sketch = sketched(drawing, EXTRACTORS[n % len(EXTRACTORS)], rng)
        style, other = (warped(drawings[k % len(drawings)], 0.15, rng) for k in (n, n + 1))
        start = time.perf_counter()
        own = colorist(sketch, style).pixels
        seconds.append(time.perf_counter() - start)
        pointed = colorist(sketch, style, points=points_of(drawing, POINTS, rng)).pixels
        mean = np.rint(style.mean((0, 1)) * (sketch / 255)).astype(np.uint8)
        pictures = {"lines alone": sketch, "the style's mean colour": mean, "painted": own}
        pictures["painted, areas not evened"] = colorist(sketch, style, ColorOptions(flat=0.0)).pixels
        pictures |= {f"painted, {POINTS} points given": pointed}
        for name, picture in pictures.items():
            kinds.setdefault(name, []).append((difference(picture, drawing), unlike(picture, style)))
        foreign = colorist(sketch, other).pixels
        kinds.setdefault("painted in another's style", []).append((float("nan"), unlike(foreign, other)))
        kinds.setdefault("painted, compared with another's", []).append((float("nan"), unlike(own, other)))
    rows: list[report.Row] = [
        {"pictures": name, "to picture": said([a for a, _ in found]), "to style": said([b for _, b in found])}
        for name, found in kinds.items()
    ]
    title = f"drawings kept from training, {len(drawings)} of {SIZE} pixels"
    taken: list[report.Row] = [
        {"pictures": f"{SIZE} px", "threads": torch.get_num_threads(), "seconds": statistics.median(seconds)}
    ]
    report.show("colors", {title: rows, "time of a picture": taken})
    if given.drawn:
        draw(colorist, given.sketches, drawings, given.drawn)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="colorize/faces")
    parser.add_argument("--images", nargs="+", help="the folders that it was trained on")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--drawn", type=Path, help="picture of hand drawings in the colours of others, to look at")
    parser.add_argument("--sketches", nargs="+", default=[], help="the drawings for it, files")
    return parser.parse_args()


def held_out(folders: Sequence[str], count: int) -> list[Pixels]:
    """Drawings (SIZE, SIZE, 3) that the recipe keeps from training."""
    data = LinePairs(images=tuple(folders), size=SIZE, shorter=(SIZE, SIZE)).open()
    return [np.ascontiguousarray(x.permute(1, 2, 0).numpy()) for x in data.held_out(count)["images"]]


def sketched(drawing: Pixels, kind: str, rng: np.random.Generator) -> Pixels:
    """The lines of a drawing by one extractor, (H, W, 3)."""
    lines = extracted(drawing, (kind,), rng)
    return np.repeat(np.rint(lines * 255).astype(np.uint8)[..., None], 3, 2)


def difference(a: Pixels, b: Pixels) -> float:
    """The mean CIE 1976 difference of two pictures (H, W, 3)."""
    lab = [cv2.cvtColor(x.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for x in (a, b)]
    return float(np.linalg.norm(lab[0] - lab[1], axis=2).mean())


def unlike(a: Pixels, b: Pixels) -> float:
    """How far the colours of two pictures are from being the same, 0 to 1."""
    shares = [np.histogramdd(x.reshape(-1, 3), BINS, [(0, 256)] * 3)[0] / (x.size / 3) for x in (a, b)]
    return float(1 - np.minimum(*shares).sum())


def said(values: list[float]) -> float | str:
    """Their mean, or nothing where nothing was measured."""
    return "" if np.isnan(values).any() else statistics.mean(values)


def draw(colorist: Colorist, sketches: Sequence[str], drawings: Sequence[Pixels], file: Path) -> None:
    """A row for each style, which stands at its left; at the top the sketches.

    Styles are the model's, too: drawings painted in their own colours. The drawings themselves may not be shown.
    """
    cells: list[image.Source] = [np.full((SIZE, SIZE, 3), 255, np.uint8)]
    cells += [image.read(Path(sketch)) for sketch in sketches]
    for n in range(0, len(drawings), max(1, len(drawings) // SHOWN))[:SHOWN]:
        style = colorist(sketched(drawings[n], "xdog", np.random.default_rng(n)), drawings[n])
        cells += [style, *(colorist(sketch, style) for sketch in sketches)]
    page = image.contact_sheet(cells, columns=len(sketches) + 1, side=160)
    image.write(file, image.from_any(page), overwrite=True)


if __name__ == "__main__":
    main()
