"""What the studio keeps of a session's work: what a variant was drawn from, and files that are no longer wanted."""

import io
from typing import Any

import numpy as np
import pytest
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
        while (now := self.ask("GET", f"jobs/{job['id']}"))["state"] in ("queued", "loading", "working"):
            page.wait_for_timeout(100)
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
    folder = page.get_by_role("button", name="Use the same on a folder").first
    folder.click()
    page.locator(".batch .drop").wait_for()
    planned = "() => JSON.parse(localStorage.getItem('sfumato.batch')).recipe.styles"
    assert page.evaluate(planned) == [first]
    page.evaluate("() => localStorage.removeItem('sfumato.batch')")
    server.ask("DELETE", f"photos/{first}")
    page.goto(f"{address}/#save/{made[0]}")
    page.reload()
    folder.click()
    page.get_by_text("A painting that this was drawn from has been removed.").wait_for()
    assert page.evaluate("() => localStorage.getItem('sfumato.batch')") is None
