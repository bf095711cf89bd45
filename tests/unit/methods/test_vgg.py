"""The compact VGG: what it learns, and which settings it refuses."""

import dataclasses

import pytest
import torch

from sfumato import weights
from sfumato.card import Card
from sfumato.errors import RecipeError, WeightsError
from sfumato.methods import vgg
from sfumato.nets.perceptual import read_network
from sfumato.nets.vgg import HEADS
from sfumato.recipes import vgg as recipes

SMALL = dataclasses.replace(recipes.tiny().method, teachers=("compact",))


def test_a_lesson_is_the_share_of_the_teachers_variance_that_is_missed():
    training = vgg.Training(SMALL)
    images = torch.rand(2, 3, 32, 32)
    terms = next(training.learn({"images": images}))
    teacher = read_network("compact")
    assert list(terms) == list(HEADS)
    for layer, missed in terms.items():
        target, guess = teacher(images, [layer])[layer], training.student(images, [layer])[layer]
        spread = (target - target.mean((0, 2, 3), keepdim=True)).square().mean()
        torch.testing.assert_close(missed, (guess - target).square().mean() / spread, rtol=1e-4, atol=1e-5)


def test_a_shallow_student_learns_what_it_has():
    training = vgg.Training(dataclasses.replace(SMALL, until="relu3_1"))
    assert list(next(training.learn({"images": torch.rand(1, 3, 32, 32)}))) == ["relu1_1", "relu2_1", "relu3_1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teachers": ()}, r"method\.teachers"),
        ({"heads": False}, r"method\.heads"),
        ({"until": "relu9_9"}, r"method\.until"),
    ],
)
def test_settings_that_cannot_be_learned_are_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        vgg.Training(dataclasses.replace(SMALL, **change))


def test_a_start_of_another_size_is_refused():
    with pytest.raises(WeightsError, match=r"compact: .*body\.convs"):
        vgg.Training(dataclasses.replace(SMALL, widths=(4, 4, 4, 4, 4), start="compact"))


@pytest.mark.parametrize("change", [{"flavour": "torchvision"}, {"until": "relu4_1"}, {"heads": False, "depth": 16}])
def test_a_file_is_read_as_its_card_says(change, tmp_path):
    config = dataclasses.replace(SMALL, **change)
    model = vgg.Model(config)
    weights.save(
        tmp_path / "own.safetensors", model, Card(name="vgg/own", method="vgg", config=dataclasses.asdict(config))
    )
    again = read_network(str(tmp_path / "own.safetensors"))
    images = torch.rand(1, 3, 37, 41)
    for layer in ("relu1_1", "relu4_1"):
        assert torch.equal(again(images, [layer])[layer], model(images, [layer])[layer])
