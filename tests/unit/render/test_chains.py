"""Segments to strokes: each once, joined where they go on, cut where they are hidden."""

import numpy as np
import pytest

from sfumato.render import chains
from sfumato.render.pixels import contacts, outlines, traced


def paths(segments, kinds=None, places=None):
    segments = np.array(segments, np.int32)
    kinds = np.zeros(len(segments), np.int32) if kinds is None else np.array(kinds, np.int32)
    places = np.random.default_rng(0).random((segments.max() + 1, 2)) if places is None else np.array(places, float)
    order, starts, firsts = chains.chained(segments, kinds, places)
    assert len(firsts) == len(starts) - 1
    return [order[a:b].tolist() for a, b in zip(starts[:-1], starts[1:])]


def test_a_line_is_one_path_whatever_the_order():
    (path,) = paths([(3, 4), (1, 0), (2, 3), (1, 2)])
    assert path in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])


def test_a_ring_ends_where_it_begins():
    (path,) = paths([(0, 1), (2, 1), (2, 3), (3, 0)])
    assert path[0] == path[-1] and sorted(path[:-1]) == [0, 1, 2, 3]


def test_a_line_ends_where_its_kind_changes():
    found = paths([(0, 1), (1, 2), (2, 3)], kinds=[0, 0, 1])
    assert sorted(map(len, found)) == [2, 3]


def test_a_line_goes_straight_over_a_crossing():
    places = [(0, 0), (1, 0.1), (2, 0), (1, 1), (1, -1)]
    found = paths([(0, 1), (1, 2), (3, 1), (1, 4)], places=places)
    assert sorted(sorted((p[0], p[-1])) for p in found) == [[0, 2], [3, 4]]


@pytest.mark.parametrize("seed", range(3))
def test_every_segment_is_in_one_path(seed):
    rng = np.random.default_rng(seed)
    segments = np.unique(np.sort(rng.integers(0, 30, (60, 2)), axis=1), axis=0)
    segments = segments[segments[:, 0] != segments[:, 1]]
    found = paths(segments)
    steps = sorted(tuple(sorted(step)) for path in found for step in zip(path[:-1], path[1:]))
    assert steps == sorted(map(tuple, segments.tolist()))


def test_smoothing_keeps_ends_and_the_middle_of_rings():
    turn = np.linspace(0, 2 * np.pi, 33)
    ring = np.stack((np.cos(turn), np.sin(turn)), 1)
    ring[-1] = ring[0]
    zigzag = np.stack((np.arange(20.0), np.arange(20.0) % 2), 1)
    points = chains.smoothed(np.concatenate((ring, zigzag)), np.array([0, 33, 53], np.int32), 4)
    assert (points[0] == points[32]).all()
    assert np.linalg.norm(points[:33], axis=1) == pytest.approx(np.full(33, np.linalg.norm(points[7])), abs=1e-9)
    assert (points[[33, 52]] == zigzag[[0, -1]]).all()
    assert np.ptp(points[37:49, 1]) < 0.05


def cut(points, visible, shortest):
    points = np.array(points, float)
    found, starts, origins = chains.cut(points, np.array([0, len(points)], np.int32), np.array(visible), shortest)
    assert (origins == 0).all()
    return [found[a:b] for a, b in zip(starts[:-1], starts[1:])]


def test_hidden_stretches_are_cut_out_and_leftovers_dropped():
    line = np.stack((np.arange(12.0), np.zeros(12)), 1)
    #          0  1  2  3  4  5  6  7  8  9 10
    visible = [1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0]
    found = cut(line, [*(v == 1 for v in visible), False], 2.0)
    assert [stretch[[0, -1], 0].tolist() for stretch in found] == [[0, 6]]
    assert [s[[0, -1], 0].tolist() for s in cut(line, [*(v == 1 for v in visible), False], 0.5)] == [
        *([0, 3], [4, 6], [9, 10]),
    ]


def test_a_ring_is_opened_where_it_is_hidden():
    ring = np.array([(0, 0), (4, 0), (4, 4), (0, 4), (0, 0)], float)
    assert len(cut(ring, [True] * 5, 1.0)[0]) == 5
    (open_ring,) = cut(ring, [True, False, True, True, False], 1.0)
    assert open_ring.tolist() == [[4, 4], [0, 4], [0, 0], [4, 0]]


def test_lines_of_pixels_become_paths():
    lines = np.zeros((20, 30), bool)
    lines[4, 2:28] = lines[4:17, 10] = True
    found = traced(lines, 5, 0)
    assert sorted(len(path) for path in found) == [12 + 1, 26]
    assert {(x, y) for path in found for x, y in path} == {(x + 0.5, y + 0.5) for y, x in np.argwhere(lines)}
    assert traced(np.zeros((5, 5), bool), 3, 2) == []


def test_a_sheets_outline_is_drawn_but_for_what_hides_it():
    sheet = np.zeros((60, 60), bool)
    sheet[10:50, 10:40] = True
    nearest = np.where(sheet, 0.5, 0.0)
    nearest[:, 40:] = 0.9  # something nearer hides the right of it
    ((ring, own),) = outlines(sheet, nearest, 0)
    assert (ring[0] == ring[-1]).all()
    right = (ring[:, 0] > 38.9) & (ring[:, 1] > 13) & (ring[:, 1] < 47)
    assert right.sum() > 25 and not own[right].any()
    assert own[ring[:, 0] < 35].all()


def test_things_that_meet_have_a_line_between_them_if_none_is_drawn():
    things = np.zeros((10, 12), np.int32)
    things[:, 6:] = 1
    ink = np.zeros((10, 12), np.uint8)
    found = contacts(things, ink)
    assert found[:, 6].all() and found.sum() == 10
    ink[:5, 5] = 255
    assert not contacts(things, ink)[:5].any()
    things[:, 6:], ink[:] = -1, 0
    assert not contacts(things, ink).any()
