"""pix2pix: from one kind of pictures to another, learned from pairs.

Command: `sfumato train pix2pix.pairs --data.a EDGES --data.b PHOTOS`
"""

from dataclasses import replace

from ..data.domains import Paired, SideBySide
from ..data.matched import Matched
from ..methods import pix2pix
from ..train.recipe import Optimizer, Recipe, Schedule, Watch

ADAM = Optimizer(lr=2e-4, betas=(0.5, 0.999))


def pairs() -> Recipe:
    """The authors' run: 200 epochs of 1,000 pairs in two folders, matched by name; Adam 2e-4, then falling to zero."""
    return Recipe(
        method=pix2pix.Config(),
        data=Paired(size=256, shorter=(286, 286)),
        images=200_000,
        batch=1,
        optimizers={"generator": ADAM, "discriminator": ADAM},
        schedule=Schedule(kind="linear", start=100_000),
        precision="auto",
        watch=Watch(every=5_000, patience=60_000),
        title="pix2pix from pairs",
    )


def side_by_side() -> Recipe:
    """The same for pictures that hold a pair, as the authors' data sets do."""
    return replace(pairs(), data=SideBySide(size=256, shorter=(286, 286)))


def faces2toon() -> Recipe:
    """The run for `faces2toon`, from photographs of faces to vector cartoons: first at 128 pixels.

    There are no pairs. Each photograph is given the cartoons that are most like it in the coarse, so that there are
    shapes to copy; the discriminator sees to it that they are drawn, and fit the photograph. Both folders are to be
    crops by `sfumato faces`, whose eyes are at the same places. `faces2toon_fine` goes on at 256 pixels.
    """
    adam = Optimizer(lr=2e-4, betas=(0.5, 0.999))
    return Recipe(
        method=pix2pix.Config(
            generator="resnet",
            width=32,
            blocks=8,
            halvings=3,
            norm="instance",
            dropout=False,
            antialias=True,
            discriminator_width=32,
            adversarial="least_squares",
            pixel_weight=5.0,
            augment="color shift cut",
        ),
        # One partner, never mirrored: cartoons look to the right, and between two of them eyes are in wrong places.
        data=Matched(size=128, shorter=(132, 150), rotate_deg=8.0, jitter=0.1, nearest=1, flip=False),
        images=40_000,
        batch=2,
        optimizers={"generator": adam, "discriminator": adam},
        schedule=Schedule(kind="constant", warmup=400),
        precision="auto",
        ema_images=1_000,
        watch=Watch(every=4_000),
        title="Photographs of faces to vector cartoons",
    )


def faces2toon_fine() -> Recipe:
    """The second stage, at 256 pixels: `--start` takes the first one's state.pt."""
    recipe = faces2toon()
    return replace(
        recipe,
        data=replace(recipe.data, size=256, shorter=(264, 290)),
        images=16_000,
        batch=1,
        schedule=Schedule(kind="linear", start=4_000, warmup=400),
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=pix2pix.Config(width=4, depth=5, discriminator_width=4, discriminator_layers=2),
        data=Paired(size=32, shorter=(36, 36), hold_out=0),
        images=8,
        batch=2,
        optimizers={"generator": replace(ADAM, lr=1e-3), "discriminator": replace(ADAM, lr=1e-3)},
        workers=0,
    )
