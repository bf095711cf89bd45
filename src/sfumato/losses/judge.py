"""How far a picture is from the content and the styles it shall have, and which way it is better.

Shapes: H W pixels of the picture, h w pixels of a style or of a feature map, S styles. Pictures are (1, 3, H, W).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import OptionError
from ..nets.frozen import Frozen
from ..nets.norms import blend
from .texture import KINDS, Gram, Statistics, Wasserstein, roughness


def even_shares(masks: Sequence[Tensor], weights: Sequence[float], *, like: Tensor) -> Tensor:
    """What share of each pixel of `like` is whose style: (S, 1, H, W), their sum at most 1.

    Args:
        masks: (1, 1, h, w) of any size, in [0, 1], one for each style. Where they add up to less than 1 so do the
            shares; where they overlap, the styles share by mask times weight.

    Raises:
        OptionError: the number of masks is not that of the styles, or a mask has other than one channel.
    """
    if len(masks) != len(weights):
        raise OptionError(f"{len(masks)} masks for {len(weights)} styles; give one for each style")
    if wrong := [tuple(m.shape) for m in masks if m.ndim != 4 or m.shape[:2] != (1, 1)]:
        raise OptionError(f"a mask has the shape {wrong[0]}; it must be (1, 1, height, width)")
    size = (like.shape[-2], like.shape[-1])
    resized = [F.interpolate(m.to(like), size, mode="bilinear", antialias=True) for m in masks]
    stack = torch.cat(resized).detach().clamp(0, 1)
    covered = stack.sum(0, keepdim=True).clamp(max=1)
    stack = stack * stack.new_tensor(weights)[:, None, None, None]
    return covered * stack / stack.sum(0, keepdim=True).clamp(min=1e-6)


@dataclass(frozen=True, kw_only=True)
class _Aim:
    """One style's statistics in one layer, and where they are asked for."""

    target: Gram | Wasserstein
    weight: float = 1.0
    shares: Tensor | None = None


class Judge:
    """The loss of pictures of one size and its gradient.

    Args:
        network: what looks at the pictures.
        style_layers: weights of the distances of statistics by layer.
        statistics: a name of `KINDS`.
        smoothness: weight of the picture's roughness.
    """

    def __init__(
        self, network: Frozen, style_layers: Mapping[str, float], *, statistics: str = "gram", smoothness: float = 0.0
    ) -> None:
        self.network, self.smoothness, self.kind = network, smoothness, KINDS[statistics]
        self.style_layers = {k: w for k, w in style_layers.items() if w}
        self.aims: dict[str, list[_Aim]] = {}
        self.content: dict[str, tuple[Tensor, float]] = {}

    @torch.no_grad()
    def ask_content(self, picture: Tensor, layer: str, weight: float) -> None:
        """From now on pictures shall have the features of this one in a layer."""
        features = self.network(picture, [layer])[layer].float()
        self.content = {layer: (features, weight / float(features.square().mean().clamp(min=1e-12)))}

    @torch.no_grad()
    def ask_styles(self, styles: Sequence[Tensor], weights: Sequence[float], shares: Tensor | None = None) -> None:
        """From now on pictures shall have the weighted mean of these styles' statistics, or each style its own place.

        Args:
            shares: (S, 1, H, W), see `even_shares`.
        """
        seen = [self.network(style, self.style_layers) for style in styles]
        for layer in self.style_layers:
            of_styles = [self.kind.of(features[layer]) for features in seen]
            if shares is None:
                self.aims[layer] = [_Aim(target=self.kind(blend(of_styles, weights)))]
            else:
                self.aims[layer] = self._guided(of_styles, shares)

    def _guided(self, of_styles: Sequence[Statistics], shares: Tensor) -> list[_Aim]:
        """An aim for each style that has a place, weighted by its part of the picture: pixels are pulled alike."""
        places = [(s, share, float(share.mean())) for s, share in zip(of_styles, shares.split(1), strict=True)]
        return [_Aim(target=self.kind(s), weight=part, shares=share) for s, share, part in places if part > 0]

    def __call__(self, picture: Tensor) -> tuple[float, Tensor]:
        """The loss and its gradient (1, 3, H, W); not a number where something along the way is not finite."""
        with torch.enable_grad():
            variable = picture.detach().requires_grad_()
            try:
                loss = self.loss(variable)
            except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
                return torch.nan, torch.zeros_like(picture)
            (gradient,) = torch.autograd.grad(loss, variable)
        return (float(loss.detach()), gradient) if gradient.sum().isfinite() else (torch.nan, gradient)

    def loss(self, picture: Tensor) -> Tensor:
        """A scalar: content + style + smoothness."""
        features = self.network(picture, {*self.aims, *self.content})
        total = roughness(picture, wraps=self.network.wraps) * self.smoothness
        for layer, (target, weight) in self.content.items():
            total = total + F.mse_loss(features[layer].float(), target) * weight
        for layer, aims in self.aims.items():
            for aim in aims:
                total = total + self._style(features[layer], aim) * self.style_layers[layer]
        return total

    def _style(self, features: Tensor, aim: _Aim) -> Tensor:
        height, width = features.shape[-2:]
        shares = None if aim.shares is None else F.adaptive_avg_pool2d(aim.shares, (height, width))
        return aim.target.distance(self.kind.of(features, shares)) * aim.weight
