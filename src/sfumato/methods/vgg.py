"""A compact VGG-19: the features of VGG-19 at a fifteenth of its cost, learned by feature distillation.

The architecture is the quarter-width VGG-19 with 1x1 heads of Collaborative Distillation (Wang et al., CVPR 2020,
arXiv:2003.08436, section 3.2: linear embedding); the training is plain regression of features, layer by layer.

# Differs from the paper: the student learns relu1_1 to relu3_1 from the true normalised VGG-19 and relu4_1, relu5_1 from
# the paper's own student, because no larger network's deeper layers were at hand; there is no decoder in the loss.

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..nets.perceptual import read_network, read_perceptual
from ..nets.vgg import HEADS, CompactVGG
from . import base

@dataclass(frozen=True, kw_only=True)
class Config:
    widths: tuple[int, int, int, int, int] = (16, 32, 64, 128, 128)
    """Channels of the five blocks."""
    teachers: tuple[str, ...] = ()
    """Weight files of VGG-19 networks to learn from; each teaches the layers that no file before it has."""
    start: str = ""
    """Weight file of a network of the same widths to start from; empty: random weights."""


class Model(CompactVGG):
    """Images (B, 3, H, W), RGB in [0, 1] -> features by layer, on the scale of the normalised VGG-19."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__((config or Config()).widths)


class Training(base.Training):
    """Regression of the teachers' features."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.student = Model(config)
        if config.start:
            self.student.load_state_dict(read_network(config.start).state_dict())
        self.teacher = read_perceptual(config.teachers)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"student": [self.student.body.convs, self.student.heads]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"compact": self.student}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        images = batch["images"]
        with torch.no_grad():
            targets = self.teacher(images, HEADS)
        features = self.student(images, targets)
        yield {k: relative_error(features[k], target) for k, target in targets.items()}


def relative_error(features: Tensor, target: Tensor) -> Tensor:
    """Squared error over the target's variance about its channel means: 1 - R2, a scalar."""
    target = target.float()
    error = (features.float() - target).square().mean()
    return error / (target - target.mean((0, 2, 3), keepdim=True)).square().mean()
