"""StyTr2: image style transfer with transformers (Deng et al., CVPR 2022, arXiv:2105.14576).

Content and style are cut into patches of 8x8 pixels. An encoder for each lets every patch look at all others; a decoder
lets the content's patches look at the style's; a small convolutional network turns the result into a picture. Where a
patch lies is told by its content, seen at 18x18 cells whatever the picture's size (content-aware position).

Shapes: B batch, C channels, H W pixels of the content, h w cells of 8x8 pixels, N of them, M those of the style.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn

from ..errors import RecipeError
from ..losses.style import content_loss, style_loss
from ..nets.frozen import FrozenCopies
from ..nets.layers import Dropout
from ..nets.mirror import REACH, make_decoder
from ..nets.norms import moments
from ..nets.official import cleaned
from ..nets.perceptual import read_perceptual
from . import base

PATCH = 8
POSITIONS = 18
"""Cells along each side that tell positions."""
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYERS = LAYERS[-2:]
STRIP = 128
"""Rows and columns of cells that are decoded at once when nothing is learned: 1024 pixels."""


@dataclass(frozen=True, kw_only=True)
class Config:
    width: Annotated[int, Gt(0)] = 512
    """Channels of a token, a multiple of `heads`."""
    heads: Annotated[int, Gt(0)] = 8
    """Heads of each attention."""
    layers: Annotated[int, Gt(0)] = 3
    """Layers of both encoders and of the decoder."""
    feedforward: Annotated[int, Gt(0)] = 2048
    """Channels between the two linear layers of a block."""
    decoder_width: Annotated[int, Gt(0)] = 64
    """Channels of the convolutional decoder at full size, twice and four times as many at half and a quarter."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of numbers set to 0 in training, after each attention and inside and after each feed-forward part."""
    perceptual: tuple[str, ...] = ("compact",)
    """Networks that judge the training, by name or file; each layer comes from the first that has it."""
    content_weight: Annotated[float, Ge(0)] = 7.0
    """Weight of the normalised features at relu4_1 and relu5_1; 10 in the paper, 7 in its code."""
    style_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of the statistics at relu1_1 to relu5_1; 7 in the paper, 10 in its code."""
    identity_weight: Annotated[float, Ge(0)] = 70.0
    """Weight of the pixels of a picture in its own style; 50 in the paper, 70 in its code."""
    identity_feature_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the features of a picture in its own style, at relu1_1 to relu5_1."""


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al., NeurIPS 2017, arXiv:1706.03762).

    Queries (B, N, C), keys and values (B, M, C) -> (B, N, C).

    # Differs from the authors' code: the N x M matrix is never held in memory (8 heads of it take 8 GB in float32 at
    # 1024 pixels), so that single entries of it are not dropped in training. Keys are those of `nn.MultiheadAttention`.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        joint = nn.Linear(channels, 3 * channels)
        self.in_proj_weight, self.in_proj_bias = joint.weight, joint.bias
        self.out_proj = nn.Linear(channels, channels)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        parts = zip((query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True)
        q, k, v = (F.linear(x, w, b).unflatten(2, (self.heads, -1)).transpose(1, 2) for x, w, b in parts)
        mixed = F.scaled_dot_product_attention(q, k, v)  # (B, heads, N, C / heads)
        result: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return result


class FeedForward(nn.Module):
    """The two layers after an attention, each token for itself: (B, N, C) -> (B, N, C).

    It is a base class, so that the two layers' keys are `linear1` and `linear2` of the block itself.
    """

    def __init__(self, channels: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        self.dropout = Dropout(dropout)

    def feed(self, x: Tensor) -> Tensor:
        """What is added to x (B, N, C)."""
        result: Tensor = self.dropout(self.linear2(self.dropout(F.relu(self.linear1(x)))))
        return result


class EncoderLayer(FeedForward):
    """Every token looks at all others: (B, N, C) -> (B, N, C); normalised after each sum, as in the code."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.width, config.feedforward, config.dropout)
        self.self_attn = Attention(config.width, config.heads)
        self.norm1, self.norm2 = nn.LayerNorm(config.width), nn.LayerNorm(config.width)

    def forward(self, x: Tensor, position: Tensor | None) -> Tensor:
        placed = x if position is None else x + position
        x = self.norm1(x + self.dropout(self.self_attn(placed, placed, x)))
        result: Tensor = self.norm2(x + self.feed(x))
        return result


class DecoderLayer(FeedForward):
    """The content's tokens (B, N, C) look at the style's (B, M, C), twice.

    # Differs from the paper, which says that the first attention is among the content's own tokens: in the authors'
    # code, and so in their weights, keys and values of both are the style's, whatever the name of the first.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config.width, config.feedforward, config.dropout)
        self.self_attn = Attention(config.width, config.heads)
        self.multihead_attn = Attention(config.width, config.heads)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(config.width) for _ in range(3))

    def forward(self, x: Tensor, style: Tensor, position: Tensor) -> Tensor:
        x = self.norm1(x + self.dropout(self.self_attn(x + position, style, style)))
        x = self.norm2(x + self.dropout(self.multihead_attn(x + position, style, style)))
        result: Tensor = self.norm3(x + self.feed(x))
        return result


class Encoder(nn.Module):
    """Tokens (B, N, C) -> (B, N, C)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))

    def forward(self, x: Tensor, position: Tensor | None = None) -> Tensor:
        for layer in self.layers:
            x = layer(x, position)
        return x


class Decoder(nn.Module):
    """The content's tokens (B, N, C) in the style of others (B, M, C): (B, N, C)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, style: Tensor, position: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, style, position)
        result: Tensor = self.norm(x)
        return result


class Transformer(nn.Module):
    """Embedded pictures (B, C, h, w) in the style of others."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.encoder_c, self.encoder_s, self.decoder = Encoder(config), Encoder(config), Decoder(config)
        self.new_ps = nn.Conv2d(config.width, config.width, 1)

    def position(self, content: Tensor) -> Tensor:
        """Content-aware positions of a map (B, C, h, w): (B, N, C).

        # Differs from the code, which brings them to the *style's* cells, so that both must be equal squares.
        """
        seen = self.new_ps(F.adaptive_avg_pool2d(content, POSITIONS))
        return tokens(F.interpolate(seen, content.shape[-2:], mode="bilinear"))

    def content(self, content: Tensor) -> tuple[Tensor, Tensor]:
        """The encoded tokens of a map (B, C, h, w), and their positions: (B, N, C) each."""
        position = self.position(content)
        return self.encoder_c(tokens(content), position), position

    def style(self, style: Tensor) -> Tensor:
        """A map (B, C, h, w), encoded; a style's tokens have no positions."""
        return as_map(self.encoder_s(tokens(style)), style)


class PatchEmbedding(nn.Module):
    """Pictures (B, 3, H, W) -> a token for each patch, (B, C, H/8, W/8)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, PATCH, stride=PATCH)

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.proj(whole_patches(images))
        return result


class Model(base.Stylizer):
    """Content (B, 3, H, W) and style (B, 3, any, any), RGB in [0, 1] -> (B, 3, H, W), not clamped.

    A code is (encoded style (B, C, h, w), its share) for each style, one after the other; shares are (1, 1, 1, 1) or
    maps (B, 1, H/8, W/8). Several styles are mixed in the features before the last decoder.

    # Differs from the authors' code: any sizes; at strengths below 1 the features are mixed with those of the content
    # in its own style, which the identity losses have taught, and what the decoder loses of these is given back by
    # (1 - strength)^2, so that strength 0 is the picture itself.
    """

    stride = PATCH
    halo = None
    code_stride = PATCH
    pixel_bytes = 900

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = c = config or Config()
        if c.width % c.heads:
            raise RecipeError(f"method.width: {c.width} channels cannot be shared evenly by {c.heads} heads")
        self.embedding, self.transformer = PatchEmbedding(c.width), Transformer(c)
        self.decoder = make_decoder(c.width, c.decoder_width)

    def encode_style(self, style: Tensor) -> base.Code:
        return self.transformer.style(self.embedding(style)), style.new_ones(1, 1, 1, 1)

    def mix(self, codes: Sequence[base.Code], weights: Sequence[float | Tensor]) -> base.Code:
        weighted = zip(codes, weights, strict=True)
        pairs = [(code[i], code[i + 1] * w) for code, w in weighted for i in range(0, len(code), 2)]
        return tuple(part for pair in pairs for part in pair)

    def features(self, content: Tensor, strength: float | Tensor = 1.0) -> base.Features:
        return self.embedding(content), content

    def paint(self, features: base.Features, code: base.Code, strength: float | Tensor = 1.0) -> Tensor:
        embedded, picture = features
        x, position = self.transformer.content(embedded)
        styles = zip(code[::2], code[1::2], strict=True)
        parts = [self._in_style(x, position, style, embedded) * share.to(x.dtype) for style, share in styles]
        mixed = sum(parts[1:], parts[0])
        height, width = picture.shape[-2:]
        if not isinstance(strength, Tensor) and strength == 1:
            return self.decode(mixed)[:, :, :height, :width]
        own = self._in_style(x, position, self.transformer.style(embedded), embedded)
        result, kept = (self.decode(f)[:, :, :height, :width].float() for f in (own + strength * (mixed - own), own))
        return result + (1 - strength) ** 2 * (picture - kept)

    def _in_style(self, x: Tensor, position: Tensor, style: Tensor, like: Tensor) -> Tensor:
        """Encoded content (B, N, C) in one style (B, C, h, w): a map (B, C, h, w) of the shape of `like`."""
        style = tokens(style).expand(len(x), -1, -1)
        return as_map(self.transformer.decoder(x, style, position), like)

    def decode(self, features: Tensor) -> Tensor:
        """Pictures (B, 3, 8 h, 8 w) of features (B, C, h, w); in parts, with the same result, where it saves memory."""
        height, width = features.shape[-2:]
        if torch.is_grad_enabled() or max(height, width) <= STRIP:
            whole: Tensor = self.decoder(features)
            return whole
        result = features.new_empty((len(features), 3, PATCH * height, PATCH * width), dtype=torch.float32)
        for top in range(0, height, STRIP):
            for left in range(0, width, STRIP):
                self._decode_part(features, result, top, left)
        return result

    def _decode_part(self, features: Tensor, result: Tensor, top: int, left: int) -> None:
        up, before = min(top, REACH), min(left, REACH)
        part = features[:, :, top - up : top + STRIP + REACH, left - before : left + STRIP + REACH]
        decoded = self.decoder(part)[:, :, PATCH * up :, PATCH * before :]
        goal = result[:, :, PATCH * top : PATCH * (top + STRIP), PATCH * left : PATCH * (left + STRIP)]
        goal.copy_(decoded[:, :, : goal.shape[2], : goal.shape[3]])


def whole_patches(images: Tensor) -> Tensor:
    """Pictures whose sides are multiples of 8 from 16 on, which can be mirrored; last rows and columns are repeated."""
    down, right = (max(2 * PATCH, n + -n % PATCH) - n for n in images.shape[-2:])
    return F.pad(images, (0, right, 0, down), mode="replicate") if down or right else images


def tokens(features: Tensor) -> Tensor:
    """(B, C, h, w) -> (B, N, C), row by row."""
    return features.flatten(2).transpose(1, 2)


def as_map(x: Tensor, like: Tensor) -> Tensor:
    """(B, N, C) -> (B, C, h, w), with the rows and columns of `like`."""
    return x.transpose(1, 2).unflatten(2, like.shape[-2:])


class Training(base.Training):
    """The losses of section 3.4."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = Model(config)
        for name, p in self.model.transformer.named_parameters():
            if p.ndim > 1 and not name.startswith("new_ps"):
                nn.init.xavier_uniform_(p)
        self.perceptual = read_perceptual(config.perceptual)
        self.judge = FrozenCopies(self.perceptual)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"stylizer": [self.model]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"art": self.model}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        c, both = self.config, torch.cat((batch["content"], batch["style"]))
        out, identity = self._pictures(both)
        with torch.no_grad():
            wanted = self.judge(both, LAYERS)
        given = self.judge(torch.cat((out, identity)), LAYERS)
        count = len(out)
        of_out = {k: x[:count] for k, x in given.items()}
        of_content = {k: wanted[k][:count] for k in CONTENT_LAYERS}
        of_style = {k: moments(x[count:]) for k, x in wanted.items()}
        content = [content_loss(normalised(of_out[k]), normalised(of_content[k])).mean() for k in CONTENT_LAYERS]
        # The code adds the distances of Icc and of Iss, so the mean over both counts twice.
        pixels = 2 * content_loss(identity, both).mean()
        features = [2 * content_loss(given[k][count:], x).mean() for k, x in wanted.items()]
        yield {
            "content": c.content_weight * torch.stack(content).sum(),
            "style": c.style_weight * style_loss(of_out, of_style).mean(),
            "identity": c.identity_weight * pixels,
            "identity_features": c.identity_feature_weight * torch.stack(features).sum(),
        }

    def _pictures(self, both: Tensor) -> tuple[Tensor, Tensor]:
        """Content in the style, (B, 3, H, W), and each picture in its own, (2 B, 3, H, W); each is encoded once."""
        model, count = self.model, len(both) // 2
        # Rows of one sample lie together, so that dropout draws for them what it draws when processes share the batch.
        embedded = together(*model.embedding(both).split(count))
        x, position = model.transformer.content(embedded)
        style = tokens(model.transformer.style(embedded))
        (c, s), (c_place, s_place), (c_style, s_style) = ((rows[::2], rows[1::2]) for rows in (x, position, style))
        made = model.transformer.decoder(
            together(c, c, s), together(s_style, c_style, s_style), together(c_place, c_place, s_place)
        )
        pictures = model.decoder(as_map(made, embedded)).float()
        return pictures[::3], torch.cat((pictures[1::3], pictures[2::3]))

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        content, style = batch["content"], batch["style"]
        steps = {f"strength {s:g}": self.model(content, style, s).clamp(0, 1) for s in (0.0, 0.5, 1.0)}
        return {"content": content, "style": style} | steps


def together(*parts: Tensor) -> Tensor:
    """P batches (B, ...) as (B P, ...), the rows of the first sample first."""
    return torch.stack(parts, 1).flatten(0, 1)


def normalised(features: Tensor) -> Tensor:
    """Features (B, C, h, w) of mean 0 and deviation 1 in each channel."""
    mean, std = moments(features)
    return (features - mean) / std


OFFICIAL_ROLES = ("embedding", "transformer", "decoder")
WIDTHS = (
    ("embedding", "proj.weight"),
    ("transformer", "encoder_c.layers.0.linear1.weight"),
    ("decoder", "1.weight"),
)
"""Where the files tell the sizes of the network."""


def from_official(states: Mapping[str, Mapping[str, Tensor]]) -> Model:
    """The model of `embedding_iter_160000.pth`, `transformer_iter_160000.pth` and `decoder_iter_160000.pth`.

    The authors' `vgg_normalised.pth` only judges trainings, so that it is not asked for.

    Args:
        states: the files' tensors by role, one of `OFFICIAL_ROLES`.

    Raises:
        KeyError: a file is another one.
        RuntimeError: keys are missing or unexpected, or shapes differ; they are listed.
    """
    widths = (states[role][key].shape[0] for role, key in WIDTHS)
    width, feedforward, four_decoder_widths = widths
    model = Model(Config(width=width, feedforward=feedforward, decoder_width=four_decoder_widths // 4))
    for role in OFFICIAL_ROLES:
        getattr(model, role).load_state_dict(cleaned(states[role]))
    return model
