"""Plain formulations of the authors' networks and training steps, to compare with: float32, eager, contiguous.

CycleGAN (pytorch-CycleGAN-and-pix2pix) and CUT (contrastive-unpaired-translation): layers in one sequence, torch's own
normalisation, every picture through the networks on its own, as there.
"""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LR, BETAS = 2e-4, (0.5, 0.999)
TAPS = (0, 4, 8, 12, 16)


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Halve(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2, 1])
        self.register_buffer("filt", (torch.outer(line, line) / 16).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=x.shape[1])


class Twice(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 3, 3, 1])
        self.register_buffer("filt", (torch.outer(line, line) / 16).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv_transpose2d(padded, self.filt, stride=2, padding=2, groups=x.shape[1])[:, :, 1:-1, 1:-1]


def normed(conv: nn.Module, width: int) -> list[nn.Module]:
    return [conv, nn.InstanceNorm2d(width), nn.ReLU(True)]


def generator(width: int = 64, blocks: int = 9, *, antialias: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), *normed(nn.Conv2d(3, width, 7), width)]
    for w in (width, 2 * width):
        conv = nn.Conv2d(w, 2 * w, 3, 1 if antialias else 2, 1)
        layers += normed(conv, 2 * w) + ([Halve(2 * w)] if antialias else [])
    layers += [Block(4 * width) for _ in range(blocks)]
    for w in (4 * width, 2 * width):
        up = nn.Conv2d(w, w // 2, 3, 1, 1) if antialias else nn.ConvTranspose2d(w, w // 2, 3, 2, 1, 1)
        layers += ([Twice(w)] if antialias else []) + normed(up, w // 2)
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


def discriminator(width: int = 64, *, antialias: bool = False) -> nn.Sequential:
    step = 1 if antialias else 2
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, step, 1), nn.LeakyReLU(0.2, True)]
    layers += [Halve(width)] if antialias else []
    for w in (width, 2 * width):
        layers += [nn.Conv2d(w, 2 * w, 4, step, 1), nn.InstanceNorm2d(2 * w), nn.LeakyReLU(0.2, True)]
        layers += [Halve(2 * w)] if antialias else []
    layers += [nn.Conv2d(4 * width, 8 * width, 4, 1, 1), nn.InstanceNorm2d(8 * width), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


def adam(*networks: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam([p for n in networks for p in n.parameters()], LR, BETAS)


def liked(logits: Tensor, real: bool) -> Tensor:
    return F.mse_loss(logits, torch.full_like(logits, float(real)))


def teach(optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor], frozen: Iterable[nn.Module] = ()) -> None:
    """One update; `frozen` networks keep no gradients."""
    frozen = list(frozen)
    for network in frozen:
        network.requires_grad_(False)
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()
    for network in frozen:
        network.requires_grad_(True)


class CycleGAN:
    """Two generators, two discriminators, and their step on a batch in [-1, 1]; the losses of the last one by name."""

    def __init__(self, width: int = 64) -> None:
        self.a2b, self.b2a = generator(width), generator(width)
        self.judge_a, self.judge_b = discriminator(width), discriminator(width)
        self.generators = adam(self.a2b, self.b2a)
        self.discriminators = adam(self.judge_a, self.judge_b)
        self.losses: dict[str, Tensor] = {}

    def step(self, a: Tensor, b: Tensor) -> None:
        fake_b, fake_a = self.a2b(a), self.b2a(b)
        cycled_a, cycled_b = self.b2a(fake_b), self.a2b(fake_a)

        def of_generators() -> Tensor:
            self.losses = {
                "identity_b": 5 * F.l1_loss(self.a2b(b), b),
                "identity_a": 5 * F.l1_loss(self.b2a(a), a),
                "adversarial_a2b": liked(self.judge_b(fake_b), True),
                "adversarial_b2a": liked(self.judge_a(fake_a), True),
                "cycle_a": 10 * F.l1_loss(cycled_a, a),
                "cycle_b": 10 * F.l1_loss(cycled_b, b),
            }
            return torch.stack(list(self.losses.values())).sum()

        def of_discriminators() -> Tensor:
            found = {}
            for name, judge, real, fake in (("a", self.judge_a, a, fake_a), ("b", self.judge_b, b, fake_b)):
                found[name] = 0.5 * (liked(judge(real), True) + liked(judge(fake.detach()), False))
            self.losses |= found
            return found["a"] + found["b"]

        teach(self.generators, of_generators, (self.judge_a, self.judge_b))
        teach(self.discriminators, of_discriminators)


class CUT:
    """Generator, discriminator, projections, and their step on a batch in [-1, 1]."""

    def __init__(self, width: int = 64, patches: int = 256) -> None:
        self.a2b, self.judge = generator(width, antialias=True), discriminator(width, antialias=True)
        channels = (3, 2 * width, 4 * width, 4 * width, 4 * width)
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(c, 256), nn.ReLU(), nn.Linear(256, 256)) for c in channels)
        self.patches = patches
        self.optimizers = [adam(self.judge), adam(self.a2b), adam(self.heads)]

    def step(self, a: Tensor, b: Tensor) -> None:
        leaving = self.a2b(torch.cat((a, b)))
        fake, same = leaving[: len(a)], leaving[len(a) :]
        teach(
            self.optimizers[0],
            lambda: 0.5 * (liked(self.judge(fake.detach()), False) + liked(self.judge(b), True)),
        )
        self.optimizers[2].zero_grad()
        teach(
            self.optimizers[1],
            lambda: liked(self.judge(fake), True) + 0.5 * (self.contrast(a, fake) + self.contrast(b, same)),
            (self.judge,),
        )
        self.optimizers[2].step()

    def features(self, x: Tensor) -> list[Tensor]:
        found = []
        for i, layer in enumerate(self.a2b):
            x = layer(x)
            if i in TAPS:
                found.append(x)
            if i == TAPS[-1]:
                break
        return found

    def contrast(self, source: Tensor, result: Tensor) -> Tensor:
        total = source.new_zeros(())
        for head, q, k in zip(self.heads, self.features(result), self.features(source), strict=True):
            places = torch.randperm(q.shape[2] * q.shape[3], device=q.device)[: self.patches]
            queries, keys = (F.normalize(head(x.permute(0, 2, 3, 1).flatten(1, 2)[:, places]), dim=2) for x in (q, k))
            logits = queries @ keys.detach().mT / 0.07
            own = torch.arange(logits.shape[1], device=q.device).expand(len(logits), -1)
            total = total + F.cross_entropy(logits.flatten(0, 1), own.flatten())
        return total / len(TAPS)
