"""Similarity, share of correct keypoints and intervals: closed forms."""

import math

import numpy as np
import pytest
from figures import UPRIGHT

from sfumato.metrics import oks

LABELLED = np.concatenate((UPRIGHT + 100, np.full((17, 1), 2)), 1)
AREA = 3000.0


def entry(image, **more):
    return {"image_id": image, "keypoints": LABELLED.ravel().tolist(), **more}


def truth(count):
    return [entry(k, area=AREA, bbox=[70.0, 90.0, 60.0, 115.0], iscrowd=0) for k in range(1, count + 1)]


def test_a_distance_of_one_sigma_is_exp_minus_an_eighth():
    moved = LABELLED.copy()
    moved[:, 0] += oks.SIGMAS * math.sqrt(AREA)
    assert oks.similarity(moved, LABELLED, AREA) == pytest.approx(math.exp(-1 / 8), rel=1e-9)


def test_only_labelled_keypoints_count():
    moved, some = LABELLED.copy(), LABELLED.copy()
    moved[3:, 0] += 500
    some[3:, 2] = 0
    assert oks.similarity(moved, some, AREA) == 1
    some[:, 2] = 0
    assert math.isnan(oks.similarity(moved, some, AREA))


def test_perfect_results_and_none():
    images = [1, 2, 3]
    perfect = oks.average_precision(images, truth(3), [entry(k, score=0.5) for k in images], draws=5)
    assert perfect.stats["AP"] == pytest.approx(1)
    assert (perfect.low, perfect.high) == (pytest.approx(1), pytest.approx(1))
    assert math.isnan(perfect.stats["APl"])  # no figure is of more than 96 x 96 pixels
    nothing = oks.average_precision(images, truth(3), [], draws=0)
    assert nothing.stats["AP"] == 0
    assert math.isnan(nothing.low)


def test_the_interval_is_wide_where_pictures_differ():
    images, off = list(range(1, 21)), LABELLED + (900, 0, 0)
    found = [
        entry(k, score=0.9) if k % 2 else {"image_id": k, "keypoints": off.ravel().tolist(), "score": 0.1}
        for k in images
    ]
    result = oks.average_precision(images, truth(20), found, draws=60)
    assert 0.1 < result.low < result.stats["AP"] < result.high < 0.9
    assert result == oks.average_precision(images, truth(20), found, draws=60)


def test_correct_keypoints_by_joint():
    found = np.stack([UPRIGHT + 100, UPRIGHT + 100])
    found[0, 4] += (9, 0)
    found[:, 5] += (11, 0)
    labelled = np.stack([LABELLED, LABELLED])
    labelled[:, 7, 2] = 0
    share = oks.correct_keypoints(found, labelled, np.array([100.0, 80.0]), 0.1)
    assert share[4] == 1
    assert share[5] == 0
    assert math.isnan(share[7])
    found[0, 4] += (2, 0)
    assert oks.correct_keypoints(found, labelled, np.array([100.0, 80.0]), 0.1)[4] == 0.5


def test_a_worse_copy_is_suppressed_and_another_figure_is_not():
    figures = np.stack([UPRIGHT, UPRIGHT + 0.5, UPRIGHT + (80, 0)])
    assert oks.suppressed(figures, np.array([0.7, 0.9, 0.1]), np.full(3, AREA)) == [1, 2]
