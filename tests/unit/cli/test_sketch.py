"""`sfumato sketch`: results where they belong, of the size and kind of the pictures."""

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import weights
from sfumato.card import Card
from sfumato.methods import pix2pix
from sfumato.nets.hed import HED


def test_a_picture(sfumato, folder):
    assert sfumato("sketch", "photo.jpg") == (0, ["photo-sketch.png"], [])
    with Image.open("photo-sketch.png") as image:
        assert (image.size, image.mode) == ((48, 36), "L")
    assert sfumato("sketch", "photo.jpg").err == ["1 of 1 pictures left out: their results are there"]


def test_a_folder_and_its_parts(sfumato, folder):
    sfumato("sketch", ".", "-o", "out", "--shard", "0/2")
    assert len(list((folder / "out").iterdir())) == 2
    sfumato("sketch", ".", "-o", "out", "--shard", "1/2")
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert names == ["night-sketch.png", "photo-sketch.png", "wave-sketch.png"]


def test_stages(sfumato, folder):
    result = sfumato("sketch", "photo.jpg", "-o", "lines.png", "--stages", "--detail", "64")
    assert result.out == ["lines-stages.png", "lines.png"]
    with Image.open("lines-stages.png") as image:
        assert image.width == 8 * (512 + 8)


def test_a_strip_replaces_nothing(sfumato, folder):
    Image.open("photo.jpg").save("lines-stages.png")
    before = (folder / "lines-stages.png").read_bytes()
    result = sfumato("sketch", "lines-stages.png", "-o", "lines.png", "--stages", "--overwrite")
    assert (result.code, result.err) == (
        2,
        ["sfumato: lines-stages.png: the strip of stages would replace a picture that is read; give -o another name"],
    )
    assert sfumato("sketch", "night.jpg", "-o", "lines.png", "--stages") == (0, ["lines.png"], [])
    assert (folder / "lines-stages.png").read_bytes() == before


def test_stages_of_pictures_that_are_drawn(sfumato, folder):
    sfumato("sketch", "photo.jpg")
    before = (folder / "photo-sketch.png").stat().st_mtime_ns
    assert sfumato("sketch", "photo.jpg", "--stages") == (0, ["photo-sketch-stages.png"], [])
    assert (folder / "photo-sketch.png").stat().st_mtime_ns == before
    result = sfumato("sketch", "photo.jpg", "--stages")
    assert result == (0, [], ["1 of 1 pictures left out: their results are there"])


def test_alpha_depth_and_orientation_are_kept(sfumato, folder):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    Image.fromarray(pixels).save("alpha.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 65536, (20, 30), np.uint16)).save("deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels[..., :3]).save("turned.jpg", exif=exif)
    assert sfumato("sketch", "alpha.png", "deep.png", "turned.jpg").code == 0
    with Image.open("alpha-sketch.png") as image:
        assert image.mode == "LA"
        assert np.array_equal(np.array(image)[..., 1], pixels[..., 3])
    with Image.open("deep-sketch.png") as image:
        assert (image.mode, image.size) == ("L", (30, 20))
    with Image.open("turned-sketch.png") as image:
        assert image.size == (20, 30)


def test_broken_pictures_are_named_at_the_end(sfumato, folder):
    (folder / "broken.jpg").write_bytes(b"nothing")
    result = sfumato("sketch", "broken.jpg", "night.jpg")
    assert (result.code, result.out) == (1, ["night-sketch.png"])
    assert result.err[-1] == "sfumato: 1 of 2 pictures could not be done"


def test_edges_by_hed(sfumato, folder):
    torch.save(HED().state_dict(), "hed.pytorch")
    result = sfumato("sketch", "photo.jpg", "--edges", "hed", "--hed-weights", "hed.pytorch", "--device", "cpu")
    assert result == (0, ["photo-sketch.png"], [])


def test_edges_by_a_model(sfumato, folder):
    config = {"width": 4, "blocks": 1}
    weights.save(
        "lines.safetensors",
        pix2pix.Model(pix2pix.Config(generator="resnet", **config)),
        Card(name="lines", method="pix2pix", config={"generator": "resnet", **config}),
    )
    result = sfumato("sketch", "photo.jpg", "--edges", "lines.safetensors", "--device", "cpu")
    assert result == (0, ["photo-sketch.png"], [])


def test_a_model_that_takes_a_style_finds_no_edges(sfumato, folder, model_file):
    result = sfumato("sketch", "photo.jpg", "--edges", model_file)
    assert result.code == 2
    assert "takes a style" in result.err[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threshold", "2"], "--threshold 2: input should be less than or equal to 1"),
        (["--detail", "9"], "--detail 9"),
        (["-o", "x.xyz"], "x.xyz"),
    ],
)
def test_mistakes(sfumato, folder, words, message):
    result = sfumato("sketch", "photo.jpg", *words)
    assert result.code == 2
    assert message in result.err[0]
