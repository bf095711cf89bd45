"""Models as ONNX: the same pictures in ONNX Runtime, at any size."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from stylizers import make_adain, make_microast

import sfumato
from sfumato import export, image, weights
from sfumato.card import Card
from sfumato.cli import main
from sfumato.errors import DiskError, ExportError, OptionError, WeightsError
from sfumato.methods import cut, cyclegan, pix2pix, sketchygan, texture_nets, ugatit

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.timeout(300)


def pix2pix_model():
    model = pix2pix.Model(pix2pix.Config(width=4, depth=5))
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return model


RESIDUAL = texture_nets.Config(kind="stylization", network="residual", norm="instance", width=4)
MODELS = {
    "cyclegan": lambda: cyclegan.Model(cyclegan.Config(width=4, blocks=2)),
    "cut": lambda: cut.Model(cut.Config(width=4, blocks=2, antialias=True)),
    "pix2pix": pix2pix_model,
    "ugatit": lambda: ugatit.Model(ugatit.Config(width=4, blocks=1)),
    "texture_nets": lambda: texture_nets.Model(RESIDUAL),
    "adain": make_adain,
    "microast": make_microast,
}


def saved(folder, method):
    torch.manual_seed(0)
    model = MODELS[method]().eval()
    path = folder / f"{method}.safetensors"
    card = Card(name=f"{method}/mine", method=method, config=dataclasses.asdict(model.config), title="t", licence="MIT")
    weights.save(path, model, card)
    return path


@pytest.mark.parametrize("method", list(MODELS))
def test_every_kind_of_model(method, tmp_path):
    path = saved(tmp_path, method)
    made = sfumato.export_onnx(path, tmp_path / "model.onnx")
    assert made.largest < 1e-3
    proto = onnx.load(made.path)
    onnx.checker.check_model(proto, full_check=True)
    assert {node.domain for node in proto.graph.node} <= {""}
    assert json.loads({p.key: p.value for p in proto.metadata_props}["card"])["licence"] == "MIT"
    assert [path.name for path in tmp_path.iterdir() if "data" in path.name] == []
    session = onnxruntime.InferenceSession(made.path)
    whole = export.AnySize(sfumato.load(path)).eval()
    for height, width, count in ((33, 130, 1), (70, 41, 2), (1, 9, 1)):
        example = whole.example(height, width, 0.7, count)
        with torch.no_grad():
            expected = whole(*example).numpy()
        given = {name: tensor.numpy() for name, tensor in zip(whole.inputs, example, strict=True)}
        (result,) = session.run(None, given)
        assert result.shape == (count, 3, height, width)
        np.testing.assert_allclose(result, expected, atol=2e-3)


def test_the_file_does_what_translate_does(tmp_path):
    path = saved(tmp_path, "cyclegan")
    made = sfumato.export_onnx(path, tmp_path / "model.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (45, 62, 3), np.uint8)
    ours = np.asarray(sfumato.Translator(path, device="cpu", precision="fp32")(pixels))
    given = pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255
    (theirs,) = onnxruntime.InferenceSession(made.path).run(None, {"image": given})
    assert np.abs(ours.astype(float) - 255 * theirs[0].transpose(1, 2, 0)).max() < 0.6  # rounded to 8 bits


@pytest.mark.parametrize(("height", "width", "stride"), [(1, 1, 4), (2, 3, 8), (5, 9, 4), (8, 8, 4), (7, 30, 32)])
def test_mirrored_is_what_reading_beyond_the_edge_gives(height, width, stride):
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    picture = image.from_any(pixels)
    box = (0, 0, max(-(-height // stride) * stride, 8), max(-(-width // stride) * stride, 8))
    assert torch.equal(export.mirrored(picture.tensor(), stride, 8), picture.tensor(box))


def test_another_result_is_no_file(tmp_path, monkeypatch):
    path = saved(tmp_path, "cyclegan")
    monkeypatch.setattr(export, "LARGEST", -1.0)
    with pytest.raises(ExportError, match="ONNX Runtime gives other pictures than torch: .* nothing was written"):
        sfumato.export_onnx(path, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_what_cannot_be_exported(tmp_path, monkeypatch):
    with pytest.raises(OptionError, match="vgg/compact makes no pictures by itself"):
        sfumato.export_onnx("vgg/compact", tmp_path / "model.onnx")
    with pytest.raises(WeightsError, match="no model 'none'"):
        sfumato.export_onnx("none", tmp_path / "model.onnx")
    config = {"classes": ["cat"], "size": 16, "width": 2, "noise": 4}
    model = sketchygan.Model(sketchygan.Config(classes=("cat",), size=16, width=2, noise=4))
    weights.save(tmp_path / "cats.safetensors", model, Card(name="cats", method="sketchygan", config=config))
    with pytest.raises(OptionError, match="takes a class and noise beside the picture"):
        sfumato.export_onnx(tmp_path / "cats.safetensors", tmp_path / "model.onnx")
    monkeypatch.setattr(export, "PACKAGES", ("onnx", "surely_not_here"))
    with pytest.raises(OptionError, match=r"needs surely_not_here: pip install 'sfumato\[onnx\]'"):
        sfumato.export_onnx("faces2kaokore", tmp_path / "model.onnx")


def test_the_command(tmp_path, capsys, monkeypatch):
    path, out = saved(tmp_path, "cyclegan"), tmp_path / "deep" / "mine.onnx"
    assert main(["export", str(path), "--onnx", "-o", str(out)]) == 0
    assert "of 255 from torch at the most" in capsys.readouterr().out
    assert main(["export", str(path), "--onnx", "-o", str(out)]) != 0
    assert "exists" in capsys.readouterr().err
    assert main(["export", str(path), "--onnx", "-o", str(tmp_path / "mine.bin")]) == 2

    def full(*_):
        raise DiskError(f"{out}: cannot be written (No space left on device)")

    monkeypatch.setattr(weights, "replacing", full)
    assert main(["export", str(path), "--onnx", "-o", str(out), "--overwrite"]) != 0
    assert "No space left on device" in capsys.readouterr().err
