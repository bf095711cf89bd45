"""style2paints: sketches painted in the colours of a picture.

Command: `sfumato train style2paints.faces --data.images DRAWINGS`
"""

from dataclasses import replace

from ..data.line_pairs import LinePairs
from ..methods import style2paints
from ..train.recipe import Optimizer, Recipe, Schedule


def faces() -> Recipe:
    """The run for `colorize/faces`: drawn faces, first at 64 pixels, where colours are learned four times as fast.

    Lines are found by four extractors, hues are turned, so that some hundred drawings give many palettes. `faces_fine`
    goes on at 128 pixels; the judge comes in at its end.
    """
    return Recipe(
        method=style2paints.Config(side=64, shift_start=12_000),
        data=LinePairs(size=64, shorter=(64, 80), rotate_deg=8.0),
        images=12_000,
        batch=8,
        optimizers={
            "generator": Optimizer(lr=5e-3, muon=0.95, betas=(0.9, 0.99), clip=1.0),
            "judge": Optimizer(lr=2e-4, betas=(0.5, 0.99)),
        },
        schedule=Schedule(kind="cosine", warmup=200),
        precision="auto",
        ema_images=300,
        title="Drawn faces painted in the colours of another picture",
        notes=(
            "Hints are moments of the bundled compact VGG, which the file does not hold, and a palette; not fc1 of"
            " VGG-19 as in the paper.",
        ),
    )


def faces_fine() -> Recipe:
    """The second stage, at 128 pixels: `--start` takes the first one's state.pt."""
    recipe = faces()
    return replace(
        recipe,
        method=replace(recipe.method, side=128, shift_start=4_500, shift_images=500),
        data=replace(recipe.data, size=128, shorter=(128, 160), hinted=0.7, hints=12),
        images=6_496,
        optimizers=recipe.optimizers | {"generator": replace(recipe.optimizers["generator"], lr=2.5e-3)},
        save_every=500,
        sample_every=1_000,
    )


def paper() -> Recipe:
    """The paper's network and hints: 14,000 steps of 4 pictures of 256 pixels, then the shift to the judge.

    It needs VGG-19 with its classifier (`--method.hint-weights FILE`). Optimisers and learning rates are not in the
    paper; those here are pix2pix'.
    """
    adam = Optimizer(lr=2e-4, betas=(0.5, 0.999))
    return Recipe(
        method=style2paints.Config(
            widest=256,
            middle=2048,
            decoder=2.0,
            guide_halvings=0,
            guide_width=1.0,
            hint="vgg19-fc1",
            film=False,
            points=False,
            side=256,
            shift_start=56_000,
            shift_images=16_000,
            judge_width=64,
        ),
        data=LinePairs(size=256, shorter=(256, 286), hints=0, recolored=0.0),
        images=112_000,
        batch=4,
        optimizers={"generator": adam, "judge": adam},
        precision="auto",
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    adam = Optimizer(lr=1e-3, betas=(0.5, 0.99))
    return Recipe(
        method=style2paints.Config(
            width=4, widest=16, middle=16, halvings=4, palette=2, side=64, shift_start=0, shift_images=0, judge_width=4
        ),
        data=LinePairs(size=32, shorter=(32, 36), hold_out=0),
        images=8,
        batch=2,
        optimizers={"generator": adam, "judge": adam},
        workers=0,
    )
