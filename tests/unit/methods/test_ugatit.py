"""U-GAT-IT: both versions, files of the authors, the map of attention, and what a step keeps in bounds."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import zoo
from sfumato.errors import OptionError, RecipeError, WeightsError
from sfumato.methods import ugatit
from sfumato.nets.spectral import Spectral, SpectralConv2d
from sfumato.nets.ugatit import AdaLIN, official_names
from sfumato.recipes import ugatit as recipes
from sfumato.train.state import State
from sfumato.translate import Translator

TINY = recipes.tiny().method
FULL = dataclasses.replace(TINY, light=False, image_size=32)


def official(training):
    """The networks as the authors' file has them."""
    found = {}
    for place, name in ugatit.NETWORKS.items():
        network = training.get_submodule(place)
        own = network.state_dict()
        found[name] = {theirs: as_theirs(network, ours, own[ours]) for ours, theirs in official_names(network).items()}
    return found


def as_theirs(network, key, tensor):
    layer, leaf = network.get_submodule(key.rpartition(".")[0]), key.rpartition(".")[2]
    if not isinstance(layer, SpectralConv2d) or leaf in ("u", "bias"):
        return tensor
    filters = tensor.unflatten(-1, (layer.kernel, layer.kernel, -1)).movedim(-1, -3)
    return filters.contiguous() if leaf == "weight" else filters.flatten()


def written(config, path):
    training = ugatit.Training(config)
    torch.save(official(training), path)
    return training


def batch(size, count=1):
    return {kind: torch.rand(count, 3, size, size) for kind in "ab"}


def one_step(training, pictures, lr=1e-3):
    lesson = training.learn(pictures)
    for group in training.order():
        own = [p for network in training.groups()[group] for p in network.parameters()]
        for p in training.parameters():
            p.requires_grad_(any(p is q for q in own))
        sum(next(lesson).values()).backward(inputs=own)
        torch.optim.SGD(own, lr).step()
    assert next(lesson, None) is None


# Files


@pytest.mark.parametrize(
    "config",
    [
        TINY,
        FULL,
        dataclasses.replace(TINY, width=8, blocks=3, global_layers=4),
        dataclasses.replace(FULL, image_size=64, blocks=2, discriminator_width=8, local_layers=1),
    ],
)
@pytest.mark.parametrize("direction", ["a2b", "b2a"])
def test_a_file_tells_what_it_is(config, direction, tmp_path):
    training = written(config, tmp_path / "params.pt")
    model = zoo.import_official("ugatit", {"params": tmp_path / "params.pt"}, direction=direction)
    assert model.config == dataclasses.replace(config, image_size=256 if config.light else config.image_size)
    images = torch.rand(1, 3, config.image_size % 256 or 32, config.image_size % 256 or 32)
    with torch.inference_mode():
        assert torch.equal(model(images), training.models()[direction].eval()(images))


def test_a_generator_alone_is_enough(tmp_path):
    training = ugatit.Training(TINY)
    torch.save(official(training)["genB2A"], tmp_path / "genB2A.pt")
    model = zoo.import_official("ugatit", {"params": tmp_path / "genB2A.pt"})
    assert torch.equal(model.network.head.weight, training.b2a.network.head.weight)


def test_a_model_goes_through_a_file_of_its_own(tmp_path):
    written(FULL, tmp_path / "params.pt")
    zoo.convert("ugatit", {"params": tmp_path / "params.pt"}, tmp_path / "a2b.safetensors")
    assert not zoo.load(tmp_path / "a2b.safetensors").config.light


def test_files_of_others_are_refused(tmp_path):
    torch.save({"genA2B": {"model.1.weight": torch.ones(4, 3, 7, 7)}}, tmp_path / "params.pt")
    with pytest.raises(WeightsError, match=r"not a generator of U-GAT-IT: .* is missing"):
        zoo.import_official("ugatit", {"params": tmp_path / "params.pt"})
    networks = official(ugatit.Training(TINY))
    del networks["genA2B"]["UpBlock2.3.gamma"]
    torch.save(networks, tmp_path / "params.pt")
    with pytest.raises(WeightsError, match=r"1 missing: ups\.0\.norm\.gamma"):
        zoo.import_official("ugatit", {"params": tmp_path / "params.pt"})
    with pytest.raises(OptionError, match="direction 'up' is none of a2b, b2a"):
        zoo.import_official("ugatit", {"params": tmp_path / "params.pt"}, direction="up")


def test_training_starts_with_a_file(tmp_path):
    path = tmp_path / "params.pt"
    training = written(TINY, path)
    again = ugatit.Training(dataclasses.replace(TINY, start=str(path)))
    ours, theirs = again.state_dict(), training.state_dict()
    assert all(torch.equal(ours[key], tensor) for key, tensor in theirs.items())
    with pytest.raises(WeightsError, match=r"params\.pt, genA2B: .*of another shape"):
        ugatit.Training(dataclasses.replace(TINY, width=8, start=str(path)))
    with pytest.raises(WeightsError, match=r"params\.pt, disGA: 4 unexpected"):
        ugatit.Training(dataclasses.replace(TINY, global_layers=2, start=str(path)))


# Sizes


def test_the_full_version_is_bound_to_its_size():
    model = ugatit.Model(FULL).eval()
    with torch.inference_mode():
        assert model(torch.rand(2, 3, 32, 32)).shape == (2, 3, 32, 32)
        for call in (model, model.heatmap):
            with pytest.raises(OptionError, match="takes 32x32 pixels alone, not 48x32"):
                call(torch.rand(1, 3, 32, 48))
    with pytest.raises(OptionError, match="takes 32x32 pixels alone, not 64x64"):
        next(ugatit.Training(FULL).learn(batch(64)))
    with pytest.raises(OptionError, match="image_size 30 is no multiple of 4"):
        ugatit.Model(dataclasses.replace(FULL, image_size=30))


def test_the_full_version_translates_what_is_no_larger():
    model = Translator(ugatit.Model(FULL), device="cpu", precision="fp32")
    assert model(picture(20, 32)).size == (32, 20)
    with pytest.raises(OptionError, match="takes 32x32 pixels alone"):
        model(picture(40, 32))


def test_the_full_version_learns():
    training = ugatit.Training(FULL)
    before = training.a2b.network.style[0].weight.clone()
    assert before.shape[1] == 16 * 64  # a quarter of 32 pixels either way, 4 times the width
    one_step(training, batch(32))
    assert not torch.equal(training.a2b.network.style[0].weight, before)


@pytest.mark.parametrize(("layers", "smallest"), [(1, 6), (3, 24)])
def test_discriminators_say_which_pictures_are_too_small(layers, smallest):
    training = ugatit.Training(dataclasses.replace(TINY, global_layers=layers, local_layers=1))
    side = -(-smallest // 4) * 4
    one_step(training, batch(side))
    with pytest.raises(RecipeError, match=rf"{side - 4} pixels are too few .* need {smallest}"):
        next(training.learn(batch(side - 4)))


# Attention


@torch.inference_mode()
def test_the_map_of_attention():
    model, images = ugatit.Model(TINY).eval(), torch.rand(2, 3, 40, 24)
    heatmap = model.heatmap(images)
    assert heatmap.image.shape == (2, 1, 40, 24)
    assert heatmap.raw.shape == (2, 1, 10, 6)
    for one in heatmap.image:
        assert (float(one.min()), float(one.max())) == (0.0, 1.0)
    features = model.network.attend(model.network.encode(images * 2 - 1))
    torch.testing.assert_close(heatmap.raw[:, 0], features.sum(1))
    flat = model.heatmap(torch.full((1, 3, 16, 16), 0.5)).image
    assert torch.isfinite(flat).all()


# Steps


def test_rho_stays_between_0_and_1():
    training = ugatit.Training(TINY)
    norms = [m for m in training.modules() if isinstance(m, AdaLIN)]
    assert {round(float(norm.rho.detach().mean()), 6) for norm in norms} == {0.0, 0.9}
    for i, norm in enumerate(norms):
        norm.rho.data.fill_(1.5 if i % 2 else -0.5)
    one_step(training, batch(32), lr=1e-9)
    for i, norm in enumerate(norms):
        assert float(norm.rho.detach().mean()) == pytest.approx(i % 2, abs=1e-4)
        assert 0 <= float(norm.rho.detach().min()) <= float(norm.rho.detach().max()) <= 1


def test_each_group_is_taught_alone():
    training, pictures = ugatit.Training(TINY), batch(32)
    lesson = training.learn(pictures)
    sum(next(lesson).values()).backward()
    assert all(p.grad is None for model in (training.a2b, training.b2a) for p in model.parameters())
    for p in training.discriminators.parameters():
        p.grad = None
    training.discriminators.requires_grad_(False)
    sum(next(lesson).values()).backward()
    assert all(p.grad is None for p in training.discriminators.parameters())
    assert all(p.grad is not None for model in (training.a2b, training.b2a) for p in model.parameters())


def test_the_vectors_of_spectral_norms_are_part_of_a_run():
    recipe = dataclasses.replace(recipes.tiny(), precision="fp32")
    state = State(recipe, torch.device("cpu"))
    layers = [m for m in state.training.modules() if isinstance(m, Spectral)]
    assert len(layers) == 2 * ((4 + 3) + (3 + 3))
    buffers = dict(state.training.named_buffers())
    assert {id(t) for t in buffers.values()} == {id(t) for layer in layers for t in (layer.u, layer.v)}
    before = {key: tensor.clone() for key, tensor in buffers.items()}
    state.step(batch(32, recipe.batch))
    moved = [key for key, tensor in buffers.items() if not torch.equal(tensor, before[key])]
    assert len(moved) > len(buffers) / 2  # of a single row the one number of u keeps its sign


def test_weights_come_with_the_terms():
    none = dataclasses.replace(TINY, adversarial_weight=0, cycle_weight=0, identity_weight=0, cam_weight=1)
    lesson = ugatit.Training(none).learn(batch(32))
    assert sum(next(lesson).values()) == 0
    assert {name for name, term in next(lesson).items() if term} == {"cam_a", "cam_b"}


# At work


def picture(height, width):
    rng = np.random.default_rng(height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def test_tiles_make_no_difference():
    model = ugatit.Model(dataclasses.replace(TINY, width=8))
    assert model.network.halo == 28
    whole, tiled = (
        np.array(Translator(model, tile=tile, device="cpu", precision="fp32")(picture(203, 171))).astype(int)
        for tile in (0, 128)
    )
    assert np.abs(whole - tiled).max() <= 1
    assert np.mean(whole != tiled) < 1e-3
