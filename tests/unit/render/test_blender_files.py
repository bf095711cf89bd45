"""Characters and motions that Blender reads: written by Blender from a glTF file, read back, and compared with it."""

import subprocess

import cesium
import dolls
import numpy as np
import pytest

from sfumato.errors import DataError
from sfumato.render import character as characters
from sfumato.render import characters as loading
from sfumato.render import motions

pytestmark = pytest.mark.timeout(600)

WRITE = """
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
if source.endswith(".bvh"):
    bpy.ops.import_anim.bvh(filepath=source, update_scene_fps=True, update_scene_duration=True)
else:
    bpy.ops.import_scene.gltf(filepath=source)
if "fbx" in kinds:
    bpy.ops.export_scene.fbx(
        filepath=folder + "/made.fbx", add_leaf_bones=False, bake_anim_simplify_factor=0, path_mode="COPY",
        embed_textures=True,
    )
if "usdc" in kinds:
    bpy.ops.wm.usd_export(filepath=folder + "/made.usdc", export_animation=True)
if "blend" in kinds:
    bpy.ops.wm.save_as_mainfile(filepath=folder + "/made.blend")
"""


def written(blender, source, folder, *kinds):
    """The file in other kinds, in the folder."""
    code = f"source, folder, kinds = {str(source)!r}, {str(folder)!r}, {kinds!r}\n{WRITE}"
    done = subprocess.run([*blender.command[:-1], code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def man(real_data, tmp_path_factory):
    file = tmp_path_factory.mktemp("man") / "made.glb"
    file.write_bytes((real_data / "characters" / "khronos" / "CesiumMan.glb").read_bytes())
    file.with_name("made.bones.toml").write_text(cesium.MAP, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def copies(blender, man):
    return written(blender, man, man.parent, "fbx", "usdc", "blend")


def places(figure, pose):
    return characters.keypoints(figure, pose, characters.skinned(figure, pose))


@pytest.mark.parametrize("kind", ["fbx", "blend", "usdc"])
def test_the_same_character_in_another_kind_of_file(copies, man, kind):
    one, other = loading.load(str(man), 0), loading.load(str(copies / f"made.{kind}"), 0)
    assert other.name == "made" and other.limbs.keys() == one.limbs.keys()
    a, b = (places(figure, characters.rest(figure)) for figure in (one, other))
    assert np.abs(a - b).max() < 0.001
    assert len(other.mesh.faces) == len(one.mesh.faces)
    assert np.abs(other.mesh.colors.mean(0) - one.mesh.colors.mean(0)).max() < 0.1
    (action,), (same,) = one.actions.values(), other.actions.values()
    for share in (0.0, 0.3, 0.8):
        frames = round(share * (action.frames - 1)), round(share * (same.frames - 1))
        a, b = places(one, action.pose(one, frames[0])), places(other, same.pose(other, frames[1]))
        assert np.abs(a - b).max() < 0.02


def test_what_is_no_such_file_is_told(blender, tmp_path):
    (tmp_path / "hero.fbx").write_bytes(b"Kaydara FBX Binary  \x00\x1a\x00 and then nothing of the kind")
    with pytest.raises(DataError, match="hero.fbx: ") as caught:
        loading.load(str(tmp_path / "hero.fbx"), 0)
    assert "\n" not in str(caught.value)
    (tmp_path / "hero.dae").write_text("<COLLADA/>", encoding="utf-8")
    with pytest.raises(DataError, match=r"hero.dae: "):
        loading.load(str(tmp_path / "hero.dae"), 0)


def test_a_motion_in_fbx_moves_as_the_same_in_bvh(blender, real_data, tmp_path):
    source = real_data / "motion" / "animated_drawings_mit" / "fair1" / "wave_hello.bvh"
    folder = written(blender, source, tmp_path, "fbx")
    (one,), (other,) = motions.load(str(source)), motions.load(str(folder / "made.fbx"))
    doll = dolls.doll()
    for share in (0.1, 0.5, 0.9):
        poses = [motion.pose(doll, round(share * (motion.frames - 1))) for motion in (one, other)]
        a, b = (places(doll, pose) for pose in poses)
        assert np.abs(a - b).max() < 0.05


@pytest.mark.usefixtures("blender")
def test_motions_of_cmu_in_fbx(real_data):
    (dance,) = motions.load(str(real_data / "motion" / "cmu" / "91_48.fbx"))
    doll = dolls.doll()
    assert dance.frames > 30
    for frame in np.linspace(0, dance.frames - 1, 6).astype(int):
        pose = dance.pose(doll, int(frame))
        head, foot = (pose.heads[doll.limbs[limb]] for limb in ("head", "left_foot"))
        assert head[1] > foot[1] + 0.5
        assert np.linalg.det(pose.rotations) == pytest.approx(np.ones(len(pose.rotations)))
