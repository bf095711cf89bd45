"""AdaIN: what its strength does, how far it sees, and which files it refuses."""

import pytest
import torch

from sfumato.card import Card
from sfumato.errors import OptionError
from sfumato.methods import adain
from sfumato.nets.mirror import make_decoder
from sfumato.nets.norms import moments
from sfumato.nets.vgg import VGG, CompactVGG
from sfumato.weights import save


@pytest.fixture(params=["compact", "vgg19"])
def model(request):
    model = adain.Model(adain.Config(encoder=request.param, width=4)).eval()
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.kernel_size == (3, 3):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return model


@torch.inference_mode()
def test_strength_0_decodes_the_content_itself(model):
    content, style = torch.rand(1, 3, 40, 48), 0.2 * torch.rand(1, 3, 40, 48)
    plain = model.decoder(model.encode(content))
    assert (model(content, style, 0.0) - plain).abs().max() < 1e-4 * plain.std()
    assert (model(content, style, 1.0) - plain).std() > 0.01 * plain.std()


@torch.inference_mode()
def test_strength_mixes_the_features(model):
    content, style = torch.rand(2, 1, 3, 40, 48)
    own, full = model.encode(content), model.transfer(model.encode(content), model.encode_style(style))
    mixed = model.transfer(own, model.encode_style(style), 0.3)
    assert (mixed - (0.7 * own + 0.3 * full)).abs().max() < 1e-4 * own.std()


@torch.inference_mode()
def test_the_decoded_features_have_the_moments_of_the_style(model):
    content, style = torch.rand(1, 3, 40, 48), torch.rand(1, 3, 32, 32)
    features = model.encode(style)
    transferred = model.transfer(model.encode(content), model.encode_style(style))
    spread = moments(model.encode(content))[1] > 0.1  # a channel that the content leaves flat stays so
    for ours, theirs in zip(moments(transferred), moments(features), strict=True):
        assert (ours - theirs)[spread].abs().max() < 1e-3 * features.std()


@torch.inference_mode()
def test_a_tile_with_its_halo_is_exact(model):
    content, code = torch.rand(1, 3, 240, 208), model.encode_style(torch.rand(1, 3, 64, 64))
    whole, statistics = model.render(content, code), moments(model.encode(content))
    model.moments.register_forward_hook(lambda *_: statistics)
    top, left = 72, 72
    tile = content[:, :, top - model.halo :, left - model.halo :][:, :, : 72 + 2 * model.halo, : 48 + 2 * model.halo]
    inside = model.render(tile, code)[:, :, model.halo :, model.halo :][:, :, :72, :48]
    assert (inside - whole[:, :, top : top + 72, left : left + 48]).abs().max() < 1e-5 * whole.std()


@pytest.mark.parametrize(
    ("encoder", "network"),
    [
        ("vgg19", VGG(19, "relu4_1", flavour="caffe")),
        ("vgg19", VGG(19, "relu3_1")),
        ("vgg19", VGG(19, "relu4_1", widths=(4, 4, 4, 4, 4))),
        ("compact", VGG(19, "relu4_1")),
        ("compact", CompactVGG((4, 4, 4, 4, 4))),
    ],
)
def test_another_encoder_is_refused(encoder, network, tmp_path):
    path = tmp_path / "network.pth"
    if isinstance(network, CompactVGG):
        path = path.with_suffix(".safetensors")
        save(path, network, Card(name="network", method="vgg"))
    else:
        torch.save(official_keys(network), path)
    config = adain.Config(encoder=encoder, encoder_weights=str(path))
    with pytest.raises(OptionError, match=r"encoder_weights=.*is not a (normalised|compact) VGG-19"):
        adain.Training(config)


def official_keys(network: VGG) -> dict[str, torch.Tensor]:
    convs = list(network.convs.values())
    if network.flavour == "normalised":
        return {
            f"{n}.{part}": getattr(conv, part)
            for n, conv in enumerate([network.color, *convs])
            for part in ("weight", "bias")
        }
    names = [f"conv{name}" for name in network.convs]
    return {f"{n}.{part}": getattr(conv, part) for n, conv in zip(names, convs) for part in ("weight", "bias")}


def test_official_files_of_another_kind_are_refused():
    decoder = make_decoder(512, 64).state_dict()
    with pytest.raises(KeyError, match="this one is caffe"):
        adain.from_official({"vgg": official_keys(VGG(19, "relu4_1", flavour="caffe")), "decoder": decoder})
    with pytest.raises(RuntimeError, match=r"Missing.*convs\.4_1"):
        adain.from_official({"vgg": official_keys(VGG(19, "relu3_1")), "decoder": decoder})
    renamed = {key.replace("28.", "27."): tensor for key, tensor in decoder.items()}
    with pytest.raises(RuntimeError, match=r'(?s)Missing.*"28\.weight".*Unexpected.*"27\.weight"'):
        adain.from_official({"vgg": official_keys(VGG(19, "relu4_1")), "decoder": renamed})
