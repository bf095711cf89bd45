"""Which parts count as found, and where."""

import numpy as np
import pytest

from sfumato.data.faces import Face
from sfumato.parsing import Parts, tidied
from sfumato.parsing.tidying import grown
from sfumato.parts import PARTS

NUMBER = {name: k for k, name in enumerate(PARTS)}
FACE = Face(box=(80, 40, 40, 40), points=((100, 60),) * 5, score=0.9)


def person(**pieces):
    """A person of 200 x 400 pixels, dressed; `pieces` are (rows, columns) of more parts, with how sure they are."""
    sure = np.full((400, 200), 0.9, np.float32)
    labels = np.zeros((400, 200), np.uint8)
    labels[20:80, 70:130], labels[40:90, 80:120] = NUMBER["hair"], NUMBER["face"]
    labels[90:240, 50:150], labels[240:380, 60:140] = NUMBER["upper-clothes"], NUMBER["pants"]
    for name, (rows, columns, certain) in pieces.items():
        labels[rows, columns] = NUMBER[name.replace("_", "-")]
        sure[rows, columns] = certain
    second = np.where(labels == NUMBER["face"], NUMBER["hair"], NUMBER["face"])
    second[90:] = np.where(labels == NUMBER["upper-clothes"], NUMBER["pants"], NUMBER["upper-clothes"])[90:]
    second[labels == 0] = NUMBER["dress"]
    soft = np.zeros((18, 400, 200), np.float32)
    soft[0] = 0.49 * (1 - sure)
    np.put_along_axis(soft, second[None], 0.51 * (1 - sure[None]), 0)
    np.put_along_axis(soft, labels[None].astype(int), sure[None], 0)
    return Parts(labels=labels, soft=soft, faces=(FACE,))


def found(parts):
    return set(tidied(parts).present()) - {"background"}


DRESSED = {"hair", "face", "upper-clothes", "pants"}


def test_all_that_is_sure_and_large_enough_is_found():
    small = person(
        sunglasses=(slice(55, 63), slice(82, 118), 0.7),
        left_shoe=(slice(370, 380), slice(60, 80), 0.6),
        belt=(slice(236, 241), slice(60, 140), 0.5),
        bag=(slice(200, 225), slice(150, 170), 0.6),
    )
    assert found(small) == DRESSED | {"sunglasses", "left-shoe", "belt", "bag"}
    kept = tidied(small).labels
    assert (kept != small.labels).mean() < 0.003


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("bag", (slice(200, 204), slice(60, 64), 0.9)),  # a speck
        ("skirt", (slice(150, 200), slice(60, 140), 0.34)),  # large, but another part is as likely
        ("sunglasses", (slice(55, 59), slice(84, 92), 0.8)),  # a dark eye
        ("left_leg", (slice(90, 110), slice(85, 115), 0.9)),  # a neck
    ],
)
def test_what_is_only_guessed_is_not_found(name, piece):
    parts = person(**{name: piece})
    assert name.replace("_", "-") in parts.present()
    made = tidied(parts)
    assert found(parts) == DRESSED
    assert not (made.labels == 0)[100:230, 60:140].any(), "there is no hole in its place"
    assert (made.labels == NUMBER["face"])[50:75, 84:116].all()


@pytest.mark.parametrize(("other", "there"), [("right-arm", True), ("bag", False)])
def test_left_and_right_are_sure_together(other, there):
    """A parser that wavers between the sides is sure of the limb; one that wavers between things is of neither."""
    limb = (slice(100, 220), slice(20, 50))
    parts = person(left_arm=(*limb, 0.34), bag=(slice(250, 300), slice(150, 180), 0.9))
    parts.soft[(slice(None), *limb)] = 0
    for name, share in (("left-arm", 0.34), (other, 0.33), ("background", 0.33)):
        parts.soft[(NUMBER[name], *limb)] = share
    assert ("left-arm" in found(parts)) == there


def test_a_small_person_beside_a_large_one_keeps_all_parts():
    large = person()
    labels, soft = np.zeros((800, 900), np.uint8), np.zeros((18, 800, 900), np.float32)
    soft[0] = 1
    for scale, (top, left) in ((2, (0, 0)), (1 / 5, (600, 700))):
        size = (round(400 * scale), round(200 * scale))
        rows, columns = ((np.arange(side) / scale).astype(int) for side in size)
        place = (slice(top, top + size[0]), slice(left, left + size[1]))
        labels[place] = large.labels[rows[:, None], columns]
        soft[(slice(None), *place)] = large.soft[:, rows[:, None], columns]
    faces = (FACE.scaled(2, 2), Face(box=(716, 608, 8, 8), points=((720, 612),) * 5, score=0.9))
    made = tidied(Parts(labels=labels, soft=soft, faces=faces))
    assert set(np.unique(made.labels[600:, 700:])) == {0, *(NUMBER[name] for name in DRESSED)}
    assert made.labels[612, 720] == NUMBER["face"]


def test_what_stands_alone_is_a_speck_beside_a_person():
    parts = person(right_arm=(slice(300, 306), slice(180, 186), 0.9))
    assert found(parts) == DRESSED
    alone = Parts(labels=parts.labels * (parts.labels == NUMBER["right-arm"]))
    assert found(alone) == {"right-arm"}


def test_a_gap_stays_where_it_is_large_or_open():
    labels = np.zeros((200, 200), np.uint8)
    labels[40:160, 40:160] = NUMBER["face"]
    labels[60:64, 60:64] = labels[80:120, 80:120] = labels[150:, 98:102] = 0
    made = tidied(Parts(labels=labels)).labels
    assert made[62, 62] and not made[100, 100] and not made[158, 100]


def test_tidied_twice_is_tidied_once():
    once = tidied(person())
    assert once.tidy and tidied(once) is once


def test_a_parser_of_other_names_is_tidied_too():
    labels = np.zeros((60, 60), np.uint8)
    labels[10:50, 10:50], labels[2:4, 2:4] = 1, 2
    made = tidied(Parts(labels=labels, names=("nothing", "cat", "dog")))
    assert set(made.present()) == {"nothing", "cat"}


def test_grown_labels_are_smooth():
    rows, columns = np.mgrid[:60, :60]
    labels = np.where(np.hypot(rows - 30, columns - 30) < 20, NUMBER["face"], 0).astype(np.uint8)
    assert grown(labels, (60, 60)) is labels
    large = grown(labels, (600, 600))
    rows, columns = np.mgrid[:600, :600]
    wanted = np.hypot(rows - 304.5, columns - 304.5) < 200
    assert ((large > 0) != wanted).mean() < 0.01
    assert set(np.unique(large)) == {0, NUMBER["face"]}
    assert grown(np.full((3, 4), 7, np.uint8), (9, 12)).min() == 7
