"""SketchyGAN as it is usually written: a plain transcription of the authors' networks and losses, to compare with.

float32, eager, contiguous; torch's own layers, one convolution for each that the paper names, every picture through the
networks on its own. Names of the weights are those of our networks; torch keeps spectral normalisation's beside them.

Shapes: B batch, C channels entering, F leaving, K classes, S pixels. Networks work in [-1, 1].
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from sfumato.methods.sketchygan import Config
from sfumato.nets.augment import augment
from sfumato.nets.perceptual import read_perceptual

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


class MiuRelu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x + torch.sqrt(0.3**2 + x**2)) / 2


class ConditionalNorm(nn.Module):
    """Batch normalisation with a scale and a shift for each class."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Parameter(torch.ones(classes, channels))
        self.shift = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        scale, shift = (label @ self.scale)[:, :, None, None], (label @ self.shift)[:, :, None, None]
        return self.norm(x) * scale + shift


def minmax(x: Tensor) -> Tensor:
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    return (x - low) / (high - low + 1e-4)


class Down(nn.Module):
    """The authors' third unit, of the encoder (K classes) or of the discriminator (none, spectral normalisation)."""

    def __init__(self, entering: int, leaving: int, classes: int, last: bool) -> None:
        super().__init__()
        self.classes = classes
        self.mask, self.image = self.conv(entering + 3, entering), self.conv(3, entering)
        self.conv1, self.conv2 = self.conv(entering, leaving), self.conv(leaving, leaving)
        self.across = self.conv(entering, leaving, 1) if entering != leaving else nn.Identity()
        self.act0, self.act1, self.act2 = self.act(), self.act(), self.act()
        if classes:
            self.norm0, self.norm1 = ConditionalNorm(entering, classes), ConditionalNorm(entering, classes)
            self.norm2 = ConditionalNorm(leaving, classes)
        self.last = nn.ModuleList([ConditionalNorm(leaving, classes), self.act()] if last and classes else [])
        if last and not classes:
            self.last = nn.ModuleList([nn.Identity(), self.act()])

    def conv(self, entering: int, leaving: int, kernel: int = 3) -> nn.Module:
        if self.classes:
            return nn.Conv2d(entering, leaving, kernel, padding=kernel // 2)
        return spectral_conv(entering, leaving, kernel)

    def act(self) -> nn.Module:
        return MiuRelu() if self.classes else nn.PReLU(init=0.2)

    def normed(self, name: str, x: Tensor, label: Tensor) -> Tensor:
        return getattr(self, name)(x, label) if self.classes else x

    def forward(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        a = self.act0(self.normed("norm0", h, label))
        mask = minmax(F.leaky_relu(self.mask(torch.cat((a, image), 1)) + 0.5, 0.2))
        x = h + mask * self.image(image)
        x = self.conv1(self.act1(self.normed("norm1", x, label)))
        x = self.conv2(self.act2(self.normed("norm2", x, label)))
        x = F.avg_pool2d(self.across(h) + x, 2)
        if len(self.last):
            x = self.last[1](self.last[0](x, label) if self.classes else x)
        return x


class Up(nn.Module):
    """The authors' second unit, of the decoder."""

    def __init__(self, entering: int, leaving: int, image: int, classes: int) -> None:
        super().__init__()
        self.reset, self.update = (nn.Conv2d(entering + image, n, 3, padding=1) for n in (entering, leaving))
        self.conv1 = nn.Conv2d(entering + image, leaving, 3, padding=1)
        self.conv2 = nn.Conv2d(leaving, leaving, 3, padding=1)
        self.norm1, self.norm2 = ConditionalNorm(leaving, classes), ConditionalNorm(leaving, classes)
        self.act1, self.act2 = MiuRelu(), MiuRelu()
        self.same = entering == leaving
        if not self.same:
            self.across, self.norm3 = nn.Conv2d(entering, leaving, 1), ConditionalNorm(leaving, classes)
            self.act3 = MiuRelu()

    def forward(self, h: Tensor, image: Tensor, label: Tensor) -> Tensor:
        h = F.interpolate(h, scale_factor=2, mode="nearest")
        seen = torch.cat((h, image), 1)
        reset = minmax(F.leaky_relu(self.reset(seen), 0.2))
        update = minmax(F.leaky_relu(self.update(seen), 0.2))
        x = self.act1(self.norm1(self.conv1(torch.cat((reset * h, image), 1)), label))
        x = self.act2(self.norm2(self.conv2(x), label))
        if not self.same:
            h = self.act3(self.norm3(self.across(h), label))
        return (1 - update) * h + update * x


def spectral_conv(entering: int, leaving: int, kernel: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(entering, leaving, kernel, padding=kernel // 2))


def pyramid(image: Tensor, count: int) -> list[Tensor]:
    found = [image]
    for _ in range(count):
        found.append(F.avg_pool2d(found[-1], 2))
    return found


class Generator(nn.Module):
    """Four units down, five up, at 64 pixels; more or fewer at other sizes."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.depth = depth = c.size.bit_length() - 3
        down = [8] + [c.width * min(2**i, 8) for i in range(depth)]
        up = [down[-1]] + [c.width * (1, 2, 2, 4, 6)[min(i, 4)] for i in range(depth, -1, -1)]
        beside = [c.width, *down[depth - 2 :: -1], 0]
        classes = len(c.classes)
        self.first = nn.Conv2d(3, 8, 7, stride=2, padding=3)
        self.encoder = nn.ModuleList(Down(down[i], down[i + 1], classes, i == depth - 1) for i in range(depth))
        self.from_noise, self.noise_norm = nn.Linear(c.noise, 16 * c.width), ConditionalNorm(16 * c.width, classes)
        self.noise_act = MiuRelu()
        self.decoder = nn.ModuleList(Up(up[i], up[i + 1], 3 + beside[i], classes) for i in range(depth + 1))
        self.last = nn.Conv2d(up[-1], 3, 7, padding=3)

    def forward(self, field: Tensor, label: Tensor, noise: Tensor) -> Tensor:
        shown = pyramid(field, self.depth)
        h = self.first(field)
        kept = [h]
        for unit, image in zip(self.encoder, shown[1:], strict=True):
            h = unit(h, image, label)
            kept.append(h)
        z = self.noise_act(self.noise_norm(self.from_noise(noise)[:, :, None, None], label))
        beside = [z.view(len(z), -1, 4, 4), *kept[-3::-1]]
        for i, unit in enumerate(self.decoder):
            image = shown[-1 - i]
            h = unit(h, torch.cat((image, beside[i]), 1) if i < len(beside) else image, label)
        return torch.tanh(self.last(h))


class Discriminator(nn.Module):
    """Logits of patches and of classes."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.depth = depth = c.size.bit_length() - 3
        wide = [8] + [c.width * (2, 4, 8, 12)[min(i, 3)] for i in range(depth)]
        self.first, self.act = spectral_conv(3, 8, 7), nn.PReLU(init=0.2)
        self.units = nn.ModuleList(Down(wide[i], wide[i + 1], 0, i == depth - 1) for i in range(depth))
        self.patches = spectral_conv(wide[-1], 1, 1)
        self.classes = spectral_norm(nn.Linear(wide[-1], len(c.classes), bias=False))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        h = self.act(self.first(images))
        for unit, image in zip(self.units, pyramid(images, self.depth - 1), strict=True):
            h = unit(h, image, image)
        return self.patches(h), self.classes(h.mean((2, 3)))


class SketchyGAN:
    """Both networks and their step; `losses` are those of the last one by name."""

    def __init__(self, c: Config) -> None:
        self.config, self.generator, self.judge = c, Generator(c), Discriminator(c)
        self.look = read_perceptual(c.perceptual)
        self.of_generator = torch.optim.Adam(self.generator.parameters(), 2e-4, (0.0, 0.9), weight_decay=1e-5)
        self.of_judge = torch.optim.Adam(self.judge.parameters(), 4e-4, (0.0, 0.9), weight_decay=1e-5)
        self.losses: dict[str, Tensor] = {}

    def step(self, field: Tensor, batch: dict[str, Tensor]) -> None:
        """One update of both, with distances (B, 3, S, S) and pictures in [-1, 1], classes (B, K)."""
        c, label, photo = self.config, batch["label"], batch["photo"]
        self.judge.requires_grad_(False)
        noise = torch.randn(len(field), c.noise, device=field.device)
        fake = self.generator(field, label, noise)
        logits, classes = self.judge(augment(fake, c.augment))
        with torch.no_grad():
            targets = self.look((photo + 1) / 2, LAYERS)
        features = self.look((fake + 1) / 2, LAYERS)
        noise_2 = torch.randn(len(field), c.noise, device=field.device)
        other = self.generator(field, label, noise_2)
        apart = (fake - other).abs().mean((1, 2, 3)) / (noise - noise_2).norm(dim=1)
        found = {
            "generator/adversarial": F.softplus(-logits).mean(),
            "generator/class": c.class_weight * F.cross_entropy(classes, label),
            "generator/pixel": c.pixel_weight * F.l1_loss(fake, photo),
            "generator/perceptual": sum(F.l1_loss(features[k], targets[k]) for k in LAYERS),
            "generator/variety": -c.diversity_weight * apart.mean(),
        }
        self.of_generator.zero_grad()
        sum(found.values()).backward()
        self.of_generator.step()
        self.judge.requires_grad_(True)
        of_fake, _ = self.judge(augment(fake.detach(), c.augment))
        of_real, classes = self.judge(augment(batch["real"], c.augment))
        wrong = F.cross_entropy(classes, batch["real_label"], reduction="none")
        judged = {
            "discriminator/fake": F.softplus(of_fake).mean(),
            "discriminator/real": F.softplus(-of_real).mean(),
            "discriminator/class": ((1 - torch.exp(-wrong)) ** 2 * wrong).mean(),
        }
        self.of_judge.zero_grad()
        sum(judged.values()).backward()
        self.of_judge.step()
        self.losses = found | judged
