import errno
import json
import os
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from sfumato.data.coco import annotation, coco
from sfumato.errors import Cancelled, DataError, DiskError, OptionError
from sfumato.restyle import Config, labelled, restyle, styles_of


@pytest.fixture
def sets(tmp_path):
    """A labelled set of four pictures, and three styles."""
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "styles").mkdir()
    records = []
    for i in range(4):
        pixels = np.zeros((48, 40, 4), np.uint8)
        pixels[10:38, 20, 3] = 255
        Image.fromarray(pixels).save(tmp_path / f"set/images/{i}.png")
        points = np.zeros((17, 3))
        points[0] = (20, 10 + i, 2)
        found = annotation(pixels[..., 3] > 0, points)
        records.append({"id": 5 * i, "file": f"images/{i}.png", "width": 40, "height": 48, "annotations": [found]})
    (tmp_path / "set/keypoints.json").write_text(json.dumps(coco(records, "x")))
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / f"styles/{i}.png")
    return tmp_path / "set", str(tmp_path / "styles"), tmp_path / "out"


@pytest.mark.parametrize(("pictures", "styles", "versions"), [(100, 7, 3), (30, 12, 12), (11, 5, 1)])
def test_styles_are_spread_evenly_and_differ_within_a_picture(pictures, styles, versions):
    chosen = styles_of(pictures, styles, Config(per_picture=versions))
    counts = Counter(chosen.ravel().tolist())
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(counts) == styles
    assert all(len(set(row)) == versions for row in chosen.tolist())
    assert (chosen != styles_of(pictures, styles, Config(per_picture=versions, seed=1))).any()


def test_more_versions_than_styles():
    chosen = styles_of(10, 2, Config(per_picture=5))
    assert all({row.count(0), row.count(1)} == {2, 3} for row in chosen.tolist())


def test_labels_are_kept(sets):
    source, styles, out = sets
    assert restyle(source, [styles], out, Config(per_picture=2), device="cpu") == 8
    before, after = (json.loads((folder / "keypoints.json").read_text()) for folder in (source, out))
    assert [image["id"] for image in after["images"]] == list(range(8))
    for found in after["annotations"]:
        of = before["annotations"][found["image_id"] // 2]
        assert {k: found[k] for k in ("keypoints", "bbox", "area", "segmentation")} == {
            k: of[k] for k in ("keypoints", "bbox", "area", "segmentation")
        }
    with Image.open(out / after["images"][0]["file_name"]) as picture:
        assert (picture.mode, picture.size) == ("RGB", (40, 48))


def test_ink_stays_dark(sets):
    source, styles, out = sets
    restyle(source, [styles], out, Config(ink=1.0), device="cpu")
    pixels = np.asarray(Image.open(out / "images/000000000000.png"))
    assert (pixels[12:36, 20] == 0).all()
    assert pixels[12:36, :15].mean() > 30


def test_a_set_that_was_stopped_goes_on(sets):
    source, styles, out = sets
    with pytest.raises(Cancelled, match="stopped after 2 of 4 pictures"):
        restyle(source, [styles], out, device="cpu", progress=lambda done, total: done < 2)
    first = (out / "images/000000000001.png").stat().st_mtime_ns
    assert len(json.loads((out / "keypoints.json").read_text())["images"]) == 2
    assert restyle(source, [styles], out, device="cpu") == 4
    assert (out / "images/000000000001.png").stat().st_mtime_ns == first


def test_shards_make_the_set_of_the_whole(sets, tmp_path):
    source, styles, out = sets
    restyle(source, [styles], out, device="cpu")
    for shard in ((1, 2), (0, 2)):
        restyle(source, [styles], tmp_path / "parts", device="cpu", shard=shard)
    whole, parts = ((folder / "keypoints.json").read_text() for folder in (out, tmp_path / "parts"))
    assert whole == parts
    for file in (out / "images").iterdir():
        assert file.read_bytes() == (tmp_path / "parts/images" / file.name).read_bytes()


def test_another_set_in_the_folder(sets):
    source, styles, out = sets
    restyle(source, [styles], out, device="cpu")
    with pytest.raises(OptionError, match=r"seed=0, not 1; choose another folder"):
        restyle(source, [styles], out, Config(seed=1), device="cpu")


def test_a_broken_picture_is_named_and_mended(sets):
    source, styles, out = sets
    whole = (source / "images/2.png").read_bytes()
    (source / "images/2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"2\.png: .*; put a whole picture in its place, and the same command goes on"):
        restyle(source, [styles], out, device="cpu")
    assert sorted(path.name for path in (out / "images").iterdir()) == ["000000000000.png", "000000000001.png"]
    (source / "images/2.png").write_bytes(whole)
    assert restyle(source, [styles], out, device="cpu") == 4


def test_a_set_is_not_styled_onto_itself(sets):
    source, styles, _ = sets
    before = (source / "keypoints.json").read_bytes()
    with pytest.raises(OptionError, match=r"keypoints\.json is of another set, which is not overwritten"):
        restyle(source, [styles], source, device="cpu")
    assert (source / "keypoints.json").read_bytes() == before


def test_no_styles(sets, tmp_path):
    source, _, out = sets
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        restyle(source, [str(tmp_path / "empty")], out, device="cpu")
    assert not out.exists()


def test_a_full_disk_leaves_nothing_half_written(sets, monkeypatch):
    source, styles, out = sets
    synced = []

    def fsync(descriptor):
        synced.append(descriptor)
        if len(synced) == 4:  # the second picture, after the configuration, the first picture and its line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DiskError, match=r"000000000001\.png: cannot be written.*the same command goes on"):
        restyle(source, [styles], out, device="cpu")
    assert [path.name for path in (out / "images").iterdir()] == ["000000000000.png"]
    assert restyle(source, [styles], out, device="cpu") == 4


def test_what_is_no_set(tmp_path):
    with pytest.raises(DataError, match=r"has none of keypoints\.json, annotations\.json"):
        labelled(tmp_path)
    (tmp_path / "keypoints.json").write_text('{"images": 3}')
    with pytest.raises(DataError, match="is no set in COCO's format"):
        labelled(tmp_path)
    (tmp_path / "keypoints.json").write_text('{"images": [], "annotations": []}')
    with pytest.raises(DataError, match="a set without pictures"):
        labelled(tmp_path)
