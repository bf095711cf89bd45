"""On real figures in motion: the outline of the mask is drawn, and nothing of it is drawn beside the figure.

The bound: within 1.5 pixels for 99 % of its length, in both directions.
"""

import tarfile

import cv2
import numpy as np
import pytest

from sfumato.render import native, pixels
from sfumato.render.job import Config, scene

NEAR_PX, SHARE = 1.5, 0.99
SIZE = 512
KINDS = ("silhouette", "border")


def outline(mask):
    """Points (N, 2) of the outline of a mask (H, W), a pixel's side apart."""
    padded = np.pad(mask, 1)
    across = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])[:, ::-1] + (0, 0.5)
    down = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])[:, ::-1] + (0.5, 0)
    return np.concatenate((across, down))


def along(strokes, step=0.25):
    """Points (N, 2) on strokes, `step` pixels apart."""
    found = [np.empty((0, 2))]
    for stroke in strokes:
        for a, b in zip(stroke.points, stroke.points[1:]):
            parts = max(int(np.ceil(np.linalg.norm(b - a) / step)), 1)
            found.append(a + (b - a) * (np.arange(parts) / parts)[:, None])
    return np.concatenate(found)


def far_from(points, others, fine=4):
    """How far each point is from the nearest of others, in pixels, to a quarter of one."""
    grid = np.full((SIZE * fine, SIZE * fine), 255, np.uint8)
    x, y = (np.clip((others * fine).astype(int), 0, SIZE * fine - 1)).T
    grid[y, x] = 0
    far = cv2.distanceTransform(grid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / fine
    x, y = (np.clip((points * fine).astype(int), 0, SIZE * fine - 1)).T
    return far[y, x]


def shares(config, number):
    """Of the mask's outline how much has a stroke near, and of the strokes how much is near the figure."""
    made = scene(config, number)
    frame = native.draw(made.figures, made.camera, made.settings)
    drawn = along([stroke for stroke in frame.strokes if stroke.kind in KINDS])
    edge = outline(frame.mask)
    beside = ~frame.mask[tuple(np.clip(drawn.astype(int), 0, SIZE - 1).T[::-1])]
    strayed = far_from(drawn[beside], edge) >= NEAR_PX
    return (far_from(edge, drawn) < NEAR_PX).mean(), 1 - strayed.sum() / len(drawn)


def assert_drawn(character, numbers, **changes):
    config = Config(character=(character,), size=(SIZE, SIZE), **changes)
    found = {number: shares(config, number) for number in numbers}
    assert min(min(pair) for pair in found.values()) >= SHARE, found


@pytest.fixture(scope="session")
def makehuman(real_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("makehuman")
    with tarfile.open(real_data / "characters" / "makehuman.tar.xz") as packed:
        packed.extractall(out, members=[m for m in packed.getmembers() if "mpfb2" not in m.name], filter="data")
    return str(out)


def test_the_mannequin():
    assert_drawn("mannequin", range(6))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_mannequin_from_near_above_and_exaggerated(number):
    assert_drawn("mannequin", [number], field_deg=(90, 110), elevation_deg=(40, 70), exaggerate=1.0)


def test_three_mannequins():
    assert_drawn("mannequin", range(2), figures=3)


@pytest.mark.parametrize("name", ["Knight", "Rogue"])
def test_characters_of_few_faces(real_data, name):
    path = real_data / "characters" / "kaykit" / f"{name}.glb"
    assert_drawn(str(path), range(4), motion=("own",))


def test_makehuman_in_clothes(makehuman):
    assert_drawn(makehuman, range(4), variants=2)


def test_windows_are_around_each_wanted_thing():
    things = np.array([1, 0, 2, 0, -1], np.int32)
    ids = np.full((40, 60), -1, np.int32)
    ids[10:14, 20:30] = 0
    ids[0:2, 50:60] = 2
    ids[30, 5], ids[35, 9] = 1, 3
    wanted = np.array([1, 0, 1, 1], bool)
    found = {thing: (rows, columns) for thing, rows, columns in pixels.windows(ids, things, wanted)}
    assert found == {0: (np.s_[26:40], np.s_[1:14]), 2: (np.s_[0:6], np.s_[46:64])}
    assert not list(pixels.windows(ids, things, np.zeros(4, bool)))


def test_boxes_are_those_that_numpy_finds():
    rng = np.random.default_rng(0)
    things = np.array([*rng.integers(0, 6, 30), -1], np.int32)
    ids = np.where(rng.random((50, 70)) < 0.01, rng.integers(0, 30, (50, 70)), -1).astype(np.int32)
    wanted = np.array([1, 1, 0, 1, 1, 1, 1], bool)  # the last shows nowhere
    boxes = pixels._boxes(ids, things, wanted)
    shown = things[ids]
    for thing in range(7):
        rows, columns = np.nonzero(shown == thing)
        if wanted[thing] and len(rows):
            assert boxes[thing].tolist() == [rows.min(), rows.max(), columns.min(), columns.max()]
        else:
            assert boxes[thing, 1] == boxes[thing, 3] == -1
    assert (boxes[:, 1] >= 0).sum() == 5
