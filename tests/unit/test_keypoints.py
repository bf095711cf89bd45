"""Sets in COCO's format: read, and told what is wrong with them."""

import json

import numpy as np
import pytest
from figures import write_set

from sfumato.data import keypoints
from sfumato.errors import DataError


def test_names_are_cocos():
    assert len(keypoints.KEYPOINTS) == 17
    for left, right in keypoints.PAIRS:
        assert keypoints.KEYPOINTS[left].replace("left", "right") == keypoints.KEYPOINTS[right]
    assert [keypoints.KEYPOINTS[k] for k in keypoints.UPPER][-1] == "right_wrist"


def test_a_set_of_code(tmp_path):
    found = keypoints.read_set(write_set(tmp_path / "set", 3))
    assert [f.image for f in found.figures] == [1, 2, 3]
    assert found.missing == []
    assert all(f.path.is_file() and (f.visible == 2).all() and f.area > 0 for f in found.figures)


def test_real_drawings(real_data):
    found = keypoints.read_set(real_data / "drawings" / "labelled")
    assert len(found.figures) == 13
    first = found.figures[0]
    assert first.path.name == "animdraw_char3.png"
    assert first.visible.tolist() == [0] * 5 + [2] * 12
    assert first.joints[5].tolist() == [411.0, 233.0]
    assert first.attributes["source"] == "animdraw"


def test_a_piece_of_coco(real_data):
    found = keypoints.read_set(real_data / "drawings" / "mmpose_coco_tests" / "test_coco.json")
    assert {f.path.name for f in found.figures} == {"000000000785.jpg"}
    assert len(found.missing) == 3
    assert all(0 < f.area <= f.box[2] * f.box[3] for f in found.figures)


def test_keypoints_in_another_order(tmp_path):
    folder = write_set(tmp_path, 1)
    content = json.loads((folder / "keypoints.json").read_text())
    wanted = keypoints.read_set(folder).figures[0]
    order = [*reversed(range(17))]
    rows = np.reshape(content["annotations"][0]["keypoints"], (17, 3))[order]
    content["categories"][0]["keypoints"] = ["tail", *(keypoints.KEYPOINTS[k] for k in order[:-1])]
    content["annotations"][0]["keypoints"] = [1.0, 2.0, 2, *rows[:-1].ravel().tolist()]
    (folder / "keypoints.json").write_text(json.dumps(content))
    found = keypoints.read_set(folder).figures[0]
    np.testing.assert_array_equal(found.joints[1:], wanted.joints[1:])
    assert found.visible.tolist() == [0] + [2] * 16  # "tail" stands where the nose was


def test_each_category_has_keypoints_of_its_own(tmp_path):
    """A dog before the people, people of another order, a box without keypoints, a thing."""
    folder = write_set(tmp_path, 4)
    content = json.loads((folder / "keypoints.json").read_text())
    person, wanted = content["categories"][0], keypoints.read_set(folder).figures
    mixed = {"id": 7, "name": "doll", "keypoints": list(reversed(keypoints.KEYPOINTS))}
    content["categories"] = [{"id": 5, "name": "dog", "keypoints": ["tail", "paw"]}, person, mixed, {"id": 9}]
    dog, doll, box, thing = content["annotations"]
    dog.update(category_id=5, keypoints=[1, 2, 2] * 2)
    rows = np.reshape(doll["keypoints"], (17, 3))[::-1]
    doll.update(category_id=7, keypoints=[float(v) for v in rows.ravel()])
    box.pop("keypoints")
    thing.update(category_id=9)
    (folder / "keypoints.json").write_text(json.dumps(content))
    found = keypoints.read_set(folder).figures
    assert [f.image for f in found] == [2, 3]
    np.testing.assert_array_equal(found[0].joints, wanted[1].joints)
    assert found[1].visible.tolist() == [0] * 17
    assert found[1].box == wanted[2].box


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["annotations"][0].update(keypoints=[1, 2, 3]), "annotation 1 of 000000000001.png: keypoints must"),
        (lambda c: c["annotations"][0]["keypoints"].__setitem__(0, float("nan")), "must be 51 finite numbers"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, "x", 3]), "bbox must be 4 finite numbers"),
        (lambda c: c["images"][0].update(id="a"), "an entry has id 'a', which is no whole number"),
        (lambda c: c["images"][0].update(file_name="gone.png"), "none of its 1 pictures is there, as gone.png"),
        (lambda c: c.pop("annotations"), "is no set in COCO's format"),
        (lambda c: c["categories"][0].update(keypoints=["tail"]), "has none of COCO's keypoints; its own are tail"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, change, message):
    folder = write_set(tmp_path, 1)
    content = json.loads((folder / "keypoints.json").read_text())
    change(content)
    (folder / "keypoints.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        keypoints.read_set(folder)


def test_no_labels(tmp_path):
    with pytest.raises(DataError, match=r"has none of keypoints\.json, annotations\.json"):
        keypoints.read_set(tmp_path)
    with pytest.raises(DataError, match="there is no such folder"):
        keypoints.read_set(tmp_path / "nowhere")
    (tmp_path / "keypoints.json").write_text("no json")
    with pytest.raises(DataError, match="the labels cannot be read"):
        keypoints.read_set(tmp_path)
