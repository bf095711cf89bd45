"""A labelled set drawn by other hands: each picture in the styles of others, its labels kept.

    DIR/keypoints.json + STYLES/*.jpg  ->  OUT/images/000000000000.png ...  OUT/keypoints.json

Picture i and its place k among the pictures made of it tell its style, so that any process can make any of them, and
styles are spread evenly. Line drawings are mostly paper: what a style does to paper would drown the lines, so they are
drawn over the result again, as far as `ink` says.

Shapes: H W pixels.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from . import image
from .data import folders, keypoints, manifest
from .data.coco import CATEGORY
from .errors import DataError, PictureError
from .image.depth import to_8
from .progress import Report
from .translate import Translator

log = logging.getLogger(__name__)

STYLE_PX = 512
"""Shorter side that styles are brought to, if they are larger."""
DESCRIPTION = "Rendered and styled by Sfumato"


@dataclass(frozen=True, kw_only=True)
class Config:
    """How a set is styled."""

    model: str = "microast/art"
    """A stylizer, by name or file."""
    per_picture: Annotated[int, Gt(0)] = 1
    """Pictures that are made of each, in as many styles."""
    strength: Annotated[float, Ge(0), Le(1)] = 1.0
    """How much style, from 0, none, to 1."""
    ink: Annotated[float, Ge(0), Le(1)] = 0.5
    """How dark the lines are drawn over the result: 0 leaves them to the style, 1 keeps them as they are."""
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Fixes which picture gets which style."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A labelled picture."""

    number: int
    """In its set."""
    path: Path
    size: tuple[int, int]
    """Width and height."""
    annotations: tuple[dict[str, Any], ...]
    """Without ids, keypoints in COCO's order."""


def labelled(dataset: str | Path) -> list[Labelled]:
    """The pictures of a set in COCO's format, in the order of their numbers.

    Raises:
        DataError: there is no such set, it has no pictures, one is not there, or a label is broken.
    """
    file = keypoints.labels_file(dataset)
    content = keypoints.read_labels(file)
    categories, kept = keypoints.categories_of(content, file), dict[int, list[dict[str, Any]]]()
    for found in content["annotations"]:
        if not (names := categories.get(found.get("category_id"), categories[None])):
            continue  # an animal, say
        points = keypoints.in_order(found, names, f"{file}: annotation {found.get('id')}")
        ours = {"category_id": CATEGORY["id"], "keypoints": points, "num_keypoints": sum(v > 0 for v in points[2::3])}
        kept.setdefault(keypoints.whole_number(found, "image_id", file), []).append(
            {k: v for k, v in found.items() if k not in ("id", "image_id")} | ours
        )
    pictures = []
    for entry in content["images"]:
        number, width, height = (keypoints.whole_number(entry, key, file) for key in ("id", "width", "height"))
        name = str(entry.get("file_name", ""))
        if (path := keypoints.picture_of(file, name)) is None:
            raise DataError(f"{file}: its picture {name!r} is not there")
        annotations = tuple(kept.get(number, ()))
        pictures.append(Labelled(number=number, path=path, size=(width, height), annotations=annotations))
    if not pictures:
        raise DataError(f"{file}: a set without pictures")
    return sorted(pictures, key=lambda picture: picture.number)


def digests(dataset: str | Path, pictures: Sequence[Labelled]) -> list[str]:
    """What tells the pictures of one set from those of another: name and labels of each, and how the set was made."""
    folder = keypoints.labels_file(dataset).parent
    ours = any(folder.glob(manifest.LINES)) and (folder / manifest.CONFIG).exists()
    made = {k: v for k, v in manifest.read_claim(folder).items() if k != manifest.SOURCE} if ours else {}
    facts = ([made, p.number, folders.named(p.path), p.size, p.annotations] for p in pictures)
    return [hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()[:16] for one in facts]


def styles_of(pictures: int, styles: int, config: Config) -> NDArray[np.int64]:
    """Which of so many styles each version of each picture has, (pictures, per_picture).

    Each as often as any other, and never twice for one picture unless it has more versions than there are styles. More
    pictures change nothing for those before them: all styles are dealt like cards, shuffled anew when they are used up.
    """
    rng = np.random.default_rng(config.seed)
    dealt = np.zeros(0, np.int64)
    decks = [dealt]
    for begin in range(0, pictures * config.per_picture, styles):
        deck = rng.permutation(styles)
        if before := begin % config.per_picture:  # so many of the picture's versions are dealt
            fresh = np.flatnonzero(~np.isin(deck, dealt[-before:]))[: config.per_picture - before]
            deck = np.concatenate([deck[fresh], np.delete(deck, fresh)])
        dealt = deck
        decks.append(deck)
    return np.concatenate(decks)[: pictures * config.per_picture].reshape(pictures, config.per_picture)


def restyle(
    dataset: str | Path,
    styles: Sequence[str],
    out: str | Path,
    config: Config | None = None,
    *,
    device: str = "auto",
    shard: tuple[int, int] = (0, 1),
    progress: Report | None = None,
) -> int:
    """Makes the styled pictures that are not there yet, and OUT/keypoints.json of all that are there then.

    Args:
        dataset: folder with keypoints.json or annotations.json, or such a file; it may have grown since the last call.
        styles: pictures, or folders of them.
        out: folder of the new set.
        config: how it is styled.
        device: as `device.pick` takes it.
        shard: only the first number's share of so many, for several machines.
        progress: called with the pictures done and their number; False stops.

    Returns:
        How many pictures of all shares there are.

    Raises:
        DataError: the set or the styles cannot be used, or one of its pictures is broken.
        OptionError: the folder holds another set, another process makes this one, or the model makes no pictures.
        WeightsError: there is no such model, or it is damaged.
        DiskError: the disk is full or not writable; the same call goes on.
        Cancelled: `progress` said so, or Ctrl-C; likewise.
    """
    config, out = config or Config(), Path(out)
    pictures = labelled(dataset)
    hands = folders.Folder(styles, STYLE_PX)
    for fault in hands.left_out:
        log.warning("left out: %s", fault)
    named = [folders.named(Path(path)) for path in hands.paths]
    translator = Translator(config.model, device=device)
    claimed = manifest.claim(out, asdict(config) | {"styles": named}, digests(dataset, pictures))
    chosen = styles_of(len(pictures), len(hands), config)
    (out / "images").mkdir(parents=True, exist_ok=True)

    def made(numbers: Sequence[int]) -> Iterator[manifest.Record]:
        for number in numbers:
            place, version = divmod(number, config.per_picture)
            style, pixels = hands.found(int(chosen[place, version]))
            try:
                result = styled(pictures[place].path, pixels, translator, config)
            except PictureError as error:
                raise DataError(f"{error}; put a whole picture in its place, and the same command goes on") from error
            yield _kept(out, number, result, pictures[place]) | {"style": folders.named(Path(style))}

    count = len(pictures) * config.per_picture
    return manifest.gather(out, count, made, claimed=claimed, description=DESCRIPTION, shard=shard, progress=progress)


def styled(picture: Path, style: NDArray[np.uint8], translator: Translator, config: Config) -> NDArray[np.uint8]:
    """A picture in a style (h, w, 3), its lines over it, (H, W, 3).

    Raises:
        PictureError: it cannot be read.
    """
    paper = image.read(picture).compose_on_white()
    made = np.asarray(translator(paper, style, strength=config.strength).convert("RGB"), np.float32)
    dark = config.ink * (1 - to_8(paper.pixels).astype(np.float32) / 255)
    return np.asarray(np.rint(made * (1 - dark)), np.uint8)


def _kept(out: Path, number: int, pixels: NDArray[np.uint8], picture: Labelled) -> manifest.Record:
    """Writes a styled picture; its line of the manifest."""
    file = f"images/{number:012d}.png"
    image.write(out / file, image.from_any(pixels), overwrite=True)
    width, height = picture.size
    record = {"id": number, "file": file, "width": width, "height": height, "of": picture.number}
    return record | {"annotations": picture.annotations}
