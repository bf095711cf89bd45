"""StyTr2 as it is usually written: a plain transcription of the paper's code, to be compared with.

Sequence first, `nn.MultiheadAttention` with its full matrices, equal squares only. The names of the weights are those
of the authors' three files.

Shapes: B batch, N tokens, C channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EncoderLayer(nn.Module):
    """(N, B, C) -> (N, B, C)."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads)
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor, position: Tensor | None) -> Tensor:
        q = x if position is None else x + position
        x = self.norm1(x + self.self_attn(q, q, value=x)[0])
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class DecoderLayer(nn.Module):
    """Tokens (N, B, C) beside those of a style (N, B, C)."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads)
        self.multihead_attn = nn.MultiheadAttention(width, heads)
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x: Tensor, memory: Tensor, position: Tensor) -> Tensor:
        x = self.norm1(x + self.self_attn(x + position, memory, memory)[0])
        x = self.norm2(x + self.multihead_attn(x + position, memory, value=memory)[0])
        return self.norm3(x + self.linear2(F.relu(self.linear1(x))))


class Stack(nn.Module):
    """Layers one after the other, a decoder's with a normalisation at their end."""

    def __init__(self, layers: list[nn.Module], norm: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if norm is not None:
            self.norm = norm

    def forward(self, x: Tensor, *others: Tensor | None) -> Tensor:
        for layer in self.layers:
            x = layer(x, *others)
        return self.norm(x) if hasattr(self, "norm") else x


class Transformer(nn.Module):
    """Embedded style and content (B, C, h, h) -> (B, C, h, h)."""

    def __init__(self, width: int = 512, heads: int = 8, hidden: int = 2048, layers: int = 3) -> None:
        super().__init__()
        sizes = (width, heads, hidden)
        self.encoder_c = Stack([EncoderLayer(*sizes) for _ in range(layers)])
        self.encoder_s = Stack([EncoderLayer(*sizes) for _ in range(layers)])
        self.decoder = Stack([DecoderLayer(*sizes) for _ in range(layers)], nn.LayerNorm(width))
        self.new_ps = nn.Conv2d(width, width, 1)

    def forward(self, style: Tensor, content: Tensor) -> Tensor:
        position = self.new_ps(F.adaptive_avg_pool2d(content, 18))
        position = F.interpolate(position, style.shape[-2:], mode="bilinear")
        style, content, position = (x.flatten(2).permute(2, 0, 1) for x in (style, content, position))
        style = self.encoder_s(style, None)
        content = self.encoder_c(content, position)
        result = self.decoder(content, style, position)
        side = int(len(result) ** 0.5)
        return result.permute(1, 2, 0).reshape(result.shape[1], result.shape[2], -1, side)


class Embedding(nn.Module):
    """(B, 3, H, H) -> (B, C, H/8, H/8)."""

    def __init__(self, width: int = 512) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, 8, stride=8)

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(images)


def make_decoder(width: int = 512, last: int = 64) -> nn.Sequential:
    """(B, C, H/8, W/8) -> (B, 3, H, W)."""
    parts: list[nn.Module] = []
    for a, b, doubles in (
        (width, 4 * last, True),
        (4 * last, 4 * last, False),
        (4 * last, 4 * last, False),
        (4 * last, 4 * last, False),
        (4 * last, 2 * last, True),
        (2 * last, 2 * last, False),
        (2 * last, last, True),
        (last, last, False),
        (last, 3, False),
    ):
        parts += [nn.ReflectionPad2d(1), nn.Conv2d(a, b, 3), nn.ReLU()]
        parts += [nn.Upsample(scale_factor=2, mode="nearest")] if doubles else []
    return nn.Sequential(*parts[:-1])


class StyTr2(nn.Module):
    """Content and style (B, 3, H, H), RGB in [0, 1] -> (B, 3, H, H)."""

    def __init__(self, width: int = 512, heads: int = 8, hidden: int = 2048, last: int = 64) -> None:
        super().__init__()
        self.embedding = Embedding(width)
        self.transformer = Transformer(width, heads, hidden)
        self.decoder = make_decoder(width, last)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        return self.decoder(self.transformer(self.embedding(style), self.embedding(content)))


@torch.no_grad()
def test_path(model: StyTr2, vgg: nn.Module, content: Tensor, style: Tensor) -> Tensor:
    """What the authors' test computes for one result: the losses' identity passes and features, too."""
    vgg(content), vgg(style)
    out = model(content, style)
    vgg(out)
    of_content, of_style = model(content, content), model(style, style)
    vgg(of_content), vgg(of_style)
    return out
