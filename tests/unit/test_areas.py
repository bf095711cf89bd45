"""Areas between lines: closed ones, ones with gaps, none; and their colours."""

import cv2
import numpy as np
import pytest

from sfumato.translate.areas import areas, evened, ground_of, medians


def drawn(gap=0, size=128):
    """Paper (size, size) with a circle, which has a gap of so many pixels at its top."""
    lines = np.zeros((size, size), np.uint8)
    cv2.circle(lines, (size // 2, size // 2), size // 4, 1, 2)
    if gap:
        middle = size // 2
        lines[: size // 2, middle - gap // 2 : middle + gap // 2] = 0
    return lines == 0


@pytest.mark.parametrize("gap", [0, 2, 4])
def test_small_gaps_are_closed(gap):
    labels = areas(drawn(gap))
    assert labels.min() == 1 and labels.max() == 2
    assert labels[64, 64] == labels[50, 50] != labels[5, 5] == labels[120, 120]


@pytest.mark.parametrize("size", [64, 200, 640])
def test_corners_are_of_their_area_at_any_size(size):
    paper = np.ones((size, size), np.uint8)
    cv2.rectangle(paper, (size // 4, size // 4), (3 * size // 4, 3 * size // 4), 0, max(1, size // 100))
    labels = areas(paper > 0)
    assert labels.max() == 2
    for at in (0.27, 0.5, 0.73):  # corners and the middle
        assert labels[int(at * size), int(at * size)] == labels[size // 2, size // 2] != labels[0, 0]
    triangle = np.ones((size, size), np.uint8)
    points = np.array([[size // 10, 9 * size // 10], [size // 2, size // 10], [9 * size // 10, 9 * size // 10]])
    cv2.polylines(triangle, [points], True, 0, max(1, size // 100))
    assert areas(triangle > 0).max() == 2


@pytest.mark.parametrize(("share", "closed"), [(0.02, True), (0.06, False)])
def test_which_gaps_are_closed_grows_with_the_picture(share, closed):
    labels = areas(drawn(round(share * 512), 512))
    assert (labels[256, 256] != labels[5, 5]) == closed


def test_a_narrow_shape_beside_a_wide_one():
    """An ear: too narrow for the first ball, and closed."""
    paper = np.ones((256, 256), np.uint8)
    cv2.circle(paper, (128, 128), 60, 0, 2)
    cv2.ellipse(paper, (60, 128), (7, 14), 0, 0, 360, 0, 2)
    labels = areas(paper > 0)
    assert len({labels[128, 128], labels[128, 60], labels[5, 5]}) == 3


def test_what_a_narrow_passage_parts_is_one_if_its_colours_are():
    sheet = np.ones((128, 128), np.uint8)
    cv2.rectangle(sheet, (16, 16), (112, 112), 0, 1)
    sheet[16:62, 64] = sheet[65:112, 64] = 0  # three pixels are open
    paper = sheet > 0
    labels = areas(paper)
    assert labels.max() == 3 and labels[40, 40] != labels[40, 90]
    painted = np.full((128, 128, 3), 0.5, np.float32)
    painted[:, 64:] += 0.05
    result = evened(painted, labels, paper)
    assert np.array_equal(result[40, 40], result[40, 90])
    painted[:, 64:] += 0.4
    result = evened(painted, labels, paper)
    assert result[40, 40, 0] == pytest.approx(0.5) and result[40, 90, 0] == pytest.approx(0.95)


def test_the_ground_lies_within_a_frame():
    paper = np.ones((200, 200), np.uint8)
    cv2.rectangle(paper, (4, 4), (195, 195), 0, 2)
    cv2.circle(paper, (100, 100), 50, 0, 2)
    labels = areas(paper > 0)
    assert ground_of(labels) == labels[20, 20] != labels[0, 0]


def test_through_a_wide_gap_it_is_one_area():
    labels = areas(drawn(20))
    assert labels[64, 64] == labels[5, 5]


def test_lines_belong_to_the_nearest_area():
    paper = np.ones((40, 60), bool)
    paper[:, 20:29] = False
    labels = areas(paper)
    assert (labels[:, :24] == labels[0, 0]).all() and (labels[:, 25:] == labels[0, 59]).all()
    assert labels[0, 0] != labels[0, 59]


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (3, 3), (90, 2)])
def test_tiny_pictures(size):
    assert (areas(np.ones(size, bool)) == 1).all()
    assert (areas(np.zeros(size, bool)) == 0).all()
    painted = np.random.default_rng(0).random((*size, 3), np.float32)
    assert evened(painted, areas(np.zeros(size, bool)), np.zeros(size, bool)).shape == painted.shape


def test_thin_shapes_are_areas_of_their_own():
    paper = np.ones((200, 200), bool)
    paper[90:94], paper[97:101] = False, False  # between them three pixels of paper
    labels = areas(paper)
    assert len({labels[20, 5], labels[95, 100], labels[180, 5]}) == 3
    assert (labels[95] == labels[95, 0]).all()


def test_each_area_has_its_median_and_lines_do_not_count():
    paper, rng = drawn(), np.random.default_rng(0)
    labels = areas(paper)
    inside = labels == labels[64, 64]
    painted = np.where(inside[..., None], (0.8, 0.2, 0.1), (0.1, 0.1, 0.9)).astype(np.float32)
    noisy = painted + rng.normal(0, 0.02, painted.shape).astype(np.float32)
    noisy[inside & (rng.random(inside.shape) < 0.3)] = 0  # spots
    noisy[~paper] = 1
    result = evened(noisy, labels, paper)
    assert np.abs(result[inside] - (0.8, 0.2, 0.1)).max() < 0.03
    assert np.ptp(result[inside], axis=0).max() == 0
    assert np.abs(result[~inside & paper] - (0.1, 0.1, 0.9)).max() < 0.03


def test_what_stands_on_the_ground_keeps_its_colour_through_a_gap():
    paper = drawn(20)
    painted = np.full((128, 128, 3), 0.9, np.float32)
    painted[44:84, 44:84] = (0.9, 0.1, 0.1)
    result = evened(painted, areas(paper), paper)
    assert np.abs(result[60, 60] - (0.9, 0.1, 0.1)).max() < 0.01
    assert np.abs(result[5, 5] - 0.9).max() < 1e-6


def test_medians_are_those_of_numpy():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 7, 501)
    labels[labels == 3] = 2
    values = rng.random(501).astype(np.float32)
    found = medians(values, labels, 8)
    for k in range(7):
        own = np.sort(values[labels == k])
        assert found[k] == (own[len(own) // 2] if len(own) else 0)
    assert found[7] == 0
