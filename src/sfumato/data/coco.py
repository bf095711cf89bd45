"""Labels as COCO has them: keypoints, boxes, areas and outlines of figures (Lin et al., ECCV 2014, arXiv:1405.0312).

Shapes: H W pixels.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .keypoints import KEYPOINTS, LIMBS

CATEGORY = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(KEYPOINTS),
    "skeleton": [[first + 1, second + 1] for first, second in LIMBS],
}
Occluded = Literal["label", "drop"]


def annotation(
    mask: NDArray[np.bool_], keypoints: NDArray[np.float64], *, occluded: Occluded = "label"
) -> dict[str, Any]:
    """What COCO says of one figure, without ids.

    Args:
        mask: (H, W), where the figure is seen.
        keypoints: (17, 3), x and y in pixels, whose middles are at halves, and v: 2 seen, 1 hidden, 0 outside. COCO
            has whole numbers in the middle of pixels.
        occluded: what becomes of hidden keypoints: they stay, as 1, or are dropped, as in much of COCO.
    """
    kept = keypoints[:, 2:] > (1 if occluded == "drop" else 0)
    points = np.where(kept, keypoints - (0.5, 0.5, 0), 0.0)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = [0, 0, 0, 0]
    if len(rows):
        box = [int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]
    return {
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": [number for x, y, v in points for number in (round(float(x), 3), round(float(y), 3), int(v))],
        "num_keypoints": int((points[:, 2] > 0).sum()),
        "bbox": box,
        "area": int(mask.sum()),
        "segmentation": {"size": list(mask.shape), "counts": run_lengths(mask)},
    }


def run_lengths(mask: NDArray[np.bool_]) -> str:
    """The text that COCO makes of a mask (H, W): lengths of runs down the columns, first of 0, six bits a letter."""
    columns = np.flatnonzero(mask.any(0))
    first, last = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 0)
    flat = mask[:, first:last].ravel(order="F")
    ends = np.flatnonzero(np.diff(flat, prepend=False, append=False)) + first * len(mask)
    counts = np.diff(np.concatenate(([0], ends, [mask.size]))).tolist()
    if len(counts) > 1 and not counts[-1]:
        counts.pop()
    return "".join(_letters(n - counts[i - 2] if i > 2 else n) for i, n in enumerate(counts))


@lru_cache(maxsize=8192)
def _letters(number: int) -> str:
    """Five bits a letter, the lowest first; the sixth says that more come; letters begin at 48."""
    text = ""
    while True:
        low, number = number & 31, number >> 5
        more = number != (-1 if low & 16 else 0)
        text += chr(48 + (low | 32 if more else low))
        if not more:
            return text


def written(records: Iterable[Mapping[str, Any]], description: str) -> Iterator[str]:
    """The text of the file of all pictures, in pieces, so that large sets need no memory.

    Args:
        records: of pictures, with `id`, `file`, `width`, `height` and `annotations`; gone through twice.
        description: of the set.
    """
    yield f'{{"info":{_json({"description": description})},"images":['
    yield from _listed(
        {"id": record["id"], "file_name": record["file"], "width": record["width"], "height": record["height"]}
        for record in records
    )
    yield '],"annotations":['
    found = ({"image_id": record["id"], **figure} for record in records for figure in record["annotations"])
    yield from _listed({"id": number, **figure} for number, figure in enumerate(found, 1))
    yield f'],"categories":[{_json(CATEGORY)}]}}'


def _listed(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for number, item in enumerate(items):
        yield "," + _json(item) if number else _json(item)


def _json(item: Mapping[str, Any]) -> str:
    return json.dumps(item, separators=(",", ":"))
