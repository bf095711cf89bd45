"""StyTr2, style transfer with transformers.

Command: `sfumato train stytr2.art --data.content PHOTOS --data.style PAINTINGS`
"""

from dataclasses import replace

from ..data.folders import ContentStyle
from ..methods import stytr2
from ..train.recipe import Optimizer, Recipe, Schedule

STEPS, WARM_STEPS, BATCH = 160_000, 10_000, 8


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


def art() -> Recipe:
    """A twelfth of the network, judged by the bundled compact VGG, for a computer without a GPU."""
    return Recipe(
        method=stytr2.Config(width=192, heads=6, layers=2, feedforward=512, decoder_width=24, dropout=0.0),
        data=ContentStyle(size=128, shorter=(128, 256)),
        images=60_000,
        batch=4,
        optimizers={"stylizer": Optimizer(lr=5e-4, clip=10.0)},
        schedule=Schedule(kind="cosine", warmup=2_000),
        ema_images=1_000,
        precision="auto",
        title="StyTr2: any painting's style, patch by patch",
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
