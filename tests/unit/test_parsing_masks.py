import importlib.util
import json

import cv2
import numpy as np
import pytest

from sfumato.data.coco import run_lengths
from sfumato.errors import DataError, OptionError

KEYS = {"file", "sha256", "size", "face", "hair", "unknown"}
FILES = ("sfhq_test", "sfhq_learn")


@pytest.fixture(scope="module")
def tool(repository):
    spec = importlib.util.spec_from_file_location("parsing_masks", repository / "tools" / "parsing_masks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def records(repository):
    return {name: json.loads((repository / "benchmarks" / "parsing" / f"{name}.json").read_text()) for name in FILES}


def areas():
    """Hair above a face in a picture of 40 x 30, and a corner that is unknown."""
    labels = np.zeros((40, 30), np.uint8)
    labels[5:35, 6:24], labels[5:15, 4:26], labels[:3, :4] = 11, 2, 255
    return labels


def entry_of(labels):
    runs = {part: run_lengths(labels == number) for part, number in (("hair", 2), ("face", 11), ("unknown", 255))}
    return {"size": list(labels.shape), **runs}


def test_masks_are_what_was_labelled(tool):
    assert np.array_equal(tool.labels_of(entry_of(areas())), areas())


def test_borders_of_hair_can_be_left_unknown(tool):
    labels = tool.labels_of(entry_of(areas()), 1)
    unlike = labels != areas()
    assert (labels[unlike] == 255).all()
    assert unlike[4:6, 4:26].all() and unlike[14:16, 8:22].all()
    assert not unlike[7:13, 6:24].any() and not unlike[17:].any() and not unlike[:3].any()


def test_hair_at_the_edge_of_the_picture_is_known(tool):
    labels = np.zeros((12, 12), np.uint8)
    labels[:6] = 2
    assert (tool.labels_of(entry_of(labels), 1)[:5] == 2).all()


@pytest.mark.parametrize("name", FILES)
def test_each_place_has_one_label(tool, records, name):
    for entry in records[name]["pictures"]:
        assert set(entry) <= KEYS
        parts = [part for part in tool.CLASSES if part in entry]
        each = [tool.labels_of({"size": entry["size"], part: entry[part]}) > 0 for part in parts]
        assert np.sum(each, 0).max() == 1, entry["file"]
        labels = tool.labels_of(entry)
        assert 0.1 < (labels == 11).mean() < 0.7, entry["file"]


def test_no_picture_is_learnt_and_tested(records):
    tested, learnt = ([entry["file"] for entry in records[name]["pictures"]] for name in FILES)
    assert len(tested) == len(set(tested)) == 30
    assert len(learnt) == len(set(learnt))
    assert not set(tested) & set(learnt)


@pytest.mark.parametrize("name", FILES)
def test_sets_are_made_of_the_pictures(tool, records, name, real_data, tmp_path):
    count = tool.make(name, tmp_path, data=real_data)
    assert count == len(records[name]["pictures"])
    assert len(list((tmp_path / "images").iterdir())) == len(list((tmp_path / "masks").iterdir())) == count
    for mask in (tmp_path / "masks").iterdir():
        labels = cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)
        assert labels.shape == cv2.imread(str(tmp_path / "images" / f"{mask.stem}.jpg")).shape[:2]
        assert set(np.unique(labels)) <= {0, 2, 11, 255}
    assert '11 = "face"' in (tmp_path / "parts.toml").read_text()


def test_other_pictures_are_refused(tool, records, tmp_path):
    with pytest.raises(DataError, match="is missing; say where pictures are"):
        tool.make("sfhq_test", tmp_path / "set", data=tmp_path)
    first = tmp_path / records["sfhq_test"]["folder"] / records["sfhq_test"]["pictures"][0]["file"]
    first.parent.mkdir(parents=True)
    first.write_bytes(b"another")
    with pytest.raises(DataError, match="is not the picture that sfhq_test.json has labels of"):
        tool.make("sfhq_test", tmp_path / "set", data=tmp_path)


def test_unknown_labels_and_wide_borders_are_refused(tool, tmp_path):
    with pytest.raises(OptionError, match="there are no labels 'none'; there are sfhq_learn, sfhq_test"):
        tool.make("none", tmp_path, data=tmp_path)
    with pytest.raises(OptionError, match="--unsure 9: from 0 to 8 pixels"):
        tool.make("sfhq_test", tmp_path, data=tmp_path, unsure=9)
