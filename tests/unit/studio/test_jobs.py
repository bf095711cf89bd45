"""Jobs: the queue, events, who listens, and what comes of them."""

import io
import threading
import time
import zipfile

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFilter
from studios import encoded, opened, photo, running, until
from stylizers import made_photo
from unit import picture_corpus as corpus

from sfumato.image import exif
from sfumato.studio import disk
from sfumato.studio.problems import Refusal
from sfumato.studio.schema import Limits

WIDE = corpus.profile()
"""Adobe RGB."""
LONG = {"size": [96, 96], "options": {"iterations": [5000], "smallest_px": 96}}
"""A texture that takes minutes, and hears at each iteration whether it is still wanted."""


@pytest.fixture
def pair(ready, browser):
    """A photo and a style."""
    return browser.upload(photo(200, 150))["id"], browser.upload(encoded(made_photo(90, 90, seed=5)))["id"]


def stylized(browser, pair, **chosen):
    """The job of a photo in a style."""
    return browser.post(f"/api/photos/{pair[0]}/stylize", {"styles": [pair[1]], **chosen})


def slow(browser, swatch):
    """A job that takes long."""
    return browser.post("/api/textures", LONG | {"swatches": [swatch]})


# What comes of them


def test_a_photo_in_a_style(browser, pair):
    events = list(browser.listen(f"/api/jobs/{stylized(browser, pair)['id']}/events"))
    names = [name for _, name, _ in events]
    assert [number for number, _, _ in events] == sorted({number for number, _, _ in events})
    assert (names[0], names[-1]) == ("queued", "done")
    shares = [data["done"] for _, name, data in events if name == "progress"]
    assert shares == sorted(shares)
    (file,) = events[-1][2]["files"]
    assert (file["width"], file["height"], file["type"]) == (200, 150, "image/png")
    answer = browser.ask("GET", f"/api/files/{file['id']}")
    assert answer.headers["content-disposition"].startswith('attachment; filename="picture-microast-art.png"')
    assert (answer.headers["content-type"], len(answer.body)) == ("image/png", file["bytes"])
    assert opened(answer.body).size == (200, 150)
    assert browser.ask("GET", f"/api/files/{file['id']}/preview").headers["content-type"] == "image/jpeg"
    assert browser.get("/api/files")["files"] == [file]
    assert browser.ask("DELETE", f"/api/files/{file['id']}").status == 204
    assert browser.ask("GET", f"/api/files/{file['id']}").status == 404


def test_another_format_takes_no_second_run(ready, browser, pair):
    first = browser.done(stylized(browser, pair))["files"][0]
    second = list(
        browser.listen(f"/api/jobs/{stylized(browser, pair, save={'format': 'webp', 'quality': 100})['id']}/events")
    )
    assert [name for _, name, _ in second if name == "loading"] == []
    file = second[-1][2]["files"][0]
    one, other = (
        np.asarray(opened(browser.ask("GET", f"/api/files/{made['id']}").body).convert("RGB"), float)
        for made in (first, file)
    )
    assert file["type"] == "image/webp"
    assert np.abs(one - other).mean() < 4


@pytest.mark.parametrize(("form", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP"), ("avif", "AVIF")])
def test_what_is_kept_of_a_photo(browser, pair, form, kind):
    tags = Image.Exif()
    tags[0x010F] = "Camera"
    tags.get_ifd(exif.GPS_IFD)[1] = "N"
    source = browser.upload(photo(100, 80, exif=tags))["id"]

    def saved(**chosen):
        file = browser.done(stylized(browser, (source, pair[1]), save={"format": form} | chosen))["files"][0]
        picture = opened(browser.ask("GET", f"/api/files/{file['id']}").body)
        assert picture.format == kind
        return picture.getexif()

    usual, open_, bare = saved(), saved(keep_place=True), saved(keep_camera=False, embed_recipe=False)
    assert usual[0x010F] == "Camera"
    assert exif.GPS_IFD not in usual
    assert '"kind":"stylize"' in exif.comment_of(usual.tobytes())
    assert "lake" not in exif.comment_of(usual.tobytes())
    assert open_.get_ifd(exif.GPS_IFD)[1] == "N"
    assert not dict(bare)


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_photo_that_was_turned_upright_is_not_turned_again(browser, pair, orientation):
    tags = Image.Exif()
    tags[exif.ORIENTATION] = orientation
    source = browser.upload(photo(100, 80, exif=tags))["id"]
    file = browser.done(stylized(browser, (source, pair[1]), save={"format": "jpeg"}))["files"][0]
    saved = opened(browser.ask("GET", f"/api/files/{file['id']}").body)
    assert saved.size == (file["width"], file["height"]) == ((80, 100) if orientation == 6 else (100, 80))
    assert saved.getexif().get(exif.ORIENTATION, 1) == 1


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "avif"])
def test_colours_mean_what_they_meant(browser, pair, form):
    """The profile of a photo is that of its result; what is looked at is in sRGB."""
    smooth = Image.fromarray(made_photo(80, 100)).filter(ImageFilter.GaussianBlur(4))
    wide = browser.upload(encoded(np.asarray(smooth), "PNG", icc_profile=WIDE))
    assert wide["has_profile"]
    plain = opened(browser.ask("GET", f"/api/photos/{wide['id']}/preview").body)
    assert "icc_profile" not in plain.info
    assert difference(plain, in_srgb(smooth)) < 4 < difference(plain, smooth)
    chosen = {"options": {"strength": 0.0}, "save": {"format": form, "quality": 100}}
    file = browser.done(stylized(browser, (wide["id"], pair[1]), **chosen))["files"][0]
    saved = opened(browser.ask("GET", f"/api/files/{file['id']}").body)
    assert saved.info["icc_profile"] == WIDE
    seen = opened(browser.ask("GET", f"/api/files/{file['id']}/preview").body)
    assert difference(seen, in_srgb(saved)) < 4 < difference(seen, saved)


def in_srgb(picture):
    """A picture in Adobe RGB as it looks in sRGB."""
    return ImageCms.profileToProfile(
        picture, ImageCms.ImageCmsProfile(io.BytesIO(WIDE)), ImageCms.createProfile("sRGB")
    )


def difference(one, other):
    """Of two pictures, in the mean."""
    return np.abs(np.asarray(one, float) - np.asarray(other, float)).mean()


@pytest.mark.parametrize(("form", "kept"), [("png", True), ("webp", True), ("avif", True), ("jpeg", False)])
def test_transparency_stays_where_a_format_has_it(browser, pair, form, kept):
    clear = browser.upload(encoded(made_photo(80, 100, 4)))
    alpha = made_photo(80, 100, 4)[..., 3].astype(float)
    file = browser.done(stylized(browser, (clear["id"], pair[1]), save={"format": form, "quality": 100}))["files"][0]
    saved = opened(browser.ask("GET", f"/api/files/{file['id']}").body)
    assert saved.mode == ("RGBA" if kept else "RGB")
    if kept:
        assert np.abs(np.asarray(saved)[..., 3] - alpha).mean() < 3


def test_a_recipe_comes_back_with_its_file(browser, pair):
    file = browser.done(stylized(browser, pair, options={"strength": 0.5}))["files"][0]
    again = browser.upload(browser.ask("GET", f"/api/files/{file['id']}").body)
    assert again["recipe"]["options"]["strength"] == 0.5
    assert again["recipe"]["model"] == "microast/art"


def test_a_preview_is_small_and_at_once(browser, pair):
    path = f"/api/photos/{pair[0]}/stylize/preview"
    full, half = (
        browser.ask("POST", path, {"styles": [pair[1]], "side": 96, "options": {"strength": strength}})
        for strength in (1.0, 0.0)
    )
    assert (full.status, full.headers["content-type"], opened(full.body).size) == (200, "image/jpeg", (96, 72))
    plain = np.asarray(opened(browser.ask("GET", f"/api/photos/{pair[0]}/thumb").body).resize((96, 72)), float)
    change = [np.abs(np.asarray(opened(one.body), float) - plain).mean() for one in (full, half)]
    assert change[1] < 12 < change[0]


def test_only_where_the_mask_is(browser, pair):
    body = {"styles": [pair[1]], "use_mask": True, "side": 96}
    path = f"/api/photos/{pair[0]}/stylize/preview"
    assert browser.ask("POST", path, body).error == "wrong_option"
    mask = np.zeros((150, 200), np.uint8)
    mask[:, :100] = 255
    assert browser.ask("PUT", f"/api/photos/{pair[0]}/mask", encoded(mask)).status == 200
    masked, whole = (
        np.asarray(opened(browser.ask("POST", path, body | {"use_mask": use}).body), float) for use in (True, False)
    )
    plain = np.asarray(opened(browser.ask("GET", f"/api/photos/{pair[0]}/thumb").body).resize((96, 72)), float)
    assert np.abs(masked - plain)[:, 60:].mean() < 12 < np.abs(masked - plain)[:, :40].mean()
    assert np.abs(masked - whole)[:, :40].mean() < 4


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"styles": ["x" * 22]}, 404, "style_gone"),
        ({"styles": ["../x"]}, 422, "wrong_option"),
        ({"options": {"strength": 2}}, 422, "wrong_option"),
        ({"options": {"weights": [0]}}, 422, "wrong_option"),
        ({"options": {"weights": [1, 2]}}, 422, "wrong_option"),
        ({"options": {"magic": 2}}, 400, "bad_request"),
        ({"path": "/etc/passwd"}, 400, "bad_request"),
        ({"model": "gone/away"}, 422, "no_model"),
        ({"model": "colorize/faces"}, 422, "wrong_option"),
        (b"{", 400, "bad_request"),
        (b"[]", 422, "wrong_option"),
        (b'{"a":' * 400_000, 413, "too_big"),
    ],
    ids=str,
)
def test_wrong_wishes(browser, pair, body, status, code):
    if isinstance(body, dict):
        body = {"styles": [pair[1]]} | body
    answer = browser.ask("POST", f"/api/photos/{pair[0]}/stylize/preview", body)
    assert (answer.status, answer.error) == (status, code)
    assert answer.json["message"]


@pytest.mark.parametrize(
    ("path", "wish", "code", "detail"),
    [
        ("stylize", {"model": "gone/away"}, "no_model", "no_such_model"),
        ("stylize", {"model": "vgg19"}, "no_model", "no_such_model"),
        ("stylize", {"model": "colorize/faces"}, "no_model", "other_work"),
        ("stylize", {"styles": []}, "wrong_option", "no_style"),
        ("jobs", {"models": ["gone/away"]}, "no_model", "no_such_model"),
        ("jobs", {"models": ["gone/away", "segformer/parts"]}, "no_model", "other_work"),
        ("jobs", {"models": ["microast/art"], "styles": []}, "wrong_option", "no_style"),
        ("batches", {"recipe": {"kind": "stylize", "model": "gone/away"}}, "no_model", "no_such_model"),
        ("batches", {"recipe": {"kind": "stylize"}}, "wrong_option", "no_style"),
        ("batches", {"recipe": {"kind": "collage", "model": "microast/art"}}, "wrong_option", "no_style"),
        ("batches", {"recipe": {"kind": "collage", "model": "segformer/parts"}}, "no_model", "other_work"),
        ("textures", {"model": "gone/away"}, "no_model", "no_such_model"),
        ("textures", {"model": "faces2toon"}, "no_model", "other_work"),
        ("textures", {"model": "gatys"}, "wrong_option", "no_swatch"),
    ],
    ids=str,
)
def test_a_job_that_no_model_can_do_is_refused_at_once(browser, pair, path, wish, code, detail):
    route = f"/api/{path}" if path in ("batches", "textures") else f"/api/photos/{pair[0]}/{path}"
    own = {"batches": {"photos": [pair[0]]}, "textures": {}}.get(path, {"styles": [pair[1]]})
    answer = browser.ask("POST", route, own | wish)
    assert (answer.status, answer.error, answer.json["detail"]) == (422, code, detail)
    assert answer.json["message"]
    assert answer.json["hint"]
    assert browser.get("/api/jobs")["jobs"] == []


def test_a_model_that_came_since_is_found(ready, browser, pair):
    """What is known of the models is asked for anew before one is refused."""
    known = browser.get("/api/models")["models"]
    del ready.studio.models["faces2toon"]
    assert browser.done(browser.post(f"/api/photos/{pair[0]}/stylize", {"model": "faces2toon"}))["files"]
    assert set(ready.studio.models) == {one["name"] for one in known}


def test_a_result_has_a_small_picture(ready, browser, pair):
    large = browser.upload(photo(900, 600, "PNG"))["id"]
    batch = {"photos": [large], "recipe": {"kind": "stylize", "model": "faces2toon"}}
    one, whole = browser.done(browser.post("/api/batches", batch))["files"]
    answer = browser.ask("GET", f"/api/files/{one['id']}/thumb")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    small, saved = (opened(browser.ask("GET", f"/api/files/{one['id']}{end}").body) for end in ("/thumb", ""))
    assert (small.size, saved.size) == ((320, 213), (900, 600))
    assert difference(saved.convert("RGB").resize(small.size), small) < 4
    assert browser.ask("GET", f"/api/files/{whole['id']}/thumb").status == 404, "an archive has none"
    assert ready.browser().ask("GET", f"/api/files/{one['id']}/thumb").status == 404, "another session"
    assert browser.ask("DELETE", f"/api/files/{one['id']}").status == 204
    assert browser.ask("GET", f"/api/files/{one['id']}/thumb").status == 404


@pytest.mark.parametrize(
    ("body", "detail", "values"),
    [
        ({"side": 900}, "at_most", {"field": "side", "limit": 768}),
        ({"options": {"strength": -1}}, "at_least", {"field": "strength", "limit": 0}),
        ({"options": {"style_size": 20.5}}, "no_whole_number", {"field": "style_size"}),
        ({"options": {"strength": "much"}}, "no_number", {"field": "strength"}),
        ({"options": {"keep_colors": "all"}}, "no_such_choice", {"field": "keep_colors"}),
        ({"styles": ["x" * 22] * 9}, "too_many", {"field": "styles", "limit": 8}),
        ({"styles": ["x", "x" * 22]}, "no_id", {"field": "styles"}),
        ({"styles": [1]}, "", {}),
    ],
    ids=["most", "least", "whole", "number", "choice", "many", "id", "other"],
)
def test_what_is_wrong_with_a_value_is_told_in_a_form_that_any_language_can_say(browser, pair, body, detail, values):
    answer = browser.ask("POST", f"/api/photos/{pair[0]}/stylize/preview", body)
    assert (answer.status, answer.error) == (422, "wrong_option")
    assert (answer.json["detail"], answer.json["values"]) == (detail, values)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("stylize/preview", {"styles": ["../x"]}, "styles.0 is not an id of this studio."),
        ("stylize/preview", {"styles": ["x" * 22] * 9}, "styles: at most 8 can be chosen."),
        ("jobs", {"models": []}, "models: at least 1 must be chosen."),
        ("stylize/preview", {"side": 900}, "side: Input should be less than or equal to 768."),
    ],
    ids=["id", "many", "few", "most"],
)
def test_what_is_wrong_with_a_value_is_said_in_plain_words(browser, pair, path, body, message):
    answer = browser.ask("POST", f"/api/photos/{pair[0]}/{path}", body)
    assert (answer.status, answer.json["message"]) == (422, message)


def test_a_texture(browser, pair):
    body = {"swatches": [pair[1]], "size": [40, 30], "options": {"iterations": [2], "smallest_px": 32}}
    file = browser.done(browser.post("/api/textures", body))["files"][0]
    assert (file["width"], file["height"], file["name"]) == (40, 30, "picture-texture.png")
    answer = browser.post("/api/textures", body | {"options": {"colors": 3}})
    name, problem = browser.finish(answer)
    assert (name, problem) == (
        "error",
        {
            "error": "wrong_option",
            "message": "colors: Input should be 'style', 'luminance', 'coral' or 'histogram'.",
            "hint": "",
            "detail": "no_such_choice",
            "values": {"field": "colors"},
        },
    )


@pytest.mark.parametrize(("size", "swatches"), [([0, 5], 1), ([10**5, 10**5], 1), ([64, 64], 0)])
def test_textures_that_cannot_be(browser, pair, size, swatches):
    answer = browser.ask("POST", "/api/textures", {"size": size, "swatches": [pair[1]] * swatches})
    assert (answer.status, answer.error) == (422, "wrong_option")


def test_the_same_on_many(ready, browser, pair):
    many = [browser.upload(photo(100, 80), "?parts=0&name=a.jpg")["id"] for _ in range(2)]
    body = {"photos": many, "recipe": {"kind": "stylize", "styles": [pair[1]]}, "save": {"format": "jpeg"}}
    events = list(browser.listen(f"/api/jobs/{browser.post('/api/batches', body)['id']}/events"))
    items = [data for _, name, data in events if name == "item"]
    assert [(item["number"], item["total"], item["photo"]) for item in items] == [(1, 2, many[0]), (2, 2, many[1])]
    done = events[-1][2]
    assert (done["failed"], len(done["files"]), done["files"][-1]["type"]) == (0, 3, "application/zip")
    with zipfile.ZipFile(io.BytesIO(browser.ask("GET", f"/api/files/{done['files'][-1]['id']}").body)) as archive:
        assert archive.namelist() == ["a-microast-art.jpg", "a-microast-art-2.jpg"]
        assert opened(archive.read("a-microast-art-2.jpg")).size == (100, 80)
    one, other, whole = done["files"]
    assert (whole["holds"], whole["bytes"]) == ([one["id"], other["id"]], one["bytes"] + other["bytes"])
    session = ready.studio.store.session(next(iter(browser.cookies.values())))
    assert [path.name for path in session.place(whole["id"]).iterdir()] == ["file.json"], "no second copy"
    assert browser.ask("DELETE", f"/api/files/{one['id']}").status == 204
    assert disk.size_of(session.folder) == session.bytes
    assert browser.get("/api/files")["files"] == [whole | {"holds": [other["id"]], "bytes": other["bytes"]}, other]
    with zipfile.ZipFile(io.BytesIO(browser.ask("GET", f"/api/files/{whole['id']}").body)) as archive:
        assert archive.namelist() == ["a-microast-art.jpg"]
        assert archive.testzip() is None
    assert browser.ask("DELETE", f"/api/files/{other['id']}").status == 204
    assert browser.get("/api/files")["files"] == [], "an archive of nothing is none"


def test_a_full_session_is_emptied_by_removing_its_results(ready, browser, pair):
    file = browser.done(stylized(browser, pair))["files"][0]
    session = ready.studio.store.session(next(iter(browser.cookies.values())))
    full = Limits(session_bytes=session.bytes)
    with pytest.raises(Refusal, match="GB"):
        session.check_bytes(full)
    assert browser.ask("DELETE", "/api/files").status == 204
    assert browser.get("/api/files")["files"] == []
    assert not session.place(file["id"]).exists()
    session.check_bytes(full)


def test_a_batch_goes_on_after_a_picture_that_fails(ready, browser, pair):
    many = [browser.upload(photo(100, 80))["id"] for _ in range(2)]
    session = ready.studio.store.session(next(iter(browser.cookies.values())))
    (session.photos[many[0]].folder / "original").write_bytes(b"damaged")
    body = {"photos": many, "recipe": {"kind": "stylize", "styles": [pair[1]]}}
    events = list(browser.listen(f"/api/jobs/{browser.post('/api/batches', body)['id']}/events"))
    items = [data for _, name, data in events if name == "item"]
    assert [item["problem"] and item["problem"]["error"] for item in items] == ["not_a_picture", None]
    assert str(session.folder) not in str(items)
    assert (events[-1][1], events[-1][2]["failed"], len(events[-1][2]["files"])) == ("done", 1, 2)


# The queue, and who listens


def test_events_come_again_from_where_somebody_left(browser, pair):
    job = stylized(browser, pair)
    path = f"/api/jobs/{job['id']}/events"
    all_of_them = list(browser.listen(path))
    again = list(browser.listen(path, after=all_of_them[0][0]))
    assert again == [event for event in list(browser.listen(path)) if event[0] > all_of_them[0][0]]
    assert again[-1] == all_of_them[-1]
    last = browser.ask("GET", path, headers={"Last-Event-ID": str(all_of_them[-1][0])})
    assert (last.status, last.body) == (204, b""), "204 keeps an EventSource from coming back"
    assert browser.ask("GET", path, headers={"Last-Event-ID": "x"}).status == 400


def test_one_stream_tells_of_all_jobs_of_a_session(ready, browser, pair):
    first = stylized(browser, pair)
    browser.done(first)
    apart = list(browser.listen(f"/api/jobs/{first['id']}/events"))
    stranger = ready.browser()
    stranger.done(stylized(stranger, [stranger.upload(photo())["id"]] * 2))
    events = browser.listen("/api/events")
    told = [next(events) for _ in apart]
    expected = [(number, "job", {"job": first["id"], "event": name, "data": data}) for number, name, data in apart]
    assert told == expected, "a job that has just ended is told of from its beginning"
    second, third = slow(browser, pair[1]), stylized(browser, pair)
    seen = {first["id"]: "done"}
    for number, _, data in events:
        assert number > told[-1][0], "numbers grow, whatever job they are of"
        told.append((number, "job", data))
        seen[data["job"]] = data["event"]
        if data["job"] == second["id"] and data["event"] == "progress" and data["data"]["done"] > 0:
            browser.ask("DELETE", f"/api/jobs/{second['id']}")
        if len(seen) == 3 and set(seen.values()) <= {"done", "cancelled"}:
            break
    assert seen == {first["id"]: "done", second["id"]: "cancelled", third["id"]: "done"}
    job = ready.studio.engine.jobs[second["id"]]
    assert job.listeners == 1
    events.close()
    until(lambda: job.listeners == 0)
    again = browser.listen("/api/events", after=told[-2][0])
    assert next(again) == told[-1], "who comes back goes on where it was"
    again.close()


def test_who_listens_to_a_session_listens_to_each_job(tmp_path):
    with running(tmp_path / "home", leave_s=1.0) as studio:
        browser = studio.browser()
        events = browser.listen("/api/events")
        job = slow(browser, browser.upload(photo())["id"])
        assert next(events)[2] == {"job": job["id"], "event": "queued", "data": {"place": 0}}
        wanted = studio.studio.engine.jobs[job["id"]]
        assert (wanted.listeners, wanted.leaving) == (1, None)
        events.close()
        until(lambda: wanted.cancelled)


def test_a_job_is_cancelled_while_it_works(browser, pair):
    job = slow(browser, pair[1])
    events = browser.listen(f"/api/jobs/{job['id']}/events")
    next(event for event in events if event[1] == "progress" and event[2]["done"] > 0)
    assert browser.ask("DELETE", f"/api/jobs/{job['id']}").status == 200
    assert list(events)[-1][1] == "cancelled"
    assert browser.get(f"/api/jobs/{job['id']}")["state"] == "cancelled"
    assert browser.done(stylized(browser, pair))["files"], "the process works on"


def test_a_job_is_cancelled_while_it_waits(browser, pair):
    first, second = slow(browser, pair[1]), stylized(browser, pair)
    events = browser.listen(f"/api/jobs/{second['id']}/events")
    assert next(events)[1:] == ("queued", {"place": 1})
    browser.ask("DELETE", f"/api/jobs/{second['id']}")
    assert [name for _, name, _ in events] == ["cancelled"]
    browser.ask("DELETE", f"/api/jobs/{first['id']}")
    assert browser.finish(first)[0] == "cancelled"


def test_a_picture_that_is_deleted_takes_its_jobs_along(browser, pair):
    job = slow(browser, pair[1])
    until(lambda: browser.get(f"/api/jobs/{job['id']}")["done"] > 0)
    assert browser.ask("DELETE", f"/api/photos/{pair[1]}").status == 204
    assert browser.finish(job)[0] == "cancelled"


def test_jobs_of_another_session_are_not_found(ready, browser, pair):
    job, stranger = stylized(browser, pair), ready.browser()
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events")):
        assert stranger.ask(method, f"/api/jobs/{job['id']}{path}").status == 404
    assert stranger.get("/api/jobs")["jobs"] == []
    file = browser.done(job)["files"][0]
    assert stranger.ask("GET", f"/api/files/{file['id']}").status == 404
    assert [one["id"] for one in browser.get("/api/jobs")["jobs"]] == [job["id"]]


def test_too_many_jobs(tmp_path):
    with running(tmp_path / "home", queue=3, limits=Limits(waiting=2)) as studio:
        studio.ready()
        browsers = [studio.browser() for _ in range(3)]
        swatches = [browser.upload(photo())["id"] for browser in browsers]
        first = slow(browsers[0], swatches[0])
        until(lambda: browsers[0].get(f"/api/jobs/{first['id']}")["state"] == "working")
        slow(browsers[0], swatches[0])
        slow(browsers[1], swatches[1])
        slow(browsers[1], swatches[1])
        body = LONG | {"swatches": [swatches[0]]}
        own = browsers[0].ask("POST", "/api/textures", body)
        assert (own.status, own.error) == (429, "busy")
        assert "2 jobs" in own.json["message"]
        assert 1 <= int(own.headers["retry-after"]) <= 120
        everybody = browsers[2].ask("POST", "/api/textures", body | {"swatches": [swatches[2]]})
        assert (everybody.status, everybody.error) == (429, "busy")
        assert "3 jobs" in everybody.json["message"]
        assert browsers[2].ask("POST", "/api/photos", photo()).status == 201, "pictures still come"


def test_work_ends_when_the_tab_is_closed(tmp_path):
    with running(tmp_path / "home", leave_s=5.0) as studio:
        browser = studio.browser()
        job = slow(browser, browser.upload(photo())["id"])
        for _ in range(2):  # a page that is loaded again comes back in time
            events = browser.listen(f"/api/jobs/{job['id']}/events")
            next(events)
            events.close()
        assert browser.get(f"/api/jobs/{job['id']}")["state"] != "cancelled"
        until(lambda: browser.get(f"/api/jobs/{job['id']}")["state"] == "cancelled")


def test_who_comes_back_in_time_starts_the_wait_anew(tmp_path):
    """Somebody who left, came back and has just left again is waited for in full."""
    with running(tmp_path / "home", leave_s=9.0) as studio:
        browser = studio.browser()
        job = slow(browser, browser.upload(photo())["id"])

        def listened(seconds):
            events = browser.listen(f"/api/jobs/{job['id']}/events")
            next(events)
            time.sleep(seconds)
            events.close()

        wanted = studio.studio.engine.jobs[job["id"]]
        listened(0)
        until(lambda: wanted.leaving is not None)
        first = time.monotonic()
        listened(4.5)
        until(lambda: wanted.leaving is not None)
        left = time.monotonic()
        assert left - first < 8.9, "the machine is too slow to tell the two waits apart"
        time.sleep(first + 9.5 - time.monotonic())  # past the end of the first wait
        assert not wanted.cancelled
        until(lambda: wanted.cancelled)
        assert time.monotonic() - left > 8.8


def test_work_goes_on_that_nobody_ever_listened_to(tmp_path):
    with running(tmp_path / "home", leave_s=0.1) as studio:
        studio.ready()
        browser = studio.browser()
        body = {"swatches": [browser.upload(photo())["id"]], "size": [64, 64], "options": {"iterations": [3]}}
        job = browser.post("/api/textures", body)
        until(lambda: browser.get(f"/api/jobs/{job['id']}")["state"] == "done")


def test_of_many_wishes_for_a_preview_the_newest_is_met(ready, browser, pair):
    path, answers = f"/api/photos/{pair[0]}/stylize/preview", list[int]()
    body = {"styles": [pair[1]], "side": 256}
    assert browser.ask("POST", path, body).status == 200

    def ask(number):
        answers.append(browser.ask("POST", path, body | {"options": {"strength": number / 20}}).status)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {200, 409}
    assert browser.ask("POST", path, body).status == 200


def test_a_preview_does_not_wait_for_a_job(browser, pair):
    job = slow(browser, pair[1])
    until(lambda: browser.get(f"/api/jobs/{job['id']}")["state"] == "working")
    answer = browser.ask("POST", f"/api/photos/{pair[0]}/stylize/preview", {"styles": [pair[1]], "side": 64})
    assert answer.status == 200
    assert browser.get(f"/api/jobs/{job['id']}")["state"] == "working"
    browser.ask("DELETE", f"/api/jobs/{job['id']}")
    browser.finish(job)
