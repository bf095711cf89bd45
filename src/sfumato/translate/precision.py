"""Whether a model may compute in bfloat16: where the device is faster with it and the picture stays the same."""

import logging
from typing import Literal

import torch

from ..device import DTYPES, autocast, fast_dtype
from ..methods import segformer
from ..methods.base import ImageToImage, Stylizer

log = logging.getLogger(__name__)

Tried = Stylizer | ImageToImage | segformer.Model

Precision = Literal["auto", "fp32", "bf16"]
"""`auto` is bf16 where the device is faster with it and the model bears it."""

TOLERANCE = 0.03
"""Largest difference (root mean square) that bf16 may make, in standard deviations of the result."""
SIDE = 128
"""Pixels of the pictures that this is tried on."""


def choose(model: Tried, device: torch.device, precision: Precision) -> torch.dtype:
    """The number format to compute in.

    A network that was never trained in bf16 may lose much: what is small against a channel's mean is what AdaIN makes
    large. So `auto` tries it on a small made picture.
    """
    if precision != "auto":
        return DTYPES[precision]
    fast = fast_dtype(device)
    if fast == torch.float32:
        return fast
    error = difference(model, device, fast)
    log.debug("bf16 makes a difference of %.4f standard deviations", error)
    return fast if error <= TOLERANCE else torch.float32


@torch.inference_mode()
def difference(model: Tried, device: torch.device, dtype: torch.dtype) -> float:
    """How far the result in `dtype` is from that in float32: root mean square over standard deviation."""
    content, style = (made_picture(seed, max(SIDE, 2 * model.stride)).to(device) for seed in (1, 2))
    results = []
    for kind in (torch.float32, dtype):
        with autocast(device, kind):
            results.append((model(content, style) if isinstance(model, Stylizer) else model(content)).float())
    exact, fast = results
    return float((fast - exact).square().mean().sqrt() / exact.std().clamp(min=1e-6))


def made_picture(seed: int, side: int = SIDE) -> torch.Tensor:
    """Soft colours, hard edges and some noise, (1, 3, side, side)."""
    draw = torch.Generator().manual_seed(seed)
    soft = torch.rand(1, 3, 5, 5, generator=draw)
    blocks = torch.rand(1, 3, 16, 16, generator=draw)
    noise = torch.rand(1, 3, side, side, generator=draw)
    smooth = torch.nn.functional.interpolate(soft, (side, side), mode="bicubic")
    edges = torch.nn.functional.interpolate(blocks, (side, side), mode="nearest")
    return (0.6 * smooth + 0.3 * edges + 0.1 * noise).clamp(0, 1)
