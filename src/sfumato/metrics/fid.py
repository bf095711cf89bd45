"""How far two sets of pictures are from each other, by their features.

The Frechet distance between Gaussians (Heusel et al., NeurIPS 2017, arXiv:1706.08500) and the kernel distance
(Binkowski et al., ICLR 2018, arXiv:1801.01401), which is without bias where there are few pictures. They are called
FID and KID only where the features are those of the standard Inception network.

Shapes: N pictures, D features.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError

Features = NDArray[np.float64]


def frechet_distance(features_a: ArrayLike, features_b: ArrayLike) -> float:
    """The squared Frechet distance between the Gaussians fitted to two sets of features, (N, D) each; in float64.

    Raises:
        DataError: a set has fewer than two pictures, their features are of different lengths, or not finite.
    """
    a, b = _checked(features_a, features_b)
    apart = a.mean(0) - b.mean(0)
    spread_a, spread_b = (x - x.mean(0) for x in (a, b))
    total = sum(float(np.square(x).sum()) / (len(x) - 1) for x in (spread_a, spread_b))
    return float(apart @ apart) + total - 2 * _root_trace(spread_a, spread_b)


def _root_trace(a: Features, b: Features) -> float:
    """The trace of (C_a C_b)^(1/2) for the covariances of centered features.

    With A = R_a / sqrt(N_a - 1) and so on it is the sum of the singular values of A B^T, whose squares are the
    eigenvalues of C_a C_b; so no square root of a singular matrix is taken. Where there are more pictures than
    features, A is replaced by the D x D factor of its QR decomposition.
    """
    factors = [_factor(x) / np.sqrt(len(x) - 1) for x in (a, b)]
    return float(np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum())


def _factor(x: Features) -> Features:
    """A matrix R of at most D rows with R^T R = x^T x."""
    return x if len(x) <= x.shape[1] else np.asarray(np.linalg.qr(x, mode="r"), np.float64)


def kernel_distance(
    features_a: ArrayLike, features_b: ArrayLike, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The squared maximum mean discrepancy under the kernel (x y / D + 1)^3, without bias: its mean and deviation.

    Args:
        features_a: (N, D).
        features_b: (N, D).
        subsets: draws that are averaged.
        subset_size: pictures of a draw, at most as many as the smaller set has.
        seed: of the draws.

    Raises:
        DataError: as `frechet_distance`.
    """
    a, b = _checked(features_a, features_b)
    size, draw = min(subset_size, len(a), len(b)), np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        x, y = (s[draw.permutation(len(s))[:size]] for s in (a, b))
        within = sum(
            (kernel.sum() - np.trace(kernel)) / (size * (size - 1)) for kernel in (_kernel(x, x), _kernel(y, y))
        )
        values.append(within - 2 * _kernel(x, y).mean())
    return float(np.mean(values)), float(np.std(values))


def _kernel(x: Features, y: Features) -> Features:
    result: Features = (x @ y.T / x.shape[1] + 1) ** 3
    return result


def _checked(features_a: ArrayLike, features_b: ArrayLike) -> tuple[Features, Features]:
    a, b = (np.asarray(features, np.float64) for features in (features_a, features_b))
    for name, x in (("first", a), ("second", b)):
        if x.ndim != 2 or len(x) < 2:
            raise DataError(f"the {name} set has features of shape {x.shape}; two pictures or more are needed, (N, D)")
        if not np.isfinite(x).all():
            raise DataError(f"the {name} set has features that are not finite")
    if a.shape[1] != b.shape[1]:
        raise DataError(f"features of {a.shape[1]} and of {b.shape[1]} numbers cannot be compared")
    return a, b
