"""Stylizes the bundled photographs with the bundled paintings and lays everything out on one sheet.

    python examples/demo.py [FOLDER]

Needs nothing but the installed package. The results go to FOLDER, or to `demo`; about a minute on two cores.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

import sfumato
from sfumato import image
from sfumato.progress import Progress
from sfumato.translate import Painter
from sfumato.translate.colorist import Colorist

PICTURES = Path(sfumato.__file__).parent / "assets" / "examples"
PAINTINGS = {
    "seascape": "A seascape by Renoir",
    "arlesiennes": "A garden by Gauguin",
    "saint-george": "A dragon by Martorell",
    "chrysanthemums": "Flowers by Renoir",
}
COLORED = {"chrysanthemums": "A sketch in the flowers' colours", "arlesiennes": "In the garden's"}
PAINTED_PX = 448
"""Longest side of what is painted by optimisation."""
TEXTURE_PX = (320, 180)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Image.Image] = {}
    for number, (label, picture) in enumerate([*fast(), *slow()], 1):
        picture.save(folder / f"{number:02d}.jpg", quality=95)
        made[label] = picture
    sheet = folder / "sheet.jpg"
    image.contact_sheet(list(made.values()), labels=list(made), columns=4, side=310).save(sheet, quality=90)
    print(sheet.resolve())


def fast() -> Iterator[tuple[str, Image.Image]]:
    """What the bundled model makes in a moment: labels and pictures."""
    photo, lake = read("colosseum"), read("lake")
    styles = {name: read(name) for name in PAINTINGS}
    yield "A photograph", photo
    for name, label in PAINTINGS.items():
        yield label, with_inset(sfumato.stylize(photo, styles[name]), styles[name])
    fan, flowers, sea = styles["arlesiennes"], styles["chrysanthemums"], styles["seascape"]
    yield "Gauguin, half as strong", sfumato.stylize(photo, fan, strength=0.5)
    yield "Gauguin in the photograph's colours", sfumato.stylize(photo, fan, keep_colors="luminance")
    yield "One part sea, two parts flowers", sfumato.stylize(photo, [sea, flowers], weights=[1, 2])
    yield "Another photograph", lake
    sky = upper_part(lake)
    two = [styles["saint-george"], fan]
    yield "Martorell above, Gauguin below", sfumato.stylize(lake, two, masks=[sky, ImageOps.invert(sky)])
    colorist = Colorist("colorize/faces")
    for name, label in COLORED.items():
        yield label, with_inset(colorist(PICTURES / "sketch.png", styles[name]).to_pil(), styles[name])


def slow() -> Iterator[tuple[str, Image.Image]]:
    """What is painted by optimisation."""
    photo, style, swatch = read("colosseum"), read("chrysanthemums"), read("gravel")
    painter = Painter()
    with Progress("iterations", label="painting") as progress:
        painted = painter(photo, style, size=PAINTED_PX, progress=progress)
    yield "Flowers, by optimisation", with_inset(painted, style)
    with Progress("iterations", label="texture") as progress:
        tile = painter.texture(swatch, TEXTURE_PX, seamless=True, progress=progress).to_pil()
    yield "A seamless texture, four times", with_inset(repeated(tile), swatch)


def read(name: str) -> Image.Image:
    with Image.open(PICTURES / f"{name}.jpg") as picture:
        return picture.copy()


def upper_part(photo: Image.Image) -> Image.Image:
    """A mask: white above, black below the middle, soft in between."""
    column = Image.linear_gradient("L").point(lambda value: min(255, max(0, 255 - 8 * (value - 112))))
    return column.resize(photo.size)


def repeated(tile: Image.Image) -> Image.Image:
    """Two by two copies."""
    page = Image.new(tile.mode, (2 * tile.width, 2 * tile.height))
    for x in (0, tile.width):
        for y in (0, tile.height):
            page.paste(tile, (x, y))
    return page


def with_inset(picture: Image.Image, style: Image.Image) -> Image.Image:
    """The picture with its style in the lower left corner."""
    page, small = picture.convert("RGB"), style.convert("RGB")
    small.thumbnail((page.width // 4, page.height // 3))
    top = page.height - small.height
    page.paste(small, (0, top))
    ImageDraw.Draw(page).rectangle((-3, top - 3, small.width + 2, page.height + 2), outline="white", width=3)
    return page


if __name__ == "__main__":
    main()
