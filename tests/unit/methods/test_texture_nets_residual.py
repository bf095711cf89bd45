"""The improved texture network for one style: the authors' `models/johnson.lua`, in tiles, at any size, taught."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import sfumato
from sfumato import weights
from sfumato.card import Card
from sfumato.data.swatch import ContentSwatch
from sfumato.errors import RecipeError
from sfumato.methods import texture_nets
from sfumato.nets.texture_nets import Residual
from sfumato.recipes import texture_nets as recipes
from sfumato.train import train
from sfumato.translate import Translator

TINY = texture_nets.Config(kind="stylization", network="residual", norm="instance", width=4)


class Sum(nn.Module):
    """Lua's ConcatTable of the identity and a block, and its CAddTable."""

    def __init__(self, *block):
        super().__init__()
        self.block = nn.Sequential(*block)

    def forward(self, x):
        return x + self.block(x)


def pad_conv(in_channels, out_channels, kernel, stride=1):
    return [nn.ReplicationPad2d(kernel // 2), nn.Conv2d(in_channels, out_channels, kernel, stride)]


def norm(channels):
    return nn.InstanceNorm2d(channels, eps=1e-5, affine=True)


def from_lua():
    """The description of the network, line by line, by torch's own modules."""
    ups = [nn.ConvTranspose2d(i, o, 3, 2, padding=1, output_padding=1) for i, o in ((128, 64), (64, 32))]
    residual = [Sum(*pad_conv(128, 128, 3), norm(128), nn.ReLU(), *pad_conv(128, 128, 3), norm(128)) for _ in range(5)]
    return nn.Sequential(
        *(*pad_conv(3, 32, 9), norm(32), nn.ReLU()),
        *(*pad_conv(32, 64, 3, 2), norm(64), nn.ReLU()),
        *(*pad_conv(64, 128, 3, 2), norm(128), nn.ReLU()),
        *residual,
        *(ups[0], norm(64), nn.ReLU()),
        *(ups[1], norm(32), nn.ReLU()),
        *pad_conv(32, 3, 3),
    )


@pytest.fixture(scope="module")
def pair():
    """The network, all its weights random, and the plain one with the same, both in float64."""
    torch.manual_seed(0)
    network, plain = Residual().double(), from_lua().double()
    with torch.no_grad():
        for ours, theirs in zip(network.parameters(), plain.parameters(), strict=True):
            assert ours.shape == theirs.shape
            if ours.dim() == 1:
                ours.normal_()
            theirs.copy_(ours)
    return network, plain


@pytest.fixture
def model():
    return texture_nets.Model(TINY).eval()


@pytest.fixture
def swatch(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "swatch.png")
    return str(tmp_path / "swatch.png")


def photo(height, width):
    return Image.fromarray(np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8))


# The network


@pytest.mark.parametrize("size", [(64, 96), (37, 53), (46, 31)])
def test_it_is_that_of_the_authors(pair, size):
    network, plain = pair
    x = torch.rand(2, 3, *size, dtype=torch.float64)
    expected = plain(x)
    assert expected.shape[-2:] == tuple(-(-side // 4) * 4 for side in size)
    torch.testing.assert_close(network(x), expected[..., : size[0], : size[1]], rtol=1e-8, atol=1e-8)


def test_its_gradients_are_those_of_torch(pair):
    x = torch.rand(1, 3, 32, 24, dtype=torch.float64)
    goal = torch.rand(1, 3, 32, 24, dtype=torch.float64)
    found, exact = (torch.autograd.grad((n(x) * goal).sum(), list(n.parameters())) for n in pair)
    for ours, theirs in zip(found, exact, strict=True):
        # Biases before a normalisation have none; and our normalisation's gradient is computed in float32.
        assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max().clamp(min=1)


def test_its_size(pair):
    convolutions = 3 * 32 * 81 + 9 * (32 * 64 + 64 * 128 + 10 * 128 * 128 + 128 * 64 + 64 * 32 + 32 * 3)
    channels = 32 + 64 + 128 + 10 * 128 + 64 + 32
    for network in pair:
        assert sum(p.numel() for p in network.parameters()) == convolutions + 3 * channels + 3 == 1_672_323


def test_first_weights_are_those_of_torch7():
    for name, module in Residual().named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            bound = (module.in_channels * module.kernel_size[0] ** 2) ** -0.5
            assert 0.95 * bound < module.weight.abs().max() <= bound, name
            assert module.bias.abs().max() <= bound, name
        elif name.endswith(".norm"):
            assert 0 <= module.weight.min() < 0.2 < 0.8 < module.weight.max() <= 1, name
            assert not module.bias.any(), name


def test_the_halo_is_what_a_place_depends_on(monkeypatch):
    network = Residual(4).eval().double()
    monkeypatch.setattr("sfumato.nets.norms.instance_norm", lambda x: x)  # what is asked of the whole picture aside
    with torch.no_grad():
        x = torch.rand(1, 3, 160, 160).double()
        left, right = x.clone(), x.clone()
        left[..., :80] += 1
        right[..., 80:] += 1
        of_left, of_right = ((network(x) - network(y)).abs().amax((0, 1, 2)).nonzero() for y in (left, right))
    reach = max(int(of_left.max()) - 79, 80 - int(of_right.min()))
    assert network.halo - 16 <= reach <= network.halo


# The model


@torch.inference_mode()
def test_results_are_blue_first_and_lack_caffes_mean(model):
    model.network.out.weight.zero_()
    model.network.out.bias.copy_(torch.tensor([255 - 103.939, -116.779, 51 - 123.68]))
    result = model(torch.rand(1, 3, 8, 12))
    torch.testing.assert_close(result, torch.tensor([0.2, 0.0, 1.0])[:, None, None].expand(1, 3, 8, 12))


@pytest.mark.parametrize("size", [(37, 53), (8, 9), (5, 1), (64, 96)])
@torch.inference_mode()
def test_any_size(model, size):
    assert model(torch.rand(1, 3, *size)).shape == (1, 3, *size)
    assert Translator(model, device="cpu")(photo(*size)).size == size[::-1]


@torch.inference_mode()
def test_the_translator_gives_what_the_model_gives(model):
    result = Translator(model, tile=0, device="cpu", precision="fp32")(photo(48, 64))
    image = torch.from_numpy(np.array(photo(48, 64))).permute(2, 0, 1)[None].float() / 255
    expected = model(image).clamp(0, 1)[0].permute(1, 2, 0) * 255
    assert expected.std() > 1
    assert (torch.from_numpy(np.array(result)).float() - expected).abs().max() < 0.51


def test_tiles_make_no_difference(model):
    with torch.no_grad():
        model.network.out.weight.mul_(100)  # first results are grey
    whole, tiled = (
        np.array(Translator(model, tile=tile, device="cpu", precision="fp32")(photo(203, 171)))
        for tile in (0, 2 * model.halo + 32)
    )
    assert whole.std() > 20
    assert np.abs(whole.astype(int) - tiled).max() <= 1
    assert np.mean(whole != tiled) < 1e-3


@torch.inference_mode()
def test_a_picture_has_one_result_alone_and_beside_others(model):
    assert not model.draws
    images, state = torch.rand(2, 3, 40, 48), torch.get_rng_state()
    together = model(images)
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(together, torch.cat([model(image[None]) for image in images]), rtol=0, atol=1e-5)


@torch.inference_mode()
def test_bfloat16_is_near_float32(model):
    image = torch.rand(1, 3, 64, 96)
    full = model(image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model(image)
    assert half.dtype == torch.float32
    assert (half - full).std() < 0.1 * full.std()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "texture"}, "method.network: residual sees a picture and no noise"),
        ({"norm": "batch"}, "method.norm: the residual network"),
        ({"diversity_weight": 0.1}, "method.diversity_weight: the residual network has one result"),
    ],
)
def test_contradictions(changes, message):
    config = dataclasses.replace(TINY, **changes)
    for kind in (texture_nets.Model, texture_nets.Training):
        with pytest.raises(RecipeError, match=message):
            kind(config)
    texture_nets.check(dataclasses.replace(config, network="pyramid"))


# Training


def test_it_learns(swatch, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for k in range(4):
        photo(48 + k, 64).save(photos / f"{k}.png")
    recipe = dataclasses.replace(
        recipes.improved(),
        method=dataclasses.replace(recipes.improved().method, width=4),
        data=ContentSwatch(style=(swatch,), content=(str(photos),), size=32, shorter=(32, 48), style_px=48),
        images=64,
        optimizers={"generator": recipes.Optimizer(lr=0.1)},
        workers=0,
        log_every=4,
    )
    made = train(recipe, tmp_path / "run", device="cpu")
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    losses = [line["generator/style"] for line in lines if "generator/style" in line]
    assert sum(losses[-4:]) < 0.6 * sum(losses[:4])
    model = sfumato.load(made["stylization"])
    assert model.config == recipe.method
    assert Translator(model, device="cpu")(swatch).size == (60, 40)


def test_a_model_file_gives_the_model_back(model, tmp_path):
    path = tmp_path / "m.safetensors"
    weights.save(path, model, Card(name="m", method="texture_nets", config=dataclasses.asdict(TINY)))
    loaded, image = sfumato.load(path), torch.rand(1, 3, 32, 48)
    assert loaded.config == TINY
    with torch.inference_mode():
        assert torch.equal(loaded(image), model(image))
