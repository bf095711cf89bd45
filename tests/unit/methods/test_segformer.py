"""SegFormer: it learns parts, from incomplete labels and from a teacher, too, and what it refuses."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from people import FACE, HAIR, write_people

from sfumato import weights, zoo
from sfumato.card import Card
from sfumato.data.paper import NO_WEAR
from sfumato.data.parsing import Parsing
from sfumato.errors import RecipeError, WeightsError
from sfumato.methods import segformer
from sfumato.nets.segformer import Drop
from sfumato.parts import EVERY, PARTS
from sfumato.recipes import segformer as recipes
from sfumato.train.loop import prepare

TINY = dataclasses.replace(recipes.tiny().method, drop_path=0.0, dropout=0.0)
CALM = Parsing(size=64, scale=(1.0, 1.0), head=0, flip=0, rotation_deg=0, jitter=0, hue=0, grey=0, wear=NO_WEAR)


def batch_of(folder, count, **known):
    samples = dataclasses.replace(CALM, root=(str(write_people(folder, count, **known)),)).open()
    drawn = [samples.sample(0, n) for n in range(count)]
    return prepare({key: torch.stack([sample[key] for sample in drawn]) for key in drawn[0]}, torch.device("cpu"))


def taught(training, batch, steps, rate=3e-3):
    """The losses of the first and of the last step."""
    optimizer = torch.optim.Adam([p for p in training.parameters() if p.requires_grad], rate)
    losses = []
    for _ in range(steps):
        terms = next(training.learn(batch))
        optimizer.zero_grad()
        sum(terms.values()).backward()
        optimizer.step()
        losses.append({name: float(term.detach()) for name, term in terms.items()})
    return losses[0], losses[-1]


@torch.no_grad()
def found(training, batch):
    model = training.model.eval()
    return segformer.enlarged(model(batch["image"]), batch["parts"].shape[1:]).argmax(1)


def test_it_learns_parts(tmp_path):
    training, batch = segformer.Training(TINY), batch_of(tmp_path, 6)
    first, last = taught(training, batch, 60)
    assert last["parts"] < 0.3 * first["parts"]
    known = batch["parts"] != EVERY
    right = ((batch["parts"] >> found(training, batch)) & 1).bool()
    assert float(right[known].float().mean()) > 0.85


def test_it_learns_hair_and_face_where_masks_tell_no_more(tmp_path):
    training, batch = segformer.Training(TINY), batch_of(tmp_path, 6, known={FACE: FACE, HAIR: HAIR})
    rest = EVERY & ~(1 << FACE) & ~(1 << HAIR)
    batch["parts"][batch["parts"] == 1] = rest
    taught(training, batch, 60)
    parts = found(training, batch)
    for part in (HAIR, FACE):
        wanted = batch["parts"] == 1 << part
        other = batch["parts"] == rest
        assert float((parts[wanted] == part).float().mean()) > 0.6, PARTS[part]
        assert float((parts[other] == part).float().mean()) < 0.1, PARTS[part]


def test_shares_of_parts_are_remembered(tmp_path):
    training, batch = segformer.Training(TINY), batch_of(tmp_path, 4)
    before = training.shares.clone()
    for _ in range(3):
        next(training.learn(batch))
    seen = torch.stack([(batch["parts"] == 1 << k).float().sum() for k in range(18)])
    seen = seen / seen.sum()
    left = (1 - segformer.MOMENTUM) ** 3
    torch.testing.assert_close(training.shares, before * left + seen * (1 - left))


def test_rare_parts_weigh_more_if_they_shall(tmp_path):
    training, batch = segformer.Training(dataclasses.replace(TINY, balance=0.5)), batch_of(tmp_path, 4)
    training.shares.copy_(torch.where(torch.arange(18) == 0, 0.83, 0.01))
    with torch.no_grad():
        loss = next(training.learn(batch))["parts"]
        logits = segformer.enlarged(training.model(batch["image"]), batch["parts"].shape[1:])
    weights = torch.where(torch.arange(18) == 0, 0.83**-0.5, 0.01**-0.5)
    weights = weights / (0.83**0.5 + 17 * 0.01**0.5)
    known = batch["parts"] != EVERY
    numbers = batch["parts"].float().log2().long().where(known, -100)
    wanted = F.cross_entropy(logits, numbers, weights, reduction="sum") / known.sum()
    torch.testing.assert_close(loss, wanted)


# A teacher


@pytest.fixture
def teacher(tmp_path):
    """The file of a parser that is sure of hair everywhere."""
    model = segformer.Model(TINY)
    with torch.no_grad():
        model.decode_head.classifier.weight.zero_()
        model.decode_head.classifier.bias.copy_(torch.where(torch.arange(18) == HAIR, 10.0, 0.0))
    card = Card(name="teacher", method="segformer", config=dataclasses.asdict(TINY))
    weights.save(tmp_path / "teacher.safetensors", model, card)
    return str(tmp_path / "teacher.safetensors")


def test_a_teacher_has_a_word_within_the_labels(teacher, tmp_path):
    config = dataclasses.replace(TINY, teacher=teacher, teacher_weight=2.0)
    training, batch = segformer.Training(config), batch_of(tmp_path / "people", 4)
    batch["parts"][:, :, 32:] = EVERY
    face = batch["parts"] == 1 << FACE
    assert not any(p.requires_grad for p in training.teacher.parameters())
    training.train()
    assert not training.teacher.training
    first, last = taught(training, batch, 60)
    assert set(first) == {"parts", "teacher"}
    assert last["teacher"] < 0.5 * first["teacher"]
    parts = found(training, batch)
    assert float((parts[:, :, 34:] == HAIR).float().mean()) > 0.9, "where nothing is labelled the teacher is believed"
    assert float((parts[face] == HAIR).float().mean()) < 0.5, "where labels rule hair out, it is not"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"method": "hrnet"}, RecipeError, "no segformer of the same classes; its method is hrnet"),
        ({"config": {"variant": "tiny", "labels": ["a", "b"]}}, RecipeError, "of the same classes"),
        ({"config": {"variant": "b0"}}, WeightsError, "of another shape"),
    ],
)
def test_teachers_that_are_none(teacher, tmp_path, change, error, message):
    card = dataclasses.replace(zoo.card(teacher), **change)
    weights.save(tmp_path / "other.safetensors", segformer.Model(TINY), card)
    with pytest.raises(error, match=message):
        segformer.Training(dataclasses.replace(TINY, teacher=str(tmp_path / "other.safetensors")))


def test_other_classes_are_not_learned():
    with pytest.raises(RecipeError, match=r"method.labels: a, b are not the parts that data tell apart"):
        segformer.Training(dataclasses.replace(TINY, labels=("a", "b")))


# The network


def test_samples_show_what_is_labelled_and_what_is_found(tmp_path):
    training, batch = segformer.Training(TINY), batch_of(tmp_path, 2)
    shown = training.sample(batch)
    assert set(shown) == {"wanted", "found"}
    outside = batch["parts"] == EVERY
    assert outside.any()
    pictures = batch["image"].permute(0, 2, 3, 1)
    assert torch.equal(shown["wanted"].permute(0, 2, 3, 1)[outside], pictures[outside])
    assert not torch.equal(shown["wanted"].permute(0, 2, 3, 1)[~outside], pictures[~outside])


@pytest.mark.parametrize(("axes", "shape"), [(1, (4000, 3, 2)), (2, (40, 100, 5, 2))])
def test_parts_are_dropped_whole(axes, shape):
    drop = Drop(0.25, axes)
    x = drop(torch.ones(shape))
    parts = x.flatten(axes)
    assert bool((parts == parts[..., :1]).all())
    assert sorted(x.unique().tolist()) == pytest.approx([0, 4 / 3])
    assert float((x == 0).float().mean()) == pytest.approx(0.25, abs=0.03)
    assert torch.equal(drop.eval()(torch.ones(shape)), torch.ones(shape))


def test_the_head_is_the_papers():
    """Each map in D channels and enlarged, all side by side, mixed: layer after layer."""
    head = segformer.Model(TINY).decode_head.eval()
    maps = [
        torch.randn(2, c, *size) for c, size in zip((8, 16, 20, 32), ((16, 12), (8, 6), (4, 3), (2, 2)), strict=True)
    ]
    sizes = []
    for x, linear in zip(maps, head.linear_c, strict=True):
        y = linear["proj"](x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, x.shape[2:])
        sizes.append(F.interpolate(y, (16, 12), mode="bilinear"))
    y = head.linear_fuse(torch.cat(sizes[::-1], 1))
    wanted = head.classifier(torch.relu(head.batch_norm(y)))
    torch.testing.assert_close(head(maps), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (28, 61), (61, 28), (29, 29), (33, 61), (64, 32), (128, 40)])
@torch.inference_mode()
def test_any_size(size):
    model, images = segformer.Model(TINY).eval(), torch.rand(2, 3, *size)
    found = model(images)
    cells = [-(-side // 4) for side in size]
    assert found.shape == (2, 18, *cells)
    assert bool(torch.isfinite(found).all())
    rows, columns = (torch.arange(max(side, 29)).clamp(max=side - 1) for side in size)
    whole = images[:, :, rows][:, :, :, columns]  # as it is, but for its last row and column repeated up to 29
    bare = model.decode_head(model.segformer["encoder"]((whole - model.mean) / model.std))
    assert torch.equal(found, bare[:, :, : cells[0], : cells[1]])


def test_what_is_tiny_can_be_learned_from():
    model = segformer.Model(TINY)
    model(torch.rand(2, 3, 5, 9)).square().mean().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


def test_a_half_precision_file_gives_nearly_the_same(tmp_path):
    model = segformer.Model(TINY).eval()
    card = Card(name="parser", method="segformer", config=dataclasses.asdict(TINY))
    weights.save(tmp_path / "half.safetensors", model, card, dtype=torch.float16)
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        ours, theirs = model(images), zoo.load(tmp_path / "half.safetensors")(images)
    assert float((ours - theirs).abs().max() / ours.std()) < 0.02
    assert np.isfinite(ours.numpy()).all()
