"""Work that cannot be done as it was wished: results that are too large, pictures that have gone meanwhile."""

import numpy as np
from studios import encoded, photo, running
from stylizers import made_photo

from sfumato.studio.schema import Limits

LONG = {"size": [96, 96], "options": {"iterations": [5000], "smallest_px": 96}}


def test_a_result_has_no_more_pixels_than_a_picture_may(tmp_path):
    with running(tmp_path / "home", limits=Limits(pixels=40_000)) as studio:
        studio.ready()
        browser = studio.browser()
        source = browser.upload(photo(200, 150))["id"]
        for size, right in ((230, True), (240, False), (100_000, False)):
            body = {"styles": [source], "options": {"size": size}}
            for place in ("stylize", "stylize/preview"):
                answer = browser.ask("POST", f"/api/photos/{source}/{place}", body)
                assert answer.status in (200, 202) if right else (answer.status, answer.error) == (422, "wrong_option")
            batch = {"photos": [source], "recipe": {"kind": "stylize", **body}}
            assert browser.done(browser.post("/api/batches", batch))["failed"] == int(not right)
        assert "100000 x 75000 pixels" in answer.json["message"]


def test_work_whose_pictures_were_deleted_while_it_waited_says_so(ready, browser):
    source = browser.upload(photo(200, 150))["id"]
    style = browser.upload(encoded(made_photo(90, 90, seed=5)))["id"]
    mask = np.full((150, 200), 255, np.uint8)
    assert browser.ask("PUT", f"/api/photos/{source}/mask", encoded(mask)).status == 200
    drawn = browser.done(browser.post(f"/api/photos/{source}/jobs", {"models": ["faces2toon"]}))["variants"][0]
    first = browser.post("/api/textures", LONG | {"swatches": [source]})
    collage = {"models": ["microast/art"], "styles": [style]}
    waiting = [
        browser.post(f"/api/photos/{source}/stylize", {"styles": [style]}),
        browser.post(f"/api/variants/{drawn}/export", {"options": {}}),
        browser.post(f"/api/photos/{source}/jobs", collage),
    ]
    batch = browser.post("/api/batches", {"photos": [source, style], "recipe": {"kind": "stylize", "styles": [source]}})
    for path in (f"photos/{style}", f"variants/{drawn}"):
        assert browser.ask("DELETE", f"/api/{path}").status == 204
    browser.ask("DELETE", f"/api/jobs/{first['id']}")
    for job in waiting:
        name, problem = browser.finish(job)
        assert (name, problem["error"]) == ("error", "not_found")
        assert "Error" not in problem["message"]
    done = browser.done(batch)
    assert (len(done["files"]), done["failed"]) == (2, 1), "a picture and the archive"
    (folder,) = ready.studio.store.home.rglob(f"photos/{source}")
    assert not [path for path in folder.iterdir() if path.is_dir()], "nothing half made stays"
