"""Whether what `sfumato faces` finds in drawings are their faces: cartoons whose faces are known, and pictures of none.

    python benchmarks/face_boxes.py [--scores 0.6] [--name face_boxes]

A face is found if a box has its middle, that of the five points, within the box of the face's mask, and shares more
than 0.3 of their union with it. Boxes elsewhere are errors. No face of the textures is known, so that all boxes there
count as elsewhere, also those of the two faces that they show. The last column is processor time on all cores, without
reading the files.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import report
from numpy.typing import NDArray

from sfumato import image
from sfumato.data.faces import Face, Options, detect
from sfumato.data.folders import scan

CARTOONS, MASKS = "faces_drawn/toon_dicebear_ccby_cc0", "parsing/toon_masks_ccby_cc0"
TEXTURES = ("textures/misc_permissive", "textures/dtd10_TESTONLY")
FACE = 1
"""The masks' number of faces."""
SHARED = 0.3

Box = tuple[float, float, float, float]
Pixels = NDArray[np.uint8]


def is_at(face: Face, known: Box) -> bool:
    """Whether a face that was found is the one with this box."""
    middle = np.mean(face.points, axis=0)
    left, top, width, height = known
    within = left < middle[0] < left + width and top < middle[1] < top + height
    x, y, w, h = face.box
    across = max(min(x + w, left + width) - max(x, left), 0)
    down = max(min(y + h, top + height) - max(y, top), 0)
    return bool(within and across * down > SHARED * (w * h + width * height - across * down))


def cartoons() -> list[tuple[Pixels, Box]]:
    """Pictures with the boxes of their faces."""
    found = []
    for path in scan(str(report.data_folder() / CARTOONS)):
        mask = report.data_folder() / MASKS / f"{path.stem}.png"
        if mask.is_file():
            face = (cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE) == FACE).astype(np.uint8)
            left, top, width, height = cv2.boundingRect(face)
            if width:
                found.append((read(path), (left, top, width, height)))
    return found


def read(path: Path) -> Pixels:
    return np.asarray(image.read(path).compose_on_white().pixels, np.uint8)


def row(label: str, pictures: Sequence[tuple[Pixels, Box | None]], options: Options) -> report.Row:
    start = time.process_time()
    everything = [detect(pixels, options) for pixels, _ in pictures]
    spent = time.process_time() - start
    hits = [[box is not None and is_at(f, box) for f in faces] for faces, (_, box) in zip(everything, pictures)]
    return {
        "set": label,
        "mode": "--drawn" if options.drawn else "--no-drawn",
        "score": options.score,
        "pictures": len(pictures),
        "faces found": sum(any(row) for row in hits),
        "boxes elsewhere": sum(not hit for row in hits for hit in row),
        "processor ms a picture": round(1000 * spent / len(pictures)),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--scores", nargs="+", type=float, default=[Options().score])
    asked.add_argument("--name", default="face_boxes")
    given = asked.parse_args()
    textures = [read(path) for folder in TEXTURES for path in scan(str(report.data_folder() / folder))]
    sets = {"DiceBear cartoons": cartoons(), "textures": [(pixels, None) for pixels in textures]}
    rows = [
        row(label, pictures, Options(score=score, drawn=drawn))
        for label, pictures in sets.items()
        for drawn in (True, False)
        for score in given.scores
    ]
    report.show(given.name, {"drawn faces": rows})


if __name__ == "__main__":
    main()
