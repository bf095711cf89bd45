"""How well parts of persons are found: in photographs of faces, in cartoons, and in photographs of whole persons.

    python benchmarks/parts.py --sets FOLDER [--model segformer/parts] [--name parts]
    python benchmarks/parts.py --sets FOLDER --makehuman FOLDER --make
    python benchmarks/parts.py --sets FOLDER --make --teacher FILE [FILE ...]

The three kinds count apart, by the standard protocol. Photographs are the six pairs of SFHQ, whose masks are coloured,
and thirty more faces of SFHQ, labelled by eye (benchmarks/parsing/sfhq_test.json); cartoons are every tenth of those
with exact masks; whole persons are 60 pictures of Clothing Co-Parsing. None of them is learned from.

With `--make` the sets that the bundled parser learns from are made in FOLDER, too: faces of SFHQ labelled by eye, the
other cartoons, figures by `sfumato render`, and photographs without faces to lay these on. What teachers
(tools/parsing_teacher.py) that learned from the faces are sure of, in faces that nobody labelled, makes one set more.
"""

import argparse
import math
import os
import runpy
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from report import HERE, Row, data_folder, show

from sfumato import PartParser, cli, evaluate_parts, image
from sfumato.data.faces import Options, detect
from sfumato.data.folders import scan
from sfumato.metrics.parts import Agreement
from sfumato.parsing import PartsReport
from sfumato.parts import PARTS

FACES, STAFF = "faces_photo/sfhq_mit_synthetic", "faces_photo/usgov_staff_cc0"
CARTOONS, CARTOON_MASKS = "faces_drawn/toon_dicebear_ccby_cc0", "parsing/toon_masks_ccby_cc0"
PAIRS, PERSONS = "parsing/sfhq_seg_mit", "parsing/ccp_TESTONLY"
GROUNDS = ("photos/cc0_pd", "photos/unsplash_licence", "textures/misc_permissive")
TENTH = 10
COLORS = {
    (253, 230, 36): "hair",
    (71, 22, 104): "face",
    (32, 166, 133): "face",
    (40, 122, 143): "face",
    (35, 137, 141): "face",
}
"""Of the six pairs: hair; skin, nose and ears. Eyes, brows and lips lie within the face and are filled in."""
OTHERS = ((68, 0, 83), (215, 226, 25), (136, 213, 71))
"""Ground, clothes and neck."""
NEAR = 12.0
"""How far a colour may be from these."""
UNSURE = 255
"""The number of what is unknown."""
FIGURES = {"doll": ("mannequin", 900), "human": ("", 500)}
VIEWS = "--elevation-deg -15 30 --field-deg 20 60 --margin 0.02 0.2 --size 512"

Mask = NDArray[np.uint8]


def numbered(folder: Path, rest: str) -> None:
    """Says that masks hold the numbers of the parts, 0 standing for `rest`."""
    names = [f'{PARTS.index(part)} = "{part}"' for part in ("hair", "face")]
    text = "\n".join(["[labels]", f'0 = "{rest}"', *names, f'{UNSURE} = "unknown"', ""])
    (folder / "parts.toml").write_text(text, encoding="utf-8")


def keep(folder: Path, picture: Path, mask: Mask, name: str) -> None:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(picture, folder / "images" / f"{name}{picture.suffix}")
    cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)


def pair(shown: NDArray[np.uint8]) -> Mask:
    """The mask of one of the six pairs (H, W, 3): parts by the nearest colour, holes of the face filled in."""
    known = np.array([*COLORS, *OTHERS], np.float32)
    numbers = np.array([PARTS.index(part) for part in COLORS.values()] + [0] * len(OTHERS), np.uint8)
    apart = np.linalg.norm(shown[:, :, None].astype(np.float32) - known, axis=3)
    mask = np.where(apart.min(2) <= NEAR, numbers[apart.argmin(2)], UNSURE).astype(np.uint8)
    face = PARTS.index("face")
    outlines, _ = cv2.findContours((mask == face).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(mask), outlines, -1, 1, cv2.FILLED)
    mask[(filled == 1) & (mask != PARTS.index("hair"))] = face
    return mask


def make_held(folder: Path) -> dict[str, Path]:
    """The sets that no training sees, by title."""
    faces, cartoons, persons = folder / "held-faces", folder / "held-cartoons", folder / "held-persons"
    labelled("sfhq_test", faces)
    for path in sorted((data_folder() / PAIRS).glob("*_image.png")):
        shown = cv2.imread(str(path.with_name(path.name.replace("image", "seg_colour"))))[:, :, ::-1]
        keep(faces, path, pair(shown), f"pair-{path.name[0]}")
    make_cartoons(cartoons, lambda k: k % TENTH == 0)
    persons.mkdir(parents=True, exist_ok=True)
    base = os.path.relpath((data_folder() / PERSONS).resolve(), persons.resolve())
    text = f'images = "{base}/images"\nmasks = "{base}/masks"\nlabels = "ccp"\n'
    (persons / "parts.toml").write_text(text, encoding="utf-8")
    return {"photographs of faces": faces, "cartoons": cartoons, "photographs of persons": persons}


def labelled(name: str, folder: Path, unsure: int = 0) -> None:
    """The set of a file in benchmarks/parsing."""
    tool = runpy.run_path(str(HERE.parent / "tools" / "parsing_masks.py"))
    tool["make"](name, folder, data=data_folder(), unsure=unsure)


def make_cartoons(folder: Path, wanted: Callable[[int], bool]) -> None:
    """Cartoons with exact masks, by their number."""
    numbers = np.zeros(256, np.uint8)
    numbers[1], numbers[2] = PARTS.index("face"), PARTS.index("hair")
    for k, path in enumerate(scan(str(data_folder() / CARTOON_MASKS))):
        if wanted(k):
            picture = data_folder() / CARTOONS / f"{path.stem}.jpg"
            keep(folder, picture, numbers[cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)], path.stem)
    numbered(folder, "rest")


def make_learned(folder: Path, makehuman: str) -> None:
    """The sets that the bundled parser learns from."""
    labelled("sfhq_learn", folder / "faces", unsure=1)
    make_cartoons(folder / "cartoons", lambda k: k % TENTH != 0)
    make_grounds(folder / "grounds")
    for seed, (name, (who, count)) in enumerate(FIGURES.items(), 31):
        words = ["render", "--character", who or makehuman, "--motion", "builtin", "random", "--outputs"]
        words += ["shaded", "flat", "parts", "--count", str(count), "--seed", str(seed), "--variants", str(count)]
        if cli.main([*words, *VIEWS.split(), "-o", str(folder / name)]):
            raise SystemExit(f"{name}: not made")


def make_grounds(folder: Path) -> None:
    """Photographs in which no face is found."""
    folder.mkdir(parents=True, exist_ok=True)
    for root in GROUNDS:
        for path in scan(str(data_folder() / root)):
            if not detect(colors(path), Options(score=0.3)):
                shutil.copyfile(path, folder / f"{Path(root).name}-{path.name}")


def colors(path: Path) -> NDArray[np.uint8]:
    """A picture (H, W, 3)."""
    return np.asarray(image.plain(image.read(path)).compose_on_white().pixels, np.uint8)


def make_taught(folder: Path, teachers: Sequence[Path]) -> None:
    """Faces that nobody labelled, with what teachers are sure of; all else is unknown."""
    tool = runpy.run_path(str(HERE.parent / "tools" / "parsing_teacher.py"))
    seen = [folder / name for name in ("held-faces", "faces")]
    tool["label"](teachers, [data_folder() / root for root in (FACES, STAFF)], folder / "taught", seen)


def overlap(found: PartsReport, part: str) -> float | None:
    """Of a part; None where no label says that it is this one alone."""
    return overlap_of(found.agreements["standard"], part)


def overlap_of(found: Agreement, part: str) -> float | None:
    """The same of counts that were put together."""
    k = PARTS.index(part)
    return None if math.isnan(found.accuracy[k]) else float(found.iou[k])


def border(found: PartsReport, part: str) -> float | None:
    """The F-score of its border; None likewise."""
    score = found.borders[part][0]
    return None if math.isnan(score) else score


def row(title: str, found: PartsReport) -> Row:
    seen = [part for part in PARTS if overlap(found, part) is not None]
    return {
        "pictures": title,
        "number": len(found.scored),
        "IoU face": overlap(found, "face"),
        "IoU hair": overlap(found, "hair"),
        "border of face": border(found, "face"),
        "border of hair": border(found, "hair"),
        "mean IoU": found.agreements["standard"].mean_iou,
        "parts": len(seen),
        "ms each": found.seconds * 1000,
    }


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", metavar="FOLDER", type=Path, required=True)
    parser.add_argument("--model", default="segformer/parts")
    parser.add_argument("--name", default="parts")
    parser.add_argument("--side", type=int)
    parser.add_argument("--makehuman", metavar="FOLDER", default="")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--teacher", metavar="FILE", type=Path, nargs="+", default=())
    given = parser.parse_args(words)
    if given.make and not given.teacher and not given.makehuman:
        parser.error("--make wants --makehuman FOLDER, too: some of the characters are its")
    held = make_held(given.sets)
    if given.make and given.teacher:
        make_taught(given.sets, given.teacher)
    elif given.make:
        make_learned(given.sets, given.makehuman)
    else:
        parts = PartParser(given.model, precision="fp32", side=given.side)
        rows = [row(title, evaluate_parts(parts, folder)) for title, folder in held.items()]
        show(given.name, {f"The longest side at {parts.side} pixels": rows})


if __name__ == "__main__":
    main()
