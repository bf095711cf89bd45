"""What collage tests share: a model that draws negatives, and masks."""

import numpy as np

from sfumato.errors import Cancelled


class Negative:
    """Draws the negative, and keeps what it was shown."""

    side = 0

    def __init__(self):
        self.seen, self.styles = [], []

    def translate_picture(self, picture, styles, options, *, progress):
        self.seen.append(picture)
        self.styles.append(list(styles))
        if progress and (progress(1, 2) is False or progress(2, 2) is False):
            raise Cancelled("stopped")
        return picture.with_pixels(np.iinfo(picture.pixels.dtype).max - picture.pixels)


def disc(height, width, share=0.3):
    """A mask (H, W) with a disc in its middle."""
    return round_mask(height, width, (width / 2 - 0.5, height / 2 - 0.5), max(share * min(height, width), 0.8))


def round_mask(height, width, middle, radius):
    """A mask (H, W) with a disc around a place (x, y)."""
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - middle[0], y - middle[1]) < radius
