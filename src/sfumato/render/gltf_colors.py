"""The colour of each face of a glTF mesh: its texture in the middle, its material's and its vertices' colours."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .character import Numbers
from .gltf_file import GltfFile

_Colors = NDArray[np.float64]


def face_colors(
    file: GltfFile, material: dict[str, Any], attributes: dict[str, int], faces: Numbers
) -> NDArray[np.float32]:
    """(F, 3) sRGB in [0, 1]; factors are linear light, textures are sRGB, as the format says."""
    surface = material.get("pbrMetallicRoughness", {})
    color = np.broadcast_to(np.array(surface.get("baseColorFactor", (1, 1, 1, 1)), np.float64)[:3], (len(faces), 3))
    if "COLOR_0" in attributes:
        color = color * np.asarray(file.values(attributes["COLOR_0"]), np.float64)[faces, :3].mean(1)
    texture = surface.get("baseColorTexture")
    if texture is not None and (pixels := file.picture(texture["index"])) is not None:
        color = color * _linear(_sampled(file, texture, pixels, attributes, faces))
    return np.asarray(_srgb(np.clip(color, 0, 1)), np.float32)


def _sampled(
    file: GltfFile, texture: dict[str, Any], pixels: NDArray[np.uint8], attributes: dict[str, int], faces: Numbers
) -> _Colors:
    """(F, 3), the texture in the middle of each face; its mean where a mesh has no places in it."""
    move = texture.get("extensions", {}).get("KHR_texture_transform", {})
    name = f"TEXCOORD_{move.get('texCoord', texture.get('texCoord', 0))}"
    if name not in attributes:
        return np.broadcast_to(pixels.reshape(-1, 3).mean(0) / 255, (len(faces), 3))
    places = np.asarray(file.values(attributes[name]), np.float64)[faces].mean(1)
    places = places * np.array(move.get("scale", (1, 1))) + np.array(move.get("offset", (0, 0)))
    height, width = pixels.shape[:2]
    inside = np.nan_to_num(places) % 1.0
    x, y = (
        np.minimum(inside[:, 0] * width, width - 1).astype(int),
        np.minimum(inside[:, 1] * height, height - 1).astype(int),
    )
    return np.asarray(pixels[y, x] / 255)


def _linear(srgb: _Colors) -> _Colors:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _srgb(linear: _Colors) -> _Colors:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
