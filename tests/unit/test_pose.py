"""A pose model at work: where ink is, what is found, and how it is measured."""

import dataclasses
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from figures import figure, write_set
from PIL import Image

from sfumato import pose
from sfumato.data.keypoints import read_set
from sfumato.data.person_crop import around
from sfumato.data.skeletons import drawn
from sfumato.errors import Cancelled, DataError, OptionError, PictureError
from sfumato.methods import hrnet
from sfumato.nets.heatmaps import dark, factors, targets
from sfumato.pose import evaluation
from sfumato.pose.estimator import FoundPose
from sfumato.pose.ink import figure_box
from sfumato.recipes.hrnet import tiny


class Knowing(torch.nn.Module):
    """In place of a network: maps of joints that it is told, whatever the picture."""

    def __init__(self, joints):
        super().__init__()
        self.joints = joints

    def forward(self, images):
        joints = torch.from_numpy(self.joints).float()[None].expand(len(images), -1, -1)
        height, width = images.shape[2:]
        return targets(joints, torch.ones(joints.shape[:2]), picture=(height, width), maps=(height // 4, width // 4))[0]


@pytest.fixture(scope="module")
def estimator():
    torch.manual_seed(0)
    return pose.PoseEstimator(hrnet.Model(tiny().method), device="cpu", flip=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("set"), 14)


def overlap(a, b):
    """Intersection over union of two boxes (left, top, width, height)."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inside = max(width, 0) * max(height, 0)
    return inside / (a[2] * a[3] + b[2] * b[3] - inside)


# Ink


def test_the_box_of_a_stick_figure():
    sheet, joints = figure(np.random.default_rng(1))
    (left, top), (right, bottom) = joints.min(0), joints.max(0)
    assert overlap(figure_box(sheet), (left, top, right - left, bottom - top)) > 0.9


def test_shade_and_a_signature_are_no_figure():
    sheet, joints = figure(np.random.default_rng(1), 400, 300)
    sheet = cv2.erode(sheet, np.ones((3, 3), np.uint8))
    cv2.putText(sheet, "K", (270, 390), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1)
    shaded = np.rint(sheet * np.linspace(0.55, 1, 300)[None, :, None]).astype(np.uint8)
    (left, top), (right, bottom) = joints.min(0), joints.max(0)
    assert overlap(figure_box(shaded), (left, top, right - left, bottom - top)) > 0.8


@pytest.mark.parametrize("size", [(80, 60), (1, 1), (1, 40), (40, 1)])
def test_blank_paper_is_told(size):
    with pytest.raises(PictureError, match=r"sheet\.png: nothing is drawn on it; give the figure's box"):
        figure_box(np.full((*size, 3), 240, np.uint8), "sheet.png")


def person(sheet, color=(0, 0, 0), *, at=(200, 60), thick=3, factor=1.0):
    """Draws a stick figure, and returns its box on the sheet."""

    def place(x, y):
        return int(at[0] + x * factor), int(at[1] + y * factor)

    cv2.circle(sheet, place(0, 40), int(35 * factor), color, thick)
    limbs = ((0, 75, 0, 220), (0, 100, -80, 180), (0, 100, 80, 180), (0, 220, -50, 380), (0, 220, 50, 380))
    for a, b, c, d in limbs:
        cv2.line(sheet, place(a, b), place(c, d), color, thick)
    (left, top), (right, bottom) = place(-81, 4), place(81, 381)
    return left, top, right - left, bottom - top


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((255, 255, 255), (0, 0, 0)),
        ((240, 220, 80), (20, 20, 20)),
        ((90, 160, 210), (20, 20, 20)),
        ((95, 95, 95), (10, 10, 10)),
        ((110, 110, 110), (20, 20, 20)),
        ((255, 255, 255), (200, 200, 200)),
        ((255, 255, 255), (225, 225, 225)),
        ((255, 255, 255), (238, 238, 238)),
        ((0, 0, 0), (255, 255, 255)),
        ((40, 60, 45), (200, 200, 190)),
        ((150, 150, 150), (170, 90, 60)),
    ],
    ids=str,
)
def test_paper_and_ink_of_any_color(paper, ink):
    sheet = np.full((512, 400, 3), paper, np.uint8)
    box = person(sheet, ink)
    assert overlap(figure_box(sheet), box) > 0.95


def test_grain_of_paper_is_no_ink():
    rng = np.random.default_rng(2)
    sheet = np.clip(rng.normal(225, 5, (512, 400, 3)), 0, 255).astype(np.uint8)
    with pytest.raises(PictureError, match="nothing is drawn"):
        figure_box(sheet)
    box = person(sheet, (120, 120, 125))
    assert overlap(figure_box(sheet), box) > 0.9


def test_a_silhouette_over_most_of_the_sheet():
    sheet = np.full((400, 220, 3), 255, np.uint8)
    cv2.ellipse(sheet, (110, 200), (100, 192), 0, 0, 360, (30, 30, 30), -1)
    assert (sheet < 100).mean() > 0.65
    assert overlap(figure_box(sheet), (10, 8, 201, 385)) > 0.97


@pytest.mark.parametrize("factor", [1, 2])
def test_a_figure_in_pieces_is_one(factor):
    sheet = np.full((512 * factor, 400 * factor, 3), 255, np.uint8)
    box = person(sheet, at=(200 * factor, 60 * factor), factor=factor)
    for first, last in ((130, 150), (200, 216)):
        sheet[first * factor : last * factor] = 255
    assert overlap(figure_box(sheet), box) > 0.95


@pytest.mark.parametrize(
    "add",
    [
        lambda sheet: cv2.rectangle(sheet, (6, 6), (393, 505), (0, 0, 0), 2),
        lambda sheet: cv2.rectangle(sheet, (25, 30), (375, 480), (60, 60, 60), 3),
        lambda sheet: cv2.line(sheet, (0, 442), (399, 442), (0, 0, 0), 2),
        lambda sheet: cv2.line(sheet, (8, 440), (392, 446), (0, 0, 0), 2),
        lambda sheet: sheet[::32].fill(150),
        lambda sheet: sheet[:, :6].fill(20),
        lambda sheet: cv2.putText(sheet, "Ann 2020", (20, 500), 0, 0.5, (0, 0, 0), 2),
    ],
    ids=["frame", "inner frame", "ground", "ground by hand", "ruled", "scan", "name"],
)
def test_what_is_no_part_of_the_figure(add):
    sheet = np.full((512, 400, 3), 255, np.uint8)
    box = person(sheet)
    add(sheet)
    assert overlap(figure_box(sheet), box) > 0.93


def test_the_larger_of_two_figures():
    sheet = np.full((512, 400, 3), 255, np.uint8)
    person(sheet, at=(80, 150), factor=0.5)
    box = person(sheet, at=(270, 60))
    assert overlap(figure_box(sheet), box) > 0.95


def test_boxes_of_real_drawings(real_data):
    """Of all 13; in one the label leaves out the ice cream that the figure carries, and that no ink tells apart."""
    overlaps = {}
    for f in read_set(real_data / "drawings" / "labelled").figures:
        with Image.open(f.path) as sheet:
            overlaps[f.path.name] = overlap(figure_box(np.array(sheet.convert("RGB"))), f.box)
    assert len(overlaps) == 13
    assert {name for name, value in overlaps.items() if value < 0.8} == {"doodle_icecream.png"}, overlaps
    assert np.median(list(overlaps.values())) > 0.95


# Estimator


def test_places_go_from_maps_to_the_picture(estimator, monkeypatch):
    region = around((30, 20, 60, 60), (64, 64))
    joints = np.stack([np.linspace(12, 50, 17), np.linspace(50, 12, 17)], 1)
    monkeypatch.setattr(estimator, "network", Knowing(joints))
    monkeypatch.setattr(estimator, "read_maps", lambda maps: pose.estimator.dark(maps, sigma=0))
    found = estimator(np.full((120, 140, 3), 255, np.uint8), (30.0, 20.0, 60.0, 60.0))
    wanted = (joints - 31.5) * (region.size[0] / 63) + region.center
    assert np.abs(found.joints - wanted).max() < 0.1
    assert found.score > 0.9
    assert found.area == pytest.approx(75 * 75)


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_maps_are_read_with_the_sigma_that_the_model_learned(monkeypatch, sigma):
    found = []
    monkeypatch.setattr(pose.estimator, "dark", lambda maps, sigma: found.append(sigma) or dark(maps, sigma=sigma))
    model = hrnet.Model(dataclasses.replace(tiny().method, sigma=sigma))
    pose.PoseEstimator(model, device="cpu")(figure(np.random.default_rng(0))[0])
    assert found == [sigma]


def test_a_pose_of_the_authors_convention(monkeypatch):
    model = hrnet.Model(dataclasses.replace(tiny().method, heatmaps="msra"))
    estimator = pose.PoseEstimator(model, device="cpu", flip=False)
    maps = torch.zeros(1, 17, 16, 16)
    maps[0, :, 5, 7] = 1
    maps[0, :, 5, 8] = 0.5
    monkeypatch.setattr(estimator, "network", lambda images: maps)
    found = estimator(np.full((64, 64, 3), 255, np.uint8), (6.4, 6.4, 51.2, 51.2))  # with its padding the whole sheet
    np.testing.assert_allclose(found.joints[3], [7.25 * 4, 5 * 4], atol=1e-5)
    assert factors((64, 64), (16, 16), "msra") == (4, 4)


def test_the_mirrored_picture_tells_the_same(monkeypatch):
    """A network whose maps of a mirrored picture are the mirrored maps, a figure's left on the other side."""
    sheet, joints = figure(np.random.default_rng(4))
    sheet[:, :8] = 90  # tells left from right
    estimator = pose.PoseEstimator(hrnet.Model(tiny().method), device="cpu")
    order = [0, *(k + (1 if k % 2 else -1) for k in range(1, 17))]
    other = (np.array([63.0, 0.0]) + joints * [-63 / 95, 63 / 95])[order]
    knowing = {False: Knowing(joints * 63 / 95), True: Knowing(other)}
    asked = []

    def network(images):
        asked.append(bool(images[0, :, :, 0].mean() > images[0, :, :, -1].mean()))
        return knowing[asked[-1]](images)

    monkeypatch.setattr(estimator, "network", network)
    box = (9.5, 9.5, 76.0, 76.0)  # with its padding the whole sheet
    both = estimator(sheet, box)
    monkeypatch.setattr(estimator, "flip", False)
    alone = estimator(sheet, box)
    assert asked == [False, True, False]
    np.testing.assert_allclose(both.joints, alone.joints, atol=0.05)
    np.testing.assert_allclose(both.joints, joints, atol=1.0)


def test_transparent_pictures_are_on_white(estimator):
    sheet, _ = figure(np.random.default_rng(2))
    clear = np.dstack((np.zeros_like(sheet), 255 - sheet[..., 0]))
    ours, theirs = estimator(clear), estimator(np.repeat(sheet[..., :1], 3, 2))
    np.testing.assert_allclose(ours.joints, theirs.joints, atol=0.5)


def test_many_are_as_one_by_one(estimator, root):
    figures = read_set(root).figures[:10]
    pixels = [np.array(Image.open(f.path).convert("RGB")) for f in figures]
    together = estimator.many([(p, f.box) for p, f in zip(pixels, figures, strict=True)])
    for p, f, found in zip(pixels, figures, together, strict=True):
        np.testing.assert_allclose(estimator(p, f.box).joints, found.joints, atol=1e-2)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((0, 0, 0, 5), "is empty"),
        ((np.nan, 0, 5, 5), "four finite numbers"),
        ((200, 0, 5, 5), "lies outside the picture of 96 x 96 pixels"),
    ],
)
def test_boxes_that_hold_nothing(estimator, box, message):
    with pytest.raises(OptionError, match=message):
        estimator(figure(np.random.default_rng(0))[0], box)


def test_a_model_that_finds_no_poses():
    with pytest.raises(OptionError, match="Conv2d finds no poses"):
        pose.PoseEstimator(torch.nn.Conv2d(3, 3, 1), device="cpu")


def test_a_result_of_coco():
    found = FoundPose(joints=np.ones((17, 2)), scores=np.full(17, 0.5), score=0.5, box=(0, 0, 9, 9), area=81.0)
    result = found.coco(7)
    assert (result["image_id"], result["category_id"], result["score"]) == (7, 1, 0.5)
    assert result["keypoints"][:3] == [1.0, 1.0, 0.5]
    assert len(result["keypoints"]) == 51


def test_a_skeleton_is_drawn_where_joints_are_sure():
    sheet, joints = np.full((96, 96, 3), 255, np.uint8), figure(np.random.default_rng(0))[1]
    scores = np.full(17, 0.9)
    scores[9] = 0.1
    result = drawn(sheet, joints, scores > 0.2)
    x, y = np.rint(joints[15]).astype(int)
    assert tuple(result[y, x]) != (255, 255, 255)
    assert int(result[y, x, 0]) > int(result[y, x, 2])  # the left ankle is orange
    x, y = np.rint(joints[9]).astype(int)
    assert (result[y - 1 : y + 2, x - 1 : x + 2] == 255).all()
    assert (sheet == 255).all()


# Evaluation


def perfect(estimator, monkeypatch, root, shift=(0.0, 0.0)):
    """Makes the estimator find what the labels say."""
    known = {tuple(f.box): f for f in read_set(root).figures}

    def many(figures):
        return [
            FoundPose(
                joints=known[tuple(box)].joints + shift, scores=np.ones(17), score=1.0, box=box, area=box[2] * box[3]
            )
            for _, box in figures
        ]

    monkeypatch.setattr(estimator, "many", many)
    return estimator


def test_labels_as_results_are_perfect(estimator, monkeypatch, root):
    report = pose.evaluate_pose(perfect(estimator, monkeypatch, root), root)
    assert report.precision.stats["AP"] == pytest.approx(1)
    assert report.mean_correct == 1
    assert len(report.scored) == 14
    content = report.json()
    assert content["figures"] == 14
    assert content["APl"] is None
    assert content["by_figure"][0]["oks"] == 1
    assert report.sheet().size[0] > 600


def test_far_off_results_are_none(estimator, monkeypatch, root):
    report = pose.evaluate_pose(perfect(estimator, monkeypatch, root, (40.0, 0.0)), root)
    assert report.precision.stats["AP"] == 0
    assert report.mean_correct == 0


def test_legs_that_are_not_settled_count_in_the_nearer_order():
    _, joints = figure(np.random.default_rng(0))
    labelled = read_figure(joints, {"legs_left_right_uncertain": True})
    swapped = joints.copy()
    swapped[11:17] = joints[[12, 11, 14, 13, 16, 15]]
    found = FoundPose(joints=swapped, scores=np.ones(17), score=1.0, box=labelled.box, area=1.0)
    np.testing.assert_array_equal(evaluation.settled(labelled, found).joints, swapped)
    certain = read_figure(joints, {})
    assert evaluation.settled(certain, found) is certain


def read_figure(joints, attributes):
    values = {"path": None, "image": 1, "box": (0, 0, 90, 90), "area": 2000.0, "attributes": attributes}
    return evaluation.Figure(joints=joints, visible=np.full(17, 2), **values)


def blank(root, number):
    """Makes a picture of the set a sheet on which nothing is drawn."""
    Image.new("RGB", (96, 96), (255, 255, 255)).save(root / "images" / f"{number:012}.png")


def test_a_figure_without_ink_is_a_miss(estimator, monkeypatch, tmp_path):
    root = write_set(tmp_path, 10)
    figures = {f.path: f for f in read_set(root).figures}
    for number in range(1, 8):
        blank(root, number)

    def ink(pixels, name):
        if (pixels == 255).all():
            raise PictureError(f"{name}: nothing is drawn on it")
        return figures[Path(name)].box

    monkeypatch.setattr(evaluation, "figure_box", ink)
    report = pose.evaluate_pose(perfect(estimator, monkeypatch, root), root, boxes="ink")
    assert len(report.scored) == 10
    assert report.left_out == []
    assert report.precision.stats["AP"] == pytest.approx(0.3, abs=0.01)
    assert report.precision.stats["AR"] == pytest.approx(0.3)
    assert report.mean_correct == pytest.approx(0.3)
    assert sorted(report.not_found) == [f"{k:012}.png" for k in range(1, 8)]
    assert [s.oks for s in report.scored] == [1.0] * 3 + [0.0] * 7
    assert report.sheet().size[0] > 600


def test_figures_of_several_pictures_are_looked_at_together(estimator, monkeypatch, root):
    sizes, many = [], estimator.many
    monkeypatch.setattr(estimator, "many", lambda figures: sizes.append(len(figures)) or many(figures))
    told = []
    figures = read_set(root).figures
    compared, left_out = evaluation.compare(estimator, figures, progress=lambda *at: told.append(at))
    assert sizes == [8, 6]
    assert told == [(8, 14), (14, 14)]
    assert [f for f, _ in compared] == list(figures) and not left_out
    for labelled, found in compared:
        alone = estimator(labelled.path, labelled.box)
        np.testing.assert_allclose(alone.joints, found.joints, atol=1e-2)


def edited(root, change):
    """Changes the labels of a set."""
    content = json.loads((root / "keypoints.json").read_text())
    change(content["annotations"])
    (root / "keypoints.json").write_text(json.dumps(content))
    return root


def test_a_labelled_figure_with_an_empty_box_may_be_found_or_not(estimator, monkeypatch, tmp_path):
    def change(annotations):
        annotations.append({**annotations[0], "id": 9, "bbox": [5, 5, 0, 0], "keypoints": [50, 50, 2] * 17})

    root = edited(write_set(tmp_path, 3), change)
    report = pose.evaluate_pose(perfect(estimator, monkeypatch, root), root)
    assert report.precision.stats["AP"] == pytest.approx(1)
    assert report.left_out == ["000000000001.png: the box of a figure is empty (0 x 0 pixels)"]


def test_a_report_says_how_it_came_about(estimator, monkeypatch, tmp_path):
    def change(annotations):
        annotations[0].pop("area")
        rows = np.reshape(annotations[1]["keypoints"], (17, 3))
        rows[11:17] = rows[[12, 11, 14, 13, 16, 15]]
        found = [float(v) for v in rows.ravel()]
        annotations[1].update(keypoints=found, attributes={"legs_left_right_uncertain": True})

    right = read_set(write_set(tmp_path, 3)).figures
    root = edited(tmp_path, change)
    known = iter(right)
    monkeypatch.setattr(
        estimator,
        "many",
        lambda figures: [
            FoundPose(joints=next(known).joints, scores=np.ones(17), score=1.0, box=box, area=1.0) for _, box in figures
        ],
    )
    monkeypatch.setattr("sys.argv", ["/bin/sfumato", "evaluate", "/home/me/pose.safetensors", "drawings"])
    content = pose.evaluate_pose(estimator, root).json()
    assert (content["boxes"], content["decode"], content["flip"]) == ("labelled", "dark", False)
    assert content["precision"] == estimator.precision
    assert content["command"] == "sfumato evaluate pose.safetensors drawings"
    assert (content["legs_exchanged"], content["areas_of_boxes"], content["not_found"]) == (1, 1, [])
    assert content["by_figure"][-1]["oks"] == 1


def test_broken_pictures_are_named_and_left_out(estimator, tmp_path):
    root = write_set(tmp_path, 3)
    (root / "images" / "000000000002.png").write_bytes(b"no picture")
    report = pose.evaluate_pose(estimator, root)
    assert len(report.scored) == 2
    assert len(report.left_out) == 1
    assert not math.isnan(report.precision.stats["AP"])


def test_an_evaluation_can_be_stopped(estimator, root):
    with pytest.raises(Cancelled):
        pose.evaluate_pose(estimator, root, progress=lambda done, total: False)


def test_a_set_without_figures(estimator, tmp_path):
    root = write_set(tmp_path, 1)
    text = (root / "keypoints.json").read_text().replace('"iscrowd": 0', '"iscrowd": 1')
    (root / "keypoints.json").write_text(text)
    with pytest.raises(DataError, match="none of its 1 figures has a box and labelled keypoints"):
        pose.evaluate_pose(estimator, root)
