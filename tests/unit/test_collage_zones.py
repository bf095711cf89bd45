"""Zones of parts, heads told apart, and a first zone without weights."""

import dataclasses
import itertools

import cv2
import numpy as np
import pytest
from collages import round_mask as disc
from stylizers import made_photo

from sfumato import image
from sfumato.collage import Options, heads, zone, zones
from sfumato.data.faces import Face, detect
from sfumato.errors import OptionError
from sfumato.image import Box
from sfumato.parsing import Parts, first_zone
from sfumato.parts import PARTS


def cleaned(mask):
    """The zone of a face that a parser without soft maps found there."""
    return zone(Parts(labels=mask * np.uint8(PARTS.index("face"))))


def test_specks_and_holes_are_gone():
    mask = disc(200, 200, (100, 100), 60)
    whole = mask.copy()
    mask[10:13, 10:13] = True
    mask[98:102, 98:102] = False
    found = cleaned(mask)
    assert (found != whole).mean() < 0.005
    assert not found[:20, :20].any() and found[100, 100]


def test_a_ragged_border_becomes_smooth():
    mask = disc(300, 300, (150, 150), 80)
    ragged = mask ^ (np.random.default_rng(0).random(mask.shape) < 0.3) & disc(300, 300, (150, 150), 84)
    ragged |= disc(300, 300, (150, 150), 76)

    def edges(m):
        return int((m[1:] != m[:-1]).sum() + (m[:, 1:] != m[:, :-1]).sum())

    assert edges(cleaned(ragged)) < 1.2 * edges(mask) < edges(ragged)


def test_large_masks_are_cleaned_on_a_copy():
    mask = np.zeros((1500, 2500), bool)
    mask[200:1300, 300:2300] = True
    assert (cleaned(mask) != mask).mean() < 0.005


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 3)])
def test_tiny_masks(shape):
    assert cleaned(np.ones(shape, bool)).all()
    assert not cleaned(np.zeros(shape, bool)).any()


def test_the_zone_is_that_of_the_wanted_parts():
    labels = np.zeros((90, 90), np.uint8)
    labels[10:40, 20:70] = PARTS.index("hair")
    labels[40:80, 20:70] = PARTS.index("face")
    parts = Parts(labels=labels)
    both, face = zone(parts), zone(parts, Options(parts=("face",)))
    assert both[15, 45] and both[60, 45] and not both[5, 45]
    assert face[60, 45] and not face[15, 45]
    with pytest.raises(OptionError, match="there is no part 'hair'"):
        zone(Parts(labels=np.zeros((9, 9), np.uint8), names=("background", "face")))


def test_soft_maps_tell_the_border_where_there_are_some():
    labels = np.zeros((60, 60), np.uint8)
    soft = np.zeros((18, 15, 15), np.float32)
    soft[0] = 1
    soft[:, :, 5:10] = 0
    soft[PARTS.index("face"), :, 5:10], soft[0, :, 5:10] = 0.8, 0.2
    assert zone(Parts(labels=labels, soft=soft))[:, 25:35].all()
    assert not zone(Parts(labels=labels)).any()
    assert not zone(Parts(labels=labels, soft=soft, tidy=True)).any(), "labels that are tidy tell all"


def face_at(x, y, size):
    points = tuple(
        (x + dx * size, y + dy * size) for dx, dy in ((-0.2, -0.1), (0.2, -0.1), (0, 0), (-0.1, 0.2), (0.1, 0.2))
    )
    return Face(box=(x - size / 2, y - size / 2, size, size), points=points, score=0.9)


def test_pieces_and_faces_are_apart(monkeypatch):
    """One piece alone, and one that two faces share."""
    mask = disc(200, 400, (60, 100), 40) | disc(200, 400, (240, 100), 45) | disc(200, 400, (320, 100), 45)
    known = [face_at(240, 100, 50), face_at(320, 100, 50)]
    monkeypatch.setattr(zones.faces, "detect", lambda _: known)
    found = heads(mask, made_photo(200, 400))
    assert [head.face is None for head in found] == [False, False, True]
    together = np.zeros(mask.shape, int)
    for head in found:
        together[head.box.slices] += head.mask
        assert head.mask.any(0).all() or head.mask.any(1).all()
    np.testing.assert_array_equal(together, mask)
    by_face = {head.face: head.box for head in found}
    assert by_face[known[0]].right <= 282 and by_face[known[1]].left >= 278
    assert by_face[None] == Box(61, 21, 140, 100)


def test_hair_on_both_sides_of_a_face_is_one_head(monkeypatch):
    """Neither piece holds the face; a third, far from it, stays by itself."""
    mask = np.zeros((200, 400), bool)
    mask[60:140, 60:80] = mask[70:120, 125:140] = mask[60:100, 300:320] = True
    monkeypatch.setattr(zones.faces, "detect", lambda _: [face_at(100, 100, 50)])
    first, second = heads(mask, made_photo(200, 400))
    assert (first.box, second.box) == (Box(60, 60, 140, 140), Box(60, 300, 100, 320))
    assert first.face is not None and second.face is None
    np.testing.assert_array_equal(first.mask, mask[60:140, 60:140])


def test_corners_are_no_holes():
    """What the box of a zone cuts off is background, however little of it there is."""
    mask = np.zeros((440, 440), np.uint8)
    cv2.rectangle(mask, (80, 20), (360, 420), 1, -1)
    cv2.rectangle(mask, (20, 80), (420, 360), 1, -1)
    for x, y in itertools.product((80, 360), (80, 360)):
        cv2.circle(mask, (x, y), 60, 1, -1)
    rounded = mask.astype(bool)
    made = cleaned(rounded)
    assert not made[24, 24] and not made[416, 24]
    assert (made != rounded).mean() < 0.003


def test_faces_that_are_known_are_not_looked_for(monkeypatch):
    """Of those only that count of which the detector is sure: a doubtful one divides no head."""
    monkeypatch.setattr(zones.faces, "detect", lambda _: pytest.fail("looked for faces"))
    mask = disc(200, 400, (240, 100), 45) | disc(200, 400, (320, 100), 45)
    sure, doubtful = face_at(240, 100, 50), dataclasses.replace(face_at(320, 100, 50), score=0.4)
    (head,) = heads(mask, made_photo(200, 400), [sure, doubtful])
    assert head.face is sure
    (alone,) = heads(mask, made_photo(200, 400), [])
    assert alone.face is None


def test_no_heads_in_an_empty_mask():
    assert heads(np.zeros((30, 30), bool), made_photo(30, 30)) == []


def test_a_frame_is_square_and_as_much_larger():
    assert zones.frame(Box(10, 20, 50, 40), 0.25, 100, 100) == Box(0, 0, 60, 60)
    assert zones.frame(Box(40, 60, 60, 80), 0.5, 100, 200) == Box(30, 50, 70, 90)
    assert zones.frame(Box(0, 0, 1, 1), 0, 1, 1) == Box(0, 0, 1, 1)


def test_a_frame_lies_in_the_picture():
    assert zones.frame(Box(0, 90, 20, 100), 0.5, 100, 100) == Box(0, 60, 40, 100)
    assert zones.frame(Box(5, 5, 15, 105), 0.5, 60, 300) == Box(0, 0, 60, 200)
    assert zones.frame(Box(0, 0, 30, 20), 1, 30, 20) == Box(0, 0, 30, 20)


def test_nobody_there():
    for pixels in (made_photo(80, 120), made_photo(3, 5), np.zeros((200, 200, 3), np.uint8)):
        parts = first_zone(pixels)
        assert parts.labels.shape == pixels.shape[:2]
        assert list(parts.present()) == ["background"]


def test_first_zones_of_faces(real_data):
    """Eyes, nose and mouth are in the face, and the lower corners of the picture are not."""
    for number in (0, 13, 25, 45):
        photo = image.read(real_data / "faces_photo" / "sfhq_mit_synthetic" / f"{number:04d}.jpg")
        parts = first_zone(photo)
        (face,) = detect(photo.pixels)
        assert all(parts.labels[int(y), int(x)] == PARTS.index("face") for x, y in face.points)
        assert not parts.labels[[-1, -1], [0, -1]].any()
        shares = parts.present()
        assert 0.15 < shares["face"] < 0.6
        assert 0.25 < zone(parts).mean() < 0.75
        again = first_zone(photo)
        np.testing.assert_array_equal(parts.labels, again.labels)


def test_close_ups_are_all_face(real_data):
    """Nothing in the picture is surely beside the face: there is no border to cut along."""
    photo = image.read(real_data / "faces_photo" / "sfhq_mit_synthetic" / "0003.jpg").pixels
    ((left, top, width, height),) = (face.box for face in detect(photo))
    for share in (0.1, 0.15, 0.2):
        rows = slice(int(top + share * height), int(top + (1 - share) * height))
        columns = slice(int(left + share * width), int(left + (1 - share) * width))
        assert first_zone(np.ascontiguousarray(photo[rows, columns])).present()["face"] > 0.9
