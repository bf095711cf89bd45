"""What a method offers: `Training` to the trainer, `Stylizer` to the translator.

Shapes: B batch, C channels, H W pixels of the content, h w pixels of the style or of a feature map.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

Terms = dict[str, Tensor]
"""Named, already weighted scalar losses; their sum is minimised."""

Code = tuple[Tensor, ...]
"""What a model keeps of a style: tensors (B, C, 1, 1), or maps (B, C, h, w) where styles are mixed by place."""

Features = tuple[Tensor, ...]
"""What a model sees in a content: maps (B, C, h, w), before anything is asked of the whole picture."""


class Training(nn.Module):
    """Models, their teachers and the lessons between them."""

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        """Networks by the optimiser that updates them, in the order of the updates of one step."""
        raise NotImplementedError

    def models(self) -> Mapping[str, nn.Module]:
        """What is worth keeping once training is over, by name."""
        raise NotImplementedError

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[Terms]:
        """Yields the losses of each group, in the order of `groups`; code runs on between updates."""
        raise NotImplementedError

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Pictures (B, 3, H, W) in [0, 1] by caption, to watch a run by; none by default."""
        return {}


class Stylizer(nn.Module):
    """A model that takes a picture and a style.

    Everything a network asks of the whole content goes through `nets.norms.Moments`, so that large pictures can be done
    in tiles exactly.
    """

    stride: ClassVar[int] = 1
    """The content's sides must be multiples of this."""
    halo: ClassVar[int] = 0
    """Pixels that a tile must see beyond its border for an exact result, a multiple of `stride`."""
    code_stride: ClassVar[int] = 1
    """Pixels of the content for one cell of a map in a code."""
    pixel_bytes: ClassVar[int] = 1000
    """Memory that rendering takes for each pixel of the content, about."""

    def encode_style(self, style: Tensor) -> Code:
        """The code of a style (B, 3, h, w), RGB in [0, 1]."""
        raise NotImplementedError

    def features(self, content: Tensor, strength: float | Tensor = 1.0) -> Features:
        """What `paint` needs of the content (B, 3, H, W): a function of each place's surroundings alone."""
        raise NotImplementedError

    def paint(self, features: Features, code: Code, strength: float | Tensor = 1.0) -> Tensor:
        """The content of these features in that style: (B, 3, H, W), not clamped."""
        raise NotImplementedError

    def render(self, content: Tensor, code: Code, strength: float | Tensor = 1.0) -> Tensor:
        """The content (B, 3, H, W) in that style: (B, 3, H, W), not clamped."""
        return self.paint(self.features(content, strength), code, strength)

    def forward(self, content: Tensor, style: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """The content (B, 3, H, W) in the style of (B, 3, h, w), both RGB in [0, 1]; not clamped.

        `strength` 0 keeps the content, 1 is the full style; a tensor (B, 1, 1, 1) sets it for each picture.
        """
        return self.render(content, self.encode_style(style), strength)


Config = Any
"""Each method has its own frozen dataclass of this name."""
