"""StyTr2, style transfer with transformers.

Commands: `sfumato train stytr2.art_first --data.content PHOTOS --data.style PAINTINGS`, then `stytr2.art_second` and
`stytr2.art` with the same folders: each begins with the state of the run before.
"""

from dataclasses import replace

from ..data.folders import ContentStyle
from ..methods import stytr2
from ..train.recipe import Optimizer, Recipe, Schedule

STEPS, WARM_STEPS, BATCH = 160_000, 10_000, 8
SMALL = stytr2.Config(width=192, heads=6, layers=1, feedforward=512, decoder_width=16, dropout=0.0)
"""What two cores can train."""


def official() -> Recipe:
    """The authors' run: 160,000 steps of 8 crops of 256 pixels; loss weights 7, 10, 70 and 1, as in their code.

    The rate rises from 5e-5 to 2e-4 over 10,000 steps, then falls as 1 / (1 + 1e-5 steps). Needs the normalised
    VGG-19: `sfumato models get vgg19-normalised`.
    """
    return Recipe(
        method=stytr2.Config(perceptual=("vgg19-normalised",)),
        data=ContentStyle(size=256, shorter=(512, 512)),
        images=STEPS * BATCH,
        batch=BATCH,
        optimizers={"stylizer": Optimizer(lr=2e-4)},
        schedule=Schedule(
            kind="inverse",
            warmup=WARM_STEPS * BATCH,
            warmup_from=0.25,
            start=WARM_STEPS * BATCH,
            decay=1e-5 / BATCH,
        ),
        ema_images=0,
        precision="auto",
        title="StyTr2: any painting's style, patch by patch",
    )


def paper() -> Recipe:
    """The same with the weights of the paper's text: 10, 7, 50 and 1."""
    recipe = official()
    return replace(recipe, method=replace(recipe.method, content_weight=10.0, style_weight=7.0, identity_weight=50.0))


def art_first() -> Recipe:
    """The first part of `art`: a small network learns to copy pictures, 4,000 crops of 64 pixels; seven minutes.

    A network that is to please all losses from the beginning still painted one colour after a thousand images; one that
    can copy goes on from there. Seeds differ between the parts, or each would see the same crops again.
    """
    copying = replace(SMALL, content_weight=0.0, style_weight=0.0, identity_feature_weight=0.0)
    return Recipe(
        method=copying,
        data=ContentStyle(size=64, shorter=(64, 128)),
        images=4_000,
        batch=4,
        optimizers={"stylizer": Optimizer(lr=5e-4, clip=10.0)},
        schedule=Schedule(warmup=400),
        ema_images=200,
        precision="auto",
        seed=1,
        title="StyTr2: pictures copied",
    )


def art_second() -> Recipe:
    """The second part of `art`: 8,000 crops of 64 pixels, the losses of the code; a quarter of an hour on two cores."""
    first = art_first()
    return replace(
        first,
        method=SMALL,
        images=8_000,
        schedule=Schedule(warmup=200),
        start="run/stytr2.art_first/state.pt",
        ema_images=300,
        seed=2,
        title="StyTr2: any painting's style, patch by patch",
    )


def art() -> Recipe:
    """Any painting's style, for a computer without a GPU, in three parts: `art_first`, `art_second`, then this.

    2,400 crops of 128 pixels, a quarter of an hour on two cores. The style loss was 25 at the end of `art_second`, on
    smaller crops, and 16 at the end of this, still falling (2 cores of an AMD EPYC without bf16 units).
    """
    second = art_second()
    return replace(
        second,
        data=ContentStyle(size=128, shorter=(128, 256)),
        images=2_400,
        start="run/stytr2.art_second/state.pt",
        schedule=Schedule(kind="cosine", warmup=100, floor=0.1),
        seed=3,
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=stytr2.Config(width=8, heads=2, layers=1, feedforward=16, decoder_width=4),
        data=ContentStyle(size=32, shorter=(32, 48)),
        images=8,
        batch=2,
        optimizers={"stylizer": Optimizer(lr=1e-3)},
        workers=0,
    )
