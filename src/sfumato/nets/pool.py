"""A pool of earlier results (Shrivastava et al., CVPR 2017, arXiv:1612.07828, section 2.3).

Shapes: B samples of this process, N pictures kept.
"""

import torch
from torch import Tensor, nn

from .parallel import gather, rank, world


class ImagePool(nn.Module):
    """Gives a discriminator half of the time an earlier result in place of a new one, so that it forgets none.

    What is kept is a buffer, and so part of a run's state. Processes keep the same: each sees the results of all, in
    the order of the samples.

    Args:
        size: pictures kept; 0 keeps none and gives every picture back.
    """

    images: Tensor
    filled: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.empty(0))  # their shape shows with the first
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchange(self, new: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) for the discriminator: the new ones or earlier ones, without gradients."""
        if not self.size:
            return new.detach()
        everything = gather(new.detach())
        if not self.images.numel():
            self.images.resize_(self.size, *new.shape[1:]).zero_()
        chance = torch.rand(2, len(everything))  # on the CPU, the same on every device
        given = [self._exchange_one(x, *chance[:, i].tolist()) for i, x in enumerate(everything)]
        return torch.stack(given).chunk(world())[rank()].contiguous(memory_format=torch.channels_last)

    def _exchange_one(self, image: Tensor, chance: float, place: float) -> Tensor:
        filled = int(self.filled)
        if filled < self.size:
            self.images[filled] = image
            self.filled += 1
            return image
        if chance < 0.5:
            return image
        i = int(place * self.size)
        earlier = self.images[i].clone()
        self.images[i] = image
        return earlier
