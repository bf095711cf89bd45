"""SketchyGAN: the published sizes, classes and noise at use, losses, mistakes."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from sfumato.errors import OptionError, RecipeError
from sfumato.methods.sketchygan import Config, Discriminator, Generator, Model, Training, dragan_penalty, fitted, seen
from sfumato.nets.perceptual import read_perceptual
from sfumato.recipes import sketchygan as recipes

TINY = Config(classes=("cat", "dog"), size=16, width=4, noise=8)


def millions(network):
    return sum(p.numel() for p in network.parameters()) / 1e6


def batch_of(count=2, classes=2, size=16):
    label = torch.eye(classes)[torch.arange(count) % classes]
    sketch = (torch.rand(count, 1, size, size) > 0.1).float().expand(-1, 3, -1, -1)
    photo, real = torch.rand(2, count, 3, size, size)
    return {"sketch": sketch, "photo": photo, "label": label, "real": real, "real_label": label.flip(0)}


def test_the_networks_have_the_authors_sizes():
    """22.2 and 17.2 million weights at 64 pixels with 50 classes, 0.62 of them of the classes."""
    config = recipes.sketchy50().method
    with torch.device("meta"):
        generator, judge = Generator(config), Discriminator(config)
    assert millions(generator) == pytest.approx(22.2, abs=0.05)
    assert millions(judge) == pytest.approx(17.2, abs=0.05)
    tables = [p for key, p in generator.named_parameters() if key.endswith(("scale", "shift"))]
    assert sum(p.numel() for p in tables) / 1e6 == pytest.approx(0.62, abs=0.01)


def test_the_authors_classes():
    assert len(set(recipes.SKETCHY50)) == 50


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("block", ["mru", "residual", "dcgan"])
def test_every_size_and_block(size, block):
    config = dataclasses.replace(TINY, size=size, block=block, width=2)
    made = Generator(config)(torch.rand(2, 3, size, size), torch.eye(2), torch.randn(2, 8))
    assert made.shape == (2, 3, size, size)
    assert made.abs().max() <= 1
    logits, classes = Discriminator(config)(made)
    assert (logits.shape, classes.shape) == ((2, 1, 4, 4), (2, 2))


def test_class_and_noise_make_a_difference_and_nothing_else_does():
    model = Model(TINY)
    for p in model.parameters():
        torch.nn.init.normal_(p, 0, 0.3)
    model.eval()
    sketch = batch_of(1)["sketch"]
    first = model(sketch, 0, 0)
    assert torch.equal(model(sketch), first)
    assert not torch.allclose(model(sketch, 1, 0), first, atol=1e-3)
    assert not torch.allclose(model(sketch, 0, 1), first, atol=1e-3)
    model.choose("dog", 1)
    assert torch.equal(model(sketch), model(sketch, 1, 1))
    both = model(sketch.expand(2, -1, -1, -1), torch.tensor([1, 0]), 1)
    assert torch.allclose(both[:1], model(sketch), atol=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (37, 53), (200, 9), (1, 1)])
def test_any_size(size):
    assert Model(TINY).eval()(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_paper_around_what_is_not_square():
    canvas, place = fitted(torch.zeros(1, 3, 8, 16), 16)
    assert place == (4, 0, 8, 16)
    assert canvas[:, :, 4:12].eq(0).all()
    assert canvas[:, :, :4].eq(1).all()


@pytest.mark.parametrize("penalty", ["none", "dragan", "gradient"])
@pytest.mark.parametrize("spectral", [True, False])
def test_every_penalty_has_gradients(penalty, spectral):
    training = Training(dataclasses.replace(TINY, penalty=penalty, spectral=spectral))
    lesson = training.learn(batch_of())
    next(lesson)
    terms = next(lesson)
    assert ("penalty" in terms) == (penalty != "none")
    sum(terms.values()).backward(inputs=list(training.judge.parameters()))
    assert all(bool(torch.isfinite(p.grad).all()) for p in training.judge.parameters())


def test_a_flat_judge_has_no_dragan_penalty():
    class Flat(torch.nn.Module):
        def forward(self, x):
            return 0.01 * x.mean((1, 2, 3)), None

    assert float(dragan_penalty(Flat(), torch.rand(2, 3, 8, 8))) == 0


def test_every_term_is_the_authors():
    """Softplus for and against the judge, the class, plain and focal, L1 of pixels and of features, variety."""
    weights = {"adversarial_weight": 1.5, "class_weight": 0.7, "class_judge_weight": 1.3}
    weights |= {"pixel_weight": 3.0, "perceptual_weight": 2.0, "diversity_weight": 4.0}
    training, batch = Training(dataclasses.replace(TINY, spectral=False, **weights)), batch_of(4)
    for p in (*training.sketch2photo.parameters(), *training.judge.parameters()):
        torch.nn.init.normal_(p, 0, 0.2)  # with the first weights all logits are near 0
    torch.manual_seed(3)
    of_generator, of_judge = (dict(terms) for terms in training.learn(batch))
    torch.manual_seed(3)
    (z1, z2), label = (torch.randn(4, 8), torch.randn(4, 8)), batch["label"]
    g1, g2 = (training.sketch2photo.network(seen(batch["sketch"]), label, z) for z in (z1, z2))
    photo, real = batch["photo"] * 2 - 1, batch["real"] * 2 - 1
    (d_fake, c_fake), (d_real, c_real) = training.judge(g1), training.judge(real)
    look, layers = read_perceptual(("compact",)), ("relu1_1", "relu2_1", "relu3_1")
    made, wanted = look((g1 + 1) / 2, layers), look(batch["photo"], layers)
    right = (c_real.softmax(1) * batch["real_label"]).sum(1)
    apart = (g1 - g2).abs().flatten(1).mean(1) / (z1 - z2).square().sum(1).sqrt()
    expected = {
        "adversarial": 1.5 * F.softplus(-d_fake).mean(),
        "class": 0.7 * -(c_fake.softmax(1) * label).sum(1).log().mean(),
        "pixel": 3 * (g1 - photo).abs().mean(),
        "perceptual": 2 * sum((made[k] - wanted[k]).abs().mean() for k in layers),
        "variety": -4 * apart.mean(),
    }
    lesson = {
        "fake": 1.5 * F.softplus(d_fake).mean(),
        "real": 1.5 * F.softplus(-d_real).mean(),
        "class": 1.3 * ((1 - right) ** 2 * -right.log()).mean(),
    }
    torch.testing.assert_close(of_generator, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(of_judge, lesson, rtol=1e-4, atol=1e-6)


def test_terms_without_weight_are_left_out():
    training = Training(dataclasses.replace(TINY, diversity_weight=0, perceptual_weight=0))
    assert set(next(training.learn(batch_of()))) == {"adversarial", "class", "pixel"}
    assert set(next(Training(TINY).learn(batch_of()))) == {"adversarial", "class", "pixel", "perceptual", "variety"}


def test_mistakes_are_told():
    with pytest.raises(RecipeError, match="has a name twice"):
        Training(dataclasses.replace(TINY, classes=("cat", "cat")))
    with pytest.raises(RecipeError, match=r"2 names \(cat, dog\) for 3 folders"):
        next(Training(TINY).learn(batch_of(3, 3)))
    with pytest.raises(RecipeError, match="16 for pictures of 32 pixels"):
        next(Training(TINY).learn(batch_of(size=32)))
    with pytest.raises(RecipeError, match=r"batch: 1 .*take 2 or more"):
        next(Training(TINY).learn(batch_of(1)))
    with pytest.raises(OptionError, match="no class 'cow'; this model knows cat, dog"):
        Model(TINY).choose("cow")
