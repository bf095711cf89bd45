"""The studio's page in a real browser, against a studio that really runs."""

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import numpy as np
import pytest
import studio_page as sp
from PIL import Image

pytestmark = pytest.mark.timeout(1800)


def walk(page: Any) -> Iterator[str]:
    """Goes through all screens; gives the name of each while it is shown."""
    yield from walk_through_collage(page)
    yield from walk_through_tabs(page)


def walk_through_collage(page: Any) -> Iterator[str]:
    page.locator(".photo .shelves .tile").first.wait_for()
    yield "photo"
    sp.zone_of_example(page)
    yield "zone"
    more = page.locator(".toolbar .phone")
    if more.is_visible():
        more.click()
        yield "zone-tools"
        page.locator(".fold-up").click()
    page.locator("#make").click()
    page.locator(".variants .job, .variant[data-id]").first.wait_for()
    yield "variants-working"
    sp.await_variants(page)
    yield "variants"
    sp.open_variant(page)
    yield "save"
    page.locator(".screen.save .saving > button").click()
    page.locator(".screen.batch .drop").wait_for()
    yield "batch"
    page.keyboard.press("?")
    page.locator("dialog.shortcuts").wait_for()
    yield "shortcuts"
    page.keyboard.press("Escape")


def walk_through_tabs(page: Any) -> Iterator[str]:
    page.locator(".tab").nth(1).click()
    page.locator(".stylize .drop .tile").first.wait_for()
    yield "stylize-empty"
    page.locator(".stylize .drop .tile").nth(0).click()
    page.locator(".stylize .shares + button").click()
    page.locator("dialog.picker .tile").first.wait_for()
    yield "styles"
    page.locator("dialog.picker .tile").nth(0).click()
    page.locator(".stylize .share").wait_for()
    sp.until(page, "() => document.querySelector('.stylize img.after').src.startsWith('blob:')")
    yield "stylize"
    page.locator(".tab").nth(2).click()
    page.locator(".texture .drop .tile").first.wait_for()
    yield "texture-empty"
    page.locator(".texture .drop .tile").first.click()
    page.locator(".texture .share").wait_for()
    yield "texture"
    page.locator(".tab").nth(3).click()
    page.locator(".train .curve").first.wait_for()
    yield "train"


@pytest.mark.parametrize("size", sp.SIZES)
def test_every_screen_is_sound_at_every_size(browser, address, size):
    found = {}
    with browsers.visit(browser, address, **sp.SIZES[size]) as seen:
        seen.page.set_default_timeout(sp.WAIT_MS)
        for name in walk(seen.page):
            if wrong := sp.errors(seen.page):
                found[name] = wrong
    assert found == {}


def test_no_text_stands_in_the_code(browser, address):
    """In a language of brackets every word of the page is in brackets."""
    source = (browsers.STATIC / "strings" / "ro.js").read_text(encoding="utf-8")
    marked = re.sub(r'": "((?:[^"\\]|\\.)+)"', r'": "⟦\1⟧"', source)
    bare = {}
    with browsers.visit(browser, f"{address}/icon.svg") as seen:
        seen.page.set_default_timeout(sp.WAIT_MS)
        answer = {"body": marked, "content_type": "text/javascript"}
        seen.page.route("**/strings/ro.js", lambda route: route.fulfill(**answer))
        seen.page.evaluate("() => localStorage.setItem('sfumato.language', 'ro')")
        seen.page.goto(address)
        for name in walk(seen.page):
            words = [text for text in seen.page.evaluate(sp.SPOKEN) if "⟦" not in text and re.search(r"[^\W\d_]", text)]
            if words:
                bare[name] = words
    assert bare == {}


def test_the_language_changes_at_once_and_stays(seen, address):
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    assert page.locator("h1").first.inner_text() == "Start with a photo"
    page.get_by_role("button", name="Română").click()
    assert page.locator("h1").first.inner_text() == "Începe cu o fotografie"
    assert page.evaluate("() => document.documentElement.lang") == "ro"
    page.reload()
    assert page.locator("h1").first.inner_text() == "Începe cu o fotografie"


def test_the_server_holds_the_zone_byte_for_byte(seen, address):
    page = seen.page
    sp.zone_of_example(page)
    sp.paint(page, size=37)
    page.keyboard.press("e")
    sp.paint(page, size=11)
    sp.saved(page)
    here = sp.bits(page)
    assert 0 < here.sum() < here.size
    assert np.array_equal(sp.held(seen, address), here * 255)
    page.keyboard.press("Control+z")
    sp.saved(page)
    assert not np.array_equal(sp.bits(page), here)
    assert np.array_equal(sp.held(seen, address), sp.bits(page) * 255)


def test_chips_and_hand_work_can_both_be_undone(seen):
    page = seen.page
    sp.zone_of_example(page)
    first = sp.bits(page)
    chip = page.locator('.parts .chip[data-label="0"]')
    before = chip.get_attribute("aria-pressed")
    chip.click()
    assert chip.get_attribute("aria-pressed") != before
    assert not np.array_equal(sp.bits(page), first)
    page.keyboard.press("Control+z")
    assert chip.get_attribute("aria-pressed") == before
    assert np.array_equal(sp.bits(page), first)
    page.keyboard.press("Control+Shift+z")
    assert not np.array_equal(sp.bits(page), first)


def test_each_chip_chooses_something_of_its_own(seen):
    page = seen.page
    sp.zone_of_example(page)
    chips = "(kind) => [...document.querySelectorAll(`.${kind} .chip`)].map((chip) => chip.dataset)"
    sets = [chip["labels"] for chip in page.evaluate(chips, "presets")]
    singles = [chip["label"] for chip in page.evaluate(chips, "parts")]
    assert sets
    assert len({*sets, *singles}) == len(sets) + len(singles)


def test_chips_are_the_parts_that_count_as_found(seen):
    """However small they are; the studio, not the page, says which do."""
    page = seen.page
    sp.zone_of_example(page)
    parts = [
        {"label": k, "name": n, "pixels": p, "color": "#808080"}
        for k, n, p in ((0, "background", 90000), (2, "hair", 9000), (3, "sunglasses", 40), (6, "pants", 0))
    ]
    page.evaluate("(parts) => import('./zone.js').then(({ zone }) => zone.learn({ ...zone.status, parts }))", parts)
    labels = "(kind) => [...document.querySelectorAll(`.${kind} .chip`)].map((chip) => chip.dataset.label)"
    assert (page.evaluate(labels, "parts"), page.evaluate(labels, "absent")) == (["2", "3", "0"], ["6"])


def test_what_is_said_over_the_photo_goes_when_painting_begins(seen):
    page = seen.page
    sp.open_example(page)
    nobody = "import('./zone.js').then(({ zone }) => zone.learn({ ...zone.status, state: 'no_person' }))"
    page.evaluate(f"() => {nobody}")
    page.get_by_text("Nobody was found on this photo.").wait_for()
    sp.paint(page)
    assert page.locator(".findings").is_hidden()


def test_softness_is_chosen_with_the_zone_and_goes_with_it(seen, address):
    page = seen.page
    sp.zone_of_example(page)
    veil = "() => document.querySelector('mask-editor .veil').style.filter"
    page.locator(".mask-tools").get_by_label("Softness").fill("0.9")
    assert page.evaluate(veil).startswith("blur(")
    here = sp.bits(page)
    sp.until(page, f"() => ({veil})() === ''")
    assert np.array_equal(sp.bits(page), here)
    sp.draw(page)
    photo = seen.context.request.get(f"{address}/api/photos/{sp.photo_id(page)}").json()
    assert {variant["options"]["softness"] for variant in photo["variants"]} == {0.9}
    sp.open_variant(page)
    assert page.locator(".screen.save").get_by_label("Softness").input_value() == "0.9"


def test_a_mask_goes_out_and_comes_in_as_a_picture(seen, tmp_path):
    page = seen.page
    sp.zone_of_example(page)
    here = sp.bits(page)
    with page.expect_download() as download:
        page.locator(".mask-tools .grid").last.locator("button").last.click()
    download.value.save_as(tmp_path / "mask.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "mask.png")), here * 255)
    other = np.zeros_like(here)
    other[10:50, 20:90] = True
    Image.fromarray(other).convert("RGB").save(tmp_path / "other.png")
    with page.expect_file_chooser() as chooser:
        page.locator(".mask-tools .grid").last.locator("button").first.click()
    chooser.value.set_files(tmp_path / "other.png")
    sp.until(page, f"() => document.querySelector('mask-editor').mask.area === {other.sum()}")
    assert np.array_equal(sp.bits(page), other)


def test_a_reload_keeps_photo_zone_variants_and_stars(seen, address):
    page = seen.page
    sp.zone_of_example(page)
    sp.paint(page, size=50)
    here, pressed = sp.bits(page), page.locator('.chip[aria-pressed="true"]').count()
    sp.saved(page)
    page.reload()
    sp.await_parts(page)
    assert np.array_equal(sp.bits(page), here)
    assert page.locator('.chip[aria-pressed="true"]').count() == pressed
    sp.draw(page)
    page.locator(".variant[data-id]").first.get_by_role("button", name="Star").click()
    count = page.locator(".variant[data-id]").count()
    page.reload()
    page.locator(".variant[data-id]").first.wait_for()
    assert page.locator(".variant[data-id]").count() == count
    assert page.locator(".variant.starred").count() == 1
    sp.open_variant(page)
    page.reload()
    page.locator('.strip .tile[aria-pressed="true"]').wait_for()
    page.go_back()
    page.locator(".variant.chosen").wait_for()
    looks = "(nodes) => nodes.map((node) => getComputedStyle(node).display)"
    assert len(set(page.locator(".variant[data-id]").evaluate_all(looks))) == 1, "the chosen one is laid out as all are"


@pytest.mark.parametrize("late_s", [0, 2])
def test_what_was_drawn_before_the_zone_changed_is_marked(seen, late_s):
    """Whether what the studio tells of the photo comes before its answer to the zone, or after it."""
    page = seen.page
    sp.zone_of_example(page)
    page.route("**/api/photos/*", lambda route: (time.sleep(late_s), route.continue_()))
    sp.draw(page)
    page.unroute_all(behavior="wait")
    assert page.locator(".variant.stale").count() == 0
    page.locator(".step").nth(1).click()
    before = sp.bits(page)
    sp.paint(page, size=60)
    page.keyboard.press("e")
    sp.paint(page, size=30)
    assert not np.array_equal(sp.bits(page), before), "wherever the zone was, this is another"
    sp.saved(page)
    sp.until(page, "() => !document.querySelectorAll('.step')[2].querySelector('.stale').hidden")
    page.locator(".step").nth(2).click()
    page.locator(".variant.stale").first.wait_for()
    assert page.locator(".variants .banner").is_visible()
    page.locator("#draw").click()
    page.locator(".variant[data-id]:not(.stale)").first.wait_for()


def test_stars_hiding_and_two_beside_each_other(seen):
    page = seen.page
    sp.wish(page, ["faces2kaokore", "faces2toon"], ["none"])
    sp.zone_of_example(page)
    sp.draw(page)
    tiles = page.locator(".variant[data-id]")
    assert tiles.count() >= 2
    tiles.nth(0).locator(".open").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(
        "() => document.activeElement.closest('.variant') === document.querySelectorAll('.variant')[1]"
    )
    page.keyboard.press("h")
    assert tiles.count() == 1
    page.get_by_role("button", name="Show hidden ones").click()
    assert tiles.count() == 2
    page.keyboard.press("Escape")
    compare_both(page)
    page.keyboard.press("Escape")
    page.locator("dialog.versus").wait_for(state="detached")
    assert page.evaluate("() => document.activeElement.closest('.variant') !== null"), "the focus is lost"
    compare_both(page)
    page.get_by_role("button", name="Keep B").click()
    page.locator(".screen.save:not([hidden]) compare-view").wait_for()


def compare_both(page: Any) -> None:
    """Lays the first two variants on each other."""
    for k in range(2):
        page.locator(".variant[data-id]").nth(k).get_by_role("button", name="Compare with another").click()
    page.locator("dialog.versus compare-view").wait_for()


def test_compare_by_mouse_arrows_and_space(seen):
    page = seen.page
    sp.zone_of_example(page)
    sp.draw(page)
    sp.open_variant(page)
    view = page.locator(".screen.save compare-view")
    share = "() => document.querySelector('.screen.save compare-view').share"
    box = view.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 60, middle[1], steps=3)
    page.mouse.up()
    moved = page.evaluate(share)
    assert moved < 0.45
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(share) == pytest.approx(moved + 0.03, abs=0.011)
    page.keyboard.down(" ")
    assert page.locator(".screen.save img.after").evaluate("(node) => getComputedStyle(node).visibility") == "hidden"
    page.keyboard.up(" ")
    assert page.locator(".screen.save img.after").evaluate("(node) => getComputedStyle(node).visibility") == "visible"
    page.mouse.wheel(0, -500)
    sp.until(page, "() => document.querySelector('.screen.save compare-view').view.zoom > 1.5")
    view.dblclick()
    assert page.evaluate(share) == 0.5
    old = page.locator(".screen.save img.after").get_attribute("src")
    page.locator(".screen.save .options input[type=range]").nth(1).fill("0")
    sp.until(page, "(old) => document.querySelector('.screen.save img.after').getAttribute('src') !== old", arg=old)


def test_keys_alone_lead_from_a_photo_to_a_file(sized):
    page = sized.page
    sp.quickly(page)
    page.locator(".photo .shelves .tile").first.wait_for()
    focus_by_tab(page, ".photo .shelves .tile")
    page.keyboard.press("Enter")
    sp.await_parts(page)
    focus_by_tab(page, "mask-editor")
    for key in ("ArrowDown", "ArrowDown", "Enter", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert sp.bits(page).any()
    focus_by_tab(page, "#make")
    page.keyboard.press("Enter")
    sp.await_variants(page)
    focus_by_tab(page, ".variant .open")
    page.keyboard.press("Enter")
    page.locator(".screen.save:not([hidden]) compare-view").wait_for()
    focus_by_tab(page, ".screen.save compare-view input")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("() => document.querySelector('.screen.save compare-view').share") == pytest.approx(0.49)
    focus_by_tab(page, ".screen.save .go")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    with Image.open(download.value.path()) as made:
        assert made.size[0] > 0


def focus_by_tab(page: Any, wanted: str, most: int = 80) -> None:
    """Presses Tab until the focus is there; it must be seen where it is."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => Boolean(document.activeElement?.matches(wanted))", wanted):
            shown = """() => { const node = document.activeElement.closest("compare-view") ?? document.activeElement;
                const mark = node.querySelector(".grip") ?? node; return getComputedStyle(mark).outlineStyle; }"""
            assert page.evaluate(shown) != "none"
            return
    pytest.fail(f"Tab does not lead to {wanted}")


def test_a_photo_can_be_dropped_and_pasted(seen):
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)).save(file, "PNG")
    sp.bring(page, file.getvalue(), "noise.png", "image/png")
    page.wait_for_url(re.compile("#zone/"))
    first = sp.photo_id(page)
    sp.await_parts(page)
    sp.bring(page, file.getvalue(), "noise.png", "image/png", how="paste")
    sp.until(page, "(first) => location.hash.startsWith('#zone/') && !location.hash.endsWith(first)", arg=first)


def test_the_camera_takes_a_picture(seen, address):
    seen.context.grant_permissions(["camera"], origin=address)
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    page.get_by_role("button", name="Camera").click()
    sp.until(page, "() => document.querySelector('dialog video')?.videoWidth > 0")
    page.get_by_role("button", name="Take the picture").click()
    page.wait_for_url(re.compile("#zone/"))


def test_wheels_hold_the_whole_page():
    """Every file of the page is one that the studio serves, and index.html names only those."""
    from sfumato.studio.pages import static_files

    served = set(static_files())
    page = (browsers.STATIC / "index.html").read_text(encoding="utf-8")
    assert {f"/{name}" for name in re.findall(r'(?:href|src)="([^"]+)"', page)} <= served
    for script in browsers.STATIC.rglob("*.js"):
        for name in re.findall(r'^import .*?"(\.[^"]+\.js)"', script.read_text(encoding="utf-8"), re.MULTILINE):
            found = (script.parent / name).resolve().relative_to(Path(browsers.STATIC).resolve())
            assert f"/{found.as_posix()}" in served, name
