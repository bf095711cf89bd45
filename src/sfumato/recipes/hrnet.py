"""HRNet: poses of drawn figures.

Command: `sfumato train hrnet.sketches --data.root SKETCHES`, where SKETCHES has keypoints.json and images/.
"""

from dataclasses import replace

from ..data.paper import NO_WEAR, THESIS_WEAR, Wear
from ..data.poses import Poses
from ..methods import hrnet
from ..pose.watching import WatchPoses
from ..train.recipe import Optimizer, Recipe, Schedule

FIGURES = 149_813
"""Labelled figures of COCO's train2017, the authors' epoch."""


def sketches() -> Recipe:
    """The small network on drawings with labels, such as `sfumato render` makes.

    One drawing of fifty is kept from training, and every 32,000 samples average precision and correct keypoints are
    measured on these; `--watch.root DIR` measures on a set of its own.

    The bundled `hrnet/sketches` is a shorter run, three hours on two cores: 127,000 drawings, the first 81,000 of them
    96 x 128 pixels, less turned, by Muon; its card has the command. It reaches an AP of 0.81 on built-in figures in
    motions that it never saw, 0.71 on MakeHuman's and 0.30 on a cartoon knight, whose labels are guessed.

    # Differs from the paper: coordinates are unbiased (UDP), the rate falls as a cosine, weights are averaged, and
    # drawings are bent, seen at an angle and worn as paper is.
    """
    return Recipe(
        method=hrnet.Config(variant="small"),
        data=Poses(hold_out=0.02),
        images=640_000,
        batch=64,
        optimizers={"network": Optimizer(lr=1e-3)},
        schedule=Schedule(kind="cosine", warmup=16_000),
        ema_images=10_000,
        precision="auto",
        workers=2,
        log_every=3_200,
        save_every=32_000,
        sample_every=32_000,
        watch=WatchPoses(every=32_000),
        title="Poses of drawn figures, 17 keypoints",
    )


def w32() -> Recipe:
    """The authors' run of HRNet-W32 at 192 x 256: 210 epochs of COCO, 128 figures a step, Adam 1e-3, table 1.

    COCO's AP 74.4 with detected boxes, begun with weights of ImageNet: `sfumato import hrnet --file pose=FILE -o
    START.safetensors`, then `--start START.safetensors`. `--watch.root VAL2017 --watch.every 128000` measures on the
    way. Needs a GPU: 31 million figures.

    # Differs from the paper: coordinates are unbiased (UDP, `--method.heatmaps msra` is the paper's), and drawings are
    # bent, seen at an angle and worn as paper is.
    """
    return _authors("w32")


def w48() -> Recipe:
    """The authors' run of HRNet-W48 at 192 x 256; as `hrnet.w32`, COCO's AP 75.1."""
    return _authors("w48")


def thesis_clean() -> Recipe:
    """The source thesis's run of HRNet-W32 on clean drawings, with the authors' own augmentation.

    AP 0.33 on 800 real sketches, which are not public, begun with ImageNet's weights, 0.62 with COCO's; COCO's weights
    alone have 0.55. `sfumato reproduce sketch-pose` makes the sets and runs all of these. Needs a GPU.
    """
    return _thesis("clean drawings")


def thesis_adain_1() -> Recipe:
    """The same on drawings styled by AdaIN in 1 style: AP 0.54 begun with COCO's weights."""
    return _thesis("drawings in 1 style by AdaIN")


def thesis_adain_12() -> Recipe:
    """The same on drawings styled by AdaIN in 12 styles: AP 0.40 begun with ImageNet's weights, 0.51 with COCO's."""
    return _thesis("drawings in 12 styles by AdaIN")


def thesis_stytr2_12() -> Recipe:
    """The same on drawings styled by StyTr2 in 12 styles: AP 0.47 begun with COCO's weights."""
    return _thesis("drawings in 12 styles by StyTr2")


def thesis_worn() -> Recipe:
    """The same on clean drawings with blurs and noise: AP 0.66 begun with COCO's weights, the best of all."""
    return _thesis("clean drawings, blurred and noisy", THESIS_WEAR)


def _thesis(title: str, wear: Wear = NO_WEAR) -> Recipe:
    """Ten rounds of 200,000 drawings; how long the thesis's runs were is not known."""
    run = _authors("w32")
    return replace(
        run,
        data=Poses(perspective=0.0, bend_px=0.0, wear=wear),
        images=2_000_000 // 128 * 128,
        schedule=Schedule(kind="cosine", warmup=20_000),
        title=f"Poses, HRNet-W32, {title}",
    )


def _authors(variant: str) -> Recipe:
    return Recipe(
        method=hrnet.Config(variant=variant),  # type: ignore[arg-type]
        data=Poses(),
        images=210 * FIGURES // 128 * 128,
        batch=128,
        optimizers={"network": Optimizer(lr=1e-3)},
        # Falls to a tenth after 170 and after 200 epochs.
        schedule=Schedule(kind="step", start=140 * FIGURES, every=30 * FIGURES, factor=0.1),
        ema_images=0,
        precision="auto",
        workers=8,
        log_every=12_800,
        save_every=128_000,
        sample_every=128_000,
        watch=WatchPoses(),
        title=f"Poses, 17 keypoints, HRNet-{variant.upper()}",
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=hrnet.Config(variant="tiny", height=64, width=64),
        data=Poses(height=64, width=64, bend_px=1.0),
        images=8,
        batch=2,
        optimizers={"network": Optimizer(lr=1e-3)},
        watch=WatchPoses(),
        workers=0,
    )
