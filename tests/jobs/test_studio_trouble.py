"""What goes wrong on the studio's page is said, and the page goes on."""

import re
from typing import Any

import browsers
import pytest
import studio_page as sp

pytestmark = pytest.mark.timeout(1800)

MODELS = ("faces2toon", "faces2kaokore")
FILTERS = ("none", "warm", "cool", "vivid", "pale", "contrast")
"""With both models enough work to be stopped in its midst."""
WAITS_NO_MORE = "() => !document.querySelector('.screen.save compare-view').classList.contains('waits')"


def forgive(seen: browsers.Visit, told: str) -> None:
    """What the test itself has brought about is no complaint."""
    seen.complaints[:] = [line for line in seen.complaints if told not in line]


def test_cancelling_keeps_what_was_drawn(seen, address):
    page = seen.page
    sp.zone_of_example(page)
    sp.wish(page, MODELS, FILTERS)
    page.locator("#make").click()
    page.locator(".variant[data-id]").first.wait_for()
    page.locator(".variants .job button").click()
    page.get_by_text("Cancelled. What was drawn stays.").wait_for()
    made = page.locator(".variant[data-id]").count()
    assert 1 <= made < 12
    assert page.locator(".variant.waiting").count() == 0
    jobs = seen.context.request.get(f"{address}/api/jobs").json()["jobs"]
    assert next(job for job in jobs if job["kind"] == "variants")["state"] == "cancelled"


def test_what_is_no_picture_is_told_and_the_page_goes_on(seen, tmp_path):
    page = seen.page
    (tmp_path / "note.png").write_text("not a picture", encoding="utf-8")
    page.locator(".photo .shelves .tile").first.wait_for()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a photo").first.click()
    chooser.value.set_files(tmp_path / "note.png")
    page.locator(".photo .drop.wrong").wait_for()
    assert "no picture that can be read" in page.locator(".photo .state").inner_text()
    sp.open_example(page)
    forgive(seen, "415")


def test_a_studio_that_is_gone_is_told_and_comes_back(seen):
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    seen.context.set_offline(True)
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.locator(".banner.gone").wait_for()
    seen.context.set_offline(False)
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.locator(".banner.gone").wait_for(state="hidden")
    forgive(seen, "ERR_INTERNET_DISCONNECTED")


def test_a_process_that_dies_is_told_and_the_work_can_be_done_again(seen, home):
    page = seen.page
    sp.zone_of_example(page)
    sp.wish(page, MODELS, FILTERS)
    page.locator("#make").click()
    page.locator(".variant[data-id]").first.wait_for()
    browsers.end_workers(home)
    failure = page.locator(".variant.failure")
    failure.wait_for()
    assert "want of memory" in failure.inner_text()
    assert re.match("Cartoon|Japanese painting", failure.inner_text())
    again = failure.get_by_role("button", name="Try again")
    assert again.is_disabled(), "the others still come"
    cancel(page)
    made = page.locator(".variant[data-id]").count()
    assert 1 <= made < len(MODELS) * len(FILTERS)
    again.click()
    sp.until(page, "(made) => document.querySelectorAll('.variant[data-id]').length > made", made)
    cancel(page)
    assert failure.count() == 0
    forgive(seen, "503")


def cancel(page: Any) -> None:
    """Ends what is being drawn, if it has not come to its end just now."""
    page.evaluate("() => document.querySelector('.variants .job button')?.click()")
    page.locator(".variants .job").wait_for(state="hidden")


def test_work_that_could_not_be_cancelled_can_be_cancelled_again(seen):
    page = seen.page
    sp.zone_of_example(page)
    sp.wish(page, MODELS, FILTERS)
    page.locator("#make").click()
    cancel = page.locator(".variants .job button")
    cancel.wait_for()
    page.route("**/api/jobs/*", lambda route: route.abort() if route.request.method == "DELETE" else route.fallback())
    cancel.click()
    page.locator(".notice.error").wait_for()
    assert cancel.is_enabled()
    page.unroute_all(behavior="wait")
    cancel.click()
    page.get_by_text("Cancelled. What was drawn stays.").wait_for()
    forgive(seen, "ERR_FAILED")


def test_an_edge_that_could_not_be_laid_in_anew_is_told_and_tried_again(seen):
    page = seen.page
    sp.zone_of_example(page)
    sp.draw(page)
    sp.open_variant(page)
    softness = page.locator(".screen.save").get_by_label("Softness")
    problem = {"error": "no_memory", "message": "", "hint": ""}
    page.route("**/blend", lambda route: route.fulfill(status=500, json=problem))
    softness.fill("0.1")
    page.locator(".notice.error").get_by_text("A smaller size may do").wait_for()
    sp.until(page, WAITS_NO_MORE)
    page.unroute_all(behavior="wait")
    softness.fill("0.2")
    sp.until(page, "() => document.querySelector('.screen.save img.after').src.startsWith('blob:')")
    sp.until(page, WAITS_NO_MORE)
    forgive(seen, "500")


def test_a_photo_that_cannot_be_opened_leaves_no_half_a_screen(seen, address):
    page = seen.page
    problem = {"error": "disk_full", "message": "", "hint": ""}
    page.route("**/api/photos/none", lambda route: route.fulfill(status=500, json=problem))
    page.goto(f"{address}#zone/none")
    page.locator(".notice.error").get_by_text("Make room on it").wait_for()
    for part in (".findings", ".zoom-badge", ".zone .more", ".zone .info"):
        assert page.locator(part).is_hidden() or not page.locator(part).inner_text(), part
    assert page.locator("#make").is_disabled()
    forgive(seen, "500")


def test_what_is_dropped_and_is_no_picture_is_told(seen):
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    sp.bring(page, b"words", "note.txt", "text/plain")
    page.locator(".notice.error").get_by_text("This is no picture").wait_for()
    assert page.url.split("#")[1:] in ([], [""], ["photo"])


def test_a_broken_picture_that_is_dropped_on_stylize_is_told(seen, address):
    page = seen.page
    page.goto(f"{address}#stylize")
    page.locator(".stylize .drop .tile").first.wait_for()
    for name in ("Save", "Copy"):
        assert page.locator(".stylize .action").get_by_role("button", name=name).is_disabled(), "there is nothing yet"
    sp.bring(page, b"words", "broken.png", "image/png")
    page.locator(".notice.error").get_by_text("no picture that can be read").wait_for()
    forgive(seen, "415")


def test_what_is_dropped_on_a_batch_stands_in_its_list(seen):
    page = seen.page
    sp.zone_of_example(page)
    sp.draw(page)
    sp.open_variant(page)
    page.get_by_role("button", name="Use the same on a folder").click()
    page.locator(".batch .drop").wait_for()
    page.evaluate("() => document.body.dispatchEvent(new DragEvent('dragover', { bubbles: true, cancelable: true }))")
    assert lit(page)
    sp.bring(page, b"words", "broken.png", "image/png", to=".batch .drop")
    assert not lit(page)
    page.locator('.files [data-state="failed"]').wait_for()
    assert page.locator(".files li").count() == 1
    forgive(seen, "415")


def lit(page: Any) -> bool:
    """Whether the page shows where a file may be dropped."""
    return page.evaluate("() => document.body.classList.contains('dropping')")


def test_where_the_browser_lends_no_clipboard_nothing_offers_it(seen):
    """That is so at every address that is neither this computer nor https."""
    page = seen.page
    page.add_init_script("delete Navigator.prototype.clipboard")
    page.reload()
    page.locator(".photo .shelves .tile").first.wait_for()
    assert page.get_by_role("button", name="Paste", exact=True).count() == 0
    assert page.locator(".saving").count() > 0
    assert page.get_by_role("button", name="Copy", exact=True, include_hidden=True).count() == 0
