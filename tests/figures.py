"""Stick figures whose joints are known: a small labelled set made by code."""

import json
from pathlib import Path

import cv2
import numpy as np

from sfumato.data.keypoints import KEYPOINTS, LIMBS

UPRIGHT = np.array(
    [[0, 0], [3, -3], [-3, -3], [6, -1], [-6, -1], [12, 14], [-12, 14], [20, 30], [-20, 30], [24, 46], [-24, 46]]
    + [[8, 50], [-8, 50], [10, 74], [-10, 74], [11, 98], [-11, 98]],
    float,
)
"""Joints (17, 2) of a figure about 110 high, its nose at (0, 0); its left is to the right, for it looks at us."""


def figure(rng: np.random.Generator, height: int = 96, width: int = 96):
    """A sheet (height, width, 3) with one figure, and its joints (17, 2)."""
    joints = UPRIGHT + rng.normal(0, 2.5, UPRIGHT.shape)
    joints = (joints - joints.mean(0)) * rng.uniform(0.5, 0.65) + (width / 2, height / 2) + rng.uniform(-6, 6, 2)
    sheet = np.full((height, width, 3), 255, np.uint8)
    for a, b in LIMBS:
        ends = [tuple(int(v) for v in np.rint(joints[k] * 16)) for k in (a, b)]
        cv2.line(sheet, *ends, (20, 20, 20), 1, cv2.LINE_AA, 4)
    return sheet, joints


def write_set(folder: Path, count: int, *, seed: int = 0, transparent: bool = False) -> Path:
    """A folder with keypoints.json and images/ of so many figures."""
    rng, images, annotations = np.random.default_rng(seed), [], []
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for k in range(1, count + 1):
        sheet, joints = figure(rng)
        if transparent:
            sheet = np.dstack((np.zeros_like(sheet), 255 - sheet[..., 0]))
        cv2.imwrite(str(folder / "images" / f"{k:012}.png"), sheet)
        (left, top), (right, bottom) = joints.min(0) - 2, joints.max(0) + 2
        box = [left, top, right - left, bottom - top]
        points = np.concatenate((joints, np.full((17, 1), 2)), 1).ravel()
        images.append({"id": k, "file_name": f"{k:012}.png", "width": sheet.shape[1], "height": sheet.shape[0]})
        annotations.append(
            {"id": k, "image_id": k, "category_id": 1, "iscrowd": 0, "num_keypoints": 17, "bbox": box}
            | {"area": 0.5 * box[2] * box[3], "keypoints": [float(v) for v in points]}
        )
    categories = [{"id": 1, "name": "person", "keypoints": list(KEYPOINTS), "skeleton": []}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "keypoints.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
