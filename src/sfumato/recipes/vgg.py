"""The compact VGG-19, the bundled judge of pictures.

Command: `sfumato train vgg.compact --data.images PHOTOS PAINTINGS --method.teachers vgg_normalised.pth 5SE.pth
--method.start 5SE.pth`
"""

from ..data.folders import Crops
from ..methods import vgg
from ..train.recipe import Optimizer, Recipe, Schedule


def compact() -> Recipe:
    """Feature distillation (Wang et al., CVPR 2020); about 20 minutes on two CPU cores with bf16 units."""
    return Recipe(
        method=vgg.Config(),
        data=Crops(size=128, shorter=(144, 384)),
        images=24_000,
        batch=8,
        optimizers={"student": Optimizer(lr=1e-3)},
        schedule=Schedule(kind="cosine", warmup=2_000),
        ema_images=3_000,
        precision="auto",
        title="Compact VGG-19: a quarter of the width, heads to the full widths",
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=vgg.Config(widths=(4, 4, 4, 4, 4), teachers=("compact",)),
        data=Crops(size=32, shorter=(32, 48)),
        images=8,
        batch=2,
        optimizers={"student": Optimizer(lr=1e-3)},
        workers=0,
    )
