"""How well `sfumato folder` tells copies of a picture from other pictures, on four sets of faces.

    python benchmarks/copies.py [--sets sfhq kaokore] [--name copies]

Of every picture copies are made: smaller, compressed, brighter, cut at its edge. A copy is missed if it is not taken
for its picture. All pictures of a set are compared with each other, too; what is taken for the same there is an error,
or a double that the set really holds. The difference hash, for comparison: which of 8 x 9 grey values lie above their
neighbour on the left.
"""

import argparse
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import report
from numpy.typing import NDArray

from sfumato import image
from sfumato.data import hashing
from sfumato.data.folders import scan
from sfumato.data.health import Options

SETS = {
    "sfhq": "faces_photo/sfhq_mit_synthetic",
    "usgov": "faces_photo/usgov_staff_cc0",
    "dicebear": "faces_drawn/toon_dicebear_ccby_cc0",
    "kaokore": "paintings/kaokore_ccbysa",
}
THRESHOLDS = (0, 2, 4, 6, 8, 10, 12, 15)
DEFAULT = Options().distance

Pixels = hashing.Pixels
Bits = NDArray[np.int64]
Hash = Callable[[Pixels], int]


def smaller(pixels: Pixels, share: float) -> Pixels:
    return np.asarray(cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)


def compressed(pixels: Pixels, quality: int) -> Pixels:
    data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


def brighter(pixels: Pixels) -> Pixels:
    return np.clip(pixels * 1.15 + 8, 0, 255).astype(np.uint8)


def cut(pixels: Pixels, share: float) -> Pixels:
    top, left = round(share * pixels.shape[0]), round(share * pixels.shape[1])
    return pixels[top : pixels.shape[0] - top, left : pixels.shape[1] - left]


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "half": lambda pixels: smaller(pixels, 0.5),
    "a quarter": lambda pixels: smaller(pixels, 0.25),
    "JPEG 75": lambda pixels: compressed(pixels, 75),
    "JPEG 20": lambda pixels: compressed(pixels, 20),
    "half, JPEG 50": lambda pixels: compressed(smaller(pixels, 0.5), 50),
    "brighter": brighter,
    "1 % cut off each side": lambda pixels: cut(pixels, 0.01),
    "3 % cut off each side": lambda pixels: cut(pixels, 0.03),
}
PLAIN = ("half", "a quarter", "JPEG 75", "JPEG 20", "half, JPEG 50")
"""What the table of thresholds counts: the copies that sets have. One that was cut is another picture."""


def difference(pixels: Pixels) -> int:
    """The difference hash, 64 bits."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    return int(np.packbits(small[:, 1:] > small[:, :-1]).view(">u8")[0])


def apart(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> Bits:
    """In how many bits hashes differ."""
    return hashing.bits_set(a ^ b)


class Set:
    """A set of pictures: distances and likeness of each to its copies and to all others."""

    def __init__(self, folder: str) -> None:
        pictures = [image.read(path).compose_on_white().pixels for path in scan(folder)]
        self.count = len(pictures)
        copies = {name: [change(pixels) for pixels in pictures] for name, change in CHANGES.items()}
        looks = np.stack([hashing.look(pixels) for pixels in pictures])
        self.copies_alike = {
            name: np.array([hashing.alike(one, hashing.look(c)[None])[0] for one, c in zip(looks, made, strict=True)])
            for name, made in copies.items()
        }
        left, right = np.triu_indices(self.count, 1)
        self.others_alike = np.concatenate([hashing.alike(looks[i], looks[i + 1 :]) for i in range(self.count)])
        self.copies: dict[Hash, dict[str, Bits]] = {}
        self.others: dict[Hash, Bits] = {}
        for kind in (hashing.perceptual, difference):
            own = np.array([kind(pixels) for pixels in pictures], np.uint64)
            self.others[kind] = apart(own[left], own[right])
            self.copies[kind] = {
                name: apart(own, np.array([kind(pixels) for pixels in made], np.uint64))
                for name, made in copies.items()
            }

    def missed(self, kind: Hash, change: str, distance: int, *, looks: bool) -> int:
        found = self.copies[kind][change] <= distance
        return int((~(found & self.copies_alike[change] if looks else found)).sum())

    def taken(self, kind: Hash, distance: int, *, looks: bool) -> int:
        near = self.others[kind] <= distance
        return int((near & self.others_alike if looks else near).sum())


def by_threshold(sets: dict[str, Set], kind: Hash) -> list[report.Row]:
    """Of all sets together: copies missed, and pairs of pictures taken for the same."""
    copies = sum(s.count for s in sets.values()) * len(PLAIN)
    rows = []
    for distance in THRESHOLDS:
        row: dict[str, Any] = {"bits": distance}
        for looks, label in ((False, "hash alone"), (True, "compared")):
            missed = sum(s.missed(kind, c, distance, looks=looks) for s in sets.values() for c in PLAIN)
            row[f"missed %, {label}"] = round(100 * missed / copies, 2)
            row[f"pairs taken, {label}"] = sum(s.taken(kind, distance, looks=looks) for s in sets.values())
        rows.append(row)
    return rows


def by_set(sets: dict[str, Set]) -> list[report.Row]:
    """With what `sfumato folder` does: the share of missed copies of each kind, and the pairs of a set."""
    rows = []
    for name, held in sets.items():
        row: dict[str, Any] = {"set": name, "pictures": held.count}
        for change in CHANGES:
            missed = held.missed(hashing.perceptual, change, DEFAULT, looks=True)
            row[change] = f"{100 * missed / held.count:.1f} %"
        row["pairs taken"] = held.taken(hashing.perceptual, DEFAULT, looks=True)
        rows.append(row)
    return rows


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    asked.add_argument("--name", default="copies")
    given = asked.parse_args()
    sets = {name: Set(str(report.data_folder() / SETS[name])) for name in given.sets}
    pairs = sum(s.count * (s.count - 1) // 2 for s in sets.values())
    changed = "copies that are smaller or compressed"
    report.show(
        given.name,
        {
            f"perceptual hash: {changed}, and {pairs:,} pairs of pictures": by_threshold(sets, hashing.perceptual),
            "difference hash, for comparison": by_threshold(sets, difference),
            f"copies missed with {DEFAULT} bits and small copies compared": by_set(sets),
        },
    )


if __name__ == "__main__":
    main()
