"""Small stylizers with random weights whose results fill the range of colours, and pictures made for them."""

import numpy as np
import torch
from torch import Tensor, nn

from sfumato.methods import adain, cyclegan, microast
from sfumato.methods.base import Stylizer
from sfumato.nets.initial import initialise


def lively(model: Stylizer) -> Stylizer:
    """The model with weights that keep signals alive, the last ones so that results have mean 0.5, deviation 0.25."""
    draw = torch.Generator().manual_seed(3)
    content, style = torch.rand(2, 1, 3, 64, 64, generator=draw)
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    last = [module for module in convolutions if module.out_channels == 3][-1]
    with torch.no_grad():
        for module in convolutions:
            nn.init.kaiming_normal_(module.weight, generator=draw)
            nn.init.normal_(module.bias, std=0.1, generator=draw)
        out = model(content, style)
        scale = 0.25 / out.std((0, 2, 3))
        last.weight *= scale.view(3, 1, 1, 1)
        last.bias.copy_((last.bias - out.mean((0, 2, 3))) * scale + 0.5)
    return model.eval().requires_grad_(False)


def make_microast(width: int = 8) -> Stylizer:
    return lively(microast.Model(microast.Config(width=width)))


def make_adain() -> Stylizer:
    return lively(adain.Model(adain.Config(width=4)))


def lively_generator():
    torch.manual_seed(0)
    made = cyclegan.Model(cyclegan.Config(width=4, blocks=1))
    initialise(made, "xavier", 1.5)
    return made


def made_photo(height: int, width: int, channels: int = 3, *, seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    """Pixels (H, W, C), smooth from place to place, with noise."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width][..., None] / 40
    waves = np.sin(y * draw.uniform(1, 5, channels) + x * draw.uniform(-3, 3, channels) + draw.uniform(0, 6, channels))
    values = 0.5 + 0.4 * waves + 0.1 * draw.uniform(-1, 1, (height, width, channels))
    return (values * np.iinfo(dtype).max).astype(dtype)


def as_tensor(pixels: np.ndarray) -> Tensor:
    """Pixels (H, W, 3) of uint8 as (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
