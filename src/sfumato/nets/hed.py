"""HED: how much of an edge is at each place, by a network of VGG-16's form with an answer at each of its five scales.

Xie & Tu, Holistically-nested Edge Detection, ICCV 2015, arXiv:1504.06375. The weights are those of the authors' Caffe
model as `pytorch-hed` keeps them (`network-bsds500.pytorch`); they are not part of this package.

Shapes: B batch, H W pixels, h w those of a scale.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import weights
from ..errors import WeightsError

SCALES = {"One": (2, 64), "Two": (2, 128), "Thr": (3, 256), "Fou": (3, 512), "Fiv": (3, 512)}
"""Convolutions and channels of each scale, by its name in the file."""
MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)
"""Of the pictures that it learned from, 0 to 255."""
BORDER = 32
"""The picture is continued by so many pixels, mirrored, as in SketchyGAN's edge maps."""
STRIDE = 16


class HED(nn.Module):
    """Pictures (B, 3, H, W), RGB in [0, 1] -> edges (B, 1, H, W) in [0, 1]; sides are multiples of 16."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN_BGR)[None, :, None, None], persistent=False)
        before = 3
        for name, (count, width) in SCALES.items():
            layers: list[nn.Module] = [nn.MaxPool2d(2)] if before > 3 else []
            for _ in range(count):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                before = width
            self.add_module(f"netVgg{name}", nn.Sequential(*layers))
            self.add_module(f"netScore{name}", nn.Conv2d(width, 1, 1))
        self.netCombine = nn.Sequential(nn.Conv2d(len(SCALES), 1, 1), nn.Sigmoid())

    def forward(self, images: Tensor) -> Tensor:
        x, scores = images.flip(1) * 255 - self.mean, []
        for name in SCALES:
            x = self.get_submodule(f"netVgg{name}")(x)  # (B, C, h, w)
            score = self.get_submodule(f"netScore{name}")(x)
            scores.append(F.interpolate(score, size=images.shape[2:], mode="bilinear", align_corners=False))
        combined: Tensor = self.netCombine(torch.cat(scores, 1))
        return combined

    @torch.inference_mode()
    def edges(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The edges (H, W) in [0, 1] of a picture (H, W, 3) of any size."""
        height, width = pixels.shape[:2]
        more = [(BORDER, BORDER + -(side + 2 * BORDER) % STRIDE) for side in (height, width)]
        wide = np.pad(pixels, (*more, (0, 0)), mode="symmetric").astype(np.float32) / 255
        images = torch.from_numpy(wide).permute(2, 0, 1)[None].to(self.mean.device)
        found = self(images)[0, 0, BORDER : BORDER + height, BORDER : BORDER + width]
        return np.asarray(found.float().cpu().numpy(), np.float32)


def read_hed(path: str | Path, device: torch.device | None = None) -> HED:
    """The network of a file, in evaluation mode.

    Raises:
        WeightsError: it is missing or not the weights of HED.
    """
    state = {key.replace("module", "net", 1): tensor for key, tensor in weights.read_foreign(path).items()}
    with torch.device("meta"):
        shapes = {key: tensor.shape for key, tensor in HED().state_dict().items()}
    if {key: tensor.shape for key, tensor in state.items()} != shapes:
        raise WeightsError(f"{path}: not the weights of HED; wanted is `network-bsds500.pytorch` of pytorch-hed")
    network = HED()
    network.load_state_dict(state)
    return network.eval() if device is None else network.eval().to(device)
