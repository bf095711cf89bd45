"""A model at work on pictures of any size and kind.

    Translator("microast/art")("photo.jpg", "wave.jpg", strength=0.8).save("out.png")

`translator` is the whole way of a picture, `painter` that of Gatys' method, `tiling` the exact work on parts, `styles`
what is known of a style, `colorist` the way of a sketch, `masks` where each goes, `precision` the choice of numbers.
"""

from .painter import Painter
from .translator import DEFAULT_MODEL, Translator, stylize

__all__ = ["DEFAULT_MODEL", "Painter", "Translator", "stylize"]
