import json

import numpy as np
import pytest

from sfumato.data.coco import annotation, run_lengths, written


def counts_of(text):
    """The lengths that a text of COCO stands for: its own rules, read the other way round."""
    found, place = [], 0
    while place < len(text):
        number, shift, more = 0, 0, True
        while more:
            value = ord(text[place]) - 48
            number |= (value & 31) << shift
            more, shift, place = bool(value & 32), shift + 5, place + 1
        if value & 16:
            number -= 1 << shift
        found.append(number + (found[-2] if len(found) > 2 else 0))
    return found


def mask_of(text, size):
    values = [np.full(n, i % 2, bool) for i, n in enumerate(counts_of(text))]
    return np.concatenate(values).reshape(size, order="F")


@pytest.mark.parametrize("seed", range(8))
def test_a_mask_comes_back_from_its_text(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((int(rng.integers(1, 90)), int(rng.integers(1, 90)))) < rng.random()
    assert (mask_of(run_lengths(mask), mask.shape) == mask).all()


def test_a_text_by_hand():
    mask = np.zeros((3, 4), bool)
    mask[1, 1] = mask[2, 1] = True
    assert counts_of(run_lengths(mask)) == [4, 2, 6]
    assert run_lengths(mask) == "426"
    assert run_lengths(~mask) == "0422"  # runs of 0, 4, 2 and 6; the last is told by the one two before it: 6 - 4


def test_lengths_above_a_letter():
    mask = np.zeros((100, 100), bool)
    mask[:, 50] = True
    assert counts_of(run_lengths(mask)) == [5000, 100, 4900]


def keypoints():
    points = np.zeros((17, 3))
    points[0] = (10.12345, 20.5, 2)
    points[5] = (11, 22, 1)
    return points


def test_what_is_said_of_a_figure():
    mask = np.zeros((30, 40), bool)
    mask[5:12, 8:20] = True
    mask[5, 8] = False
    found = annotation(mask, keypoints())
    assert found["bbox"] == [8, 5, 12, 7]
    assert found["area"] == 12 * 7 - 1
    assert found["num_keypoints"] == 2
    assert found["keypoints"][:3] == [9.623, 20.0, 2]
    assert found["keypoints"][15:18] == [10.5, 21.5, 1]
    assert (mask_of(found["segmentation"]["counts"], mask.shape) == mask).all()


def test_hidden_keypoints_can_be_dropped():
    found = annotation(np.ones((4, 4), bool), keypoints(), occluded="drop")
    assert found["num_keypoints"] == 1
    assert found["keypoints"][15:18] == [0.0, 0.0, 0]


def test_a_figure_that_is_not_seen():
    found = annotation(np.zeros((4, 4), bool), np.zeros((17, 3)))
    assert (found["bbox"], found["area"], found["num_keypoints"]) == ([0, 0, 0, 0], 0, 0)


def test_the_file_of_a_set():
    figure = annotation(np.ones((4, 6), bool), keypoints())
    record = {"file": "images/000000000003.png", "width": 6, "height": 4, "annotations": [figure, figure]}
    labels = json.loads("".join(written([record | {"id": 3}, record | {"id": 7}], "x")))
    assert [image["id"] for image in labels["images"]] == [3, 7]
    assert [(a["id"], a["image_id"]) for a in labels["annotations"]] == [(1, 3), (2, 3), (3, 7), (4, 7)]
    assert len(labels["categories"][0]["keypoints"]) == 17
    skeleton = labels["categories"][0]["skeleton"]
    assert {number for pair in skeleton for number in pair} == set(range(1, 18))
    assert [16, 14] in skeleton


def test_the_file_of_no_pictures():
    labels = json.loads("".join(written([], "x")))
    assert (labels["info"], labels["images"], labels["annotations"]) == ({"description": "x"}, [], [])
