"""Colour pictures of what the z-buffer holds: lit softly, and in two flat tones as in cel animation.

Shapes: h w samples, two to a pixel each way; H W pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .frame import Bytes, Singles

LIGHT = np.array([-0.45, -0.7, -0.55], np.float32) / np.float32(np.linalg.norm([-0.45, -0.7, -0.55]))
"""Where the light comes from, in the camera's axes: above, from the left, before the figure."""
AMBIENT = 0.42
"""Brightness without the light; with it at most 1."""
SHADE = np.array([0.68, 0.66, 0.78], np.float32)
"""What a flat colour is multiplied by in the shade: darker and a little blue."""
EDGE = 0.12
"""The shade of flat colours begins where the cosine to the light falls below this."""


def shaded(base: Singles, normals: Singles, covered: NDArray[np.bool_]) -> Bytes:
    """The picture (H, W, 4) with soft light; colours (h, w, 3), normals (h, w, 3), covered (h, w)."""
    light = AMBIENT + (1 - AMBIENT) * np.maximum(normals @ LIGHT, 0)
    return _reduced((base * light[..., None]).astype(np.float32), covered)


def flat(base: Singles, normals: Singles, covered: NDArray[np.bool_]) -> Bytes:
    """The picture (H, W, 4) in two tones; colours (h, w, 3), normals (h, w, 3), covered (h, w)."""
    shade = (normals @ LIGHT < EDGE)[..., None]
    return _reduced(np.where(shade, base * SHADE, base).astype(np.float32), covered)


def _reduced(samples: Singles, covered: NDArray[np.bool_]) -> Bytes:
    """Means of the samples that are covered, and as alpha how many are."""
    height, width = covered.shape
    size = (width // 2, height // 2)
    weights = covered.astype(np.float32)
    alpha = cv2.resize(weights, size, interpolation=cv2.INTER_AREA)
    colors = cv2.resize(samples * weights[..., None], size, interpolation=cv2.INTER_AREA)
    return np.rint(np.dstack((colors / np.maximum(alpha, 1e-6)[..., None], alpha)).clip(0, 1) * 255).astype(np.uint8)
