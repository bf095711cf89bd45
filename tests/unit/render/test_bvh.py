"""BVH: real files of five programs, joints where arithmetic puts them, and one clear error for each damage."""

import re

import numpy as np
import pytest

from sfumato.errors import DataError
from sfumato.render import bvh

SMALL = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 2 0 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 0 0 0 0
1 2 3 90 0 0 -90 0 0
"""
REAL = {
    "animated_drawings_mit/cmu1/jumping_jacks.bvh": (125, 31, 30),
    "animated_drawings_mit/fair1/dab.bvh": (339, 27, 30),
    "animated_drawings_mit/fair1/jumping.bvh": (654, 27, 119.88),
    "animated_drawings_mit/rokoko/jesse_dance.bvh": (1007, 60, 100),
    "cmu/02_01.bvh": (343, 31, 120),
    "cmu/cmu_12_01_walk.bvh": (524, 31, 120),
    "makehuman_poses_cc0/fight01.bvh": (1, 163, 24),
    "makehuman_poses_cc0/tpose.bvh": (1, 173, 24),
}
"""Frames, joints and frames a second, as the files say."""


def file_with(tmp_path, text):
    path = tmp_path / "small.bvh"
    path.write_text(text, encoding="utf-8")
    return path


def test_joints_are_where_their_angles_put_them(tmp_path):
    read = bvh.read(file_with(tmp_path, SMALL))
    places, turns = read.moved()
    assert read.names == ("Hips", "Arm", "Arm END")
    assert read.fps == pytest.approx(25)
    assert np.allclose(places[0], [(0, 0, 0), (2, 0, 0), (3, 0, 0)])
    # The root's turn takes x to y; in it, the arm's takes x to z.
    assert np.allclose(places[1], [(1, 2, 3), (1, 4, 3), (1, 4, 4)])
    assert np.allclose(turns[1, 1] @ (1, 0, 0), (0, 0, 1))
    assert np.allclose(read.zero(), places[0])


@pytest.mark.parametrize("order", ["Xrotation Yrotation Zrotation", "Zrotation Xrotation Yrotation"])
def test_rotations_are_done_in_the_order_of_the_file(tmp_path, order):
    text = SMALL.replace("CHANNELS 3 Yrotation Xrotation Zrotation", f"CHANNELS 3 {order}")
    _, turns = bvh.read(file_with(tmp_path, text.replace("-90 0 0", "20 30 40"))).moved()
    matrix = np.eye(3)
    for name, angle in zip(order.split(), np.radians((20, 30, 40))):
        c, s = np.cos(angle), np.sin(angle)
        plain = {"X": [[1, 0, 0], [0, c, -s], [0, s, c]], "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]]}
        matrix = matrix @ np.array(plain.get(name[0], [[c, -s, 0], [s, c, 0], [0, 0, 1]]))
    assert np.allclose(turns[1, 0].T @ turns[1, 1], matrix)


@pytest.mark.parametrize("values", ["2 0 0", "0 0 0"])
def test_positions_of_joints_are_offsets_or_come_on_top(tmp_path, values):
    text = SMALL.replace("CHANNELS 3 Y", "CHANNELS 6 Xposition Yposition Zposition Y")
    text = text.replace("0 0 0 0 0 0 0 0 0", f"0 0 0 0 0 0 {values} 0 0 0").replace("-90", f"{values} -90")
    assert np.allclose(bvh.read(file_with(tmp_path, text)).moved()[0][0, 1], (2, 0, 0))


@pytest.mark.parametrize("name", REAL)
def test_real_files(real_data, name):
    read = bvh.read(real_data / "motion" / name)
    frames, joints, fps = REAL[name]
    assert len(read.values) == frames
    assert sum(not joint.end for joint in read.joints) == joints
    assert read.fps == pytest.approx(fps, rel=1e-3)
    places, turns = read.moved()
    assert np.isfinite(places).all()
    assert np.allclose(np.linalg.det(turns), 1)
    if not any("position" in channel for joint in read.joints[1:] for channel in joint.channels):
        sizes = np.linalg.norm(places[:, 1:] - places[:, [j.parent for j in read.joints[1:]]], axis=2)
        assert np.allclose(sizes, np.linalg.norm([j.offset for j in read.joints[1:]], axis=1))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("HIERARCHY", "<html>", 1, "begins with HIERARCHY"),
        ("CHANNELS 3 Y", "CHANNELS 4 Y", 9, "followed by 3 names"),
        ("CHANNELS 3 Yrotation", "CHANNELS 3 Wrotation", 9, "'wrotation' must be one of"),
        ("CHANNELS 3 Yrotation", "CHANNELS 3 Xrotation", 9, "and once"),
        ("    CHANNELS 3 Yrotation Xrotation Zrotation\n", "", 15, "joint Arm has no CHANNELS"),
        ("OFFSET 2 0 0", "OFFSET 2 0", 8, "OFFSET needs 3 numbers"),
        ("OFFSET 2 0 0", "OFFSET 2 0 zero", 8, "'zero' is not a number"),
        ("}\nMOTION", "MOTION", 15, "Hips is not closed"),
        ("JOINT Arm", "JOINT Hips", 6, "two joints Hips"),
        ("JOINT Arm", "SCALE Arm", 6, "'SCALE Arm' does not belong"),
        ("Frames: 2", "Frames: 0", 17, "no frames"),
        ("Frames: 2", "Frames: many", 17, "Frames: NUMBER"),
        ("Frames: 2", "Frames: 3", 20, "ends after 2 of 3 frames"),
        ("Frames: 2", "Frames: 1", 20, "more frames than the 1"),
        ("Frame Time: 0.04", "Frame Time: 0", 18, "must be above 0"),
        ("Frame Time: 0.04", "", 19, "Frame Time: SECONDS"),
        ("1 2 3 90", "1 2 nan 90", 20, "nan is not a finite number"),
        ("1 2 3 90", "1 2 90", 20, "frame 1 has 8 values; the 9 channels need one each"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path, old, new, line, said):
    assert old in SMALL
    path = file_with(tmp_path, SMALL.replace(old, new, 1))
    with pytest.raises(DataError, match=f"{re.escape(str(path))}, line {line}: .*{re.escape(said)}") as error:
        bvh.read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("lines", [0, 1, 4, 9, 17, 18, 19])
def test_a_file_cut_short(tmp_path, lines):
    path = file_with(tmp_path, "\n".join(SMALL.splitlines()[:lines]))
    with pytest.raises(DataError, match=r"cut short"):
        bvh.read(path)


def test_files_that_are_none(tmp_path):
    with pytest.raises(DataError, match="cannot be read as a BVH file"):
        bvh.read(tmp_path / "absent.bvh")
    (tmp_path / "binary.bvh").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DataError, match="cannot be read as a BVH file"):
        bvh.read(tmp_path / "binary.bvh")
