"""U-GAT-IT against the authors' own code: the light generator, and the recorded steps of training."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from parity.conftest import FOLDER
from parity.golden.fill import golden_fill, golden_image
from parity.official_training import compare, plainly, record, steps

from sfumato import zoo
from sfumato.methods import ugatit
from sfumato.methods.base import signed
from sfumato.nets.spectral import SpectralConv2d
from sfumato.nets.ugatit import official_names

FAR = {"atol": 2e-4, "rtol": 0}


def value(name, key, shape):
    """A weight of the golden files; `rho` is a share and the vectors of spectral norms have length 1 there."""
    tensor = torch.from_numpy(golden_fill(f"{name}{key}", shape))
    if key.endswith("rho"):
        return (0.5 + 3 * tensor).clamp(0, 1)
    return F.normalize(tensor, dim=0, eps=1e-12) if key.endswith(("weight_u", "weight_v")) else tensor


@pytest.fixture(scope="module")
def arrays():
    return np.load(FOLDER / "ugatit_light.npz")


@pytest.fixture
def state(arrays):
    return {key: value("", key, tuple(shape)) for key, shape in json.loads(str(arrays["keys"]))}


@pytest.fixture
def picture():
    return torch.from_numpy(golden_image(256, 256))[None]


@pytest.mark.parametrize("direction", ["a2b", "b2a"])
def test_the_light_generator_is_read_without_a_hint_of_its_kind(arrays, state, picture, tmp_path, direction):
    theirs = {"a2b": "genA2B", "b2a": "genB2A"}
    other = {key: tensor + 1 for key, tensor in state.items()}
    torch.save({name: state if key == direction else other for key, name in theirs.items()}, tmp_path / "params.pt")
    model = zoo.import_official("ugatit", {"params": tmp_path / "params.pt"}, direction=direction)
    assert (model.config.light, model.config.width, model.config.blocks) == (True, 64, 4)
    with torch.no_grad():
        torch.testing.assert_close(signed(model(picture)), torch.from_numpy(arrays["output"]), **FAR)
        heatmap = model.heatmap(picture)
        logits = model.network(signed(picture))[1]
    torch.testing.assert_close(logits, torch.from_numpy(arrays["cam_logit"]), **FAR)
    recorded = torch.from_numpy(arrays["heatmap"])
    torch.testing.assert_close(heatmap.raw / recorded.std(), recorded / recorded.std(), **FAR)
    assert heatmap.image.shape == (1, 1, 256, 256)
    assert (float(heatmap.image.min()), float(heatmap.image.max())) == (0, 1)


def test_another_direction_is_none(state, tmp_path):
    torch.save({"genA2B": state}, tmp_path / "params.pt")
    with pytest.raises(zoo.OptionError, match="none of a2b, b2a"):
        zoo.import_official("ugatit", {"params": tmp_path / "params.pt"}, direction="up")


@pytest.fixture
def training():
    """With the weights of the recorded steps."""
    training = ugatit.Training(ugatit.Config())
    tensors = {}
    for place, name in ugatit.NETWORKS.items():
        network = training.get_submodule(place)
        for ours, theirs in official_names(network).items():
            tensors[f"{name}.{theirs}"] = value(f"{name}.", theirs, official_shape(network, ours))
    training.take(tensors, "params.pt")
    return training


def official_shape(network, key):
    layer, shape = network.get_submodule(key.rpartition(".")[0]), network.state_dict()[key].shape
    if isinstance(layer, SpectralConv2d) and key.endswith("weight"):
        return (shape[0], shape[1] // layer.kernel**2, layer.kernel, layer.kernel)
    return tuple(shape)


def test_the_first_step(training):
    found = as_recorded(steps(training, 128, 1, lr=1e-4, weight_decay=1e-4)[0])
    compare(found, record("ugatit")["steps"][0]["losses"], {name: name for name in found}, 1e-4)


def test_training(training, monkeypatch):
    plainly(monkeypatch)
    recorded = record("ugatit")["steps"]
    found = steps(training, 128, len(recorded), lr=1e-4, weight_decay=1e-4)
    for ours, theirs in zip(found, recorded, strict=True):
        same = as_recorded(ours)
        compare(same, theirs["losses"], {name: name for name in same})


def as_recorded(losses):
    """Our losses under the authors' names, without the weights that they leave out."""
    d, g = ({k.partition("/")[2]: v for k, v in losses.items() if k.startswith(group)} for group in ("disc", "gen"))
    found = {"Discriminator_loss": sum(d.values()), "Generator_loss": sum(g.values())}
    for kind in "ab":
        upper = kind.upper()
        judged = [f"{reach}_{kind}{end}" for reach in ("global", "local") for end in ("", "_cam")]
        found[f"D_loss_{upper}"] = sum(d[k] for k in judged)
        found[f"G_recon_loss_{upper}"] = g[f"cycle_{kind}"] / 10
        found[f"G_identity_loss_{upper}"] = g[f"identity_{kind}"] / 10
        found[f"G_cam_loss_{upper}"] = g[f"cam_{kind}"] / 1000
        pixels = g[f"cycle_{kind}"] + g[f"identity_{kind}"]
        found[f"G_loss_{upper}"] = sum(g[k] for k in judged) + pixels + g[f"cam_{kind}"]
    for reach, letter in (("global", "G"), ("local", "L")):
        found[f"G_ad_loss_{letter}A"], found[f"G_ad_cam_loss_{letter}A"] = g[f"{reach}_a"], g[f"{reach}_a_cam"]
    return found | {"D_ad_loss_GA": d["global_a"], "D_ad_cam_loss_GA": d["global_a_cam"]}
