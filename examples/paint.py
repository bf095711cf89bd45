"""A photograph painted by optimisation, and a texture that can be repeated.

    python examples/paint.py PHOTO STYLE OUT

OUT is the painting; the texture goes beside it as `texture` with the same extension.
"""

import sys
from pathlib import Path

from sfumato.methods import gatys
from sfumato.progress import Progress
from sfumato.translate import Painter


def main() -> None:
    photo, style, out = sys.argv[1:]
    painter = Painter(gatys.Config(iterations=(60, 20), content_weight=2.0))
    with Progress("iterations") as progress:
        painter(photo, style, size=256, progress=progress).save(out)
        texture = painter.texture(style, (256, 128), seamless=True, progress=progress)
    texture.to_pil().save(Path(out).with_stem("texture"))


if __name__ == "__main__":
    main()
