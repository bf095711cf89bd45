"""SegFormer: a transformer that looks at a picture at four sizes, and a light head that tells what each place shows.

Xie, Wang, Yu, Anandkumar, Alvarez & Luo, "SegFormer: Simple and Efficient Design for Semantic Segmentation with
Transformers" (NeurIPS 2021, arXiv:2105.15203). No place is told where it lies, but by 3x3 convolutions between tokens,
so that pictures may have any size. Names of layers are the classic ones of Hugging Face's files.

Shapes: B batch, C channels of a stage, H W pixels of the picture, h w cells of a stage's map, N = h w tokens, K
classes. Stage s has a cell for 4 2^s pixels of a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .norms import BatchNorm
from .parallel import rand

HEADS = (1, 2, 5, 8)
"""Of the attention in each stage."""
REDUCTIONS = (8, 4, 2, 1)
"""How many cells of a side one key and value stand for, by stage."""
LEAST = 29
"""Pixels of a side with which the first stage has the 8 cells that one key and value of it stand for."""
EXPANSION = 4
"""Channels inside a feed-forward part, times those of a token."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large a network is."""

    widths: tuple[int, int, int, int]
    """C of each stage, multiples of `HEADS`."""
    depths: tuple[int, int, int, int]
    """Blocks of each stage."""
    head: int
    """Channels in which the head brings all stages together."""


LARGE = (64, 128, 320, 512)
SHAPES: dict[str, Shape] = {
    "b0": Shape(widths=(32, 64, 160, 256), depths=(2, 2, 2, 2), head=256),
    "b1": Shape(widths=LARGE, depths=(2, 2, 2, 2), head=256),
    "b2": Shape(widths=LARGE, depths=(3, 4, 6, 3), head=768),
    "b3": Shape(widths=LARGE, depths=(3, 4, 18, 3), head=768),
    "b4": Shape(widths=LARGE, depths=(3, 8, 27, 3), head=768),
    "b5": Shape(widths=LARGE, depths=(3, 6, 40, 3), head=768),
    "tiny": Shape(widths=(8, 16, 20, 32), depths=(1, 1, 1, 1), head=16),
}
"""3.7, 13.7, 27.4, 47.2, 64.0, 84.6 and 0.06 million weights; the last is ours."""


class Drop(nn.Module):
    """In training, sets some of the parts of x to 0 and enlarges the others; which, is a function of each sample.

    Args:
        share: of the parts that are dropped.
        axes: a part is all that has the same numbers along so many first axes: 1 is a whole sample, as in stochastic
            depth (Huang et al., arXiv:1603.09382), 2 a channel of it.
    """

    def __init__(self, share: float, axes: int) -> None:
        super().__init__()
        self.share, self.axes = share, axes

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.share:
            return x
        kept = rand(*x.shape[: self.axes], device=x.device) >= self.share
        return x * (kept / (1 - self.share)).to(x.dtype).reshape(*kept.shape, *[1] * (x.dim() - self.axes))


class PatchEmbedding(nn.Module):
    """Overlapping patches as tokens: (B, I, H, W) -> (B, N, C), and h, w."""

    def __init__(self, inputs: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, width, kernel, stride, kernel // 2)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        x = self.proj(x)
        return self.layer_norm(tokens_of(x)), (x.shape[2], x.shape[3])


class Looking(nn.Module):
    """Attention whose keys and values are those of a smaller map (eq. 1): (B, N, C) -> (B, N, C)."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads, self.reduction = heads, reduction
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        if reduction > 1:
            self.sr = nn.Conv2d(width, width, reduction, reduction)
            self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        few = x if self.reduction == 1 else self.layer_norm(tokens_of(self.sr(map_of(x, size))))
        q, k, v = (
            part(of).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, C / heads)
            for part, of in ((self.query, x), (self.key, few), (self.value, few))
        )
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Attention and the layer after it: (B, N, C) -> (B, N, C)."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.self = Looking(width, heads, reduction)
        self.output = nn.ModuleDict({"dense": nn.Linear(width, width)})

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        return self.output["dense"](self.self(x, size))


class MixFeedForward(nn.Module):
    """Two layers with a 3x3 convolution of each channel between them (eq. 3): (B, N, C) -> (B, N, C)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = EXPANSION * width
        self.dense1 = nn.Linear(width, inner)
        self.dwconv = nn.ModuleDict({"dwconv": nn.Conv2d(inner, inner, 3, padding=1, groups=inner)})
        self.dense2 = nn.Linear(inner, width)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        x = self.dwconv["dwconv"](map_of(self.dense1(x), size))
        return self.dense2(F.gelu(tokens_of(x)))


class Block(nn.Module):
    """Attention and feed-forward, each added to what came in: (B, N, C) -> (B, N, C)."""

    def __init__(self, width: int, heads: int, reduction: int, drop: float) -> None:
        super().__init__()
        self.layer_norm_1, self.layer_norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, reduction)
        self.mlp = MixFeedForward(width)
        self.drop = Drop(drop, 1)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        x = x + self.drop(self.attention(self.layer_norm_1(x), size))
        return x + self.drop(self.mlp(self.layer_norm_2(x), size))


class Encoder(nn.Module):
    """The Mix Transformer: pictures (B, 3, H, W) -> the maps (B, C, h, w) of the four stages, the largest first.

    Args:
        shape: how large it is.
        drop: share of samples that skip a part of the last block; it grows evenly from 0 at the first.
    """

    def __init__(self, shape: Shape, drop: float) -> None:
        super().__init__()
        widths, blocks = shape.widths, sum(shape.depths)
        drops = iter([drop * k / max(blocks - 1, 1) for k in range(blocks)])
        self.patch_embeddings = nn.ModuleList(
            PatchEmbedding(inputs, width, *((7, 4) if stage == 0 else (3, 2)))
            for stage, (inputs, width) in enumerate(zip((3, *widths), widths, strict=False))
        )
        self.block = nn.ModuleList(
            nn.ModuleList(Block(width, heads, reduction, next(drops)) for _ in range(depth))
            for width, heads, reduction, depth in zip(widths, HEADS, REDUCTIONS, shape.depths, strict=True)
        )
        self.layer_norm = nn.ModuleList(nn.LayerNorm(width) for width in widths)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for embedding, blocks, norm in zip(self.patch_embeddings, self.block, self.layer_norm, strict=True):
            x, size = embedding(x)
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, size)
            x = map_of(norm(x), size)
            maps.append(x)
        return maps


class Head(nn.Module):
    """All maps in as many channels, at the size of the largest, mixed: logits (B, K, H/4, W/4) (eq. 4)."""

    def __init__(self, shape: Shape, classes: int, dropout: float) -> None:
        super().__init__()
        width, stages = shape.head, len(shape.widths)
        self.linear_c = nn.ModuleList(nn.ModuleDict({"proj": nn.Linear(c, width)}) for c in shape.widths)
        self.linear_fuse = nn.Conv2d(width * stages, width, 1, bias=False)
        self.batch_norm = BatchNorm(width)
        self.dropout = Drop(dropout, 2)
        self.classifier = nn.Conv2d(width, classes, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        size = maps[0].shape[2:]
        sizes = [F.conv2d(x, *layer) for x, layer in zip(maps, self._layers(), strict=True)]
        x = sizes[0]
        for smaller in sizes[1:]:
            x = x + F.interpolate(smaller, size, mode="bilinear")
        return self.classifier(self.dropout(F.relu(self.batch_norm(x))))

    def _layers(self) -> list[tuple[Tensor, Tensor]]:
        """For each map the filters (D, C, 1, 1) and bias (D,) that bring it into the sum.

        # Differs from the paper: a map's two layers, without anything between them but its enlargement, are one, used
        # at the map's own size, and the results are added up: the same sums in a fraction of the time.
        """
        parts = self.linear_fuse.weight.flatten(1).chunk(len(self.linear_c), 1)  # of the smallest map first
        layers = []
        with torch.autocast(self.linear_fuse.weight.device.type, enabled=False):
            for linear, part in zip(self.linear_c, reversed(parts), strict=True):
                proj = linear["proj"]  # type: ignore[index]
                layers.append(((part @ proj.weight)[:, :, None, None], part @ proj.bias))
        return layers


class SegFormer(nn.Module):
    """Normalised pictures (B, 3, H, W) of any size -> logits (B, K, ceil(H/4), ceil(W/4)).

    A side of less than 29 pixels is seen with its last row or column repeated up to that, which the logits leave out;
    transformers refuses such pictures.

    Args:
        shape: how large it is.
        classes: K.
        drop: see `Encoder`.
        dropout: share of the head's channels that are dropped in training.
    """

    def __init__(self, shape: Shape, classes: int, *, drop: float = 0.0, dropout: float = 0.0) -> None:
        super().__init__()
        self.segformer = nn.ModuleDict({"encoder": Encoder(shape, drop)})
        self.decode_head = Head(shape, classes, dropout)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        below, beside = max(0, LEAST - height), max(0, LEAST - width)
        if below or beside:
            x = F.pad(x, (0, beside, 0, below), mode="replicate")
        logits = self.decode_head(self.segformer["encoder"](x))
        return logits[:, :, : -(-height // 4), : -(-width // 4)] if below or beside else logits


def tokens_of(x: Tensor) -> Tensor:
    """A map (B, C, h, w) as tokens (B, N, C)."""
    return x.flatten(2).transpose(1, 2)


def map_of(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Tokens (B, N, C) as a map (B, C, h, w), in channels_last order: nothing is moved."""
    return x.transpose(1, 2).unflatten(2, size)


def _initialise(layer: nn.Module) -> None:
    """As in the authors' code."""
    if isinstance(layer, nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.Conv2d):
        outputs = layer.kernel_size[0] * layer.kernel_size[1] * layer.out_channels // layer.groups
        nn.init.normal_(layer.weight, std=(2 / outputs) ** 0.5)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
