"""Keypoints of figures in COCO's order, and sets of labelled pictures in COCO's format.

A set is a JSON file with `images`, `annotations` and `categories`, beside its pictures (Lin et al., ECCV 2014,
arXiv:1405.0312; https://cocodataset.org/#format-data).

Shapes: K = 17 keypoints; places are (x, y) in pixels of the picture, whole numbers in the middle of pixels; boxes are
(left, top, width, height).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

Floats = NDArray[np.float64]

KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle"),
)
"""COCO's 17, in its order. Left is the figure's own left."""
PAIRS = tuple((left, left + 1) for left in range(1, 17, 2))
"""Places of the left and the right one of each pair."""
UPPER = tuple(range(11))
"""Places of the keypoints above the hips."""
LIMBS = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10)),
    *((1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
"""Places of the keypoints that a skeleton joins, COCO's."""
NAMES = ("keypoints.json", "annotations.json")
"""What the file of labels in a folder is called."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """A labelled figure."""

    path: Path
    """Its picture."""
    image: int
    """The picture's number in the set."""
    box: tuple[float, float, float, float]
    """About the figure."""
    area: float
    """In pixels, by which distances are judged."""
    joints: Floats
    """(K, 2); where `visible` is 0 they mean nothing."""
    visible: NDArray[np.int64]
    """(K,): 2 seen, 1 hidden but labelled, 0 not labelled."""
    area_of_box: bool = False
    """Whether the set has no area of it, so that it is the box's."""
    crowd: bool = False
    """A box about many figures."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What else the set says of it."""


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """The figures of a set whose pictures are there."""

    file: Path
    """The labels."""
    pictures: Mapping[int, Path]
    """Pictures that are there, by number."""
    figures: Sequence[Figure]
    """Those in them, in the order of the file."""
    missing: Sequence[str]
    """Names of pictures that are not there."""


def swapped(values: NDArray[Any]) -> NDArray[Any]:
    """Values (K, ...) of a mirrored figure: left and right exchanged."""
    order = list(range(len(KEYPOINTS)))
    for left, right in PAIRS:
        order[left], order[right] = right, left
    return values[order]


def labels_file(where: str | Path) -> Path:
    """The file of labels that a path means: itself, or the one in that folder.

    Raises:
        DataError: there is none.
    """
    path = Path(where)
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"{where}: there is no such folder of labelled pictures")
    found = next((path / name for name in NAMES if (path / name).is_file()), None)
    if found is None:
        raise DataError(f"{where}: has none of {', '.join(NAMES)}; name the JSON file of the labels itself")
    return found


def read_set(where: str | Path, pictures: str | Path = "") -> LabelledSet:
    """A set of labelled pictures.

    Args:
        where: a folder with `keypoints.json` or `annotations.json`, or such a file.
        pictures: the folder of the pictures; empty: `images` beside the labels, or the labels' own folder.

    Raises:
        DataError: the labels are missing, damaged, of another kind, or none of their pictures is there.
    """
    file = labels_file(where)
    content = read_labels(file)
    categories = categories_of(content, file)
    places, missing = {}, []
    for image in content["images"]:
        number, name = whole_number(image, "id", file), str(image.get("file_name", ""))
        path = picture_of(file, name, pictures)
        if path is None:
            missing.append(name)
        else:
            places[number] = path
    if not places:
        first = f", as {missing[0]}" if missing else ""
        raise DataError(f"{file}: none of its {len(missing)} pictures is there{first}")
    entries = [
        (entry, names)
        for entry in content["annotations"]
        if entry.get("image_id") in places and (names := categories.get(entry.get("category_id"), categories[None]))
    ]
    figures = [_figure(entry, places, names, file) for entry, names in entries]
    return LabelledSet(file=file, pictures=places, figures=figures, missing=missing)


def read_labels(file: Path) -> dict[str, Any]:
    """The content of a file of labels, with lists of `images` and `annotations`.

    Raises:
        DataError: it cannot be read, or is of another kind.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: the labels cannot be read ({error})") from error
    kinds = ("images", "annotations")
    if not isinstance(content, dict) or not all(_is_list(content.get(kind)) for kind in kinds):
        raise DataError(f"{file}: is no set in COCO's format, which has lists of images and of annotations")
    return content


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def categories_of(content: Mapping[str, Any], file: Path) -> Mapping[Any, Sequence[str]]:
    """The keypoints' names by category, in its order; none for one that has no keypoints of COCO's, as an animal.

    Under None are those of annotations whose category the file does not tell.

    Raises:
        DataError: no category has a keypoint of COCO's.
    """
    told: Any = content.get("categories")
    listed = {c.get("id"): [str(name) for name in c.get("keypoints") or ()] for c in told} if _is_list(told) else {}
    if not any(listed.values()):
        return {None: KEYPOINTS}
    known = {key: names if set(names) & set(KEYPOINTS) else [] for key, names in listed.items()}
    first = next((names for names in known.values() if names), None)
    if first is None:
        own = next(names for names in listed.values() if names)
        raise DataError(f"{file}: has none of COCO's keypoints; its own are {', '.join(own[:5])} ...")
    return {None: first} | known


def in_order(entry: Mapping[str, Any], names: Sequence[str], about: str) -> list[float]:
    """The 51 numbers of an annotation's keypoints in COCO's order, 0 where it has none, as in sets of boxes alone.

    Args:
        entry: the annotation.
        names: of its keypoints.
        about: what errors begin with.

    Raises:
        DataError: they are not as many finite numbers as there are names.
    """
    values: Any = entry.get("keypoints", [0] * 3 * len(names))
    _numbers(values, 3 * len(names), f"{about}: keypoints")
    at = {name: 3 * k for k, name in enumerate(names)}
    return [v for name in KEYPOINTS for v in (values[at[name] : at[name] + 3] if name in at else (0, 0, 0))]


def whole_number(item: Mapping[str, Any], key: str, file: Path) -> int:
    """A field of an entry.

    Raises:
        DataError: it is no whole number.
    """
    value = item.get(key)
    if not isinstance(value, int):
        raise DataError(f"{file}: an entry has {key} {value!r}, which is no whole number")
    return value


def picture_of(file: Path, name: str, folder: str | Path = "") -> Path | None:
    """The picture of that name, in the folder, else in `images` beside the labels, else beside them; None: nowhere."""
    places = [Path(folder)] if folder else [file.parent / "images", file.parent]
    return next((place / name for place in places if name and (place / name).is_file()), None)


def _figure(entry: Mapping[str, Any], places: Mapping[int, Path], names: Sequence[str], file: Path) -> Figure:
    image = whole_number(entry, "image_id", file)
    about = f"{file}: annotation {entry.get('id')} of {places[image].name}"
    values = np.reshape(in_order(entry, names, about), (-1, 3)).astype(np.float64)
    visible = np.maximum(values[:, 2], 0).astype(np.int64)
    joints = np.where(values[:, 2:] > 0, values[:, :2], 0.0)
    left, top, width, height = map(float, _numbers(entry.get("bbox") or _around(joints, visible), 4, f"{about}: bbox"))
    return Figure(
        path=places[image],
        image=image,
        box=(left, top, width, height),
        area=float(entry.get("area") or width * height),
        area_of_box=not entry.get("area"),
        joints=joints,
        visible=visible,
        crowd=bool(entry.get("iscrowd")),
        attributes=entry.get("attributes") or {},
    )


def _numbers(values: Any, count: int, about: str) -> Floats:
    """A list of so many finite numbers.

    Raises:
        DataError: it is none.
    """
    sound = isinstance(values, list) and all(isinstance(x, int | float) and math.isfinite(x) for x in values)
    if not sound or len(values) != count:
        raise DataError(f"{about} must be {count} finite numbers")
    return np.array(values, np.float64)


def _around(joints: Floats, visible: NDArray[np.int64]) -> list[float]:
    """The box about the labelled keypoints."""
    known = joints[visible > 0]
    if not len(known):
        return [0.0, 0.0, 0.0, 0.0]
    (left, top), (right, bottom) = known.min(0), known.max(0)
    return [float(left), float(top), float(right - left), float(bottom - top)]
