"""Texture networks, made for one swatch or one style.

Command: `sfumato train texture_nets.texture --data.style SWATCH.jpg`
"""

from dataclasses import replace

from ..data.swatch import ContentSwatch, Swatch
from ..methods import texture_nets
from ..train.recipe import Optimizer, Recipe, Schedule


def texture() -> Recipe:
    """A network for one texture: 1,500 steps as in the paper, of 4 textures of 128 pixels in place of 16 of 256.

    The swatch itself is seen at 256 pixels, and what is made has any size. `benchmarks/texture_nets.py` compares it
    with the optimisation.
    """
    return Recipe(
        method=texture_nets.Config(norm="instance"),
        data=Swatch(),
        images=6_000,
        batch=4,
        optimizers={"generator": Optimizer(lr=0.1, muon=0.95)},
        schedule=Schedule(kind="cosine"),
        ema_images=0,
        workers=0,
        save_every=1_000,
        sample_every=1_000,
        title="A texture network",
    )


def quick() -> Recipe:
    """The same in 500 steps: what `sfumato texture SWATCH --method texture_nets` does."""
    return replace(texture(), images=2_000, save_every=200)


def paper() -> Recipe:
    """The authors' run: 1,500 steps of 16 textures of 256 pixels, Adam 0.1, times 0.8 every 300 steps.

    Their network that looks is Caffe's VGG-19: `sfumato models get vgg19-caffe`.
    """
    return replace(
        texture(),
        method=texture_nets.Config(perceptual=("vgg19-caffe",), statistics="gram", texture_px=256),
        images=24_000,
        batch=16,
        optimizers={"generator": Optimizer(lr=0.1)},
        schedule=Schedule(kind="step", every=4_800, factor=0.8),
    )


def stylization() -> Recipe:
    """A network for one style: the pyramid with statistics of each picture, 3,000 steps of 4 photographs."""
    return Recipe(
        method=texture_nets.Config(kind="stylization", norm="instance", scales=5, pointwise=False),
        data=ContentSwatch(size=128, shorter=(128, 256)),
        images=12_000,
        batch=4,
        optimizers={"generator": Optimizer(lr=0.02)},
        schedule=Schedule(kind="step", every=2_000, factor=0.8),
        ema_images=200,
        title="A texture network for one style",
    )


def improved() -> Recipe:
    """The improved network for one style, 1.7 million weights: `improved_paper` with what is bundled, and smaller.

    Batch, learning rate and its falls are the authors'; so are the style layers, the defaults of their `train.lua`. The
    compact VGG has no relu4_2, so that relu4_1 holds the content. 3,000 steps of crops of 128 pixels in place of 50,000
    of 512; the whole run was not tried yet. After a trial of 200 steps of one crop of 96 pixels the colours and first
    dabs of a painting are there (style loss 2.9 to 0.2), with the grid of the transposed convolutions.
    """
    return Recipe(
        method=texture_nets.Config(
            kind="stylization",
            network="residual",
            norm="instance",
            width=32,
            style_layers=("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
        ),
        data=ContentSwatch(size=128, shorter=(128, 256)),
        images=12_000,
        batch=4,
        optimizers={"generator": Optimizer(lr=1e-2)},
        schedule=Schedule(kind="step", every=8_000, factor=0.8),
        ema_images=200,
        title="An improved texture network for one style",
    )


def improved_paper() -> Recipe:
    """The authors' run: 50,000 steps of 4 crops of 512 pixels, Adam 0.01, times 0.8 every 2,000 steps.

    Numbers are those of the command in their README, which takes the residual network. Their weights, 10 for the style
    and 1 for the content, are for losses on the scale of raw features and mean nothing to the relative ones here; and
    photographs are brought to 512 pixels, theirs are cut at their own size. The network that looks is Caffe's VGG-19:
    `sfumato models get vgg19-caffe`.
    """
    layers = ("relu1_2", "relu2_2", "relu3_2", "relu4_2")
    method = replace(
        improved().method, perceptual=("vgg19-caffe",), statistics="gram", style_layers=layers, content_layer="relu4_2"
    )
    return replace(
        improved(),
        method=method,
        data=ContentSwatch(size=512, shorter=(512, 512), style_px=600),
        images=200_000,
        ema_images=0,
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=texture_nets.Config(scales=3, width=2, diversity_weight=0.1, texture_px=32),
        data=Swatch(style_px=48),
        images=8,
        batch=2,
        optimizers={"generator": Optimizer(lr=0.01)},
        workers=0,
    )
