"""Masked residual units, which look at the same picture at every scale and choose what to take from it.

Chen & Hays, SketchyGAN, CVPR 2018, arXiv:1801.02753, section 3.2; and the units that stand in for them in comparisons.

Shapes: B batch, C channels entering, F leaving, I channels of the picture, K classes, H W pixels.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .layers import conv_of_doubled, halved_filters
from .norms import EPS, BatchNorm
from .spectral import SpectralConv2d

Block = Literal["mru", "residual", "dcgan"]
Gates = Literal["minmax", "sigmoid"]
Way = Literal["down", "up"]

GATE_EPS = 1e-4
SLOPE = 0.2


class SoftRelu(nn.Module):
    """(x + sqrt(0.3^2 + x^2)) / 2, a rectifier without a corner, as the authors' generator has it.

    As max(x, 0) + 0.045 / (|x| + sqrt(0.3^2 + x^2)), which is the same: two numbers of one sign are added, where the
    first form is 0 in bf16 from -4 down, and so is its slope.
    """

    def forward(self, x: Tensor) -> Tensor:
        return _SoftRelu.apply(x)  # type: ignore[no-untyped-call]


class _SoftRelu(torch.autograd.Function):
    """Its slope, y^2 / (y^2 + 0.15^2), is taken from what leaves: nothing else is kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.relu().add_(x.square().add_(0.09).sqrt_().add_(x.abs()).reciprocal_(), alpha=0.045)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        squares = ctx.saved_tensors[0].square()
        return (grad * squares).div_(squares.add_(0.0225))


class ClassNorm(nn.Module):
    """Over the batch, then scaled and shifted by what each class has learned (Dumoulin et al., arXiv:1610.07629).

    # Differs from the authors' code, which takes the statistics of the batch at use, too: here running means of the
    # training are kept for that, because a picture must come out the same whatever comes with it. Statistics of the
    # single picture would not do in their place: deep down it has 4 x 4 places, and the network never saw them.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, eps=EPS, affine=False)
        self.scale = nn.Parameter(torch.ones(classes, channels))
        self.shift = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Features (B, C, H, W) for classes (B, K), each row of sum 1."""
        with torch.autocast(x.device.type, enabled=False):
            normal = self.norm(x.float())
            scale, shift = (label @ table for table in (self.scale, self.shift))  # (B, C)
            return torch.addcmul(shift[:, :, None, None], normal, scale[:, :, None, None]).to(x.dtype)


class NoNorm(nn.Module):
    """Features as they are, whatever the class."""

    def forward(self, x: Tensor, _label: Tensor) -> Tensor:
        return x


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a network's units are built of."""

    classes: int = 0
    """Classes of its normalisation; 0: none is made."""
    spectral: bool = False
    """Divide weights by their largest singular value."""
    block: Block = "mru"
    gates: Gates = "minmax"

    def conv(self, entering: int, leaving: int, kernel: int = 3) -> nn.Module:
        """A convolution that keeps the size, with zeros beyond the border, as all of the authors' are."""
        if self.spectral:
            return SpectralConv2d(entering, leaving, kernel, margin=kernel // 2, border="zeros")
        return nn.Conv2d(entering, leaving, kernel, padding=kernel // 2)

    def norm(self, channels: int) -> nn.Module:
        """A normalisation, called with features and classes."""
        return ClassNorm(channels, self.classes) if self.classes else NoNorm()

    def act(self) -> nn.Module:
        """An activation: of the generator where there are classes, of the discriminator where there are none."""
        return SoftRelu() if self.classes else nn.PReLU(init=SLOPE)

    def unit(self, sizes: tuple[int, int, int], way: Way, *, last: bool = False) -> "Unit":
        """A unit of the kind chosen.

        Args:
            sizes: C, F and I.
            way: halve the size, or double it.
            last: normalise and activate what leaves; units that double always do.
        """
        if self.block == "residual":
            return Residual(self, sizes, way, last=last)
        if self.block == "dcgan":
            return Plain(self, sizes, way, last=last)
        if self.gates == "sigmoid":
            return Published(self, sizes, way, last=last)
        return (MaskedDown if way == "down" else MaskedUp)(self, sizes, way, last=last)


class Unit(nn.Module):
    """Features (B, C, H, W), a picture (B, I, h, w) and classes (B, K) -> features (B, F, h', w').

    Halving, picture and features have one size, and what leaves has half of it; doubling, the picture has that of what
    leaves.
    """

    def __init__(self, parts: Parts, sizes: tuple[int, int, int], way: Way, *, last: bool) -> None:
        super().__init__()
        self.way, leaving = way, sizes[1]
        self.last = nn.ModuleList([parts.norm(leaving), parts.act()] if last and way == "down" else [])
        self.build(parts, *sizes)

    def build(self, parts: Parts, entering: int, leaving: int, image: int) -> None:
        """Makes the layers."""
        raise NotImplementedError

    def inner(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        """What leaves, at the picture's size."""
        raise NotImplementedError

    def doubled(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        """What leaves a unit that doubles."""
        return self.inner(twice(h), image, label)

    def halved(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        """What leaves one that halves, before its last normalisation."""
        return F.avg_pool2d(self.inner(h, image, label), 2)

    def forward(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        if self.way == "up":
            return self.doubled(h, image.to(h.dtype), label)
        h = self.halved(h, image.to(h.dtype), label)
        for norm, act in [tuple(self.last)] if len(self.last) else []:
            h = act(norm(h, label))
        return h


class MaskedDown(Unit):
    """The authors' third version, in their encoder and discriminator: the picture is added where the mask lets it."""

    def build(self, parts: Parts, entering: int, leaving: int, image: int) -> None:
        self.mask = parts.conv(entering + image, entering)
        self.image = parts.conv(image, entering)
        self.conv1, self.conv2 = parts.conv(entering, leaving), parts.conv(leaving, leaving)
        self.norm0, self.norm1, self.norm2 = parts.norm(entering), parts.norm(entering), parts.norm(leaving)
        self.act0, self.act1, self.act2 = parts.act(), parts.act(), parts.act()
        self.across = parts.conv(entering, leaving, 1) if entering != leaving else nn.Identity()

    def halved(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        seen = torch.cat((self.act0(self.norm0(h, label)), image), 1)
        mask = between(self.mask(seen), 0.5)  # the authors' first bias
        x = h + mask * self.image(image)
        x = self.conv1(self.act1(self.norm1(x, label)))
        x = conv_halved(self.conv2, self.act2(self.norm2(x, label)))
        result: Tensor = self.across(F.avg_pool2d(h, 2)) + x
        return result


class MaskedUp(Unit):
    """The authors' second version, in their decoder; the gates are stretched to all of 0 to 1 over the picture."""

    def build(self, parts: Parts, entering: int, leaving: int, image: int) -> None:
        self.reset, self.update = (parts.conv(entering + image, n) for n in (entering, leaving))
        self.conv1, self.conv2 = parts.conv(entering + image, leaving), parts.conv(leaving, leaving)
        self.norm1, self.norm2 = parts.norm(leaving), parts.norm(leaving)
        self.act1, self.act2 = parts.act(), parts.act()
        self.across = parts.conv(entering, leaving, 1) if entering != leaving else None
        self.norm3 = parts.norm(leaving) if self.across else None
        self.act3 = parts.act() if self.across else None

    def inner(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        seen = torch.cat((h, image), 1)
        return self.mixed((h, self.straight(h, label)), (self.reset(seen), self.update(seen)), image, label)

    def doubled(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        if not isinstance(self.reset, nn.Conv2d):
            return super().doubled(h, image, label)
        gates = tuple(around(conv, h, image) for conv in (self.reset, self.update))
        large = twice(h)
        straight = large if self.across is None else twice(self.straight(h, label))
        return self.mixed((large, straight), gates, image, label)

    def straight(self, h: Tensor, label: Tensor) -> Tensor:
        """What goes through where the gate is shut: the same whether h is doubled before or after."""
        if self.across is not None and self.norm3 is not None and self.act3 is not None:
            h = self.act3(self.norm3(self.across(h), label))
        return h

    def mixed(self, ways: tuple[Tensor, Tensor], gates: tuple[Tensor, ...], image: Tensor, label: Tensor) -> Tensor:
        """What leaves, of features and the straight way at the picture's size, and gates before they are gates."""
        (h, straight), (reset, update) = ways, (self.gate(gate) for gate in gates)
        x = self.act1(self.norm1(around(self.conv1, reset * h, image), label))
        x = self.act2(self.norm2(self.conv2(x), label))
        return straight.lerp(x, update.to(x.dtype))

    def gate(self, x: Tensor) -> Tensor:
        """Numbers in [0, 1]."""
        return between(x)


class Published(MaskedUp):
    """The unit of the paper, eq. 1 to 4: gates are sigmoids."""

    def gate(self, x: Tensor) -> Tensor:
        return x.sigmoid()


class Residual(Unit):
    """Two convolutions beside a straight way, for comparison (He et al., CVPR 2016); the picture enters both."""

    def build(self, parts: Parts, entering: int, leaving: int, image: int) -> None:
        self.conv1, self.conv2 = parts.conv(entering + image, leaving), parts.conv(leaving, leaving)
        self.across = parts.conv(entering + image, leaving, 1)
        self.norm1, self.norm2 = parts.norm(leaving), parts.norm(leaving)
        self.act1, self.act2 = parts.act(), parts.act()

    def inner(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        seen = torch.cat((h, image), 1)
        x = self.conv2(self.act1(self.norm1(self.conv1(seen), label)))
        result: Tensor = self.act2(self.norm2(self.across(seen) + x, label))
        return result


class Plain(Unit):
    """One convolution, for comparison (Radford et al., arXiv:1511.06434)."""

    def build(self, parts: Parts, entering: int, leaving: int, image: int) -> None:
        self.conv = parts.conv(entering + image, leaving)
        self.norm, self.act = parts.norm(leaving), parts.act()

    def inner(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        result: Tensor = self.act(self.norm(self.conv(torch.cat((h, image), 1)), label))
        return result


def twice(x: Tensor) -> Tensor:
    """Features (B, C, H, W), each place four times: (B, C, 2H, 2W)."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def around(conv: nn.Module, h: Tensor, image: Tensor) -> Tensor:
    """The convolution of features (B, C, h, w), doubled if they are half as large, beside a picture (B, I, H, W).

    Nothing is put side by side, and the features are not doubled: weights of each are taken on their own.
    """
    if not isinstance(conv, nn.Conv2d):
        return conv(torch.cat((h, image), 1))
    of_h, of_image = conv.weight.split((h.shape[1], image.shape[1]), 1)
    y = F.conv2d(image, of_image, conv.bias, padding=1)
    return y.add_(conv_of_doubled(h, of_h) if h.shape[2] < image.shape[2] else F.conv2d(h, of_h, padding=1))


def conv_halved(conv: nn.Module, x: Tensor) -> Tensor:
    """The means of 2x2 pixels of a convolution of (B, C, H, W): (B, O, H / 2, W / 2)."""
    if isinstance(conv, SpectralConv2d):
        return conv.halved(x)
    assert isinstance(conv, nn.Conv2d)
    return F.conv2d(x, halved_filters(conv.weight), conv.bias, stride=2, padding=1)


def between(x: Tensor, added: float = 0.0) -> Tensor:
    """Each map of (B, C, H, W), with a number added and through a leaky rectifier, stretched to 0 to 1, in float32.

    # Differs from the authors' code, which divides by nothing where a map is constant and then starts anew from the
    # last saved state: here a little is added.
    """
    return _Stretched.apply(x, added)  # type: ignore[no-untyped-call]


def _stretched(x: Tensor, added: float) -> Tensor:
    """`between` by differentiable operations."""
    x = F.leaky_relu(x.float() + added, SLOPE)
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    return (x - low) / (high - low + GATE_EPS)


class _Stretched(torch.autograd.Function):
    """With the gradient in one formula; autograd's own goes over the maps more than twice as often.

    Where several places of a map are its lowest or highest, they share that one's gradient, as autograd has it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, added: float) -> Tensor:
        y = F.leaky_relu_(x.float() + added, SLOPE)
        low, high = y.amin((2, 3), keepdim=True), y.amax((2, 3), keepdim=True)
        rate = 1 / (high - low + GATE_EPS)
        y.sub_(low).mul_(rate)
        ctx.save_for_backward(x, y, (high - low) * rate, rate)
        ctx.added = added
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        x, y, top, rate = ctx.saved_tensors
        if torch.is_grad_enabled():  # this gradient is to be differentiated itself
            return torch.autograd.grad(_stretched(x, ctx.added), x, grad, create_graph=True)[0], None
        lowest, highest = y == 0, y == top
        whole, of_high = grad.sum((2, 3), keepdim=True), -(grad * y).sum((2, 3), keepdim=True)
        of_low = -(whole + of_high) * rate / lowest.sum((2, 3), keepdim=True)
        of_high = of_high * rate / highest.sum((2, 3), keepdim=True)
        g = torch.addcmul(torch.where(lowest, of_low, 0.0), grad, rate)
        g += torch.where(highest, of_high, 0.0)
        return torch.ops.aten.leaky_relu_backward(g, x.float() + ctx.added, SLOPE, False).to(x.dtype), None


def halves(image: Tensor, count: int) -> list[Tensor]:
    """The picture (B, C, H, W) and `count` smaller ones, each half as large: means of 2 x 2 pixels."""
    found = [image]
    for _ in range(count):
        found.append(F.avg_pool2d(found[-1], 2))
    return found
