"""A compact VGG-19: the features of VGG-19 at a fifteenth of its cost, learned by feature distillation.

The architecture is the quarter-width VGG-19 with 1x1 heads of Collaborative Distillation (Wang et al., CVPR 2020,
arXiv:2003.08436, section 3.2: linear embedding); the training is plain regression of features, layer by layer.

# Differs from the paper: the student learns relu1_1 to relu3_1 from the true normalised VGG-19 and relu4_1, relu5_1
# from the paper's own student, because no larger network's deeper layers were at hand; there is no decoder in the loss.

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from .. import weights
from ..errors import RecipeError
from ..nets.parallel import mean
from ..nets.perceptual import read_network, read_perceptual
from ..nets.vgg import CompactVGG, Flavour, read_vgg
from . import base

Width = Annotated[int, Ge(0)]


@dataclass(frozen=True, kw_only=True)
class Config:
    widths: tuple[Width, Width, Width, Width, Width] = (16, 32, 64, 128, 128)
    """Channels of the five blocks; 0 for those that are cut off."""
    heads: bool = True
    """Whether 1x1 convolutions bring relu1_1, relu2_1 ... to VGG-19's own numbers of channels; without: a plain VGG."""
    depth: Literal[16, 19] = 19
    """Layers of the plain VGG, its classifier counted."""
    until: str = "relu5_1"
    """The last layer kept."""
    flavour: Flavour = "normalised"
    """Colours, padding and pooling."""
    teachers: tuple[str, ...] = ()
    """Weight files of VGG-19 networks to learn from; each teaches the layers that no file before it has."""
    start: str = ""
    """Weight file of a network of the same widths to start from; empty: random weights."""


class Model(CompactVGG):
    """Images (B, 3, H, W), RGB in [0, 1] -> features by layer, on the scale of the normalised VGG-19."""

    def __init__(self, config: Config | None = None) -> None:
        c = self.config = config or Config()
        super().__init__(c.widths, until=c.until, heads=c.heads, depth=c.depth, flavour=c.flavour)


class Training(base.Training):
    """Regression of the teachers' features.

    Raises:
        RecipeError: there is no teacher, or the student has no such last layer or no heads.
        WeightsError: a teacher's file is no VGG, or that to start from is not of this size.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        if not config.teachers:
            raise RecipeError("method.teachers names no network to learn from")
        if not config.heads:
            raise RecipeError("method.heads: a student without heads has not the channels that its teachers have")
        try:
            self.student = Model(config)
        except ValueError as error:
            raise RecipeError(f"method.until: {error}") from error
        if not all(self.student.body.widths.values()):
            raise RecipeError(f"method.widths: {config.widths} leaves a block before {config.until} empty")
        if config.start:
            weights.load_into(self.student, read_network(config.start).state_dict(), config.start)
        self.teacher = read_perceptual(config.teachers)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"student": [self.student.body.convs, self.student.heads]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"compact": self.student}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        images = batch["images"]
        with torch.no_grad():
            targets = self.teacher(images, self.student.layers)
        features = self.student(images, targets)
        yield {k: relative_error(features[k], target) for k, target in targets.items()}


def relative_error(features: Tensor, target: Tensor) -> Tensor:
    """Squared error over the target's variance about its channel means: 1 - R2, a scalar."""
    target = target.float()
    error = (features.float() - target).square().mean()
    center = mean(target.mean((0, 2, 3), keepdim=True))
    return error / mean((target - center).square().mean())


OFFICIAL_ROLES = ("vgg",)


def from_official(states: Mapping[str, Mapping[str, Tensor]], *, flavour: Flavour | None = None) -> Model:
    """The VGG-16 or VGG-19 of a file with torchvision's, Caffe's or the normalised keys, whole or cut.

    Args:
        states: the file's tensors under the role `vgg`.
        flavour: overrides what the keys tell; needed for Caffe weights under torchvision's keys.

    Raises:
        KeyError: the file is no VGG.
    """
    vgg = read_vgg(states["vgg"], flavour=flavour)
    widths = [0] * 5
    for layer, width in vgg.widths.items():
        widths[int(layer[4]) - 1] = width
    depth: Literal[16, 19] = 16 if len(vgg.convs) == 13 else 19
    model = Model(
        Config(widths=tuple(widths), heads=False, depth=depth, until=vgg.layers[-1], flavour=vgg.flavour)  # type: ignore[arg-type]
    )
    model.body.load_state_dict(vgg.state_dict())
    return model
