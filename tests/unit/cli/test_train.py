"""Recipes with overrides."""

import pytest


@pytest.fixture
def data(folder, save):
    for i in range(2):
        save(folder / f"photos/{i}.png", 40, 48, seed=i)
        save(folder / f"paintings/{i}.png", 40, 48, seed=i + 5)
    return ["--data.content", "photos", "--data.style", "paintings"]


def test_a_run_and_its_end(sfumato, folder, data):
    result = sfumato("train", "microast.tiny", *data, "--run", "out", "--seed", "3", "--device", "cpu", "--images", "4")
    assert (result.code, result.out) == (0, ["out/art.safetensors"])
    assert '"seed": 3' in (folder / "out/recipe.json").read_text()
    assert sfumato("models", "show", "out/art.safetensors").code == 0
    again = sfumato("train", "microast.tiny", *data, "--run", "out", "--seed", "4", "--images", "4")
    assert again.code == 2


def test_the_folder_is_named_after_the_recipe(sfumato, folder, data):
    assert sfumato("train", "microast.tiny", *data, "--images", "2").out == ["run/microast.tiny/art.safetensors"]


def test_help_of_a_recipe(sfumato):
    result = sfumato("train", "microast.art", "--help")
    assert result.code == 0
    assert "--data.content" in "\n".join(result.out)
    assert all(flag in result.out[-1] for flag in ("--run", "--device", "--quiet", "--debug"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["microast.arts"], "there is no recipe 'microast.arts'; did you mean microast.art?"),
        (["microast.tiny", "--images", "many"], "images"),
        (["microast.tiny", "--imagse", "4"], "did you mean --images?"),
        (["microast.tiny"], "data.content names no folder"),
        (["microast.tiny", "--data.content", "nowhere", "--data.style", "nowhere"], "nowhere"),
    ],
)
def test_mistakes(sfumato, folder, words, message):
    result = sfumato("train", *words)
    assert (result.code, result.out, len(result.err)) == (2, [], 1)
    assert message in result.err[0]
