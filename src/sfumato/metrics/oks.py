"""How near keypoints are to those labelled: object keypoint similarity, and average precision by COCO's rules.

Precision and recall are computed by pycocotools, the yardstick of all published figures
(https://cocodataset.org/#keypoints-eval). Similarities of single figures, the interval of the precision, the share of
correct keypoints and the choice among overlapping figures are ours.

Shapes: N figures found, M labelled ones, K = 17 keypoints.
"""

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIGMAS = np.array(
    [*(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072), *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087)]
    + [0.089, 0.089]
)
"""How far annotators differ at each keypoint, in square roots of a figure's area (COCO's k_i is twice that)."""
NAMES = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
"""What COCO reports: over ten thresholds, at 0.5, at 0.75, of figures of 32^2 to 96^2 pixels and of larger ones."""
DRAWS = 200
"""Sets of pictures drawn for an interval."""


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Average precision and recall of a set.

    Attributes:
        stats: by `NAMES`; NaN where the set has no such figures.
        low: of the interval that holds AP in 95 of 100 sets drawn from these pictures.
        high: its other end.
    """

    stats: Mapping[str, float]
    low: float
    high: float


def similarity(found: Floats, labelled: Floats, area: float) -> float:
    """The similarity of keypoints (K, 2) to labelled ones (K, 3), x, y and 0 for what is not labelled; in [0, 1].

    NaN where nothing is labelled.
    """
    known = labelled[:, 2] > 0
    if not known.any():
        return math.nan
    squares = np.square(found[:, :2] - labelled[:, :2]).sum(1)
    apart = squares / (2 * np.square(2 * SIGMAS) * (area + np.spacing(1)))
    return float(np.exp(-apart)[known].mean())


def average_precision(
    images: Sequence[int],
    labelled: Sequence[Mapping[str, Any]],
    found: Sequence[Mapping[str, Any]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Precision:
    """COCO's figures, and an interval of AP from pictures drawn anew with replacement.

    Args:
        images: numbers of all pictures.
        labelled: COCO annotations with image_id, keypoints (3 K numbers), area, bbox, iscrowd.
        found: COCO results with image_id, keypoints (3 K numbers), score.
        draws: how often pictures are drawn; 0 makes no interval.
        seed: of the draws.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells its progress
        evaluation = _evaluated(images, labelled, found)
        evaluation.accumulate()
        evaluation.summarize()
        stats = {name: _or_nan(value) for name, value in zip(NAMES, evaluation.stats, strict=True)}
        low, high = _interval(evaluation, draws, seed) if draws else (math.nan, math.nan)
    return Precision(stats=stats, low=low, high=high)


def _evaluated(images: Sequence[int], labelled: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> Any:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    sides = []
    for entries, plain in ((labelled, _label), (found, _result)):
        side = COCO()
        annotations = [plain(entry) | {"id": k, "category_id": 1} for k, entry in enumerate(entries, 1)]  # 0 is "none"
        side.dataset = {"images": [{"id": i} for i in images], "categories": [{"id": 1}], "annotations": annotations}
        side.createIndex()
        sides.append(side)
    evaluation = COCOeval(*sides, iouType="keypoints")
    evaluation.evaluate()
    return evaluation


def _label(entry: Mapping[str, Any]) -> dict[str, Any]:
    points = list(entry["keypoints"])
    kept = {key: entry[key] for key in ("image_id", "area", "bbox")}
    count = sum(v > 0 for v in points[2::3])
    return {**kept, "keypoints": points, "num_keypoints": count, "iscrowd": int(entry.get("iscrowd", 0))}


def _result(entry: Mapping[str, Any]) -> dict[str, Any]:
    """As pycocotools reads results: the area is that of the box about all keypoints."""
    points = np.asarray(entry["keypoints"], np.float64).reshape(-1, 3)
    (left, top), (right, bottom) = points[:, :2].min(0), points[:, :2].max(0)
    return {
        "image_id": entry["image_id"],
        "keypoints": points.ravel().tolist(),
        "score": float(entry["score"]),
        "area": float((right - left) * (bottom - top)),
        "bbox": [float(left), float(top), float(right - left), float(bottom - top)],
        "iscrowd": 0,
    }


def _interval(evaluation: Any, draws: int, seed: int) -> tuple[float, float]:
    """The middle 95 of 100 values of AP over sets of as many pictures, drawn with replacement."""
    own, count = evaluation.evalImgs[: len(evaluation.params.imgIds)], len(evaluation.params.imgIds)
    rng, values = np.random.default_rng(seed), []
    evaluation.params.areaRng = evaluation.params.areaRng[:1]  # figures of all sizes
    for _ in range(draws):
        evaluation.evalImgs = [own[i] for i in rng.integers(count, size=count)]
        evaluation.accumulate()
        precision = evaluation.eval["precision"]
        if (precision > -1).any():
            values.append(float(precision[precision > -1].mean()))
    if not values:
        return math.nan, math.nan
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _or_nan(value: float) -> float:
    return float(value) if value > -1 else math.nan


def correct_keypoints(found: Floats, labelled: Floats, lengths: Floats, threshold: float = 0.1) -> Floats:
    """The share of correct keypoints by joint (K,), NaN where none is labelled: PCK.

    Correct is what is nearer to its label than `threshold` times a length of the figure.

    Args:
        found: (N, K, 2).
        labelled: (N, K, 3), x, y and 0 for what is not labelled.
        lengths: (N,), such as the longer side of the box; or (N, 2), of x and y.
        threshold: in those lengths.
    """
    per_axis = np.asarray(lengths, np.float64).reshape(len(found), 1, -1)
    apart = np.linalg.norm((found[..., :2] - labelled[..., :2]) / per_axis, axis=-1)
    known = labelled[..., 2] > 0
    count = known.sum(0)
    hits = ((apart < threshold) & known).sum(0)
    return np.where(count > 0, hits / np.maximum(count, 1), math.nan)


def suppressed(keypoints: Floats, scores: Floats, areas: Floats, threshold: float = 0.9) -> list[int]:
    """Which figures stay when those too like a better one are left out, the best first (OKS-NMS).

    Args:
        keypoints: (N, K, 2 or 3).
        scores: (N,).
        areas: (N,), of the boxes; two figures are compared by the mean of theirs.
        threshold: similarity above which the worse of two goes.
    """
    left, kept = list(np.argsort(-np.asarray(scores), kind="stable")), []
    while left:
        best, *rest = left
        kept.append(int(best))
        squares = np.square(keypoints[rest, :, :2] - keypoints[best, :, :2]).sum(-1)
        scale = (areas[rest] + areas[best]) / 2 + np.spacing(1)
        alike = np.exp(-squares / (2 * np.square(2 * SIGMAS) * scale[:, None])).mean(1)
        left = [i for i, value in zip(rest, alike, strict=True) if value <= threshold]
    return kept
