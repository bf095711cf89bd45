"""The decoder of AdaIN, which StyTr2 takes, too: VGG-19 up to relu4_1 in reverse.

Shapes: B batch, C channels, H W pixels of the picture.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import ReflectConv2d, conv_dtype

REACH = 4
"""Cells of its features that a pixel depends on to each side, rounded up."""


class NearestDouble(nn.Module):
    """Twice the size, each cell four times: (B, C, H, W) -> (B, C, 2H, 2W), in the precision it comes in."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x.to(conv_dtype(x)), scale_factor=2, mode="nearest")


def make_decoder(channels: int, width: int) -> nn.Sequential:
    """Features (B, `channels`, H/8, W/8) -> (B, 3, H, W); `width` channels at full size, 64 in the papers.

    Borders are mirrored, against artefacts there; nothing is normalised, which would bring all pictures back to one
    style (AdaIN, section 5.1). The layers stand where the authors' files have them.
    """
    w1, w2, w3 = width, 2 * width, 4 * width
    return nn.Sequential(
        *conv(channels, w3),
        NearestDouble(),
        *conv(w3, w3),
        *conv(w3, w3),
        *conv(w3, w3),
        *conv(w3, w2),
        NearestDouble(),
        *conv(w2, w2),
        *conv(w2, w1),
        NearestDouble(),
        *conv(w1, w1),
        *conv(w1, 3, exact=True)[:-1],  # in bf16 the picture itself would be rounded
    )


def conv(in_channels: int, out_channels: int, *, exact: bool = False) -> list[nn.Module]:
    """A 3x3 convolution with mirrored borders and its ReLU; the first place is that of the authors' padding."""
    return [nn.Identity(), ReflectConv2d(in_channels, out_channels, 3, exact=exact), nn.ReLU(inplace=True)]
