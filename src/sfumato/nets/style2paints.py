"""The networks of style2paints V1 (Zhang et al. 2017, arXiv:1706.03319): residual U-Net, guides, judge, and hints.

Shapes: B batch, C channels, H W pixels, D numbers of a hint. Pictures here are in [-1, 1] unless it says otherwise.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .. import weights
from ..errors import WeightsError
from .layers import ReflectConv2d
from .norms import moments
from .perceptual import find, read_network
from .vgg import VGG, CompactVGG

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
COMPACT_WIDTHS = (16, 32, 64, 128)
FC1 = 4096


class PictureNorm(nn.Module):
    """All channels of a picture together to mean 0 and deviation 1, then a learned scale and shift for each channel.

    # Differs from the paper, which says "global normalization" and no more. That over each channel (instance) would
    # take away what the hint adds, a constant for each channel; that over the batch is another at 2 or 4 pictures in
    # training than at work. Over all channels the differences between them stay.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return _PictureNorm.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]


class _PictureNorm(torch.autograd.Function):
    """With the gradient in one formula, of two sums for each channel."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        count, channels = x.shape[:2]
        y, mean, rstd = torch.native_group_norm(x.float(), weight, bias, count, channels, x[0, 0].numel(), 1, 1e-5)
        ctx.save_for_backward(x, weight, mean.view(-1, 1, 1, 1), rstd.view(-1, 1, 1, 1))
        return y.to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight, mean, rstd = ctx.saved_tensors
        g, full, wide = grad.float(), x.float(), weight[:, None, None]
        of_bias = g.sum((2, 3), keepdim=True)  # (B, C, 1, 1)
        of_weight = ((g * full).sum((2, 3), keepdim=True) - mean * of_bias) * rstd
        count = full[0].numel()
        g_mean, gx_mean = ((wide * s).sum(1, keepdim=True) / count for s in (of_bias, of_weight))  # (B, 1, 1, 1)
        slope = -rstd.square() * gx_mean
        result = torch.addcmul(-rstd * g_mean - slope * mean, full, slope).addcmul_(g, wide * rstd)
        return result.to(x.dtype), of_weight.sum((0, 2, 3)), of_bias.sum((0, 2, 3))


class Block(nn.Module):
    """Two convolutions, the second one residual: (B, C, H, W) -> (B, C', H, W), or half the size if it halves."""

    def __init__(self, entering: int, leaving: int, *, halves: bool = False) -> None:
        super().__init__()
        self.conv1 = ReflectConv2d(entering, leaving, 3, stride=2 if halves else 1, bias=False)
        self.conv2 = ReflectConv2d(leaving, leaving, 3, bias=False)
        self.norm1, self.norm2 = PictureNorm(leaving), PictureNorm(leaving)

    def forward(self, x: Tensor, beside: Tensor | None = None, *, doubles: bool = False) -> Tensor:
        """What leaves; x is doubled first if it `doubles`, and has other features beside it."""
        if doubles:
            x = self.conv1.of_doubled(x, beside)
        else:
            x = self.conv1(x if beside is None else torch.cat((x, beside), 1))
        x = F.leaky_relu_(self.norm1(x), 0.2)
        return F.leaky_relu_(self.norm2(self.conv2(x)).add_(x), 0.2)


class Decoder(nn.Module):
    """Features at the middle's size (or twice that) -> a picture: doubled, with the encoder's features beside or not.

    Args:
        entering: channels that come in.
        widths: channels after each block, the smallest size first.
        skips: channels that the encoder adds to each block; empty for a guide, which sees nothing of it.
        leaving: channels of the picture.
        code: D of a code that scales and shifts what each block gives (FiLM, Perez et al. 2018); 0: none.
    """

    def __init__(
        self, entering: int, widths: Sequence[int], skips: Sequence[int] = (), leaving: int = 3, code: int = 0
    ) -> None:
        super().__init__()
        beside = skips or (0,) * len(widths)
        self.blocks = nn.ModuleList(
            Block(wide + more, out) for (wide, out), more in zip(pairwise((entering, *widths)), beside, strict=True)
        )
        self.film = nn.ModuleList(nn.Linear(code, 2 * out) for out in widths if code)
        self.head = ReflectConv2d(widths[-1], leaving, 3, exact=True)  # in bf16 the picture itself would be rounded

    def forward(
        self,
        x: Tensor,
        skips: Sequence[Tensor] = (),
        size: Sequence[int] | None = None,
        code: Tensor | None = None,
    ) -> Tensor:
        """The picture; sizes are those of the skips, or double up to `size` (H, W): one of both must be given.

        Args:
            code: (B, D), for a decoder that was made for codes.
        """
        for i, block in enumerate(self.blocks):
            left = len(self.blocks) - 1 - i
            goal = skips[i].shape[2:] if skips else [side >> left for side in size or ()]
            x = block(x, skips[i] if skips else None, doubles=goal[0] > x.shape[2])
            if code is not None and self.film:
                scale, shift = self.film[i](code)[:, :, None, None].chunk(2, 1)
                x = torch.addcmul(shift, x, 1 + scale)
        return torch.tanh(self.head(x).float())


class ColorUnet(nn.Module):
    """A sketch and its points (B, 5, H, W), and a hint (B, D) -> the painting (B, 3, H, W).

    Args:
        hint: D.
        widths: channels of the encoder, full size first, halved each time.
        back: the decoder's, in the same order.
        middle: channels of the middle, and of the dense layer above the hint.
        film: the hint modulates the decoder's blocks, too (FiLM).
        channels: of the input.
    """

    def __init__(
        self, hint: int, widths: Sequence[int], back: Sequence[int], *, middle: int, film: bool, channels: int
    ) -> None:
        super().__init__()
        self.entry, self.exit = widths[-1], middle
        self.first = Block(channels, widths[0])
        self.downs = nn.ModuleList(Block(a, b, halves=True) for a, b in pairwise(widths))
        self.into = ReflectConv2d(widths[-1], middle, 3, stride=2, bias=False)
        self.norm = PictureNorm(middle)
        self.dense = nn.Linear(hint, middle)
        self.out_of = Block(middle, middle)
        self.decoder = Decoder(middle, back[::-1], widths[::-1], code=middle if film else 0)

    def forward(self, x: Tensor, hint: Tensor) -> Tensor:
        return self.traced(x, hint)[0]

    def traced(self, x: Tensor, hint: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The painting, and the features at the middle's entry and exit, which the guides decode."""
        skips = [self.first(x)]
        for down in self.downs:
            skips.append(down(skips[-1]))
        entry = skips[-1]
        added = self.dense(hint)
        leaving = self.out_of(F.leaky_relu(self.norm(self.into(entry)) + added[:, :, None, None], 0.2))
        return self.decoder(leaving, skips[::-1], code=F.leaky_relu(added, 0.2)), entry, leaving


class Judge(nn.Module):
    """Paintings (B, 3, H, W) -> logits (B, D), as many as the hint has (eq. 3).

    # Differs from the paper, which has no table of this network: four strided convolutions as DCGAN has them, the mean
    # over the picture, so that any size will do, and a dense layer.
    """

    def __init__(self, hint: int, width: int) -> None:
        super().__init__()
        wide = (3, width, 2 * width, 4 * width, 8 * width)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(wide))
        self.norms = nn.ModuleList(PictureNorm(b) for b in wide[2:])
        self.dense = nn.Linear(wide[-1], hint)

    def forward(self, images: Tensor) -> Tensor:
        x = F.leaky_relu(self.convs[0](images), 0.2)
        for conv, norm in zip(list(self.convs)[1:], self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        logits: Tensor = self.dense(x.mean((2, 3)))
        return logits.float()


class CompactHint(nn.Module):
    """Styles (B, 3, h, w) in [0, 1], sides of at least 16 -> (B, D): what their colours and textures are, not where.

    Means and deviations of the compact VGG at four layers, evened by a logarithm and brought to deviation 1; and how
    much of the style each of `palette`^3 colours covers. fc1 of VGG-19 tells little of colours in a way that a dense
    layer could read; the moments at relu1_1 tell their mean and contrast, not that there are a red and a blue that
    make no purple. A histogram tells that: for flat drawings it is the palette itself.

    The network comes with the program and learns nothing, so no model file holds it.
    """

    def __init__(self, palette: int) -> None:
        super().__init__()
        self.palette = palette
        self.known: list[VGG] = []  # a list, so that it is no part of the module
        self.size = 2 * sum(COMPACT_WIDTHS) + palette**3

    def _network(self, device: torch.device) -> VGG:
        if not self.known:
            network = read_quietly("compact")
            assert isinstance(network, CompactVGG)
            self.known.append(network.body)
        return self.known[0].to(device)

    def forward(self, styles: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast(styles.device.type, enabled=False):
            styles = styles.float()
            found = self._network(styles.device)(styles, LAYERS)
            parts = [part.flatten(1).clamp(min=0).log1p() for layer in LAYERS for part in moments(found[layer])]
            vector = torch.cat(parts, 1)
            vector = (vector - vector.mean(1, keepdim=True)) / vector.std(1, keepdim=True)
            return torch.cat((vector, color_shares(styles, self.palette)), 1) if self.palette else vector


def color_shares(styles: Tensor, bins: int) -> Tensor:
    """How much of each style (B, 3, h, w) each of bins^3 colours covers, (B, bins^3), as roots of mean square 1.

    Each pixel is shared by the eight colours about it, so that shares move smoothly; by the root small areas count.
    """
    places = torch.arange(bins, device=styles.device)[:, None, None]
    values = styles.clamp(0, 1)[:, :, None] * (bins - 1)  # (B, 3, 1, h, w)
    near = (1 - (values - places).abs()).clamp(min=0).flatten(3)  # (B, 3, bins, N)
    shares = torch.einsum("brn,bgn,bln->brgl", *near.unbind(1)).flatten(1) / near.shape[-1]
    return shares.clamp(min=0).sqrt() * bins**1.5


def read_quietly(name: str) -> VGG | CompactVGG:
    """A frozen network that draws no random numbers: a step's noise is not to depend on whether it is the first.

    Raises:
        WeightsError: there are no such weights.
    """
    with torch.random.fork_rng(devices=[]):
        return read_network(name).requires_grad_(False)


class FcHint(nn.Module):
    """Styles (B, 3, h, w) in [0, 1] -> (B, 4096): fc1 of VGG-19 without its ReLU, as in the paper.

    The weights are half a gigabyte, so no model file holds them: they are read when the first style comes.

    Args:
        file: VGG-19 with its classifier, in torchvision's keys.
    """

    size = FC1

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file
        self.known: list[tuple[nn.Module, Tensor, Tensor]] = []  # a list, so that they are no part of the module

    def _network(self, device: torch.device) -> tuple[nn.Module, Tensor, Tensor]:
        if not self.known:
            path = find(self.file)
            state = weights.read_foreign(path)
            if "classifier.0.weight" not in state:
                raise WeightsError(f"{path}: there is no classifier.0, the layer fc1 that hints are taken from")
            network = read_quietly(self.file)
            if not isinstance(network, VGG) or "relu5_4" not in network.layers:
                raise WeightsError(f"{path}: not a whole VGG-19")
            self.known.append(
                (
                    network,
                    state["classifier.0.weight"].float(),
                    state["classifier.0.bias"].float(),
                )
            )
        own, weight, bias = self.known[0]
        self.known[0] = (own.to(device), weight.to(device), bias.to(device))
        return self.known[0]

    def forward(self, styles: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast(styles.device.type, enabled=False):
            network, weight, bias = self._network(styles.device)
            images = F.interpolate(styles.float(), (224, 224), mode="bilinear", antialias=True)
            x = F.max_pool2d(network(images, ["relu5_4"])["relu5_4"], 2)
            # Its numbers are tens in size; a dense layer and a judge want them near 1.
            return F.linear(x.flatten(1), weight, bias) / 10
