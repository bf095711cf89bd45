"""The files of the authors become one model file."""

import os

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
        (["--file", "vgg=" + "long" * 80, "decoder=b", "-o", "a.safetensors"], "no file can have such a name"),
        (["--file", "vgg=a", "decoder=b", "-o", "photo.jpg/a.safetensors"], "photo.jpg is no folder"),
    ],
)
def test_mistakes(sfumato, folder, words, message):
    result = sfumato("import", "adain", *words)
    assert (result.code, len(result.err)) == (2, 1)
    assert message in result.err[0]
    assert not (folder / "a.safetensors").exists()


def test_a_failure_leaves_no_folder(sfumato, folder):
    assert sfumato("import", "vgg", "--file", "vgg=photo.jpg", "-o", "new/a.safetensors").code == 2
    assert not (folder / "new").exists()


@pytest.mark.parametrize("out", ["vgg.safetensors", "./vgg.safetensors", "link.safetensors", "VGG.safetensors"])
def test_the_authors_file_is_never_replaced(sfumato, folder, out):
    (folder / "vgg.safetensors").write_bytes(b"precious")
    (folder / "link.safetensors").symlink_to("vgg.safetensors")
    os.link(folder / "vgg.safetensors", folder / "VGG.safetensors")
    result = sfumato("import", "vgg", "--file", "vgg=vgg.safetensors", "-o", out, "--overwrite")
    assert (result.code, len(result.err)) == (2, 1)
    assert f"-o {out}: the model file would replace a file that it is made from" in result.err[0]
    assert (folder / "vgg.safetensors").read_bytes() == b"precious"


def test_a_method_that_does_not_exist(sfumato, folder):
    result = sfumato("import", "magic", "--file", "a=b", "-o", "a.safetensors")
    assert "there is no method 'magic'" in result.err[0]


def test_a_vgg(sfumato, folder):
    torch.save({"features.0.weight": torch.rand(64, 3, 3, 3), "features.0.bias": torch.rand(64)}, folder / "vgg.pth")
    result = sfumato("import", "vgg", "--file", "vgg=vgg.pth", "-o", "new/vgg.safetensors", "--hint", "flavour=caffe")
    assert result == (0, ["new/vgg.safetensors: vgg, the authors' own weights"], [])
    again = sfumato("import", "vgg", "--file", "vgg=vgg.pth", "-o", "new/vgg.safetensors")
    assert again.code == 2
    assert "new/vgg.safetensors: exists already" in again.err[0]
    assert sfumato("models", "show", "new/vgg.safetensors").code == 0


def test_the_home_folder(sfumato, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    torch.save({"features.0.weight": torch.rand(64, 3, 3, 3), "features.0.bias": torch.rand(64)}, folder / "vgg.pth")
    words = ["--file", "vgg=~/vgg.pth", "-o", "~/vgg.safetensors", "--hint", "flavour=caffe"]
    assert sfumato("import", "vgg", *words).code == 0
    assert (folder / "vgg.safetensors").is_file()
