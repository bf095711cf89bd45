"""Made pictures of persons, or nearly: a head with hair and a shirt, and the masks that say where they are."""

import numpy as np
from PIL import Image

from sfumato.parts import PARTS

HAIR, FACE, SHIRT = (PARTS.index(part) for part in ("hair", "face", "upper-clothes"))
LEFT, RIGHT = PARTS.index("left-arm"), PARTS.index("right-arm")


def person(rng, height=96, width=80):
    """A picture (H, W, 3) and its mask (H, W): the head somewhere in the upper half, arms beside a shirt."""
    y, x = np.mgrid[:height, :width]
    mask = np.zeros((height, width), np.uint8)
    cx, cy = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.3, 0.4)
    r = height * rng.uniform(0.12, 0.18)
    mask[(y > cy + r) & (abs(x - cx) < r * 1.4)] = SHIRT
    mask[(y > cy + 1.2 * r) & (x - cx >= r * 1.4) & (x - cx < r * 2)] = LEFT
    mask[(y > cy + 1.2 * r) & (cx - x >= r * 1.4) & (cx - x < r * 2)] = RIGHT
    mask[(x - cx) ** 2 + (y - cy + r / 3) ** 2 < (1.3 * r) ** 2] = HAIR
    mask[(x - cx) ** 2 + (y - cy) ** 2 < r**2] = FACE
    shades = {0: rng.uniform(150, 255, 3), HAIR: rng.uniform(20, 80, 3), FACE: (230, 180, 150), SHIRT: (40, 90, 200)}
    shades |= {LEFT: (250, 120, 90), RIGHT: (90, 200, 120)}
    pixels = np.zeros((height, width, 3))
    for part, shade in shades.items():
        pixels[mask == part] = shade
    return np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8), mask


def write_people(folder, count, *, size=(96, 80), known=None, seed=0):
    """Writes such pictures to FOLDER/images and their masks to FOLDER/masks; returns the folder.

    Args:
        known: what masks hold, by part; the part itself if None, and 0 for parts that are not in it.
    """
    rng = np.random.default_rng(seed)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for k in range(count):
        pixels, mask = person(rng, *size)
        if known is not None:
            table = np.zeros(256, np.uint8)
            table[list(known)] = list(known.values())
            mask = table[mask]
        Image.fromarray(pixels).save(folder / "images" / f"{k:03}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{k:03}.png")
    return folder
