"""A method of two groups that trains in milliseconds, with noise and a loss over the whole batch; recipe and data."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from sfumato.data.folders import ContentStyle
from sfumato.methods import base
from sfumato.nets.norms import BatchNorm
from sfumato.nets.parallel import gather, rand
from sfumato.train import Optimizer, Recipe, Schedule


@dataclass(frozen=True, kw_only=True)
class Config:
    width: int = 4
    """Channels."""
    poison: int = 0
    """The step whose loss is not finite; 0 has none."""
    pause_s: float = 0.0
    """Time that a step takes, for tests that interrupt it."""
    norm: bool = False
    """Whether the last layer is normalised over the batch."""


class Model(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(3, config.width, 3, padding=1), nn.Tanh(), nn.Conv2d(config.width, 3, 3, padding=1)
        )
        if config.norm:
            self.convs.append(BatchNorm(3))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.convs(x)


class Training(base.Training):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.painter, self.critic = Model(config), nn.Conv2d(3, 2, 3, stride=2)
        self.teacher = nn.Conv2d(3, 2, 1).requires_grad_(False).eval()

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"painter": [self.painter], "critic": [self.critic]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"paint": self.painter}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        content, style = batch["content"], batch["style"]
        self.painter.steps += 1
        time.sleep(self.config.pause_s)
        out = self.painter(content + 0.1 * rand(*content.shape[:2], 1, 1, device=content.device))
        means = gather(self.critic(out).mean((2, 3)))
        likeness = (self.teacher(out) - self.teacher(content)).square().mean()
        if self.config.poison and int(self.painter.steps) == self.config.poison:
            likeness = likeness / 0
        yield {"likeness": likeness, "spread": -means.var(0, correction=0).sum(), "gan": -self.critic(out).mean()}
        out = out.detach()
        yield {"gan": self.critic(out).square().mean() - self.critic(style).tanh().mean()}

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        assert not self.painter.training
        return {"content": batch["content"], "painted": self.painter(batch["content"]).clamp(0, 1)}


def pictures(folder: Path, count: int = 6) -> Path:
    """A folder of made pictures of several sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(folder.name)))
    for i in range(count):
        pixels = rng.integers(0, 256, (24 + 3 * i, 30 - 2 * i, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def recipe(folder: Path, **changes: Any) -> Recipe:
    """Twelve steps of two groups on made pictures, everything logged and saved often."""
    made = Recipe(
        method=Config(),
        data=ContentStyle(
            content=(str(pictures(folder / "photos")),),
            style=(str(pictures(folder / "art", 5)),),
            size=16,
            shorter=(16, 24),
        ),
        images=48,
        batch=4,
        optimizers={"painter": Optimizer(lr=1e-2, clip=1.0), "critic": Optimizer(lr=2e-2, betas=(0.5, 0.99))},
        schedule=Schedule(kind="cosine", warmup=8),
        ema_images=20,
        workers=0,
        log_every=8,
        save_every=20,
        sample_every=1000,
    )
    return replace(made, **changes)
