import dataclasses

import numpy as np
import pytest
from PIL import Image
from toy import recipe as toy_recipe

from sfumato import recipes, train
from sfumato.data.folders import Crops
from sfumato.data.mixed import Mixed, Share
from sfumato.errors import RecipeError
from sfumato.train import checkpoint


@pytest.fixture
def sets(tmp_path):
    for name, value in (("dark", 10), ("light", 240)):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.fromarray(np.full((20, 20, 3), value + i, np.uint8)).save(tmp_path / name / f"{i}.png")
    dark = Crops(images=(str(tmp_path / "dark"),), size=8, shorter=(8, 8))
    return dark, dataclasses.replace(dark, images=(str(tmp_path / "light"),))


def test_a_share_grows():
    share = Share(first=0.1, last=0.9, images=100)
    assert [share.at(n) for n in (0, 50, 100, 1000)] == pytest.approx([0.1, 0.5, 0.9, 0.9])
    assert Share(first=0.1, last=0.9).at(0) == 0.9


def test_a_share_of_the_samples_is_of_the_second_set(sets):
    dark, light = sets
    mixed = Mixed(dark.open(), light.open(), Share(first=0.0, last=1.0, images=400))
    drawn = [bool(mixed.sample(3, n)["images"].float().mean() > 128) for n in range(500)]
    assert sum(drawn[:100]) < 25
    assert sum(drawn[300:400]) > 75
    assert all(drawn[400:])
    assert drawn != [bool(mixed.sample(4, n)["images"].float().mean() > 128) for n in range(500)]


def test_both_sets_are_counted_and_told_apart(sets, tmp_path):
    dark, light = sets
    mixed = Mixed(dark.open(), light.open(), Share())
    assert mixed.counts() == {str(tmp_path / "dark"): 3, str(tmp_path / "light"): 3}
    other = Mixed(light.open(), dark.open(), Share())
    assert len({mixed.digest(), other.digest(), dark.open().digest()}) == 3
    assert mixed.broken() == []


def test_samples_of_two_sizes_do_not_mix(sets):
    dark, light = sets
    with pytest.raises(RecipeError, match="more: its samples are .*one size"):
        Mixed(dark.open(), dataclasses.replace(light, size=4).open(), Share())


def test_a_second_set_differs_from_the_first_in_what_is_told():
    words = ["--more.b", "x", "y", "--data.a", "p", "--data.b", "q", "--data.size", "24", "--share.images", "8"]
    recipe = recipes.parse("cut.tiny", words)
    assert (recipe.data.a, recipe.data.b, recipe.data.size) == (("p",), ("q",), 24)
    assert (recipe.more.a, recipe.more.b, recipe.more.size) == (("p",), ("x", "y"), 24)
    assert recipe.share.images == 8


def test_a_wrong_field_of_the_second_set_is_named():
    with pytest.raises(RecipeError, match=r"no field --more\.sise; did you mean --more\.size"):
        recipes.parse("cut.tiny", ["--more.sise", "8"])
    with pytest.raises(RecipeError, match=r"more\.hold_out"):
        recipes.parse("cut.tiny", ["--more.hold-out", "3"])


def test_a_run_of_two_sets_goes_on_as_it_began(sets, tmp_path):
    first = toy_recipe(tmp_path / "toy")
    second = dataclasses.replace(first.data, style=sets[1].images)
    mixed = dataclasses.replace(first, more=second, share=Share(first=0.2, last=0.8, images=first.images))
    train(mixed, tmp_path / "straight", device="cpu")
    train(mixed, tmp_path / "pieces", device="cpu", until=first.images // 2)
    train(mixed, tmp_path / "pieces", device="cpu")
    whole, pieces = ((tmp_path / run / "paint.safetensors").read_bytes() for run in ("straight", "pieces"))
    assert whole == pieces
    assert checkpoint.begun(tmp_path / "pieces")["share"]["first"] == 0.2
    alone = train(first, tmp_path / "alone", device="cpu")
    assert alone["paint"].read_bytes() != whole
