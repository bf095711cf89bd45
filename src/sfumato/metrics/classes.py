"""Whether made pictures are of the class they shall be, and how much they differ.

The Inception score asks a network that knows a thousand kinds of photographs; here a small classifier learns the
classes at hand from real pictures, by the features of `metrics.features`.

Shapes: N pictures, D features, K classes.
"""

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .fid import Features

Labels = NDArray[np.int64]

DECAY = 1e-3
"""Of the classifier's weights, beside the mean loss."""
STEPS = 300
RATE = 0.5


class Classifier:
    """Multinomial logistic regression on standardised features, by gradient descent with momentum; the same each time.

    Args:
        features: of real pictures, (N, D).
        labels: their classes, (N,), from 0 on.

    Raises:
        DataError: there are fewer than two classes, or one has no picture.
    """

    def __init__(self, features: Features, labels: Labels) -> None:
        count = int(labels.max()) + 1 if len(labels) else 0
        held = np.bincount(labels, minlength=count) if count else np.zeros(0, np.int64)
        if count < 2 or not held.all():
            raise DataError(
                f"a classifier needs pictures of two classes or more, and some of each, not {held.tolist()}"
            )
        self.mean, self.spread = features.mean(0), features.std(0) + 1e-6
        x, wanted = self._standard(features), np.eye(count)[labels]
        self.weights = np.zeros((x.shape[1], count))
        moving = np.zeros_like(self.weights)
        share = (1 / held)[labels][:, None] / count  # each class counts alike
        for _ in range(STEPS):
            slope = x.T @ (share * (_softmax(x @ self.weights) - wanted)) + DECAY * self.weights
            moving = 0.9 * moving - RATE * slope
            self.weights += moving

    def __call__(self, features: Features) -> NDArray[np.float64]:
        """The probabilities of the classes, (N, K), for features (N, D)."""
        return _softmax(self._standard(features) @ self.weights)

    def _standard(self, features: Features) -> Features:
        x = (features - self.mean) / self.spread / np.sqrt(features.shape[1])
        return np.concatenate((x, np.ones((len(x), 1))), 1)


def class_consistency(made: Features, wanted: Labels, real: Features, labels: Labels) -> float:
    """The share of made pictures (N, D) that a classifier, taught on real ones, takes for the class wanted.

    Its ceiling is what the same gives for real pictures that the classifier has not seen.

    Raises:
        DataError: as `Classifier`.
    """
    return float((Classifier(real, labels)(made).argmax(1) == wanted).mean())


def pairwise_distance(features: Features) -> float:
    """The mean distance of two of the pictures (N, D), N > 1; 0 where all are the same.

    Raises:
        DataError: there are fewer than two.
    """
    count = len(features)
    if count < 2:
        raise DataError(f"a distance takes two pictures, not {count}")
    squares = np.square(features).sum(1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * features @ features.T, 0))
    np.fill_diagonal(apart, 0)
    return float(apart.sum() / (count * (count - 1)))


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(x - x.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True), np.float64)
