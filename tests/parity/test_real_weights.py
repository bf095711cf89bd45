"""The authors' real weights: they are read, and they see and paint what they should."""

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import zoo
from sfumato.losses.style import content_loss, style_loss
from sfumato.methods import microast
from sfumato.nets.norms import moments
from sfumato.nets.perceptual import read_network

LAYERS = ["relu1_1", "relu2_1", "relu3_1"]


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def weights(real_data):
    return real_data / "weights"


@pytest.fixture(scope="module")
def true_vgg(weights):
    return read_network(str(weights / "vgg19_wct" / "vgg_normalised_conv3_1.pth"))


@pytest.fixture(scope="module")
def photos(real_data):
    """The middles of six of the Kodak pictures, (6, 3, 192, 160)."""
    paths = sorted((real_data / "photos" / "kodak24_unrestricted").glob("*.jpg"))[:24:8]
    return torch.stack([read(path, 160) for path in paths])


@pytest.fixture(scope="module")
def paintings(real_data):
    paths = sorted((real_data / "paintings" / "pd_masters").glob("*.jpg"))[:60:20]
    return torch.stack([read(path, 160) for path in paths])


def read(path, side):
    """The middle of a picture, (3, side, side) in [0, 1]."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    pixels = np.array(picture.crop((left, top, left + side, top + side)))
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def test_the_normalised_vgg_has_mean_activations_near_one(true_vgg, photos):
    assert true_vgg.flavour == "normalised"
    assert true_vgg.layers[-1] == "relu3_1"
    for x in true_vgg(photos, LAYERS).values():
        assert 0.6 < float(x.mean()) < 1.4


@pytest.mark.parametrize(("name", "layer", "channels"), [("4SE", "relu4_1", 512), ("5SE", "relu5_1", 512)])
def test_the_small_vggs_have_the_full_widths(weights, photos, name, layer, channels):
    small = read_network(str(weights / "vgg19_16x_collab_distill" / f"{name}.pth"))
    assert small.layers[-1] == layer
    features = small(photos[:1], small.layers)
    assert features[layer].shape[1] == channels
    assert all(float(x.std()) > 0 for x in features.values())


def test_the_small_vgg_sees_nearly_what_the_true_one_sees(weights, true_vgg, photos):
    small = read_network(str(weights / "vgg19_16x_collab_distill" / "5SE.pth"))
    ours, theirs = small(photos, LAYERS), true_vgg(photos, LAYERS)
    for layer, expected in zip(LAYERS, (0.97, 0.81, 0.65), strict=True):
        error = (ours[layer] - theirs[layer]).square().mean()
        spread = (theirs[layer] - theirs[layer].mean((0, 2, 3), keepdim=True)).square().mean()
        r2 = float(1 - error / spread)
        print(f"{layer}: R2 {r2:.3f}")
        assert abs(r2 - expected) < 0.08


@pytest.fixture(scope="module")
def official(weights):
    roles = microast.OFFICIAL_ROLES
    return zoo.import_official("microast", {r: weights / "microast" / f"{r}_iter_160000.pth.tar" for r in roles})


def test_the_official_microast_paints(official, true_vgg, photos, paintings):
    results = official(photos, paintings)
    assert 0.25 < float(results.mean()) < 0.55
    of_style = {layer: moments(x) for layer, x in true_vgg(paintings, LAYERS).items()}
    before, after = (style_loss(true_vgg(x, LAYERS), of_style).mean() for x in (photos, results))
    moved, unlike = (
        content_loss(true_vgg(x, ["relu3_1"])["relu3_1"], true_vgg(photos, ["relu3_1"])["relu3_1"]).mean()
        for x in (results, paintings)
    )
    print(f"style {before:.2f} -> {after:.2f}; content {moved:.2f}, of another picture {unlike:.2f}")
    assert after < 0.5 * before
    assert moved < 0.6 * unlike


def test_the_official_microast_is_one_of_our_models(official, tmp_path):
    other = microast.Model(official.config)
    other.load_state_dict(official.state_dict())
    x = torch.rand(1, 3, 32, 48)
    assert torch.equal(other(x, x), official(x, x))
