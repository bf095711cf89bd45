"""What befalls a drawing: what each step does to lines and to paper, and that ink stays where joints are."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
from figures import figure

from sfumato.data import paper, second_hand
from sfumato.data.paper import NO_WEAR, STEPS, Wear, worn


@pytest.fixture(scope="module")
def sheet():
    """A figure about 60 pixels high on white, and its joints."""
    return figure(np.random.default_rng(3), 128, 96)


def after(name, pixels, seed=0):
    return worn(pixels, replace(NO_WEAR, **{name: 1.0}), np.random.default_rng(seed))


def ink(pixels):
    return 255.0 - pixels.min(2)


def test_every_step_has_its_frequency():
    assert [field.name for field in fields(Wear)] == list(STEPS)


def test_nothing_befalls_a_drawing_without_wear(sheet):
    assert np.array_equal(worn(sheet[0], NO_WEAR, np.random.default_rng(0)), sheet[0])


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_a_function_of_the_seed(sheet, name):
    pixels = sheet[0].copy()
    first, second, other = (after(name, pixels, seed) for seed in (1, 1, 2))
    assert first.shape == pixels.shape and first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other) and not np.array_equal(first, pixels)
    assert np.array_equal(pixels, sheet[0])  # what comes in is not changed


@pytest.mark.parametrize("name", ["pen", "redrawn", "broken"])
def test_paper_stays_white_and_ink_where_it_was(sheet, name):
    pixels, _ = sheet
    far = cv2.distanceTransform((ink(pixels) < 60).astype(np.uint8), cv2.DIST_L2, 5)
    for seed in range(12):
        found = after(name, pixels, seed)
        assert (found[:4] == 255).all() and (found[:, -4:] == 255).all()
        assert far[ink(found) > 80].max() < 4.5  # 3 pixels each way


def test_most_joints_keep_their_ink(sheet):
    pixels, joints = sheet
    places = np.rint(joints).astype(int)
    for name in ("pen", "redrawn", "broken"):
        kept = [
            ink(after(name, pixels, seed))[y - 3 : y + 4, x - 3 : x + 4].max() > 60
            for seed in range(8)
            for x, y in places
        ]
        assert np.mean(kept) > 0.85, name


def lines(*columns):
    """Upright lines on white, (80, 96, 3)."""
    pixels = np.full((80, 96, 3), 255, np.uint8)
    for x in columns:
        cv2.line(pixels, (x, 5), (x, 74), (0, 0, 0), 2, cv2.LINE_AA)
    return pixels


def place_of_ink(pixels, left, right):
    """The mean column of ink in each of the middle rows, between two columns."""
    weights = ink(pixels)[20:60, left:right]
    return (weights * np.arange(left, right)).sum(1) / weights.sum(1)


def test_a_second_hand_moves_neighbours_apart_and_each_smoothly(monkeypatch):
    monkeypatch.setattr(second_hand, "TWICE", 0.0)
    pixels = lines(30, 46)
    moves = []
    for seed in range(16):
        found = after("redrawn", pixels, seed)
        both = [place_of_ink(found, a, b) - place_of_ink(pixels, a, b) for a, b in ((22, 38), (38, 54))]
        moves.append(both)
    moves = np.array(moves)  # (seeds, 2 lines, rows)
    assert 0.3 < np.abs(moves).mean() < 2
    assert np.abs(np.diff(moves, axis=2)).max() < 0.6  # along a line
    assert np.abs(moves[:, 0] - moves[:, 1]).mean() > 0.5 * np.abs(moves).mean()  # between lines
    assert abs(moves.mean()) < 0.4  # nowhere in particular


def test_a_line_may_be_drawn_twice(monkeypatch):
    pixels = lines(48)
    monkeypatch.setattr(second_hand, "TWICE", 1.0)
    twice = np.mean([ink(after("redrawn", pixels, seed)).sum() for seed in range(8)])
    monkeypatch.setattr(second_hand, "TWICE", 0.0)
    once = np.mean([ink(after("redrawn", pixels, seed)).sum() for seed in range(8)])
    assert 0.9 < once / ink(pixels).sum() < 1.1
    assert twice > 1.1 * once


def test_a_blank_sheet_can_be_redrawn():
    blank = np.full((40, 30, 3), 255, np.uint8)
    assert np.array_equal(after("redrawn", blank), blank)


def test_pens(sheet):
    pixels, _ = sheet
    shares = [ink(after("pen", pixels, seed)).sum() / ink(pixels).sum() for seed in range(40)]
    assert min(shares) < 0.6 and max(shares) > 1.5
    thin = min(range(40), key=lambda seed: ink(after("pen", pixels, seed)).sum())
    assert (ink(after("pen", pixels, thin)) > 0).sum() > 0.5 * (ink(pixels) > 0).sum()  # still a drawing


def test_broken_lines_have_gaps_and_keep_their_colour(sheet):
    tinted = (sheet[0] * np.array([1.0, 0.9, 0.7])).astype(np.uint8)
    drawn, left = ink(sheet[0]) > 60, []
    for seed in range(8):
        found = after("broken", tinted, seed)
        assert (np.abs(found.astype(int) - tinted)[ink(sheet[0]) == 0] <= 1).all()
        left.append((ink(found) > ink(tinted).min() + 40)[drawn].mean())
    assert 0.6 < min(left) < 0.97 and max(left) <= 1


def test_chalk_is_light_on_dark(sheet):
    for seed in range(6):
        found = after("chalk", sheet[0], seed)
        blank, dark = ink(sheet[0]) == 0, ink(sheet[0]) > 200
        assert found[blank].max() <= 80
        assert found[dark].mean() > found[blank].mean() + 60


def test_ruled_paper_keeps_the_drawing(sheet):
    for seed in range(6):
        found = after("ruled", sheet[0], seed)
        changed = (found != sheet[0]).any(2)
        assert 0.02 < changed.mean() < 0.6
        assert (found <= sheet[0]).all() and found.min() >= sheet[0].min() * 0.5


def test_jpeg_leaves_fringes(sheet):
    apart = np.abs(after("jpeg", sheet[0]).astype(int) - sheet[0])
    assert 0.3 < apart.mean() < 12
    assert apart.max() > 8


def test_the_thesis_had_blurs_and_noise():
    assert {f.name for f in fields(Wear) if getattr(paper.THESIS_WEAR, f.name)} == {"blur", "noise"}
