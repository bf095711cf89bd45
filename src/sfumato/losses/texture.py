"""What makes a texture: Gram matrices and moments of features, their distances, and the roughness of a picture.

Every distance is relative to its target's own size, so that a weight means the same for any layer and network.

# Differs from the papers: they leave each layer's distance on the scale of its features and choose a weight for each.

Shapes: H W pixels of a feature map of C channels; shares are (1, 1, H, W), in [0, 1]: how much of a pixel counts.
"""

from typing import Any

import torch
from torch import Tensor

from ..nets.linalg import eigh

CHUNKS = 16
RIDGE = 1e-4
"""Added to the variances of features, relative to their mean square: no direction is without spread."""

Statistics = tuple[Tensor, ...]
"""A Gram matrix (C, C), or means (C) and second raw moments (C, C), of features; all can be averaged over styles."""


def gram_matrix(features: Tensor, shares: Tensor | None = None) -> Tensor:
    """The mean over pixels of products of channels, G = F Fᵀ / M: (1, C, H, W) -> (C, C), float32.

    With shares T it is F diag(T) Fᵀ / sum T. (Gatys, Ecker & Bethge, NeurIPS 2015, arXiv:1505.07376, eq. 1; guided by
    shares: Gatys et al., CVPR 2017, arXiv:1611.07865.)

    # Differs from the paper: the shares weigh products, there they weigh each factor, which at a soft border between
    # two regions leaves 0.5² + 0.5² = half of a pixel to be styled.
    """
    rows = features.permute(0, 2, 3, 1).flatten(0, 2)  # (HW, C), a view of channels_last features
    if shares is None:
        return _Products.apply(rows, None) / len(rows)  # type: ignore[no-untyped-call]
    parts = shares.flatten()[:, None]
    return _Products.apply(rows, parts.to(rows.dtype)) / parts.sum().clamp(min=1e-6)  # type: ignore[no-untyped-call]


class _Products(torch.autograd.Function):
    """Fᵀ diag(T) F of rows (N, C) and shares (N, 1) in float32, the products in the rows' own format.

    In bfloat16 a sum over all pixels would be rounded to 8 bits; sums of parts are rounded, and added in float32: their
    errors are different and mostly cancel.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, parts: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, parts)
        weighted = rows if parts is None else rows * parts
        size = len(rows) // CHUNKS * CHUNKS
        left, right = (x[:size].view(CHUNKS, -1, x.shape[1]) for x in (rows, weighted))  # (16, N / 16, C)
        total = torch.bmm(left.mT, right).float().sum(0)
        return torch.addmm(total, rows[size:].mT.float(), weighted[size:].float()) if size < len(rows) else total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        rows, parts = ctx.saved_tensors
        result = rows @ (grads[0] + grads[0].mT).to(rows.dtype)
        return (result if parts is None else result.mul_(parts)), None


def raw_moments(features: Tensor, shares: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Means (C) and second raw moments (C, C) of features (1, C, H, W), in float32."""
    rows = features.permute(0, 2, 3, 1).flatten(0, 2).float()  # (HW, C)
    if shares is None:
        return rows.mean(0), rows.mT @ rows / len(rows)
    parts = shares.float().flatten()[:, None] / shares.float().sum().clamp(min=1e-6)
    weighted = rows * parts
    return weighted.sum(0), weighted.mT @ rows


class Gram:
    """A Gram matrix to bring features to."""

    def __init__(self, target: Statistics) -> None:
        (self.target,) = target
        self.size = self.target.square().sum().clamp(min=1e-12)

    @staticmethod
    def of(features: Tensor, shares: Tensor | None = None) -> Statistics:
        """What of features (1, C, H, W) is compared."""
        return (gram_matrix(features, shares),)

    def distance(self, statistics: Statistics) -> Tensor:
        """|G - G*|² / |G*|², a scalar."""
        return (statistics[0] - self.target).square().sum() / self.size


class Wasserstein:
    """Mean and covariance to bring features to.

    The distance is the squared 2-Wasserstein distance between normal distributions (Olkin & Pukelsheim 1982), used for
    styles as in crowsonkb/style-transfer-pytorch: |m - m*|² + tr(S + S* - 2 (S*½ S S*½)½), relative to the mean square.
    """

    def __init__(self, target: Statistics) -> None:
        self.mean = target[0]
        self.size = target[1].diagonal().sum().clamp(min=1e-12)
        covariance = self._covariance(target)
        values, vectors = eigh(covariance)
        self.root = (vectors * values.clamp(min=0).sqrt()) @ vectors.mT
        self.spread = covariance.diagonal().sum()

    @staticmethod
    def of(features: Tensor, shares: Tensor | None = None) -> Statistics:
        """What of features (1, C, H, W) is compared."""
        return raw_moments(features, shares)

    def _covariance(self, statistics: Statistics) -> Tensor:
        mean, products = statistics
        ridge = RIDGE * self.size / len(mean)
        return products - mean.outer(mean) + ridge * torch.eye(len(mean), device=mean.device)

    def distance(self, statistics: Statistics) -> Tensor:
        """A scalar; not a number where the statistics are not finite."""
        covariance = self._covariance(statistics)
        shared = _TraceOfRoot.apply(self.root @ covariance @ self.root)  # type: ignore[no-untyped-call]
        spread: Tensor = covariance.diagonal().sum() + self.spread - 2 * shared
        return ((statistics[0] - self.mean).square().sum() + spread) / self.size


class _TraceOfRoot(torch.autograd.Function):
    """tr(A½) of a symmetric positive matrix, by its eigenvalues.

    The gradient is A^-½ / 2: unlike that of A½ itself it holds no differences of eigenvalues, so equal ones do no harm,
    and unlike Newton-Schulz iterations it needs no number of steps (measured: 3 times faster at 512 channels).
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        if not matrix.isfinite().all():
            ctx.save_for_backward(matrix)
            return matrix.new_tensor(torch.nan)
        values, vectors = eigh(matrix)
        values = values.maximum(values[-1] * torch.finfo(values.dtype).eps).clamp(min=1e-12)
        ctx.save_for_backward((vectors * values.rsqrt()) @ vectors.mT / 2)
        return values.sqrt().sum()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return ctx.saved_tensors[0] * grads[0]


KINDS: dict[str, type[Gram] | type[Wasserstein]] = {"gram": Gram, "wasserstein": Wasserstein}


def roughness(images: Tensor, *, wraps: bool = False) -> Tensor:
    """The mean over pixels of squared differences to the right and lower neighbours (total variation, squared): scalar.

    Args:
        wraps: the last column's neighbour is the first, and so for rows.
    """
    return _Roughness.apply(images, wraps)  # type: ignore[no-untyped-call]


class _Roughness(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, wraps: bool) -> Tensor:
        gradient, total, scale = torch.zeros_like(images), images.new_zeros(()), 2 / images.numel()
        for dim in (-2, -1):
            end, length = images.narrow(dim, 0, 1), images.shape[dim]
            steps = images.diff(dim=dim, append=end) if wraps else images.diff(dim=dim)
            total += steps.square().sum()
            gradient.narrow(dim, 0, steps.shape[dim]).sub_(steps, alpha=scale)
            if length > 1:
                gradient.narrow(dim, 1, length - 1).add_(steps.narrow(dim, 0, length - 1), alpha=scale)
            if wraps:
                gradient.narrow(dim, 0, 1).add_(steps.narrow(dim, length - 1, 1), alpha=scale)
        ctx.save_for_backward(gradient)
        return total * (scale / 2)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.saved_tensors[0] * grads[0], None


def diversity(images: Tensor) -> Tensor:
    """How far the pictures (B, ...) of a batch, B > 1, lie apart: the mean log distance to the nearest other, a scalar.

    It grows with the entropy of what the pictures are drawn from (Kozachenko & Leonenko 1987; arXiv:1701.02096, eq. 7).

    # Differs from the paper: distances are mean squared differences and their logarithm is not multiplied by the number
    # of values, so that a weight means the same at any size.
    """
    rows = images.float().flatten(1)
    # Not by products of rows: the distance of two textures is small beside their size, and would be lost in rounding.
    distances = torch.stack([(rows - row).square().mean(1) for row in rows])
    own = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    return distances.masked_fill(own, torch.inf).min(1).values.clamp(min=1e-12).log().mean()
