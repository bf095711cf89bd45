"""StyTr2: its strength, several styles, parts of a large picture, and a run that learns."""

import dataclasses

import pytest
import torch

from sfumato.errors import RecipeError
from sfumato.methods import stytr2
from sfumato.nets import parallel
from sfumato.recipes import stytr2 as recipes
from sfumato.train.recipe import Schedule
from sfumato.train.state import schedule_factor


@pytest.fixture
def model():
    torch.manual_seed(0)
    return stytr2.Model(stytr2.Config(width=16, heads=2, layers=1, feedforward=16, decoder_width=4)).eval()


@torch.inference_mode()
def test_strength_0_is_the_picture(model):
    content, style = torch.rand(2, 1, 3, 40, 45)
    assert (model(content, style, 0.0) - content).abs().max() < 1e-5
    assert (model(content, style, 1.0) - content).abs().max() > 0.1


@torch.inference_mode()
def test_a_strength_for_each_picture(model):
    content, style = torch.rand(2, 2, 3, 40, 48)
    both = model(content, style, torch.tensor([1.0, 0.5])[:, None, None, None])
    assert (both[:1] - model(content[:1], style[:1])).abs().max() < 1e-5
    assert (both[1:] - model(content[1:], style[1:], 0.5)).abs().max() < 1e-5


@torch.inference_mode()
def test_styles_of_several_sizes_are_mixed_by_weights_and_by_place(model):
    content = torch.rand(1, 3, 40, 48)
    codes = [model.encode_style(torch.rand(1, 3, *size)) for size in ((24, 64), (80, 16))]
    alone = [model.render(content, code) for code in codes]
    assert torch.allclose(model.render(content, model.mix(codes, [1.0, 0.0])), alone[0], atol=1e-6)
    left = torch.zeros(1, 1, 5, 6)
    left[..., :3] = 1
    mixed = model.render(content, model.mix(codes, [left, 1 - left]))
    assert torch.allclose(mixed[..., :1], alone[0][..., :1], atol=1e-5)
    assert torch.allclose(mixed[..., -1:], alone[1][..., -1:], atol=1e-5)


@torch.inference_mode()
def test_parts_of_a_large_picture_are_those_of_the_whole(model, monkeypatch):
    features = torch.rand(1, 16, 21, 13)
    whole = model.decode(features)
    monkeypatch.setattr(stytr2, "STRIP", 8)
    assert torch.allclose(model.decode(features), whole, atol=1e-5)


def test_heads_share_the_width_evenly():
    with pytest.raises(RecipeError, match=r"method\.width: 10 channels"):
        stytr2.Model(stytr2.Config(width=10, heads=4))


def test_the_rates_of_the_authors():
    schedule = Schedule(kind="inverse", warmup=80_000, warmup_from=0.25, start=80_000, decay=1e-5 / 8)
    for step in (0, 5_000, 10_000, 50_000):
        theirs = 5e-5 * (1 + 3e-4 * step) if step < 10_000 else 2e-4 / (1 + 1e-5 * (step - 10_000))
        assert 2e-4 * schedule_factor(schedule, 8 * step, 1_280_000) == pytest.approx(theirs)


def test_dropout_is_the_same_where_processes_share_the_batch(monkeypatch):
    training = stytr2.Training(stytr2.Config(width=16, heads=2, layers=1, feedforward=16, decoder_width=4, dropout=0.5))
    content, style = torch.rand(2, 2, 3, 32, 32)
    for p in training.model.parameters():
        torch.nn.init.normal_(p, 0, 0.3)
    with torch.no_grad():
        torch.manual_seed(1)
        out, identity = training._pictures(torch.cat((content, style)))
        assert (training._pictures(torch.cat((content, style)))[0] - out).abs().mean() > 0.05 * out.std()
        monkeypatch.setattr(parallel, "world", lambda: 2)
        for rank in range(2):
            monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
            torch.manual_seed(1)
            own_out, own_identity = training._pictures(torch.stack((content[rank], style[rank])))
            torch.testing.assert_close(own_out, out[[rank]], rtol=1e-3, atol=1e-3)
            torch.testing.assert_close(own_identity, identity[[rank, 2 + rank]], rtol=1e-3, atol=1e-3)


def test_identity_is_learned():
    torch.manual_seed(0)
    training = stytr2.Training(stytr2.Config(width=16, heads=2, layers=1, feedforward=32, decoder_width=8, dropout=0.0))
    batch = {"content": torch.rand(2, 3, 4, 4), "style": torch.rand(2, 3, 4, 4)}
    batch = {k: torch.nn.functional.interpolate(x, (32, 32), mode="bilinear") for k, x in batch.items()}
    optimizer = torch.optim.Adam(training.model.parameters(), lr=3e-3)
    losses = []
    for _ in range(70):
        terms = next(training.learn(batch))
        optimizer.zero_grad()
        sum(terms.values()).backward()
        optimizer.step()
        losses.append({k: float(v.detach()) for k, v in terms.items()})
    assert losses[-1]["identity"] < 0.5 * losses[0]["identity"]
    assert sum(losses[-1].values()) < 0.95 * sum(losses[0].values())


def test_the_three_parts_for_two_cores_are_one_network():
    parts = [recipes.art_first(), recipes.art_second(), recipes.art()]
    sizes = [(p.method.width, p.method.heads, p.method.layers, p.method.feedforward) for p in parts]
    assert len(set(sizes)) == 1
    assert len({p.seed for p in parts}) == 3
    assert (
        parts[1].method
        == parts[2].method
        == dataclasses.replace(parts[0].method, content_weight=7.0, style_weight=10.0, identity_feature_weight=1.0)
    )
    assert [p.start for p in parts] == ["", "run/stytr2.art_first/state.pt", "run/stytr2.art_second/state.pt"]
    small, whole = (sum(p.numel() for p in stytr2.Model(c).parameters()) for c in (parts[0].method, stytr2.Config()))
    assert (round(small / 1e6, 1), round(whole / 1e6)) == (1.5, 35)
