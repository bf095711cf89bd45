"""Work of the studio's page is started once, is found again when the page is loaded anew, and says how it ended."""

import io
import zipfile
from typing import Any

import browsers
import numpy as np
import pytest
import studio_page as sp
from PIL import Image

pytestmark = pytest.mark.timeout(1800)

BUSY = {"error": "busy", "message": "", "hint": ""}
PLAN = {"title": "a style", "recipe": {"kind": "stylize", "model": "faces2toon", "styles": [], "options": {}}}
JOB = {
    "id": "J" * 22,
    "photo": None,
    "state": "queued",
    "place": 0,
    "done": 0,
    "total": 1000,
    "seconds_left": None,
    "variants": [],
    "kept": [],
    "files": [],
    "problem": None,
}
DONE = {"files": [], "variants": [], "kept": [], "failed": 0, "status": None}


def picture(seed: int = 0, kind: str = "PNG") -> bytes:
    """A file with a small picture."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (96, 128, 3), np.uint8)).save(file, kind)
    return file.getvalue()


def held(page: Any, pattern: str) -> list[Any]:
    """Requests to an address, which wait for their answer from now on."""
    routes: list[Any] = []
    page.route(pattern, lambda route: routes.append(route) if route.request.method == "POST" else route.fallback())
    return routes


def press_twice(page: Any, selector: str) -> None:
    page.evaluate(
        "(selector) => { const node = document.querySelector(selector); node.click(); node.click(); }", selector
    )


def refuse(seen: browsers.Visit, routes: list[Any]) -> None:
    """Answers that the studio is busy."""
    sp.arrived(seen.page, routes)
    assert len(routes) == 1, "it was asked for more than once"
    routes[0].fulfill(status=429, json=BUSY)
    seen.page.locator(".notice.error").first.wait_for()
    seen.complaints[:] = [line for line in seen.complaints if "429" not in line]


def add_share(page: Any, screen: str, number: int = 0) -> None:
    page.locator(f".{screen} .shares + button").click()
    page.locator("dialog.picker .tile").nth(number).click()
    page.locator(f".{screen} .share").nth(number).wait_for()


def on_stylize(page: Any) -> None:
    """A small photo in the style of another, of which no preview is waited for."""
    page.route("**/stylize/preview", lambda route: route.fulfill(body=picture(9), content_type="image/png"))
    page.goto(f"{page.url.split('#')[0]}#stylize")
    page.locator(".stylize .drop .tile").first.wait_for()
    sp.bring(page, picture(), "small.png", "image/png")
    page.locator(".stylize .own-photo img").wait_for()
    add_share(page, "stylize")


def on_texture(page: Any) -> None:
    page.goto(f"{page.url.split('#')[0]}#texture")
    page.locator(".texture .drop .tile").first.click()
    page.locator(".texture .share").wait_for()
    page.evaluate("() => { for (const fold of document.querySelectorAll('.texture details')) fold.open = true; }")
    for label, value in (("Width", "64"), ("Height", "64"), ("Looks at the picture", "1"), ("Smallest size", "32")):
        page.locator(".texture").get_by_label(label, exact=True).fill(value)


def on_batch(page: Any) -> None:
    page.locator(".photo .shelves .tile").first.wait_for()
    page.evaluate("(plan) => localStorage.setItem('sfumato.batch', JSON.stringify(plan))", PLAN)
    page.goto(f"{page.url.split('#')[0]}#batch")
    page.locator(".batch .drop").wait_for()


def bring_photos(page: Any, count: int) -> None:
    for number in range(count):
        sp.bring(page, picture(number), f"{number}.png", "image/png")
    sp.until(page, "(n) => document.querySelectorAll('.files [data-state=ready]').length === n", count)


def test_a_texture_is_asked_for_once(seen):
    page = seen.page
    on_texture(page)
    routes = held(page, "**/api/textures")
    press_twice(page, ".texture .action .go")
    page.locator(".texture .job").wait_for()
    make = page.locator(".texture .action .go")
    page.locator("#texture-width").fill("65")
    assert make.is_disabled()
    refuse(seen, routes)
    sp.until(page, "() => !document.querySelector('.texture .action .go').disabled")
    assert page.locator(".texture .job").is_hidden()


def test_a_batch_waits_for_its_photos_and_is_asked_for_once(seen):
    page = seen.page
    on_batch(page)
    start = page.locator(".batch .action .go")
    bring_photos(page, 1)
    assert start.is_enabled()
    uploads = held(page, "**/api/photos?*")
    sp.bring(page, picture(1), "1.png", "image/png")
    sp.until(page, "() => document.querySelectorAll('.files li').length === 2")
    assert start.is_disabled(), "a photo is still on its way"
    sp.arrived(page, uploads)
    uploads[0].continue_()
    sp.until(page, "() => document.querySelectorAll('.files [data-state=ready]').length === 2")
    assert start.is_enabled()
    routes = held(page, "**/api/batches")
    press_twice(page, ".batch .action .go")
    page.locator(".batch .job").wait_for()
    assert start.is_disabled()
    refuse(seen, routes)
    sp.until(page, "() => !document.querySelector('.batch .action .go').disabled")


def test_variants_are_asked_for_once_and_what_failed_is_told(seen):
    page = seen.page
    sp.zone_of_example(page)
    sp.saved(page)
    photo = sp.photo_id(page)
    routes = held(page, f"**/api/photos/{photo}/jobs")
    sp.wish(page, ["faces2toon"], ["none", "warm"])
    page.locator("#make").click()
    page.locator(".variants .job").wait_for()
    assert page.locator("#draw").is_disabled()
    assert page.locator(".variant.waiting").count() == 2
    refuse(seen, routes)
    sp.until(page, "() => !document.querySelector('#draw').disabled")
    assert page.locator(".variant.waiting").count() == 0
    missed = {"photo": photo, "name": "faces2toon, warm", "file": None, "problem": BUSY, "number": 2, "total": 2}
    stream = sp.stream_of(page)
    press_twice(page, "#draw")
    sp.until(page, "() => document.querySelectorAll('.variant.waiting').length === 2")
    sp.arrived(page, routes, 2)
    routes[-1].fulfill(status=202, json=JOB | {"kind": "variants", "photo": photo})
    stream.tell(JOB["id"], ("item", missed), ("done", DONE | {"failed": 1}))
    page.locator(".notice.error").get_by_text("variants that failed: 1").wait_for()
    assert len(routes) == 2
    assert page.get_by_text("All variants are drawn").count() == 0
    assert page.locator(".variant.failure").count() == 1


def test_a_slider_does_not_let_a_save_begin_again(seen):
    page = seen.page
    on_stylize(page)
    save = page.locator(".stylize .action .save")
    routes = held(page, "**/stylize")
    press_twice(page, ".stylize .action .save")
    page.locator(".stylize .job").wait_for()
    page.locator(".stylize .options input[type=range]").first.fill("0.5")
    assert save.is_disabled()
    page.get_by_role("button", name="Take away").click()
    refuse(seen, routes)
    page.locator(".stylize .job").wait_for(state="hidden")
    assert save.is_disabled(), "there is no style left"


def test_a_preview_is_never_waited_for_in_vain(seen):
    page = seen.page
    on_stylize(page)
    waits = "document.querySelector('.stylize compare-view').classList.contains('waits')"
    sp.until(page, f"() => !{waits}")
    page.unroute_all()
    routes = held(page, "**/stylize/preview")
    page.locator(".stylize .options input[type=range]").first.fill("0.4")
    sp.until(page, f"() => {waits}")
    page.evaluate("() => { for (const fold of document.querySelectorAll('.stylize details')) fold.open = true; }")
    size = page.locator(".stylize").get_by_label("Style size")
    size.focus()
    page.locator(".stylize").get_by_label("Strength").focus()
    size.fill("1")
    page.locator(".stylize").get_by_label("Strength").focus()
    page.wait_for_timeout(400)
    assert page.evaluate("() => document.activeElement.type") == "range", "the focus went where nobody sent it"
    sp.arrived(page, routes)
    routes[0].fulfill(body=picture(8), content_type="image/png")
    page.get_by_text("A small preview.").wait_for()
    sp.until(page, f"() => !{waits}")
    size.fill("")
    sp.until(page, f"() => {waits}")
    sp.arrived(page, routes, 2)
    routes[1].fulfill(status=409, json={"error": "superseded", "message": "", "hint": ""})
    sp.arrived(page, routes, 3)
    routes[2].fulfill(body=picture(7), content_type="image/png")
    page.get_by_text("A small preview.").wait_for()
    sp.until(page, f"() => !{waits}")
    seen.complaints[:] = [line for line in seen.complaints if "409" not in line]


def test_a_save_is_found_again_when_the_page_is_loaded_anew(seen):
    page = seen.page
    on_stylize(page)
    page.route("**/events", lambda _: None)  # The page does not hear of it, wherever it is by then.
    with page.expect_response("**/stylize"):
        page.locator(".stylize .action .save").click()
    sp.until(page, "() => sessionStorage.getItem('sfumato.job.stylize')?.length > 20")
    page.unroute("**/events")
    with page.expect_download() as download:
        page.reload()
    with Image.open(download.value.path()) as made:
        assert made.size == (128, 96)
    sp.until(page, "() => sessionStorage.getItem('sfumato.job.stylize') === '\"\"'")


def test_a_texture_is_found_again_when_the_page_is_loaded_anew(seen):
    page = seen.page
    on_texture(page)
    page.route("**/events", lambda _: None)
    with page.expect_response("**/api/textures"):
        page.locator(".texture .action .go").click()
    sp.until(page, "() => sessionStorage.getItem('sfumato.job.texture')?.length > 20")
    page.unroute("**/events")
    page.reload()
    page.get_by_text("The texture is made.").wait_for()
    assert page.locator(".sheet-view img.result").is_visible()


def test_a_batch_is_found_again_when_the_page_is_loaded_anew(seen):
    page = seen.page
    on_batch(page)
    bring_photos(page, 2)
    page.reload()
    sp.until(page, "() => document.querySelectorAll('.files [data-state=ready]').length === 2")
    page.route("**/events", lambda _: None)
    with page.expect_response("**/api/batches"):
        page.locator(".batch .action .go").click()
    sp.until(page, "() => sessionStorage.getItem('sfumato.job.batch')?.length > 20")
    page.unroute("**/events")
    for _ in range(2):  # Also when it has ended before.
        page.reload()
        page.get_by_role("button", name="Save all as ZIP").wait_for()
        assert page.locator('.files [data-state="done"]').count() == 2
        assert page.locator(".files a[download]").count() == 2
    _, content = sp.downloaded(page, ".batch .stage .go")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert [name.split("-")[0] for name in archive.namelist()] == ["0", "1"]


def test_a_training_is_not_watched_by_who_has_left(seen):
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    waiting: list[Any] = []
    heard: list[str] = []
    page.route("**/api/runs", lambda route: waiting.append(route))
    page.on("request", lambda request: heard.append(request.url) if "/runs/" in request.url else None)
    page.locator(".tab").nth(3).click()
    sp.arrived(page, waiting)
    page.locator(".tab").nth(2).click()
    page.locator(".texture .drop .tile").first.wait_for()
    waiting[0].continue_()
    page.locator(".train .run").first.wait_for(state="attached")
    page.wait_for_timeout(300)
    assert heard == []


def test_what_cannot_be_is_said_in_the_language_of_the_page_before_it_is_sent(browser, address):
    with browsers.visit(browser, address, locale="ro-RO") as seen:
        page = seen.page
        page.set_default_timeout(sp.WAIT_MS)
        page.goto(f"{address}#texture")
        page.locator(".texture .drop .tile").first.click()
        page.locator(".texture .share").wait_for()
        routes = held(page, "**/api/textures")
        page.locator(".texture").get_by_label("Sămânță").fill("2147483648")
        page.locator(".texture .action .go").click()
        wrong = "() => [...document.querySelectorAll('.texture input')].map((one) => one.validationMessage).join('')"
        assert page.evaluate(wrong) == "Scrie un număr întreg de la 0 la 2.147.483.647."
        page.locator(".texture").get_by_label("Sămânță").fill("2147483647")
        assert page.evaluate(wrong) == ""
        assert routes == []
        for number in range(4):
            sp.bring(page, picture(number), f"{number}.png", "image/png")
        page.locator(".notice.error").get_by_text("Merg împreună cel mult 4 mostre.").wait_for()
        assert page.locator(".texture .share").count() == 4
        assert page.locator(".texture .shares + button").is_disabled()
        assert sp.errors(page) == []
        page.locator(".texture .share").first.get_by_role("button").click()
        assert page.locator(".texture .shares + button").is_enabled()


def test_a_bar_shows_the_last_of_two_jobs_until_that_ends(seen):
    page = seen.page
    page.locator(".photo .shelves .tile").first.wait_for()
    stream = sp.stream_of(page)
    page.route("**/api/jobs/*", lambda route: route.fulfill(json=JOB))
    both = """(jobs) => import("./jobs.js").then(({ JobBar }) => {
        const bar = new JobBar();
        bar.node.id = "both";
        document.body.append(bar.node);
        for (const job of jobs) bar.follow(job);
    })"""
    page.evaluate(both, [JOB | {"id": name * 22} for name in "AB"])
    done = ("done", DONE)
    stream.tell("A" * 22, ("queued", {"place": 7}), done)
    page.wait_for_timeout(300)
    assert page.locator("#both").is_visible()
    assert page.locator("#both .words").inner_text() == "Starting…", "the other job says how far it is"
    with page.expect_request(lambda request: request.method == "DELETE") as cancelled:
        page.locator("#both button").click()
    assert cancelled.value.url.endswith("B" * 22)
    stream.tell("B" * 22, done)
    page.locator("#both").wait_for(state="hidden")


def test_work_of_a_studio_that_was_started_again_is_told_as_ended(seen):
    """It is not the photo that is gone: nothing but the work was lost."""
    page = seen.page
    on_texture(page)
    stream = sp.stream_of(page)
    page.route("**/api/textures", lambda route: route.fulfill(status=202, json=JOB | {"kind": "texture"}))
    page.locator(".texture .action .go").click()
    stream.heard()
    assert page.get_by_text("Ready when you are").is_hidden(), "it is being made"
    stream.tell(JOB["id"], ("queued", {"place": 0}))
    stream.tell(JOB["id"])  # The way is open again, and nobody knows of the job.
    page.get_by_text("The studio was started again meanwhile").wait_for()
    assert page.locator(".texture .action .go").is_enabled()
    seen.complaints[:] = [line for line in seen.complaints if "404" not in line]
