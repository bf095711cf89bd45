"""How far heatmaps are from those wanted.

Shapes: B batch, K keypoints, h w pixels of a map.
"""

from torch import Tensor


def joints_mse(found: Tensor, wanted: Tensor, weights: Tensor | None = None) -> Tensor:
    """Half the mean squared difference of maps (B, K, h, w), a scalar.

    Args:
        weights: (B, K), by which both maps of a joint are multiplied; 0 leaves it out, though it counts in the mean.
    """
    apart = found.float() - wanted
    return 0.5 * (apart if weights is None else apart * weights[..., None, None]).square().mean()
