"""MicroAST against what the authors' code gave: their files are read and their numbers come out."""

import pytest
import torch

from sfumato.methods import microast


@pytest.fixture(scope="module")
def model(golden):
    return microast.from_official(golden("microast").states).eval()


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


def test_output(golden, picture, equal, model):
    equal(model(picture(64, 64), picture(64, 80, 1.0)), golden("microast")["output"])


def test_odd_sizes_come_back_as_the_next_multiples_of_four(golden, picture, equal, model):
    equal(model(picture(50, 70), picture(45, 61, 1.0)), golden("microast")["output_odd"])


def test_content_features(golden, picture, equal, model):
    equal(model.content_encoder(picture(64, 64))[1], golden("microast")["content_feat2"])


def test_filter_modulation_signals(golden, picture, equal, model):
    _, _, weight1, bias1, _, _, weight2, bias2 = model.encode_style(picture(64, 80, 1.0))
    equal(torch.cat([weight1, weight2]).flatten(1), golden("microast")["filter_weights"])
    equal(torch.cat([bias1, bias2]).flatten(1), golden("microast")["filter_biases"])


def test_losses(golden, picture, equal, model, vgg_file):
    config = microast.Config(perceptual=(vgg_file,), content_weight=1.0, style_weight=1.0, contrastive_weight=1.0)
    training = microast.Training(config)
    training.model.load_state_dict(model.state_dict())
    content = torch.cat([picture(64, 64, 0.5 * k) for k in range(2)])
    style = torch.cat([picture(64, 64, 1.0 + 0.5 * k) for k in range(2)])
    terms = next(training.learn({"content": content, "style": style}))
    equal(torch.stack([terms["content"], terms["style"], terms["contrastive"]]), golden("microast")["losses"])


def test_size(model):
    assert sum(p.numel() for p in model.parameters()) == 471_987
