"""A texture network at work: textures of any size and many seeds.

Shapes: H W pixels.
"""

import numpy as np
import torch

from ..device import DTYPES, autocast, fast_dtype, memory_budget, pick, to_device
from ..errors import OptionError
from ..image import Picture, quantize
from ..image.depth import Pixels
from ..methods import texture_nets
from .loading import Given, loaded, named
from .precision import Precision


class Weaver:
    """Makes textures by a network that has learned one.

    Args:
        model: a Model of `methods.texture_nets`, or the name or path of one as `zoo.load` takes it.
        device: as `device.pick` takes it.
        precision: number format of the network.

    Raises:
        OptionError: there is no such device, or the model makes no textures.
        WeightsError: the model cannot be loaded.
    """

    def __init__(
        self,
        model: Given,
        *,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
    ) -> None:
        self.device = pick(device)
        problem = "makes no textures from nothing; `sfumato texture` wants a texture network"
        made = loaded(model, texture_nets.Model, problem)
        if not made.blind:
            raise OptionError(f"{named(model)} {problem}")
        self.model = to_device(made, self.device)
        self.dtype = fast_dtype(self.device) if precision == "auto" else DTYPES[precision]

    def texture(self, size: tuple[int, int], *, seed: int = 0, grey: bool = False) -> Picture:
        """A texture, seamless at any size.

        Args:
            size: width and height in pixels.
            seed: each has its own.
            grey: the texture has no colours.

        Raises:
            OptionError: a side is too short, or the memory too small for that many pixels.
        """
        width, height = size
        check_memory(size, self.device)
        with torch.inference_mode(), autocast(self.device, self.dtype):
            pixels = quantize(self.model.texture((height, width), seed=seed).float().cpu())
        return Picture(pixels=cut_where_alike(pixels), mode="L" if grey else "RGB")


def cut_where_alike(pixels: Pixels) -> Pixels:
    """The tile (H, W, 3) beginning where neighbouring rows, and neighbouring columns, differ least.

    A tile goes on around its borders, so that it may begin anywhere. As the network makes it, it begins where the grids
    of all scales do, and there neighbours differ by a sixth more than elsewhere (benchmarks/texture_nets.py).
    """
    for axis in (0, 1):
        other = tuple(a for a in range(pixels.ndim) if a != axis)
        steps = np.abs(pixels - np.roll(pixels, 1, axis).astype(np.int32)).mean(other)
        pixels = np.roll(pixels, -int(steps.argmin()), axis)
    return pixels


def check_memory(size: tuple[int, int], device: torch.device) -> None:
    """Whether there is room for a texture of that width and height, to be asked before a network is learned, too.

    Raises:
        OptionError: there is not.
    """
    width, height = size
    needed, free = width * height * texture_nets.PIXEL_BYTES, memory_budget(device)
    if needed > free:
        amounts = f"about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free"
        raise OptionError(f"a texture of {width} x {height} pixels takes {amounts}; a smaller one can be repeated")
