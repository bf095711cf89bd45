"""HRNet: a network that keeps a map at a quarter of the picture's size from its first layers to its last.

Sun, Xiao, Liu & Wang, "Deep High-Resolution Representation Learning for Human Pose Estimation" (CVPR 2019,
arXiv:1902.09212). Beside the large map run ever smaller ones; each stage ends in an exchange between all of them. Names
of layers are those of the authors' files.

Shapes: B batch, C channels of the largest map, H W pixels of the picture, K keypoints. Maps of branch b have
C 2^b channels and a side of 1 / (4 2^b).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .norms import BatchNorm

MOMENTUM = 0.1


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large a network is."""

    width: int
    """C."""
    stem: int = 64
    """Channels of the first two layers, a quarter of those of the first stage's maps."""
    bottlenecks: int = 4
    """Blocks of the first stage."""
    blocks: int = 4
    """Blocks of a branch between two exchanges."""
    modules: tuple[int, int, int] = (1, 4, 3)
    """Exchanges of the second, third and fourth stage."""
    last: int = 0
    """Channels of the map that heatmaps are made of; 0 is C, as in the paper. Fewer channels than keypoints cannot hold
    all of them: two share one, and a left and a right ankle are told apart by chance."""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(channels, channels), norm(channels)
        self.conv2, self.bn2 = conv(channels, channels), norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + x, inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions, the last to four times the channels, and what came in."""

    expansion: ClassVar[int] = 4

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        outputs = channels * self.expansion
        self.conv1, self.bn1 = conv(inputs, channels, kernel=1), norm(channels)
        self.conv2, self.bn2 = conv(channels, channels), norm(channels)
        self.conv3, self.bn3 = conv(channels, outputs, kernel=1), norm(outputs)
        same = inputs == outputs
        self.downsample = None if same else nn.Sequential(conv(inputs, outputs, kernel=1), norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        return F.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)), inplace=True)


class Sum(nn.ModuleList):
    """The sum of all maps, each by its own way to one size; where it is negative, 0."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        return F.relu(reduce(torch.add, [way(x) for way, x in zip(self, maps, strict=True)]), inplace=True)


class Exchange(nn.Module):
    """Blocks on each map, then each map becomes the sum of all, brought to its size and channels.

    Args:
        widths: channels by branch.
        blocks: of each branch.
        outputs: channels of the maps that come out, the largest map first.
    """

    def __init__(self, widths: Sequence[int], blocks: int, outputs: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(BasicBlock(width) for _ in range(blocks))) for width in widths)
        self.fuse_layers = nn.ModuleList(
            Sum(_between(j, width, i, output) for j, width in enumerate(widths)) for i, output in enumerate(outputs)
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        own = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        return [total(own) for total in self.fuse_layers]


class HRNet(nn.Module):
    """Normalised pictures (B, 3, H, W) -> heatmaps (B, K, H/4, W/4); sides are multiples of 32.

    Args:
        shape: how large it is.
        keypoints: K.
    """

    def __init__(self, shape: Shape, keypoints: int) -> None:
        super().__init__()
        stem, outputs = shape.stem, shape.stem * Bottleneck.expansion
        self.conv1, self.bn1 = conv(3, stem, stride=2), norm(stem)
        self.conv2, self.bn2 = conv(stem, stem, stride=2), norm(stem)
        firsts = [stem, *[outputs] * (shape.bottlenecks - 1)]
        self.layer1 = nn.Sequential(*(Bottleneck(inputs, stem) for inputs in firsts))
        widths = [shape.width * 2**b for b in range(4)]
        self.transition1, self.stage2 = _transition([outputs], widths[:2]), _stage(shape, widths[:2])
        self.transition2, self.stage3 = _transition(widths[:2], widths[:3]), _stage(shape, widths[:3])
        self.transition3, self.stage4 = _transition(widths[:3], widths), _stage(shape, widths)
        self.final_layer = nn.Conv2d(shape.last or shape.width, keypoints, 1)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self.final_layer(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """The largest map (B, `last`, H/4, W/4) of normalised pictures, of which one more layer makes heatmaps."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        maps: Sequence[Tensor] = [self.layer1(x)]
        for transition, stage in (
            (self.transition1, self.stage2),
            (self.transition2, self.stage3),
            (self.transition3, self.stage4),
        ):
            maps = stage([way(maps[min(b, len(maps) - 1)]) for b, way in enumerate(transition)])
        return maps[0]


def conv(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias, as all are that a normalisation follows."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def norm(channels: int) -> BatchNorm:
    """Batch normalisation, over the whole batch whatever the number of processes."""
    return BatchNorm(channels, momentum=MOMENTUM)


def _transition(before: Sequence[int], after: Sequence[int]) -> nn.ModuleList:
    """From the maps of one stage to those of the next, of which the last is new; nothing where nothing changes."""
    ways: list[nn.Module] = []
    for b, width in enumerate(after):
        if b >= len(before):
            down = nn.Sequential(conv(before[-1], width, stride=2), norm(width), nn.ReLU(inplace=True))
            ways.append(nn.Sequential(down))
        elif before[b] != width:
            ways.append(nn.Sequential(conv(before[b], width), norm(width), nn.ReLU(inplace=True)))
        else:
            ways.append(nn.Identity())
    return nn.ModuleList(ways)


def _stage(shape: Shape, widths: Sequence[int]) -> nn.Sequential:
    """The exchanges of a stage; after the last of the last one only the largest map is needed."""
    count = shape.modules[len(widths) - 2]
    ends: list[Sequence[int]] = [widths] * count
    if len(widths) == 4:
        ends[-1] = [shape.last or shape.width]
    return nn.Sequential(*(Exchange(widths, shape.blocks, outputs) for outputs in ends))


def _between(j: int, inputs: int, i: int, outputs: int) -> nn.Module:
    """From branch j to branch i: enlarged from a smaller map, halved step by step from a larger one."""
    if j == i:
        return nn.Identity() if inputs == outputs else nn.Sequential(conv(inputs, outputs, kernel=1), norm(outputs))
    if j > i:
        return nn.Sequential(conv(inputs, outputs, kernel=1), norm(outputs), nn.Upsample(scale_factor=2 ** (j - i)))
    steps: list[nn.Module] = []
    for k in range(i - j):
        last = k == i - j - 1
        width = outputs if last else inputs
        step: list[nn.Module] = [conv(inputs, width, stride=2), norm(width)]
        steps.append(nn.Sequential(*step if last else [*step, nn.ReLU(inplace=True)]))
    return nn.Sequential(*steps)


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, std=0.001)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
