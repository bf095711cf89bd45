"""The files of the authors become one model file."""

import pytest
import torch


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--file", "vgg", "-o", "a.safetensors"], "--file vgg: wants the form ROLE=PATH"),
        (["--file", "vgg=a", "vgg=b", "-o", "a.safetensors"], "vgg is given twice"),
        (["--file", "vgg=a", "-o", "a.pth"], "a model file ends in .safetensors"),
        (["--file", "vgg=a", "-o", "a.safetensors"], "adain needs the files vgg, decoder; given: vgg"),
        (["--file", "vgg=a", "decoder=b", "-o", "a.safetensors"], "a: there is no such file"),
    ],
)
def test_mistakes(sfumato, folder, words, message):
    result = sfumato("import", "adain", *words)
    assert (result.code, len(result.err)) == (2, 1)
    assert message in result.err[0]
    assert not (folder / "a.safetensors").exists()


def test_a_method_that_does_not_exist(sfumato, folder):
    result = sfumato("import", "magic", "--file", "a=b", "-o", "a.safetensors")
    assert "there is no method 'magic'" in result.err[0]


def test_a_vgg(sfumato, folder):
    torch.save({"features.0.weight": torch.rand(64, 3, 3, 3), "features.0.bias": torch.rand(64)}, folder / "vgg.pth")
    result = sfumato("import", "vgg", "--file", "vgg=vgg.pth", "-o", "new/vgg.safetensors", "--hint", "flavour=caffe")
    assert result == (0, ["new/vgg.safetensors: vgg, the authors' own weights"], [])
    assert sfumato("import", "vgg", "--file", "vgg=vgg.pth", "-o", "new/vgg.safetensors").err == [
        "sfumato: new/vgg.safetensors: is there already; --overwrite replaces it"
    ]
    assert sfumato("models", "show", "new/vgg.safetensors").code == 0
