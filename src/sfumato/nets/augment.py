"""Differentiable augmentation (Zhao et al., NeurIPS 2020, arXiv:2006.10738): little data lasts longer.

Whatever a discriminator is shown, real or made, is changed in the same way at random, so that it cannot learn the few
real pictures by heart; the gradients for the generator go through.

Shapes: B batch, H W pixels. Pictures are in [-1, 1].
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .parallel import rand

KINDS = ("color", "shift", "cut")
SHIFT = 1 / 8
"""Largest shift, in sides."""
HOLE = 1 / 2
"""Side of the square that is cut out, in sides."""


def augment(images: Tensor, kinds: str) -> Tensor:
    """The images (B, 3, H, W), each changed at random; of pairs (B, 6, H, W) both alike but for their colours.

    Args:
        kinds: those of `KINDS` that are wanted, with spaces between.
    """
    wanted = kinds.split()
    if "color" in wanted:
        images = torch.cat([recolored(image) for image in images.split(3, 1)], 1)
    if "shift" in wanted:
        images = shifted(images)
    return holed(images) if "cut" in wanted else images


def recolored(images: Tensor) -> Tensor:
    """Brightness by up to a half, saturation up to twice, contrast by up to a half."""
    light, saturation, contrast = rand(len(images), 3, 1, 1, device=images.device).unsqueeze(-1).unbind(1)
    images = images + (light - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (contrast + 0.5)


def shifted(images: Tensor) -> Tensor:
    """Moved by up to an eighth of each side; what comes in is 0."""
    count, _, height, width = images.shape
    drawn = rand(count, 2, device=images.device) * 2 - 1
    down, right = (drawn * SHIFT * torch.tensor([height, width], device=images.device)).round().unbind(1)
    rows = torch.arange(height, device=images.device) - down[:, None]
    columns = torch.arange(width, device=images.device) - right[:, None]
    inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None]
    picked = images[
        torch.arange(count, device=images.device)[:, None, None],
        :,
        rows.clamp(0, height - 1).long()[:, :, None],
        columns.clamp(0, width - 1).long()[:, None],
    ]  # (B, H, W, 3)
    return picked.permute(0, 3, 1, 2) * inside[:, None]


def holed(images: Tensor) -> Tensor:
    """With a square of half the side set to 0 somewhere, in part outside the picture."""
    count, _, height, width = images.shape
    center = rand(count, 2, device=images.device)
    rows = (torch.arange(height, device=images.device) / height - center[:, :1]).abs() < HOLE / 2
    columns = (torch.arange(width, device=images.device) / width - center[:, 1:]).abs() < HOLE / 2
    return images * ~(rows[:, :, None] & columns[:, None])[:, None]


def _within(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)


def blurred(images: Tensor, sigma: float, kernel: int = 13) -> Tensor:
    """The images (B, C, H, W) under a Gaussian of that deviation in pixels, cut at `kernel`; 0 leaves them alone."""
    if sigma <= 0:
        return images
    places = torch.arange(kernel, device=images.device, dtype=torch.float32) - kernel // 2
    weights = (-0.5 * (places / sigma).square()).exp()
    weights = (weights / weights.sum()).to(images.dtype)
    channels, margin = images.shape[1], kernel // 2
    padded = F.pad(images, (margin,) * 4, mode="reflect")
    down = F.conv2d(padded, weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(down, weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
