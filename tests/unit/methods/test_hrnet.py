"""HRNet: it learns, its fast way is the same, and what it refuses."""

import dataclasses

import pytest
import torch
from figures import write_set

from sfumato.data.paper import NO_WEAR
from sfumato.data.poses import Poses
from sfumato.errors import RecipeError
from sfumato.methods import hrnet
from sfumato.nets.fold import folded
from sfumato.nets.heatmaps import dark, factors
from sfumato.recipes import hrnet as recipes
from sfumato.train.loop import prepare

TINY = recipes.tiny().method


def living(model):
    """The model with weights and statistics as after a training."""
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1)
            torch.nn.init.normal_(layer.running_mean, std=0.1)
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return model.eval()


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return living(hrnet.Model(TINY))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(write_set(tmp_path_factory.mktemp("set"), 24))


def batch_of(root, count, seed=0, **changes):
    settings = Poses(root=(root,), height=64, width=64, bend_px=1.0, half_body=0, rotated=0, scale=0.1, wear=NO_WEAR)
    samples = dataclasses.replace(settings, **changes).open()
    drawn = [samples.sample(seed, n) for n in range(count)]
    return prepare({key: torch.stack([sample[key] for sample in drawn]) for key in drawn[0]}, torch.device("cpu"))


def test_it_learns_where_joints_are(root):
    training = hrnet.Training(TINY)
    optimizer = torch.optim.Adam(training.parameters(), lr=1e-2)
    batch, errors = batch_of(root, 8), []
    for _ in range(60):
        loss = next(training.learn(batch))["heatmaps"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(float(loss.detach()))
    assert errors[-1] < 0.3 * errors[0]
    training.eval()
    places, _ = dark(training.model(batch["image"]).detach(), sigma=TINY.sigma)
    found = places * torch.tensor(factors((64, 64), (16, 16), "udp"))
    apart = (found - batch["joints"]).norm(dim=2)
    assert float((apart < 6).float().mean()) > 0.8  # of 64 pixels


@torch.inference_mode()
def test_folding_changes_nothing(model):
    images = torch.rand(2, 3, 64, 96)
    fewer = folded(model)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in fewer.modules())
    assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in model.modules())
    torch.testing.assert_close(fewer(images), model(images), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
@torch.inference_mode()
def test_the_fast_way_is_the_same(model, dtype, tolerance):
    images, fast = torch.rand(2, 3, 64, 64), hrnet.Fast(model, torch.device("cpu"), dtype)
    maps = model(images)
    assert float((fast(images) - maps).square().mean().sqrt() / maps.std()) < tolerance
    assert fast(images).dtype == torch.float32


def test_bf16_is_left_where_the_model_does_not_bear_it(model, monkeypatch):
    monkeypatch.setattr(hrnet, "fast_dtype", lambda device: torch.bfloat16)
    for tolerance, dtype in ((1.0, torch.bfloat16), (0.0, torch.float32)):
        monkeypatch.setattr(hrnet, "TOLERANCE", tolerance)
        assert hrnet.Fast(model, torch.device("cpu")).dtype == dtype


@torch.inference_mode()
def test_joints_that_are_not_labelled_teach_nothing(root):
    training = hrnet.Training(TINY)
    batch = batch_of(root, 2)
    unlabelled = batch | {"weights": torch.zeros(2, 17)}
    assert float(next(training.learn(unlabelled))["heatmaps"]) == 0
    assert float(next(training.learn(batch))["heatmaps"]) > 0


def test_sizes_that_do_not_fit(root):
    with pytest.raises(RecipeError, match=r"method\.width: 100 is no multiple of 32"):
        hrnet.Training(dataclasses.replace(TINY, width=100))
    with pytest.raises(RecipeError, match=r"data\.height, data\.width: pictures are 64 x 96, not 64 x 64"):
        next(hrnet.Training(TINY).learn(batch_of(root, 1, width=96)))


def test_samples_show_what_is_found(root):
    rows = hrnet.Training(TINY).eval().sample(batch_of(root, 2))
    assert list(rows) == ["wanted", "found"]
    assert float((rows["wanted"][:, 0] - rows["wanted"][:, 1]).max()) > 0.5  # red
