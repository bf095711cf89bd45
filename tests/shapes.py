"""Two kinds of made pictures that a small generator can turn into each other in a minute."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from sfumato.data.domains import Unpaired
from sfumato.data.folders import ContentStyle
from sfumato.recipes import cyclegan, sketchygan, style2paints, stytr2, texture_nets
from sfumato.train import Optimizer, Recipe, Schedule
from sfumato.train.recipe import Watch


def folders(folder: Path, count: int = 120, size: int = 40) -> dict[str, tuple[str]]:
    """Red discs on white in `a`, blue ones on dark grey in `b`; `count` of each."""
    looks = {"a": ((220, 40, 40), (245, 245, 245)), "b": ((40, 80, 220), (60, 60, 60))}
    for seed, (side, (ink, paper)) in enumerate(looks.items()):
        (folder / side).mkdir(parents=True)
        rng = np.random.default_rng(seed)
        for i in range(count):
            picture = Image.new("RGB", (size, size), paper)
            x, y, r = rng.uniform(0.3, 0.7, 3) * size * (1, 1, 0.4)
            ImageDraw.Draw(picture).ellipse((x - r, y - r, x + r, y + r), ink)
            noise = rng.normal(0, 6, (size, size, 3))
            Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)).save(
                folder / side / f"{i}.png"
            )
    return {side: (str(folder / side),) for side in "ab"}


def recipe(sides: dict[str, tuple[str]], **changes: Any) -> Recipe:
    """A CycleGAN that learns in half a minute, watched on 24 pictures of each kind."""
    tiny, adam = cyclegan.tiny(), Optimizer(lr=5e-3, betas=(0.5, 0.999))
    made = replace(
        tiny,
        method=replace(tiny.method, width=8, blocks=2, discriminator_width=16, antialias=True, pool=10, gain=0.3),
        data=Unpaired(size=32, shorter=(32, 36), hold_out=0.2, **sides),
        optimizers={"generators": adam, "discriminators": adam},
        images=1_600,
        batch=4,
        schedule=Schedule(kind="linear", start=800),
        ema_images=40,
        watch=Watch(every=200, count=24, network="compact"),
        log_every=200,
        sample_every=1_600,
        save_every=1_600,
    )
    return replace(made, **changes)


def stylizer(sides: dict[str, tuple[str]]) -> Recipe:
    """A StyTr2 of red discs in the style of blue ones."""
    tiny = stytr2.tiny()
    return replace(
        tiny,
        method=replace(tiny.method, width=32, feedforward=64, decoder_width=8, dropout=0.0),
        data=ContentStyle(content=sides["a"], style=sides["b"], size=32, shorter=(32, 36)),
        optimizers={"stylizer": Optimizer(lr=1e-3)},
        images=320,
        batch=4,
        ema_images=0,
        log_every=16,
    )


def texture(sides: dict[str, tuple[str]]) -> Recipe:
    """A texture network of a blue disc on dark grey."""
    tiny = texture_nets.tiny()
    return replace(
        tiny,
        method=replace(tiny.method, width=4, diversity_weight=0.0),
        data=replace(tiny.data, style=(f"{sides['b'][0]}/0.png",), style_px=40),
        optimizers={"generator": Optimizer(lr=0.1)},
        images=160,
        batch=2,
        ema_images=0,
        log_every=8,
    )


def sketches(sides: dict[str, tuple[str]]) -> Recipe:
    """A SketchyGAN of two classes, which have the same sketches and other colours."""
    tiny, adam = sketchygan.tiny(), Optimizer(lr=2e-3, betas=(0.0, 0.9))
    return replace(
        tiny,
        method=replace(tiny.method, classes=("a", "b"), width=8, gain=0.1, diversity_weight=1.0),
        data=replace(tiny.data, photos=(*sides["a"], *sides["b"])),
        optimizers={"generator": adam, "discriminator": adam},
        images=800,
        batch=8,
        ema_images=0,
        log_every=40,
    )


def colors(sides: dict[str, tuple[str]]) -> Recipe:
    """A style2paints of discs on light and on dark paper, as the style says; the judge comes in halfway."""
    tiny, adam = style2paints.tiny(), Optimizer(lr=3e-3, betas=(0.9, 0.99))
    return replace(
        tiny,
        method=replace(tiny.method, width=8, middle=32, shift_start=240, shift_images=120),
        data=replace(tiny.data, images=(*sides["a"], *sides["b"]), recolored=0.0),
        optimizers={"generator": adam, "judge": replace(adam, lr=2e-4)},
        images=480,
        batch=8,
        ema_images=0,
        log_every=24,
    )
