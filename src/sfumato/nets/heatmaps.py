"""Heatmaps of keypoints: made to learn from, read to a fraction of a pixel.

Two conventions lead from a picture's pixels to a map's. In `msra` a place x is at x w / W (Xiao et al., ECCV 2018,
arXiv:1804.06208); in `udp` at x (w - 1) / (W - 1), so that the middles of corner pixels fall upon each other and a
mirrored picture has exactly mirrored maps (Huang et al., CVPR 2020, arXiv:1911.07524).

Shapes: B batch, K keypoints, W H pixels of the picture, w h of the maps. Places are (x, y), whole numbers in the middle
of pixels.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

System = Literal["udp", "msra"]

SMALLEST = 1e-10


def factors(picture: tuple[int, int], maps: tuple[int, int], system: System) -> tuple[float, float]:
    """By how much (x, y) in maps are multiplied to be in the picture; sizes are (height, width)."""
    less = 1 if system == "udp" else 0
    return (picture[1] - less) / (maps[1] - less), (picture[0] - less) / (maps[0] - less)


def targets(
    joints: Tensor,
    weights: Tensor,
    *,
    picture: tuple[int, int],
    maps: tuple[int, int],
    sigma: float = 2.0,
    system: System = "udp",
) -> tuple[Tensor, Tensor]:
    """Heatmaps (B, K, h, w) with a Gaussian of height 1 at each joint, and the weights (B, K) of joints in sight.

    A Gaussian ends 3 sigma from its middle, in a square. In `msra` its middle is the nearest pixel, in `udp` the place.

    Args:
        joints: (B, K, 2) in the picture.
        weights: (B, K); 0 for those that are not known.
        picture: (H, W).
        maps: (h, w).
        sigma: in pixels of the maps.
    """
    places = joints / joints.new_tensor(factors(picture, maps, system))
    near = (places + 0.5).trunc()  # as the authors' int(): toward zero, where places are negative, too
    reach = 3 * sigma
    middle = near if system == "msra" else places
    columns, rows = (torch.arange(n, device=joints.device, dtype=joints.dtype) for n in (maps[1], maps[0]))
    shapes = []
    for axis, along in ((0, columns), (1, rows)):
        bell = torch.exp(-((along - middle[..., axis, None]) ** 2) / (2 * sigma**2))  # (B, K, w) or (B, K, h)
        shapes.append(bell * ((along - near[..., axis, None]).abs() <= reach))
    size = joints.new_tensor((maps[1], maps[0]))
    seen = ((near - reach < size) & (near + reach + 1 >= 0)).all(-1)
    kept = weights * seen
    return shapes[1][..., :, None] * shapes[0][..., None, :] * (kept > 0)[..., None, None], kept


def peaks(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The highest pixel of each map (B, K, h, w): places (B, K, 2) as floating point, and heights (B, K).

    Where nothing is above 0 the place is (0, 0).
    """
    heights, at = maps.flatten(2).max(2)
    places = torch.stack((at % maps.shape[3], at // maps.shape[3]), -1).float()
    return places * (heights > 0)[..., None], heights


def quarter_shift(maps: Tensor) -> tuple[Tensor, Tensor]:
    """`peaks`, each a quarter of a pixel toward its higher neighbour, in x and in y; not at the border."""
    places, heights = peaks(maps)
    around = _around(maps, places)
    step = torch.stack((around[..., 1, 2] - around[..., 1, 0], around[..., 2, 1] - around[..., 0, 1]), -1).sign()
    size = places.new_tensor((maps.shape[3] - 1, maps.shape[2] - 1))
    inside = ((places > 1) & (places < size)).all(-1, keepdim=True)
    return places + 0.25 * step * inside, heights


def dark(maps: Tensor, *, sigma: float) -> tuple[Tensor, Tensor]:
    """`peaks` moved to where a Gaussian through their neighbours has its middle (Zhang et al., arXiv:1910.06278).

    The logarithm of a Gaussian is a parabola, so a Newton step from any pixel ends in its middle (eq. 7); maps are
    blurred first, for a network's are ragged, with a Gaussian as wide as those that it learned: of 5, 11 and 17 pixels
    for a sigma of 1, 2 and 3, as in the authors' code.

    # Differs from the authors' code: second differences are those of next neighbours, not of those two away, a step is
    # of one pixel at most, because flat maps would throw places far off, and the blur ends at the border.

    Args:
        maps: (B, K, h, w).
        sigma: of the Gaussians that the maps were to be, in pixels of the maps; 0 blurs nothing.
    """
    places, heights = peaks(maps)
    p = _blurred(maps.float(), places, max(1, 2 * round(3 * sigma) - 1)).clamp(min=SMALLEST).log()
    gradient = torch.stack((p[..., 1, 2] - p[..., 1, 0], p[..., 2, 1] - p[..., 0, 1]), -1) / 2
    xx = p[..., 1, 2] - 2 * p[..., 1, 1] + p[..., 1, 0]
    yy = p[..., 2, 1] - 2 * p[..., 1, 1] + p[..., 0, 1]
    xy = (p[..., 2, 2] - p[..., 2, 0] - p[..., 0, 2] + p[..., 0, 0]) / 4
    determinant = xx * yy - xy * xy
    step = (
        torch.stack((xy * gradient[..., 1] - yy * gradient[..., 0], xy * gradient[..., 0] - xx * gradient[..., 1]), -1)
        / torch.where(determinant == 0, 1.0, determinant)[..., None]
    )  # minus the inverse of the Hessian times the gradient
    size = places.new_tensor((maps.shape[3] - 1, maps.shape[2] - 1))
    peaked = (determinant > 0) & (xx < 0) & (heights > 0)
    usable = peaked & ((places >= 1) & (places < size)).all(-1) & (step.abs() <= 1).all(-1)
    return places + torch.where(usable[..., None], step, 0.0), heights


def mirrored(maps: Tensor, pairs: Sequence[tuple[int, int]], system: System) -> Tensor:
    """Maps (B, K, h, w) of a mirrored picture as those of the picture: mirrored, left and right exchanged.

    In `msra`, where mirrored places do not fall upon each other, they move one pixel to the right, as in the authors'
    tests.
    """
    order = list(range(maps.shape[1]))
    for a, b in pairs:
        order[a], order[b] = b, a
    maps = maps.flip(3)[:, order]
    return maps if system == "udp" else torch.cat((maps[..., :1], maps[..., :-1]), 3)


def _around(maps: Tensor, places: Tensor, reach: int = 1) -> Tensor:
    """The n x n values (B, K, n, n), n = 2 reach + 1, about whole places (B, K, 2); beyond the border those there."""
    steps = torch.arange(-reach, reach + 1, device=maps.device)
    x = (places[..., 0, None].long() + steps).clamp(0, maps.shape[3] - 1)  # (B, K, n)
    y = (places[..., 1, None].long() + steps).clamp(0, maps.shape[2] - 1)
    at = y[..., :, None] * maps.shape[3] + x[..., None, :]
    return maps.flatten(2).gather(2, at.flatten(2)).view(at.shape)


def _blurred(maps: Tensor, places: Tensor, side: int) -> Tensor:
    """The 3 x 3 values (B, K, 3, 3) about whole places under a Gaussian of that side, its sigma OpenCV's for it.

    Near the border it is cut, on both sides alike, to what the map has: with nothing beyond, peaks would lean inward.
    """
    sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8
    steps = torch.arange(side, device=maps.device) - side // 2
    room = torch.minimum(places, places.new_tensor((maps.shape[3] - 1, maps.shape[2] - 1)) - places) - 1
    bells = torch.exp(-(steps**2) / (2 * sigma**2)) * (steps.abs() <= room.clamp(min=0)[..., None])  # (B, K, 2, side)
    bells = bells / bells.sum(-1, keepdim=True)
    patches = _around(maps, places, side // 2 + 1)  # (B, K, side + 2, side + 2)
    rows = torch.einsum("bkyxs,bks->bkyx", patches.unfold(3, side, 1), bells[:, :, 0])  # (B, K, side + 2, 3)
    return torch.einsum("bkyxs,bks->bkyx", rows.unfold(2, side, 1), bells[:, :, 1])
