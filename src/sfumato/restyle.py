"""A labelled set drawn by other hands: each picture in the styles of others, its labels kept.

    DIR/keypoints.json + STYLES/*.jpg  ->  OUT/images/000000000000.png ...  OUT/keypoints.json

Picture i and its place k among the pictures made of it tell its style, so that any process can make any of them, and
styles are spread evenly. Line drawings are mostly paper: what a style does to paper would drown the lines, so they are
drawn over the result again, as far as `ink` says.

Shapes: H W pixels.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from . import image
from .data import folders, manifest
from .errors import Cancelled, DataError
from .image.depth import to_8
from .progress import Report
from .translate import Translator

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
    """A labelled set in a folder."""

    root: Path
    images: tuple[dict[str, Any], ...]
    """In the order of their ids."""
    annotations: dict[int, list[dict[str, Any]]]
    """By the id of their image, without ids."""


def read_set(folder: str | Path) -> Labelled:
    """The set of DIR/keypoints.json.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    path = Path(folder) / manifest.LABELS
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        images = sorted(labels["images"], key=lambda entry: int(entry["id"]))
        annotations: dict[int, list[dict[str, Any]]] = {int(entry["id"]): [] for entry in images}
        for found in labels["annotations"]:
            kept = {k: v for k, v in found.items() if k not in ("id", "image_id")}
            annotations[int(found["image_id"])].append(kept)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; a set is what `sfumato render -o DIR` makes") from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"{path}: is no file of labels as COCO has them ({error!r})") from error
    if not images:
        raise DataError(f"{path}: a set without pictures")
    return Labelled(root=Path(folder), images=tuple(images), annotations=annotations)


def styles_of(pictures: int, styles: int, config: Config) -> NDArray[np.int64]:
    """Which of so many styles each version of each picture has, (pictures, per_picture).

    Each as often as any other, and never twice for one picture unless it has more versions than there are styles.
    """
    rng = np.random.default_rng(config.seed)
    places, order = rng.permutation(pictures), rng.permutation(styles)
    chosen: NDArray[np.int64] = order[(places[:, None] * config.per_picture + np.arange(config.per_picture)) % styles]
    return chosen


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
        dataset: folder with keypoints.json.
        styles: folders of pictures.
        out: folder of the new set.
        config: how it is styled.
        device: as `device.pick` takes it.
        shard: only the first number's share of so many, for several machines.
        progress: called with the pictures done and their number; False stops.

    Returns:
        How many pictures of all shares there are.

    Raises:
        DataError: the set or the styles cannot be used.
        OptionError: the folder holds another set.
        DiskError: the disk is full or not writable; the same call goes on.
        Cancelled: `progress` said so; likewise.
    """
    config, out = config or Config(), Path(out)
    source = read_set(dataset)
    hands = folders.Folder(styles, STYLE_PX)
    named = [folders.named(Path(path)) for path in hands.paths]
    manifest.claim(out, asdict(config) | {"styles": named, "pictures": len(source.images)})
    numbers = range(shard[0], len(source.images) * config.per_picture, shard[1])
    there = {record["id"] for record in manifest.records(out)}
    missing, done = [n for n in numbers if n not in there], len(numbers)
    done -= len(missing)
    chosen = styles_of(len(source.images), len(hands), config)
    translator = Translator(config.model, device=device)
    (out / "images").mkdir(parents=True, exist_ok=True)
    with manifest.Manifest(out, shard).appending() as lines:
        for number in missing:
            picture, version = divmod(number, config.per_picture)
            style, pixels = hands.found(int(chosen[picture, version]))
            made = styled(source.root / source.images[picture]["file_name"], pixels, translator, config)
            lines.add(_kept(out, number, made, source, picture) | {"style": folders.named(Path(style))})
            done += 1
            if progress is not None and progress(done, len(numbers)) is False:
                manifest.write_labels(out, DESCRIPTION)
                raise Cancelled(f"stopped after {done:,} of {len(numbers):,} pictures; the same command goes on")
    return manifest.write_labels(out, DESCRIPTION)


def styled(picture: Path, style: NDArray[np.uint8], translator: Translator, config: Config) -> NDArray[np.uint8]:
    """A picture in a style (h, w, 3), its lines over it, (H, W, 3).

    Raises:
        PictureError: it cannot be read.
    """
    paper = image.read(picture).compose_on_white()
    made = np.asarray(translator(paper, style, strength=config.strength).convert("RGB"), np.float32)
    dark = config.ink * (1 - to_8(paper.pixels).astype(np.float32) / 255)
    return np.asarray(np.rint(made * (1 - dark)), np.uint8)


def _kept(out: Path, number: int, pixels: NDArray[np.uint8], source: Labelled, picture: int) -> dict[str, Any]:
    """Writes a styled picture; its line of the manifest."""
    file, before = f"images/{number:012d}.png", source.images[picture]
    image.write(out / file, image.from_any(pixels), overwrite=True)
    record = {"id": number, "file": file, "width": before["width"], "height": before["height"]}
    return record | {"of": before["id"], "annotations": source.annotations[int(before["id"])]}
