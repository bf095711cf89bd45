"""Models side by side: the bundled photographs in the styles of the bundled paintings, each model a row.

    python examples/compare.py OUT MODEL...

A MODEL is a name, as `microast/art`, or the file of a model that was trained. OUT is a picture.
"""

import sys
from itertools import product
from pathlib import Path

from PIL import Image

import sfumato
from sfumato import image

PICTURES = Path(sfumato.__file__).parent / "assets" / "examples"
PHOTOS = ("colosseum", "lake")
STYLES = ("seascape", "arlesiennes", "saint-george")
LONGEST_PX = 448


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit("which models, and where to? python examples/compare.py OUT MODEL...")
    out, *models = sys.argv[1:]
    pairs = list(product(PHOTOS, STYLES))
    shown = [(f"{style}, for {photo}", opened(style)) for photo, style in pairs]
    for model in models:
        translate, name = sfumato.Translator(model), "/".join(Path(model).parts[-2:])
        shown += [(name, translate(opened(photo), opened(style), size=LONGEST_PX)) for photo, style in pairs]
    labels, pictures = zip(*shown, strict=True)
    image.contact_sheet(pictures, labels=labels, columns=len(pairs), side=256).save(out, quality=90)


def opened(name: str) -> Image.Image:
    with Image.open(PICTURES / f"{name}.jpg") as picture:
        return picture.copy()


if __name__ == "__main__":
    main()
