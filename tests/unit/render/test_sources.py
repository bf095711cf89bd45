"""What tells whether a set's characters and motions are still the same."""

import json
import os
import shutil

import pytest

from sfumato.errors import DataError, OptionError
from sfumato.render import render
from sfumato.render.job import Config
from sfumato.render.sources import digests


@pytest.fixture
def walk(real_data):
    """A BVH file."""
    return min((real_data / "motion").rglob("*.bvh"), key=lambda path: path.stat().st_size)


def test_what_is_built_in_has_none():
    config = Config(character=("mannequin", "mannequin:age=8"), motion=("builtin", "builtin:wave", "random:3", "own"))
    assert digests(config) == {}


def test_a_file_and_a_folder_of_motions(tmp_path, walk):
    shutil.copy(walk, tmp_path / "a.bvh")
    config = Config(motion=(str(tmp_path), str(tmp_path / "a.bvh")))
    before = digests(config)
    assert list(before) == list(config.motion)
    shutil.copy(walk, tmp_path / "b.bvh")
    more = digests(config)
    assert more[str(tmp_path)] != before[str(tmp_path)]
    assert more[str(tmp_path / "a.bvh")] == before[str(tmp_path / "a.bvh")]
    (tmp_path / "b.bvh").rename(tmp_path / "c.bvh")
    assert digests(config)[str(tmp_path)] != more[str(tmp_path)]
    (tmp_path / "c.bvh").unlink()
    os.utime(tmp_path / "a.bvh", (0, 0))
    assert digests(config) == before


@pytest.mark.parametrize("part", ["a.gltf", "buffer 1.bin", "skin.png"])
def test_a_character_with_files_beside_it(tmp_path, part):
    content = {
        "asset": {"version": "2.0"},
        "buffers": [{"uri": "buffer%201.bin"}, {"uri": "data:,"}, {}],
        "images": [{"uri": "skin.png"}, {"uri": "gone.png"}],
    }
    (tmp_path / "a.gltf").write_text(json.dumps(content))
    (tmp_path / "buffer 1.bin").write_bytes(b"1")
    (tmp_path / "skin.png").write_bytes(b"2")
    config = Config(character=(str(tmp_path / "a.gltf"),))
    before = digests(config)
    (tmp_path / part).write_bytes((tmp_path / part).read_bytes() + b" ")
    assert digests(config) != before


def test_a_folder_of_makehuman_with_wishes(tmp_path):
    (tmp_path / "clothes").mkdir()
    (tmp_path / "clothes/hat.mhclo").write_text("hat")
    spec = f"{tmp_path}:age=30"
    before = digests(Config(character=(spec,)))
    (tmp_path / "clothes/hat.mhclo").write_text("cap")
    after = digests(Config(character=(spec,)))
    assert list(before) == list(after) == [spec]
    assert before != after


def undrawn(config, number, folder):
    """The line of an empty picture."""
    (folder / f"{number}.png").touch()
    return {"id": number, "file": f"{number}.png", "width": 64, "height": 64, "annotations": []}


def test_a_set_does_not_go_on_with_other_files(tmp_path, walk, monkeypatch):
    monkeypatch.setattr("sfumato.render.job.make", undrawn)
    shutil.copy(walk, tmp_path / "a.bvh")
    config = Config(size=(64, 64), motion=(str(tmp_path / "a.bvh"),), variants=1)
    out = tmp_path / "set"
    assert render(config, 1, out) == 1
    assert render(config, 2, out) == 2
    claimed = json.loads((out / "config.json").read_text())
    (tmp_path / "a.bvh").write_bytes(walk.read_bytes() + b"\n")
    with pytest.raises(OptionError, match=r"a set with digest of .*a\.bvh='\w{16}', not '\w{16}'; choose another"):
        render(config, 2, out)
    claimed = {key: value for key, value in claimed.items() if not key.startswith("digest")}
    (out / "config.json").write_text(json.dumps(claimed))
    with pytest.raises(OptionError, match=r"an older Sfumato, which did not note digest of .*a\.bvh; choose another"):
        render(config, 2, out)


def test_no_such_motion():
    with pytest.raises(DataError, match="there is no such motion"):
        digests(Config(motion=("nothing.bvh",)))
