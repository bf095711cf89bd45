"""How far a parser is from labels, some of which leave open which part a place shows.

Shapes: B batch, K parts, H W pixels. Labels (B, H, W) are sets of parts, at least one: bit k is 1 if a place may be
part k.
"""

import torch
from torch import Tensor

from ..nets.parallel import mean

MOST = 20.0
"""The largest weight of a part, in those of a mean pixel."""


def may_be(labels: Tensor, parts: int) -> Tensor:
    """Which parts places may be, (B, K, H, W)."""
    bits = torch.arange(parts, device=labels.device, dtype=labels.dtype)[:, None, None]
    return ((labels[:, None] >> bits) & 1).bool()


def partial_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The mean over places of -log of the probability that a place is one of the parts of its label; and their shares.

    For labels of a single part that is the cross entropy. Where all is open there is nothing to learn, and such places
    do not count.

    Args:
        logits: (B, K, H, W).
        labels: (B, H, W), see above.
        weights: (K,), of parts; a place whose label is open has the mean of those that it may be, as likely as the
            logits take each to be.

    Returns:
        The loss, a scalar, and the share (K,) of each part among the places that count, open ones spread likewise.
    """
    scores = logits.float().log_softmax(1).masked_fill(~may_be(labels, logits.shape[1]), -torch.inf)
    right = scores.logsumexp(1)  # (B, H, W)
    known = (labels != 2 ** logits.shape[1] - 1).float()
    count = mean(known.sum()).clamp(min=1)
    with torch.no_grad():
        likely = (scores - right[:, None]).exp() * known[:, None]
        shares = mean(likely.sum((0, 2, 3))) / count
    if weights is None:
        return -(right * known).sum() / count, shares
    return -(right * torch.einsum("bkhw,k->bhw", likely, weights)).sum() / count, shares


def balanced(shares: Tensor, balance: float) -> Tensor:
    """Weights (K,) of parts with these shares (K,); with 0 all places count alike, with 1 all parts.

    The mean over places is 1, but where that would take a weight above `MOST`.
    """
    weights = (len(shares) * shares).clamp(min=1e-6) ** -balance
    return (weights / (shares * weights).sum()).clamp(max=MOST)


def soft_cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    """The mean over places of the cross entropy with probabilities (B, K, H, W), a scalar."""
    return -(wanted * logits.float().log_softmax(1)).sum(1).mean()
