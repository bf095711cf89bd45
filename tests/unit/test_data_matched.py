"""Two kinds of pictures, each of the one with those of the other most like it."""

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato.data.matched import Matched, most_alike
from sfumato.errors import DataError

CORNERS = ("lower", "upper", "left", "right")


def half(which, bright, dark):
    """Pixels (40, 40, 3) of two colours."""
    pixels = np.full((40, 40, 3), dark, np.uint8)
    place = {"lower": np.s_[20:], "upper": np.s_[:20], "left": np.s_[:, :20], "right": np.s_[:, 20:]}[which]
    pixels[place] = bright
    return pixels


@pytest.fixture
def sides(tmp_path):
    """Four grey pictures that are bright in one half; four dark red ones that are less dark there, in other order."""
    for side, names, bright, dark in (
        ("a", CORNERS, (240, 240, 240), (120, 120, 120)),
        ("b", CORNERS[::-1], (90, 0, 0), (40, 0, 0)),
    ):
        (tmp_path / side).mkdir()
        for i, name in enumerate(names):
            Image.fromarray(half(name, bright, dark)).save(tmp_path / side / f"{i}-{name}.png")
    return {"a": (str(tmp_path / "a"),), "b": (str(tmp_path / "b"),)}


def small(**changes):
    return Matched(**({"size": 16, "shorter": (16, 20), "hold_out": 0.0} | changes))


def test_the_most_alike_belong_together_whatever_their_colours(sides):
    opened = small(**sides, nearest=1).open()
    names = [
        tuple(opened.folders[side].paths[i].split("-")[-1] for side, i in (("a", a), ("b", int(b))))
        for a, b in enumerate(opened.partners[:, 0])
    ]
    assert names == [(f"{name}.png", f"{name}.png") for name in CORNERS]


def test_both_are_cropped_at_the_same_place(sides):
    opened = small(**sides, nearest=1, rotate_deg=9.0).open()
    for n in range(8):
        sample = opened.sample(1, n)
        bright = {side: x.float().mean(0) > level for (side, x), level in zip(sample.items(), (180, 22), strict=True)}
        assert (bright["a"] == bright["b"]).float().mean() > 0.95
        assert 0.2 < bright["a"].float().mean() < 0.8


def test_partners_take_turns_and_samples_depend_on_their_number_alone(sides):
    first, second = (small(**sides, nearest=2).open() for _ in range(2))
    second.sample(0, 1)
    assert all(torch.equal(first.sample(0, 7)[side], second.sample(0, 7)[side]) for side in "ab")
    plain = small(**sides, nearest=2, flip=False, shorter=(16, 16)).open()
    shown = {plain.sample(0, n)["b"].numpy().tobytes() for n in range(40)}
    assert len(shown) == len(np.unique(plain.partners)) > 1


def test_more_partners_than_pictures_are_all_of_them(sides):
    assert small(**sides, nearest=9).open().partners.shape == (4, 4)


def test_the_nearest_row_is_the_first():
    rows = np.array([[0, 0], [3, 0], [9, 9]], np.float32)
    assert most_alike(rows[[1, 2, 0]] + 0.5, rows, 3)[:, 0].tolist() == [1, 2, 0]


def test_what_is_near_to_all_is_not_given_to_all():
    a = np.array([[0, 0], [4, 0], [0, 4]], np.float32)
    b = np.array([[1.4, 1.4], [6.5, 0], [0, 6.5]], np.float32)  # the first is nearest to each
    assert most_alike(a, b, 1)[:, 0].tolist() == [0, 1, 2]


def test_held_out_pictures_have_no_partners(tmp_path, sides):
    for i in range(30):
        Image.fromarray(half("left", (i, i, i), (9, 9, 9))).save(tmp_path / "a" / f"more{i}.png")
    opened = small(**sides, hold_out=0.3).open()
    kept = list(opened.held_out(100)["a"])
    assert len(kept) + len(opened.partners) == 34
    assert kept
    assert not opened.paired


def test_an_empty_side(tmp_path, sides):
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no pictures"):
        small(a=sides["a"], b=(str(tmp_path / "none"),)).open()
