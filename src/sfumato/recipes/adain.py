"""AdaIN, the classic of arbitrary style transfer.

Command: `sfumato train adain.art --data.content PHOTOS --data.style PAINTINGS`
"""

from ..data.folders import ContentStyle
from ..methods import adain
from ..train.recipe import Optimizer, Recipe, Schedule


def art() -> Recipe:
    """The paper's losses with the bundled compact VGG as encoder and a decoder of a quarter of the width.

    A trial of 8,000 crops of 96 pixels brought the style loss from 77 to 7 and the content loss from 1.2 to 0.8: there
    the colours come over, the brushwork only in part. This is fifteen times as many, and larger ones.
    """
    return Recipe(
        method=adain.Config(),
        data=ContentStyle(size=128, shorter=(128, 384)),
        images=120_000,
        batch=8,
        optimizers={"decoder": Optimizer(lr=1e-3, clip=10.0)},
        schedule=Schedule(kind="cosine", warmup=1_000),
        ema_images=1_000,
        precision="auto",
        title="AdaIN: any painting's style in one pass",
    )


def paper() -> Recipe:
    """The authors' run: 160,000 steps of 8 crops of 256 pixels, Adam 1e-4 / (1 + 5e-5 steps).

    Needs the normalised VGG-19: `sfumato models get vgg19-normalised`.
    """
    return Recipe(
        method=adain.Config(encoder="vgg19", encoder_weights="vgg19-normalised", width=64),
        data=ContentStyle(size=256, shorter=(512, 512)),
        images=1_280_000,
        batch=8,
        optimizers={"decoder": Optimizer(lr=1e-4)},
        schedule=Schedule(kind="inverse", decay=5e-5 / 8),
        ema_images=0,
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=adain.Config(width=2),
        data=ContentStyle(size=32, shorter=(32, 48)),
        images=8,
        batch=2,
        optimizers={"decoder": Optimizer(lr=1e-3)},
        workers=0,
    )
