"""The step of U-GAT-IT's authors, written plainly, for `gan.py` to measure ours against.

`Plain` is what the authors' code computes and in which order: float32, everything made twice, the discriminators'
gradients sent back through the generators and the other way round, torch's own layers and Adam.
"""

import itertools
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm


class Normalised(nn.Module):
    """AdaLIN: gamma and beta of its own, or from outside."""

    def __init__(self, channels: int, rho: float, *, own: bool) -> None:
        super().__init__()
        shape = (1, channels, 1, 1)
        self.rho = nn.Parameter(torch.full(shape, rho))
        if own:
            self.gamma, self.beta = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor, *outside: Tensor) -> Tensor:
        gamma, beta = outside or (self.gamma, self.beta)
        own, common = (
            (x - x.mean(dims, keepdim=True)) / (x.var(dims, keepdim=True) + 1e-5).sqrt() for dims in ((2, 3), (1, 2, 3))
        )
        return (self.rho * own + (1 - self.rho) * common) * gamma + beta


class Residual(nn.Module):
    """Two convolutions and what they are added to."""

    def __init__(self, channels: int, *, adaptive: bool) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(
            Normalised(channels, 0.9, own=False) if adaptive else nn.InstanceNorm2d(channels) for _ in range(2)
        )

    def forward(self, x: Tensor, *style: Tensor) -> Tensor:
        y = x
        for i in range(2):
            y = self.norms[i](self.convs[i](mirrored(y, 1)), *style)
            y = F.relu(y) if i == 0 else y
        return x + y


class Generator(nn.Module):
    """Pictures in [-1, 1] -> pictures, and logits of their kind."""

    def __init__(self, width: int, blocks: int, size: int, *, light: bool) -> None:
        super().__init__()
        wide = 4 * width
        self.down = nn.Sequential(
            *(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7, bias=False), nn.InstanceNorm2d(width), nn.ReLU()),
            *(nn.ReflectionPad2d(1), nn.Conv2d(width, 2 * width, 3, 2, bias=False)),
            *(nn.InstanceNorm2d(2 * width), nn.ReLU()),
            *(nn.ReflectionPad2d(1), nn.Conv2d(2 * width, wide, 3, 2, bias=False), nn.InstanceNorm2d(wide), nn.ReLU()),
            *(Residual(wide, adaptive=False) for _ in range(blocks)),
        )
        self.of_mean, self.of_top = (nn.Linear(wide, 1, bias=False) for _ in range(2))
        self.merge = nn.Conv2d(2 * wide, wide, 1)
        self.light, seen = light, wide if light else wide * (size // 4) ** 2
        self.style = nn.Sequential(
            nn.Linear(seen, wide, bias=False), nn.ReLU(), nn.Linear(wide, wide, bias=False), nn.ReLU()
        )
        self.gamma, self.beta = (nn.Linear(wide, wide, bias=False) for _ in range(2))
        self.blocks = nn.ModuleList(Residual(wide, adaptive=True) for _ in range(blocks))
        ups: list[nn.Module] = []
        for n in (2 * width, width):
            ups += [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(2 * n, n, 3, bias=False)]
            ups += [Normalised(n, 0.0, own=True), nn.ReLU()]
        self.up = nn.Sequential(*ups, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7, bias=False), nn.Tanh())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x, logits = attended(self.down(x), self.of_mean, self.of_top)
        x = F.relu(self.merge(x))
        style = self.style(x.mean((2, 3)) if self.light else x.flatten(1))
        gamma, beta = (layer(style)[:, :, None, None] for layer in (self.gamma, self.beta))
        for block in self.blocks:
            x = block(x, gamma, beta)
        return self.up(x), logits


class Discriminator(nn.Module):
    """Pictures in [-1, 1] -> logits of patches, and of whole pictures."""

    def __init__(self, width: int, halvings: int) -> None:
        super().__init__()
        wide = [3, *(width * 2**i for i in range(halvings + 1))]
        layers: list[nn.Module] = []
        for i, (entering, leaving) in enumerate(itertools.pairwise(wide)):
            conv = nn.Conv2d(entering, leaving, 4, 2 if i < halvings else 1)
            layers += [nn.ReflectionPad2d(1), spectral_norm(conv), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.of_mean, self.of_top = (spectral_norm(nn.Linear(wide[-1], 1, bias=False)) for _ in range(2))
        self.merge = nn.Conv2d(2 * wide[-1], wide[-1], 1)
        self.last = spectral_norm(nn.Conv2d(wide[-1], 1, 4, bias=False))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x, logits = attended(self.layers(x), self.of_mean, self.of_top)
        return self.last(mirrored(F.leaky_relu(self.merge(x), 0.2), 1)), logits


def attended(x: Tensor, of_mean: nn.Module, of_top: nn.Module) -> tuple[Tensor, Tensor]:
    """Features weighed by both classifiers, before they are merged, and the classifiers' logits."""
    logits = torch.cat((of_mean(x.mean((2, 3))), of_top(F.adaptive_max_pool2d(x, 1).flatten(1))), 1)
    weights = [next(layer.parameters())[:, :, None, None] for layer in (of_mean, of_top)]
    return torch.cat([x * weight for weight in weights], 1), logits


def mirrored(x: Tensor, margin: int) -> Tensor:
    return F.pad(x, (margin,) * 4, mode="reflect")


class Plain:
    """Six networks and their step; weights 1, 10, 10, 1000."""

    def __init__(self, size: int, *, light: bool = True, width: int = 64, blocks: int = 4, halvings: int = 5) -> None:
        self.a2b, self.b2a = (Generator(width, blocks, size, light=light) for _ in range(2))
        self.judges = {kind: [Discriminator(width, halvings), Discriminator(width, 3)] for kind in "ab"}
        judges = itertools.chain(*self.judges.values())
        self.generators, self.discriminators = adam([self.a2b, self.b2a]), adam(judges)

    def step(self, a: Tensor, b: Tensor) -> dict[str, float]:
        """One update of all; pictures (B, 3, H, W) in [-1, 1]."""
        self.discriminators.zero_grad()
        (fake_b, _), (fake_a, _) = self.a2b(a), self.b2a(b)
        judged = self._judged("a", a, fake_a) + self._judged("b", b, fake_b)
        judged.backward()
        self.discriminators.step()
        self.generators.zero_grad()
        total = self._objective(a, b)
        total.backward()
        self.generators.step()
        for model in (self.a2b, self.b2a):
            for norm in model.modules():
                if isinstance(norm, Normalised):
                    norm.rho.data.clamp_(0, 1)
        return {"discriminators": judged.item(), "generators": total.item()}

    def _judged(self, kind: str, real: Tensor, fake: Tensor) -> Tensor:
        reals, fakes = ([judge(x) for judge in self.judges[kind]] for x in (real, fake))
        return sum(squares(x, 1) for x in itertools.chain(*reals)) + sum(squares(x, 0) for x in itertools.chain(*fakes))

    def _objective(self, a: Tensor, b: Tensor) -> Tensor:
        (fake_b, of_a), (fake_a, of_b) = self.a2b(a), self.b2a(b)
        (cycled_a, _), (cycled_b, _) = self.b2a(fake_b), self.a2b(fake_a)
        (same_a, own_a), (same_b, own_b) = self.b2a(a), self.a2b(b)
        liked = [judge(fake) for kind, fake in (("a", fake_a), ("b", fake_b)) for judge in self.judges[kind]]
        pixels = F.l1_loss(cycled_a, a) + F.l1_loss(cycled_b, b) + F.l1_loss(same_a, a) + F.l1_loss(same_b, b)
        told = [(of_a, 1), (of_b, 1), (own_a, 0), (own_b, 0)]
        classes = sum(F.binary_cross_entropy_with_logits(x, torch.full_like(x, wanted)) for x, wanted in told)
        return sum(squares(x, 1) for x in itertools.chain(*liked)) + 10 * pixels + 1000 * classes


def squares(logits: Tensor, wanted: float) -> Tensor:
    return F.mse_loss(logits, torch.full_like(logits, wanted))


def adam(networks: Iterable[nn.Module]) -> torch.optim.Adam:
    parameters = [p for network in networks for p in network.parameters()]
    return torch.optim.Adam(parameters, 1e-4, (0.5, 0.999), weight_decay=1e-4)
