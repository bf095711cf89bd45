"""pix2pix: from one kind of pictures to another, learned from pairs.

Command: `sfumato train pix2pix.pairs --data.a EDGES --data.b PHOTOS`
"""

from dataclasses import replace

from ..data.domains import Paired, SideBySide
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
