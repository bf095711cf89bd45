"""MicroAST: arbitrary style transfer for ultra-high resolutions (Wang et al., AAAI 2023, arXiv:2211.15313).

Two micro encoders, one for the content and one for the style, and a micro decoder whose residual blocks are driven by
the style twice: by its feature statistics (AdaIN) and by filter modulation signals. No large network runs at test time.

Shapes: B batch, C channels, H W pixels of the content, h w pixels of the style.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from .. import weights
from ..errors import RecipeError
from ..losses.style import content_loss, style_loss
from ..nets.frozen import FrozenCopies
from ..nets.layers import Double, ReflectConv2d
from ..nets.norms import ConvMean, Moments, adain, moments
from ..nets.parallel import gather, rand, world
from ..nets.perceptual import read_perceptual
from . import base

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
CONTENT_LAYER, DETAIL_LAYER = "relu4_1", "relu3_1"


@dataclass(frozen=True, kw_only=True)
class Config:
    width: Annotated[int, Gt(0)] = 64
    """Channels at a quarter of the size, a multiple of 4."""
    perceptual: tuple[str, ...] = ("compact",)
    """Networks that judge the training, by name or file; each layer comes from the first that has it."""
    content_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the squared difference of features at relu4_1."""
    detail_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of the same at relu3_1, which the paper has not: it keeps edges and the colours of places."""
    style_weight: Annotated[float, Ge(0)] = 3.0
    """Weight of the statistics at relu1_1 to relu4_1."""
    contrastive_weight: Annotated[float, Ge(0)] = 3.0
    """Weight of the style signal contrastive loss."""
    pixel_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of the squared difference of pixels at strength 0; it fades as the strength grows."""
    start: str = ""
    """Model file to start from; empty: random weights."""
    partial: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of the samples taught at a strength drawn from [0, 1]; the others are taught at 1, as in the paper."""


class Residual(nn.Module):
    """A residual block; with signals (w, b) each convolution's output becomes w * conv(x) + b * x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = ReflectConv2d(width, width, 3), ReflectConv2d(width, width, 3)

    def forward(self, x: Tensor, signals: tuple[Tensor, Tensor] | None = None) -> Tensor:
        if signals is None:
            return x + self.conv2(F.relu_(self.conv1(x)))
        w, b = (s.to(x.dtype) for s in signals)
        inner = F.relu_(torch.addcmul(b * x, w, self.conv1(x)))
        return x + torch.addcmul(b * inner, w, self.conv2(inner))


class Encoder(nn.Module):
    """(B, 3, H, W) -> features after the first and after the second residual block, (B, C, H/4, W/4) each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        small, half = width // 4, width // 2
        self.down = nn.Sequential(
            ReflectConv2d(3, small, 9),
            nn.ReLU(inplace=True),
            ReflectConv2d(small, half, 3, stride=2, groups=small),
            nn.ReLU(inplace=True),
            ReflectConv2d(half, half, 1),
            nn.ReLU(inplace=True),
            ReflectConv2d(half, width, 3, stride=2, groups=half),
            nn.ReLU(inplace=True),
            ReflectConv2d(width, width, 1),
            nn.ReLU(inplace=True),
        )
        self.block1, self.block2 = Residual(width), Residual(width)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x1 = self.block1(self.down(images))
        return x1, self.block2(x1)


class Modulator(nn.Module):
    """One level of a style's features (B, C, h, w) -> filter modulation signals (w, b), (B, C, 1, 1) each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = (ReflectConv2d(width, width, 3, groups=width) for _ in range(2))

    def forward(self, x: Tensor, ask: Sequence[ConvMean]) -> tuple[Tensor, Tensor]:
        return ask[0](x, self.weight)[0], ask[1](x, self.bias)[0]


class Decoder(nn.Module):
    """Content features and one code or two -> (B, 3, H, W) for each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        small, half = width // 4, width // 2
        self.block1, self.block2 = Residual(width), Residual(width)
        self.moments1 = Moments(level=1)
        self.moments2 = nn.ModuleList(Moments(level=2) for _ in range(2))
        self.up = nn.Sequential(
            Double(),
            ReflectConv2d(width, half, 3, groups=half),
            nn.ReLU(inplace=True),
            ReflectConv2d(half, half, 1),
            nn.ReLU(inplace=True),
            Double(),
            ReflectConv2d(half, small, 3, groups=small),
            nn.ReLU(inplace=True),
            ReflectConv2d(small, small, 1),
            nn.ReLU(inplace=True),
            ReflectConv2d(small, 3, 9, exact=True),  # in bf16 the picture itself would be rounded
        )

    def forward(self, x: Tensor, *codes: base.Code) -> list[Tensor]:
        start = self.moments1(x)  # of all
        halves = [self.block1(adain(x, start, (c[4], c[5])), c[6:]) for c in codes]
        middles = [ask(half) for ask, half in zip(self.moments2, halves, strict=False)]
        whole = zip(halves, middles, codes, strict=True)
        return [self.up(self.block2(adain(half, middle, (c[0], c[1])), c[2:4])) for half, middle, c in whole]


class Model(base.Stylizer):
    """Content (B, 3, H, W) and style (B, 3, h, w), RGB in [0, 1] -> (B, 3, H, W), not clamped.

    A code is (mean, deviation, w, b) of the first level, then of the second, each (B, C, 1, 1).

    # Differs from the paper's code: strength moves the whole code from the content's own towards the style's, and the
    # training shows such codes. The original blends normalised with raw features inside the decoder, which was never
    # trained: its outputs leave [0, 1] by far between 0 and 1. And what the decoder loses of a picture that keeps its
    # own code is given back as the strength goes to 0, by (1 - strength)^2, so that strength 0 is the picture itself.
    """

    stride = 4
    halo = 52
    code_stride = 4
    pixel_bytes = 400

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        width = self.config.width
        self.content_encoder, self.style_encoder = Encoder(width), Encoder(width)
        self.modulator1, self.modulator2 = Modulator(width), Modulator(width)
        self.decoder = Decoder(width)
        # One set of statistics for styles, one for the content's own code: tiles replace the latter.
        self.asked, self.own = (
            nn.ModuleList(kind(level=1) for kind in (Moments, ConvMean, ConvMean) * 2) for _ in range(2)
        )

    def encode_style(self, style: Tensor) -> base.Code:
        return self._signals(exactly(self.style_encoder, style), self.asked)

    def _signals(self, features: Sequence[Tensor], ask: nn.ModuleList) -> base.Code:
        x1, x2 = features
        return (*ask[0](x1), *self.modulator1(x1, ask[1:3]), *ask[3](x2), *self.modulator2(x2, ask[4:6]))

    def features(self, content: Tensor, strength: float | Tensor = 1.0) -> base.Features:
        features = exactly(self.content_encoder, content)[1]
        if isinstance(strength, Tensor) or strength != 1:
            return (features, *exactly(self.style_encoder, content), content)
        return (features,)

    def paint(self, features: base.Features, code: base.Code, strength: float | Tensor = 1.0) -> Tensor:
        if len(features) == 1:
            return self.decoder(features[0], code)[0]
        content, x1, x2, picture = features
        own = self._signals((x1, x2), self.own)
        between = tuple(o + strength * (c - o) for o, c in zip(own, code, strict=True))
        result, kept = self.decoder(content, between, own)
        return result.float() + (1 - strength) ** 2 * (picture - kept.float())


def exactly(encoder: Encoder, images: Tensor) -> tuple[Tensor, Tensor]:
    """An encoder's features in float32, inside autocast, too.

    Their means are many times their deviations, and what bf16 rounds off a mean is lost to the normalisation that
    follows (measured: errors of 5 to 9 % of the output's deviation, below 1 % so).
    """
    with torch.autocast(images.device.type, enabled=False):
        features: tuple[Tensor, Tensor] = encoder(images.float())
    return features


class Training(base.Training):
    """The losses of section 3.3, and lessons at partial strength."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = Model(config)
        if config.start:
            weights.load_into(self.model, weights.load_tensors(config.start), config.start)
        self.perceptual = read_perceptual(config.perceptual)
        self.judge = FrozenCopies(self.perceptual)

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"stylizer": [self.model]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"art": self.model}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        content, style, c = batch["content"], batch["style"], self.config
        strength = self._strengths(content)
        rows = (strength.flatten() != 1).nonzero().flatten()  # only these need what the content itself would be
        code = self.model.encode_style(style)
        own = self.model.encode_style(content[rows]) if len(rows) else ()
        out = self.model.render(content, mixed(code, own, strength, rows))
        with torch.no_grad():
            wanted = (DETAIL_LAYER, CONTENT_LAYER) if c.detail_weight else (CONTENT_LAYER,)
            of_content = self.judge(content, wanted)
            targets = self._targets(content, style, strength, rows)
        features = self.judge(out, STYLE_LAYERS)
        terms = {
            "content": c.content_weight * content_loss(features[CONTENT_LAYER], of_content[CONTENT_LAYER]).mean(),
            "style": c.style_weight * style_loss(features, targets).mean(),
        }
        if c.detail_weight:
            detail = content_loss(features[DETAIL_LAYER], of_content[DETAIL_LAYER])
            terms["detail"] = c.detail_weight * detail.mean()
        if c.pixel_weight:
            fade = (1 - strength.flatten()).square()
            terms["pixel"] = c.pixel_weight * (fade * content_loss(out, content)).mean()
        if c.contrastive_weight:
            if world() * len(content) < 2:
                raise RecipeError("batch: the contrastive loss compares the styles of a batch; take 2 or more")
            codes = [tuple(gather(part) for part in own) for own in (self.model.encode_style(out), code)]
            terms["contrastive"] = c.contrastive_weight * contrastive_loss(*codes)
        yield terms

    def _targets(
        self, content: Tensor, style: Tensor, strength: Tensor, rows: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """The statistics that a result is to have, by layer: (B, C, 1, 1) each."""
        # Differs from the paper: at strength s the target lies s of the way from the content's statistics.
        of_content = self.judge(content[rows], STYLE_LAYERS) if len(rows) else {}
        own = {k: moments(x) for k, x in of_content.items()}
        of_style = self.judge(style, STYLE_LAYERS)
        return {k: mixed(moments(x), own.get(k, ()), strength, rows) for k, x in of_style.items()}  # type: ignore[misc]

    def _strengths(self, content: Tensor) -> Tensor:
        """(B, 1, 1, 1): 1 but for the `partial` share, which is uniform with its ends 0 and 1 drawn often."""
        shape = (len(content), 1, 1, 1)
        drawn = (rand(*shape, device=content.device) * 1.5 - 0.25).clamp(0, 1)
        partial = rand(*shape, device=content.device) < self.config.partial
        return torch.where(partial, drawn, torch.ones_like(drawn))

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        content, style = batch["content"], batch["style"]
        steps = {f"strength {s:g}": self.model(content, style, s).clamp(0, 1) for s in (0.0, 0.5, 1.0)}
        return {"content": content, "style": style} | steps


def mixed(code: Sequence[Tensor], own: Sequence[Tensor], strength: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
    """Codes (B, C, 1, 1) of styles; those of `rows` (R) at their strength on the way from `own` (R, C, 1, 1)."""
    if not own:
        return tuple(code)
    return tuple(c.index_copy(0, rows, o.lerp(c[rows], strength[rows])) for c, o in zip(code, own, strict=True))


def contrastive_loss(result: base.Code, style: base.Code) -> Tensor:
    """Style signal contrastive loss (eq. 8): each result near its own style's code, far from the others'; a scalar.

    Codes are those of `Model`, of a batch of two or more.

    # As in the authors' code, the first level's statistics of a result are told apart from those of the other
    # *results*, all other signals from those of the other *styles*.
    """
    others = (*result[:2], *style[2:])
    positives = torch.stack([square_distances(r, s) for r, s in zip(result, style, strict=True)]).sum(0)
    negatives = torch.stack([square_distances(r, o) for r, o in zip(result, others, strict=True)]).sum(0)
    own = torch.eye(len(negatives), dtype=torch.bool, device=negatives.device)
    # Differs from that code: new networks give all pictures one code, and then the divisor there is 0.
    return (positives.diagonal() / (negatives.masked_fill(own, 0).sum(1) + 1e-8)).sum()


def square_distances(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared differences of all pairs of two sets of vectors (B, C, 1, 1): (B, B)."""
    return (a.flatten(1)[:, None] - b.flatten(1)[None]).square().mean(2)


OFFICIAL_ROLES = ("content_encoder", "style_encoder", "modulator", "decoder")
RENAMES = (
    (r"conv_layer\.", ""),
    (r"\.enc1\.10\.", ".block1."),
    (r"\.enc2\.0\.", ".block2."),
    (r"\.enc1\.", ".down."),
    (r"\.dec([12])\.", r".block\1."),
    (r"\.dec3\.", ".up."),
    (r"^modulator\.(weight|bias)([12])\.0\.", r"modulator\2.\1."),
)
"""From `role.key` of the authors' files to the names here: patterns and replacements, all tried in this order."""


def from_official(states: Mapping[str, Mapping[str, Tensor]]) -> Model:
    """The model of the authors' four files.

    Args:
        states: the files' tensors by role, one of `OFFICIAL_ROLES`.

    Raises:
        RuntimeError: keys are missing or unexpected, or shapes differ; they are listed.
    """
    tensors = {}
    for role in OFFICIAL_ROLES:
        for key, tensor in states[role].items():
            name = f"{role}.{key}"
            for pattern, replacement in RENAMES:
                name = re.sub(pattern, replacement, name)
            tensors[name] = tensor
    model = Model(Config(width=4 * states["content_encoder"]["enc1.0.conv_layer.weight"].shape[0]))
    model.load_state_dict(tensors)
    return model
