"""Pictures through a generator."""

import numpy as np
import pytest
from PIL import Image
from stylizers import made_photo

from sfumato import image, weights
from sfumato.card import Card
from sfumato.methods import sketchygan


@pytest.fixture
def translate(sfumato, folder, generator_file):
    return lambda *words: sfumato("translate", *words, "--model", generator_file)


def test_a_result_beside_the_picture(translate, folder):
    assert translate("photo.jpg") == (0, ["photo-mine.png"], [])
    with Image.open(folder / "photo-mine.png") as result:
        assert result.size == (48, 36)


def test_the_same_command_goes_on(translate, folder, save):
    for i in range(4):
        save(folder / "photos" / f"{i}.png", seed=i)
    (folder / "photos" / "broken.png").write_bytes(b"no picture")
    first = translate("photos", "-o", "out/")
    assert first.code == 1
    assert [line.rpartition("/")[2] for line in first.out] == [f"{i}-mine.png" for i in range(4)]
    assert any("broken.png" in line for line in first.err)
    (folder / "out" / "2-mine.png").unlink()
    second = translate("photos", "-o", "out/")
    assert [line.rpartition("/")[2] for line in second.out] == ["2-mine.png"]
    assert "3 of 5 pictures left out: their results are there" in second.err


def test_shards_share_the_work(translate, folder, save):
    for i in range(5):
        save(folder / "photos" / f"{i}.png", seed=i)
    done = [translate("photos", "-o", "out/", "--shard", f"{i}/2").out for i in range(2)]
    assert [len(part) for part in done] == [3, 2]
    assert len({name for part in done for name in part}) == 5


@pytest.mark.parametrize("text", ["2/2", "1", "a/b", "-1/3", "1/"])
def test_a_shard_that_is_none(translate, text):
    result = translate("photo.jpg", f"--shard={text}")
    assert result.code == 2
    assert "wants i/n" in result.err[0]


def test_tiles_make_no_difference(translate, folder):
    Image.fromarray(made_photo(150, 190)).save(folder / "large.png")
    translate("large.png", "-o", "whole.png", "--tile", "0", "--precision", "fp32")
    translate("large.png", "-o", "tiles.png", "--tile", "96", "--precision", "fp32")
    whole, tiles = (image.read(folder / name).pixels.astype(int) for name in ("whole.png", "tiles.png"))
    assert whole.std() > 10
    assert abs(whole - tiles).max() <= 1


def test_strength_mixes_pixels(translate, folder):
    for strength in ("0", "0.5", "1"):
        translate("photo.jpg", "-o", f"{strength}.png", "--strength", strength)
    none, half, full = (image.read(folder / f"{s}.png").pixels.astype(float) for s in ("0", "0.5", "1"))
    np.testing.assert_array_equal(none, image.read(folder / "photo.jpg").pixels)
    assert abs(half - (none + full) / 2).max() <= 1


def test_grey_and_transparent_pictures(translate, folder):
    Image.fromarray(made_photo(20, 30)).convert("LA").save(folder / "grey.png")
    translate("grey.png", "-o", "out.png")
    with Image.open(folder / "out.png") as result:
        assert result.mode == "RGBA"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "x"], "which picture?"),
        (["photo.jpg"], "by which model?"),
        (["photo.jpg", "--model", "microast/art"], "takes a style: sfumato stylize"),
        (["photo.jpg", "--model", "vgg/compact"], "makes no pictures"),
        (["photo.jpg", "--model", "nothing"], "there is no model 'nothing'"),
        (["none.jpg", "--model", "microast/art"], "there is no such file"),
        (["photo.jpg", "--model", "x", "--size", "99999"], "--size: 99999 x 74999 pixels are 7,499.8 megapixels"),
    ],
)
def test_mistakes_are_one_line(sfumato, folder, words, message):
    result = sfumato("translate", *words)
    assert result.code == 2
    assert len(result.err) == 1
    assert message in result.err[0]


def test_a_generator_takes_no_style(sfumato, folder, generator_file):
    result = sfumato("stylize", "photo.jpg", "--style", "wave.png", "--model", generator_file)
    assert result.code == 2
    assert "has a style of its own" in result.err[0]


def test_help_names_it(sfumato):
    assert "translate" in "\n".join(sfumato().out)
    assert "--shard" in "\n".join(sfumato("translate", "--help").out)


@pytest.fixture
def sketch_model(tmp_path):
    """A model of two classes in a file, and a sketch."""
    config = {"classes": ["cat", "dog"], "size": 16, "width": 2, "noise": 4}
    model = sketchygan.Model(sketchygan.Config(**{**config, "classes": ("cat", "dog")}))
    weights.save(tmp_path / "two.safetensors", model, Card(name="two", method="sketchygan", config=config))
    pixels = np.full((30, 40), 255, np.uint8)
    pixels[10] = 0
    Image.fromarray(pixels).save(tmp_path / "sketch.png")
    return tmp_path / "two.safetensors"


def test_a_class_is_chosen(sfumato, sketch_model, tmp_path):
    words = ["translate", tmp_path / "sketch.png", "--model", sketch_model, "--overwrite"]
    assert sfumato(*words).err == ["sfumato: which class? --label takes one of cat, dog"]
    assert sfumato(*words, "--label", "cow").err == ["sfumato: there is no class 'cow'; this model knows cat, dog"]
    result = sfumato(*words, "--label", "dog", "--seed", "3", "-o", tmp_path / "out.png")
    assert (result.code, result.err) == (0, [])
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (40, 30)


def test_results_are_named_after_class_and_seed(sfumato, sketch_model, tmp_path):
    for words in (["--label", "dog"], ["--label", "cat"], ["--label", "cat", "--seed", "3"]):
        result = sfumato("translate", tmp_path / "sketch.png", "--model", sketch_model, *words)
        assert result.code == 0 and "left out" not in "".join(result.err)
    names = {path.name for path in tmp_path.glob("sketch-*")}
    assert names == {"sketch-two-dog.png", "sketch-two-cat.png", "sketch-two-cat-3.png"}


def test_what_is_no_sketch_is_told(sfumato, sketch_model, tmp_path):
    Image.fromarray(made_photo(20, 30)).save(tmp_path / "photo.png")
    result = sfumato("translate", tmp_path / "photo.png", "--model", sketch_model, "--label", "cat")
    assert result.code == 0
    assert "% of it is white paper; `sfumato sketch` makes a sketch of a photograph" in result.err[0]


def test_other_models_know_no_classes(sfumato, folder, generator_file):
    result = sfumato("translate", "photo.jpg", "--model", generator_file, "--label", "cat")
    assert result.err == ["sfumato: there is no class 'cat'; this model has none to choose from"]
