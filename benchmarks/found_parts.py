"""What becomes of the parts that the bundled parser names when only those count that are found, and how right they are.

    python benchmarks/found_parts.py --sets FOLDER [--portraits 40]

The labelled sets are those of benchmarks/parts.py, which are made in FOLDER; beside them are close portraits of SFHQ,
evenly drawn, that nobody labelled. In these nothing can be seen that is below the waist, and hardly ever a bag.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from parts import FACES, make_held, overlap_of
from report import Row, data_folder, show

from sfumato import PartParser, image
from sfumato.data.folders import scan
from sfumato.data.part_sets import read_set
from sfumato.image import Pixels
from sfumato.metrics.parts import Counts, agreement
from sfumato.parsing import Parts, tidied
from sfumato.parsing.evaluation import score
from sfumato.parsing.finding import from_near, seen, with_faces
from sfumato.parsing.tidying import LOW

UNSEEN = {*LOW, "bag"}


def named(parser: PartParser, pixels: Pixels) -> tuple[Parts, Parts]:
    """The parts of a picture (H, W, 3) as the parser has them in its heads and bodies, and what counts of them."""
    faces = seen(np.asarray(pixels, np.uint8))
    if not faces:
        return (Parts.empty(*pixels.shape[:2]),) * 2
    raw = with_faces(parser(pixels, from_near(faces)), faces)
    return raw, tidied(raw)


def row(title: str, pairs: Sequence[tuple[Parts, Parts]], counts: Sequence[tuple[Counts, Counts]] = ()) -> Row:
    made: Row = {"pictures": title, "number": len(pairs)}
    for place, when in enumerate(("named", "found")):
        there = [{*pair[place].present()} - {"background"} for pair in pairs]
        made[f"parts {when}"] = sum(map(len, there))
        made[f"below the waist or bag, {when}"] = sum(len(parts & UNSEEN) for parts in there)
    for part in ("face", "hair"):
        for place, when in enumerate(("named", "found")):
            found = agreement([pair[place] for pair in counts]) if counts else None
            made[f"IoU {part}, {when}"] = overlap_of(found, part) if found else None
    return made


def main(words: Sequence[str] | None = None) -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--sets", metavar="FOLDER", type=Path, required=True)
    given.add_argument("--portraits", type=int, default=40)
    wish = given.parse_args(words)
    parser, rows = PartParser(precision="fp32", zoom=True), list[Row]()
    every = scan(str(data_folder() / FACES))
    drawn = [every[k] for k in np.linspace(0, len(every) - 1, wish.portraits).astype(int)]
    pictures = [image.plain(image.read(path)).compose_on_white().pixels for path in drawn]
    rows.append(row("close portraits", [named(parser, pixels) for pixels in pictures]))
    for title, folder in make_held(wish.sets).items():
        pairs, counts = list[tuple[Parts, Parts]](), list[tuple[Counts, Counts]]()
        for item in read_set(folder).items:
            pixels, sets = item.on_white()
            pairs.append(named(parser, pixels))
            first, second = (score(item, parts.labels, sets, 0).counts["standard"] for parts in pairs[-1])
            counts.append((first, second))
        rows.append(row(title, pairs, counts))
    show("found_parts", {"Parts over all pictures of a kind": rows})


if __name__ == "__main__":
    main()
