import errno
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.coco import annotation, written
from sfumato.data.keypoints import KEYPOINTS
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
    (tmp_path / "set/keypoints.json").write_text("".join(written(records, "x")))
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


@pytest.mark.parametrize(("styles", "versions"), [(7, 3), (12, 12), (5, 1), (4, 6)])
def test_more_pictures_change_no_styles(styles, versions):
    config = Config(per_picture=versions)
    assert (styles_of(100, styles, config)[:31] == styles_of(31, styles, config)).all()


def test_styles_do_not_go_with_every_so_manyth_picture():
    chosen = styles_of(3000, 10, Config())[::5]
    assert np.bincount(chosen.ravel(), minlength=10).min() > 30  # characters take turns, as of five


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


def foreign(file, names):
    """The same set with keypoints of these names, and others where there is none, its category's id 7."""
    content = json.loads(file.read_text())
    content["categories"] = [{"id": 3, "name": "cat"}, {"id": 7, "name": "human", "keypoints": names}]
    for found in content["annotations"]:
        rows = np.reshape([20 + k if k % 3 < 2 else 2 for k in range(51)], (17, 3)).tolist()
        by_name = dict(zip(KEYPOINTS, rows, strict=True))
        values = [value for name in names for value in by_name.get(name, (1.5, 2.5, 2))]
        found |= {"keypoints": values, "num_keypoints": len(names), "category_id": 7}
    file.write_text(json.dumps(content))
    return rows


@pytest.mark.parametrize("names", [[*reversed(KEYPOINTS)], ["neck", *KEYPOINTS[5:], "head_top"]])
def test_keypoints_of_other_names_and_orders_are_brought_to_cocos(sets, names):
    source, styles, out = sets
    rows = foreign(source / "keypoints.json", names)
    restyle(source, [styles], out, device="cpu")
    after = json.loads((out / "keypoints.json").read_text())
    (category,) = after["categories"]
    assert category["keypoints"] == list(KEYPOINTS)
    wanted = [row if name in names else [0, 0, 0] for name, row in zip(KEYPOINTS, rows, strict=True)]
    for found in after["annotations"]:
        assert np.reshape(found["keypoints"], (17, 3)).tolist() == wanted
        assert found["num_keypoints"] == len(set(names) & set(KEYPOINTS))
        assert found["category_id"] == category["id"]


def test_each_category_has_keypoints_of_its_own(sets):
    source, styles, out = sets
    content = json.loads((source / "keypoints.json").read_text())
    content["categories"] += [
        {"id": 2, "name": "bust", "keypoints": ["tie", "nose"]},
        {"id": 3, "name": "fish", "keypoints": ["fin"]},
    ]
    content["annotations"][0] |= {"category_id": 2, "keypoints": [1, 2, 2, 30, 40, 2]}
    content["annotations"][1] |= {"category_id": 3, "keypoints": [1, 2, 2]}
    (source / "keypoints.json").write_text(json.dumps(content))
    restyle(source, [styles], out, device="cpu")
    after = json.loads((out / "keypoints.json").read_text())["annotations"]
    assert len(after) == len(content["annotations"]) - 1  # no fish
    assert after[0]["keypoints"] == [30, 40, 2] + [0] * 48
    assert [found["keypoints"] for found in after[1:]] == [found["keypoints"] for found in content["annotations"][2:]]


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


@pytest.fixture
def unstyled(monkeypatch):
    """Pictures stay as they are, which is fast."""
    monkeypatch.setattr("sfumato.restyle.Translator", lambda model, device: None)
    monkeypatch.setattr("sfumato.restyle.styled", lambda path, *_: np.full((48, 40, 3), int(path.stem), np.uint8))


def changed(file, change):
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def move_a_nose(content):
    content["annotations"][2]["keypoints"][0] += 1


@pytest.mark.parametrize(
    "change",
    [
        move_a_nose,
        lambda content: content["annotations"].pop(),
        lambda content: content["images"][1].update(id=7),
        lambda content: content["images"].pop(),
    ],
)
def test_a_set_of_another_source_is_not_gone_on_with(sets, unstyled, change):
    source, styles, out = sets
    restyle(source, [styles], out)
    changed(source / "keypoints.json", change)
    before = (out / "keypoints.json").read_bytes()
    with pytest.raises(OptionError, match=r"holds a set that was made of another one, or .* choose another folder"):
        restyle(source, [styles], out)
    assert (out / "keypoints.json").read_bytes() == before


def test_sets_of_the_same_labels_that_were_drawn_otherwise(sets, unstyled):
    source, styles, out = sets
    (source / "manifest.jsonl").touch()
    (source / "config.json").write_text('{"line_width": 1}')
    restyle(source, [styles], out)
    (source / "config.json").write_text('{"line_width": 2}')
    with pytest.raises(OptionError, match="holds a set that was made of another one"):
        restyle(source, [styles], out)


def test_a_set_that_has_grown_goes_on(sets, unstyled):
    source, styles, out = sets
    whole = (source / "keypoints.json").read_text()

    def shrink(content):
        content["images"].pop()
        content["annotations"].pop()

    changed(source / "keypoints.json", shrink)
    assert restyle(source, [styles], out, Config(per_picture=2)) == 6
    first = {path.name: path.stat().st_mtime_ns for path in (out / "images").iterdir()}
    before = (out / "manifest.jsonl").read_text()
    (source / "keypoints.json").write_text(whole)
    assert restyle(source, [styles], out, Config(per_picture=2)) == 8
    assert {name: (out / "images" / name).stat().st_mtime_ns for name in first} == first
    restyle(source, [styles], out.with_name("new"), Config(per_picture=2))
    assert (out / "manifest.jsonl").read_text() == (out.with_name("new") / "manifest.jsonl").read_text()
    assert (out / "manifest.jsonl").read_text().startswith(before)


def test_a_set_of_an_older_version(sets, unstyled):
    source, styles, out = sets
    restyle(source, [styles], out)
    changed(out / "config.json", lambda content: content.pop("source"))
    with pytest.raises(OptionError, match=r"older Sfumato, which did not note source; choose another folder with -o"):
        restyle(source, [styles], out)


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


def test_a_model_that_cannot_style_leaves_nothing(sets):
    source, styles, out = sets
    with pytest.raises(OptionError, match="makes no pictures"):
        restyle(source, [styles], out, Config(model="hrnet/sketches"), device="cpu")
    assert not out.exists()


def test_styles_may_be_pictures(sets, unstyled, caplog):
    source, styles, out = sets
    Path(styles, "1.png").write_bytes(b"")
    assert restyle(source, [f"{styles}/2.png", styles], out) == 4
    assert json.loads((out / "config.json").read_text())["styles"] == [f"styles/{k}.png" for k in (2, 0, 2)]
    assert "left out: " in caplog.text
    assert "1.png: is empty" in caplog.text
    with pytest.raises(DataError, match=r"3\.png: no such folder of pictures, nor a picture"):
        restyle(source, [f"{styles}/3.png"], out)


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
