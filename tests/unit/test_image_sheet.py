"""The contact sheet: every picture is on it, whole, with its label."""

import numpy as np
import pytest
import torch
from PIL import Image
from unit import picture_corpus as corpus

from sfumato.errors import OptionError
from sfumato.image import contact_sheet, from_any


def is_on(page: Image.Image, color: tuple[int, int, int]) -> int:
    """How many pixels of the page have this colour."""
    return int((np.asarray(page) == color).all(-1).sum())


def plain(color, height=40, width=60):
    return np.full((height, width, 3), color, np.uint8)


def test_every_picture_is_whole_on_the_page():
    colors = [(250, 0, 0), (0, 200, 0), (0, 0, 220), (200, 200, 0), (0, 180, 180)]
    page = contact_sheet([plain(color) for color in colors], columns=3, side=90, labels=list("abcde"))
    assert page.mode == "RGB"
    assert [is_on(page, color) for color in colors] == [90 * 60] * 5
    edge = np.asarray(page)
    for margin in (edge[:6], edge[-6:], edge[:, :6], edge[:, -6:]):
        assert (margin == 255).all()


def test_labels_and_title_are_written():
    bare, labelled, titled = (
        contact_sheet([plain((255, 255, 255))] * 2, side=120, **options)
        for options in ({}, {"labels": ["wave", "after Hokusai"]}, {"title": "Six styles", "labels": ["a", "b"]})
    )
    assert np.asarray(bare).min() == 255
    assert np.asarray(labelled).min() < 150
    assert bare.height < labelled.height < titled.height
    assert bare.width == labelled.width == titled.width


def test_a_long_label_stays_in_its_cell():
    page = np.asarray(contact_sheet([plain((255, 255, 255))] * 2, labels=["x" * 500, ""], side=160, columns=2))
    assert (page[:, : 160 // 14] == 255).all()
    written = np.flatnonzero((page < 200).any((0, 2)))
    assert written.max() - written.min() < 160


def test_a_long_title_goes_on_in_further_lines():
    """On a narrow page, too, the whole of it is there: each line is written, and none leaves the page."""
    title = "a parser of some name: mean IoU 0.812, the best and the worst pictures"
    page = np.asarray(contact_sheet([plain((255, 255, 255))], side=160, title=title, labels=[""]))
    inked = (page < 150).any((1, 2))
    lines = np.flatnonzero(inked[1:] & ~inked[:-1])
    short = np.asarray(contact_sheet([plain((255, 255, 255))], side=160, title="a parser", labels=[""]))
    assert len(lines) >= 3 and page.shape[0] > short.shape[0]
    columns = np.flatnonzero((page < 150).any((0, 2)))
    assert columns.min() >= 160 // 14 and columns.max() < page.shape[1] - 160 // 14
    other = contact_sheet([plain((255, 255, 255))], side=160, title=f"{title[:-8]}drawings", labels=[""])
    assert (page != np.asarray(other)).any(), "its last word, too"


def test_anything_can_be_shown(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(corpus.scene()).save(path)
    sources = [path, corpus.in_mode("LA"), corpus.scene(depth=16), torch.rand(1, 3, 9, 7), from_any(corpus.scene(1, 1))]
    page = contact_sheet(sources, columns=10, side=50)
    assert page.width == 5 * 50 + 8 * 4


@pytest.mark.parametrize("wrong", [{"pictures": []}, {"labels": ["one", "two"]}, {"columns": 0}, {"side": 0}])
def test_what_makes_no_sheet(wrong):
    with pytest.raises(OptionError, match="contact sheet"):
        contact_sheet(**{"pictures": [corpus.scene()], **wrong})
