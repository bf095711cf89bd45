"""style2paints V1 as it is usually written: a plain transcription of the paper's networks and losses, to compare with.

float32, eager, contiguous; torch's own layers, every picture through the networks on its own. What the paper leaves
open (normalisation, judge, points, FiLM) is as ours has it, and so are the names of the weights.

Shapes: B batch, D numbers of a hint, H W pixels. Networks work in [-1, 1].
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sfumato.methods.style2paints import Config
from sfumato.nets.colors import luminance


def conv(entering: int, leaving: int, stride: int = 1, *, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(entering, leaving, 3, stride, 1, padding_mode="reflect", bias=bias)


def norm(channels: int) -> nn.GroupNorm:
    """Over all channels of a picture."""
    return nn.GroupNorm(1, channels)


class Block(nn.Module):
    def __init__(self, entering: int, leaving: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(entering, leaving, stride), conv(leaving, leaving)
        self.norm1, self.norm2 = norm(leaving), norm(leaving)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.norm1(self.conv1(x)), 0.2)
        return F.leaky_relu(x + self.norm2(self.conv2(x)), 0.2)


class Decoder(nn.Module):
    """Blocks, each at twice the size, with skips and FiLM (the painting) or without (a guide)."""

    def __init__(self, entering: int, wide: Sequence[int], beside: Sequence[int], leaving: int, code: int) -> None:
        super().__init__()
        enters = [entering, *wide]
        self.blocks = nn.ModuleList(Block(enters[i] + beside[i], out) for i, out in enumerate(wide))
        self.film = nn.ModuleList(nn.Linear(code, 2 * out) for out in wide if code)
        self.head = conv(wide[-1], leaving, bias=True)

    def forward(
        self, x: Tensor, sizes: Sequence[int], skips: Sequence[Tensor] = (), code: Tensor | None = None
    ) -> Tensor:
        for i, block in enumerate(self.blocks):
            if x.shape[2] != sizes[i]:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = block(torch.cat((x, skips[i]), 1) if skips else x)
            if len(self.film) and code is not None:
                scale, shift = self.film[i](code)[:, :, None, None].chunk(2, 1)
                x = x * (1 + scale) + shift
        return torch.tanh(self.head(x))


class Unet(nn.Module):
    def __init__(self, c: Config, hint: int) -> None:
        super().__init__()
        wide, back = c.widths, c.decoder_widths()
        self.first = Block(5 if c.points else 1, wide[0])
        self.downs = nn.ModuleList(Block(a, b, 2) for a, b in zip(wide[:-1], wide[1:], strict=True))
        self.into, self.norm = conv(wide[-1], c.middle, 2), norm(c.middle)
        self.dense = nn.Linear(hint, c.middle)
        self.out_of = Block(c.middle, c.middle)
        self.decoder = Decoder(c.middle, back[::-1], wide[::-1], 3, c.middle if c.film else 0)

    def forward(self, x: Tensor, hint: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The painting, and the features at the middle's entry and exit."""
        skips = [self.first(x)]
        for down in self.downs:
            skips.append(down(skips[-1]))
        added = self.dense(hint)
        middle = self.out_of(F.leaky_relu(self.norm(self.into(skips[-1])) + added[:, :, None, None], 0.2))
        sizes = [s.shape[2] for s in skips[::-1]]
        return self.decoder(middle, sizes, skips[::-1], F.leaky_relu(added, 0.2)), skips[-1], middle


class Guides(nn.Module):
    def __init__(self, c: Config) -> None:
        super().__init__()
        wide = c.decoder_widths(c.guide_width)[c.guide_halvings :][::-1]
        none = [0] * len(wide)
        self.grey, self.color = Decoder(c.widths[-1], wide, none, 1, 0), Decoder(c.middle, wide, none, 3, 0)


class Judge(nn.Module):
    """As many logits as the hint has numbers."""

    def __init__(self, hint: int, width: int) -> None:
        super().__init__()
        wide = (3, width, 2 * width, 4 * width, 8 * width)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(wide[:-1], wide[1:], strict=True))
        self.norms = nn.ModuleList(norm(b) for b in wide[2:])
        self.dense = nn.Linear(wide[-1], hint)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.convs[0](x), 0.2)
        for i, normed in enumerate(self.norms):
            x = F.leaky_relu(normed(self.convs[i + 1](x)), 0.2)
        return self.dense(x.mean((2, 3)))


class Style2Paints:
    """Network, guides, judge and their step after the shift; `losses` are those of the last one by name.

    Args:
        hints: the frozen network that tells of styles, (B, 3, h, w) in [0, 1] -> (B, D).
    """

    def __init__(self, c: Config, hints: nn.Module, clip: float) -> None:
        size = int(hints.size)
        self.config, self.hints, self.clip = c, hints, clip
        self.network, self.guides, self.judge = Unet(c, size), Guides(c), Judge(size, c.judge_width)
        self.painting = [*self.network.parameters(), *self.guides.parameters()]
        self.of_generator = torch.optim.Adam(self.painting, 5e-4, (0.9, 0.99))
        self.of_judge = torch.optim.Adam(self.judge.parameters(), 2e-4, (0.5, 0.99))
        self.losses: dict[str, Tensor] = {}

    def step(self, batch: dict[str, Tensor], shift: float) -> None:
        """One update of the generator, and of the judge where `shift` is above 0; pictures in [0, 1]."""
        c, color = self.config, batch["color"] * 2 - 1
        entering = 1 - batch["sketch"]
        if c.points:
            seen, colors = batch["points"][:, :1], batch["points"][:, 1:]
            entering = torch.cat((entering, seen, (colors * 2 - 1) * seen), 1)
        with torch.no_grad():
            hint = self.hints(batch["style"])
        self.judge.requires_grad_(False)
        fake, entry, leaving = self.network(entering, hint)
        small = F.interpolate(color, scale_factor=0.5**c.guide_halvings, mode="area")
        sizes = [small.shape[2] >> i for i in range(c.halvings - c.guide_halvings)][::-1]
        pixel = c.pixel_weight + shift * (c.pixel_weight_after - c.pixel_weight)
        found = {
            "generator/pixel": pixel * F.l1_loss(fake, color),
            "generator/guide_grey": pixel * c.grey_weight * F.l1_loss(self.guides.grey(entry, sizes), luminance(small)),
            "generator/guide_color": pixel * c.color_weight * F.l1_loss(self.guides.color(leaving, sizes), small),
        }
        if shift:
            agreed = F.binary_cross_entropy_with_logits(self.judge(fake), torch.sigmoid(hint))
            found["generator/adversarial"] = shift * c.adversarial_weight * agreed
        self.of_generator.zero_grad()
        sum(found.values()).backward()
        if self.clip:
            nn.utils.clip_grad_norm_(self.painting, self.clip)
        self.of_generator.step()
        self.losses = found
        if shift:
            self._teach_judge(color, fake.detach(), hint)

    def _teach_judge(self, real: Tensor, fake: Tensor, hint: Tensor) -> None:
        self.judge.requires_grad_(True)
        found = {
            "judge/real": 0.5 * F.binary_cross_entropy_with_logits(self.judge(real), torch.sigmoid(hint)),
            "judge/fake": 0.5 * F.softplus(self.judge(fake)).mean(),
        }
        self.of_judge.zero_grad()
        sum(found.values()).backward()
        self.of_judge.step()
        self.losses |= found
