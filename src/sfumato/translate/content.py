"""What is taken from the picture that is to be changed.

Shapes: H W pixels.
"""

import numpy as np
from torch import Tensor

from ..image import Picture

SAMPLE = 2**18
"""Pixels that a picture's colours are taken from, about."""


def with_white_behind(picture: Picture) -> Picture:
    """The picture with white where it is wholly transparent: what nobody sees must not change the rest."""
    if picture.alpha is None or picture.alpha.all():
        return picture
    pixels = picture.pixels.copy()
    pixels[picture.alpha == 0] = np.iinfo(pixels.dtype).max
    return picture.with_pixels(pixels)


def some_of(picture: Picture) -> Tensor:
    """Pixels of the picture at even distances, about `SAMPLE` of them, (1, 3, H, W)."""
    step = max(1, round((picture.height * picture.width / SAMPLE) ** 0.5))
    return Picture(pixels=np.ascontiguousarray(picture.pixels[::step, ::step])).tensor()
