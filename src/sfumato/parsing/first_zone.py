"""Face and hair without any weights but the face detector's: a first zone that a brush can mend.

The box of a face tells where its skin, its hair and surely neither are likely; GrabCut draws the borders between them
by models of their colours (Rother, Kolmogorov & Blake, SIGGRAPH 2004): first head against all else, then skin against
hair. Of long hair it finds what is near the face only.

Shapes: H W pixels, h w of a head's surroundings.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data import faces
from ..image import Box, Source, from_any
from ..image.depth import to_8
from ..parts import PARTS
from .parts import Labels, Mask, Parts
from .tidying import tidied

FACE, HAIR = PARTS.index("face"), PARTS.index("hair")
AROUND = (1.0, 1.0, 1.1)
"""What is looked at above, beside and below a face, in heights and widths of its box."""
SIDE = 96
"""Width of the face on the copy that is worked on, in pixels."""
ROUNDS = 4
"""Of GrabCut, each time."""

Pixels = NDArray[np.uint8]


def first_zone(picture: Source) -> Parts:
    """The face and hair of every face that is found, at the picture's size; none found, none told: no error.

    Raises:
        PictureError: the picture cannot be read.
    """
    pixels = to_8(from_any(picture).compose_on_white().pixels)
    height, width = pixels.shape[:2]
    labels = np.zeros((height, width), np.uint8)
    known = faces.detect(pixels, faces.Options(smallest=faces.smallest_in(height, width)))
    for face in reversed(known):  # the largest, which is nearest, is drawn last
        box = _around(face, height, width)
        if min(box.height, box.width) >= 8:
            found = _head(pixels, face, box)
            np.copyto(labels[box.slices], found, where=found > 0)
    return tidied(Parts(labels=labels, faces=tuple(known)))


def _around(face: faces.Face, height: int, width: int) -> Box:
    """The surroundings of a face that its hair may be in."""
    left, top, wide, high = face.box
    above, beside, below = AROUND
    return Box(
        max(int(top - above * high), 0),
        max(int(left - beside * wide), 0),
        min(int(top + (1 + below) * high), height),
        min(int(left + (1 + beside) * wide), width),
    )


def _head(pixels: Pixels, face: faces.Face, box: Box) -> Labels:
    """The parts (h, w) in the surroundings of one face."""
    left, top, wide, high = face.box
    scale = min(1.0, SIDE / wide)
    size = tuple(max(8, round(side * scale)) for side in (box.width, box.height))
    small = np.asarray(cv2.resize(pixels[box.slices], size, interpolation=cv2.INTER_AREA), np.uint8)
    # Places in units of the face's box, from its middle: x to the right, y downwards.
    rows, columns = np.indices(small.shape[:2], np.float32)
    x = ((columns + 0.5) * box.width / size[0] + box.left - left) / wide - 0.5
    y = ((rows + 0.5) * box.height / size[1] + box.top - top) / high - 0.5
    skin, head = _hints(np.asarray(x, np.float32), np.asarray(y, np.float32))
    inside = _cut(small, head)
    skin[(skin == cv2.GC_PR_FGD) & ~inside] = cv2.GC_BGD
    is_face = inside & _cut(small, skin, only=inside)
    labels = np.where(is_face, FACE, np.where(inside, HAIR, 0)).astype(np.uint8)
    return np.asarray(cv2.resize(labels, (box.width, box.height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _hints(x: NDArray[np.float32], y: NDArray[np.float32]) -> tuple[Labels, Labels]:
    """What GrabCut is told of skin, and of the whole head."""

    def ellipse(across: float, down: float, middle: float = 0.0) -> Mask:
        return np.asarray((x / across) ** 2 + ((y - middle) / down) ** 2 < 1, np.bool_)

    head = np.full(x.shape, cv2.GC_BGD, np.uint8)
    head[ellipse(1.25, 1.7, 0.1)] = cv2.GC_PR_BGD
    head[ellipse(0.72, 0.85, -0.22)] = cv2.GC_PR_FGD
    head[(y > 0.5) & (np.abs(x) < 0.55)] = cv2.GC_BGD  # the neck
    head[ellipse(0.40, 0.46)] = cv2.GC_FGD
    skin = np.full(x.shape, cv2.GC_BGD, np.uint8)
    skin[ellipse(0.62, 0.68)] = cv2.GC_PR_FGD
    skin[ellipse(0.32, 0.34, 0.1)] = cv2.GC_FGD
    return skin, head


def _cut(pixels: Pixels, hints: Labels, only: Mask | None = None) -> Mask:
    """What GrabCut takes for the foreground (h, w), by hints as OpenCV has them.

    Where they tell of one side alone, as in a close-up, there is nothing to cut: all is of that side.

    Args:
        only: where both sides learn their colours; all else is neither.
    """
    inside = (hints == cv2.GC_FGD) | (hints == cv2.GC_PR_FGD)
    if inside.all() or not inside.any():
        return np.asarray(inside, np.bool_)
    cv2.setRNGSeed(0)  # its colour models begin at random
    hints = hints.copy()
    if only is not None:
        pixels = np.where(only[..., None], pixels, pixels[only].mean(0)).astype(np.uint8)
    models = np.zeros((2, 1, 65))
    bgr, unused = np.ascontiguousarray(pixels[..., ::-1]), (0, 0, 1, 1)
    cv2.grabCut(bgr, hints, unused, models[0], models[1], ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.asarray((hints == cv2.GC_FGD) | (hints == cv2.GC_PR_FGD), np.bool_)
