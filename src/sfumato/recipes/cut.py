"""CUT: from one kind of pictures to another without pairs, one way.

Command: `sfumato train cut.selfie2anime --data.a SELFIES --data.b ANIME`
"""

from dataclasses import replace

from ..data.domains import Unpaired
from ..methods import cut
from ..train.recipe import Optimizer, Recipe, Schedule, Watch

ADAM = Optimizer(lr=2e-4, betas=(0.5, 0.999))


def selfie2anime() -> Recipe:
    """The paper's run: 400 epochs of 1,000 pictures, Adam 2e-4, flat and then falling to zero over the second half."""
    return Recipe(
        method=cut.Config(),
        data=Unpaired(size=256, shorter=(286, 286)),
        images=400_000,
        batch=1,
        optimizers={"generator": ADAM, "discriminator": ADAM},
        schedule=Schedule(kind="linear", start=200_000),
        precision="auto",
        watch=Watch(every=5_000, patience=60_000),
        title="CUT between two folders",
    )


def fast() -> Recipe:
    """FastCUT: no identity, ten times the contrast, half of the pictures mirrored; 150 and 50 epochs."""
    return replace(
        selfie2anime(),
        method=cut.Config(contrastive_weight=10.0, identity=False, mirrored=True),
        images=200_000,
        schedule=Schedule(kind="linear", start=150_000),
        title="FastCUT between two folders",
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=cut.Config(
            width=4, blocks=1, discriminator_width=4, discriminator_layers=2, patches=16, projection=8, gain=0.3
        ),
        data=Unpaired(size=32, shorter=(36, 36), hold_out=0),
        images=8,
        batch=2,
        optimizers={"generator": replace(ADAM, lr=1e-3), "discriminator": replace(ADAM, lr=1e-3)},
        workers=0,
    )
