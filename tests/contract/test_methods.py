"""What every method promises. Methods and recipes are found by their files: a new one is tested without a word here."""

import ast
import dataclasses
import importlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter

import sfumato
from sfumato import weights, zoo
from sfumato.card import Card
from sfumato.methods import base
from sfumato.train import checkpoint, train
from sfumato.train.loop import prepare
from sfumato.train.recipe import validated
from sfumato.train.state import build
from sfumato.translate import Translator

SOURCE = Path(sfumato.__file__).parent
METHODS = sorted(path.stem for path in (SOURCE / "methods").glob("[a-z]*.py") if path.stem != "base")
MODULES = {name: importlib.import_module(f"sfumato.methods.{name}") for name in METHODS}
TAUGHT = [name for name in METHODS if hasattr(MODULES[name], "Training")]
RECIPES = sorted(path.stem for path in (SOURCE / "recipes").glob("[a-z]*.py"))

taught = pytest.mark.parametrize("name", TAUGHT)
learned_stylizers = pytest.mark.parametrize(
    "name", [name for name in TAUGHT if issubclass(MODULES[name].Model, base.Stylizer)]
)


def recipes_of(name):
    """The functions of a file in recipes/ that make a recipe, by name."""
    module = importlib.import_module(f"sfumato.recipes.{name}")
    own = inspect.getmembers(module, lambda x: inspect.isfunction(x) and x.__module__ == module.__name__)
    return {key: function for key, function in own if not key.startswith("_")}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of six made pictures: waves and noise, of several sizes, with joints and parts anywhere."""
    root, rng = tmp_path_factory.mktemp("made"), np.random.default_rng(0)
    folder, masks = root / "pictures", root / "masks"
    folder.mkdir()
    masks.mkdir()
    for k in range(6):
        height, width = 40 + 5 * k, 64 - 4 * k
        y, x = np.mgrid[:height, :width][..., None]
        pixels = 127 + 90 * np.sin(0.1 * (k + 1) * y + 0.2 * rng.random(3) * x) + 30 * rng.random((height, width, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{k}.png")
        Image.fromarray((pixels.mean(2) / 15).astype(np.uint8)).save(masks / f"{k}.png")
    (folder / "keypoints.json").write_text(json.dumps(made_labels(rng)), encoding="utf-8")
    (folder / "parts.toml").write_text('images = "."\nmasks = "../masks"\n', encoding="utf-8")
    return folder


def made_labels(rng):
    """A figure in each of the pictures, its joints anywhere, in COCO's format."""
    figures = [
        {"id": k, "image_id": k, "bbox": [4, 4, 32, 32], "keypoints": [*rng.uniform(6, 34, 2), 2] * 17}
        for k in range(6)
    ]
    return {"images": [{"id": k, "file_name": f"{k}.png"} for k in range(6)], "annotations": figures}


@pytest.fixture
def tiny(name, pictures):
    """The method's tiny() recipe, with the made pictures in place of every folder that it leaves open."""
    recipe = recipes_of(name)["tiny"]()
    given = {f.name: (str(pictures),) for f in dataclasses.fields(recipe.data) if getattr(recipe.data, f.name) == ()}
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, **given))


@pytest.fixture
def training(tiny):
    return build(tiny.method)


@pytest.fixture
def batch(tiny):
    """The first batch of the recipe, as the trainer gives it to `learn`."""
    samples, numbers = tiny.data.open(), range(tiny.batch)
    drawn = [samples.sample(tiny.seed, n) for n in numbers]
    return prepare({key: torch.stack([sample[key] for sample in drawn]) for key in drawn[0]}, torch.device("cpu"))


def results(model, images):
    """Everything that a model makes of images (B, 3, H, W), one tensor after the other."""
    if isinstance(model, base.Stylizer):
        return [model(images, images.flip(1, 2)), model(images, images.flip(1, 2), 0.5)]
    if isinstance(model, base.Colorizer):
        return [model(images, images.flip(1, 2))]
    found = model(images, model.layers) if hasattr(model, "layers") else model(images)
    if isinstance(found, Mapping):
        return list(found.values())
    return [found] if isinstance(found, torch.Tensor) else list(found)


def far(ours, theirs):
    """The largest difference of two results' tensors, each in units of its standard deviation."""
    pairs = zip(ours, theirs, strict=True)
    return max(float((a.float() - b.float()).abs().max() / b.float().std()) for a, b in pairs)


# Config


@pytest.mark.parametrize("name", METHODS)
def test_a_config_survives_json(name):
    kind = MODULES[name].Config
    configs = [kind(), *(make().method for make in (recipes_of(name) if name in RECIPES else {}).values())]
    for config in configs:
        text = json.dumps(dataclasses.asdict(config))
        assert TypeAdapter(kind).validate_json(text) == config


@pytest.mark.parametrize("name", METHODS)
def test_a_config_is_frozen_keyword_only_and_explained(name):
    kind = MODULES[name].Config
    assert kind.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))
    names = {field.name for field in dataclasses.fields(kind)}
    body = ast.parse(inspect.getsource(kind)).body[0].body
    for field, text in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and field.target.id in names:
            explained = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            assert explained, f"{name}.Config.{field.target.id} has no docstring under it"


# Recipes


@taught
def test_a_method_that_learns_has_a_tiny_recipe(name):
    assert "tiny" in recipes_of(name)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid(name):
    assert name in TAUGHT
    for key, make in recipes_of(name).items():
        recipe = make()
        assert inspect.getdoc(make), f"{name}.{key} has no docstring"
        assert type(recipe.method) is MODULES[name].Config
        assert validated(recipe) == recipe
        assert checkpoint.describe(recipe)["method"]["name"] == name
        assert recipe.images % recipe.batch == 0


@taught
def test_the_optimizers_of_all_recipes_are_those_of_its_groups(name, training):
    for key, make in recipes_of(name).items():
        assert set(make().optimizers) <= set(training.groups()), key


# Training


@taught
def test_groups_cover_each_trainable_parameter_once(training):
    taught = [p for networks in training.groups().values() for network in networks for p in network.parameters()]
    assert len({id(p) for p in taught}) == len(taught)
    assert {id(p) for p in taught} == {id(p) for p in training.parameters() if p.requires_grad}


@taught
def test_one_step_moves_every_group_and_nothing_frozen(training, batch):
    groups = {g: [p for n in networks for p in n.parameters()] for g, networks in training.groups().items()}
    before = {key: p.detach().clone() for key, p in training.named_parameters()}
    lesson = training.learn(batch)
    for group, own in groups.items():
        for p in training.parameters():
            p.requires_grad_(any(p is q for q in own))
        terms = next(lesson)
        assert terms
        assert all(term.shape == () and bool(torch.isfinite(term)) for term in terms.values()), terms
        sum(terms.values()).backward(inputs=own)
        assert all(p.grad is not None for p in own), group
        torch.optim.SGD(own, lr=0.1).step()
    assert next(lesson, None) is None, "learn yields once for each group"
    moved = {key for key, p in training.named_parameters() if not torch.equal(p, before[key])}
    for group, own in groups.items():
        assert moved & {key for key, p in training.named_parameters() if any(p is q for q in own)}, group
    every = {id(p) for own in groups.values() for p in own}
    assert not moved & {key for key, p in training.named_parameters() if id(p) not in every}


@taught
def test_samples_are_pictures(training, batch):
    with torch.inference_mode():
        for caption, images in training.sample(batch).items():
            assert images.shape[1] == 3, caption
            assert float(images.min()) >= 0, caption
            assert float(images.max()) <= 1, caption


@taught
def test_a_resumed_run_is_the_uninterrupted_one_bit_by_bit(name, tiny, tmp_path):
    straight = train(tiny, tmp_path / "straight", device="cpu")
    train(tiny, tmp_path / "halves", device="cpu", until=tiny.images // 2)
    halves = train(tiny, tmp_path / "halves", device="cpu")
    assert straight.keys() == halves.keys()
    for key, path in straight.items():
        assert isinstance(zoo.load(path), MODULES[name].Model)
        ours, theirs = weights.load_tensors(halves[key]), weights.load_tensors(path)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[k], theirs[k]) for k in ours), key
    one, other = (torch.load(tmp_path / run / "state.pt", weights_only=True) for run in ("straight", "halves"))
    for part in ("seen", "weights", "buffers", "averages", "optimizers"):
        same(one[part], other[part], part)


def same(a, b, place):
    """Asserts that two nests of dicts, lists and tensors are bitwise equal."""
    assert type(a) is type(b), place
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), place
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), place
        for key in a:
            same(a[key], b[key], f"{place}.{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), place
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            same(x, y, f"{place}.{k}")
    else:
        assert a == b, place


# Models


@taught
def test_a_model_file_gives_the_model_back(name, tiny, training, tmp_path):
    images = torch.rand(1, 3, 64, 96)
    for key, model in training.models().items():
        assert isinstance(model, MODULES[name].Model)
        card = Card(name=key, method=name, config=dataclasses.asdict(tiny.method))
        weights.save(tmp_path / f"{key}.safetensors", model, card)
        loaded = zoo.load(tmp_path / f"{key}.safetensors")
        assert type(loaded) is type(model)
        assert loaded.config == tiny.method
        assert not loaded.training
        with torch.inference_mode():
            pairs = zip(results(loaded, images), results(model.eval(), images), strict=True)
            assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


@taught
def test_a_batch_of_two_is_two_of_one(tiny, training):
    if getattr(tiny.method, "batch_statistics", False):
        pytest.skip("the method asks for statistics of the batch")
    images = torch.rand(2, 3, 64, 96)
    for model in training.models().values():
        with torch.inference_mode():
            together = results(model.eval(), images)
            alone = [results(model, image[None]) for image in images]
        assert far(together, [torch.cat(pair) for pair in zip(*alone, strict=True)]) < 1e-4


@taught
def test_bfloat16_is_near_float32(training):
    images = torch.rand(1, 3, 64, 96)
    for model in training.models().values():
        with torch.inference_mode():
            full = results(model.eval(), images)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                half = results(model, images)
        assert all(bool(torch.isfinite(x).all()) for x in half)
        error = max(float((a.float() - b).std() / b.std()) for a, b in zip(half, full, strict=True))
        assert error < 0.1


# At work


def photo(height, width):
    rng = np.random.default_rng(height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


@learned_stylizers
def test_the_translator_keeps_an_odd_size(training):
    for model in training.models().values():
        result = Translator(model, device="cpu")(photo(37, 53), photo(41, 29))
        assert (result.size, result.mode) == ((53, 37), "RGB")


@learned_stylizers
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_the_translator_gives_what_the_model_gives(training, strength):
    content, style = photo(48, 64), photo(64, 48)
    tensors = [torch.from_numpy(np.array(p)).permute(2, 0, 1)[None].float() / 255 for p in (content, style)]
    for model in training.models().values():
        assert all(side % model.stride == 0 for side in (64, 96))
        result = Translator(model, tile=0, device="cpu", precision="fp32")(content, style, strength=strength)
        with torch.inference_mode():
            expected = model(*tensors, strength).clamp(0, 1)[0].permute(1, 2, 0) * 255
        assert float((torch.from_numpy(np.array(result)).float() - expected).abs().max()) < 0.51


@learned_stylizers
def test_tiles_make_no_difference(training):
    for model in training.models().values():
        if model.halo is None:
            pytest.skip("each place depends on all others: there are no tiles")
        whole, tiled = (
            np.array(Translator(model, tile=tile, device="cpu", precision="fp32")(photo(203, 171), photo(64, 48)))
            for tile in (0, 2 * model.halo + 64)
        )
        assert np.abs(whole.astype(int) - tiled).max() <= 1
        assert np.mean(whole != tiled) < 1e-3


@pytest.mark.parametrize("name", [name for name in METHODS if name not in TAUGHT])
def test_a_method_with_nothing_to_learn_paints_as_well(name):
    config = MODULES[name].Config()
    if hasattr(config, "iterations"):
        config = dataclasses.replace(config, iterations=(2,))
    result = MODULES[name].Model(config)(torch.rand(1, 3, 37, 53), torch.rand(1, 3, 41, 29))
    assert result.shape == (1, 3, 37, 53)
    assert float(result.min()) >= 0
    assert float(result.max()) <= 1
