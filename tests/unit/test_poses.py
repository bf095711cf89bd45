"""Figures as samples: joints stay on their lines, left stays left, and everything is a function of (seed, n)."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from figures import write_set

from sfumato.data import composed, poses
from sfumato.data.paper import NO_WEAR
from sfumato.errors import DataError, RecipeError

PLAIN = poses.Poses(
    flip=0, scale=0, rotated=0, half_body=0, perspective=0, bend_px=0, wear=NO_WEAR, height=128, width=96
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(write_set(tmp_path_factory.mktemp("set"), 5))


def opened(root, **changes):
    return dataclasses.replace(PLAIN, root=(root,), **changes).open()


def joints_are_dark(sample):
    """Whether there is ink at each joint of the sample, in a neighbourhood of 3 x 3 pixels: lines meet there."""
    pixels = sample["image"].min(0).values.numpy()
    found = []
    for x, y in np.rint(sample["joints"].numpy()).astype(int):
        if 2 <= x < pixels.shape[1] - 2 and 2 <= y < pixels.shape[0] - 2:
            found.append(pixels[y - 1 : y + 2, x - 1 : x + 2].min() < 200)
    return len(found) > 1 and all(found)


def test_a_sample(root):
    sample = opened(root).sample(0, 0)
    assert (sample["image"].dtype, tuple(sample["image"].shape)) == (torch.uint8, (3, 128, 96))
    assert tuple(sample["joints"].shape) == (17, 2)
    assert sample["weights"].tolist() == [1.0] * 17
    assert joints_are_dark(sample)


@pytest.mark.parametrize(
    "changes",
    [
        {"flip": 1.0},
        {"scale": 0.35, "rotated": 1.0},
        {"perspective": 0.1},
        {"bend_px": 5.0},
        {"half_body": 1.0},
        {"flip": 0.5, "scale": 0.35, "rotated": 1.0, "half_body": 0.3, "perspective": 0.05, "bend_px": 3.0},
    ],
    ids=["flip", "turn", "perspective", "bend", "half", "all"],
)
def test_joints_stay_on_their_lines(root, changes):
    samples = opened(root, **changes)
    assert all(joints_are_dark(samples.sample(1, n)) for n in range(12))


def test_joints_behind_the_vanishing_line_teach_nothing(root, monkeypatch):
    samples = opened(root)
    figure, _ = samples._read(0)
    y = float(np.sort(figure.joints[:, 1])[8:10].mean())  # between two joints
    behind = np.array([[1.0, 0, 0], [0, 1, 0], [0, -1 / y, 1]])
    monkeypatch.setattr(samples, "_way", lambda figure, rng: (behind, False))
    monkeypatch.setattr(samples, "_read", lambda index: (figure, np.full((96, 96), 255, np.uint8)))
    assert samples.sample(0, 0)["weights"].tolist() == (figure.joints[:, 1] < y).astype(float).tolist()


def test_a_mirrored_figure_has_left_and_right_exchanged(root):
    plain, mirrored = opened(root).sample(2, 3), opened(root, flip=1.0).sample(2, 3)
    order = [0, *(k + (1 if k % 2 else -1) for k in range(1, 17))]
    expected = plain["joints"][order] * torch.tensor([-1.0, 1.0]) + torch.tensor([95.0, 0.0])
    torch.testing.assert_close(mirrored["joints"], expected, atol=1e-3, rtol=0)
    assert float((mirrored["image"].float() - plain["image"].flip(2).float()).abs().mean()) < 1


def test_a_sample_is_a_function_of_seed_and_number(root):
    settings = dataclasses.replace(poses.Poses(root=(root,)), height=128, width=96)
    first, second = settings.open(), settings.open()
    second.sample(5, 9)
    for key, tensor in first.sample(5, 3).items():
        assert torch.equal(tensor, second.sample(5, 3)[key]), key
    assert not torch.equal(first.sample(5, 3)["joints"], first.sample(6, 3)["joints"])
    assert first.digest() == second.digest()
    assert first.counts() == {root: 5}


def test_transparency_is_white(tmp_path):
    root = str(write_set(tmp_path, 1, transparent=True))
    image = opened(root).sample(0, 0)["image"]
    assert int(image.max()) == 255
    assert float((image == 255).float().mean()) > 0.7
    assert joints_are_dark(opened(root).sample(0, 0))


def test_grey_pictures_take_a_third_of_the_memory(tmp_path):
    root = write_set(tmp_path, 2)
    file = root / "images" / "000000000002.png"
    colored = cv2.imread(str(file))
    colored[:4, :, 0] = 100
    cv2.imwrite(str(file), colored)
    samples = opened(str(root))
    assert [samples.sample(0, n)["image"].shape for n in range(4)] == [(3, 128, 96)] * 4
    assert sorted(pixels.ndim for pixels in samples.cache.pictures.values()) == [2, 3]


def test_a_broken_picture_gives_its_place_to_the_next(tmp_path):
    root = write_set(tmp_path, 3)
    (root / "images" / "000000000002.png").write_bytes(b"no picture")
    samples = opened(str(root))
    for n in range(3):
        assert joints_are_dark(samples.sample(0, n))
    assert len(samples.broken()) == 1
    for k in (1, 3):
        (root / "images" / f"{k:012}.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="no picture is left that can be read"):
        opened(str(root)).sample(0, 0)


def test_nothing_to_learn_from(tmp_path):
    with pytest.raises(DataError, match=r"data\.root names no folder"):
        poses.Poses().open()
    root = write_set(tmp_path, 1)
    text = (root / "keypoints.json").read_text().replace('"iscrowd": 0', '"iscrowd": 1')
    (root / "keypoints.json").write_text(text)
    with pytest.raises(DataError, match="none of its 1 figures has a box and labelled keypoints"):
        opened(str(root))


class Shift:
    """What a Compose of Albumentations does, by hand: moves all by some pixels, on white."""

    def __init__(self, transforms=(), lost=0):
        self.transforms, self.lost, self.seeds = transforms, lost, []

    def set_random_seed(self, seed):
        self.seeds.append(seed)

    def __call__(self, *, image, keypoints):
        moved = np.full_like(image, 255)
        moved[3:] = image[:-3]
        return {"image": moved, "keypoints": keypoints[self.lost :] + (0, 3)}


def test_a_compose_can_be_passed_in(root):
    compose = Shift()
    settings = dataclasses.replace(PLAIN, root=(root,))
    plain, moved = settings.open().sample(0, 1), settings.open(compose=compose).sample(0, 1)
    torch.testing.assert_close(moved["joints"], plain["joints"] + torch.tensor([0.0, 3.0]), atol=1e-3, rtol=0)
    assert torch.equal(moved["image"][:, 3:], plain["image"][:, :-3])
    assert len(compose.seeds) == 1


def test_a_compose_that_cannot_serve(root):
    class HorizontalFlip:
        pass

    with pytest.raises(RecipeError, match="HorizontalFlip does not exchange left and right"):
        PLAIN.__class__(root=(root,)).open(compose=Shift([Shift([HorizontalFlip()])]))
    with pytest.raises(RecipeError, match=r"16 of 17 keypoints come back; KeypointParams"):
        PLAIN.__class__(root=(root,)).open(compose=Shift(lost=1)).sample(0, 0)
    with pytest.raises(RecipeError, match=r"data\.compose"):
        composed.read_compose("nowhere.json")
