"""Where the focus goes on the studio's page when what had it is made anew or taken away, and what dialogs tell."""

import io
from typing import Any

import numpy as np
import pytest
import studio_page as sp
from PIL import Image

pytestmark = pytest.mark.timeout(1800)

BROUGHT = """([bytes, name]) => import("./pictures.js").then(({ brought }) =>
    brought(new File([Uint8Array.from(bytes)], name), { parts: false }))"""


def bring_photos(page: Any, count: int) -> None:
    """Photos of which no parts are looked for."""
    for seed in range(count):
        file = io.BytesIO()
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (70, 90, 3), np.uint8)).save(file, "PNG")
        page.evaluate(BROUGHT, [list(file.getvalue()), f"{seed}.png"])


def test_pictures_that_come_and_go_leave_the_focus_where_it_was(seen):
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    bring_photos(page, 3)
    recent = page.locator(".photo .shelves section").nth(1)
    assert recent.locator(".tile-box").count() == 3
    middle = recent.locator(".tile-box").nth(1)
    wanted = middle.get_attribute("data-id")
    middle.locator(".tile").focus()
    page.evaluate("() => import('./store.js').then(({ store }) => store.tell())")
    sp.rests(page, "node.dataset.id", wanted)
    bring_photos(page, 1)
    assert recent.locator(".tile-box").count() == 4
    sp.rests(page, "node.dataset.id", wanted)
    for left in (3, 2, 1):
        recent.locator(".corner").nth(min(1, left)).focus()
        page.keyboard.press("Enter")
        sp.until(page, "(n) => document.querySelectorAll('.tile-box').length === n", left)
        sp.rests(page, "node.matches('.tile-box .corner')")
    page.keyboard.press("Enter")
    sp.until(page, "() => !document.querySelector('.tile-box')")
    sp.rests(page, "node.matches('.photo h1')")


def test_shares_that_are_added_and_taken_away_leave_the_focus_near(seen, address):
    page = seen.page
    page.goto(f"{address}#stylize")
    page.locator(".stylize .drop .tile").first.focus()
    page.keyboard.press("Enter")
    page.locator(".stylize .own-photo img").wait_for()
    sp.rests(page, "node.closest('.stylize .panel') !== null")  # The example that was pressed is no longer shown.
    for number in range(2):
        page.locator(".stylize .shares + button").focus()
        page.keyboard.press("Enter")
        page.locator("dialog.picker .tile").nth(number).focus()
        page.keyboard.press("Enter")
        page.locator("dialog.picker").wait_for(state="detached")
        page.locator(".stylize .share").nth(number).wait_for()
        sp.rests(page, "node.matches('.stylize .shares + button')")
    for place in (".stylize .share button", ".stylize .shares + button"):
        page.locator(".stylize .share button").first.focus()
        page.keyboard.press("Enter")
        sp.rests(page, f"node.matches('{place}')")


def test_the_strip_and_the_dialogs_keep_the_focus_and_have_names(seen, address):
    page = seen.page
    sp.wish(page, ["faces2toon"], ["none", "warm"])
    sp.zone_of_example(page)
    sp.draw(page)
    for number in range(2):
        page.locator(".variant[data-id]").nth(number).get_by_role("button", name="Compare with another").click()
    page.locator("dialog.versus compare-view").wait_for()
    assert sp.errors(page) == []
    page.keyboard.press("Escape")
    page.locator("dialog.versus").wait_for(state="detached")  # The browser tells a while later that it has closed.
    sp.rests(page, "node.matches('.variant [aria-keyshortcuts=A]')")
    page.locator(".variant[data-id] .open").first.focus()
    page.keyboard.press("h")
    sp.rests(page, "node.matches('.variant .open')")
    sp.open_variant(page)
    other = page.locator('.strip .tile[aria-pressed="false"]').first
    wanted = other.get_attribute("data-id")
    other.focus()
    page.keyboard.press("Enter")
    page.locator(f'.strip .tile[data-id="{wanted}"][aria-pressed="true"]').wait_for()
    sp.rests(page, "node.dataset.id", wanted)


def test_the_camera_has_a_name_and_gives_the_focus_back(seen, address):
    seen.context.grant_permissions(["camera"], origin=address)
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    page.get_by_role("button", name="Camera").focus()
    page.keyboard.press("Enter")
    sp.until(page, "() => document.querySelector('dialog video')?.videoWidth > 0")
    assert sp.errors(page) == []
    page.route("**/api/photos?*", lambda _: None)  # The screen stays as it is.
    page.get_by_role("button", name="Take the picture").click()
    page.locator("dialog.camera").wait_for(state="detached")
    sp.rests(page, "node.textContent", "Camera")


def test_what_goes_wrong_in_a_dialog_is_told_in_it(seen, address, tmp_path):
    page = seen.page
    (tmp_path / "broken.png").write_text("no", encoding="utf-8")
    page.goto(f"{address}#texture")
    page.locator(".texture .drop .tile").first.wait_for()
    page.locator(".texture .shares + button").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="From this computer").click()
    chooser.value.set_files(tmp_path / "broken.png")
    told = page.locator("dialog.picker .notice.error")
    told.get_by_text("no picture that can be read").wait_for()
    assert sp.errors(page) == []
    told.get_by_role("button", name="Close this message").click()
    assert told.count() == 0
    assert page.locator("dialog.picker").is_visible()
    page.keyboard.press("Escape")
    page.locator("body > #notices").wait_for(state="attached")
    assert page.locator("dialog").count() == 0
    seen.complaints[:] = [line for line in seen.complaints if "415" not in line]
