"""Where each style goes: one grey picture for each, white where the style is wanted.

Where styles overlap they share, as the masks' values and the weights say. Where the masks leave a place uncovered the
content stays as it is, pixel by pixel; half covered is half of each.

Shapes: H W pixels of the content, n styles.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..errors import OptionError
from ..image import Box, Picture, Source, from_any

ASPECT_SLACK = 0.02
"""Share by which a mask's shape may differ from the picture's."""
FULL = 0.995
"""What counts as covered: two soft masks that complete each other miss 1 by their rounding."""


class Masks:
    """Masks brought to the content's size and kept in 8 bits.

    Args:
        sources: one for each style.
        content: the picture they belong to.
        size: rows and columns that will be asked for, at least the content's; beyond it the masks' edges go on.
        shares: the styles' weights, of sum 1.

    Raises:
        OptionError: a mask has another shape than the content, or their number is not that of the styles.
    """

    def __init__(
        self, sources: Sequence[Source], content: Picture, *, size: tuple[int, int], shares: Sequence[float]
    ) -> None:
        if len(sources) != len(shares):
            raise OptionError(f"{len(sources)} masks were given for {len(shares)} styles; give one for each, or none")
        self.shares = torch.tensor(shares).view(1, -1, 1, 1)
        beyond = ((0, size[0] - content.height), (0, size[1] - content.width))
        planes = np.stack([np.pad(plane_of(from_any(source), content), beyond, "edge") for source in sources])
        self.planes = torch.from_numpy(planes)[None]

    def weights(self, box: Box, cell: int) -> Tensor:
        """How much of each style there is in each cell of `cell` x `cell` pixels, of sum 1: (n, 1, h, w)."""
        values = F.avg_pool2d(self.planes[:, :, *box.slices].float(), cell) * self.shares  # (1, n, h, w)
        total = values.sum(1, keepdim=True)
        return torch.where(total > 0, values / total.clamp(min=1e-6), self.shares).transpose(0, 1)

    def coverage(self, box: Box) -> Tensor | None:
        """The share of each pixel (1, 1, H, W) that is stylized at all; None where that is all of each."""
        covered = self.planes[:, :, *box.slices].sum(1, keepdim=True, dtype=torch.float32) / 255
        return None if bool((covered >= FULL).all()) else covered.clamp(max=1)


def plane_of(mask: Picture, content: Picture) -> NDArray[np.uint8]:
    """The mask as (H, W) in 8 bits, in the content's size; transparent is black.

    Raises:
        OptionError: it has another shape than the content.
    """
    wanted = content.width / content.height
    fits = abs(mask.width - mask.height * wanted) <= max(1, ASPECT_SLACK * mask.width)
    if not fits and abs(mask.height - mask.width / wanted) > max(1, ASPECT_SLACK * mask.height):
        raise OptionError(
            f"{mask.name} as a mask has {mask.width} x {mask.height} pixels, another shape than the picture's"
            f" {content.width} x {content.height}"
        )
    rows = np.empty((mask.height, mask.width), np.uint8)
    white = np.iinfo(mask.pixels.dtype).max
    for row, pixels in enumerate(mask.pixels):
        opacity = 1 if mask.alpha is None else mask.alpha[row] / white
        rows[row] = np.rint(pixels.mean(1) * opacity * (255 / white))
    size = (content.height, content.width)
    if rows.shape == size:
        return rows
    resized = F.interpolate(torch.from_numpy(rows)[None, None], size, mode="bilinear", antialias=True)
    result: NDArray[np.uint8] = resized[0, 0].numpy()
    return result
