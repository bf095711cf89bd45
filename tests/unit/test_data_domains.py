"""Two kinds of pictures: without pairs, in pairs by name, side by side."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato.data import domains
from sfumato.data.domains import Paired, SideBySide, Unpaired, having, held_out
from sfumato.errors import DataError, RecipeError


def save(path, color=(200, 0, 0), size=(40, 50), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((*size, 3), color, np.uint8)
    pixels[: size[0] // 2] //= 2
    Image.fromarray(pixels).convert(mode).save(path)
    return path


@pytest.fixture
def sides(tmp_path):
    """Seven red pictures, three blue ones."""
    for i in range(7):
        save(tmp_path / "a" / f"{i}.png", (200, 0, 0))
    for i in range(3):
        save(tmp_path / "b" / f"{i}.jpg", (0, 0, 200))
    return {"a": (str(tmp_path / "a"),), "b": (str(tmp_path / "b"),)}


def small(kind, **changes):
    return kind(size=16, shorter=(16, 20), **({"hold_out": 0.0} | changes))


def test_unpaired_samples_are_of_both_kinds(sides):
    opened = small(Unpaired, **sides).open()
    sample = opened.sample(0, 5)
    assert {k: (v.shape, v.dtype) for k, v in sample.items()} == dict.fromkeys("ab", ((3, 16, 16), torch.uint8))
    assert sample["a"][0].float().mean() > 80 > sample["a"][2].float().mean()
    assert sample["b"][2].float().mean() > 80 > sample["b"][0].float().mean()
    assert list(opened.counts().values()) == [7, 3]


def test_a_sample_depends_on_seed_and_number_alone(sides):
    first, second = (small(Unpaired, **sides, rotate_deg=10.0, jitter=0.3).open() for _ in range(2))
    second.sample(0, 1)
    for key, crop in first.sample(3, 4).items():
        assert torch.equal(crop, second.sample(3, 4)[key])
    assert not all(torch.equal(first.sample(3, 4)[k], first.sample(4, 4)[k]) for k in "ab")


def test_workers_can_take_them_along(sides):
    opened = small(Unpaired, **sides).open()
    assert torch.equal(pickle.loads(pickle.dumps(opened)).sample(0, 0)["a"], opened.sample(0, 0)["a"])


def test_grey_transparent_and_16_bit_pictures(tmp_path):
    save(tmp_path / "a" / "grey.png", mode="L")
    save(tmp_path / "a" / "clear.png", mode="RGBA")
    Image.fromarray(np.full((30, 30), 40_000, np.uint16)).save(tmp_path / "a" / "deep.png")
    save(tmp_path / "b" / "tiny.png", size=(1, 1))
    opened = small(Unpaired, a=(str(tmp_path / "a"),), b=(str(tmp_path / "b"),)).open()
    assert all(opened.sample(0, n)[k].shape == (3, 16, 16) for n in range(6) for k in "ab")


def test_held_out_pictures_are_not_trained_on(tmp_path):
    paths = [save(tmp_path / "a" / f"{i}.png", (i, 0, 0)) for i in range(60)]
    kept = [held_out(path, 0.3) for path in paths]
    assert 8 < sum(kept) < 28
    settings = small(Unpaired, a=(str(tmp_path / "a"),), b=(str(tmp_path / "a"),), hold_out=0.3)
    opened = settings.open()
    assert opened.counts()[str(tmp_path / "a")] == 60 - sum(kept)
    shown = list(opened.held_out(1000)["a"])
    assert len(shown) == sum(kept)
    assert all(picture.shape == (3, 16, 16) for picture in shown)
    assert len(list(opened.held_out(2)["b"])) == 2


def test_none_held_out_is_an_error(sides):
    with pytest.raises(DataError, match="no pictures"):
        small(Unpaired, **sides).open().held_out(3)


@pytest.mark.parametrize("rotate_deg", [0.0, 10.0])
def test_squash_brings_a_picture_to_a_square(tmp_path, rotate_deg):
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 30:] = 255
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels).save(tmp_path / "a" / "x.png")
    where = (str(tmp_path / "a"),)
    settings = Unpaired(
        a=where, b=where, size=20, shorter=(20, 20), squash=True, flip=False, hold_out=0.0, rotate_deg=rotate_deg
    )
    crop = settings.open().sample(0, 0)["a"].float()
    assert abs(crop.mean() - 127.5) < 25


def test_pairs_are_cropped_alike(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(3):
        pixels = rng.integers(0, 255, (30, 40, 3), np.uint8)
        for side, ending in (("a", "png"), ("b", "bmp")):
            (tmp_path / side).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / side / f"{i}.{ending}")
    opened = small(Paired, a=(str(tmp_path / "a"),), b=(str(tmp_path / "b"),), rotate_deg=9.0).open()
    for n in range(8):
        sample = opened.sample(0, n)
        assert torch.equal(sample["a"], sample["b"])


def test_a_pair_with_a_broken_half_is_no_pair(tmp_path):
    for i in range(6):  # the red in `a` is the blue in `b`
        save(tmp_path / "a" / f"{i}.png", (30 * i + 40, 0, 0), (20, 20))
        save(tmp_path / "b" / f"{i}.png", (0, 0, 30 * i + 40), (20, 20))
    opened = small(Paired, a=(str(tmp_path / "a"),), b=(str(tmp_path / "b"),)).open(cache_bytes=0)
    for lost in ("a/2.png", "b/4.png"):
        (tmp_path / lost).write_bytes(b"no picture any more")
    found = set()
    for n in range(24):
        sample = opened.sample(0, n)
        red, blue = int(sample["a"].max()), int(sample["b"].max())
        assert abs(red - blue) <= 4
        found.add(round((red - 40) / 30))
    assert found == {0, 1, 3, 5}
    kept = [{side: int(x.max()) for side, x in both.items()} for both in domains.sound_pairs(opened.folders)]
    assert [(both["a"], both["b"]) for both in kept] == [(30 * i + 40,) * 2 for i in (0, 1, 3, 5)]
    for path in tmp_path.glob("*/*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="left"):
        opened.sample(0, 0)


def test_pairs_of_different_sizes_are_brought_together(tmp_path):
    save(tmp_path / "a" / "x.png", (10, 20, 30), (40, 40))
    save(tmp_path / "b" / "x.png", (10, 20, 30), (20, 20))
    sample = small(Paired, a=(str(tmp_path / "a"),), b=(str(tmp_path / "b"),)).open().sample(0, 0)
    assert (sample["a"].float() - sample["b"].float()).abs().max() < 12


def test_names_without_a_partner_are_named(sides):
    with pytest.raises(DataError, match=r"4 names are in one folder only; the first, 3, is in data\.a alone"):
        small(Paired, **sides).open()


def test_two_of_one_name_are_no_pair(sides, tmp_path):
    save(tmp_path / "more" / "0.png")
    for i in range(3, 7):
        save(tmp_path / "b" / f"{i}.png")
    with pytest.raises(DataError, match=r"data\.a has two pictures of one name"):
        small(Paired, a=(*sides["a"], str(tmp_path / "more")), b=sides["b"]).open()


@pytest.mark.parametrize("swap", [False, True])
def test_side_by_side(tmp_path, swap):
    pixels = np.zeros((20, 41, 3), np.uint8)
    pixels[:, :20] = 250
    (tmp_path / "pairs").mkdir()
    Image.fromarray(pixels).save(tmp_path / "pairs" / "x.png")
    settings = SideBySide(pairs=(str(tmp_path / "pairs"),), size=16, shorter=(16, 16), hold_out=0.0, swap=swap)
    sample = settings.open().sample(0, 0)
    light, dark = ("b", "a") if swap else ("a", "b")
    assert sample[light].min() == 250
    assert sample[dark].max() == 0


def test_held_out_pairs_belong_together(tmp_path):
    for i in range(30):
        save(tmp_path / "a" / f"x{'z' if i % 2 else 'a'}" / f"{i}.png", (i * 8, 0, 0))
        save(tmp_path / "b" / f"{i}.{'bmp' if i % 3 else 'png'}", (0, i * 8, 0))
    where = {side: (str(tmp_path / side),) for side in "ab"}
    shown = small(Paired, **where, hold_out=0.4).open().held_out(100)
    pairs = list(zip(shown["a"], shown["b"], strict=True))
    assert len(pairs) > 5
    assert all(int(a[0].max()) == int(b[1].max()) for a, b in pairs)
    alone = next(path for path in sorted((tmp_path / "b").iterdir()) if held_out(path, 0.4))
    alone.unlink()
    with pytest.raises(DataError, match=rf"1 names are in .* first, {alone.stem}, is in data\.a alone"):
        small(Paired, **where, hold_out=0.4).open().held_out(100)


def test_halves_held_out(tmp_path):
    for i in range(40):
        save(tmp_path / "pairs" / f"{i}.png", size=(20, 40))
    opened = SideBySide(pairs=(str(tmp_path / "pairs"),), size=16, shorter=(16, 16), hold_out=0.4).open()
    shown = {side: list(pictures) for side, pictures in opened.held_out(5).items()}
    assert {side: len(pictures) for side, pictures in shown.items()} == {"a": 5, "b": 5}


CELEBA = """3
Male Smiling
0.png -1  1
1.png  1 -1
2.png -1 -1
"""
TABLE = "image_id,Male,Smiling\n0.png,-1,1\n1.png,1,-1\n2.png,-1,-1\n"


@pytest.mark.parametrize("text", [CELEBA, TABLE])
@pytest.mark.parametrize(
    ("wanted", "kept"), [("Male=-1", "02"), ("Male=-1, Smiling=1", "0"), ("Smiling", "0"), ("Male=0", "")]
)
def test_attributes(tmp_path, text, wanted, kept):
    (tmp_path / "list.txt").write_text(text)
    assert having(tmp_path / "list.txt", wanted) == set(kept)


def test_only_pictures_with_the_attribute_are_taken(sides, tmp_path):
    (tmp_path / "list.txt").write_text(CELEBA)
    opened = small(Unpaired, **sides, attributes=str(tmp_path / "list.txt"), keep_a="Male=-1").open()
    assert list(opened.counts().values()) == [2, 3]


def test_an_attribute_that_is_not_there(tmp_path):
    (tmp_path / "list.txt").write_text(CELEBA)
    with pytest.raises(DataError, match="there is no attribute 'Hat'; there are Male, Smiling"):
        having(tmp_path / "list.txt", "Hat=1")
    with pytest.raises(DataError, match="cannot be read"):
        having(tmp_path / "none.txt", "Hat=1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shorter": (8, 20)}, "data.shorter: 8 20 must rise, from the crop's 16 on"),
        ({"shorter": (20, 18)}, "must rise"),
        ({"keep_a": "Male=1"}, "needs data.attributes"),
    ],
)
def test_options_that_contradict(sides, changes, message):
    with pytest.raises(RecipeError, match=message):
        Unpaired(**({"size": 16, "shorter": (16, 20)} | sides | changes)).open()


def test_no_folder_named():
    with pytest.raises(DataError, match=r"data\.a names no folder"):
        small(Unpaired).open()


def test_digest_tells_other_pictures(sides, tmp_path):
    before = small(Unpaired, **sides).open().digest()
    save(tmp_path / "a" / "more.png")
    assert small(Unpaired, **sides).open().digest() != before


def test_jitter_keeps_the_range():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    changed = domains.jittered(pixels, 0.5, np.random.default_rng(1))
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, pixels)
