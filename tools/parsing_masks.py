"""Makes a set of pictures and masks of face and hair from labels in benchmarks/parsing and the pictures they are of.

    python tools/parsing_masks.py sfhq_learn FOLDER [--unsure 1]

Pictures are those of SFUMATO_DATA, else of ../shared/data beside the repository. What is made:

    FOLDER/images/NAME.jpg    FOLDER/masks/NAME.png    FOLDER/parts.toml

Masks hold the numbers of the parts, 2 hair and 11 face; 0 is any other part, and 255 is unknown. `parts.toml` says so.

Shapes: H W pixels.
"""

import argparse
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.errors import DataError, OptionError

ROOT = Path(__file__).resolve().parent.parent
LABELS = ROOT / "benchmarks" / "parsing"
CLASSES = {"hair": 2, "face": 11, "unknown": 255}
MEANING = '[labels]\n0 = "rest"\n2 = "hair"\n11 = "face"\n255 = "unknown"\n'
DIGITS = 16
"""So many hexadecimal digits of a picture's SHA-256 stand in its entry."""
WIDEST = 8

Mask = NDArray[np.uint8]


def run_values(text: str) -> NDArray[np.bool_]:
    """The pixels of a mask, column by column, of the text that `sfumato.data.coco.run_lengths` makes of them."""
    counts: list[int] = []
    number = shift = 0
    for letter in text.encode("ascii"):
        bits = letter - 48
        number |= (bits & 31) << shift
        shift += 5
        if not bits & 32:  # the last letter of a number, whose highest bit is the sign
            number -= (bits >> 4) << shift
            counts.append(number + (counts[-2] if len(counts) > 2 else 0))
            number = shift = 0
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts)


def labels_of(entry: Mapping[str, Any], unsure: int = 0) -> Mask:
    """The mask of one entry, (H, W).

    Args:
        entry: `size` [H, W], and the run lengths of `hair`, of `face` and perhaps of `unknown` as COCO writes them.
        unsure: how many pixels on both sides of a border of hair become unknown.
    """
    labels = np.zeros(entry["size"], np.uint8)
    for part, number in CLASSES.items():
        if part in entry:
            height, width = entry["size"]
            labels[run_values(entry[part]).reshape(width, height).T] = number
    if unsure:
        hair = (labels == CLASSES["hair"]).astype(np.uint8)
        near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * unsure + 1, 2 * unsure + 1))
        # what lies beyond the picture's edge is unlike neither
        labels[cv2.dilate(hair, near) != cv2.erode(hair, near)] = CLASSES["unknown"]
    return labels


def make(name: str, folder: Path, *, data: Path, unsure: int = 0) -> int:
    """Writes the set.

    Args:
        name: of a file in benchmarks/parsing, without its ending.
        folder: for the set; it may exist.
        data: where the folder of pictures is that the labels name.
        unsure: see `labels_of`.

    Returns:
        The number of pictures.

    Raises:
        OptionError: there are no such labels, or `unsure` is out of range.
        DataError: a picture is missing, or is not the one that was labelled.
    """
    if not 0 <= unsure <= WIDEST:
        raise OptionError(f"--unsure {unsure}: from 0 to {WIDEST} pixels can be unknown at a border")
    file = LABELS / f"{name}.json"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in LABELS.glob("*.json")))
        raise OptionError(f"there are no labels {name!r}; there are {there}")
    record = json.loads(file.read_text(encoding="utf-8"))
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for entry in record["pictures"]:
        picture = data / record["folder"] / entry["file"]
        if not picture.is_file():
            raise DataError(f"{picture}: is missing; say where pictures are with SFUMATO_DATA")
        if hashlib.sha256(picture.read_bytes()).hexdigest()[:DIGITS] != entry["sha256"]:
            raise DataError(f"{picture}: is not the picture that {file.name} has labels of")
        shutil.copyfile(picture, folder / "images" / picture.name)
        cv2.imwrite(str(folder / "masks" / f"{picture.stem}.png"), labels_of(entry, unsure))
    (folder / "parts.toml").write_text(MEANING, encoding="utf-8")
    return len(record["pictures"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", help="sfhq_test or sfhq_learn")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unsure", type=int, default=0, help="pixels on both sides of hair's borders left unknown")
    given = parser.parse_args()
    data = Path(os.environ.get("SFUMATO_DATA") or ROOT.parent / "shared" / "data")
    print(f"{make(given.labels, given.folder, data=data, unsure=given.unsure)} pictures in {given.folder}")


if __name__ == "__main__":
    main()
