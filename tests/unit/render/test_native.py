"""The native engine: outlines where the mask ends, hidden lines hidden, labels where they belong."""

from dataclasses import replace
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from solids import box, character, cylinder, figure, sphere

from sfumato.data.keypoints import KEYPOINTS
from sfumato.errors import DataError, OptionError
from sfumato.render import ink
from sfumato.render.camera import View, framed
from sfumato.render.character import Skeleton, Weights
from sfumato.render.frame import Figure, Settings, Stroke
from sfumato.render.native import draw
from sfumato.render.svg import svg

PLAIN = Settings(contact=False, suggestive=False)
FRONT = View(size=(128, 128))


def everything(figures):
    return np.concatenate([one.vertices for one in figures])


def from_lines(frame, points, kinds=("silhouette", "border")):
    """How far each point (N, 2) is from the nearest stroke of these kinds, in pixels."""
    ends = [(s.points[:-1], s.points[1:]) for s in frame.strokes if s.kind in kinds]
    a, b = np.concatenate([a for a, _ in ends]), np.concatenate([b for _, b in ends])
    way = b - a
    along = np.einsum("nsa,sa->ns", points[:, None] - a, way) / np.maximum((way**2).sum(1), 1e-12)
    return np.linalg.norm(points[:, None] - a - np.clip(along, 0, 1)[..., None] * way, axis=2).min(1)


def outline_points(mask):
    """Where the mask (H, W) ends: the middles of the sides that a pixel inside shares with one outside."""
    padded = np.pad(mask, 1)
    across = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])[:, ::-1] + (0, 0.5)
    down = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])[:, ::-1] + (0.5, 0)
    return np.concatenate((across, down)).astype(float)


BODIES = {
    "sphere": (sphere(),),
    "tube": (cylinder(),),
    "heap": (box((0, -0.6, 0), (1, 1, 0.6)), sphere((0, 0.4, 0), 0.45), box((0.7, 0, 0.2), (0.9, 0.2, 0.2))),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("azimuth_deg", [0, 35])
def test_the_outline_is_drawn_where_the_mask_ends(body, azimuth_deg):
    one = figure(*BODIES[body])
    view = View(azimuth_deg=azimuth_deg, elevation_deg=12, size=(256, 256))
    frame = draw([one], framed(one.vertices, view), PLAIN)
    far = from_lines(frame, outline_points(frame.mask))
    assert np.percentile(far, 99) < 1.5
    assert far.mean() < 0.7


def test_a_spheres_outline_is_one_ring_on_a_circle():
    one = figure(sphere(around=96, down=48))
    camera = framed(one.vertices, View(size=(256, 256), elevation_deg=5))
    (stroke,) = draw([one], camera).strokes
    assert stroke.kind == "silhouette" and (stroke.points[0] == stroke.points[-1]).all()
    distance = np.linalg.norm(camera.position)
    radius = camera.focal_px / np.sqrt(distance**2 - 1)
    assert np.abs(np.linalg.norm(stroke.points - 128, axis=1) - radius).max() < 1.5


def test_a_box_seen_from_a_corner_has_nine_edges():
    one = figure(box())
    camera = framed(one.vertices, View(size=(256, 256), azimuth_deg=40, elevation_deg=30))
    frame = draw([one], camera, Settings(smooth=0))
    places, depths = camera.project(one.vertices)
    hidden = depths.argmax()
    edges = [(a, b) for a in range(8) for b in range(a) if bin(a ^ b).count("1") == 1 and hidden not in (a, b)]
    middles = np.array([(places[a] + places[b]) / 2 for a, b in edges])
    assert len(edges) == 9
    assert from_lines(frame, middles, ("silhouette", "crease")).max() < 0.2
    length = sum(np.linalg.norm(np.diff(s.points, axis=0), axis=1).sum() for s in frame.strokes)
    assert length == pytest.approx(sum(np.linalg.norm(places[a] - places[b]) for a, b in edges), rel=0.02)


def test_what_lies_behind_makes_no_line():
    front, back = figure(box((0, 0, 1), (2, 2, 0.2))), figure(sphere((0, 0, -1), 0.7))
    frame = draw([front, back], framed(front.vertices, FRONT))
    assert {stroke.figure for stroke in frame.strokes} == {0}
    assert not (frame.figures == 2).any()


def test_lines_end_where_something_nearer_begins():
    front, back = figure(box((0, 0, 1), (1, 1, 0.2))), figure(box((0, 0, -1), (3, 0.5, 0.2)))
    camera = framed(everything([front, back]), View(size=(256, 256)))
    frame = draw([front, back], camera, PLAIN)
    (left, right), _ = camera.project(np.array([[-0.5, 0, 1.1], [0.5, 0, 1.1]]))
    strokes = [stroke.points for stroke in frame.strokes if stroke.figure == 1]
    assert len(strokes) == 2
    for points in strokes:
        inside = (points[:, 0] > left[0] + 2) & (points[:, 0] < right[0] - 2)
        assert not inside.any()
        gap = np.minimum(np.abs(points[[0, -1], 0] - left[0]), np.abs(points[[0, -1], 0] - right[0]))
        assert gap.max() < 3


def test_clothes_hide_the_body_a_millimetre_below_them():
    torn = character(cylinder(0.5, 1.0), cylinder(0.501, 2.0))  # the body ends under its clothes
    one = Figure(vertices=torn.mesh.vertices, character=torn, keypoints=np.zeros((17, 3)))
    camera = framed(one.vertices, View(size=(256, 256), elevation_deg=0))
    frame = draw([one], camera, PLAIN)
    assert frame.lines.any() and not frame.lines[40:216, 110:146].any()


def test_of_loose_sheets_the_outline_is_drawn_alone():
    sheets = [box((0.03 * k, 0, 0.01 * k), (0.035, 1, 0.002)) for k in range(-5, 6)]
    points = np.concatenate([p for p, _ in sheets])
    quads = [[v + 8 * k for v in quad] for k, (_, faces) in enumerate(sheets) for quad in faces]
    bare, loose = (figure((points, quads), cards=cards) for cards in ((), (0,)))
    camera = framed(points, View(size=(128, 128), field_deg=20))
    many, few = draw([bare], camera, PLAIN), draw([loose], camera, PLAIN)
    assert few.lines.astype(int).sum() < 0.5 * many.lines.astype(int).sum()
    assert np.percentile(from_lines(few, outline_points(few.mask)), 80) < 2


def test_things_that_pass_through_each_other_have_a_line_between_them():
    one = figure(sphere((0, 0, 0), 0.6), box((0, 0, 0), (2, 0.2, 0.2)))
    camera = framed(one.vertices, View(size=(256, 256), azimuth_deg=30))
    with_line, without = draw([one], camera, Settings(suggestive=False)), draw([one], camera, PLAIN)
    assert {"contact"} == {s.kind for s in with_line.strokes} - {s.kind for s in without.strokes}


def test_a_fold_is_drawn_within_the_form():
    y, x = np.mgrid[-1:1:60j, -1:1:60j]
    z = 0.125 * np.tanh(16 * x) + 0.1 * x  # a step that nearly turns away, seen from a side
    points = np.stack((x, -y, z), -1).reshape(-1, 3)
    cells = [[60 * r + c, 60 * r + c + 60, 60 * r + c + 61, 60 * r + c + 1] for r in range(59) for c in range(59)]
    one = figure((points, cells))
    camera = framed(points, View(size=(200, 200), azimuth_deg=20))
    kinds = [stroke.kind for stroke in draw([one], camera).strokes]
    assert "suggestive" in kinds
    assert "suggestive" not in [stroke.kind for stroke in draw([figure(sphere())], camera).strokes]


def test_maps_agree_with_each_other():
    figures = [figure(box((-1, 0, 0), (1, 1, 1)), sphere((-1, 0.8, 0), 0.4)), figure(box((1, 0, 0), (1, 2, 1)))]
    camera = framed(everything(figures), View(size=(120, 80), azimuth_deg=10))
    frame = draw(figures, camera, Settings(colors=True))
    covered = frame.mask
    assert (np.isfinite(frame.depth) == covered).all()
    assert ((frame.components >= 0) == covered).all() and ((frame.parts > 0) == covered).all()
    assert np.linalg.norm(frame.normals, axis=2) == pytest.approx(covered.astype(float), abs=1e-5)
    assert set(np.unique(frame.figures)) == {0, 1, 2}
    assert (frame.components[frame.figures == 2] == 0).all() and (frame.parts[frame.figures == 2] == 4).all()
    assert (frame.parts[frame.components == 1] == 5).all()
    for picture in (frame.shaded, frame.flat):
        assert picture.shape == (80, 120, 4)
        assert ((picture[..., 3] >= 128) == covered).mean() > 0.999
    assert len(np.unique(frame.flat[covered & (frame.flat[..., 3] == 255)][:, 0])) <= 12
    assert frame.lines.shape == (80, 120)


def test_the_same_picture_twice():
    one = figure(*BODIES["heap"])
    camera = framed(one.vertices, View(size=(160, 160), azimuth_deg=25))
    first, second = draw([one], camera, Settings(colors=True)), draw([one], camera, Settings(colors=True))
    for name in ("lines", "depth", "normals", "parts", "shaded", "flat"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert svg(first.strokes, (160, 160)) == svg(second.strokes, (160, 160))


def arm(other=()):
    """An upper arm and a forearm along x with the elbow inside, at the origin, and other boxes of another bone."""
    made = character(box((0.25, 0, 0), (0.5, 0.2, 0.2)), box((-0.25, 0, 0), (0.5, 0.2, 0.2)), *other)
    bones = np.zeros((len(made.mesh.vertices), 1), np.int32)
    bones[8:16], bones[16:] = 1, 2
    skeleton = Skeleton(
        names=("a", "b", "c"),
        parents=np.array([-1, 0, -1], np.int32),
        heads=np.zeros((3, 3)),
        tails=np.zeros((3, 3)),
    )
    weights = Weights(bones=bones, values=np.ones((len(bones), 1), np.float32))
    limbs = {"left_upper_arm": 0, "left_forearm": 1, "right_forearm": 2}
    made = replace(made, skeleton=skeleton, weights=weights, limbs=limbs)
    return Figure(vertices=made.mesh.vertices, character=made, keypoints=np.zeros((17, 3)))


ELBOW, NOSE = KEYPOINTS.index("left_elbow"), KEYPOINTS.index("nose")


def test_a_joint_within_its_limb_is_seen():
    one = arm()
    frame = draw([one], framed(one.vertices, FRONT))
    x, y, v = frame.keypoints[0][ELBOW]
    assert (x, y) == pytest.approx((64, 64)) and v == 2
    assert frame.keypoints[0][NOSE][2] == 1  # 10 cm below the surface


def test_a_joint_behind_another_limb_or_another_figure_is_hidden():
    hidden = arm([box((0, 0, 0.8), (0.4, 0.4, 0.1))])
    assert draw([hidden], framed(hidden.vertices, FRONT)).keypoints[0][ELBOW][2] == 1
    one, before = arm(), figure(box((0, 0, 0.8), (0.4, 0.4, 0.1)))
    frame = draw([before, one], framed(everything([before, one]), FRONT))
    assert frame.keypoints[1][ELBOW][2] == 1
    beside = arm([box((0, 0.6, 0.8), (0.4, 0.4, 0.1))])
    assert draw([beside], framed(beside.vertices, FRONT)).keypoints[0][ELBOW][2] == 2


def test_a_point_of_the_surface_is_seen_from_its_side_only():
    points = np.zeros((17, 3))
    points[NOSE] = 0, 0, 1
    one = figure(sphere(), keypoints=points)
    for azimuth_deg, v in ((0, 2), (60, 2), (120, 1), (180, 1)):
        frame = draw([one], framed(one.vertices, View(size=(256, 256), azimuth_deg=azimuth_deg)))
        assert frame.keypoints[0][NOSE][2] == v, azimuth_deg


def test_a_figure_without_extent_hides_behind_another():
    before, point = figure(box((0, 0, 0.8), (0.4, 0.4, 0.1))), figure(box((0, 0, 0), (0, 0, 0)))
    frame = draw([before, point], framed(everything([before, point]), FRONT))
    assert (frame.keypoints[1][:, 2] == 1).all()


def test_what_is_outside_the_picture_is_not_labelled():
    one = arm()
    camera = framed(one.vertices, FRONT)
    moved = replace(one, keypoints=np.tile([[0.0, 5, 0]], (17, 1)))
    assert not draw([moved], camera).keypoints[0].any()
    behind = replace(one, keypoints=np.tile(camera.position + (0, 0, 1), (17, 1)))
    assert not draw([behind], camera).keypoints[0].any()


def test_a_picture_of_nothing_is_empty():
    one = figure(sphere())
    camera = replace(framed(one.vertices, FRONT), position=np.array([0.0, 50, 5]))
    frame = draw([one], camera, Settings(colors=True))
    assert not frame.mask.any() and not frame.lines.any() and frame.strokes == ()
    assert not frame.shaded.any() and not frame.flat.any() and np.isinf(frame.depth).all()


def test_a_figure_behind_the_camera_is_not_drawn():
    one, other = figure(sphere()), figure(sphere((0, 0, 40)))
    camera = framed(one.vertices, FRONT)
    alone, both = draw([one], camera), draw([one, other], camera)
    assert alone.lines.tobytes() == both.lines.tobytes()
    within = draw([figure(sphere(camera.position, 0.5))], camera)
    assert within.lines.shape == (128, 128)  # the camera in the middle of a sphere


def test_figures_that_cannot_be_drawn_are_told():
    one = figure(sphere())
    camera = framed(one.vertices, FRONT)
    with pytest.raises(DataError, match="0 figures"):
        draw([], camera)
    with pytest.raises(DataError, match="not finite"):
        draw([replace(one, vertices=one.vertices * np.nan)], camera)
    with pytest.raises(DataError, match="own mesh"):
        draw([replace(one, vertices=one.vertices[:-1])], camera)
    for wrong in (
        {"line_width": 0},
        {"taper": 2},
        {"suggestive_strength": 0},
        {"shortest_px": -1},
        {"crease_deg": 200},
    ):
        with pytest.raises(OptionError):
            Settings(**wrong)


def stroke(*points):
    return Stroke(points=np.array(points, float), kind="silhouette", figure=0)


@pytest.mark.parametrize("width", [0.5, 1, 1.5, 4])
def test_ink_is_as_wide_as_it_says(width):
    settings = Settings(line_width=width)
    for y in (20.0, 20.3, 20.5):
        paper = ink.drawn([stroke((5, y), (55, y))], (60, 40), settings).astype(float) / 255
        assert paper[:, 30].sum() == pytest.approx(width, abs=0.02)
        assert (paper[:, 30] * (np.arange(40) + 0.5)).sum() / paper[:, 30].sum() == pytest.approx(y, abs=0.3)


def test_tapered_lines_are_thin_at_their_ends():
    line = stroke(*[(x, 20) for x in range(5, 96, 2)])
    paper = ink.drawn([line], (100, 40), Settings(line_width=4, taper=1)).sum(0) / 255
    assert paper[50] == pytest.approx(4, abs=0.1)
    assert paper[6] < 2 and paper[93] < 2
    ring = stroke((5, 5), (25, 5), (25, 25), (5, 25), (5, 5))
    whole, tapered = (ink.drawn([ring], (30, 30), Settings(taper=taper)) for taper in (0, 1))
    assert (whole == tapered).all()


@pytest.mark.parametrize("taper", [0.0, 0.7])
def test_ink_over_ink_is_as_all_at_once(taper):
    rng, settings = np.random.default_rng(1), Settings(line_width=2.3, taper=taper)
    strokes = [stroke(*rng.uniform(-4, 44, (5, 2))) for _ in range(6)]
    first = ink.drawn(strokes[:3], (40, 40), settings)
    kept = first.copy()
    both = ink.drawn(strokes[3:], (40, 40), settings, over=first)
    assert np.array_equal(both, ink.drawn(strokes, (40, 40), settings)) and (both != first).any()
    assert np.array_equal(first, kept)


def test_svg_holds_the_same_strokes():
    strokes = [stroke((1, 2), (3, 4.25)), stroke((5, 5), (9, 5), (9, 9), (5, 5))]
    root = ElementTree.fromstring(svg(strokes, (20, 10), Settings(line_width=2), color="#123"))
    space = "{http://www.w3.org/2000/svg}"
    (group,) = root.findall(f"{space}g")
    assert root.get("viewBox") == "0 0 20 10"
    assert (group.get("stroke"), group.get("stroke-width")) == ("#123", "2")
    assert [path.get("d") for path in group] == ["M1 2 3 4.25", "M5 5 9 5 9 9 5 5Z"]
    tapered = ElementTree.fromstring(svg(strokes, (20, 10), Settings(taper=0.5)))
    assert all(path.get("d").endswith("Z") for path in tapered.iter(f"{space}path"))


def test_lines_far_from_the_picture_cost_nothing():
    paper = ink.drawn([stroke((-1e6, 4), (1e6, 4))], (8, 8), Settings())
    assert (paper[3:5] > 0).all() and not paper[:2].any()
    assert cv2.countNonZero(ink.drawn([], (8, 8), Settings())) == 0
