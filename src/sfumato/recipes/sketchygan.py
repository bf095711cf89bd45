"""SketchyGAN: photographs from sketches, of a class that is chosen.

Command: `sfumato train sketchygan.small --data.photos faces/ paintings/ cartoons/`
"""

from dataclasses import replace

from ..data.mixed import Share
from ..data.sketch_pairs import SketchPhotos
from ..methods import sketchygan
from ..train.recipe import Optimizer, Recipe, Schedule

COCO = (
    "airplane apple bear bench bicycle cat car chair couch cow dog elephant giraffe horse knife motorcycle scissors"
    " sheep spoon"
)
IMAGENET = (
    "ant banana bee bell candle cannon castle church cup geyser hammer hedgehog hotdog hourglass jellyfish lion"
    " mushroom pig pineapple pizza pretzel rifle scorpion snail starfish strawberry tank teapot tiger volcano zebra"
)
SKETCHY50 = (*COCO.split(), *IMAGENET.split())
"""The authors' 50 of the 125 classes of the Sketchy Database, those of COCO first, then those of ImageNet."""

GENERATOR = Optimizer(lr=2e-4, betas=(0.0, 0.9), weight_decay=1e-5)
DISCRIMINATOR = Optimizer(lr=4e-4, betas=(0.0, 0.9), weight_decay=1e-5)


def sketchy50() -> Recipe:
    """The authors' run at 64 pixels: 300,000 batches of 32, by Adam (0, 0.9), 2e-4 and 4e-4, falling to a fifth.

    `--data.root` is the folder of the 50 classes' photographs, as of Flickr, `--data.drawings` that of the Sketchy
    Database, whose share of the sketches grows as in the paper.

    # Differs from the authors' code: all weights decay by 1e-5, where those of linear layers have 1e-6; the share of
    # real drawings is the paper's 0.1 to 0.9, which is 0.2 to 0.8 in the code.
    """
    images = 32 * 300_000
    return Recipe(
        method=sketchygan.Config(classes=SKETCHY50),
        data=SketchPhotos(photos=SKETCHY50, share=Share(images=images), flip=False, hold_out=0.02),
        images=images,
        batch=32,
        optimizers={"generator": GENERATOR, "discriminator": DISCRIMINATOR},
        schedule=Schedule(kind="linear", floor=0.2),
        precision="auto",
        workers=8,
        sample_every=50_000,
        save_every=50_000,
        log_every=3_200,
        title="Photographs from sketches, 50 classes",
    )


def small() -> Recipe:
    """Three folders of some hundred pictures each: photographs, paintings and cartoons, say.

    With other folders, `--method.classes` takes their names. On a GPU `--method.width 32` is worth its time.
    """
    return Recipe(
        method=sketchygan.Config(
            classes=("photo", "painting", "cartoon"),
            width=16,
            noise=64,
            augment="color shift cut",
            diversity_weight=5.0,
        ),
        data=SketchPhotos(size=64, shorter=(64, 72), jitter=0.1),
        images=120_000,
        batch=16,
        optimizers={"generator": GENERATOR, "discriminator": DISCRIMINATOR},
        schedule=Schedule(kind="linear", start=60_000),
        precision="auto",
        workers=2,
        title="Pictures from sketches, three classes",
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=sketchygan.Config(classes=("photo",), size=16, width=4, noise=8),
        data=SketchPhotos(size=16, shorter=(16, 20), side=48, hold_out=0),
        images=8,
        batch=2,
        optimizers={"generator": replace(GENERATOR, lr=1e-3), "discriminator": replace(DISCRIMINATOR, lr=1e-3)},
        workers=0,
    )
