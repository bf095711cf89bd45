"""Figures of parts: two protocols, labels that leave parts open, borders, intervals."""

import math

import numpy as np
import pytest

from sfumato.metrics.parts import Counts, agreement, border_score, count, interval
from sfumato.parts import EVERY, PARTS

K = len(PARTS)
THESIS = dict(
    zip(
        PARTS[1:],
        (0.7625, 0.8171, 0.6400, 0.7700, 0.6211, 0.7788, 0.5512, 0.3564, 0.5032, 0.5381)
        + (0.8294, 0.7412, 0.7591, 0.7579, 0.7705, 0.7729, 0.2956),
        strict=True,
    )
)
"""IoU of each part as the source thesis's model card has it."""
IGNORING = "ignoring background"


def exact(numbers):
    """Labels of one part each."""
    return (1 << numbers.astype(np.int32)).astype(np.int32)


def plain(found, labels, ignored):
    """IoU and accuracy by part, mean IoU and overall accuracy, as the metric of Hugging Face computes them."""
    kept = labels != ignored
    found, labels = found[kept], labels[kept]
    both = np.histogram(found[found == labels], bins=K, range=(0, K - 1))[0]
    ours, theirs = (np.histogram(x, bins=K, range=(0, K - 1))[0] for x in (found, labels))
    with np.errstate(invalid="ignore"):
        iou, accuracy = both / (ours + theirs - both), both / theirs
    return iou, accuracy, np.nanmean(iou), both.sum() / theirs.sum()


@pytest.mark.parametrize(("protocol", "ignored"), [("standard", 255), (IGNORING, 0)])
def test_both_protocols_are_those_of_the_plain_formulation(protocol, ignored):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, K - 2, (3, 40, 50)).astype(np.uint8)
    found = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(0, K - 1, labels.shape)).astype(np.uint8)
    ours = agreement([count(f, exact(x), K, protocol) for f, x in zip(found, labels, strict=True)])
    iou, accuracy, mean_iou, overall = plain(found, labels, ignored)
    np.testing.assert_allclose(ours.iou, iou)
    np.testing.assert_allclose(ours.accuracy, accuracy)
    assert ours.mean_iou == pytest.approx(mean_iou)
    assert ours.overall == pytest.approx(overall)
    assert math.isnan(ours.iou[K - 1])
    assert ours.iou[0] == 0 if protocol == IGNORING else ours.iou[0] > 0.3
    assert math.isnan(ours.accuracy[0]) == (protocol == IGNORING)


def test_the_source_theses_mean_divides_by_18_though_the_background_is_left_out():
    ten_thousand = np.array([round(10_000 * THESIS.get(part, 0)) for part in PARTS])
    missed = np.where(ten_thousand > 0, 10_000 - ten_thousand, 0)
    wrong = np.zeros(K, np.int64)
    wrong[0] = missed.sum()  # all that is missed is taken for background
    figures = agreement([Counts(right=ten_thousand, missed=missed, wrong=wrong, fitting=0, known=1)])
    assert figures.iou[0] == 0
    assert np.mean([figures.iou[PARTS.index(part)] for part in THESIS]) == pytest.approx(0.66265, abs=5e-6)
    assert figures.mean_iou == pytest.approx(0.62583, abs=5e-6)
    assert round(figures.mean_iou, 4) == 0.6258


def test_a_false_face_on_the_background_costs_nothing_where_the_background_is_ignored():
    labels = np.zeros((60, 60), np.uint8)
    labels[20:40, 20:40] = PARTS.index("face")
    found = np.zeros_like(labels)
    found[15:45, 15:45] = PARTS.index("face")
    face = PARTS.index("face")
    assert agreement([count(found, exact(labels), K, IGNORING)]).iou[face] == 1.0
    assert agreement([count(found, exact(labels), K)]).iou[face] == pytest.approx(400 / 900)


def test_open_labels_rule_out_what_they_do_not_hold():
    hair, face, arm = (PARTS.index(part) for part in ("hair", "face", "left-arm"))
    rest = EVERY & ~(1 << hair) & ~(1 << face)
    labels = np.array([[1 << hair, 1 << face, rest, rest, EVERY, EVERY]], np.int32)
    found = np.array([[hair, hair, hair, arm, face, hair]], np.uint8)
    counts = count(found, labels, K)
    assert (counts.right[hair], counts.missed[hair], counts.wrong[hair]) == (1, 0, 2)
    assert (counts.right[face], counts.missed[face], counts.wrong[face]) == (0, 1, 0)
    assert (counts.right[arm], counts.missed[arm], counts.wrong[arm]) == (0, 0, 0)
    assert (counts.fitting, counts.known) == (2, 4)
    assert agreement([counts]).mean_iou == pytest.approx((1 / 3 + 0) / 2)


def disc(radius, side=100):
    y, x = np.mgrid[:side, :side] - side // 2
    return x**2 + y**2 <= radius**2


def test_borders_that_are_near_enough():
    face = PARTS.index("face")
    labels = exact(disc(30).astype(np.uint8) * face)
    near = 2 / math.hypot(100, 100)
    assert border_score(disc(30).astype(np.uint8) * face, labels, face) == 1
    assert border_score(disc(31).astype(np.uint8) * face, labels, face, near=near) == 1
    assert border_score(disc(40).astype(np.uint8) * face, labels, face, near=near) == 0
    half = disc(30) & (np.arange(100) < 50)
    value = border_score(half.astype(np.uint8) * face, labels, face, near=near)
    precision, recall = 94 / 154, 0.5
    assert value == pytest.approx(2 * precision * recall / (precision + recall), abs=0.05)


def test_borders_that_are_none():
    face = PARTS.index("face")
    nobody = np.zeros((100, 100), np.uint8)
    assert math.isnan(border_score(nobody, exact(nobody), face))
    assert border_score(nobody, exact(disc(30).astype(np.uint8) * face), face) == 0
    everywhere = np.full((100, 100), face, np.uint8)
    assert math.isnan(border_score(everywhere, exact(everywhere), face)), "the picture's edge is no border"


def test_borders_beside_open_labels_do_not_count():
    face = PARTS.index("face")
    labels = exact(disc(30).astype(np.uint8) * face)
    labels[:, 45:] = EVERY
    found = disc(30).astype(np.uint8) * face
    found[:, 47:] = 0
    assert border_score(found, labels, face) == 1


def test_an_interval_holds_the_value_and_is_the_same_each_time():
    values = np.random.default_rng(1).random(50)
    low, high = interval(lambda drawn: float(values[drawn].mean()), 50)
    assert low < values.mean() < high
    assert 0.1 < high - low < 0.25
    assert (low, high) == interval(lambda drawn: float(values[drawn].mean()), 50)
    assert all(math.isnan(x) for x in interval(lambda _: math.nan, 5, draws=3))
