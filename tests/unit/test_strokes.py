"""Lines: thinned as in the textbook, cleaned without harm, drawn where they were."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import sfumato
from sfumato import image
from sfumato.data import pen, strokes
from sfumato.data.sketches import Config, Sketcher


def lines_from(*rows):
    return np.array([[letter == "#" for letter in row] for row in rows])


def textbook(lines):
    """Guo & Hall's thinning, pixel by pixel, in the paper's words."""
    grid = np.pad(lines, 1).astype(int)
    while True:
        changed = False
        for odd in (True, False):
            gone = []
            for y, x in np.argwhere(grid):
                p2, p3, p4, p5, p6, p7, p8, p9 = (grid[y + dy, x + dx] for dy, dx in strokes._AROUND)
                pieces = (not p2 and (p3 or p4)) + (not p4 and (p5 or p6)) + (not p6 and (p7 or p8))
                pieces += not p8 and (p9 or p2)
                first = (p9 or p2) + (p3 or p4) + (p5 or p6) + (p7 or p8)
                second = (p2 or p3) + (p4 or p5) + (p6 or p7) + (p8 or p9)
                kept = (p2 or p3 or not p5) and p4 if odd else (p6 or p7 or not p9) and p8
                if pieces == 1 and 2 <= min(first, second) <= 3 and not kept:
                    gone.append((y, x))
            for y, x in gone:
                grid[y, x] = 0
            changed |= bool(gone)
        if not changed:
            return grid[1:-1, 1:-1].astype(bool)


def pieces(lines):
    return cv2.connectedComponents(lines.astype(np.uint8), connectivity=8)[0] - 1


def squares(lines):
    """How many squares of 2 x 2 pixels are set."""
    return int((lines[1:, 1:] & lines[1:, :-1] & lines[:-1, 1:] & lines[:-1, :-1]).sum())


@pytest.mark.parametrize("seed", range(4))
def test_thinning_is_the_textbooks(seed):
    rng = np.random.default_rng(seed)
    lines = rng.random((24, 31)) < (0.3, 0.5, 0.7, 0.9)[seed]
    assert np.array_equal(strokes.thin(lines), textbook(lines))


def test_thinning_keeps_what_hangs_together():
    lines = np.zeros((40, 60), bool)
    lines[10:17, 5:50] = lines[5:35, 30:36] = True
    found = strokes.thin(lines)
    assert 40 < found.sum() < 90
    assert np.array_equal(strokes.without_small(found, int(found.sum())), found)


def test_small_squares_and_broad_diagonals_do_not_vanish():
    square = np.zeros((8, 8), bool)
    square[3:5, 3:5] = True
    assert strokes.thin(square).sum() == 1
    diagonal = np.eye(30, dtype=bool) | np.eye(30, k=1, dtype=bool)
    for lines in (diagonal, diagonal[::-1]):
        found = strokes.thin(lines)
        assert pieces(found) == 1 and squares(found) == 0
        assert 28 <= found.sum() <= 31


@pytest.mark.parametrize("name", ["colosseum.jpg", "lake.jpg"])
def test_edges_of_photographs_are_thinned_to_a_pixel_and_hang_together(name):
    photo = image.read(Path(sfumato.__file__).parent / "assets" / "examples" / name)
    stages = Sketcher(Config(detail=320)).stages(photo.pixels)
    strong, thin = (stages[stage] == 0 for stage in ("strong", "thin"))
    assert thin.sum() > 300 and not (thin & ~strong).any()
    assert pieces(thin) == pieces(strong)
    assert squares(thin) <= 0.001 * thin.sum()  # where four lines meet


def test_nothing_comes_of_nothing():
    nothing = np.zeros((5, 7), bool)
    for step in (strokes.thin, strokes.without_dots, strokes.shorter, strokes.ends):
        assert not step(nothing).any()
    assert pen.traced(nothing) == []
    assert strokes.thin(np.ones((1, 1), bool)).all()


def test_dots_and_small_pieces_go():
    lines = lines_from("#....", "...#.", "..#..", ".....", "#####")
    assert np.array_equal(strokes.without_dots(lines), lines_from(".....", "...#.", "..#..", ".....", "#####"))
    assert np.array_equal(strokes.without_small(lines, 3), lines_from(".....", ".....", ".....", ".....", "#####"))


def test_ends_go():
    lines = lines_from(".......", ".#####.", ".......")
    assert np.array_equal(strokes.shorter(lines), lines_from(".......", "..###..", "......."))
    assert not strokes.shorter(lines, 2).any()
    ring = lines_from(".###.", ".#.#.", ".###.")
    assert np.array_equal(strokes.shorter(ring, 3), ring)


def test_spurs_go_and_lines_keep_their_length():
    lines = np.zeros((20, 40), bool)
    lines[10, 3:37] = True
    straight = lines.copy()
    lines[7:10, 20] = True
    assert np.array_equal(strokes.without_spurs(lines, 4), straight)


def test_ridges_are_where_the_strength_is_largest():
    y, x = np.mgrid[:40, :50].astype(np.float32)
    strength = np.exp(-((x - 20 - 0.3 * y) ** 2) / 8).astype(np.float32)
    found = strokes.thinned_ridges(strength) > 0.5
    assert 30 <= found.sum() <= 80
    assert np.abs(x - 20 - 0.3 * y)[found].max() < 1.2


def test_faint_lines_go_on_from_strong_ones():
    ridges = np.zeros((9, 20), np.float32)
    ridges[2, 2:18], ridges[2, 5], ridges[6, 2:18] = 0.3, 0.9, 0.3
    found = strokes.strong(ridges, 0.5, 0.2)
    assert found[2, 2:18].all()
    assert not found[6].any()
    assert strokes.strong(ridges, 0.5, 0.5).sum() == 1


def test_distances():
    sketch = np.full((9, 9), 255, np.uint8)
    assert (strokes.distances(sketch) == 255).all()
    sketch[:, 0] = 0
    found = strokes.distances(sketch)
    assert np.array_equal(found, np.repeat(np.rint(np.arange(9) * 255 / 8).astype(np.uint8)[None], 9, 0))
    assert (strokes.distances(np.zeros((4, 4), np.uint8)) == 0).all()


def test_paths_cover_every_pixel_once():
    lines = lines_from("#....#", ".#..#.", "..##..", "..#...", ".#....", "#.....")
    paths = pen.traced(lines)
    pixels = {(int(x), int(y)) for path in paths for x, y in path}
    assert pixels == {(int(x), int(y)) for y, x in np.argwhere(lines)}
    ring = pen.traced(lines_from(".##.", "#..#", ".##."))
    assert len(ring) == 1
    assert (ring[0][0] == ring[0][-1]).all()


def test_a_ring_stays_closed_and_ends_stay():
    path = np.array([[0, 0], [1, 1], [2, 0], [3, 1], [4, 0]], np.float32)
    smooth = pen.smooth_path(path, 5)
    assert (smooth[[0, -1]] == path[[0, -1]]).all()
    assert np.abs(np.diff(smooth[:, 1], 2)).max() < 0.5
    turn = np.linspace(0, 2 * np.pi, 40, dtype=np.float32)
    ring = np.stack((np.cos(turn), np.sin(turn)), 1)
    ring[-1] = ring[0]
    smooth = pen.smooth_path(ring, 5)
    assert (smooth[0] == smooth[-1]).all()
    assert np.linalg.norm(smooth, axis=1) == pytest.approx(np.full(40, np.linalg.norm(smooth[5])), abs=1e-2)


def test_lines_are_drawn_where_they_were():
    path = np.array([[2, 5], [17, 5]], np.float32)
    paper = pen.drawn([path], (40, 80), (4.0, 4.0), 4.0, [1.0])
    assert (paper[20:24, 20:60] < 60).all()
    assert (paper[:17] == 255).all()
    assert (paper[27:] == 255).all()
    grey = pen.drawn([path], (40, 80), (4.0, 4.0), 4.0, [0.5])
    assert abs(int(grey[22, 40]) - 128) <= 2


def test_a_line_goes_on_to_what_lies_ahead():
    lines = np.zeros((30, 40), bool)
    lines[10, 3:20], lines[2:25, 23] = True, True
    paths = pen.traced(lines)
    ends = {tuple(path[k]) for path in pen.joined(paths, lines, 5) for k in (0, -1)}
    assert (23, 10) in ends
    for reach in (0, 2):
        assert sum(map(len, pen.joined(paths, lines, reach))) == sum(map(len, paths))


def test_a_line_does_not_go_back_or_aside():
    lines = np.zeros((30, 40), bool)
    lines[10, 3:20], lines[12, 3:20], lines[14:29, 22] = True, True, True
    paths = pen.traced(lines)
    assert sum(map(len, pen.joined(paths, lines, 3))) == sum(map(len, paths))
