"""The bundled stylizer keeps what its card and the README promise, on photographs and paintings it never saw.

Pictures and judges are those of benchmarks/quality.py, fewer of them.
"""

import pytest
import torch

from sfumato import zoo

COUNT, SIDE = 4, 256
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
ROLES = ("content_encoder", "style_encoder", "modulator", "decoder")


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def quality(benchmark):
    return benchmark("quality")


@pytest.fixture(scope="module")
def pairs(quality, real_data):
    """Photographs, each with a painting that was held out from the training."""
    return quality.pairs(real_data, SIDE, COUNT)


@pytest.fixture(scope="module")
def judges(quality, real_data):
    return {name: quality.Judge(real_data, name) for name in quality.JUDGES}


@pytest.fixture(scope="module")
def bundled():
    return zoo.load("microast/art")


def test_no_picture_is_squashed(pairs):
    """The Kodak pictures have 3:2 or 2:3."""
    assert {tuple(content.shape[2:]) for content, _ in pairs} <= {(168, 256), (256, 168)}


def test_strength_0_is_the_photograph(bundled, pairs):
    for content, style in pairs:
        assert (bundled(content, style, 0.0) - content).abs().max() < 1e-4


def test_the_network_itself_keeps_much_and_half_the_strength_is_no_mix_of_pixels(quality, bundled, pairs):
    found = quality.ends_and_middle(bundled, pairs)
    given_back, alone, apart = found.values()
    assert given_back > 25
    assert alone > 19
    assert apart > 0.15


def test_style_grows_and_content_goes_with_the_strength(quality, bundled, pairs, judges):
    steps = [quality.losses(bundled, judges, pairs, strength) for strength in STRENGTHS]
    for name in judges:
        contents, styles = ([step[f"{name} {kind}"] for step in steps] for kind in ("content", "style"))
        assert contents == sorted(contents)
        assert styles == sorted(styles, reverse=True)
        assert styles[-1] < 0.5 * styles[0]


def test_losses_are_near_those_of_the_authors_weights(quality, bundled, pairs, judges, real_data):
    files = {role: real_data / f"weights/microast/{role}_iter_160000.pth.tar" for role in ROLES}
    theirs = quality.losses(zoo.import_official("microast", files), judges, pairs)
    for name, ours in quality.losses(bundled, judges, pairs).items():
        assert ours < 1.15 * theirs[name], name


def test_bf16_is_within_a_hundredth(bundled, pairs):
    for content, style in pairs:
        exact = bundled(content, style)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            near = bundled(content, style).float()
        assert (near - exact).square().mean().sqrt() < 0.01 * exact.std()
