"""VGG-16 and VGG-19 as their authors build them, as Sequentials, against `nets.vgg` on the same files."""

import pytest
import torch
from torch import nn

from sfumato.methods import vgg as method
from sfumato.nets.vgg import CONVS, layer_names, read_vgg

WIDTHS = (4, 6, 8, 10, 12)
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
CAFFE_MEAN = torch.tensor([103.939, 116.779, 123.68])


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


def plain(depth: int) -> nn.Sequential:
    """torchvision's `features`."""
    layers, channels = [], 3
    for width, count in zip(WIDTHS, CONVS[depth], strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def normalised() -> nn.Sequential:
    """AdaIN's `vgg`, converted from Torch7."""
    layers, channels = [nn.Conv2d(3, 3, 1)], 3
    for width, count in zip(WIDTHS, CONVS[19], strict=True):
        for _ in range(count):
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, width, 3), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers[:-1])


def features(network: nn.Sequential, x: torch.Tensor) -> list[torch.Tensor]:
    """What each ReLU gives."""
    found = []
    for layer in network:
        x = layer(x)
        found += [x] if isinstance(layer, nn.ReLU) else []
    return found


def images() -> torch.Tensor:
    """Of a size that no pooling divides."""
    return torch.rand(2, 3, 53, 75)


def rgb(x: torch.Tensor) -> torch.Tensor:
    return (x - MEAN[:, None, None]) / STD[:, None, None]


def bgr(x: torch.Tensor) -> torch.Tensor:
    return 255 * x.flip(1) - CAFFE_MEAN[:, None, None]


def torchvision_keys(network: nn.Sequential) -> dict[str, torch.Tensor]:
    state = {f"features.{k}": v for k, v in network.state_dict().items()}
    return state | {f"classifier.{n}.{part}": torch.zeros(3) for n in (0, 3, 6) for part in ("weight", "bias")}


def old_caffe_keys(network: nn.Sequential) -> dict[str, torch.Tensor]:
    state = {f"features.{k}": v for k, v in network.state_dict().items()}
    return state | {f"classifier.{n}.{part}": torch.zeros(3) for n in (1, 4, 6) for part in ("weight", "bias")}


def gatys_keys(network: nn.Sequential) -> dict[str, torch.Tensor]:
    convs = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    names = [f"conv{name}" for name in layer_names(19)]
    return {f"{n}.{part}": getattr(c, part) for n, c in zip(names, convs) for part in ("weight", "bias")}


CASES = {
    "torchvision-16": (lambda: plain(16), torchvision_keys, rgb, None),
    "torchvision-19": (lambda: plain(19), torchvision_keys, rgb, None),
    "caffe-old": (lambda: plain(19), old_caffe_keys, bgr, None),
    "caffe-16": (lambda: plain(16), old_caffe_keys, bgr, None),
    "caffe-renamed": (lambda: plain(19), torchvision_keys, bgr, "caffe"),
    "caffe-gatys": (lambda: plain(19), gatys_keys, bgr, None),
    "normalised": (normalised, lambda network: network.state_dict(), lambda x: x, None),
}


@pytest.mark.parametrize("case", CASES)
def test_every_layer_is_the_authors(case):
    build, keys, prepare, flavour = CASES[case]
    network, x = build(), images()
    vgg = method.from_official({"vgg": keys(network)}, flavour=flavour).eval()
    ours = vgg(x, vgg.layers)
    for layer, theirs in zip(vgg.layers, features(network, prepare(x)), strict=True):
        assert ours[layer].shape == theirs.shape
        assert (ours[layer] - theirs).abs().max() <= 2e-6 * theirs.abs().max(), layer


@pytest.mark.parametrize("last", [1, 3, 9])
@pytest.mark.parametrize("case", ["torchvision-19", "caffe-gatys", "normalised"])
def test_a_file_may_end_early(case, last):
    build, keys, prepare, _ = CASES[case]
    network = build()
    while sum(isinstance(layer, nn.ReLU) for layer in network) > last:
        network = network[:-1]
    while not isinstance(network[-1], nn.ReLU):
        network = network[:-1]
    vgg, x = read_vgg(keys(network)), images()
    assert vgg.layers == [f"relu{name}" for name in layer_names(19)[:last]]
    theirs = features(network, prepare(x))[-1]
    assert (vgg(x, vgg.layers[-1:])[vgg.layers[-1]] - theirs).abs().max() <= 2e-6 * theirs.abs().max()


def test_a_network_stops_at_the_deepest_layer_asked_for_and_has_no_deeper_one():
    vgg, x = read_vgg(plain(19)[:7].state_dict()), images()
    assert list(vgg(x, ["relu1_2", "relu1_1"])) == ["relu1_1", "relu1_2"]
    with pytest.raises(KeyError, match=r"relu3_1.*ends at relu2_1"):
        vgg(x, ["relu1_1", "relu3_1"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state | {"features.1.running_mean": torch.zeros(4)}, "unexpected keys.*running_mean"),
        (lambda state: {k: v for k, v in state.items() if k != "features.2.bias"}, "not a VGG"),
        (lambda state: {k: v for k, v in state.items() if not k.startswith("features.5")}, "size mismatch"),
        (lambda state: {"fc.weight": torch.zeros(3, 4)}, "0 3x3 convolutions"),
        (lambda state: state | {"features.40.weight": torch.zeros(1, 1, 3, 3)}, "17 3x3 convolutions"),
    ],
)
def test_another_network_is_refused(change, message):
    with pytest.raises((KeyError, RuntimeError), match=message):
        read_vgg(change(torchvision_keys(plain(19))))
