"""The mask editor in a real browser: every pixel that it paints, and what fingers, pens and keys do."""

import base64
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import cv2
import matplotlib.path
import numpy as np
import pytest

pytestmark = pytest.mark.timeout(600)

WIDTH, HEIGHT = 160, 120


class Editor:
    """The editor of a page, with a mask of 160 x 120 pixels at four CSS pixels each, less a margin."""

    def __init__(self, seen: browsers.Visit) -> None:
        self.page, self.context = seen.page, seen.context

    def load(self, labels: np.ndarray, chosen: list[int]) -> None:
        text = base64.b64encode(labels.astype(np.uint8).tobytes()).decode()
        self.page.evaluate("([a, w, h, c]) => load(a, w, h, c)", [text, labels.shape[1], labels.shape[0], chosen])

    @property
    def bits(self) -> np.ndarray:
        width, height = self.page.evaluate("() => [editor.mask.width, editor.mask.height]")
        flat = np.frombuffer(base64.b64decode(self.page.evaluate("() => bits()")), np.uint8)
        return flat.reshape(height, width).astype(bool)

    @property
    def view(self) -> dict[str, float]:
        return self.page.evaluate("() => editor.view")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the mask is on the page."""
        view = self.view
        return x * view["scale"] + view["x"], y * view["scale"] + view["y"]

    def stroke(self, *points: tuple[float, float], button: str = "left") -> None:
        places = [self.at(*point) for point in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down(button=button)
        for place in places[1:]:
            self.page.mouse.move(*place, steps=3)
        self.page.mouse.up(button=button)

    def do(self, script: str) -> Any:
        return self.page.evaluate(f"() => {{ {script} }}")


@pytest.fixture(scope="module")
def page_of_editor(browser: Any) -> Iterator[Editor]:
    """The editor on a page of its own, for all tests here."""
    with (
        browsers.static_files(Path(__file__).parent.parent / "page") as address,
        browsers.visit(browser, f"{address}/editor.html", has_touch=True) as seen,
    ):
        seen.page.wait_for_function("() => window.bits")
        yield Editor(seen)


@pytest.fixture
def editor(page_of_editor: Editor) -> Editor:
    """The editor as at first, with an empty mask; fingers paint, though a pen may have been seen."""
    page_of_editor.page.mouse.move(1200, 700)
    page_of_editor.do("document.activeElement.blur(); editor.pick('brush', false); editor.resize(48)")
    page_of_editor.do("editor.pointers.penned = false")
    page_of_editor.load(np.zeros((HEIGHT, WIDTH)), [1])
    return page_of_editor


def discs(points: list[tuple[float, float]], radius: float) -> np.ndarray:
    """Pixels whose centre is within a radius of the line through points."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = np.zeros((HEIGHT, WIDTH), bool)
    for (ax, ay), (bx, by) in zip(points, points[1:] or points, strict=False):
        dx, dy = bx - ax, by - ay
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
        inside |= np.hypot(x - ax - along * dx, y - ay - along * dy) <= radius
    return inside


def near(painted: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether two masks differ at most where rounding decides: next to the border of what was wanted."""
    kernel = np.ones((3, 3))
    border = cv2.dilate(wanted.astype(np.uint8), kernel) - cv2.erode(wanted.astype(np.uint8), kernel)
    off = painted ^ wanted
    return bool(wanted.any() and not off[border == 0].any() and off.sum() <= 0.02 * wanted.sum())


def test_a_stroke_is_all_pixels_within_its_radius(editor):
    editor.do("editor.resize(60)")
    radius = 30 / editor.view["scale"]
    points = [(40, 40), (100, 60), (80, 95)]
    editor.stroke(*points)
    wanted = discs(points, radius)
    assert near(editor.bits, wanted)
    editor.do("editor.mask.start(); editor.mask.stroke([3.25, 4.5], [3.25, 4.5], 2.6, 1); editor.mask.finish()")
    assert np.array_equal(editor.bits[:9, :8], discs([(3.25, 4.5)], 2.6)[:9, :8])


def test_labels_and_hand_work_stay_apart(editor):
    labels = np.zeros((HEIGHT, WIDTH))
    labels[20:60, 20:80] = 1
    labels[60:90, 20:80] = 2
    editor.load(labels, [1])
    assert np.array_equal(editor.bits, labels == 1)
    editor.do("editor.resize(40)")
    editor.stroke((120, 30))
    painted = editor.bits & (labels == 0)
    editor.stroke((50, 40), button="right")
    erased = (labels == 1) & ~editor.bits
    assert painted.any()
    assert erased.any()
    editor.do("editor.mask.choose([2]); editor.changed()")
    assert np.array_equal(editor.bits, (labels == 2) | painted)
    editor.do("editor.mask.choose([1, 2]); editor.changed()")
    assert np.array_equal(editor.bits, ((labels > 0) | painted) & ~erased)
    editor.do("editor.mask.invert()")
    assert np.array_equal(editor.bits, ~(((labels > 0) | painted) & ~erased))
    editor.do("editor.mask.choose([0, 1]); editor.changed()")
    assert np.array_equal(editor.bits, ((labels < 2) | erased) & ~painted)


def test_undo_and_redo_are_exact_over_a_hundred_steps(editor):
    rng = np.random.default_rng(4)
    editor.load(rng.integers(0, 4, (HEIGHT, WIDTH)), [1, 2])
    seen = [editor.bits]
    for step in range(100):
        x, y, x2, y2, r = (float(v) for v in rng.uniform(-5, 130, 5))
        line = f"[{x}, {y}], [{x2}, {y2}], {abs(r) / 8}, {rng.choice([-1, 1])}"
        corners = f"[[{x}, {y}], [{x2}, {y2}], [{y}, {r}], [{r}, {x}]]"
        act = [
            f"editor.mask.start(); editor.mask.stroke({line}); editor.mask.finish()",
            f"editor.mask.start(); editor.mask.polygon({corners}, 1); editor.mask.finish()",
            "editor.mask.invert()",
            f"editor.mask.choose([{', '.join(map(str, rng.permutation(4)[: step % 4]))}])",
            "editor.mask.grow(2)",
            "editor.mask.grow(-2)",
            "editor.mask.fill()",
            "editor.mask.reset()",
        ][int(rng.choice(8, p=[0.5, 0.2, 0.07, 0.07, 0.05, 0.05, 0.03, 0.03]))]
        before = editor.do("return editor.mask.past.length")
        editor.do(act)
        if editor.do("return editor.mask.past.length") > before or before == 100:
            seen.append(editor.bits)
    steps = editor.do("return editor.mask.past.length")
    assert steps == len(seen) - 1
    assert steps > 80
    for wanted in seen[-2::-1]:
        editor.do("editor.undo()")
        assert np.array_equal(editor.bits, wanted)
    assert editor.do("return editor.mask.undo()") is False
    for wanted in seen[1:]:
        editor.do("editor.redo()")
        assert np.array_equal(editor.bits, wanted)
    assert editor.do("return editor.mask.area") == seen[-1].sum()
    assert editor.do("return editor.mask.area === editor.mask.bits.reduce((a, b) => a + b, 0)")


def test_only_the_last_hundred_steps_are_kept_and_they_are_small(editor):
    for x in range(130):
        editor.do(f"editor.mask.start(); editor.mask.stroke([{x}, 20], [{x}, 90], 4, 1); editor.mask.finish()")
    assert editor.do("return editor.mask.past.length") == 100
    assert editor.do("return Math.max(...editor.mask.past.map((step) => step.patch.runs.length))") < 400


def test_runs_keep_any_values(editor):
    rng = np.random.default_rng(1)
    for lengths in ([1] * 50, [1, 32, 33, 5000, 4096, 31], list(rng.integers(1, 300, 200))):
        values = [int(v) for length in lengths for v in [rng.integers(-1, 2)] * int(length)]
        same = editor.page.evaluate(
            "(v) => unpacked(packed(Int8Array.from(v)), v.length).every((x, i) => x === v[i])", values
        )
        assert same
    assert editor.page.evaluate("() => packed(new Int8Array(2_000_000)).length") < 6


def test_grow_shrink_and_fill_against_plain_formulations(editor):
    labels = np.zeros((HEIGHT, WIDTH))
    cv2.ellipse(labels, (80, 60), (40, 30), 20, 0, 360, 1, -1)
    cv2.circle(labels, (80, 60), 12, 0, -1)
    labels[100:, :30] = 1
    editor.load(labels, [1])
    inside = labels == 1
    to_inside = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    to_outside = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    editor.do("editor.mask.grow(6)")
    assert not (editor.bits & (to_inside > 6 * 1.06)).any()
    assert editor.bits[to_inside < 6 / 1.06].all()
    editor.do("editor.undo(); editor.mask.grow(-6)")
    assert not (editor.bits & (to_outside <= 6 / 1.06)).any()
    assert editor.bits[to_outside > 6 * 1.06].all()
    assert editor.bits[119, 0]
    editor.do("editor.undo(); editor.mask.fill()")
    filled, _, _, _ = cv2.floodFill(np.pad(inside, 1).astype(np.uint8), None, (0, 0), 2)
    assert filled
    outside = np.pad(inside, 1).astype(np.uint8)
    cv2.floodFill(outside, None, (0, 0), 2)
    assert np.array_equal(editor.bits, outside[1:-1, 1:-1] != 2)


def test_a_lasso_fills_what_it_encloses(editor):
    editor.page.keyboard.press("l")
    corners = [(30, 20), (120, 30), (110, 100), (70, 60), (40, 95)]
    editor.stroke(*corners)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = matplotlib.path.Path(corners).contains_points(np.stack([x.ravel(), y.ravel()], 1))
    assert near(editor.bits, inside.reshape(HEIGHT, WIDTH))
    editor.page.keyboard.press("e")
    editor.stroke((0, 0), (159, 0), (159, 119), (0, 119))
    assert not editor.bits.any()


def test_shift_and_click_draws_a_straight_line_from_the_last_point(editor):
    editor.do("editor.resize(24)")
    editor.stroke((20, 30))
    editor.page.keyboard.down("Shift")
    editor.stroke((130, 80))
    editor.page.keyboard.up("Shift")
    wanted = discs([(20, 30), (130, 80)], 12 / editor.view["scale"])
    assert near(editor.bits, wanted)


def test_the_brush_is_measured_on_the_screen(editor):
    editor.do("editor.resize(40)")
    editor.page.keyboard.press("]")
    assert editor.do("return editor.size") == 46
    for _ in range(2):
        editor.page.keyboard.press("[")
    assert editor.do("return editor.size") == 35
    editor.do("editor.resize(160)")
    editor.stroke((80, 60))
    wide = editor.bits.sum()
    editor.do("editor.undo(); editor.zoom(editor.view.scale * 3)")
    editor.stroke((80, 60))
    assert wide / editor.bits.sum() == pytest.approx(9, rel=0.15)


def test_the_wheel_zooms_where_the_pointer_is_and_space_moves(editor):
    place = editor.at(40, 30)
    editor.page.mouse.move(*place)
    editor.page.mouse.wheel(0, -600)
    editor.page.wait_for_function("() => editor.view.scale > 4.5")
    assert editor.at(40, 30) == pytest.approx(place, abs=0.5)
    editor.page.keyboard.down(" ")
    editor.page.mouse.down()
    editor.page.mouse.move(place[0] + 50, place[1] + 20, steps=4)
    editor.page.mouse.up()
    editor.page.keyboard.up(" ")
    assert editor.at(40, 30) == pytest.approx((place[0] + 50, place[1] + 20), abs=0.5)
    assert not editor.bits.any()
    editor.page.keyboard.press("0")
    assert editor.at(80, 60) == pytest.approx((320, 240), abs=0.5)


def test_two_fingers_zoom_and_never_paint(editor):
    editor.do("editor.resize(40)")
    touch = editor.context.new_cdp_session(editor.page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    before = editor.view["scale"]
    send("touchStart", (300, 240))
    send("touchMove", (296, 240))
    send("touchStart", (296, 240), (340, 240))
    for k in range(1, 9):
        send("touchMove", (296 - 15 * k, 240), (340 + 15 * k, 240 + k))
    send("touchEnd", (176, 240))
    for k in range(4):
        send("touchMove", (176 + 20 * k, 200))
    send("touchEnd")
    assert editor.view["scale"] > 3 * before
    assert not editor.bits.any()
    assert editor.do("return editor.mask.past.length") == 0
    send("touchStart", (300, 240))
    send("touchMove", (330, 240))
    send("touchEnd")
    assert editor.bits.any()


def test_a_pen_paints_finer_when_it_presses_less_and_its_eraser_erases(editor):
    editor.do("editor.resize(240)")
    pen = """([x, y, pressure, buttons]) => { const at = (type, b) => editor.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, pointerType: "pen", clientX: x, clientY: y, pressure, button: b === 32 ? 5 : 0, buttons: b,
        bubbles: true }));
        editor.setPointerCapture = () => {}; at("pointerdown", buttons); at("pointerup", 0);
        delete editor.setPointerCapture; }"""
    areas = []
    for pressure in (1.0, 0.5, 0.1):
        editor.page.evaluate(pen, [*editor.at(80, 60), pressure, 1])
        areas.append(editor.bits.sum())
        editor.do("editor.undo()")
    radius = [math.sqrt(area / math.pi) / (120 / editor.view["scale"]) for area in areas]
    assert radius == pytest.approx([1, 0.6, 0.28], abs=0.02)
    editor.page.evaluate(pen, [*editor.at(80, 60), 1.0, 1])
    editor.page.evaluate(pen, [*editor.at(80, 60), 1.0, 32])
    assert not editor.bits.any()


def test_keys_alone_paint_undo_and_leave_the_editor(editor):
    editor.do("editor.focus()")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        editor.page.keyboard.press(key)
    once = editor.bits
    assert once.any()
    editor.page.keyboard.press("Control+z")
    assert not editor.bits.any()
    editor.page.keyboard.press("Control+Shift+z")
    assert np.array_equal(editor.bits, once)
    editor.page.keyboard.press("i")
    assert np.array_equal(editor.bits, ~once)
    editor.page.keyboard.press("Tab")
    assert editor.do("return document.activeElement !== editor")


def press(editor: Editor, *keys: str) -> None:
    for key in keys:
        editor.page.keyboard.press(key)


def cross(editor: Editor) -> tuple[float, float]:
    """Where the crosshair is seen, in CSS pixels from the editor's corner."""
    box = editor.page.locator("mask-editor .ring").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_crosshair_stays_in_sight(editor):
    width, height = editor.do("return [editor.clientWidth, editor.clientHeight]")
    editor.do("editor.focus(); editor.zoom(24)")
    press(editor, "ArrowRight")
    for way, steps in {"ArrowRight": 14, "ArrowDown": 10, "ArrowLeft": 28, "ArrowUp": 22}.items():
        for _ in range(steps):
            key = f"editor.key(new KeyboardEvent('keydown', {{ key: '{way}' }}))"
            editor.do(f"for (let i = 0; i < 5; i++) {key}")
            x, y = cross(editor)
            assert 0 < x < width
            assert 0 < y < height
            assert (x, y) == pytest.approx(editor.at(*editor.do("return editor.cross")), abs=2)
    assert editor.do("return editor.cross[1]") < 10, "it has come to the upper border"


def test_the_whole_picture_stays_where_it_is_under_the_crosshair(editor):
    editor.do("editor.focus()")
    before = editor.view
    press(editor, "ArrowLeft", *["ArrowLeft"] * 60, *["ArrowUp"] * 50)
    assert editor.do("return editor.cross") == [0, 0]
    assert editor.view == before


def test_keys_zoom_to_the_crosshair_and_move_the_picture(editor):
    editor.do("editor.focus()")
    press(editor, *["ArrowRight"] * 6, *["ArrowDown"] * 4)
    at = editor.do("return editor.cross")
    place = editor.at(*at)
    press(editor, "+", "+", "+", "-")
    assert editor.view["scale"] > 5
    assert editor.at(*at) == pytest.approx(place, abs=0.5)
    assert cross(editor) == pytest.approx(place, abs=2)
    press(editor, "0")
    assert cross(editor) == pytest.approx(editor.at(*at), abs=2)
    editor.do("editor.zoom(24)")
    before = editor.view
    press(editor, "Control+ArrowRight", "Control+ArrowUp")
    width, height = editor.do("return [editor.clientWidth, editor.clientHeight]")
    moved = {"scale": 24, "x": before["x"] - width / 5, "y": before["y"] + height / 5}
    assert editor.view == pytest.approx(moved)
    assert not editor.bits.any()
    press(editor, "Enter")
    assert all(0 < part < most for part, most in zip(cross(editor), (width, height), strict=True))


def test_a_lasso_is_drawn_by_keys(editor):
    editor.do("editor.focus(); editor.resize(64)")
    press(editor, "l", "ArrowRight")
    start = editor.do("return editor.cross")
    assert editor.page.locator("mask-editor .ring").is_visible(), "the crosshair is seen with the lasso, too"
    step = editor.do("return editor.radius()") / 2
    sides = ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp")
    for side in sides:
        press(editor, "Enter", *[side] * 6)
    assert not editor.bits.any()
    assert editor.do("return editor.corners.length") == 4
    press(editor, "Enter")
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = (abs(x - start[0] - 3 * step) < 3 * step) & (abs(y - start[1] - 3 * step) < 3 * step)
    assert near(editor.bits, inside)
    assert editor.do("return [editor.corners.length, editor.mask.past.length]") == [0, 1]
    press(editor, "e")
    for side in sides[:3]:
        press(editor, "Enter", *[side] * 6)
    press(editor, "Enter", "Enter")
    assert not editor.bits.any(), "twice in a place closes it, too"


def test_a_lasso_by_keys_can_be_taken_back(editor):
    editor.do("editor.focus()")
    press(editor, "l", "ArrowRight", "Enter", "ArrowRight", "Enter", "ArrowDown", "Enter", "Control+z")
    assert editor.do("return editor.corners.length") == 2
    press(editor, "Enter", "Escape", "Enter", "Enter")
    assert editor.do("return editor.corners.length") == 1
    assert editor.do("return editor.mask.past.length") == 0
    press(editor, "b")
    assert editor.do("return editor.corners.length") == 0
    assert not editor.bits.any()


def test_holding_tab_hides_the_veil_while_the_pointer_is_over_the_picture(editor):
    editor.page.mouse.move(*editor.at(80, 60))
    editor.do("editor.focus()")
    shown = "return getComputedStyle(editor.querySelector('.veil')).visibility"
    assert editor.do(shown) == "visible"
    editor.page.keyboard.down("Tab")
    assert editor.do(shown) == "hidden"
    assert editor.do("return document.activeElement === editor")
    editor.page.keyboard.up("Tab")
    assert editor.do(shown) == "visible"


def test_a_stroke_that_leaves_the_picture_is_kept_and_escape_takes_one_back(editor):
    editor.do("editor.resize(60)")
    editor.stroke((100, 60), (220, 60))
    first = editor.bits
    assert first[60, 159]
    place = editor.at(40, 30)
    editor.page.mouse.move(*place)
    editor.page.mouse.down()
    editor.page.mouse.move(place[0] + 60, place[1], steps=3)
    assert editor.bits.sum() > first.sum()
    editor.page.keyboard.press("Escape")
    editor.page.mouse.up()
    assert np.array_equal(editor.bits, first)
    assert editor.do("return editor.mask.past.length") == 1


def test_labels_that_come_late_leave_hand_work_and_inversion(editor):
    labels = np.zeros((HEIGHT, WIDTH))
    labels[30:90, 30:90] = 11
    editor.do("editor.resize(40)")
    editor.stroke((130, 100))
    painted = editor.bits
    text = base64.b64encode(labels.astype(np.uint8).tobytes()).decode()
    late = "(a) => editor.mask.relabel(Uint8Array.from(atob(a), (c) => c.charCodeAt(0)), [11])"
    editor.page.evaluate(late, text)
    assert np.array_equal(editor.bits, painted | (labels == 11))
    editor.do("editor.mask.invert()")
    editor.page.evaluate(late, text)
    assert np.array_equal(editor.bits, ~(painted | (labels == 11)))


def test_a_share_that_is_there_is_never_said_to_be_none(editor):
    said = editor.do(
        "return import('./text.js').then(({ percent }) => [0, 1e-5, 0.0005, 0.004, 0.125, 1].map(percent));"
    )
    assert said == ["0%", "< 0.1%", "0.1%", "0.4%", "13%", "100%"]
