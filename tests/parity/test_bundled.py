"""The bundled stylizer keeps what its card and the README promise, on photographs and paintings it never saw."""

import pytest
import torch

from sfumato import image, zoo
from sfumato.losses.style import content_loss, style_loss
from sfumato.nets.norms import moments
from sfumato.nets.perceptual import read_network

PAIRS = 4
SIDE = 256
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
JUDGES = {
    "vgg19": ("vgg19_wct/vgg_normalised_conv3_1.pth", "relu3_1", ["relu1_1", "relu2_1", "relu3_1"]),
    "small": ("vgg19_16x_collab_distill/4SE.pth", "relu4_1", ["relu4_1"]),
}
ROLES = ("content_encoder", "style_encoder", "modulator", "decoder")


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


def tensor(path):
    picture = image.read(path)
    scale = SIDE / max(picture.height, picture.width)
    size = tuple(round(n * scale / 8) * 8 for n in (picture.height, picture.width))
    return image.resize(picture, size=size).tensor()


@pytest.fixture(scope="module")
def pairs(real_data, repository):
    """Photographs with paintings that were held out from the training."""
    held_out = (repository / "benchmarks" / "held_out.txt").read_text().split()
    paintings = [real_data / "paintings" / name for name in held_out if (real_data / "paintings" / name).exists()]
    photos = sorted((real_data / "photos" / "kodak24_unrestricted").glob("*.[jp][pn]g"))
    return [(tensor(c), tensor(s)) for c, s in zip(photos[::5][:PAIRS], paintings[::5][:PAIRS], strict=True)]


@pytest.fixture(scope="module")
def bundled():
    return zoo.load("microast/art")


@pytest.fixture(scope="module", params=JUDGES)
def judge(request, real_data):
    """Content and style loss of a model over the pairs, at some strength."""
    file, deep, layers = JUDGES[request.param]
    network = read_network(str(real_data / "weights" / file))

    def losses(model, pairs, strength=1.0):
        total = torch.zeros(2)
        for content, style in pairs:
            found = network(model(content, style, strength).clamp(0, 1), {deep, *layers})
            goals = {k: moments(x) for k, x in network(style, layers).items()}
            total += torch.stack(
                [
                    content_loss(found[deep], network(content, [deep])[deep]).sum(),
                    style_loss({k: found[k] for k in layers}, goals).sum(),
                ]
            )
        return (total / len(pairs)).tolist()

    return losses


def test_strength_0_is_the_photograph(bundled, pairs):
    for content, style in pairs:
        assert (bundled(content, style, 0.0) - content).abs().max() < 1e-4


def test_the_network_itself_keeps_a_photograph_that_keeps_its_own_code(bundled, pairs):
    """What is given back at low strength is little, or strength would mix pixels."""
    for content, _ in pairs:
        error = (bundled.render(content, bundled.encode_style(content)).clamp(0, 1) - content).square().mean()
        assert error < 10**-1.7


def test_style_grows_and_content_goes_with_the_strength(bundled, pairs, judge):
    contents, styles = zip(*(judge(bundled, pairs, strength) for strength in STRENGTHS), strict=True)
    assert list(contents) == sorted(contents)
    assert list(styles) == sorted(styles, reverse=True)
    assert styles[-1] < 0.5 * styles[0]


def test_half_the_strength_is_no_mix_of_pixels(bundled, pairs):
    for content, style in pairs:
        half, full = (bundled(content, style, s) for s in (0.5, 1.0))
        apart = (half - (content + full) / 2).square().mean().sqrt()
        assert apart > 0.1 * (full - content).square().mean().sqrt()


def test_losses_are_near_those_of_the_authors_weights(bundled, pairs, judge, real_data):
    files = {role: real_data / f"weights/microast/{role}_iter_160000.pth.tar" for role in ROLES}
    theirs = judge(zoo.import_official("microast", files), pairs)
    for ours, their in zip(judge(bundled, pairs), theirs, strict=True):
        assert ours < 1.15 * their


def test_bf16_is_within_a_hundredth(bundled, pairs):
    for content, style in pairs:
        exact = bundled(content, style)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            near = bundled(content, style).float()
        assert (near - exact).square().mean().sqrt() < 0.01 * exact.std()
