"""MicroAST, the embedded stylizer.

Command: `sfumato train microast.art --data.content PHOTOS --data.style PAINTINGS`
"""

from ..data.folders import ContentStyle
from ..methods import microast
from ..train.recipe import Optimizer, Recipe, Schedule


def art() -> Recipe:
    """The run for `microast/art`: strength that interpolates; about three hours on two cores.

    The paper's losses without the contrastive one and with one for details, Muon and larger learning rates, smaller
    crops than `paper`, lessons at all strengths. Two cores without AMX see 10 to 11 crops a second
    (benchmarks/training.py). The bundled weights came in stages, which their card tells. Known so far: with Adam 1e-3
    and the content's features in bf16 the losses blew up after 13,000 crops.
    """
    return Recipe(
        method=microast.Config(contrastive_weight=0.0, detail_weight=0.15, pixel_weight=60.0, partial=0.3),
        data=ContentStyle(size=128, shorter=(128, 512)),
        images=120_000,
        batch=4,
        optimizers={"stylizer": Optimizer(lr=1.4e-3, muon=0.95, clip=10.0)},
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
        optimizers={"stylizer": Optimizer(lr=1e-4)},
        schedule=Schedule(kind="inverse", decay=5e-5 / 8),
        ema_images=0,
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=microast.Config(width=16, pixel_weight=1.0, partial=0.5),
        data=ContentStyle(size=32, shorter=(32, 48)),
        images=8,
        batch=2,
        optimizers={"stylizer": Optimizer(lr=1e-3, muon=0.95)},
        workers=0,
    )
