"""HRNet: the 17 keypoints of a figure, each as a map of where it is (Sun et al., CVPR 2019, arXiv:1902.09212).

One figure at a time: a picture is cut out about it and brought to 192 x 256 pixels (`data.person_crop`).

Shapes: B batch, K = 17 keypoints in COCO's order, H W pixels of the picture, a quarter of them in maps.
"""

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt
from torch import Tensor, nn

from ..device import fast_dtype, to_device
from ..errors import RecipeError
from ..losses.heatmaps import joints_mse
from ..nets.fold import folded
from ..nets.heatmaps import System, targets
from ..nets.hrnet import HRNet, Shape
from . import base

log = logging.getLogger(__name__)

KEYPOINTS = 17
STRIDE = 4
"""Pixels of the picture for one of a map."""
SIDES = 32
"""A picture's sides are multiples of this."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours."""

SHAPES = {
    "w48": Shape(width=48),
    "w32": Shape(width=32),
    "small": Shape(width=16, stem=32, bottlenecks=2, blocks=2, modules=(1, 3, 2), last=32),
    "tiny": Shape(width=4, stem=8, bottlenecks=1, blocks=1, modules=(1, 1, 1), last=20),
}
"""63.6, 28.5, 2.7 and 0.05 million weights; the last two are ours.

# Differs from the paper: these have more channels in the map that heatmaps are made of than before, because 16 or 4
# cannot hold 17 keypoints.
"""
TOLERANCE = 0.02
"""Largest difference (root mean square) that bf16 may make, in standard deviations of the maps."""


@dataclass(frozen=True, kw_only=True)
class Config:
    variant: Literal["w48", "w32", "small", "tiny"] = "small"
    """The authors' two sizes, one of under 3 million weights for a CPU, and one for tests."""
    heatmaps: System = "udp"
    """How places in pictures and in maps belong together: `udp` is exact, `msra` that of the authors' files."""
    sigma: Annotated[float, Gt(0)] = 2.0
    """Of the Gaussians to learn, in pixels of the maps; 3 for pictures of 288 x 384."""
    height: Annotated[int, Ge(64)] = 256
    """Of the pictures, in pixels; a multiple of 32."""
    width: Annotated[int, Ge(64)] = 192
    """Of the pictures, in pixels; a multiple of 32."""


class Model(HRNet):
    """Pictures of one figure each (B, 3, H, W), RGB in [0, 1] -> heatmaps (B, 17, H/4, W/4), about 1 at a keypoint.

    Sides are multiples of 32; it learns from and works at 256 x 192.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        super().__init__(SHAPES[self.config.variant], KEYPOINTS)
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(self.normalised(images))

    def normalised(self, images: Tensor) -> Tensor:
        """Pictures in [0, 1] on the scale of ImageNet's colours."""
        return (images - self.mean) / self.std


class Fast(nn.Module):
    """A model at work: the same maps, float32, in less time, without gradients.

    Normalisations are folded into the convolutions, filters lie in channels_last order, and all but the last layer is
    in `dtype` once and for all: autocast would convert every map on its way.

    Args:
        model: whose weights are copied.
        device: where to.
        dtype: None is bf16 where the device is faster with it and the model bears it.
    """

    def __init__(self, model: Model, device: torch.device, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.config = model.config
        self.network = to_device(folded(model), device).requires_grad_(False)
        wanted = fast_dtype(device) if dtype is None else dtype
        self.dtype = torch.float32
        if wanted == torch.float32:
            return
        exact, pictures = self.network, made_pictures(model.config).to(device)
        maps = self(pictures)
        self.network = copy.deepcopy(exact).to(wanted)
        self.network.final_layer, self.network.mean, self.network.std = exact.final_layer, exact.mean, exact.std
        self.dtype = wanted
        if dtype is None and float((self(pictures) - maps).square().mean().sqrt() / maps.std()) > TOLERANCE:
            self.network, self.dtype = exact, torch.float32

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        images = images.to(self.network.final_layer.weight.device)
        x = self.network.normalised(images).to(self.dtype)
        features = self.network.features(x.contiguous(memory_format=torch.channels_last))
        return self.network.final_layer(features.float())


def made_pictures(config: Config) -> Tensor:
    """Two pictures (2, 3, H, W) of lines on paper, to try number formats on."""
    draw = torch.Generator().manual_seed(1)
    coarse = torch.rand(2, 1, config.height // 16, config.width // 16, generator=draw)
    smooth = F.interpolate(coarse, (config.height, config.width), mode="bicubic")
    return 1 - ((smooth - 0.5).abs() < 0.02).float().expand(-1, 3, -1, -1)


class Training(base.Training):
    """Maps learn to be Gaussians about the keypoints (section 3, "Heatmap estimation").

    Raises:
        RecipeError: the sides of pictures are no multiples of 32.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        for name, side in (("height", config.height), ("width", config.width)):
            if side % SIDES:
                raise RecipeError(f"method.{name}: {side} is no multiple of {SIDES}")
        self.config = config
        self.model = Model(config)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"network": [self.model]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"pose": self.model}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        wanted, weights = self._wanted(batch)
        yield {"heatmaps": joints_mse(self.model(batch["image"]), wanted, weights)}

    def _wanted(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Maps to learn, and the weights of joints.

        Raises:
            RecipeError: the pictures have another size.
        """
        height, width = batch["image"].shape[2:]
        if (height, width) != (self.config.height, self.config.width):
            raise RecipeError(
                f"data.height, data.width: pictures are {height} x {width}, not"
                f" {self.config.height} x {self.config.width} as the method's"
            )
        return targets(
            batch["joints"],
            batch["weights"],
            picture=(height, width),
            maps=(height // STRIDE, width // STRIDE),
            sigma=self.config.sigma,
            system=self.config.heatmaps,
        )

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        images, (wanted, _) = batch["image"], self._wanted(batch)
        return {"wanted": shown(images, wanted), "found": shown(images, self.model(images))}


def shown(images: Tensor, maps: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) with their maps (B, K, H/4, W/4) over them in red."""
    heat = F.interpolate(maps.float().amax(1, keepdim=True).clamp(0, 1), images.shape[2:], mode="bilinear")
    red = images.new_tensor((1.0, 0.1, 0.1))[:, None, None]
    return images * (1 - heat) + red * heat


OFFICIAL_ROLES = ("pose",)


def from_official(states: Mapping[str, Mapping[str, Tensor]], *, heatmaps: System = "msra") -> Model:
    """The model of a file of the authors or of mmpose, or of one that was trained on ImageNet.

    A file of ImageNet has no last layer: that has its first weights, for a training to begin with.

    Args:
        states: the file's tensors under the role `pose`.
        heatmaps: the convention that it was trained with.

    Raises:
        KeyError: the file is no HRNet of a known width.
        RuntimeError: keys are missing or unexpected, or shapes differ; they are listed.
    """
    state = plain_keys(states["pose"])
    width = state["transition1.0.0.weight"].shape[0] if "transition1.0.0.weight" in state else 0
    variants: dict[int, Literal["w48", "w32"]] = {48: "w48", 32: "w32"}
    if width not in variants:
        raise KeyError("not an HRNet for poses: there is no transition1.0.0.weight of 32 or 48 channels")
    model = Model(Config(variant=variants[width], heatmaps=heatmaps))
    own = model.state_dict()
    if "final_layer.weight" not in state:
        log.warning("the file has no layer that makes heatmaps: they mean nothing before a training")
        backbone = ("conv", "bn", "layer1", "transition", "stage")
        state = {k: t for k, t in state.items() if k.startswith(backbone) and k in own}
        state |= {k: t for k, t in own.items() if k.startswith("final_layer.")}
    counters = {k: t for k, t in own.items() if k.endswith("num_batches_tracked")}  # old files have none
    model.load_state_dict(counters | state)
    return model


def plain_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by the names of the authors' best checkpoints: no `module.`, no `backbone.` and `head.` of mmpose.

    The layers by which a file of ImageNet tells classes are left out.
    """
    found = {key.removeprefix("module."): tensor for key, tensor in state.items()}
    if any(key.startswith("backbone.") for key in found):
        heads = ("backbone.", "head.", "keypoint_head.")
        found = {k.partition(".")[2]: t for k, t in found.items() if k.startswith(heads)}
    classes = ("incre_modules.", "downsamp_modules.", "classifier.", "final_layer.0.", "final_layer.1.")
    return {key: tensor for key, tensor in found.items() if not key.startswith(classes)}
