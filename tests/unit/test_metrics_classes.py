"""Class consistency and diversity."""

import numpy as np
import pytest

from sfumato.errors import DataError
from sfumato.metrics.classes import Classifier, class_consistency, pairwise_distance


def clouds(rng, count=60, features=20, shift=3.0):
    labels = np.arange(count) % 3
    return rng.normal(size=(count, features)) + shift * np.eye(3, features)[labels], labels


def test_consistency_is_high_where_classes_are_right_and_low_where_they_are_not():
    rng = np.random.default_rng(0)
    (real, labels), (made, wanted) = clouds(rng), clouds(rng)
    assert class_consistency(made, wanted, real, labels) > 0.9
    assert class_consistency(made, (wanted + 1) % 3, real, labels) < 0.1
    assert Classifier(real, labels)(made).sum(1) == pytest.approx(np.ones(60))


def test_scale_and_uneven_classes_make_no_difference():
    rng = np.random.default_rng(1)
    (real, labels), (made, wanted) = clouds(rng), clouds(rng)
    scale = np.geomspace(1e-3, 1e3, 20)
    kept = (labels > 0) | (rng.random(60) < 0.3)
    assert class_consistency(made * scale, wanted, (real * scale)[kept], labels[kept]) > 0.9


def test_distance_of_pairs():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert pairwise_distance(points) == pytest.approx(10 / 3)
    assert pairwise_distance(np.ones((4, 3))) == 0


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 2, 2], []])
def test_classes_that_cannot_be_told(labels):
    with pytest.raises(DataError, match="two classes or more"):
        Classifier(np.zeros((len(labels), 2)), np.array(labels, np.int64))


def test_one_picture_has_no_distance():
    with pytest.raises(DataError, match="takes two pictures"):
        pairwise_distance(np.zeros((1, 2)))
