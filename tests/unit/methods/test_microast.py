"""MicroAST: its code and strength, and what its lessons ask for."""

import dataclasses

import pytest
import torch

from sfumato.errors import RecipeError
from sfumato.losses.style import content_loss, style_loss
from sfumato.methods import microast
from sfumato.nets.norms import moments
from sfumato.recipes import microast as recipes

SETTINGS = recipes.tiny().method


@pytest.fixture
def model():
    return microast.Model(microast.Config(width=8)).eval()


@pytest.fixture
def training():
    return microast.Training(SETTINGS)


def pictures(count, side=32):
    return torch.rand(count, 3, side, side)


def between(model, content, style, strength):
    own, full = model.encode_style(content), model.encode_style(style)
    return tuple(o + strength * (f - o) for o, f in zip(own, full, strict=True))


@torch.inference_mode()
@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strength_moves_the_code_from_the_contents_own_and_what_is_lost_fades(model, strength):
    content, style = pictures(1), pictures(1, 40)
    lost = content - model.render(content, model.encode_style(content))
    moved = model.render(content, between(model, content, style, strength))
    expected = moved + (1 - strength) ** 2 * lost
    torch.testing.assert_close(model(content, style, strength), expected, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_strength_0_is_the_content(model):
    content = pictures(2)
    torch.testing.assert_close(model(content, pictures(2, 40), 0.0), content)


@torch.inference_mode()
def test_each_picture_of_a_batch_has_its_own_strength(model):
    content, style, strengths = pictures(3), pictures(3, 40), (1.0, 0.4, 0.0)
    together = model(content, style, torch.tensor(strengths)[:, None, None, None])
    for i, strength in enumerate(strengths):
        torch.testing.assert_close(together[i : i + 1], model(content[i : i + 1], style[i : i + 1], strength))


@torch.inference_mode()
@pytest.mark.parametrize("strength", [1.0, 0.5, torch.full((1, 1, 1, 1), 0.5)])
def test_one_style_serves_several_contents(model, strength):
    content, style = pictures(2), pictures(1, 40)
    together = model(content, style, strength)
    for i in range(2):
        torch.testing.assert_close(together[i : i + 1], model(content[i : i + 1], style, strength))


@pytest.mark.parametrize("rows", [[], [1], [0, 2], [0, 1, 2]])
def test_only_the_rows_at_partial_strength_are_mixed(rows):
    code, own = (torch.randn(3, 5, 1, 1), torch.rand(3, 5, 1, 1)), (torch.randn(3, 5, 1, 1), torch.rand(3, 5, 1, 1))
    strength = torch.ones(3, 1, 1, 1)
    strength[rows] = torch.linspace(0, 0.7, len(rows))[:, None, None, None]
    plain = tuple(o + strength * (c - o) for c, o in zip(code, own, strict=True))
    place = torch.tensor(rows, dtype=torch.int64)
    for ours, theirs in zip(microast.mixed(code, [o[place] for o in own], strength, place), plain, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_lessons_at_partial_strength_ask_for_statistics_between_the_two(training, monkeypatch):
    content, style = pictures(3), pictures(3)
    strength = torch.tensor([1.0, 0.25, 0.0])[:, None, None, None]
    monkeypatch.setattr(training, "_strengths", lambda _: strength)
    terms = next(training.learn({"content": content, "style": style}))
    model = training.model
    out = model.render(content, between(model, content, style, strength))
    features, goal, start = (training.judge(x, microast.STYLE_LAYERS) for x in (out, style, content))
    targets = {}
    for k, x in goal.items():
        pairs = zip(moments(start[k]), moments(x), strict=True)
        targets[k] = tuple(own + strength * (theirs - own) for own, theirs in pairs)
    expected = {
        "content": content_loss(features["relu4_1"], start["relu4_1"]).mean(),
        "style": 3 * style_loss(features, targets).mean(),
        "pixel": (torch.tensor([0, 0.75**2, 1]) * (out - content).square().mean((1, 2, 3))).mean(),
    }
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-4, atol=1e-5)


def test_strengths_are_full_but_for_a_share_that_meets_both_ends(training):
    drawn = training._strengths(torch.zeros(4000, 1, 1, 1)).flatten()
    assert drawn.min() == 0 and drawn.max() == 1
    share = SETTINGS.partial  # of it a sixth lies at each end, the rest evenly between
    assert (drawn == 0).float().mean() == pytest.approx(share / 6, abs=0.03)
    between = drawn[(drawn > 0) & (drawn < 1)]
    assert len(between) / 4000 == pytest.approx(share * 2 / 3, abs=0.04)
    assert between.mean() == pytest.approx(0.5, abs=0.03)


def test_a_contrast_needs_two():
    training = microast.Training(dataclasses.replace(SETTINGS, contrastive_weight=1.0))
    assert "contrastive" in next(training.learn({"content": pictures(2), "style": pictures(2)}))
    with pytest.raises(RecipeError, match="batch: .* 2 or more"):
        next(training.learn({"content": pictures(1), "style": pictures(1)}))
