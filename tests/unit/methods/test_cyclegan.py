"""CycleGAN's variants."""

from dataclasses import replace

import pytest
import torch

from sfumato.errors import RecipeError
from sfumato.methods import cut, cyclegan, pix2pix
from sfumato.recipes import cyclegan as recipes

TINY = recipes.tiny().method


@pytest.fixture
def batch():
    return {side: torch.rand(2, 3, 32, 32) for side in "ab"}


def step(training, batch, lr=1e-2):
    """One step as the trainer takes it; the terms by group."""
    lesson, found = training.learn(batch), {}
    for group in training.order():
        parameters = [p for network in training.groups()[group] for p in network.parameters()]
        for p in training.parameters():
            p.requires_grad_(False)
        for p in parameters:
            p.requires_grad_(True)
        terms = next(lesson)
        gradients = torch.autograd.grad(sum(terms.values()), parameters, allow_unused=True)
        with torch.no_grad():
            for p, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    p -= lr * gradient
        found[group] = terms
    next(lesson, None)
    return found


def test_critics_learn_on_batches_of_their_own(batch):
    training = cyclegan.Training(replace(TINY, adversarial="wasserstein", penalty_weight=1.0, critic_steps=3, pool=0))
    before = [p.clone() for p in training.a2b.parameters()]
    turns = [list(step(training, batch)) for _ in range(6)]
    assert turns == [["discriminators"]] * 2 + [["generators", "discriminators"]] + [["discriminators"]] * 2 + [
        ["generators", "discriminators"]
    ]
    assert any(not torch.equal(p, b) for p, b in zip(training.a2b.parameters(), before, strict=True))


def test_clipped_critics(batch):
    training = cyclegan.Training(replace(TINY, adversarial="wasserstein", clip=0.01, pool=0))
    step(training, batch)
    weights = torch.cat([p.flatten() for judge in (training.judge_a, training.judge_b) for p in judge.parameters()])
    assert weights.abs().max() <= 0.01


def test_terms_and_their_weights(batch):
    training = cyclegan.Training(TINY)
    torch.manual_seed(0)
    with torch.no_grad():
        terms = next(training.learn(batch))
        double = cyclegan.Training(replace(TINY, cycle_weight=20.0, identity_weight=0.0))
        double.load_state_dict(training.state_dict())
        others = next(double.learn(batch))
    assert set(terms) == {f"{kind}_{side}" for kind in ("cycle", "identity") for side in "ab"} | {
        "adversarial_a2b",
        "adversarial_b2a",
    }
    torch.testing.assert_close(others["cycle_a"], 2 * terms["cycle_a"])
    assert not any(name.startswith("identity") for name in others)


def test_together_or_one_by_one_is_the_same(batch):
    torch.manual_seed(0)
    training = cyclegan.Training(TINY)
    with torch.no_grad():
        both = training.translate(training.a2b, batch["a"], batch["b"])
        alone = training.translate(training.a2b, batch["a"], None)
        torch.testing.assert_close(both.fake, alone.fake)
        torch.testing.assert_close(both.same, training.a2b.network(batch["b"]))


def test_batch_norm_keeps_kinds_apart(batch):
    training = cyclegan.Training(replace(TINY, norm="batch"))
    assert {group: set(terms) for group, terms in step(training, batch).items()}["discriminators"] == {"a", "b"}


def test_a_discriminator_on_embeddings(batch):
    training = cyclegan.Training(replace(TINY, embedding_weight=0.5))
    terms = step(training, batch)
    assert "embeddings" in terms["generators"]
    assert "embeddings" in terms["discriminators"]
    assert training.judge_embeddings in training.groups()["discriminators"]


def test_the_blur_fades_with_the_images_seen(batch):
    training = cyclegan.Training(replace(TINY, blur_sigma=4.0, blur_images=8))
    noise, spreads = torch.randn(1, 3, 32, 32), []
    for _ in range(5):
        spreads.append(training._shown(noise).std().item())
        step(training, batch)
    assert spreads == sorted(spreads)
    assert spreads[-1] == pytest.approx(noise.std().item())
    assert spreads[0] < 0.3 * spreads[-1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generator": "unet", "embedding_weight": 0.5}, "only the resnet generator has an embedding"),
        ({"adversarial": "wasserstein"}, "needs --method.clip or --method.penalty-weight"),
        ({"augment": "color twist"}, "'twist' is none of color, shift, cut"),
    ],
)
def test_options_that_contradict(changes, message):
    with pytest.raises(RecipeError, match=message):
        cyclegan.Training(replace(TINY, **changes))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (cut.Config(generator="unet"), "layers of the resnet generator"),
        (cut.Config(adversarial="wasserstein"), "Wasserstein critics are in cyclegan"),
        (cut.Config(augment="x"), "none of color, shift, cut"),
    ],
)
def test_what_cut_does_not_do(config, message):
    with pytest.raises(RecipeError, match=message):
        cut.Training(config)


def test_pix2pix_knows_the_kinds_of_augmentation():
    with pytest.raises(RecipeError, match="'colour' is none of color, shift, cut"):
        pix2pix.Training(pix2pix.Config(augment="colour cut", width=4, depth=5))


def test_pix2pix_has_no_critics():
    with pytest.raises(RecipeError, match="Wasserstein critics are in cyclegan"):
        pix2pix.Training(pix2pix.Config(adversarial="wasserstein", width=4, depth=5))


@pytest.mark.parametrize("seed", range(4))
def test_fastcut_compares_mirrored_with_unmirrored(batch, seed):
    torch.manual_seed(1)
    config = cut.Config(
        width=4, blocks=1, discriminator_width=4, discriminator_layers=2, patches=8, projection=8, gain=0.3,
        identity=False, mirrored=True, contrastive_weight=10.0,
    )  # fmt: skip
    training = cut.Training(config)
    torch.manual_seed(seed)
    terms = step(training, batch)
    assert set(terms["generator"]) == {"adversarial", "contrast"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("low", (1, 1, 1)),
        ("medium", (1, 5, 2.5)),
        ("high", (1, 14, 7)),
        ("selfie2anime", (1, 10, 5)),
    ],
)
def test_weights_of_the_recipes(name, fields):
    method = getattr(recipes, name)().method
    assert (method.adversarial_weight, method.cycle_weight, method.identity_weight) == fields
