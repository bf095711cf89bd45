"""What a parser gives."""

import numpy as np
import pytest

from sfumato.data.faces import Face
from sfumato.errors import OptionError
from sfumato.image import Box
from sfumato.parsing import Parts
from sfumato.parts import PARTS


def test_the_table_is_one():
    from sfumato.render import character

    assert character.PARTS is PARTS
    assert len(PARTS) == 18 and PARTS[2] == "hair" and PARTS[11] == "face"


def test_masks_and_shares():
    labels = np.array([[0, 2, 2], [11, 11, 0]], np.uint8)
    parts = Parts(labels=labels)
    np.testing.assert_array_equal(parts.mask(["hair", "face"]), labels > 0)
    np.testing.assert_array_equal(parts.shares(["hair"]), labels == 2)
    assert parts.present() == pytest.approx({"background": 1 / 3, "hair": 1 / 3, "face": 1 / 3})
    assert list(Parts.empty(2, 3).present()) == ["background"]
    assert not parts.mask([]).any()


def test_a_part_that_is_named_twice_counts_once():
    soft = np.array([0.7, 0.3], np.float32)[:, None, None]
    parts = Parts(labels=np.zeros((4, 4), np.uint8), names=("background", "face"), soft=soft)
    assert parts.shares(["face", "face"]) == pytest.approx(np.full((4, 4), 0.3))


def test_soft_maps_are_coarser():
    soft = np.stack([np.full((2, 4), 0.25), np.full((2, 4), 0.75)]).astype(np.float32)
    parts = Parts(labels=np.ones((8, 16), np.uint8), names=("background", "face"), soft=soft)
    assert parts.shares(["face"]) == pytest.approx(np.full((8, 16), 0.75))
    assert parts.shares(["face", "background"]) == pytest.approx(np.ones((8, 16)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": np.zeros((2, 2, 1), np.uint8)}, "labels must be"),
        ({"labels": np.zeros((2, 2), int)}, "of int64"),
        ({"labels": np.zeros((0, 2), np.uint8)}, "labels must be"),
        ({"labels": np.full((2, 2), 18, np.uint8)}, "label 18 has no name; there are 18"),
        ({"labels": np.zeros((2, 2), np.uint8), "soft": np.zeros((3, 1, 1), np.float32)}, "soft maps must be"),
        ({"labels": np.zeros((2, 2), np.uint8), "soft": np.zeros((18, 1, 1))}, "float64"),
    ],
)
def test_what_is_no_parts(given, message):
    with pytest.raises(OptionError, match=message):
        Parts(**given)


def test_a_part_that_there_is_not():
    with pytest.raises(OptionError, match="there is no part 'nose'"):
        Parts.empty(2, 2).mask(["nose"])


def test_parts_at_another_size():
    labels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert np.array_equal(Parts(labels=labels).resized(4, 3).labels, labels.repeat(2, 0))
    assert np.array_equal(Parts(labels=labels.repeat(2, 1)).resized(2, 3).labels, labels)
    assert np.array_equal(Parts(labels=labels.reshape(1, 6)).resized(1, 2).labels, [[1, 4]]), "the middle of each three"


def test_faces_keep_their_places():
    face = Face(box=(10, 20, 30, 40), points=((15, 30), (25, 30), (20, 40), (16, 50), (24, 50)), score=0.7)
    parts = Parts(labels=np.zeros((100, 80), np.uint8), faces=(face,))
    (grown,) = parts.resized(300, 160).faces
    assert (grown.box, grown.points[2], grown.score) == ((20, 60, 60, 120), (40, 120), 0.7)
    assert Parts.empty(100, 80).resized(10, 8).faces is None


def test_the_parts_of_a_rectangle():
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    inner = Parts(labels=labels, faces=()).within(Box(1, 1, 3, 3))
    np.testing.assert_array_equal(inner.labels, [[5, 6], [9, 10]])
    assert (inner.soft, inner.faces) == (None, None)
