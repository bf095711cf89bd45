"""MakeHuman's body: shaped, dressed, labelled, with all keypoints known."""

import tarfile

import numpy as np
import pytest

from sfumato.data.keypoints import KEYPOINTS
from sfumato.errors import DataError, OptionError
from sfumato.render import bvh, job
from sfumato.render import character as characters
from sfumato.render.anatomy import Arm, Posture, stance
from sfumato.render.character import PARTS
from sfumato.render.characters import load
from sfumato.render.makehuman import Body, macro_targets
from sfumato.render.makehuman_files import read_garment, read_obj, read_target
from sfumato.render.retarget import recorded
from sfumato.render.stance import build, posed


@pytest.fixture(scope="module")
def folder(real_data, tmp_path_factory):
    archive = real_data / "characters" / "makehuman.tar.xz"
    if not archive.is_file():
        pytest.skip(f"{archive} is not there")
    out = tmp_path_factory.mktemp("makehuman")
    with tarfile.open(archive) as packed:
        wanted = [
            m
            for m in packed.getmembers()
            if m.name.split("/")[0].lstrip("./") != "mpfb2_rigs" and "mpfb2" not in m.name
        ]
        packed.extractall(out, members=wanted, filter="data")
    return out


@pytest.fixture(scope="module")
def woman(folder):
    return load(f"{folder}:gender=woman,age=25,clothes=female_casualsuit01,shoes=shoes01,hair=bob01", 1)


def test_a_folder_without_clothes_is_told(folder, caplog):
    job.check(job.Config(character=(str(folder / "makehuman"), str(folder))))
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"{folder / 'makehuman'}: has no clothes or hair (.mhclo) below it, so bodies are bare; name the folder above"
    ]


def at_rest(figure):
    rest = characters.rest(figure)
    return dict(zip(KEYPOINTS, characters.keypoints(figure, rest, characters.skinned(figure, rest))))


def test_a_dressed_woman(woman):
    mesh = woman.mesh
    places = at_rest(woman)
    assert not any(point.approximate for point in woman.keypoints)
    assert len(woman.skeleton.names) == 163
    assert woman.weights.values.sum(1) == pytest.approx(np.ones(len(mesh.vertices)), abs=1e-5)
    assert {PARTS[k] for k in set(mesh.parts)} >= {
        "hair",
        "upper-clothes",
        "pants",
        "face",
        "left-shoe",
        "right-shoe",
        "left-arm",
    }
    assert 1.45 < np.ptp(mesh.vertices[:, 1]) < 1.95
    assert abs(mesh.vertices[:, 1].min()) < 0.06
    for point, (x, y, z) in places.items():
        if point.startswith("left"):
            assert x > 0 and places[point.replace("left", "right")] == pytest.approx((-x, y, z), abs=0.01)
    assert places["nose"][2] > places["left_eye"][2] > places["left_ear"][2]
    assert places["left_shoulder"][1] > places["left_elbow"][1] > places["left_wrist"][1]
    assert mesh.cards.sum() >= 1
    top, bottom = (mesh.colors[mesh.parts == PARTS.index(part)][0] for part in ("upper-clothes", "pants"))
    assert not np.array_equal(top, bottom)


def test_skinning_at_rest_changes_nothing(woman):
    assert characters.skinned(woman, characters.rest(woman)) == pytest.approx(woman.mesh.vertices, abs=1e-6)


def test_the_body_under_clothes_is_hidden(woman, folder):
    nude = load(f"{folder}:gender=woman,age=25,clothes=none,shoes=none,hair=none", 1)
    skin = [int((figure.mesh.components == 0).sum()) for figure in (woman, nude)]
    assert skin[0] < 0.7 * skin[1]


def test_clothes_follow_the_shape(folder):
    suits = sorted(file.stem for file in folder.rglob("male_casualsuit*.mhclo"))
    assert "male_casualsuit02" in suits
    figures = [
        load(f"{folder}:gender=man,age=30,weight={weight},clothes=male_casualsuit02,shoes=none,hair=none", 1)
        for weight in (0.1, 0.9)
    ]
    depths = []
    for figure in figures:
        hip = at_rest(figure)["left_hip"][1]
        points = figure.mesh.vertices[np.unique(figure.mesh.faces[figure.mesh.parts == PARTS.index("upper-clothes")])]
        belly = points[(np.abs(points[:, 0]) < 0.1) & (points[:, 1] > hip) & (points[:, 1] < hip + 0.25)]
        depths.append(np.ptp(belly[:, 2]))
    assert depths[1] > 1.1 * depths[0]


def test_age_makes_it_grow(folder):
    heights = [
        np.ptp(load(f"{folder}:gender=woman,age={age},height=0.5,hair=none,shoes=none", 2).mesh.vertices[:, 1])
        for age in (10, 25)
    ]
    assert heights[0] < 0.9 * heights[1]


def test_a_seed_makes_the_same_person_again(folder):
    first, again, other = (load(str(folder), seed) for seed in (4, 4, 5))
    assert np.array_equal(first.mesh.vertices, again.mesh.vertices)
    assert first.mesh.vertices.shape != other.mesh.vertices.shape or not np.array_equal(
        first.mesh.vertices, other.mesh.vertices
    )


def test_weights_of_macro_targets():
    found = macro_targets(Body(age=25, gender=1.0, weight=0.75, muscle=0.5, height=0.5))
    assert found["macrodetails/african-male-young"] == pytest.approx(1 / 3)
    assert found["macrodetails/universal-male-young-averagemuscle-averageweight"] == pytest.approx(0.5)
    assert found["macrodetails/universal-male-young-averagemuscle-maxweight"] == pytest.approx(0.5)
    assert not any("child" in name or "female" in name for name in found)
    mixed = macro_targets(Body(age=17.5, gender=0.3))
    assert sum(value for name, value in mixed.items() if "universal" in name) == pytest.approx(1)
    assert sum(value for name, value in mixed.items() if "caucasian" in name) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("age=5", "between 10 and 90"),
        ("hair=mohawk", "there is no 'mohawk'"),
        ("tail=1", "there is no 'tail'"),
        ("weight=fat", "not a number"),
    ],
)
def test_wrong_wishes(folder, wish, said):
    with pytest.raises(OptionError, match=said):
        load(f"{folder}:{wish}", 0)


def test_damaged_files(tmp_path):
    for name, text, reader, said in (
        ("a.target", "1 0.1 0.2\n", read_target, "no shape target"),
        ("a.mhclo", "name a\n", read_garment, "no garment"),
        ("a.obj", "v 0 0 0\nf 1 2 3\n", read_obj, "damaged mesh"),
        ("b.obj", "v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", read_obj, "damaged mesh"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=said):
            reader(tmp_path / name)
    (tmp_path / "base.obj").write_text("v 0 0 0\n", encoding="utf-8")
    (tmp_path / "default.mhskel").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"default_weights\.mhw of MakeHuman is not there"):
        load(str(tmp_path), 0)


def test_a_garment_by_hand(tmp_path):
    """A point fitted between three vertices moves with them, its offset with their spread."""
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 0 0 0\nv 0 0 0\nf 1 2 3\n", encoding="utf-8")
    text = "name a\nobj_file a.obj\nx_scale 0 1 2.0\ny_scale 0 2 1.0\nz_scale 0 1 1.0\nverts 0\n"
    text += "0 1 2 0.5 0.25 0.25 0.1 0.2 0\n1\n2\ndelete_verts\n0 - 1 2\n"
    (tmp_path / "a.mhclo").write_text(text, encoding="utf-8")
    garment = read_garment(tmp_path / "a.mhclo")
    body = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0]])
    assert garment.fitted(body) == pytest.approx(np.array([[1 + 0.1 * 2, 0.75 + 0.2 * 3, 0], [4, 0, 0], [0, 3, 0]]))
    assert garment.hidden.tolist() == [0, 1, 2]


def test_its_fingers_are_known(woman):
    for side, hand in zip(("left", "right"), build(woman).hands, strict=True):
        names = [woman.skeleton.names[bone] for bone in hand.fingers]
        assert len(names) == 15 and not any("metacarpal" in name for name in names)
        thumb = [share for name, share in zip(names, hand.fingers.values()) if name.startswith("finger1")]
        assert len(thumb) == 3 and max(thumb) < 0.5
        tip, spans = woman.skeleton.names.index(f"finger3-3.{side[0].upper()}"), []
        for curl in (0, 60):
            arm = Arm(raised=10, curl=curl)
            pose = posed(woman, stance(Posture(left_arm=arm, right_arm=arm)))
            spans.append(np.linalg.norm(pose.heads[tip] - pose.heads[hand.bone]))
        assert spans[1] < 0.85 * spans[0]


def test_its_own_pose_leaves_its_feet_as_they_are(woman, real_data):
    """Motion and character take the same toe for the end of a foot."""
    pose = recorded(bvh.read(real_data / "motion" / "makehuman_poses_cc0" / "tpose.bvh")).pose(woman, 0)
    for side in ("left", "right"):
        turn = pose.rotations[woman.limbs[f"{side}_foot"]]
        assert abs(np.degrees(np.arctan2(turn[0, 2], turn[2, 2]))) < 2
