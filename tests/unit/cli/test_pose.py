"""`sfumato pose` and `sfumato evaluate`."""

import json
import shutil

import pytest
import torch
from figures import write_set

from sfumato import progress, weights
from sfumato.card import Card
from sfumato.cli import pose
from sfumato.methods import hrnet
from sfumato.pose import estimator


@pytest.fixture(scope="module")
def pose_file(tmp_path_factory):
    torch.manual_seed(0)
    config = {"variant": "tiny", "height": 64, "width": 64}
    path = tmp_path_factory.mktemp("model") / "pose.safetensors"
    model = hrnet.Model(hrnet.Config(**config))
    torch.nn.init.constant_(model.final_layer.bias, 0.5)  # it is certain, wherever joints are
    weights.save(path, model, Card(name="pose", method="hrnet", config=config))
    return path


@pytest.fixture
def sketches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_set(tmp_path / "sketches", 3)


def test_keypoints_go_to_json_alone(sfumato, sketches, pose_file, tmp_path):
    result = sfumato("pose", sketches / "images", "--json", "out/poses.json", "--model", pose_file)
    assert (result.code, result.out, result.err) == (0, ["out/poses.json"], [])
    found = json.loads((tmp_path / "out" / "poses.json").read_text())
    assert [entry["image_id"] for entry in found] == [1, 2, 3]
    assert [entry["file_name"] for entry in found] == [f"{k:012}.png" for k in (1, 2, 3)]
    assert all(len(entry["keypoints"]) == 51 and entry["category_id"] == 1 for entry in found)
    assert len(list((sketches / "images").iterdir())) == 3


def test_pictures_of_one_name_are_told_apart(sfumato, sketches, pose_file, tmp_path):
    (sketches / "more").mkdir()
    (sketches / "images").rename(sketches / "more" / "images")
    shutil.copytree(sketches / "more" / "images", sketches / "images")
    sfumato("pose", sketches, "--json", "a.json", "--model", pose_file)
    sfumato("pose", "sketches/images", "sketches/more/images", "--json", "b.json", "--model", pose_file)
    first, second = ([r["file_name"] for r in json.loads((tmp_path / f).read_text())] for f in ("a.json", "b.json"))
    assert (first[0], first[3]) == ("images/000000000001.png", "more/images/000000000001.png")
    assert second == [f"sketches/{name}" for name in first]


def test_skeletons_are_drawn(sfumato, sketches, pose_file, tmp_path):
    picture = sketches / "images" / "000000000001.png"
    assert sfumato("pose", picture, "--model", pose_file).code == 0
    assert (sketches / "images" / "000000000001-pose.png").is_file()
    again = sfumato("pose", picture, "--model", pose_file)
    assert again.code == 2
    assert "exists already" in again.err[0]
    both = sfumato("pose", picture, "--model", pose_file, "-o", "drawn.png", "--json", "a.json", "--box", "9,9,70,80")
    assert both.out == ["drawn.png", "a.json"]
    assert json.loads((tmp_path / "a.json").read_text())[0]["bbox"] == [9, 9, 70, 80]


def test_earlier_results_are_no_pictures(sfumato, sketches, pose_file, tmp_path):
    folder = sketches / "images"
    for k in (1, 2, 3):
        (folder / f"{k:012}.png").rename(folder / f"sheet{k}.png")
    assert sfumato("pose", folder, "--json", "a.json", "--model", pose_file).code == 0
    assert sfumato("pose", folder, "--model", pose_file).code == 0
    assert len(list(folder.iterdir())) == 6
    assert sfumato("pose", folder, "--json", "b.json", "--model", pose_file).code == 0
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert first == second
    assert [entry["image_id"] for entry in second] == [1, 2, 3]


def test_keypoints_are_replaced_only_if_asked(sfumato, sketches, pose_file, tmp_path):
    (tmp_path / "a.json").write_text("mine")
    words = ("pose", sketches / "images", "--json", "a.json", "--model", pose_file)
    result = sfumato(*words)
    assert result.code == 2
    assert "a.json: exists already" in result.err[0]
    assert (tmp_path / "a.json").read_text() == "mine"
    assert sfumato(*words, "--overwrite").code == 0
    assert len(json.loads((tmp_path / "a.json").read_text())) == 3


def test_what_was_found_outlives_an_interruption(sfumato, sketches, pose_file, tmp_path, monkeypatch):
    from sfumato.pose import PoseEstimator

    find, count = PoseEstimator.__call__, iter(range(9))

    def interrupted(self, *words):
        if next(count) == 2:
            raise KeyboardInterrupt
        return find(self, *words)

    monkeypatch.setattr(PoseEstimator, "__call__", interrupted)
    result = sfumato("pose", sketches / "images", "--json", "a.json", "--model", pose_file)
    assert result.code != 0
    assert result.out == ["a.json"]
    assert [entry["image_id"] for entry in json.loads((tmp_path / "a.json").read_text())] == [1, 2]


def test_how_far_it_is_with_many_pictures(sfumato, sketches, pose_file, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_S", 0)
    (sketches / "images" / "000000000002.png").write_bytes(b"")
    result = sfumato("pose", sketches / "images", "--json", "a.json", "--model", pose_file)
    told = [line for line in result.err if line.startswith("poses")]
    assert result.code == 1
    assert [" ".join(line.split()[1:4]) for line in told] == ["33 % 1", "66 % 2", "100 % 3"]


@pytest.mark.parametrize(
    ("certain", "doubt"), [(0, "none of the keypoints is certain"), (8, "only 8 of the 17 keypoints are certain")]
)
def test_a_pose_that_is_hardly_certain_is_told(sfumato, sketches, pose_file, tmp_path, monkeypatch, certain, doubt):
    from sfumato.pose import PoseEstimator

    heights = torch.tensor([0.5] * certain + [0.1] * (17 - certain)).view(1, 17, 1, 1)
    monkeypatch.setattr(PoseEstimator, "maps", lambda self, images: heights.expand(len(images), 17, 16, 16))
    result = sfumato("pose", sketches / "images" / "000000000001.png", "--json", "a.json", "--model", pose_file)
    assert result.code == 0
    assert f"000000000001.png: {doubt}; is there a figure in the box, all of it?" in result.err[0]
    assert json.loads((tmp_path / "a.json").read_text())[0]["score"] == pytest.approx(0.5 if certain else 0)


def test_a_picture_without_a_figure_is_told(sfumato, sketches, pose_file, save, tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 50), (250, 250, 250)).save(tmp_path / "blank.png")
    result = sfumato("pose", "blank.png", "--json", "a.json", "--model", pose_file)
    assert result.code == 2
    assert "blank.png: nothing is drawn on it" in result.err[0]
    assert not (tmp_path / "a.json").exists()


def test_json_is_no_picture(sfumato, sketches, pose_file):
    result = sfumato("pose", sketches / "images", "--json", "a.png", "--model", pose_file)
    assert result.code == 2
    assert "--json a.png: is a list of keypoints, not a picture" in result.err[0]


def test_where_nothing_can_be_written_nothing_is_measured(sfumato, sketches, pose_file, tmp_path, monkeypatch):
    def measured(*_words, **_settings):
        pytest.fail("it is measured")

    monkeypatch.setattr("sfumato.pose.evaluate_pose", measured)
    (tmp_path / "results" / "report.json").mkdir(parents=True)
    assert sfumato("evaluate", pose_file, sketches, "-o", "results") == (
        2,
        [],
        ["sfumato: results/report.json: is a folder"],
    )


def test_a_report_and_a_sheet(sfumato, sketches, pose_file, tmp_path):
    result = sfumato("evaluate", pose_file, sketches, "-o", "results", "--precision", "fp32")
    assert (result.code, result.err) == (0, [])
    assert result.out[0].startswith("AP ")
    assert any(line.startswith("  left_ankle") for line in result.out)
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert report["figures"] == 3
    assert 0 <= report["AP"] <= 1
    assert len(report["PCK"]) == 17
    assert any("labelled boxes, dark, with the mirrored picture, fp32" in line for line in result.out)
    assert (tmp_path / "results" / "sheet.jpg").is_file()
    assert sfumato("evaluate", pose_file, sketches, "-o", "results", "--boxes", "ink", "--no-flip").code == 0


def test_what_cannot_be_evaluated(sfumato, sketches, pose_file, model_file, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "has none of keypoints.json" in sfumato("evaluate", pose_file, "empty").err[0]
    assert "finds no poses" in sfumato("evaluate", model_file, sketches).err[0]
    assert "is a file" in sfumato("evaluate", pose_file, sketches, "-o", sketches / "keypoints.json").err[0]


def test_the_bundled_model_finds_rendered_figures(sfumato, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sfumato("render", "--count", "8", "--size", "256", "--seed", "77", "--workers", "1", "-o", "set").code == 0
    assert sfumato("evaluate", "hrnet/sketches", "set", "-o", "report").code == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["figures"] == 8
    assert report["PCK@0.1"] > 0.7
    result = sfumato("pose", "set/images/000000000000.png", "--json", "pose.json")
    assert result.out == ["pose.json"]
    assert json.loads((tmp_path / "pose.json").read_text())[0]["score"] > 0.3


def test_the_command_and_the_estimator_have_one_default():
    assert pose.DEFAULT_MODEL == estimator.DEFAULT_MODEL
