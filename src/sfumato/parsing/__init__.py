"""Where the parts of a person are in a picture.

A parser takes a picture, as `image.from_any` does, and gives `Parts` of its size. `first_zone` is one without weights.
"""

from .first_zone import first_zone
from .parts import Parts

__all__ = ["Parts", "first_zone"]
