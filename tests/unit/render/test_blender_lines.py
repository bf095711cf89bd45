"""Lines by Blender, where there is one: where they must be, as the native engine has them, and the same each time."""

import os
import signal
from dataclasses import replace

import cv2
import numpy as np
import pytest
from solids import box, figure, sphere

from sfumato.render import ink, job, native
from sfumato.render.blender import engine
from sfumato.render.blender.client import Client
from sfumato.render.camera import View, framed
from sfumato.render.frame import Settings

pytestmark = pytest.mark.timeout(600)

EXACT = Settings(contact=False, suggestive=False, smooth=0)
PLAIN = Settings(contact=False, suggestive=False)
SMALL = job.Config(size=(192, 192), variants=3)


@pytest.fixture(scope="module")
def client(blender):
    made = Client(blender)
    yield made
    made.close()


def drawn(client, *figures, settings=PLAIN, strokes="line_art", **view):
    camera = framed(np.concatenate([one.vertices for one in figures]), View(**({"size": (256, 256)} | view)))
    return engine.draw(figures, camera, settings, client=client, strokes=strokes), camera


def ends(frame):
    return np.concatenate([stroke.points for stroke in frame.strokes])


def near(one, other, within_px=2):
    """The share of ink (H, W) that has other ink near it."""
    far = cv2.distanceTransform((other < 128).astype(np.uint8), cv2.DIST_L2, 5)
    return float((far[one >= 128] <= within_px).mean())


def outline(frame, size):
    strokes = [stroke for stroke in frame.strokes if stroke.kind in ("silhouette", "border")]
    return ink.drawn(strokes, size, Settings())


@pytest.mark.parametrize("size", [(256, 256), (300, 120), (97, 211)])
def test_blenders_camera_is_ours(client, size):
    one = figure(box())
    frame, camera = drawn(client, one, settings=EXACT, size=size, azimuth_deg=40, elevation_deg=30, field_deg=60)
    places, depths = camera.project(one.vertices)
    seen = np.delete(places, depths.argmax(), axis=0)
    far = np.linalg.norm(ends(frame)[:, None] - seen, axis=2).min(0)
    assert far.max() < 0.01
    edges = [(a, b) for a in range(8) for b in range(a) if bin(a ^ b).count("1") == 1 and depths.argmax() not in (a, b)]
    length = sum(np.linalg.norm(np.diff(stroke.points, axis=0), axis=1).sum() for stroke in frame.strokes)
    assert length == pytest.approx(sum(np.linalg.norm(places[a] - places[b]) for a, b in edges), rel=1e-3)
    assert {stroke.kind for stroke in frame.strokes} == {"silhouette", "crease"}


def test_a_spheres_outline_is_one_ring_on_a_circle(client):
    frame, camera = drawn(client, figure(sphere(around=96, down=48)), elevation_deg=5)
    (stroke,) = frame.strokes
    assert stroke.kind == "silhouette" and (stroke.points[0] == stroke.points[-1]).all()
    radius = camera.focal_px / np.sqrt(np.linalg.norm(camera.position) ** 2 - 1)
    assert np.abs(np.linalg.norm(stroke.points - 128, axis=1) - radius).max() < 1.5


def test_halves_of_quads_have_no_line_between_them(client):
    one = figure(box())
    bare, _ = drawn(client, one, settings=replace(EXACT, crease_deg=0), azimuth_deg=40, elevation_deg=30)
    creased, _ = drawn(client, one, settings=EXACT, azimuth_deg=40, elevation_deg=30)
    assert np.array_equal(bare.lines, creased.lines)


def test_lines_end_where_something_nearer_begins(client):
    front, back = figure(box((0, 0, 1), (1, 1, 0.2))), figure(box((0, 0, -1), (3, 0.5, 0.2)))
    frame, camera = drawn(client, front, back)
    (left, right), _ = camera.project(np.array([[-0.5, 0, 1.1], [0.5, 0, 1.1]]))
    strokes = [stroke.points for stroke in frame.strokes if stroke.figure == 1]
    assert {stroke.figure for stroke in frame.strokes} == {0, 1} and len(strokes) == 2
    for points in strokes:
        assert not ((points[:, 0] > left[0] + 2) & (points[:, 0] < right[0] - 2)).any()


def test_things_that_pass_through_each_other_have_a_line_between_them(client):
    one = figure(sphere((0, 0, 0), 0.6), box((0, 0, 0), (2, 0.2, 0.2)))
    (with_line, _), (without, _) = (
        drawn(client, one, settings=settings, azimuth_deg=30) for settings in (Settings(suggestive=False), PLAIN)
    )
    assert {"contact"} == {s.kind for s in with_line.strokes} - {s.kind for s in without.strokes}


@pytest.mark.parametrize("strokes", ["line_art", "freestyle"])
def test_loose_sheets_hide_and_have_only_their_outline(client, strokes):
    solid, sheet = sphere((0, 0, 0), 0.5), box((0.2, 0, 0.8), (0.6, 1.4, 0.01))
    loose, fixed = figure(solid, sheet, cards=(1,)), figure(solid, sheet)
    one, _ = drawn(client, loose, strokes=strokes)
    other, camera = drawn(client, fixed, strokes=strokes)
    (middle,), _ = camera.project(np.array([[0.2, 0, 0.8]]))
    x, y = (int(v) for v in middle)
    assert near(other.lines, one.lines) > 0.95
    assert not one.lines[y - 20 : y + 20, x - 8 : x + 8].any()


@pytest.mark.parametrize("strokes", ["line_art", "freestyle"])
def test_what_is_behind_the_camera_makes_no_lines(client, strokes):
    one = figure(sphere())
    camera = replace(framed(one.vertices, View(size=(64, 64))), position=np.array([0.0, 50, 5]))
    frame = engine.draw([one], camera, PLAIN, client=client, strokes=strokes)
    assert frame.strokes == () and not frame.lines.any()


@pytest.mark.parametrize("number", range(3))
def test_line_art_and_the_native_engine_draw_the_same(client, number):
    made = job.scene(job.Config(size=(384, 384)), number)
    one = native.draw(made.figures, made.camera, made.settings)
    other = engine.draw(made.figures, made.camera, made.settings, client=client)
    for silhouettes, frame in ((one, other), (other, one)):  # what is one's crease may be the other's silhouette
        assert near(outline(silhouettes, made.camera.size), frame.lines) > 0.97
    for name in ("depth", "parts", "figures", "components"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert all(np.array_equal(x, y) for x, y in zip(one.keypoints, other.keypoints, strict=True))


def test_freestyle_draws_contours_alone(client):
    made = job.scene(job.Config(size=(256, 256)), 1)
    frame = engine.draw(made.figures, made.camera, made.settings, client=client, strokes="freestyle")
    one = native.draw(made.figures, made.camera, made.settings)
    assert {stroke.kind for stroke in frame.strokes} <= {"silhouette", "border"}
    for silhouettes, other in ((one, frame), (frame, one)):
        assert near(outline(silhouettes, made.camera.size), other.lines) > 0.9


def test_the_same_bytes_whatever_was_drawn_before(client, blender):
    numbers = [4, 0, 7]
    scenes = {n: job.scene(replace(SMALL, figures=2), n) for n in numbers}

    def lines(one, n):
        return engine.draw(scenes[n].figures, scenes[n].camera, scenes[n].settings, client=one).lines.tobytes()

    first = {n: lines(client, n) for n in numbers}
    os.kill(client._process._process.pid, signal.SIGKILL)
    again = {n: lines(client, n) for n in reversed(numbers)}
    assert first == again and len(set(first.values())) == len(numbers)


@pytest.mark.usefixtures("blender")
def test_a_set_by_several_processes_is_the_same(tmp_path):
    config = replace(SMALL, engine="blender", outputs=("lines", "svg", "parts"))
    from sfumato.render import render

    for processes, name in ((0, "one"), (2, "two")):
        assert render(config, 4, tmp_path / name, processes=processes) == 4
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert len(files) >= 14
    for file in files:
        if file.name != "manifest.jsonl":
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
