"""The Inception network by which FID is defined: that of TensorFlow's archive of 2015-12-05.

It differs from torchvision's Inception v3: average pools do not count what they pad, the last block takes the maximum
in place of the average, and there are 1008 classes. The weights are those that pytorch-fid publishes, whose keys are
torchvision's.

Source: Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, arXiv:1512.00567; Heusel et al., NeurIPS 2017,
arXiv:1706.08500, for the choice of the layer and what is done to pictures.

Shapes: B batch, C channels, H W pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEATURES = 2048
SIDE = 299
"""What pictures are brought to, aspect or not."""


@dataclass(frozen=True)
class Layer:
    """A convolution, its batch norm and a ReLU; `fork` are two that see the same and whose results are joined."""

    name: str
    width: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True
    fork: tuple["Layer", ...] = ()


Branches = Sequence[Sequence[Layer]]
ROW, COLUMN, SQUARE = (1, 7), (7, 1), (3, 3)


def block_a(pool: int) -> Branches:
    return (
        [Layer("branch1x1", 64)],
        [Layer("branch5x5_1", 48), Layer("branch5x5_2", 64, (5, 5))],
        [Layer("branch3x3dbl_1", 64), Layer("branch3x3dbl_2", 96, SQUARE), Layer("branch3x3dbl_3", 96, SQUARE)],
        [Layer("branch_pool", pool)],
    )


def block_b() -> Branches:
    last = Layer("branch3x3dbl_3", 96, SQUARE, 2, padded=False)
    return (
        [Layer("branch3x3", 384, SQUARE, 2, padded=False)],
        [Layer("branch3x3dbl_1", 64), Layer("branch3x3dbl_2", 96, SQUARE), last],
        [],
    )


def block_c(width: int) -> Branches:
    kernels = (COLUMN, ROW, COLUMN, ROW)
    double = [Layer(f"branch7x7dbl_{i}", 192 if i == 5 else width, k) for i, k in enumerate(kernels, 2)]
    return (
        [Layer("branch1x1", 192)],
        [Layer("branch7x7_1", width), Layer("branch7x7_2", width, ROW), Layer("branch7x7_3", 192, COLUMN)],
        [Layer("branch7x7dbl_1", width), *double],
        [Layer("branch_pool", 192)],
    )


def block_d() -> Branches:
    turned = [Layer("branch7x7x3_2", 192, ROW), Layer("branch7x7x3_3", 192, COLUMN)]
    return (
        [Layer("branch3x3_1", 192), Layer("branch3x3_2", 320, SQUARE, 2, padded=False)],
        [Layer("branch7x7x3_1", 192), *turned, Layer("branch7x7x3_4", 192, SQUARE, 2, padded=False)],
        [],
    )


def block_e() -> Branches:
    def fork(name: str) -> Layer:
        return Layer(name, fork=(Layer(f"{name}a", 384, (1, 3)), Layer(f"{name}b", 384, (3, 1))))

    return (
        [Layer("branch1x1", 320)],
        [Layer("branch3x3_1", 384), fork("branch3x3_2")],
        [Layer("branch3x3dbl_1", 448), Layer("branch3x3dbl_2", 384, SQUARE), fork("branch3x3dbl_3")],
        [Layer("branch_pool", 192)],
    )


STEM = (
    Layer("Conv2d_1a_3x3", 32, SQUARE, 2, padded=False),
    Layer("Conv2d_2a_3x3", 32, SQUARE, padded=False),
    Layer("Conv2d_2b_3x3", 64, SQUARE),
    Layer("Conv2d_3b_1x1", 80),
    Layer("Conv2d_4a_3x3", 192, SQUARE, padded=False),
)
POOLED_AFTER = ("Conv2d_2b_3x3", "Conv2d_4a_3x3")
BLOCKS = {
    **{f"Mixed_5{k}": block_a(pool) for k, pool in zip("bcd", (32, 64, 64), strict=True)},
    "Mixed_6a": block_b(),
    **{f"Mixed_6{k}": block_c(width) for k, width in zip("bcde", (128, 160, 160, 192), strict=True)},
    "Mixed_7a": block_d(),
    "Mixed_7b": block_e(),
    "Mixed_7c": block_e(),
}


class Inception(nn.Module):
    """Pictures (B, 3, H, W), RGB in [0, 1] -> (B, 2048), the means of the last features."""

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for layer in STEM:
            self.add_module(layer.name, Unit(channels, layer))
            channels = layer.width
        for name, branches in BLOCKS.items():
            block = Block(channels, branches, "max" if name == "Mixed_7c" else "average")
            self.add_module(name, block)
            channels = block.width

    def forward(self, images: Tensor) -> Tensor:
        x = resized(images.float(), SIDE) * (255 / 128) - 1
        for name, part in self.named_children():
            x = part(x)
            if name in POOLED_AFTER:
                x = F.max_pool2d(x, 3, 2)
        return x.mean((2, 3))


class Unit(nn.Module):
    def __init__(self, channels: int, layer: Layer) -> None:
        super().__init__()
        rows, columns = layer.kernel
        padding = (rows // 2, columns // 2) if layer.padded else 0
        self.conv = nn.Conv2d(channels, layer.width, layer.kernel, layer.stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(layer.width, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Block(nn.Module):
    """Branches side by side; the last one sees its input pooled.

    Args:
        channels: of the input.
        branches: their layers; where the last has none, it halves.
        pool: `average` or `max`, of a pool that does not halve.
    """

    def __init__(self, channels: int, branches: Branches, pool: str) -> None:
        super().__init__()
        self.branches, self.pool, self.width = branches, pool, 0
        for branch in branches:
            width = channels
            for layer in branch:
                for part in layer.fork or (layer,):
                    self.add_module(part.name, Unit(width, part))
                width = sum(part.width for part in layer.fork or (layer,))
            self.width += width

    def forward(self, x: Tensor) -> Tensor:
        *others, last = self.branches
        return torch.cat([*(self._follow(branch, x) for branch in others), self._follow(last, self._pooled(x))], 1)

    def _follow(self, branch: Sequence[Layer], x: Tensor) -> Tensor:
        for layer in branch:
            parts = [getattr(self, part.name)(x) for part in layer.fork or (layer,)]
            x = torch.cat(parts, 1) if layer.fork else parts[0]
        return x

    def _pooled(self, x: Tensor) -> Tensor:
        if not self.branches[-1]:
            return F.max_pool2d(x, 3, 2)
        if self.pool == "max":
            return F.max_pool2d(x, 3, 1, 1)
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def resized(images: Tensor, side: int) -> Tensor:
    """Images (B, C, H, W) bilinearly at side x side as TensorFlow 1 does: pixel i is at i H / side, none averaged."""
    rows, columns = (_weights(n, side).to(images) for n in images.shape[2:])
    return rows @ images @ columns.T


def _weights(length: int, side: int) -> Tensor:
    """The share of each of `length` pixels in each of `side`: (side, length)."""
    at = torch.arange(side) * (length / side)
    low = at.floor().long().clamp(max=length - 1)
    high, share = (low + 1).clamp(max=length - 1), at - low
    shares = torch.zeros(side, length)
    shares.scatter_add_(1, low[:, None], (1 - share)[:, None])
    return shares.scatter_add_(1, high[:, None], share[:, None])


def read_inception(state: Mapping[str, Tensor]) -> Inception:
    """The network with the weights of pytorch-fid's file, without its classes, in evaluation mode.

    Raises:
        RuntimeError: tensors are missing, unknown, or of other shapes.
    """
    network = Inception()
    kept = {k: t for k, t in state.items() if not k.startswith("fc.")}
    counters = {k: t for k, t in network.state_dict().items() if k.endswith("num_batches_tracked")}
    network.load_state_dict(counters | kept)
    return network.eval().requires_grad_(False)
