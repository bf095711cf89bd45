"""What a user does on the studio's page, and what must hold of it on every screen."""

import io
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WAIT_MS = 240_000
"""Longest wait for work: a loaded machine is slow. Each test of the page has more time than that (jobs/conftest.py)."""
SIZES: dict[str, dict[str, Any]] = {
    "phone": {"width": 390, "height": 844, "device_scale_factor": 2, "has_touch": True, "is_mobile": True},
    "desk": {"width": 1280, "height": 800},
    "retina": {"width": 1280, "height": 800, "device_scale_factor": 2, "color_scheme": "dark"},
}
SIZES["night"] = SIZES["phone"] | {"color_scheme": "dark", "locale": "ro-RO"}

SCRIPTS = Path(__file__).parent / "page"
AUDIT = (SCRIPTS / "audit.js").read_text(encoding="utf-8")
"""What is wrong on a page: names, sizes, contrast (WCAG AA), width, and the action out of sight."""
SPOKEN = (SCRIPTS / "spoken.js").read_text(encoding="utf-8")
"""All words that a page shows or says, but for those of the user and of the server."""


BRING = """([bytes, name, type, kind, to]) => { const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], name, { type }));
    const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: data, bubbles: true })
        : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
    document.querySelector(to).dispatchEvent(event); }"""


def training(runs: Path) -> None:
    """A folder of runs: one that has come some way, and before it one with a long name that was stopped."""
    _run(runs / "portraits-of-the-nineteenth-century-the-second-try", 12, time.time() - 86_400)
    _run(runs / "faces", 30, time.time())


def _run(folder: Path, lines: int, changed: float) -> None:
    folder.mkdir(parents=True)
    told = {"images": 1000, "batch": 1, "title": "cut.faces"}
    (folder / "recipe.json").write_text(json.dumps(told), encoding="utf-8")
    log = [
        {"images": 10 * i, "seconds": i, "images_per_s": 9.5, "generators/gan": 1 / i, "generators/nce": 1 / i**0.5}
        for i in range(1, lines + 1)
    ]
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in log), encoding="utf-8")
    for path in folder.iterdir():
        os.utime(path, (changed, changed))


def bring(page: Any, content: bytes, name: str, kind: str, *, how: str = "drop", to: str = "body") -> None:
    """Drops or pastes a file of a media type."""
    page.evaluate(BRING, [list(content), name, kind, how, to])


class Stream:
    """What a page hears of jobs, in place of what the studio tells: nothing until `tell`.

    Args:
        page: of a browser, which listens by one connection; that ends with each `tell`, and the page opens another.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.open: list[Any] = []
        page.route("**/api/events", lambda route: self.open.append(route))

    def heard(self) -> None:
        """Waits until the page listens."""
        waited(self.page, lambda: self.open, "the page did not listen to the studio")

    def tell(self, job: str, *events: tuple[str, dict[str, Any]]) -> None:
        """Events of a job, by name and data, to the page that listens now or does soon."""
        self.heard()
        news = [json.dumps({"job": job, "event": event, "data": data}) for event, data in events]
        body = "retry: 50\n\n" + "".join(f"event: job\ndata: {told}\n\n" for told in news)
        self.open.pop().fulfill(body=body, content_type="text/event-stream")
        self.open.clear()  # others were given up by the page


@cache
def stream_of(page: Any) -> Stream:
    """The one of a page."""
    return Stream(page)


def wish(page: Any, models: Sequence[str], filters: Sequence[str]) -> None:
    """What the next variants are drawn by, and in which colours."""
    made = {"models": models, "styles": [], "seed": 0, "filters": filters}
    page.evaluate("(wish) => localStorage.setItem('sfumato.wish', JSON.stringify(wish))", made)


def until(page: Any, script: str, arg: Any = None) -> Any:
    """Waits until a function of the page gives something true. Playwright's own way is barred by the page's policy."""
    return waited(page, lambda: page.evaluate(script, arg), f"{script} did not come true with {arg!r}")


def arrived(page: Any, requests: Sequence[Any], count: int = 1) -> None:
    """Waits until so many requests of the page have come to who answers them in place of the studio."""
    waited(page, lambda: len(requests) >= count, f"the page did not ask {count} times for what is answered here")


def rests(page: Any, script: str, wanted: Any = True) -> None:
    """Waits until something of the `node` that has the focus is as wanted, and sees that it stays so for a while."""
    told = f"(wanted) => ((node) => {script})(document.activeElement) === wanted"
    until(page, told, wanted)
    page.wait_for_timeout(100)
    assert page.evaluate(told, wanted), f"{script} did not stay {wanted!r}"


def waited(page: Any, true: Callable[[], Any], otherwise: str) -> Any:
    """Waits until something holds, while the page and those who answer it go on.

    Raises:
        TimeoutError: it never did, within `WAIT_MS`.
    """
    end = time.monotonic() + WAIT_MS / 1000
    while not (found := true()):
        if time.monotonic() > end:
            raise TimeoutError(f"{otherwise}, within {WAIT_MS} ms")
        page.wait_for_timeout(50)
    return found


def errors(page: Any) -> list[str]:
    return page.evaluate(AUDIT)


def open_example(page: Any, number: int = 0) -> None:
    """Begins with a portrait of the examples, and waits until its parts are known."""
    page.locator(".photo .shelves section").first.locator(".tile").nth(number).click(timeout=WAIT_MS)
    await_parts(page)


def await_parts(page: Any) -> None:
    page.locator(".parts .chip").first.wait_for(timeout=WAIT_MS)


def paint(page: Any, *, size: int = 90) -> None:
    """Paints a zone in the middle of the photo."""
    page.evaluate(f"() => document.querySelector('mask-editor').resize({size})")
    box = page.locator("mask-editor").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y - 60)
    page.mouse.down()
    page.mouse.move(x + 10, y + 60, steps=6)
    page.mouse.up()


def zone_of_example(page: Any) -> None:
    """An example with a zone that is not empty, whatever finds the parts here."""
    open_example(page)
    if page.locator("#make").is_disabled():
        paint(page)


def saved(page: Any) -> None:
    """Waits until the server holds the zone."""
    page.wait_for_function(
        "() => import('./zone.js').then(({ zone }) => zone.flush().then(() => !zone.unsent))", timeout=WAIT_MS
    )


def draw(page: Any) -> None:
    """Goes on to the variants, and waits until all are drawn."""
    page.locator("#make").click()
    await_variants(page)


def await_variants(page: Any) -> None:
    page.locator(".variant[data-id]").first.wait_for(timeout=WAIT_MS)
    page.wait_for_selector(".variant.waiting", state="detached", timeout=WAIT_MS)


def open_variant(page: Any, number: int = 0) -> None:
    page.locator(".variant[data-id] .open").nth(number).click()
    page.locator(".screen.save compare-view img.after").wait_for()


def bits(page: Any) -> np.ndarray:
    """The zone as the page holds it."""
    mask = "document.querySelector('mask-editor').mask"
    width, height, text = page.evaluate(f"() => [{mask}.width, {mask}.height, {mask}.bits.join('')]")
    return np.array([digit == "1" for digit in text]).reshape(height, width)


def photo_id(page: Any) -> str:
    return re.sub(r".*#\w+/", "", page.url)


def held(seen: Any, address: str) -> np.ndarray:
    """The zone as the server holds it."""
    answer = seen.context.request.get(f"{address}/api/photos/{photo_id(seen.page)}/mask")
    assert answer.status == 200
    picture = Image.open(io.BytesIO(answer.body()))
    assert picture.mode == "L"
    return np.asarray(picture)


def quickly(page: Any) -> None:
    """What is drawn next is drawn by the quickest model, in one way."""
    wish(page, ["faces2toon"], ["none"])


def open_photo(page: Any, content: bytes, name: str = "photo.png", kind: str = "image/png") -> None:
    """Begins with a photo of one's own, and waits until its parts are looked for."""
    page.locator(".photo .shelves .tile").first.wait_for()
    before = page.url
    bring(page, content, name, kind)
    until(page, "(before) => location.hash.startsWith('#zone/') && location.href !== before", before)
    await_parts(page)


def unfold_tools(page: Any) -> None:
    """Shows the tools of the zone, which a narrow screen folds away."""
    more = page.locator(".toolbar .phone")
    if more.is_visible():
        more.click()
        page.locator(".fold-up").wait_for()


def fold_tools(page: Any) -> None:
    if page.locator(".fold-up").is_visible():
        page.locator(".fold-up").click()


def downloaded(page: Any, button: str) -> tuple[str, bytes]:
    """The name and the bytes of the file that a button saves."""
    with page.expect_download() as download:
        page.locator(button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()
