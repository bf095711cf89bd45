"""The zone of a photo on the studio's page: not sent before it is known, never as another's, and not lost."""

import base64
import io
from collections.abc import Callable
from typing import Any

import browsers
import numpy as np
import pytest
import studio_page as sp
from PIL import Image

pytestmark = pytest.mark.timeout(1800)

MASK = "document.querySelector('mask-editor').mask"
READY = "() => document.querySelector('mask-editor').ready"
ZONE = "import('./zone.js').then(({ zone }) => "
HEAD = {
    "state": "parsed",
    "source": "parser",
    "selected": [1],
    "job": None,
    "problem": None,
    "presets": [],
    "parts": [
        {"label": 0, "name": "background", "pixels": 8800, "color": "#222222"},
        {"label": 1, "name": "hair", "pixels": 2000, "color": "#aa8844"},
    ],
}
"""What is told of a photo with something to choose on it."""
UNKNOWN = HEAD | {"source": "", "parts": [], "selected": []}
JOB = {"kind": "parse", "state": "queued", "place": 0, "done": 0, "total": 1000, "seconds_left": None}


def png(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


class Told:
    """A photo of the session, and what the page is told of its parts in place of what the studio would find.

    `asked` counts how often the page has them looked for. Answers to the addresses in `held` wait for `release`.
    """

    def __init__(self, seen: browsers.Visit, address: str, state: str, size: tuple[int, int] = (120, 90)) -> None:
        self.page, self.requests = seen.page, seen.context.request
        content = np.random.default_rng(size[0]).integers(0, 255, (size[1], size[0], 3), np.uint8)
        self.headers = {"X-Studio": "1"}
        answer = self.requests.post(f"{address}/api/photos?parts=0", data=png(content), headers=self.headers)
        assert answer.status == 201, answer.text()
        self.id = answer.json()["id"]
        self.url = f"{address}/api/photos/{self.id}"
        labels = np.zeros(size[::-1], np.uint8)
        labels[20:60, 30:80] = 1
        self.head, self.labels = labels == 1, png(labels)
        self.status = HEAD if state == "parsed" else UNKNOWN | {"state": state}
        self.asked = 0
        self.held: dict[str, list[Callable[[], None]] | None] = {"/labels.png": None, "/parts": None, "/mask": None}
        self.page.route(self.url, self._photo)
        self.page.route(f"{self.url}/status", lambda route: route.fulfill(json=self.status))
        self._serve("/labels.png", lambda route: route.fulfill(body=self.labels, content_type="image/png"))
        self._serve("/mask", lambda route: route.fallback())
        self._serve("/parts", self._parts)
        self.job = f"job-of-{self.id}"
        self.stream = sp.stream_of(self.page)
        self.page.route(f"**/api/jobs/{self.job}", self._job)

    def _serve(self, path: str, answer: Callable[[Any], None]) -> None:
        def serve(route: Any) -> None:
            waiting = self.held[path]
            if waiting is None:
                answer(route)
            else:
                waiting.append(lambda: answer(route))

        self.page.route(f"{self.url}{path}", serve)

    def _photo(self, route: Any) -> None:
        route.fulfill(json=route.fetch().json() | {"status": self.status})

    def _parts(self, route: Any) -> None:
        self.asked += 1
        self.status = UNKNOWN | {"state": "waiting", "job": self.job}
        route.fulfill(status=202, json=self._told())

    def _job(self, route: Any) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=204)
            self.end("cancelled", {"variants": []}, UNKNOWN | {"state": "none"})
        else:
            route.fulfill(json=self._told())

    def _told(self) -> dict[str, Any]:
        return JOB | {"id": self.job, "photo": self.id, "variants": [], "kept": [], "files": [], "problem": None}

    def hold(self, path: str) -> None:
        self.held[path] = []

    def release(self, path: str) -> None:
        waiting = self.held[path]
        assert waiting is not None, f"{path} is not held"
        sp.arrived(self.page, waiting)
        self.held[path] = None
        for answer in waiting:
            answer()

    def end(self, event: str, data: dict[str, Any], status: dict[str, Any]) -> None:
        """Ends the search with an event."""
        self.stream.heard()
        self.status = status
        self.stream.tell(self.job, (event, data))

    def find(self) -> None:
        """The search comes to a good end."""
        self.end("done", {"files": [], "variants": [], "kept": [], "failed": 0, "status": HEAD}, HEAD)

    def open(self) -> None:
        """Goes to the zone, and waits until the photo is shown."""
        self.go()
        sp.until(self.page, f"(id) => {ZONE}zone.photo?.id === id && zone.editor.ready)", self.id)

    def go(self) -> None:
        self.page.evaluate("(id) => { location.hash = `zone/${id}`; }", self.id)

    def leave(self) -> None:
        """Goes back to the first screen, and waits until all is sent that would be."""
        self.page.evaluate("() => { location.hash = 'photo'; }")
        self.page.locator(".screen.photo").wait_for()
        self.page.evaluate(f"() => {ZONE}zone.flush())")

    def kept(self) -> np.ndarray | None:
        """The zone as the server holds it, (H, W) of bool."""
        answer = self.requests.get(f"{self.url}/mask")
        return None if answer.status == 404 else np.asarray(Image.open(io.BytesIO(answer.body()))) >= 128

    def keep(self, zone: np.ndarray) -> None:
        """Sends a zone as another page would."""
        assert self.requests.put(f"{self.url}/mask", data=png(zone * np.uint8(255)), headers=self.headers).status == 200

    def shows(self, zone: np.ndarray) -> None:
        """Waits until the page shows a zone of so many pixels, and compares all of them."""
        sp.until(self.page, f"(area) => {MASK}.area === area && {MASK}.width > 1", int(zone.sum()))
        assert np.array_equal(sp.bits(self.page), zone)

    def chip(self, label: int = 1) -> Any:
        return self.page.locator(f'.parts .chip[data-label="{label}"]')


def dab(page: Any) -> np.ndarray:
    """Paints a little in a corner; returns what is shown then."""
    page.evaluate(
        "() => { const { mask } = document.querySelector('mask-editor'); mask.start();"
        " mask.stroke([8, 8], [14, 8], 4, 1); mask.finish(); document.querySelector('mask-editor').changed(); }"
    )
    return sp.bits(page)


def test_who_leaves_before_the_parts_are_known_leaves_no_zone(seen, address):
    told = Told(seen, address, "none")
    told.open()
    told.leave()
    assert told.kept() is None
    told.find()
    told.open()
    told.shows(told.head)
    told.leave()
    assert np.array_equal(told.kept(), told.head)


def test_an_empty_zone_is_none(seen, address):
    told = Told(seen, address, "parsed")
    told.keep(np.zeros_like(told.head))
    told.open()
    told.shows(told.head)
    for zone in (np.zeros_like(told.head), told.head):
        told.chip().click()
        told.shows(zone)


def test_a_zone_that_was_kept_stays_when_the_parts_come_later(seen, address):
    told = Told(seen, address, "none")
    told.open()
    painted = dab(told.page)
    told.leave()
    assert np.array_equal(told.kept(), painted)
    told.stream.open.clear()
    told.page.reload()
    told.open()
    told.find()
    sp.await_parts(told.page)
    told.shows(painted)
    told.chip().click()
    told.shows(painted | told.head)
    told.chip().click()
    told.shows(painted)


def test_a_photo_that_comes_late_does_not_take_the_place_of_the_next(seen, address):
    first, second = Told(seen, address, "parsed", (120, 90)), Told(seen, address, "parsed", (100, 110))
    first.hold("/labels.png")
    first.go()
    sp.until(seen.page, "() => document.querySelector('.screen.zone:not([hidden])')")
    seen.page.wait_for_timeout(300)
    assert not seen.page.evaluate(READY), "nobody can paint on what is not there yet"
    seen.page.evaluate("() => { location.hash = 'photo'; }")
    second.open()
    first.release("/labels.png")
    seen.page.wait_for_timeout(500)
    second.shows(second.head)
    painted = dab(seen.page)
    second.leave()
    assert np.array_equal(second.kept(), painted)
    assert first.kept() is None
    first.open()
    first.shows(first.head)


def fail(page: Any, url: str) -> None:
    """Answers to an address that the disk is full."""
    problem = {"error": "disk_full", "message": "", "hint": ""}
    page.route(url, lambda route: route.fulfill(status=500, json=problem))


def test_a_photo_that_cannot_be_shown_leaves_nothing_of_the_last(seen, address):
    first, second = Told(seen, address, "parsed", (120, 90)), Told(seen, address, "parsed", (100, 110))
    first.open()
    fail(seen.page, f"{second.url}/labels.png")
    second.go()
    seen.page.locator(".notice.error").get_by_text("Make room on it").wait_for()
    assert not seen.page.evaluate(READY)
    assert seen.page.evaluate(f"() => {ZONE}zone.photo)") is None
    assert seen.page.locator("#make").is_disabled()
    assert seen.page.locator(".parts .chip").count() == 0
    seen.page.unroute(f"{second.url}/labels.png")
    seen.complaints[:] = [line for line in seen.complaints if "500" not in line]
    first.open()
    first.shows(first.head)


def test_a_zone_that_cannot_be_sent_is_shown_until_it_can(seen, address):
    first, second = Told(seen, address, "parsed", (120, 90)), Told(seen, address, "parsed", (100, 110))
    first.open()
    fail(seen.page, f"{first.url}/mask")
    painted = dab(seen.page)
    second.go()
    seen.page.locator(".notice.error").get_by_text("Make room on it").first.wait_for()
    sp.until(seen.page, "(id) => location.hash === `#zone/${id}`", first.id)
    first.shows(painted)
    assert seen.page.evaluate(READY)
    seen.page.unroute(f"{first.url}/mask")
    seen.complaints[:] = [line for line in seen.complaints if "500" not in line]
    second.open()
    second.shows(second.head)
    assert np.array_equal(first.kept(), painted)


def test_a_search_that_is_cancelled_ends_and_can_be_asked_for_again(seen, address):
    told = Told(seen, address, "none")
    told.open()
    again = told.page.get_by_role("button", name="Look again")
    told.page.locator(".findings .job button").click()
    told.page.get_by_text("The search for parts was stopped.").wait_for()
    told.page.wait_for_timeout(500)
    assert told.asked == 1
    again.click()
    assert again.is_hidden()
    told.find()
    told.shows(told.head)
    assert told.asked == 2
    assert again.is_hidden()
    assert told.page.locator(".findings").is_hidden()


def test_a_search_that_failed_can_be_asked_for_again(seen, address):
    told = Told(seen, address, "failed")
    told.status["problem"] = {"error": "no_memory", "message": "", "hint": "", "detail": "", "values": {}}
    told.open()
    told.page.get_by_text("Parts could not be found").wait_for()
    assert told.asked == 0
    painted = dab(told.page)
    told.page.get_by_role("button", name="Look again").click()
    told.find()
    told.shows(painted | told.head)
    assert told.asked == 1


@pytest.mark.parametrize("noisy", [False, True])
def test_what_is_painted_just_before_the_page_goes_is_not_lost(seen, address, noisy):
    """Also where it is more than a browser would send of a page that has gone."""
    told = Told(seen, address, "parsed", (700, 600) if noisy else (120, 90))
    told.open()
    told.page.evaluate(f"() => {ZONE}zone.flush())")
    bits = np.random.default_rng(0).random(told.head.shape) < 0.5 if noisy else told.head.copy()
    bits[70:75, 10:40] = True
    told.hold("/mask")
    text = base64.b64encode(bits.astype(np.uint8).tobytes()).decode()
    with told.page.expect_navigation():
        told.page.evaluate(
            "(text) => { const editor = document.querySelector('mask-editor');"
            " editor.mask.become(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));"
            " editor.changed(); location.reload(); }",
            text,
        )
    sp.until(told.page, "() => document.querySelector('.screen.zone:not([hidden])')")
    told.page.wait_for_timeout(500)
    assert not told.page.evaluate(READY), "first the zone is sent, then it is shown"
    told.release("/mask")
    told.shows(bits)
    assert np.array_equal(told.kept(), bits)
    assert told.page.evaluate("() => JSON.parse(localStorage.getItem('sfumato.left'))") is None


def test_a_page_that_is_hidden_sends_at_once(seen, address):
    told = Told(seen, address, "parsed")
    told.open()
    told.page.evaluate(f"() => {ZONE}zone.flush())")
    told.hold("/mask")
    dab(told.page)
    hide = """() => { Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange")); delete document.hidden; }"""
    told.page.evaluate(hide)
    underway = told.page.evaluate(
        f"() => new Promise((done) => setTimeout(done, 100)).then(() => {ZONE}zone.underway))"
    )
    assert underway
    told.release("/mask")
    sp.saved(told.page)
    assert np.array_equal(told.kept(), sp.bits(told.page))
