"""Texture networks against the recorded results of the networks released in 2016."""

import numpy as np
import pytest
import torch
from parity.conftest import FOLDER
from parity.golden.fill import golden_image

import sfumato

SCALES = {"pebble": (32, 16, 8, 4, 2, 1), "starry": (16, 8, 4, 2, 1)}


@pytest.fixture(params=SCALES)
def name(request):
    return request.param


@pytest.fixture
def model(name):
    return sfumato.import_official("texture_nets", {"model": FOLDER / f"texnet_v1_{name}.npz"})


def inputs(name):
    """Noise, and behind two made pictures for a style, at each scale."""
    draw, scales = np.random.RandomState(0), SCALES[name]
    noise = [torch.from_numpy(draw.rand(2, 3, 128 // r, 128 // r).astype(np.float32)) for r in scales]
    if name == "pebble":
        return noise
    content = torch.stack([torch.from_numpy(golden_image(128, 128, 3, 0.5 * k)) for k in range(2)])
    pooled = [torch.nn.functional.avg_pool2d(content, r) for r in scales]
    return [torch.cat(pair, 1) for pair in zip(pooled, noise, strict=True)]


@torch.inference_mode()
def test_output(name, model):
    recorded = torch.from_numpy(np.load(FOLDER / f"texnet_v1_{name}.npz", allow_pickle=False)["output"])
    difference = float((model.network(inputs(name)) - recorded).abs().max() / recorded.std())
    print(f"largest difference {difference:.1e} of the standard deviation")
    assert difference < 1e-3


@torch.inference_mode()
def test_own_inputs_are_those_of_the_authors(name, model):
    given = inputs(name)
    assert model.network.sizes(128, 128) == [tuple(z.shape[-2:]) for z in given]
    if name == "starry":
        content = torch.stack([torch.from_numpy(golden_image(128, 128, 3, 0.5 * k)) for k in range(2)])
        made = model.with_noise(content, [z[:, 3:] for z in given])
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(made, given, strict=True))


def test_size(name, model):
    assert sum(p.numel() for p in model.parameters()) == {"pebble": 116_915, "starry": 68_507}[name]
