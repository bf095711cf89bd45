"""Folders of photographs, one for each class, with sketches of them: edge maps made at once, and real drawings.

There are few drawings of photographs, so that edge maps stand in for them; the share of drawings grows on the way
(Chen & Hays, SketchyGAN, CVPR 2018, section 3.1).

Shapes: H W pixels, K classes. Pictures of samples are uint8 (3, size, size) RGB; the trainer brings them to [0, 1].
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple

import cv2
import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from .. import image
from ..errors import DataError, PictureError, RecipeError
from ..image.depth import to_8
from .domains import held_out, jittered, middle, tensor
from .edge_maps import EdgeMaps
from .folders import CACHE_BYTES, Cache, Folder, Pixels, named, pick, random_crop, read_exclude, scan
from .mixed import Share, UnitInterval
from .sketches import Config as Lines

log = logging.getLogger(__name__)

Side = Annotated[int, Gt(0)]


@dataclass(frozen=True, kw_only=True)
class SketchPhotos:
    """Photographs of several classes and sketches of them: samples {"sketch", "photo", "label", "real", "real_label"}.

    `label` and `real_label` are (K,), 1 at the class. `real` is a photograph of its own, for discriminators.
    """

    photos: tuple[str, ...] = ()
    """A folder of photographs for each class, in the order of `method.classes`."""
    root: str = ""
    """Where those folders are, if their names are not whole paths."""
    edges: str = ""
    """Folder in which edge maps are kept, CLASS/PHOTO-sketch.png; those of `sfumato sketch` may be there already."""
    drawings: str = ""
    """Folder of real drawings: sketch/CLASS/NAME-1.png and more of each photo/CLASS/NAME.jpg, as Sketchy has it."""
    share: Share = field(default_factory=Share)
    """Share of real drawings among the sketches, which may grow."""
    real_share: UnitInterval = 0.1
    """Share of photographs of real drawings among those that discriminators see alone."""
    size: Side = 64
    """Side of a crop in pixels."""
    shorter: tuple[Side, Side] = (64, 72)
    """Smallest and largest shorter side that a picture is brought to before the crop."""
    side: Side = 256
    """Longest side, in pixels, of the photograph that edges are found in; its lines are a pixel wide."""
    threshold: Annotated[float, Gt(0), Le(1)] = 0.35
    """How strong an edge must be to become a line."""
    flip: bool = True
    """Mirror half of the pairs."""
    jitter: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Change brightness, contrast and saturation of photographs by up to this share."""
    exclude: str = ""
    """Text file of FOLDER/NAME lines to leave out, photographs and drawings."""
    hold_out: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of the photographs that is kept from training, with their drawings; which, the files' names tell."""

    def open(self, cache_bytes: int = CACHE_BYTES) -> "Opened":
        """The pictures, found and checked; each process that reads them keeps up to `cache_bytes` of them."""
        return Opened(self, cache_bytes)


class Drawing(NamedTuple):
    """A real drawing of a photograph."""

    sketch: str
    photo: str
    label: int


class Opened:
    """Pairs of sketches and photographs; sample n is a function of (seed, n).

    Attributes:
        paired: that what is held out belongs together.

    Raises:
        DataError: a class has no folder or no picture that can be read, or drawings are missing.
        RecipeError: options are wrong.
    """

    paired: ClassVar[bool] = True

    def __init__(self, settings: SketchPhotos, cache_bytes: int) -> None:
        low, high = settings.shorter
        if not settings.size <= low <= high:
            raise RecipeError(f"data.shorter: {low} {high} must rise, from the crop's {settings.size} on")
        if not settings.photos:
            raise DataError("data.photos names no folders of photographs, one for each class")
        self.settings, self.cache = settings, Cache(cache_bytes)
        self.paths = [Path(settings.root, folder) for folder in settings.photos]
        self.names = [path.resolve().name for path in self.paths]
        if settings.edges or settings.drawings:
            check_names(self.names)
        self.unwanted = unwanted = read_exclude(settings.exclude)
        self.shortest = max(settings.side, high)
        self.folders = [
            Folder(
                [str(path)],
                self.shortest,
                unwanted=unwanted,
                cache=self.cache,
                wanted=lambda picture: not held_out(picture, settings.hold_out),
            )
            for path in self.paths
        ]
        self.starts = np.cumsum([0, *(len(folder) for folder in self.folders)])
        self.drawings = found_drawings(settings, self.names, unwanted) if settings.drawings else []
        self.faults: dict[str, str] = {}
        lines = Lines(detail=settings.side, threshold=settings.threshold, line_width=1.0)
        self.edges = EdgeMaps(settings.edges, self.paths, lines, self.cache)
        if left_out := [fault for folder in self.folders for fault in folder.left_out]:
            log.warning("%d broken pictures are left out:\n  %s", len(left_out), "\n  ".join(left_out))

    def sample(self, seed: int, n: int) -> dict[str, Tensor]:
        """A pair, and a photograph of its own.

        Raises:
            DataError: no picture is left that can be read.
        """
        rng, alone = np.random.default_rng([seed, n]), np.random.default_rng([seed, n, *b"real"])
        sketch, photo, label = self._pair(seed, n, rng)
        sketch, photo = same_size(sketch, photo)
        real, real_label = self._real(seed, n, alone)
        places = int(rng.integers(2**31))
        return {
            "sketch": self._crop(sketch, np.random.default_rng(places)),
            "photo": self._crop(photo, np.random.default_rng(places), colors=rng),
            "label": self._one_hot(label),
            "real": self._crop(real, alone, colors=alone),
            "real_label": self._one_hot(real_label),
        }

    def kept_apart(self, count: int) -> Iterator[dict[str, Tensor]]:
        """Up to `count` photographs of each class that are kept from training, with their edge maps: the middles.

        Raises:
            DataError: a class has none.
        """
        s = self.settings
        for label, path in enumerate(self.paths):
            held = Folder(
                [str(path)],
                self.shortest,
                unwanted=self.unwanted,
                wanted=lambda picture: held_out(picture, s.hold_out),
            )
            for file, photo in islice(held.sound(), count):
                both = {"sketch": self.edges(label, file, photo), "photo": photo}
                yield {k: tensor(middle(x, s.size)) for k, x in both.items()} | {"label": self._one_hot(label)}

    def held_out(self, count: int) -> dict[str, Iterator[Tensor]]:
        """Up to `count` pairs that are kept from training, classes alike, and their classes, () int64 each.

        Raises:
            DataError: a class has none.
        """
        kept = list(self.kept_apart(max(1, count // len(self.names))))
        return {
            "sketch": (x["sketch"] for x in kept),
            "photo": (x["photo"] for x in kept),
            "label": (x["label"].argmax() for x in kept),
        }

    def pairs(self) -> Iterator[tuple[int, str, Pixels, Pixels]]:
        """All photographs that are learned from: class, path, edge map (H, W, 3) and photograph (H, W, 3)."""
        for label, folder in enumerate(self.folders):
            for path, photo in folder.sound():
                yield label, path, self.edges(label, path, photo), photo

    def _pair(self, seed: int, n: int, rng: np.random.Generator) -> tuple[Pixels, Pixels, int]:
        s = self.settings
        if self.drawings and rng.random() < s.share.at(n):
            first = pick(len(self.drawings), seed, n, "drawings")
            for drawing in (*self.drawings[first:], *self.drawings[:first]):
                try:
                    return self._read(drawing.sketch), self._read(drawing.photo), drawing.label
                except PictureError as error:
                    self.faults[drawing.sketch] = str(error)
            raise DataError(f"{s.drawings}: no drawing is left that can be read")
        label, index = self._place(pick(int(self.starts[-1]), seed, n, "photos"))
        path, photo = self.folders[label].found(index)
        return self.edges(label, path, photo), photo, label

    def _real(self, seed: int, n: int, rng: np.random.Generator) -> tuple[Pixels, int]:
        if self.drawings and rng.random() < self.settings.real_share:
            drawing = self.drawings[pick(len(self.drawings), seed, n, "real drawings")]
            try:
                return self._read(drawing.photo), drawing.label
            except PictureError as error:
                self.faults[drawing.photo] = str(error)
        label, index = self._place(pick(int(self.starts[-1]), seed, n, "real"))
        return self.folders[label].picture(index), label

    def _place(self, number: int) -> tuple[int, int]:
        """Class and place in its folder of a photograph of all."""
        label = int(np.searchsorted(self.starts, number, side="right")) - 1
        return label, number - int(self.starts[label])

    def _read(self, path: str) -> Pixels:
        if path not in self.cache.pictures:
            pixels = to_8(image.read(path).compose_on_white().pixels)
            self.cache.offer(path, pixels)
            return pixels
        return self.cache.pictures[path]

    def _crop(self, pixels: Pixels, rng: np.random.Generator, *, colors: np.random.Generator | None = None) -> Tensor:
        s = self.settings
        shorter = int(rng.integers(s.shorter[0], s.shorter[1], endpoint=True))
        square = random_crop(pixels, s.size, shorter, rng, flip=s.flip)
        return tensor(jittered(square, s.jitter, colors) if s.jitter and colors is not None else square)

    def _one_hot(self, label: int) -> Tensor:
        return torch.eye(len(self.names))[label]

    def counts(self) -> dict[str, int]:
        """How many pictures each folder has."""
        drawn = {self.settings.drawings: len(self.drawings)} if self.drawings else {}
        return {folder: count for side in self.folders for folder, count in side.counts.items()} | drawn

    def broken(self) -> list[str]:
        """What is wrong with pictures that looked sound at first; others take their places."""
        return [fault for side in self.folders for fault in side.broken.values()] + [
            *self.faults.values(),
            *self.edges.faults.values(),
        ]

    def digest(self) -> str:
        """Sixteen digits that tell whether the pictures are still the same, by their names and number."""
        names = [f"{k} {named(Path(p))}" for k, folder in enumerate(self.folders) for p in folder.paths]
        names += [f"{d.label} {named(Path(d.sketch))}" for d in self.drawings]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def check_names(names: Sequence[str]) -> None:
    """Whether each class has a name of its own, by which edge maps and drawings are found; without case, as files.

    Raises:
        DataError: two share one.
    """
    for place, name in enumerate(names):
        if name.casefold() in (other.casefold() for other in names[:place]):
            raise DataError(
                f"data.photos: two folders are called {name}, and would share edges or drawings; rename one"
            )


def found_drawings(settings: SketchPhotos, classes: Sequence[str], unwanted: frozenset[str]) -> list[Drawing]:
    """The drawings whose photographs are there and learned from, of these classes, in the order of their names.

    Raises:
        DataError: there are none.
    """
    root, drawings = Path(settings.drawings), list[Drawing]()
    for label, name in enumerate(classes):
        if not (root / "sketch" / name).is_dir():
            continue
        learned = [p for p in scan(str(root / "photo" / name)) if not held_out(p, settings.hold_out)]
        photos = {path.stem: path for path in learned if named(path) not in unwanted}
        sketches = [path for path in scan(str(root / "sketch" / name)) if named(path) not in unwanted]
        pairs = [(path, photos.get(path.stem) or photos.get(path.stem.rpartition("-")[0])) for path in sketches]
        drawings += [Drawing(str(sketch), str(photo), label) for sketch, photo in pairs if photo]
    if not drawings:
        raise DataError(
            f"{root}: no sketch/CLASS/NAME-1.png of a photo/CLASS/NAME.jpg, of any of {len(classes)} classes"
        )
    return drawings


def same_size(sketch: Pixels, photo: Pixels) -> tuple[Pixels, Pixels]:
    """Both (H, W, 3) at the size of the smaller one, so that equal crops show the same."""
    height, width = min(sketch.shape[:2], photo.shape[:2], key=lambda size: size[0] * size[1])
    first, second = (
        x if x.shape[:2] == (height, width) else cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA)
        for x in (sketch, photo)
    )
    return np.asarray(first, np.uint8), np.asarray(second, np.uint8)
