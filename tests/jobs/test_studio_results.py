"""What the studio keeps of a session's work: what a variant was drawn from, and files that are no longer wanted."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest
import studio_page as sp
from PIL import Image
from stylizers import made_photo

pytestmark = pytest.mark.timeout(1800)

OWN = {"X-Studio": "1"}


class Server:
    """The studio, asked by the browser of a page but not by the page."""

    def __init__(self, seen: Any, address: str) -> None:
        self.request, self.address = seen.context.request, address

    def ask(self, method: str, path: str, data: Any = None) -> Any:
        answer = self.request.fetch(f"{self.address}/api/{path}", method=method, data=data, headers=OWN)
        assert answer.ok, answer.text()
        return answer.json() if answer.body() else None

    def bring(self, pixels: np.ndarray, name: str) -> str:
        """The id of a picture."""
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return self.ask("POST", f"photos?parts=0&name={name}", file.getvalue())["id"]

    def ended(self, page: Any, job: Any) -> Any:
        """A job that is over."""

        def over() -> Any:
            now = self.ask("GET", f"jobs/{job['id']}")
            return None if now["state"] in ("queued", "loading", "working") else now

        now = sp.waited(page, over, f"the {job['kind']} did not end")
        assert now["state"] == "done", now
        return now


@pytest.fixture
def server(seen, address):
    return Server(seen, address)


def test_a_folder_is_painted_like_the_variant_not_like_the_last_wish(seen, server, address):
    page = seen.page
    photo = server.bring(made_photo(96, 128), "photo.png")
    zone = io.BytesIO()
    Image.fromarray(np.full((96, 128), 255, np.uint8)).save(zone, "PNG")
    server.ask("PUT", f"photos/{photo}/mask", zone.getvalue())
    first, second = (server.bring(made_photo(90, 90, seed=seed), f"{seed}.png") for seed in (5, 6))
    made = []
    for style in (first, second):
        job = server.ask("POST", f"photos/{photo}/jobs", {"models": ["microast/art"], "styles": [style]})
        made += server.ended(page, job)["variants"]
    page.evaluate("(id) => localStorage.setItem('sfumato.wish', JSON.stringify({ styles: [id] }))", second)
    page.goto(f"{address}/#save/{made[0]}")
    page.reload()
    folder, shown = page.get_by_role("button", name="Use the same on a folder").first, page.locator(".strip .tile")
    shown.first.wait_for()
    folder.click()
    page.locator(".batch .drop").wait_for()
    planned = "() => JSON.parse(localStorage.getItem('sfumato.batch')).recipe.styles"
    assert page.evaluate(planned) == [first]
    page.evaluate("() => localStorage.removeItem('sfumato.batch')")
    server.ask("DELETE", f"photos/{first}")
    page.goto(f"{address}/#save/{made[0]}")
    page.reload()
    shown.first.wait_for()
    folder.click()
    page.get_by_text("A painting that this was drawn from has been removed.").wait_for()
    assert page.evaluate("() => localStorage.getItem('sfumato.batch')") is None


def test_results_are_listed_and_removed(seen, server, address):
    page = seen.page
    photo, style = (server.bring(made_photo(96, 128, seed=seed), f"{seed}.png") for seed in (1, 2))
    photos = [photo, server.bring(made_photo(96, 128, seed=3), "3.png")]
    batch = {"photos": photos, "recipe": {"kind": "stylize", "styles": [style]}}
    server.ended(page, server.ask("POST", "batches", batch))
    page.goto(f"{address}/#photo")
    page.reload()
    rows = page.locator(".results .files li")
    rows.nth(2).wait_for()
    assert rows.locator("> .seen + [data-own]").all_inner_texts() == [
        "sfumato.zip",
        "3-microast-art.png",
        "1-microast-art.png",
    ]
    assert sp.errors(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Save sfumato.zip").click()
    assert download.value.suggested_filename == "sfumato.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["1-microast-art.png", "3-microast-art.png"]
    drawn = "() => [...document.querySelectorAll('.results img')].map((one) => one.complete && one.naturalWidth)"
    for row in rows.all():
        row.scroll_into_view_if_needed()  # they are fetched once they can be seen
    sp.until(page, f"() => ({drawn})().every(Boolean)")
    assert page.evaluate(drawn) == [128, 128], "of the pictures, not of the archive"
    remove_one(page, server)
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("button", name="Keep them").click()
    assert rows.count() == 2
    page.get_by_role("button", name="Remove all").click()
    page.get_by_text("Remove all results?").wait_for()
    page.get_by_role("button", name="Remove all").click()
    page.get_by_text("The results are removed.").wait_for()
    assert page.locator(".results").is_hidden()
    assert page.evaluate("() => document.activeElement.matches('.photo h1')")
    assert server.ask("GET", "files")["files"] == []
    assert len(server.ask("GET", "photos")["photos"]) == 3, "pictures stay"


def remove_one(page, server):
    """Removes the middle one of three results by keys, after a change of mind."""
    drop = page.get_by_role("button", name="Remove 3-microast-art.png")
    drop.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Remove 3-microast-art.png?").wait_for()
    assert sp.errors(page) == []
    assert page.evaluate("() => document.activeElement.textContent") == "Keep it"
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.title") == "Remove 3-microast-art.png"
    assert len(server.ask("GET", "files")["files"]) == 3, "nothing goes before the answer"
    drop.click()
    page.get_by_role("button", name="Remove", exact=True).click()
    sp.until(page, "() => document.querySelectorAll('.results .files li').length === 2")
    assert len(server.ask("GET", "files")["files"]) == 2
    sp.until(page, "() => document.activeElement.title === 'Remove 1-microast-art.png'")


def test_what_is_drawn_already_is_not_drawn_again(seen, server):
    page = seen.page
    sp.zone_of_example(page)
    sp.wish(page, ["faces2toon"], ["none"])
    sp.draw(page)
    photo = sp.photo_id(page)

    def variants():
        return [one["id"] for one in server.ask("GET", f"photos/{photo}")["variants"]]

    first = variants()
    draw = page.locator("#draw")
    draw.click()
    page.get_by_text("nothing is drawn again").wait_for()
    assert variants() == first
    page.locator(".variant[data-id]").get_by_role("button", name="Hide", exact=True).click()
    draw.click()
    page.get_by_text("some of them are hidden").wait_for()
    page.get_by_role("button", name="Show hidden ones").click()
    page.locator('.screen.variants input[value="warm"]').check(force=True)
    draw.click()
    page.get_by_text("Those that were there already: 1").wait_for()
    assert len(variants()) == 2
    assert variants()[:1] == first
    page.evaluate("() => localStorage.setItem('sfumato.blend', JSON.stringify({ softness: 0.9 }))")
    draw.click()
    sp.until(page, "() => document.querySelectorAll('.variant[data-id]').length === 4")
    page.locator("#draw:not(:disabled)").wait_for()
    assert len(variants()) == 4, "another edge is another picture"


def test_a_variant_is_removed_once_that_is_sure(seen, server):
    page = seen.page
    sp.zone_of_example(page)
    sp.wish(page, ["faces2toon"], ["none", "warm", "cool"])
    sp.draw(page)
    page.locator("#draw:not(:disabled)").wait_for()
    photo, tiles = sp.photo_id(page), page.locator(".variant[data-id]")
    tiles.nth(1).get_by_role("button", name="Star").click()
    sp.open_variant(page, 1)
    page.go_back()
    tiles.nth(1).get_by_role("button", name="Remove Cartoon, Warm").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Remove Cartoon, Warm for good?").wait_for()
    assert page.evaluate("() => document.activeElement.textContent") == "Keep it"
    assert sp.errors(page) == []
    page.evaluate("() => import('./store.js').then(({ store }) => store.tell())")
    assert page.evaluate("() => document.activeElement.textContent") == "Keep it", "news leave the question as it is"
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.title") == "Remove Cartoon, Warm"
    assert page.locator(".sure:not([hidden])").count() == 0
    for left, name, after in (
        (2, "Cartoon, Warm", "Cartoon, Cool"),
        (1, "Cartoon, Cool", "Cartoon"),
        (0, "Cartoon", ""),
    ):
        page.get_by_role("button", name=f"Remove {name}", exact=True).click()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        sp.until(page, "(n) => document.querySelectorAll('.variant[data-id]').length === n", left)
        assert page.evaluate("() => document.activeElement.title") == (f"Remove {after}" if after else "")
        assert len(server.ask("GET", f"photos/{photo}")["variants"]) == left
    assert page.evaluate("() => document.activeElement.id") == "draw"
    assert page.locator(".variants .nothing").is_visible()
    kept = "([kind, photo]) => localStorage[`sfumato.${kind}.${photo}`]"
    assert [page.evaluate(kept, [kind, photo]) for kind in ("variant", "marks")] == ['""', "{}"], (
        "nothing of it is left"
    )
    page.locator("#draw").click()
    sp.until(page, "() => document.querySelectorAll('.variant[data-id]').length === 3")


FOLLOWED = """() => Promise.all([import("./jobs.js"), import("./api.js")]).then(([{ JobBar }, api]) =>
    api.jobs().then(({ jobs }) => {
        window.ends = [];
        const ended = (how) => window.ends.push(how);
        for (const job of jobs) new JobBar().follow(job).then(({ end }) => ended(end), (error) => ended(error.code));
        return jobs.length; }))"""
"""Follows each job of the session as screens do."""


def test_many_jobs_that_are_followed_leave_the_way_to_the_studio_open(seen, server):
    """A browser opens six connections to a server; a seventh request must not wait for the end of a job."""
    page = seen.page
    swatch = server.bring(made_photo(64, 64), "a.png")
    long = {"swatches": [swatch], "size": [96, 96], "options": {"iterations": [5000], "smallest_px": 96}}
    jobs = [server.ask("POST", "textures", long)["id"] for _ in range(8)]
    assert page.evaluate(FOLLOWED) == 8
    streams = "() => performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/events')).length"
    for job in jobs:
        page.evaluate("(id) => import('./api.js').then((api) => api.cancel(id))", job)
    sp.until(page, "() => window.ends.length === 8")
    assert set(page.evaluate("() => window.ends")) == {"cancelled"}
    assert page.evaluate(streams) == 1
    assert page.evaluate(FOLLOWED) == 8
    sp.until(page, "() => window.ends.length === 8")
    assert set(page.evaluate("() => window.ends")) == {"cancelled"}, "who asks late hears how they ended"
