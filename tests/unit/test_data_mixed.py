import dataclasses

import numpy as np
import pytest
from PIL import Image
from toy import recipe as toy_recipe

from sfumato import recipes, train
from sfumato.data.folders import Crops
from sfumato.data.mixed import Mixed, Share
from sfumato.errors import DataError, RecipeError
from sfumato.train import checkpoint
from sfumato.train.loop import opened


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


def test_a_folder_of_both_counts_as_the_larger_set_has_it(sets, tmp_path):
    dark, light = sets
    (tmp_path / "list.txt").write_text("dark/0.png\n")
    both = dataclasses.replace(light, images=light.images + dark.images, exclude=str(tmp_path / "list.txt"))
    for first, second in ((dark, both), (both, dark)):
        counts = Mixed(first.open(), second.open(), Share()).counts()
        assert counts == {str(tmp_path / "dark"): 3, str(tmp_path / "light"): 3}


def test_samples_of_two_sizes_do_not_mix(sets):
    dark, light = sets
    with pytest.raises(RecipeError, match=r"more: images is \(3, 4, 4\), in data \(3, 8, 8\); both must be alike"):
        Mixed(dark.open(), dataclasses.replace(light, size=4).open(), Share())


def test_a_second_set_differs_from_the_first_in_what_is_told():
    words = ["--more.b", "x", "y", "--data.a", "p", "--data.b", "q", "--share.images", "8", "--data.size", "24"]
    recipe = recipes.parse("cut.tiny", words)
    assert (recipe.data.a, recipe.data.b, recipe.data.size) == (("p",), ("q",), 24)
    assert (recipe.more.a, recipe.more.b, recipe.more.size) == (("p",), ("x", "y"), 24)
    assert recipe.share == Share(first=0.9, last=0.1, images=8)


def test_help_lists_the_second_set_where_it_is_named(capsys):
    with pytest.raises(SystemExit):
        recipes.parse("cut.tiny", ["--more.b", "x", "--help"])
    assert "--more.hold-out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--more.sise", "8"], r"no field --more\.sise; did you mean --more\.size"),
        (["--data.sise", "8", "--more.b", "x"], r"no field --data\.sise; did you mean --data\.size"),
        (["--more.hold-out", "3"], r"more\.hold_out"),
        (["--more", "x"], "more"),
        (["--share.last", "0.5"], r"share: there is no second data set to have one; --more\.FIELD names it"),
        (["--shar.last", "0.5"], r"did you mean --share\.last"),
    ],
)
def test_what_is_wrong_with_a_second_set_is_named(words, message):
    with pytest.raises(RecipeError, match=message):
        recipes.parse("cut.tiny", words)


def test_sets_of_two_kinds_do_not_mix(sets, tmp_path):
    recipe = dataclasses.replace(toy_recipe(tmp_path / "toy"), more=sets[0])
    with pytest.raises(RecipeError, match="more: Crops.* is no ContentStyle as data is"):
        train(recipe, tmp_path / "run", device="cpu")


@pytest.fixture
def kinds(tmp_path):
    """The recipe of a run between two folders, a tenth kept from training, with more of the second kind."""
    for name, count in (("a", 30), ("b", 30), ("more", 3)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.fromarray(np.full((40, 40, 3), 4 * i, np.uint8)).save(tmp_path / name / f"{name}{i}.png")
    recipe = recipes.parse("cut.tiny", ["--data.a", str(tmp_path / "a"), "--data.b", str(tmp_path / "b")])
    data = dataclasses.replace(recipe.data, hold_out=0.3)
    return dataclasses.replace(recipe, data=data, more=dataclasses.replace(data, b=(str(tmp_path / "more"),)))


def test_what_is_watched_and_shown_is_of_the_first_set(kinds):
    samples, shown = opened(kinds)
    assert isinstance(samples, Mixed)
    assert samples.first is shown
    assert samples.share == Share(first=0.9, last=0.1, images=kinds.images)


def test_pictures_that_figures_are_of_are_not_learned_from(kinds, tmp_path):
    learned = {path for s in (opened(kinds)[0].first, opened(kinds)[0].second) for path in s.folders["a"].paths}
    assert 0 < len(learned) < 30
    more = dataclasses.replace(kinds.more, hold_out=0.0)
    with pytest.raises(RecipeError, match=r"more\.hold_out: 0\.0 is less than data\.hold_out 0\.3"):
        opened(dataclasses.replace(kinds, more=more))
    apart = dataclasses.replace(more, a=more.b)
    assert len(opened(dataclasses.replace(kinds, more=apart))[0].second.folders["b"]) == 3


def test_errors_of_the_second_set_name_its_fields(kinds):
    with pytest.raises(RecipeError, match=r"more\.shorter: 300 200 must rise"):
        opened(dataclasses.replace(kinds, more=dataclasses.replace(kinds.more, shorter=(300, 200))))
    with pytest.raises(DataError, match=r"more\.b names no folder"):
        opened(dataclasses.replace(kinds, more=dataclasses.replace(kinds.more, b=())))


def test_processes_that_read_change_nothing(kinds, tmp_path):
    made = [
        train(dataclasses.replace(kinds, workers=workers), tmp_path / f"run{workers}", device="cpu")
        for workers in (0, 2)
    ]
    first, second = (next(iter(files.values())).read_bytes() for files in made)
    assert first == second


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
    with pytest.raises(RecipeError, match=r"share\.last=0\.8, not 0\.5; choose another --run"):
        train(dataclasses.replace(mixed, share=Share(first=0.2, last=0.5)), tmp_path / "pieces", device="cpu")
