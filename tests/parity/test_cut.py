"""CUT against the authors' own code: generator, projections, contrast, and the recorded steps of training."""

import json

import pytest
import torch
from parity.official_training import compare, plainly, record, refill, steps
from parity.test_cyclegan import as_file, picture, read

from sfumato import zoo
from sfumato.losses.contrastive import patch_nce, patches
from sfumato.methods import cut
from sfumato.methods.base import signed
from sfumato.nets.official import cleaned


def places(kind, layer, features):
    """Those of the recordings."""
    count = features.shape[2] * features.shape[3]
    return (torch.arange(64) * 37 + 11 * (layer + 5 * kind)) % count


@pytest.fixture
def model(tmp_path):
    _, generator = read("cut_resnet9_antialias")
    _, sampler = read("cut_patchsamplef")
    files = {"generator": as_file(generator, tmp_path / "G.pth"), "sampler": as_file(sampler, tmp_path / "F.pth")}
    return zoo.import_official("cut", files)


def test_generator_and_its_layers(model):
    arrays, _ = read("cut_resnet9_antialias")
    found = {}
    with torch.no_grad():
        result = signed(model(picture(arrays)))
        model.network.encode(signed(picture(arrays)), found, until=5)
    assert model.config.antialias
    torch.testing.assert_close(result, torch.from_numpy(arrays["output"]), atol=2e-4, rtol=0)
    torch.testing.assert_close(found["block5"], torch.from_numpy(arrays["feat16"]), atol=2e-4, rtol=0)


def test_projections_and_contrast(model):
    arrays, _ = read("cut_patchsamplef")
    image = signed(picture(arrays))
    with torch.no_grad():
        keys, queries = {}, {}
        result = model.network.decode(model.network.encode(image, keys))
        model.network.encode(result, queries, until=5)
        vectors = [
            model.projections([patches(x[name], places(0, i, x[name])) for i, name in enumerate(cut.LAYERS)])
            for x in (queries, keys)
        ]
    for i, (q, k) in enumerate(zip(*vectors, strict=True)):
        torch.testing.assert_close(q[0], torch.from_numpy(arrays[f"q{i}"]), atol=2e-4, rtol=0)
        torch.testing.assert_close(k[0], torch.from_numpy(arrays[f"k{i}"]), atol=2e-4, rtol=0)
        torch.testing.assert_close(patch_nce(q, k), torch.tensor(arrays["nce_per_layer"][i]).float(), atol=0, rtol=2e-4)


@pytest.fixture
def training(monkeypatch):
    """With the weights and the patches of the recorded steps."""
    monkeypatch.setattr(cut.Training, "places", lambda _self, *which: places(*which))
    training = cut.Training(cut.Config(patches=64))
    networks = (("G", training.a2b.network, "cut_resnet9_antialias"), ("F", training.projections, "cut_patchsamplef"))
    for prefix, network, name in networks:
        refill(network, {key: tuple(t.shape) for key, t in cleaned(read(name)[1]).items()}, prefix)
    numbers, shapes = iter([0, 3, 7, 11, 14]), {}
    for weight, bias in zip(*[iter(training.judge.state_dict().values())] * 2, strict=True):
        number = next(numbers)
        shapes |= {f"model.{number}.weight": tuple(weight.shape), f"model.{number}.bias": tuple(bias.shape)}
    refill(training.judge, shapes, "D")
    return training


def check(found, recorded, tolerance):
    both = (recorded["D_real"] + recorded["D_fake"]) / 2
    found |= {"both": 2 * found["generator/contrast"], "idt": 2 * found["generator/identity"]}
    names = {"D": "discriminator/real_fake", "G_GAN": "generator/adversarial", "NCE": "both", "NCE_Y": "idt"}
    compare(found, recorded | {"D": both}, names, tolerance)


def test_the_first_step(training):
    check(steps(training, 64, 1)[0], record("cut")["steps"][0]["losses"], 1e-4)


@pytest.mark.xfail(strict=True, reason="the recorded gradient of the contrast is not that of the recorded loss")
def test_training(training, monkeypatch):
    """The authors' module, run beside ours in one process, has the same outputs, losses and adversarial gradients.

    The gradients that the contrast has in the generator differ by half of their length. Along ours the authors' own
    loss changes by 1.0004 times what it should (central differences in float64), along theirs by 0.909 times.
    """
    plainly(monkeypatch)
    recorded = record("cut")["steps"]
    for ours, theirs in zip(steps(training, 64, len(recorded)), recorded, strict=True):
        check(ours, theirs["losses"], 1e-3)


def test_a_sampler_that_is_none(tmp_path):
    _, generator = read("cut_resnet9_antialias")
    files = {
        "generator": as_file(generator, tmp_path / "G.pth"),
        "sampler": as_file({"a": torch.ones(1)}, tmp_path / "F.pth"),
    }
    with pytest.raises(zoo.WeightsError, match="not a sampler"):
        zoo.import_official("cut", files)


def test_layers_recorded_are_those_compared():
    arrays, _ = read("cut_resnet9_antialias")
    assert len(json.loads(str(arrays["meta"]))["nce_layers"]) == len(cut.LAYERS)
