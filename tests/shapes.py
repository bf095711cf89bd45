"""Two kinds of made pictures that a small generator can turn into each other in a minute."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def folders(folder: Path, count: int = 120, size: int = 40) -> dict[str, tuple[str]]:
    """Red discs on white in `a`, blue ones on dark grey in `b`; `count` of each."""
    looks = {"a": ((220, 40, 40), (245, 245, 245)), "b": ((40, 80, 220), (60, 60, 60))}
    for seed, (side, (ink, paper)) in enumerate(looks.items()):
        (folder / side).mkdir(parents=True)
        rng = np.random.default_rng(seed)
        for i in range(count):
            picture = Image.new("RGB", (size, size), paper)
            x, y, r = rng.uniform(0.3, 0.7, 3) * size * (1, 1, 0.4)
            ImageDraw.Draw(picture).ellipse((x - r, y - r, x + r, y + r), ink)
            noise = rng.normal(0, 6, (size, size, 3))
            Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)).save(
                folder / side / f"{i}.png"
            )
    return {side: (str(folder / side),) for side in "ab"}
