"""Texture networks: seamless at any size, a function of their seeds, taught by distances of a closed form."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from PIL import Image

import sfumato
from sfumato import weights
from sfumato.card import Card
from sfumato.data.swatch import ContentSwatch, Swatch
from sfumato.errors import DataError, OptionError, RecipeError, WeightsError
from sfumato.export import export_onnx
from sfumato.image import quantize
from sfumato.losses.texture import diversity
from sfumato.methods import texture_nets
from sfumato.nets.texture_nets import Pyramid
from sfumato.recipes import texture_nets as recipes
from sfumato.train import train
from sfumato.translate import Translator
from sfumato.translate.weaver import Weaver, cut_where_alike

TINY = texture_nets.Config(scales=3, width=2, texture_px=32)
STYLE = texture_nets.Config(kind="stylization", norm="instance", scales=3, width=2, pointwise=False)


@pytest.fixture(params=["batch", "instance"])
def model(request):
    return texture_nets.Model(dataclasses.replace(TINY, norm=request.param)).eval()


@pytest.fixture
def swatch(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "swatch.png")
    return str(tmp_path / "swatch.png")


# Textures


@torch.inference_mode()
def test_rolled_noise_gives_the_rolled_texture(model):
    noise = model.noise((32, 48), 2)
    steps = [(z.shape[-2] // 8, z.shape[-1] // 4) for z in noise]  # the same part of the sides at each scale
    rolled = [z.roll(step, (-2, -1)) for z, step in zip(noise, steps, strict=True)]
    result, expected = model.pictures(rolled), model.pictures(noise).roll(steps[-1], (-2, -1))
    assert (result - expected).abs().max() < 1e-3 * expected.std()


def test_the_seam_is_like_any_other_place(model):
    textures = model.texture((53, 75), count=24)
    assert textures.shape == (24, 3, 53, 75)
    for dim in (-2, -1):
        steps = (textures - textures.roll(1, dim)).abs().movedim(dim, 0).flatten(1).mean(1)
        assert steps[0] <= 1.15 * steps.mean()


@pytest.mark.parametrize("size", [8, (8, 300), (33, 17), 64])
def test_any_size(model, size):
    height, width = (size, size) if isinstance(size, int) else size
    texture = model.texture(size)
    assert texture.shape == (1, 3, height, width)
    assert bool(texture.isfinite().all())


def test_the_seed_decides(model):
    one, again, other = (model.texture(32, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_several_have_seeds_one_after_the_other():
    model = texture_nets.Model(dataclasses.replace(TINY, norm="instance")).eval()
    both = model.texture(32, seed=1, count=2)
    assert torch.allclose(both, torch.cat([model.texture(32, seed=seed) for seed in (1, 2)]), atol=1e-5)


def test_the_noise_is_the_only_thing_that_differs_between_textures():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    texture_nets.Model(TINY).eval().noise((32, 32), 2)
    torch.manual_seed(1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("size", "count"), [(7, 1), ((64, 7), 1), (-1, 1), (32, 0)])
def test_bad_sizes(model, size, count):
    with pytest.raises(OptionError, match="at least 1, of 8 a side"):
        model.texture(size, count=count)


def test_textures_and_pictures_are_told_apart(model):
    with pytest.raises(OptionError, match="makes textures"):
        Translator(model)
    with pytest.raises(OptionError, match="it makes no textures"):
        texture_nets.Model(STYLE).texture(32)
    with pytest.raises(OptionError, match="makes no textures"):
        Weaver(texture_nets.Model(STYLE))


def test_the_weaver_makes_pictures(model):
    picture = Weaver(model, device="cpu", precision="fp32").texture((40, 24), seed=3)
    expected = cut_where_alike(quantize(model.texture((24, 40), seed=3)))
    assert np.abs(picture.pixels.astype(int) - expected).max() <= 1
    with pytest.raises(OptionError, match="GB of memory"):
        Weaver(model, device="cpu").texture((10_000_000, 1_000_000))


@pytest.mark.parametrize("seed", range(5))
def test_tiles_begin_where_neighbours_differ_least(seed):
    rng = np.random.default_rng(seed)
    tile = rng.integers(0, 256, (int(rng.integers(1, 20)), int(rng.integers(1, 20)), 3), np.uint8)
    cut = cut_where_alike(tile)
    for axis in (0, 1):
        steps = np.abs(cut.astype(int) - np.roll(cut, 1, axis)).mean((1 - axis, 2))
        assert steps[0] == steps.min()
    rolled = [np.roll(tile, (y, x), (0, 1)) for y in range(tile.shape[0]) for x in range(tile.shape[1])]
    assert any((cut == other).all() for other in rolled)


# Pictures


def test_a_picture_has_one_result(swatch):
    model = texture_nets.Model(STYLE).eval()
    one, two = (np.array(Translator(model, device="cpu")(swatch)) for _ in range(2))
    assert one.shape == (40, 60, 3)
    assert (one == two).all()


@torch.inference_mode()
def test_the_opposite_border_is_not_seen():
    model = texture_nets.Model(dataclasses.replace(STYLE, scales=2)).eval()
    for module in model.modules():  # statistics see everything; here it is about convolutions
        if type(module).__name__ == "AffineInstanceNorm":
            module.forward = lambda x: x
    image = torch.rand(1, 3, 64, 64)
    other = image.clone()
    other[..., 60:] = 0
    change = (model(image) - model(other)).abs().amax((0, 1, 2))
    assert change[:32].max() < 0.02 * change.max()


# Losses


def test_diversity_is_the_mean_log_of_the_nearest_distance():
    pictures = torch.tensor([0.0, 1.0, 3.0])[:, None, None, None].expand(3, 3, 4, 5)
    assert float(diversity(pictures)) == pytest.approx(math.log(4) / 3)
    assert float(diversity(2 * pictures)) == pytest.approx(math.log(4) / 3 + math.log(4))
    assert math.isfinite(float(diversity(pictures[:1].expand(2, -1, -1, -1))))


def test_diversity_pushes_the_nearest_apart():
    pictures = torch.tensor([0.0, 1.0, 3.0])[:, None, None, None].expand(3, 3, 4, 5).clone().requires_grad_()
    diversity(pictures).backward()
    assert [float(g.sum().sign()) for g in pictures.grad] == [-1, 1, 1]


# Training


def test_it_learns(swatch, tmp_path):
    recipe = recipes.tiny()
    config = dataclasses.replace(recipe.method, diversity_weight=0.0)
    data, rate = dataclasses.replace(recipe.data, style=(swatch,)), {"generator": recipes.Optimizer(lr=0.1)}
    recipe = dataclasses.replace(recipe, method=config, data=data, images=80, optimizers=rate, log_every=2)
    train(recipe, tmp_path / "run", device="cpu")
    lines = [eval(line, {"null": None}) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    losses = [line["generator/style"] for line in lines if "generator/style" in line]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_stylizations_learn_from_photographs(swatch, tmp_path):
    recipe = dataclasses.replace(
        recipes.tiny(),
        method=dataclasses.replace(STYLE, diversity_weight=0.1),
        data=ContentSwatch(style=(swatch,), content=(str(tmp_path),), size=32, shorter=(32, 40), style_px=32),
    )
    made = train(recipe, tmp_path / "run", device="cpu")
    model = sfumato.load(made["stylization"])
    assert model.config.kind == "stylization"
    assert Translator(model, device="cpu")(swatch).size == (60, 40)


def test_the_swatch_is_looked_at_once(swatch):
    training = texture_nets.Training(TINY)
    style = Swatch(style=(swatch,), style_px=32).open().sample(0, 0)["style"].float() / 255
    targets = training._targets(torch.stack([style, style]))
    assert len(training.known) == 1
    other = training._targets(torch.stack([style, style.flip(0)]))
    assert len(training.known) == 2
    assert training._targets(torch.stack([style, style])) is targets
    assert any(not torch.allclose(targets[layer].mean, other[layer].mean) for layer in training.layers)


def test_diversity_needs_two():
    training = texture_nets.Training(dataclasses.replace(TINY, diversity_weight=1.0))
    with pytest.raises(RecipeError, match="take 2 or more"):
        next(training.learn({"style": torch.rand(1, 3, 32, 32)}))


def test_unknown_layers_are_named():
    with pytest.raises(RecipeError, match="method.style_layers: relu9_9; the networks have relu1_1"):
        texture_nets.Training(dataclasses.replace(TINY, style_layers=("relu9_9",)))


# Data


def test_swatches(swatch, tmp_path):
    Image.new("RGB", (30, 90), "red").save(tmp_path / "z.png")
    opened = Swatch(style=(str(tmp_path),), style_px=30).open()
    assert [tuple(opened.sample(0, n)["style"].shape) for n in range(3)] == [(3, 20, 30)] * 3
    assert torch.equal(opened.sample(0, 0)["style"], opened.sample(5, 2)["style"])
    assert opened.digest() != Swatch(style=(swatch,), style_px=30).open().digest()
    assert list(Swatch(style=(swatch,)).open().counts()) == [swatch]


@pytest.mark.parametrize(("style", "message"), [((), "names no swatch"), (("nothing.png",), "nothing.png")])
def test_swatches_that_are_not_there(style, message):
    with pytest.raises(DataError, match=message):
        Swatch(style=style).open()


# Files of others


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", **{"sd/other": np.zeros(3, np.float32), "output": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match="missing: noise1.conv1.weight"):
        sfumato.import_official("texture_nets", {"model": tmp_path / "a.npz"})
    network = Pyramid(3, 3, 2)
    state = {f"sd/{key}": tensor.numpy() for key, tensor in network.state_dict().items()}
    np.savez(tmp_path / "b.npz", **state)
    assert sfumato.import_official("texture_nets", {"model": tmp_path / "b.npz"}).config.scales == 3
    np.savez(tmp_path / "c.npz", **state | {"sd/low3.bn.weight": np.ones(2, np.float32)})
    with pytest.raises(WeightsError, match="of another shape: low3.bn.weight"):
        sfumato.import_official("texture_nets", {"model": tmp_path / "c.npz"})


def test_what_draws_noise_is_not_exported(tmp_path):
    pytest.importorskip("onnx")
    card = Card(name="m", method="texture_nets", config=dataclasses.asdict(STYLE))
    weights.save(tmp_path / "m.safetensors", texture_nets.Model(STYLE), card)
    with pytest.raises(OptionError, match="draws noise"):
        export_onnx(tmp_path / "m.safetensors", tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
