"""Average precision and similarities against what pycocotools recorded, on its own and through this project."""

import json
import math

import numpy as np
import pytest
from parity.conftest import FOLDER

from sfumato.metrics import oks


@pytest.fixture(scope="module")
def recorded():
    return json.loads((FOLDER / "coco_oks.json").read_text(encoding="utf-8"))


def images_of(recorded):
    return [entry["id"] for entry in recorded["gt"]["images"]]


def test_average_precision(recorded):
    found = oks.average_precision(images_of(recorded), recorded["gt"]["annotations"], recorded["dt"], draws=50)
    for name, wanted in zip(oks.NAMES, recorded["stats"], strict=True):
        value = found.stats[name]
        assert math.isnan(value) if wanted == -1 else value == pytest.approx(wanted, abs=1e-9), name
    assert found.low <= found.stats["AP"] <= found.high


def test_similarities(recorded):
    compared = 0
    for key, rows in recorded["oks"].items():
        number = int(key.split(",")[0])
        labelled = [a for a in recorded["gt"]["annotations"] if a["image_id"] == number]
        found = sorted((d for d in recorded["dt"] if d["image_id"] == number), key=lambda d: -d["score"])
        for row, result in zip(rows, found, strict=True):
            for value, annotation in zip(row, labelled, strict=True):
                points = np.reshape(annotation["keypoints"], (17, 3)).astype(float)
                ours = oks.similarity(
                    np.reshape(result["keypoints"], (17, 3)).astype(float), points, annotation["area"]
                )
                if not math.isnan(ours):
                    assert ours == pytest.approx(value, abs=1e-9)
                    compared += 1
    assert compared > 30
