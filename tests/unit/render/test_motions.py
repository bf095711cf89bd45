"""What a user can name as a motion."""

import cesium
import dolls
import numpy as np
import pytest

from sfumato.errors import DataError, OptionError
from sfumato.render import builtin, characters, motions
from sfumato.render.blender.found import VARIABLE


def test_built_in_and_random():
    assert [m.name for m in motions.load("builtin")] == list(builtin.NAMES)
    assert [m.name for m in motions.load("builtin:walk, box")] == ["walk", "box"]
    (poses,) = motions.load("random:12", seed=4)
    assert (poses.name, poses.frames) == ("random", 12)
    doll = dolls.doll()
    one, other = (motions.load("random", seed=seed)[0].pose(doll, 3).heads for seed in (4, 5))
    assert np.array_equal(one, poses.pose(doll, 3).heads)
    assert not np.array_equal(one, other)


def test_files_and_folders(real_data):
    folder = real_data / "motion" / "animated_drawings_mit"
    assert [m.name for m in motions.load(str(folder / "cmu1"))] == ["jumping_jacks"]
    (dab,) = motions.load(str(folder / "fair1" / "dab.bvh"), in_place=True)
    assert (dab.name, dab.frames) == ("dab", 339)
    doll = dolls.doll()
    middles = [dab.pose(doll, k).heads[[doll.limbs["left_thigh"], doll.limbs["right_thigh"]]].mean(0) for k in (0, 200)]
    assert np.allclose(middles[0][[0, 2]], middles[1][[0, 2]])


def test_frames_that_are_not_used_are_not_kept(real_data):
    path = str(real_data / "motion" / "animated_drawings_mit" / "fair1" / "dab.bvh")
    (whole,), (thin,) = motions.load(path), motions.load(path, every=10)
    assert thin.frames == whole.frames == 339
    assert len(thin.stances.above) == 34 and thin.stances.turns.base is None
    doll = dolls.doll()
    for frame in (0, 10, 330):
        assert np.array_equal(thin.pose(doll, frame).heads, whole.pose(doll, frame).heads)
    with pytest.raises(OptionError, match="frame 5 is not kept; every 10th is"):
        thin.pose(doll, 5)
    with pytest.raises(OptionError, match="no frame 340"):
        thin.pose(doll, 340)


@pytest.mark.parametrize("spec", ["builtin:moonwalk", "builtin:walk,", "random:0", "random:many", "random:-3"])
def test_bad_names(spec):
    with pytest.raises(OptionError):
        motions.load(spec)


def test_bad_paths(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"no such motion; name a .bvh file, a folder of them, builtin"):
        motions.load(str(tmp_path / "absent"))
    with pytest.raises(DataError, match=r"has no .bvh files"):
        motions.load(str(tmp_path))
    (tmp_path / "hero.txt").write_bytes(b"x")
    with pytest.raises(DataError, match=r"hero.txt: is no motion; name a .bvh file"):
        motions.load(str(tmp_path / "hero.txt"))
    (tmp_path / "hero.fbx").write_bytes(b"x")
    monkeypatch.setenv(VARIABLE, "/nowhere/python")
    with pytest.raises(
        DataError, match=r"hero.fbx: is read through Blender, and SFUMATO_BLENDER_PYTHON=/nowhere/python"
    ):
        motions.load(str(tmp_path / "hero.fbx"))


def test_a_folder_is_of_one_kind(tmp_path, real_data):
    source = real_data / "motion" / "cmu"
    (tmp_path / "walk.bvh").write_bytes((source / "02_01.bvh").read_bytes())
    (tmp_path / "other.fbx").write_bytes(b"not read, for there is a .bvh")
    assert [m.name for m in motions.load(str(tmp_path))] == ["walk"]


def test_actions_of_a_gltf_file_move_others(real_data, tmp_path):
    file = tmp_path / "man.glb"
    file.write_bytes((real_data / "characters" / "khronos" / "CesiumMan.glb").read_bytes())
    with pytest.raises(DataError, match=r"man\.glb: joints of unknown names"):
        motions.load(str(file))
    (tmp_path / "man.bones.toml").write_text(cesium.MAP, encoding="utf-8")
    (walk,) = motions.load(str(file))
    man, doll = characters.load(str(file), 0), dolls.doll()
    (own,) = man.actions.values()
    assert (walk.name, walk.frames, walk.fps) == ("man", own.frames, own.fps)
    for frame in range(0, walk.frames, 12):
        pose, wanted = walk.pose(doll, frame), own.pose(man, frame)
        for upper, lower in (("left_thigh", "left_shin"), ("right_upper_arm", "right_forearm")):
            one, other = (p.heads[c.limbs[lower]] - p.heads[c.limbs[upper]] for p, c in ((pose, doll), (wanted, man)))
            cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
            assert cosine > np.cos(np.radians(12)), (frame, upper)
