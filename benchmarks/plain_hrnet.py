"""HRNet's forward pass as the authors' code does it: a plain transcription, to compare with.

Every layer as it stands in lib/models/pose_hrnet.py (github.com/leoxiaobin/deep-high-resolution-net.pytorch, MIT), in
float32, one operation after the other, its weights read from a state dict by their names.

Shapes: B batch, H W pixels.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5
MODULES = {2: 1, 3: 4, 4: 3}


class PlainHRNet:
    """Normalised pictures (B, 3, H, W) -> heatmaps (B, 17, H/4, W/4).

    Args:
        state: the authors' tensors by name.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.state = {key: tensor.contiguous() for key, tensor in state.items()}

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(x, "conv1", 2), "bn1"))
        x = F.relu(self.norm(self.conv(x, "conv2", 2), "bn2"))
        for k in range(4):
            x = self.bottleneck(x, f"layer1.{k}")
        maps = [x]
        for stage in (2, 3, 4):
            maps = [self.transition(maps, stage - 1, b) for b in range(stage)]
            for m in range(MODULES[stage]):
                maps = self.module(maps, f"stage{stage}.{m}")
        return F.conv2d(maps[0], self.state["final_layer.weight"], self.state["final_layer.bias"])

    def conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = self.state[f"{name}.weight"]
        return F.conv2d(x, weight, None, stride, weight.shape[2] // 2)

    def norm(self, x: Tensor, name: str) -> Tensor:
        mean, var, scale, shift = (
            self.state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, var, scale, shift, False, 0.1, EPS)

    def basic(self, x: Tensor, name: str) -> Tensor:
        y = F.relu(self.norm(self.conv(x, f"{name}.conv1"), f"{name}.bn1"))
        return F.relu(self.norm(self.conv(y, f"{name}.conv2"), f"{name}.bn2") + x)

    def bottleneck(self, x: Tensor, name: str) -> Tensor:
        y = F.relu(self.norm(self.conv(x, f"{name}.conv1"), f"{name}.bn1"))
        y = F.relu(self.norm(self.conv(y, f"{name}.conv2"), f"{name}.bn2"))
        y = self.norm(self.conv(y, f"{name}.conv3"), f"{name}.bn3")
        if f"{name}.downsample.0.weight" in self.state:
            x = self.norm(self.conv(x, f"{name}.downsample.0"), f"{name}.downsample.1")
        return F.relu(y + x)

    def transition(self, maps: list[Tensor], number: int, branch: int) -> Tensor:
        name = f"transition{number}.{branch}"
        if f"{name}.0.weight" in self.state:
            return F.relu(self.norm(self.conv(maps[branch], f"{name}.0"), f"{name}.1"))
        if f"{name}.0.0.weight" in self.state:
            return F.relu(self.norm(self.conv(maps[-1], f"{name}.0.0", 2), f"{name}.0.1"))
        return maps[branch]

    def module(self, maps: list[Tensor], name: str) -> list[Tensor]:
        own = []
        for b, x in enumerate(maps):
            y = x
            for k in range(4):
                y = self.basic(y, f"{name}.branches.{b}.{k}")
            own.append(y)
        if f"{name}.fuse_layers.1.0.0.0.weight" not in self.state:
            return [self.fused(own, name, 0)]
        return [self.fused(own, name, i) for i in range(len(own))]

    def fused(self, maps: list[Tensor], name: str, i: int) -> Tensor:
        total = torch.zeros(())
        for j, x in enumerate(maps):
            way, y = f"{name}.fuse_layers.{i}.{j}", x
            if j > i:
                y = self.norm(self.conv(y, f"{way}.0"), f"{way}.1")
                y = F.interpolate(y, scale_factor=2 ** (j - i), mode="nearest")
            for k in range(i - j):
                y = self.norm(self.conv(y, f"{way}.{k}.0", 2), f"{way}.{k}.1")
                y = y if k == i - j - 1 else F.relu(y)
            total = y if j == 0 else total + y
        return F.relu(total)
