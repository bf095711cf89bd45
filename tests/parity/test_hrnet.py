"""HRNet against what the authors' code gave: its files are read, under all their names, and its maps come out."""

import copy
import json

import numpy as np
import pytest
import torch
from parity.conftest import FOLDER, TOLERANCE, fill

import sfumato
from sfumato.errors import WeightsError
from sfumato.methods import hrnet
from sfumato.nets.heatmaps import mirrored
from sfumato.nets.hrnet import HRNet

PAIRS = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)]


@pytest.fixture(scope="module")
def recorded():
    return np.load(FOLDER / "hrnet_w32.npz", allow_pickle=False)


@pytest.fixture(scope="module")
def state(recorded):
    """The authors' state dict with the golden weights."""
    shapes = dict(json.loads(str(recorded["keys"])))
    tensors = fill({key: shape for key, shape in shapes.items() if not key.endswith("num_batches_tracked")})
    scales = {k: t * np.float32(0.5) for k, t in tensors.items() if k.endswith(".weight") and t.dim() == 1}
    return {key: torch.tensor(0) for key in shapes} | tensors | scales


@pytest.fixture(scope="module")
def model(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("hrnet") / "pose_hrnet_w32_256x192.pth"
    torch.save(state, path)
    return sfumato.import_official("hrnet", {"pose": path})


@pytest.fixture(scope="module")
def images(model):
    """What the recorded maps are of, before the normalisation that the model does itself."""
    from parity.golden.fill import golden_image

    pictures = torch.from_numpy(np.stack([golden_image(256, 192), golden_image(256, 192, phase=1.0)]))
    return pictures * model.std + model.mean


def far(result, wanted):
    wanted = torch.from_numpy(wanted)
    assert result.shape == wanted.shape
    return float((result - wanted).abs().max() / wanted.std())


@torch.inference_mode()
def test_heatmaps(recorded, model, images):
    assert not model.training
    assert far(model(images), recorded["output"]) < TOLERANCE


@torch.inference_mode()
def test_the_mean_with_the_mirrored_picture(recorded, model, images):
    back = mirrored(model(images.flip(3)), PAIRS, "msra")
    assert far((model(images) + back) / 2, recorded["output_flip_avg_shift"]) < TOLERANCE


def test_the_plain_transcription(recorded, state, plain, model, images):
    maps = plain("plain_hrnet").PlainHRNet(state)(model.normalised(images[:1]))
    assert far(maps, recorded["output"][:1]) < TOLERANCE


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, TOLERANCE), (torch.bfloat16, 0.02)])
def test_the_fast_way_gives_the_same(recorded, model, images, dtype, tolerance):
    fast = hrnet.Fast(model, torch.device("cpu"), dtype)
    wanted = torch.from_numpy(recorded["output"])[:1]
    assert fast.dtype == dtype
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in fast.modules())
    assert float((fast(images[:1]) - wanted).square().mean().sqrt() / wanted.std()) < tolerance


def test_names_and_shapes_are_the_authors(recorded):
    ours = hrnet.Model(hrnet.Config(variant="w32")).state_dict()
    assert {k: list(t.shape) for k, t in ours.items()} == dict(json.loads(str(recorded["keys"])))


@pytest.mark.parametrize(("variant", "weights"), [("w32", 28_536_113), ("w48", 63_595_745), ("small", 2_721_841)])
def test_numbers_of_weights(variant, weights):
    with torch.device("meta"):
        network = HRNet(hrnet.SHAPES[variant], hrnet.KEYPOINTS)
    assert sum(p.numel() for p in network.parameters()) == weights


@pytest.mark.parametrize("shape", hrnet.SHAPES.values(), ids=hrnet.SHAPES)
def test_heatmaps_are_made_of_at_least_as_many_channels(shape):
    """Of fewer, two keypoints must share one: the left and the right ankle, by chance."""
    with torch.device("meta"):
        network = HRNet(shape, hrnet.KEYPOINTS)
    assert network.final_layer.in_channels >= hrnet.KEYPOINTS
    assert network(torch.empty(1, 3, 64, 96, device="meta")).shape == (1, hrnet.KEYPOINTS, 16, 24)


@pytest.mark.parametrize("prefixes", [("module.", "module."), ("backbone.", "head."), ("backbone.", "keypoint_head.")])
def test_other_names_of_the_same(state, model, prefixes, tmp_path):
    body, head = prefixes
    renamed = {(head if k.startswith("final_layer") else body) + k: t for k, t in state.items()}
    torch.save({"state_dict": renamed, "meta": {"epoch": 210}}, tmp_path / "checkpoint.pth")
    other = sfumato.import_official("hrnet", {"pose": tmp_path / "checkpoint.pth"}, heatmaps="udp")
    assert other.config.heatmaps == "udp"
    same(other.state_dict(), model.state_dict())


def same(ours, theirs):
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[key]) for key, tensor in ours.items())


def test_a_backbone_of_imagenet_keeps_its_layers_and_gets_a_new_head(state, model, tmp_path, caplog):
    trained = {k: t for k, t in state.items() if not k.startswith("final_layer")}
    classes = {
        "stage4.2.fuse_layers.1.0.0.0.weight": torch.zeros(64, 32, 3, 3),
        "incre_modules.0.0.conv1.weight": torch.zeros(32, 32, 1, 1),
        "downsamp_modules.0.0.weight": torch.zeros(256, 128, 3, 3),
        "final_layer.0.weight": torch.zeros(2048, 1024, 1, 1),
        "classifier.weight": torch.zeros(1000, 2048),
    }
    torch.save(trained | classes, tmp_path / "hrnet_w32-36af842e.pth")
    other = sfumato.import_official("hrnet", {"pose": tmp_path / "hrnet_w32-36af842e.pth"})
    assert "mean nothing before a training" in caplog.text
    ours = other.state_dict()
    same({k: t for k, t in ours.items() if k in trained}, trained)
    assert float(ours["final_layer.weight"].std()) < 0.002


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("transition1.0.0.weight"), "not an HRNet for poses"),
        (lambda s: s.pop("stage3.2.branches.1.3.conv2.weight"), "1 missing: stage3.2.branches.1.3.conv2.weight"),
        (lambda s: s.update({"deconv.weight": torch.zeros(1)}), "1 unexpected: deconv.weight"),
        (lambda s: s.update({"final_layer.weight": torch.zeros(16, 32, 1, 1)}), "1 of another shape: final_layer"),
    ],
)
def test_other_files_are_told(state, change, message, tmp_path):
    changed = copy.copy(state)
    change(changed)
    torch.save(changed, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=message):
        sfumato.import_official("hrnet", {"pose": tmp_path / "other.pth"})
