"""SegFormer: the parts of persons in pictures.

Command: `sfumato train segformer.parts --data.root SET ...`, where a SET has images/ and masks/, or a file parts.toml
that says where they are and what masks mean.
"""

from dataclasses import replace

from ..data.paper import NO_WEAR
from ..data.parsing import Parsing
from ..methods import segformer
from ..parsing.watching import WatchParts
from ..train.recipe import Optimizer, Recipe, Schedule

THESIS = 1_800
"""Pictures of the source thesis: a tenth of ATR."""


def parts() -> Recipe:
    """A large network on pictures with masks, of several sets if need be: what parsers of photographs are trained by.

    Begun with weights of ImageNet, `sfumato import segformer --file model=FILE -o START.safetensors`, then `--start
    START.safetensors`; `--method.variant` says which. `--data.hold-out 0.02` keeps some pictures, by which the run
    measures itself. With ATR's 17,706 pictures these are 34 epochs; needs a GPU.

    # Differs from the paper: labels are exchanged where a picture is mirrored, aspects are kept, rare parts weigh more,
    # heads are seen from near, too, the rate falls as a cosine, Adam decays no weights, and weights are averaged.
    """
    return Recipe(
        method=segformer.Config(variant="b2", balance=0.5),
        data=Parsing(hold_out=0.02),
        images=600_000,
        batch=16,
        optimizers={"network": Optimizer(lr=1e-4, clip=1.0)},
        schedule=Schedule(kind="cosine", warmup=12_000),
        ema_images=10_000,
        precision="auto",
        workers=8,
        log_every=1_600,
        save_every=16_000,
        sample_every=16_000,
        watch=WatchParts(every=16_000),
        title="Parts of persons, 18 classes",
    )


def small() -> Recipe:
    """The smallest network at 256 pixels, for a CPU and from its first weights, 7.4 MB in half precision.

    Sets may know of face and hair alone, and pictures of transparent ground, as renders have it, lie on photographs
    (`--data.backgrounds`).

    # Differs from the paper: it begins without weights of ImageNet, learns by Muon, and from labels that leave parts
    # open.
    """
    return replace(
        parts(),
        method=segformer.Config(variant="b0", side=256, balance=0.5, drop_path=0.0),
        data=Parsing(hold_out=0.02, size=256, scale=(0.6, 1.6), head=0.3, rotation_deg=20.0),
        images=200_000,
        optimizers={"network": Optimizer(lr=1e-3, muon=0.95, clip=1.0)},
        schedule=Schedule(kind="cosine", warmup=3_200),
        ema_images=3_000,
        workers=1,
        watch=WatchParts(every=16_000),
        title="Parts of persons, 18 classes, a small network",
    )


def thesis() -> Recipe:
    """The source thesis's run: B5, 1,800 pictures of ATR, 15 epochs, 2 a step, Adam 6e-5, colours jittered.

    Mean IoU 0.6258 as its metric counts, which leaves the background out (`sfumato evaluate` prints that protocol
    beside the standard one); hair 0.82, face 0.83. Begun with NVIDIA's weights of ImageNet, which have a licence of
    their own: `--start`. Needs a GPU.

    # Differs from the thesis: what it learned is measured on pictures whose aspect is kept.
    """
    return Recipe(
        method=segformer.Config(variant="b5"),
        data=Parsing(squash=True, head=0.0, flip=0.0, rotation_deg=0.0, jitter=0.25, hue=0.1, grey=0.0, wear=NO_WEAR),
        images=15 * THESIS,
        batch=2,
        optimizers={"network": Optimizer(lr=6e-5)},
        schedule=Schedule(kind="linear"),
        ema_images=0,
        precision="auto",
        workers=4,
        save_every=3_600,
        sample_every=3_600,
        watch=WatchParts(),
        title="Parts of persons, the source thesis's run",
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=segformer.Config(variant="tiny", balance=0.5),
        data=Parsing(size=64),
        images=8,
        batch=2,
        optimizers={"network": Optimizer(lr=1e-3)},
        watch=WatchParts(),
        workers=0,
    )
