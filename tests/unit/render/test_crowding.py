"""Crowded lines: what separates more stays, outlines always do, and lines that cross do not harm each other."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from solids import box, figure

from sfumato.render import characters, crowding
from sfumato.render.camera import View, framed
from sfumato.render.character import keypoints, rest, skinned
from sfumato.render.crowding import uncrowded
from sfumato.render.frame import Figure, Settings, Stroke
from sfumato.render.native import draw

SETTINGS = Settings(line_width=1.5, gap_px=1.5)
LEAST = 3.0
"""Between the middles of lines."""
SIZE = (80, 60)
WALL = np.ones((120, 160))
"""Samples of a flat surface a metre away."""


def line(start, end, kind="silhouette"):
    points = np.linspace(start, end, 1 + round(np.hypot(*np.subtract(end, start)) / 2))
    return Stroke(points=points, kind=kind, figure=0)


def upright(*places, kind="silhouette"):
    return [line((x, 10), (x, 50), kind) for x in places]


def columns(strokes):
    return sorted(float(stroke.points[0, 0]) for stroke in strokes)


@pytest.mark.parametrize("apart", [0.3, 1.0, 2.0, 2.9])
def test_lines_beside_each_other_leave_white_between_them(apart):
    places = 20 + apart * np.arange(12)
    kept = columns(uncrowded(upright(*places), WALL, SIZE, SETTINGS))
    assert np.diff(kept).min() >= LEAST if len(kept) > 1 else np.ptp(places) < 2 * LEAST
    assert max(np.abs(np.subtract.outer(places, kept)).min(1)) < LEAST  # no more is left out than must be


def test_lines_with_room_stay_as_they_are():
    strokes = upright(*range(10, 70, 4))
    kept = uncrowded(strokes, WALL, SIZE, SETTINGS)
    assert [k.points.tolist() for k in kept] == [s.points.tolist() for s in strokes]
    assert uncrowded([], WALL, SIZE, SETTINGS) == []


def test_of_two_the_one_that_separates_more_stays():
    nearest = WALL.copy()
    nearest[:, :44] = 0.8  # 25 cm farther, up to x = 22
    assert columns(uncrowded(upright(20, 22), nearest, SIZE, SETTINGS)) == [22]
    assert columns(uncrowded(upright(22, 24), nearest, SIZE, SETTINGS)) == [22]


def test_outlines_and_borders_always_stay():
    nearest = WALL.copy()
    nearest[:, :40] = nearest[:, 44:] = 0  # a strip of two pixels
    assert columns(uncrowded(upright(20, 21, 22), nearest, SIZE, SETTINGS)) == [20, 21, 22]
    assert columns(uncrowded(upright(20, 21, 22, kind="border"), WALL, SIZE, SETTINGS)) == [20, 21, 22]
    mixed = [*upright(20), *upright(21, kind="border")]
    assert "border" in [stroke.kind for stroke in uncrowded(mixed, WALL, SIZE, SETTINGS)]


def test_lines_that_cross_or_meet_stay_whole():
    crossing = [line((10, 30), (70, 30)), line((40, 5), (40, 55)), line((15, 10), (60, 55))]
    assert len(uncrowded(crossing, WALL, SIZE, SETTINGS)) == 3
    meeting = [line((10, 30), (70, 30)), line((40, 30), (60, 10))]
    assert [len(s.points) for s in uncrowded(meeting, WALL, SIZE, SETTINGS)] == [len(s.points) for s in meeting]
    going_on = [line((10, 30), (40, 30)), line((40, 30), (70, 30))]
    assert [len(s.points) for s in uncrowded(going_on, WALL, SIZE, SETTINGS)] == [len(s.points) for s in going_on]


def test_a_line_that_turns_back_crowds_itself():
    there, back = line((20, 10), (20, 50)).points, line((22, 50), (22, 10)).points
    loop = Stroke(points=np.concatenate((there, back)), kind="silhouette", figure=0)
    (kept,) = uncrowded([loop], WALL, SIZE, SETTINGS)
    assert kept.points[:, 0].mean() < 20.5 and len(kept.points) < len(loop.points) * 0.7


def beside(strokes, least, within=None):
    """The share of the length of lines that runs beside another line, nearer than that.

    `within`: (H, W), only there lines are asked; of those beside them all.
    """
    pieces = [
        (number, (a + b) / 2, (b - a) / np.linalg.norm(b - a), np.linalg.norm(b - a))
        for number, stroke in enumerate(strokes)
        for a, b in zip(stroke.points[:-1], stroke.points[1:])
        if np.linalg.norm(b - a) > 0
    ]
    number, place, way, size = (np.array([piece[k] for piece in pieces]) for k in range(4))
    off = place[:, None] - place
    along = np.abs(np.einsum("pqa,qa->pq", off, way))
    near = (np.linalg.norm(off, axis=2) < least) & (along < least / 2) & (np.abs(way @ way.T) > 0.85)
    near &= number[:, None] != number
    x, y = place.astype(int).T
    asked = size if within is None else size * within[y, x]
    return float((near.any(1) * asked).sum() / asked.sum())


def test_a_comb_of_rods_before_a_wall():
    """Ten rods of two pixels with a pixel between them: twenty lines without the rule, six or seven with it."""
    wall = box((0, 0, -0.5), (4, 4, 0.1))
    rods = [box((0.09 * k - 0.4, 0, 0.3), (0.06, 1.5, 0.06)) for k in range(10)]
    one = figure(wall, *rods)
    camera = framed(one.vertices, View(size=(128, 128), field_deg=10))
    strokes = draw([one], camera, Settings(contact=False, suggestive=False)).strokes
    inner = [s for s in strokes if np.ptp(s.points[:, 1]) > 20 and 30 < s.points[:, 0].mean() < 98]
    assert 3 <= len(inner) <= 9
    assert beside(inner, 0.9 * LEAST) < 0.03


def test_small_fingers_do_not_close_up(monkeypatch):
    figure_ = characters.load("mannequin:age=25,hair=cropped,style=0.3", 1)
    pose = rest(figure_)
    vertices = skinned(figure_, pose)
    one = Figure(vertices=vertices, character=figure_, keypoints=keypoints(figure_, pose, vertices))
    camera = framed(vertices, View(azimuth_deg=80, size=(256, 256)))
    settings = replace(SETTINGS, contact=False, suggestive=False)

    def crowded():
        frame = draw([one], camera, settings)
        inside = cv2.erode(frame.mask.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0)
        return beside([s for s in frame.strokes if s.kind != "border"], 0.8 * LEAST, inside)

    simple = crowded()
    monkeypatch.setattr(crowding, "uncrowded", lambda strokes, *_: list(strokes))
    assert simple < 0.1 and crowded() > 2 * simple
