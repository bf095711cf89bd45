"""The colours in which a model is shown a photograph: what it makes of them differs, and one may suit better.

Shapes: H W pixels.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from ..image import Pixels, quantize
from .options import Filter

Floats = NDArray[np.float32]


def filtered(pixels: Pixels, name: Filter) -> Pixels:
    """Pixels (H, W, 3) in other colours, of the same type; the same array for `none`."""
    if name == "none":
        return pixels
    values = np.asarray(pixels / np.float32(np.iinfo(pixels.dtype).max), np.float32)
    return quantize(_FILTERS[name](values).clip(0, 1), pixels.dtype)


def _tinted(red: float, blue: float) -> Callable[[Floats], Floats]:
    """Red and blue by such factors, at the brightness there was."""

    def tint(values: Floats) -> Floats:
        made = values * np.array([red, 1, blue], np.float32)
        return made + (_grey(values) - _grey(made))

    return tint


def _vivid(values: Floats) -> Floats:
    grey = _grey(values)
    return _curved(np.asarray(grey + 1.45 * (values - grey), np.float32), 0.25)


def _pale(values: Floats) -> Floats:
    """Soft light: lifted shadows, less colour, a little blur of what is bright."""
    grey = _grey(values)
    soft = 0.16 + 0.84 * (grey + 0.65 * (values - grey))
    glow = cv2.GaussianBlur(soft, (0, 0), max(0.01 * max(values.shape[:2]), 0.3))
    return np.asarray(1 - (1 - 0.8 * soft) * (1 - 0.2 * glow) + 0.02, np.float32)


def _contrast(values: Floats) -> Floats:
    return _curved(values, 0.8)


def _curved(values: Floats, amount: float) -> Floats:
    """Values along an S, from none of it to all."""
    inside = values.clip(0, 1)
    return values + amount * (inside * inside * (3 - 2 * inside) - inside)


def _grey(values: Floats) -> Floats:
    return (values @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]


_FILTERS: Mapping[str, Callable[[Floats], Floats]] = {
    "warm": _tinted(1.14, 0.82),
    "cool": _tinted(0.86, 1.16),
    "vivid": _vivid,
    "pale": _pale,
    "contrast": _contrast,
}
