"""AdaIN against what pytorch-AdaIN gave: its files are read and its numbers come out."""

import pytest
import torch

from sfumato.methods import adain
from sfumato.nets.colors import coral
from sfumato.nets.mirror import make_decoder
from sfumato.nets.norms import blend

pytestmark = pytest.mark.usefixtures("_without_gradients")


@pytest.fixture
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def model(golden):
    return adain.from_official(golden("adain").states).eval()


@pytest.mark.parametrize(("name", "strength"), [("output", 1.0), ("output_alpha05", 0.5)])
def test_output(golden, picture, equal, model, name, strength):
    equal(model(picture(64, 64), picture(64, 80, 1.0), strength), golden("adain")[name])


def test_strength_by_picture(golden, picture, equal, model):
    content, style = (p.expand(2, -1, -1, -1) for p in (picture(64, 64), picture(64, 80, 1.0)))
    results = model(content, style, torch.tensor([1.0, 0.5])[:, None, None, None])
    equal(results[:1], golden("adain")["output"])
    equal(results[1:], golden("adain")["output_alpha05"])


def test_odd_sizes_come_back_as_the_next_multiples_of_eight(golden, picture, equal, model):
    equal(model(picture(50, 70), picture(45, 61, 1.0)), golden("adain")["output_odd"])


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu3_1"])
def test_means_of_features(golden, picture, equal, model, layer):
    equal(model.encoder(picture(64, 64), [layer])[layer].mean((2, 3)), golden("adain")[f"{layer}_mean"])


def test_features(golden, picture, equal, model):
    equal(model.encode(picture(64, 64)), golden("adain")["relu4_1"])


def test_two_styles(golden, picture, equal, model):
    codes = [model.encode_style(picture(64, 64, phase)) for phase in (1.0, 2.0)]
    equal(model.render(picture(64, 64), blend(codes, [0.25, 0.75])), golden("adain")["interp"])


def test_two_styles_by_place(golden, picture, equal, model):
    codes = [model.encode_style(picture(64, 64, phase)) for phase in (1.0, 2.0)]
    maps = [torch.full((1, 1, 64 // model.code_stride, 64 // model.code_stride), weight) for weight in (0.25, 0.75)]
    equal(model.render(picture(64, 64), blend(codes, maps)), golden("adain")["interp"])


def test_coral(golden, picture, equal):
    style, content = picture(64, 80, 1.0)[0], picture(64, 64)[0]
    equal(coral(style, content, as_published=True), golden("adain")["coral"])


def test_losses(golden, picture, equal, vgg_file):
    config = adain.Config(encoder="vgg19", encoder_weights=vgg_file, width=64, content_weight=1.0, style_weight=1.0)
    training = adain.Training(config)
    training.model.decoder.load_state_dict(golden("adain").states["decoder"])
    terms = next(training.learn({"content": picture(64, 64), "style": picture(64, 64, 1.0)}))
    equal(torch.stack([terms["content"], terms["style"]]), golden("adain")["losses"])


def test_the_decoder_is_the_papers_when_it_is_as_wide(golden):
    decoder = make_decoder(512, 64)
    assert {k: v.shape for k, v in decoder.state_dict().items()} == {
        k: v.shape for k, v in golden("adain").states["decoder"].items()
    }
    assert sum(p.numel() for p in decoder.parameters()) == 3_505_219
