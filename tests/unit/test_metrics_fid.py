"""Distances between sets of features."""

import numpy as np
import pytest

from sfumato.errors import DataError
from sfumato.metrics.fid import frechet_distance, kernel_distance


def gaussians(count, mean, deviations, seed):
    """Features whose sample mean and covariance are exactly those."""
    x = np.random.default_rng(seed).normal(size=(count, len(deviations)))
    x -= x.mean(0)
    x = np.linalg.qr(x)[0] * np.sqrt(count - 1)
    return x * deviations + mean


def test_the_closed_form_of_gaussians():
    mean, s, t = np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.5, 3.0])
    expected = mean @ mean + ((s - t) ** 2).sum()
    got = frechet_distance(gaussians(50, 0, s, 0), gaussians(80, mean, t, 1))
    assert got == pytest.approx(expected, rel=1e-9)


def root(matrix):
    """The square root of a matrix with positive eigenvalues, by Denman and Beavers."""
    y, z = matrix.copy(), np.eye(len(matrix))
    for _ in range(60):
        y, z = (y + np.linalg.inv(z)) / 2, (z + np.linalg.inv(y)) / 2
    return y


@pytest.mark.parametrize(("n_a", "n_b"), [(40, 60), (200, 31)])
def test_the_square_root_of_the_matrix(n_a, n_b):
    draw = np.random.default_rng(2)
    mix = draw.normal(size=(12, 12))
    a, b = draw.normal(size=(n_a, 12)) @ mix, draw.normal(size=(n_b, 12)) + 0.3
    c, d = np.cov(a.T), np.cov(b.T)
    apart = a.mean(0) - b.mean(0)
    expected = apart @ apart + np.trace(c + d) - 2 * np.trace(root(c @ d))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_fewer_pictures_than_features():
    draw = np.random.default_rng(4)
    a, b = draw.normal(size=(20, 200)), draw.normal(size=(15, 200))
    basis = np.linalg.qr(draw.normal(size=(200, 200)))[0]
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(a @ basis, b @ basis), rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-8)


def test_further_is_more():
    draw = np.random.default_rng(5)
    a = draw.normal(size=(300, 16))
    near, far = (draw.normal(size=(300, 16)) + shift for shift in (0.1, 1.0))
    assert frechet_distance(a, near) < frechet_distance(a, far)
    assert kernel_distance(a, near)[0] < kernel_distance(a, far)[0]


def test_the_kernel_distance_of_one_set_is_about_zero():
    draw = np.random.default_rng(6)
    values = [
        kernel_distance(draw.normal(size=(60, 8)), draw.normal(size=(60, 8)), subsets=1, seed=i)[0] for i in range(60)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / 60**0.5
    assert min(values) < 0 < max(values)


def test_the_kernel_distance_by_hand():
    a, b = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [0.0, 0.0]])

    def k(x, y):
        return (x @ y / 2 + 1) ** 3

    expected = k(a[0], a[1]) + k(b[0], b[1]) - 2 * np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b, subsets=3)[0] == pytest.approx(expected)
    assert kernel_distance(a, b, subsets=3)[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.ones((1, 3)), np.ones((4, 3)), "the first set has features of shape"),
        (np.ones((4, 3)), np.ones(3), "the second set has features of shape"),
        (np.ones((4, 3)), np.ones((4, 2)), "of 3 and of 2 numbers"),
        (np.full((4, 3), np.nan), np.ones((4, 3)), "not finite"),
    ],
)
def test_sets_that_cannot_be_compared(a, b, message):
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(DataError, match=message):
            distance(a, b)
