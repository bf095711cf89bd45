"""What finds parts where nobody says what does."""

import dataclasses

import numpy as np
import pytest

from sfumato import parsing
from sfumato.data.faces import Face
from sfumato.parsing import Parts, finding, first_zone
from sfumato.parts import PARTS

HAIR, FACE, HAT = (PARTS.index(name) for name in ("hair", "face", "hat"))


def soft_of(labels):
    """Soft maps (18, h, w) that are sure of labels (h, w)."""
    return np.ascontiguousarray(np.eye(18, dtype=np.float32)[labels].transpose(2, 0, 1))


@pytest.fixture
def scene():
    """A head with hair and face, a door that looks like hair, and a hat by itself, at a quarter of the size."""
    small = np.zeros((40, 60), np.uint8)
    small[4:20, 4:16], small[8:20, 6:14] = HAIR, FACE
    small[10:38, 30:40] = HAIR
    small[2:6, 50:58] = HAT
    small[30:38, 4:16] = PARTS.index("dress")
    return Parts(labels=np.kron(small, np.ones((4, 4), np.uint8)), soft=soft_of(small))


def face_at(left, top, width, height):
    return Face(box=(left, top, width, height), points=((0.0, 0.0),) * 5, score=0.9)


FACE_BOX = face_at(24, 32, 32, 48)


def test_heads_in_which_no_face_is_are_left_out(scene):
    found = finding.with_faces(scene, [FACE_BOX])
    kept = scene.labels.copy()
    kept[:, 100:] = 0
    np.testing.assert_array_equal(found.labels, kept)
    np.testing.assert_allclose(found.soft.sum(0), 1)
    assert found.shares(["hair", "hat"])[:, 120:].max() == 0
    assert found.shares(["hair"])[20, 20] == 1
    assert found.shares(["dress"])[130, 30] == 1


def test_heads_with_faces_stay_as_they_are(scene):
    once = finding.with_faces(scene, [FACE_BOX])
    assert finding.with_faces(once, [FACE_BOX]) is once


def test_a_face_that_reaches_beyond_the_picture_counts(scene):
    found = finding.with_faces(scene, [face_at(-20, -10, 60, 60), face_at(130, 100, 200, 200)])
    assert (found.labels[:, :160] == scene.labels[:, :160]).all()
    assert not found.labels[:40, 190:].any()


def test_in_noise_nobody_is_found():
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    parts = parsing.find(noise)
    assert (parts.present(), parts.faces) == ({"background": 1.0}, ())


def test_of_small_faces_the_detector_must_be_sure(monkeypatch):
    small, large = face_at(10, 10, 25, 30), face_at(60, 60, 50, 60)
    doubtful = [dataclasses.replace(face, score=0.4) for face in (small, large)]
    monkeypatch.setattr(finding, "detect", lambda pixels, options: [large, small, *doubtful])
    assert finding.seen(np.zeros((200, 200, 3), np.uint8)) == [large, small, doubtful[1]]


def test_a_doubtful_face_in_the_head_of_another_gets_no_second_look():
    """It would spoil that; by itself it gets one, and of two that are sure each does."""
    sure, doubtful = face_at(100, 100, 100, 120), dataclasses.replace(face_at(90, 60, 50, 50), score=0.45)
    apart = dataclasses.replace(face_at(400, 100, 80, 90), score=0.35)
    assert finding.from_near([sure, doubtful, apart]) == [sure, apart]
    beside = face_at(190, 100, 90, 100)
    assert finding.from_near([sure, beside]) == [sure, beside]


def test_small_faces_are_found(repository):
    """In a small picture, and beside larger ones."""
    from sfumato import image

    portrait = image.read(repository / "src" / "sfumato" / "assets" / "examples" / "portrait-1.jpg")
    small = image.resize(portrait, longest=64)
    assert parsing.find(small).present()["face"] > 0.2
    assert first_zone(small).present()["face"] > 0.1
    group = np.full((400, 560, 3), 230, np.uint8)
    large, little = image.resize(portrait, longest=360).pixels, image.resize(portrait, longest=90).pixels
    group[20 : 20 + large.shape[0], 20 : 20 + large.shape[1]] = large
    group[200 : 200 + little.shape[0], 440 : 440 + little.shape[1]] = little
    parts = parsing.find(group)
    assert (parts.labels[200:, 440:] == FACE).sum() > 0.15 * little.shape[0] * little.shape[1]


def test_without_the_model_there_is_a_first_zone(monkeypatch):
    monkeypatch.setattr(finding, "bundled", lambda: False)
    assert parsing.finder() is first_zone


def test_the_bundled_model_finds_a_portrait(repository):
    parts = parsing.find(repository / "src" / "sfumato" / "assets" / "examples" / "portrait-1.jpg")
    shares, face = parts.present(), parts.faces[0]
    height, width = parts.labels.shape
    assert face.box[0] < width / 2 < face.box[0] + face.box[2] and face.box[1] < height / 2 < face.box[1] + face.box[3]
    assert 0.1 < shares["face"] < 0.6
    assert 0.05 < shares["hair"] < 0.6
    middle = parts.labels[parts.labels.shape[0] // 2, parts.labels.shape[1] // 2]
    assert PARTS[middle] == "face"
