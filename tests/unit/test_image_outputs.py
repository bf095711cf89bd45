"""What can be written is known before the work; the limits of formats; PNG of 8 bits."""

import os
import struct

import numpy as np
import pytest
from PIL import Image
from unit import picture_corpus as corpus

from sfumato import image
from sfumato.errors import DiskError, OptionError, PictureError
from sfumato.image import writing

needs_avif = pytest.mark.skipif(not corpus.HAS_AVIF, reason="this Pillow has no AVIF")


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.bmp", "'.bmp' names no format"),
        ("x", "'' names no format"),
        ("folder.png", "is a folder"),
        ("nowhere/x.png", "there is no folder"),
        ("file.png/x.png", "file.png is no folder"),
    ],
)
def test_outputs_that_will_not_do(name, message, tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file.png").touch()
    for refuse in (image.check_output, lambda path: image.write(path, image.from_any(corpus.scene()))):
        with pytest.raises(PictureError, match=message) as caught:
            refuse(tmp_path / name)
        assert name in str(caught.value)
    assert leftovers(tmp_path) == ["file.png", "folder.png"]


def test_impossible_names(tmp_path):
    picture = image.from_any(corpus.scene())
    for name in ("a\0b.png", "long" * 80 + ".png", "long" * 80 + "/x.png"):
        with pytest.raises(PictureError, match="no file can have such a name"):
            image.write(tmp_path / name, picture)
        with pytest.raises(PictureError, match="no file can have such a name"):
            image.check_output(tmp_path / name, makes_folder=True)
    assert leftovers(tmp_path) == []


def test_folders_that_will_be_made(tmp_path):
    path = tmp_path / "new" / "er" / "x.png"
    assert image.check_output(path, makes_folder=True) == path
    assert leftovers(tmp_path) == []
    (tmp_path / "new").touch()
    with pytest.raises(PictureError, match=r"x\.png: .*new is no folder"):
        image.check_output(path, makes_folder=True)


def test_a_folder_made_in_one_that_is_read_only(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda folder, _: folder != tmp_path)
    with pytest.raises(DiskError, match="read-only"):
        image.check_output(tmp_path / "new" / "x.png", makes_folder=True)


def test_too_long_for_the_format(tmp_path):
    long = image.from_any(np.zeros((1, 16384, 3), np.uint8))
    with pytest.raises(PictureError, match=r"x\.webp: 16384 x 1 pixels are more than WEBP can hold \(16383 a side\)"):
        image.write(tmp_path / "x.webp", long)
    with pytest.raises(PictureError, match="16383"):
        image.check_output(tmp_path / "x.webp", size=(16384, 1))
    with pytest.raises(OptionError, match="101"):
        image.write(tmp_path / "x.jpg", long, quality=101)
    image.write(tmp_path / "x.jpg", long)


@needs_avif
def test_the_longest_avif_can_be_read_again(tmp_path):
    array = np.repeat(np.arange(32768) % 200, 3).reshape(-1, 1, 3).astype(np.uint8)
    image.write(tmp_path / "x.avif", image.from_any(array), quality=50)
    assert np.abs(image.read(tmp_path / "x.avif").pixels.astype(int) - array).mean() < 20
    with pytest.raises(PictureError, match="1 x 32769 pixels are more than AVIF can hold"):
        image.write(tmp_path / "y.avif", image.from_any(np.zeros((32769, 1, 3), np.uint8)))


@needs_avif
@pytest.mark.parametrize(
    ("size", "fits"),
    [((2**14, 2**14), True), ((2**13, 2**15), True), ((2**14 + 1, 2**14), False), ((1, 2**15 + 1), False)],
)
def test_the_limits_of_avif_are_those_of_its_reader(size, fits, tmp_path):
    """Small files whose headers name such sizes."""
    data = bytearray(corpus.encoded(corpus.in_mode("RGB"), "AVIF"))
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", *size[::-1])
    (tmp_path / "x.avif").write_bytes(data)
    if fits:
        assert image.size_of(tmp_path / "x.avif") == size
        image.check_output(tmp_path / "y.avif", size=size)
    else:
        with pytest.raises(PictureError, match="damaged"):
            image.size_of(tmp_path / "x.avif")
        with pytest.raises(PictureError, match="more than AVIF can hold"):
            image.check_output(tmp_path / "y.avif", size=size)


@needs_avif
def test_a_pillow_without_avif_is_told_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_writers", dict)
    with pytest.raises(PictureError, match="this Pillow cannot write AVIF"):
        image.check_output(tmp_path / "x.avif")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("icc", [None, corpus.profile(), corpus.profile(space="GRAY")], ids=["", "color", "grey"])
@pytest.mark.parametrize("size", [(31, 45), (400, 701)])
def test_eight_bit_png_is_what_pillow_would_write(mode, icc, size, tmp_path):
    source = corpus.in_mode(mode, *size)
    source.info |= {"exif": corpus.camera(), "icc_profile": icc}
    picture = image.from_any(source)
    picture.to_pil().save(tmp_path / "pillow.png", icc_profile=picture.icc, exif=picture.exif)
    image.write(tmp_path / "ours.png", picture)
    with Image.open(tmp_path / "pillow.png") as expected, Image.open(tmp_path / "ours.png") as ours:
        assert ours.mode == expected.mode == mode
        assert np.array_equal(np.asarray(ours), np.asarray(expected))
        assert ours.info.keys() == expected.info.keys() and ours.info == expected.info


def test_eight_bit_png_needs_no_second_copy(tmp_path, monkeypatch):
    whole, heights = writing.color.put_together, []

    def counted(parts):
        heights.append(len(parts.pixels))
        return whole(parts)

    monkeypatch.setattr(writing.color, "put_together", counted)
    image.write(tmp_path / "x.png", image.from_any(np.zeros((2000, 1000, 3), np.uint8)))
    assert sum(heights) == 2000 and max(heights) < 1000


def test_a_folder_known_to_be_read_only(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(DiskError, match="read-only"):
        image.check_output(tmp_path / "x.png")
