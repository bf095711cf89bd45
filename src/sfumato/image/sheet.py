"""Several pictures on one white page, each with a line of text below it."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from ..errors import OptionError
from .depth import to_8
from .picture import Source, from_any, resize

_WHITE, _BLACK, _GREY = (255, 255, 255), (30, 30, 30), (90, 90, 90)

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def contact_sheet(
    pictures: Sequence[Source],
    *,
    columns: int = 4,
    labels: Sequence[str] = (),
    side: int = 320,
    title: str = "",
) -> Image.Image:
    """Return a page with the pictures in rows, each shrunk to fit a square and with its label below it.

    Args:
        pictures: at least one, anything that `from_any` takes. Small ones are enlarged.
        columns: pictures in a row; fewer where there are not so many.
        labels: text for each picture, cut where it is too long; none, or as many as pictures.
        side: longest side of a picture on the page, in pixels.
        title: text above all, in as many lines as it needs.

    Raises:
        OptionError: there is no picture, or another number of labels, or a size is below 1.
    """
    if not pictures or min(columns, side) < 1 or len(labels) not in (0, len(pictures)):
        raise OptionError(
            f"a contact sheet needs pictures ({len(pictures)}), a label for each or none ({len(labels)}),"
            f" and at least 1 column ({columns}) of 1 pixel ({side})"
        )
    thumbs = [_thumb(picture, side) for picture in pictures]
    columns = min(columns, len(thumbs))
    gap, size = max(side // 14, 4), max(side // 18, 11)
    font, heading = ImageFont.load_default(size), ImageFont.load_default(round(size * 1.6))
    caption = round(size * 2.3) if labels else 0
    rows = [range(first, min(first + columns, len(thumbs))) for first in range(0, len(thumbs), columns)]
    heights = [max(thumbs[i].height for i in row) for row in rows]
    cell = max(thumb.width for thumb in thumbs)
    width = cell * columns + gap * (columns + 3)
    lines = _wrapped(title, heading, width - 4 * gap)
    y = 2 * gap + (round(size * (1.2 + 2 * len(lines))) if lines else 0)
    page = Image.new("RGB", (width, y + sum(heights) + (caption + gap) * len(rows) + gap), _WHITE)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        draw.text((2 * gap, 2 * gap + 2 * size * number), line, _BLACK, heading)
    for row, height in zip(rows, heights, strict=True):
        for column, i in enumerate(row):
            x = 2 * gap + column * (cell + gap) + (cell - thumbs[i].width) // 2
            page.paste(thumbs[i], (x, y + (height - thumbs[i].height) // 2))
            if labels:
                text = _shortened(labels[i], font, cell)
                x = 2 * gap + column * (cell + gap) + (cell - round(font.getlength(text))) // 2
                draw.text((x, y + height + size // 2), text, _GREY, font)
        y += height + caption + gap
    return page


def _thumb(source: Source, side: int) -> Image.Image:
    """The picture on white, 8-bit sRGB, its longest side `side`."""
    picture = resize(from_any(source).compose_on_white(), longest=side)
    return Image.fromarray(to_8(picture.pixels))


def _wrapped(text: str, font: _Font, width: int) -> list[str]:
    """The text in lines that are no wider than so many pixels; a word that is has dots in place of its end."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(_shortened(word, font, width))
    return lines


def _shortened(text: str, font: _Font, width: int) -> str:
    """The text on one line, with dots in place of what is too long."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..."
