import logging
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import image
from sfumato.data import folders
from sfumato.data.folders import (
    Cache,
    ContentStyle,
    Crops,
    Folder,
    order,
    pick,
    random_crop,
    read_exclude,
    scan,
    shrink,
)
from sfumato.errors import DataError, RecipeError


def save(path, size=(20, 30), color=None, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size
    rng = np.random.default_rng(len(path.name))
    pixels = (
        rng.integers(0, 256, (height, width, 3), np.uint8)
        if color is None
        else np.full((height, width, 3), color, np.uint8)
    )
    Image.fromarray(pixels).convert(mode).save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    for i in range(7):
        save(tmp_path / "photos" / f"{i}.png", (20 + i, 30), color=(30 * i, 0, 0))
    return str(tmp_path / "photos")


def cut(path, share=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


# Finding


def test_pictures_are_found_below_in_order(tmp_path):
    names = ["b.JPG", "a/z.png", "a/.hidden.png", ".thumbs/x.png", "a/notes.txt", "c.webp"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "d.png").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in scan(str(tmp_path))]
    assert found == ["a/z.png", "b.JPG", "c.webp"]


def test_named_pictures_are_left_out(tmp_path):
    for name in ("a/1.png", "a/two words.png", "b/1.png"):
        save(tmp_path / name)
    (tmp_path / "list.txt").write_text("# held out\n\na/1.png \na/two words.png\n")
    folder = Folder([str(tmp_path)], 8, unwanted=read_exclude(str(tmp_path / "list.txt")))
    assert folder.paths == [str(tmp_path / "b/1.png")]


def test_a_line_that_leaves_nothing_out_is_told(tmp_path, caplog):
    for name in ("photos/1.png", "photos/2.png"):
        save(tmp_path / name)
    (tmp_path / "list.txt").write_text("photos/1.png\nphoto/2.png\n")
    opened = Crops(images=(str(tmp_path),), exclude=str(tmp_path / "list.txt")).open()
    assert opened.counts() == {str(tmp_path): 1}
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'list.txt'}: 1 lines name no picture of this run, the first photo/2.png"
    ]


def test_a_list_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="list of pictures to leave out"):
        Crops(images=(str(tmp_path),), exclude=str(tmp_path / "no.txt")).open()


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder"):
        Folder([str(tmp_path / "nowhere")], 10)


def test_broken_pictures_are_named_in_one_warning(tmp_path, caplog):
    for name in ("good.png", "cut.png", "text.jpg", "empty.png"):
        save(tmp_path / name)
    cut(tmp_path / "cut.png")
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    save(tmp_path / "other" / "also.webp").write_bytes(b"RIFF")
    folder = Crops(images=(str(tmp_path),)).open().folders["images"]
    assert [path.rpartition("/")[2] for path in folder.paths] == ["good.png"]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("4 broken pictures are left out")
    assert all(name in record.getMessage() for name in ("cut.png", "text.jpg", "empty.png", "also.webp"))
    assert folder.counts == {str(tmp_path): 1}


def test_a_folder_without_any_good_picture(tmp_path):
    with pytest.raises(DataError, match="no pictures$"):
        Folder([str(tmp_path)], 10)
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(DataError, match=r"no pictures that can be read; the first: .*a\.png"):
        Folder([str(tmp_path)], 10)


def test_of_a_large_set_only_headers_are_read(tmp_path, monkeypatch):
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / name)
    cut(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"")
    monkeypatch.setattr(folders, "WHOLE_BYTES", 10)
    folder = Folder([str(tmp_path)], 10)
    assert len(folder) == 2
    assert "c.png" in folder.left_out[0]
    assert np.array_equal(folder.picture(1), folder.picture(0))
    assert "b.png" in folder.broken[str(tmp_path / "b.png")]


# Reading


def test_a_picture_that_breaks_later_is_replaced_by_the_next(photos, tmp_path):
    folder = Folder([photos], 100)
    cut(tmp_path / "photos" / "6.png")
    (tmp_path / "photos" / "0.png").unlink()
    assert folder.picture(6)[0, 0, 0] == 30
    assert folder.picture(0)[0, 0, 0] == 30
    assert len(folder.broken) == 2


def test_the_path_goes_with_the_picture(photos, tmp_path):
    folder = Folder([photos], 100)
    (tmp_path / "photos" / "0.png").write_bytes(b"")
    path, pixels = folder.found(0)
    assert (path, pixels[0, 0, 0]) == (str(tmp_path / "photos" / "1.png"), 30)
    sound = {Path(path).name: pixels[0, 0, 0] for path, pixels in folder.sound()}
    assert len(sound) == len(folder) - 1
    assert all(value == 30 * int(name[0]) for name, value in sound.items())


def test_no_picture_is_left(photos, tmp_path):
    folder = Folder([photos], 100)
    for path in (tmp_path / "photos").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="no picture is left"):
        folder.picture(3)


def test_every_kind_of_picture_becomes_rgb_on_white(tmp_path):
    clear = np.zeros((9, 9, 4), np.uint8)
    clear[:, :, 0], clear[:4, :, 3] = 200, 255
    Image.fromarray(clear).save(tmp_path / "alpha.png")
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(tmp_path / "deep.png")
    cv2.imwrite(str(tmp_path / "deep_color.png"), np.full((9, 9, 3), (0, 32896, 65535), np.uint16))
    save(tmp_path / "grey.png", (9, 9), (77, 77, 77), "L")
    save(tmp_path / "palette.png", (9, 9), (255, 0, 0), "P")
    save(tmp_path / "cmyk.jpg", (9, 9), (255, 255, 255), "CMYK")
    folder = Folder([str(tmp_path)], 100)
    found = {path.rpartition("/")[2]: folder.picture(i) for i, path in enumerate(folder.paths)}
    assert all(pixels.shape == (9, 9, 3) and pixels.dtype == np.uint8 for pixels in found.values())
    assert found["alpha.png"][0, 0].tolist() == [200, 0, 0]
    assert found["alpha.png"][8, 8].tolist() == [255, 255, 255]
    assert found["deep.png"][0, 0].tolist() == [156, 156, 156]
    assert found["deep_color.png"][0, 0].tolist() == [255, 128, 0]
    assert found["grey.png"][0, 0].tolist() == [77, 77, 77]
    assert found["palette.png"][0, 0].tolist() == [255, 0, 0]
    assert found["cmyk.jpg"].min() > 250


def test_the_cache_keeps_to_its_limit(photos, monkeypatch):
    reads = []
    real = image.read
    monkeypatch.setattr(image, "read", lambda path: reads.append(str(path)) or real(path))
    folder = Folder([photos], 100, cache=Cache(4000))  # two pictures of 20 x 30
    reads.clear()
    for _ in range(3):
        for i in range(7):
            assert folder.picture(i)[0, 0, 0] == 30 * i
    assert len(reads) == 7 + 5 + 5
    assert sum(pixels.nbytes for pixels in folder.cache.pictures.values()) <= 4000


@pytest.mark.parametrize(
    ("size", "shortest", "shape"), [((40, 60), 20, (20, 30)), ((40, 60), 50, (40, 60)), ((1, 9), 4, (1, 9))]
)
def test_pictures_are_kept_at_the_size_that_is_needed(size, shortest, shape):
    assert shrink(np.zeros((*size, 3), np.uint8), shortest).shape == (*shape, 3)


# Crops


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 40), (64, 64), (200, 90)])
@pytest.mark.parametrize("shorter", [8, 32, 100])
def test_a_crop_of_any_picture_has_its_size(size, shorter):
    pixels = np.full((*size, 3), 9, np.uint8)
    for seed in range(5):
        crop = random_crop(pixels, 32, shorter, np.random.default_rng(seed))
        assert crop.shape == (32, 32, 3)
        assert int(crop.min()) == int(crop.max()) == 9


def test_a_crop_keeps_the_aspect_and_covers_all_places():
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8)[:, None, None], (240, 480, 3))
    seen = []
    for seed in range(200):
        crop = random_crop(ramp, 60, 120, np.random.default_rng(seed))
        assert int(crop[-1, 0, 0]) - int(crop[0, 0, 0]) == pytest.approx(118, abs=3)
        seen.append(int(crop[0, 0, 0]))
    assert min(seen) < 8
    assert max(seen) > 112


def test_half_of_the_crops_are_mirrored():
    ramp = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (200, 200, 3))
    crops = [random_crop(ramp, 50, 100, np.random.default_rng(seed)) for seed in range(400)]
    mirrored = sum(int(crop[0, 0, 0]) > int(crop[0, -1, 0]) for crop in crops)
    assert 160 < mirrored < 240


# Samples


def test_an_epoch_shows_each_picture_once():
    for epoch in range(3):
        assert sorted(pick(10, 5, epoch * 10 + i, "content") for i in range(10)) == list(range(10))
    assert order(10, 5, 0, "content").tolist() != order(10, 5, 1, "content").tolist()
    assert order(10, 5, 0, "content").tolist() != order(10, 5, 0, "style").tolist()


def test_the_order_is_the_one_of_all_earlier_versions():
    assert order(8, 0, 0, "content").tolist() == [0, 1, 6, 3, 7, 4, 5, 2]
    assert order(8, 7, 3, "images").tolist() == [6, 0, 1, 2, 5, 7, 4, 3]


@pytest.fixture
def data(photos):
    return ContentStyle(content=(photos,), style=(photos,), size=16, shorter=(16, 40))


def test_a_sample_is_a_function_of_seed_and_number(data):
    here, there = data.open(), pickle.loads(pickle.dumps(data.open(0)))
    forth = [here.sample(3, n) for n in range(20)]
    back = [there.sample(3, n) for n in reversed(range(20))][::-1]
    for a, b in zip(forth, back, strict=True):
        assert a.keys() == b.keys() == {"content", "style"}
        assert all(torch.equal(a[key], b[key]) for key in a)
        assert all(a[key].shape == (3, 16, 16) and a[key].dtype == torch.uint8 for key in a)
    assert not all(torch.equal(a["content"], here.sample(4, n)["content"]) for n, a in enumerate(forth))


def test_a_set_tells_what_it_holds(data, photos, tmp_path):
    opened = data.open()
    assert opened.counts() == {photos: 7}
    digest = opened.digest()
    assert data.open().digest() == digest
    save(tmp_path / "photos" / "new.png")
    assert data.open().digest() != digest
    assert Crops(images=(photos,)).open().sample(0, 0).keys() == {"images"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"content": ()}, DataError, "data.content names no folder"),
        ({"style": ("nowhere",)}, DataError, "nowhere: no such folder"),
        ({"shorter": (9, 8)}, RecipeError, "data.shorter: 9 is larger than 8"),
    ],
)
def test_wrong_settings_are_named(photos, change, error, words):
    given = {"content": (photos,), "style": (photos,)} | change
    with pytest.raises(error, match=words):
        ContentStyle(**given).open()
