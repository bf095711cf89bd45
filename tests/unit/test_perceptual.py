"""Networks that judge are found by name or file, whatever form they are kept in."""

import pytest
import torch

from sfumato import download, zoo
from sfumato.addresses import ADDRESSES
from sfumato.errors import WeightsError
from sfumato.nets import perceptual
from sfumato.nets.vgg import VGG

WIDTHS = (2, 3, 4, 5, 6)
PARTS = ("weight", "bias")


def file_of(vgg, path):
    """Writes a VGG with torchvision's or the normalised keys."""
    own = [vgg.color] if vgg.flavour == "normalised" else []
    convs = enumerate([*own, *vgg.convs.values()])
    torch.save({f"features.{n}.{part}": getattr(conv, part) for n, conv in convs for part in PARTS}, path)
    return str(path)


@pytest.mark.parametrize("flavour", ["torchvision", "caffe", "normalised"])
@pytest.mark.parametrize(("depth", "until"), [(16, "relu5_3"), (19, "relu3_2")])
@torch.inference_mode()
def test_an_imported_vgg_is_the_same_in_every_form(flavour, depth, until, tmp_path):
    images = torch.rand(1, 3, 37, 53)
    vgg = VGG(depth, until, widths=WIDTHS, flavour=flavour)
    file = file_of(vgg, tmp_path / "official.pth")
    zoo.convert("vgg", {"vgg": file}, tmp_path / "own.safetensors", flavour=flavour)
    loaded = zoo.load(tmp_path / "own.safetensors")
    judge = perceptual.read_network(str(tmp_path / "own.safetensors"))
    assert isinstance(judge, VGG)
    assert judge.flavour == loaded.config.flavour == flavour
    expected = vgg(images, vgg.layers)
    for network in (loaded, judge):
        assert network.layers == vgg.layers
        assert all(torch.equal(x, expected[layer]) for layer, x in network(images, vgg.layers).items())


@torch.inference_mode()
def test_each_layer_comes_from_the_first_network_that_has_it(tmp_path):
    shallow = VGG(19, "relu2_1", widths=WIDTHS)
    deep = VGG(19, "relu4_1", widths=WIDTHS)
    files = [file_of(vgg, tmp_path / f"{k}.pth") for k, vgg in enumerate((shallow, deep))]
    both, images = perceptual.read_perceptual(files), torch.rand(1, 3, 32, 32)
    assert not any(p.requires_grad for p in both.parameters())
    features = both(images, ["relu1_1", "relu4_1"])
    assert torch.equal(features["relu1_1"], shallow(images, ["relu1_1"])["relu1_1"])
    assert torch.equal(features["relu4_1"], deep(images, ["relu4_1"])["relu4_1"])
    with pytest.raises(WeightsError, match="relu5_1"):
        both(images, ["relu5_1"])


@torch.inference_mode()
def test_the_bundled_network_has_the_widths_of_vgg19():
    features = perceptual.read_network("compact")(torch.rand(1, 3, 48, 48), perceptual.read_network("compact").layers)
    assert [x.shape[1] for x in features.values()] == [64, 128, 256, 512, 512]


def test_a_download_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="sfumato models get vgg19-caffe"):
        perceptual.read_network("vgg19-caffe")
    caffe = VGG(19, "relu5_4", widths=WIDTHS, flavour="caffe")
    file_of(caffe, tmp_path / ADDRESSES["vgg19-caffe"].file)
    assert perceptual.read_network("vgg19-caffe").flavour == "caffe"


def test_another_file_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="there is no such file"):
        perceptual.read_network(str(tmp_path / "none.pth"))
    torch.save({"fc.weight": torch.zeros(3, 3)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other\.pth: not the weights of a VGG"):
        perceptual.read_network(str(tmp_path / "other.pth"))


def test_automatically_the_true_network_is_taken_once_it_is_there(tmp_path, monkeypatch):
    there = {}
    monkeypatch.setattr(download, "cached", there.get)
    assert perceptual.best() == "compact"
    assert len(perceptual.read_network("auto").heads) == 5
    there["vgg19"] = tmp_path / "vgg19.pth"
    file_of(VGG(19, "relu2_2", widths=WIDTHS, flavour="torchvision"), there["vgg19"])
    assert perceptual.read_network("auto").layers[-1] == "relu2_2"
    there["vgg19-normalised"] = tmp_path / "normalised.pth"
    assert perceptual.best() == "vgg19-normalised"
