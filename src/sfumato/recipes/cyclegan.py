"""CycleGAN: two kinds of pictures without pairs.

Command: `sfumato train cyclegan.selfie2anime --data.a SELFIES --data.b ANIME`
"""

from dataclasses import replace

from ..data.domains import Unpaired
from ..methods import cyclegan
from ..train.recipe import Optimizer, Recipe, Schedule, Watch

ADAM = Optimizer(lr=2e-4, betas=(0.5, 0.999))


def selfie2anime() -> Recipe:
    """The paper's run: 200 epochs of 1,000 pictures, Adam 2e-4, flat and then falling to zero over the second half."""
    return Recipe(
        method=cyclegan.Config(),
        data=Unpaired(size=256, shorter=(286, 286)),
        images=200_000,
        batch=1,
        optimizers={"generators": ADAM, "discriminators": ADAM},
        schedule=Schedule(kind="linear", start=100_000),
        precision="auto",
        watch=Watch(every=5_000, patience=60_000),
        title="CycleGAN between two folders",
    )


def low() -> Recipe:
    """All three weights 1: adversarial, cycle, identity."""
    return _weighted(1, 1, 1)


def medium() -> Recipe:
    """The weights 1, 5, 2.5."""
    return _weighted(1, 5, 2.5)


def high() -> Recipe:
    """The weights 1, 14, 7."""
    return _weighted(1, 14, 7)


def _weighted(adversarial: float, cycle: float, identity: float) -> Recipe:
    recipe = selfie2anime()
    method = replace(
        recipe.method, adversarial_weight=float(adversarial), cycle_weight=float(cycle), identity_weight=float(identity)
    )
    return replace(recipe, method=method)


def large_kernels() -> Recipe:
    """Kernels of 5 in place of 3, 9 in place of 7."""
    recipe = selfie2anime()
    return replace(recipe, method=replace(recipe.method, kernel=5, end_kernel=9))


def noisy_labels() -> Recipe:
    """Labels of discriminators off by up to 0.2."""
    recipe = selfie2anime()
    return replace(recipe, method=replace(recipe.method, label_noise=0.2))


def embeddings() -> Recipe:
    """A discriminator on both generators' embeddings, weight 0.5."""
    recipe = selfie2anime()
    return replace(recipe, method=replace(recipe.method, embedding_weight=0.5))


def wasserstein() -> Recipe:
    """Wasserstein critics with the gradient penalty, five steps for one of the generators; no pool."""
    recipe = selfie2anime()
    method = replace(
        recipe.method, adversarial="wasserstein", penalty_weight=10.0, critic_steps=5, pool=0, label_noise=0.0
    )
    adam = Optimizer(lr=1e-4, betas=(0.5, 0.9))
    return replace(recipe, method=method, optimizers={"generators": adam, "discriminators": adam})


def blurred() -> Recipe:
    """Discriminators see through a blur of kernel 13, deviation 40, that fades over the first 150 of 200 epochs."""
    recipe = selfie2anime()
    return replace(recipe, method=replace(recipe.method, blur_sigma=40.0, blur_images=150_000))


def faces2kaokore() -> Recipe:
    """The run for `faces2kaokore`, from photographs of faces to Japanese painted ones: first at 128 pixels.

    What helps sets of a few hundred pictures: differentiable augmentation, averaged weights, batches, no checkerboards.
    `faces2kaokore_fine` goes on at 256 pixels.
    """
    adam = Optimizer(lr=3e-4, betas=(0.5, 0.999))
    return replace(
        selfie2anime(),
        method=cyclegan.Config(
            width=32, antialias=True, cycle_weight=8.0, identity_weight=2.0, augment="color shift cut"
        ),
        data=Unpaired(size=128, shorter=(132, 150), rotate_deg=8.0, jitter=0.1),
        batch=8,
        images=60_000,
        schedule=Schedule(kind="constant", warmup=400),
        optimizers={"generators": adam, "discriminators": adam},
        ema_images=3_000,
        watch=Watch(every=2_000),
    )


def faces2kaokore_fine() -> Recipe:
    """The second stage, at 256 pixels: `--start` takes the first one's state.pt."""
    recipe = faces2kaokore()
    return replace(
        recipe,
        data=replace(recipe.data, size=256, shorter=(264, 290)),
        batch=4,
        images=12_000,
        schedule=Schedule(kind="linear", start=2_000, warmup=400),
    )


def tiny() -> Recipe:
    """Seconds on a CPU; for the tests."""
    return Recipe(
        method=cyclegan.Config(width=4, blocks=1, discriminator_width=4, discriminator_layers=2, pool=2, gain=0.1),
        data=Unpaired(size=32, shorter=(36, 36), hold_out=0),
        images=8,
        batch=2,
        optimizers={"generators": replace(ADAM, lr=1e-3), "discriminators": replace(ADAM, lr=1e-3)},
        workers=0,
    )
