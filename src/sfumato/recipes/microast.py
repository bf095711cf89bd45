"""MicroAST, the embedded stylizer.

Command: `sfumato train microast.art --data.content PHOTOS --data.style PAINTINGS`
"""

from ..data.folders import ContentStyle
from ..methods import microast
from ..train.recipe import Adam, Recipe, Schedule


def art() -> Recipe:
    """The run for `microast/art`: strength that interpolates; some two and a half hours on two cores with bf16 units.

    The paper's losses without the contrastive one, larger learning rates and smaller crops than `paper`, lessons at all
    strengths. Two idle cores see about 18 crops a second. Known so far: after 26,000 crops the losses were still
    falling, content 1.2 times and style 2.1 to 2.6 times those of the authors' weights, and strength 0 gave 19 dB; with
    Adam 1e-3 and the content's features in bf16 the losses blew up after 13,000 crops.
    """
    return Recipe(
        method=microast.Config(contrastive_weight=0.0, pixel_weight=20.0, partial=0.3),
        data=ContentStyle(size=96, shorter=(96, 320)),
        images=160_000,
        batch=4,
        optimizers={"stylizer": Adam(lr=7e-4, clip=10.0)},
        schedule=Schedule(kind="cosine", warmup=1_000),
        ema_images=1_000,
        precision="auto",
        title="MicroAST: any painting's style in one pass",
    )


def paper() -> Recipe:
    """The authors' run (section 4.1): 160,000 steps of 8 crops of 256 pixels, Adam 1e-4 / (1 + 5e-5 steps)."""
    return Recipe(
        method=microast.Config(),
        data=ContentStyle(size=256, shorter=(512, 512)),
        images=1_280_000,
        batch=8,
        optimizers={"stylizer": Adam(lr=1e-4)},
        schedule=Schedule(kind="inverse", decay=5e-5 / 8),
        ema_images=0,
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=microast.Config(width=8, pixel_weight=1.0, partial=0.5),
        data=ContentStyle(size=32, shorter=(32, 48)),
        images=8,
        batch=2,
        optimizers={"stylizer": Adam(lr=1e-3)},
        workers=0,
    )
