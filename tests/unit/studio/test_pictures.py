"""Pictures come in: of which formats, how large, how many at once; masks."""

import http.client
import io
import struct
import threading
import urllib.parse
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageOps
from studios import Browser, encoded, opened, photo, running, until
from stylizers import made_photo
from unit import picture_corpus as corpus

from sfumato.image import exif
from sfumato.studio.schema import Limits
from sfumato.studio.studio import BYTES_PER_PIXEL

SMALL = Limits(upload_bytes=30_000, pixels=100_000, photos=3)
GREY = np.zeros((120, 160), np.uint8)


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A studio that takes little."""
    with running(tmp_path_factory.mktemp("strict") / "home", limits=SMALL) as studio:
        yield studio


def left(studio):
    """Files that lie about in the folder for what lives for a moment."""
    return [path for path in studio.studio.store.passing.iterdir() if path.suffix != ".log"]


def png_header(width, height):
    """A PNG of that size by its header, with nothing behind it."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data))
    pixels = b"IDAT" + zlib.compress(b"\0" * 1000)
    return start + struct.pack(">I", len(pixels) - 4) + pixels + struct.pack(">I", zlib.crc32(pixels))


# What comes


@pytest.mark.parametrize(("form", "kind"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("AVIF", "avif")])
def test_formats(browser, form, kind):
    made = browser.upload(photo(form=form), "?name=My%20photo.x&parts=0")
    assert (made["type"], made["size"], made["work"]) == (f"image/{kind}", [160, 120], [160, 120])
    assert (made["name"], made["transparent"], made["bits"]) == ("My photo.x", False, 8)
    preview = browser.ask("GET", f"/api/photos/{made['id']}/preview")
    assert (preview.headers["content-type"], opened(preview.body).size) == ("image/jpeg", (160, 120))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture at all",
        b"https://example.org/photo.jpg",
        b"file:///etc/passwd",
        b"/etc/passwd",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
        b"PK\x03\x04" + bytes(60),
        photo(form="GIF"),
        photo(form="TIFF"),
        photo(form="BMP"),
        photo(form="PPM"),
        photo(form="JPEG")[:900],
        photo(form="PNG")[:-4000],
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_picture_of_the_formats(shared, browser, content):
    answer = browser.ask("POST", "/api/photos", content)
    assert (answer.status, answer.error) == (415, "not_a_picture")
    assert "/" not in answer.json["message"].replace("AV/IF", ""), "where a file lies is nobody's business"
    assert browser.get("/api/photos")["photos"] == []
    until(lambda: left(shared) == [])  # sessions that went before are being cleared away meanwhile


@pytest.mark.parametrize(
    ("content", "detail", "message"),
    [
        (photo(form="TIFF"), "tiff", "Is a TIFF, which is not taken here: save it as JPEG, PNG, WebP or AVIF"),
        (b"II*\0\x08\0\0\0", "tiff", "Is a TIFF, which is not taken here: save it as JPEG, PNG, WebP or AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic", "Is an HEIC picture, which cannot be read: export it as"),
        (b"8BPS\0\x01", "unknown", "Is a Photoshop document: export it as PNG"),
        (photo(form="GIF"), "unknown", "Is not a picture of a known format (JPEG, PNG, WebP, AVIF), or its beginning"),
    ],
    ids=["tiff", "damaged-tiff", "heic", "photoshop", "gif"],
)
def test_what_a_picture_is_that_is_not_taken(browser, content, detail, message):
    """Nothing is proposed that the studio does not take either."""
    answer = browser.ask("POST", "/api/photos", content)
    assert (answer.error, answer.json["detail"]) == ("not_a_picture", detail)
    assert answer.json["message"].startswith(message)


def test_only_the_first_frame_is_read(browser):
    frames = [Image.fromarray(np.full((80, 90, 3), value, np.uint8)) for value in (40, 200, 250)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    made = browser.upload(buffer.getvalue())
    (note,) = made["notes"]
    assert note == {"code": "frames", "message": "Only the first of 3 frames is used.", "values": {"frames": 3}}
    seen = np.asarray(opened(browser.ask("GET", f"/api/photos/{made['id']}/preview").body))
    assert abs(int(seen.mean()) - 40) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_upright(browser, orientation):
    tags = Image.Exif()
    tags[exif.ORIENTATION] = orientation
    content = encoded(made_photo(80, 120), "JPEG", exif=tags)
    wanted = np.asarray(ImageOps.exif_transpose(opened(content)), float)
    made = browser.upload(content)
    seen = np.asarray(opened(browser.ask("GET", f"/api/photos/{made['id']}/preview").body), float)
    assert made["size"] == [120, 80] if orientation < 5 else [80, 120]
    assert seen.shape == wanted.shape
    assert np.abs(seen - wanted).mean() < 8


def test_transparency_is_seen(browser):
    made = browser.upload(encoded(made_photo(80, 100, 4)))
    preview = browser.ask("GET", f"/api/photos/{made['id']}/preview")
    assert made["transparent"]
    assert (preview.headers["content-type"], opened(preview.body).mode) == ("image/webp", "RGBA")


def test_large_photos_are_worked_on_smaller(browser):
    made = browser.upload(photo(3000, 1500))
    assert (made["size"], made["work"]) == ([3000, 1500], [1536, 768])
    assert opened(browser.ask("GET", f"/api/photos/{made['id']}/preview").body).size == (1536, 768)
    assert opened(browser.ask("GET", f"/api/photos/{made['id']}/thumb").body).size == (320, 160)


def test_the_place_is_noted_and_looked_at_nowhere(browser):
    tags = Image.Exif()
    tags[0x010F] = "Camera"
    tags.get_ifd(exif.GPS_IFD)[1] = "N"
    made = browser.upload(photo(exif=tags))
    assert (made["has_camera"], made["has_place"]) == (True, True)
    assert not dict(opened(browser.ask("GET", f"/api/photos/{made['id']}/preview").body).getexif())


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../evil.png", "evil.png"),
        ("C:\\Users\\me\\a.jpg", "a.jpg"),
        ("a\x00b\nc.jpg", "abc.jpg"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("", "picture"),
        ("..", "picture"),
        ("x" * 500, "x" * 100),
        ("Ångström.jpg", "Ångström.jpg"),
    ],
    ids=repr,
)
def test_names_are_only_shown(shared, browser, given, shown):
    made = browser.upload(photo(), f"?parts=0&name={urllib.parse.quote(given)}")
    assert made["name"] == shown
    names = [path.name for path in shared.studio.store.session(next(iter(browser.cookies.values()))).folder.rglob("*")]
    assert not [name for name in names if "evil" in name or "ngstr" in name]


def test_ids_are_random(browser):
    ids = {browser.upload(photo())["id"] for _ in range(3)}
    assert len(ids) == 3
    assert {len(one) for one in ids} == {22}


# What is too much


def test_too_many_bytes(strict):
    answer = strict.browser().ask("POST", "/api/photos", photo(300, 300, "PNG"))
    assert (answer.status, answer.error) == (413, "too_big")
    assert answer.json["message"] == "The file has more than 0 MB."
    assert left(strict) == []


def test_too_many_bytes_that_nobody_announced(strict):
    """Chunks without a length are counted while they come, and never kept."""
    connection = http.client.HTTPConnection("127.0.0.1", strict.port, timeout=60)
    most = []

    def chunks():
        for _ in range(20):
            yield bytes(10_000)
            most.extend(path.stat().st_size for path in left(strict))

    connection.request("POST", "/api/photos", chunks(), {"X-Studio": "1"}, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, b"too_big" in answer.read()) == (413, True)
    connection.close()
    assert max(most, default=0) <= SMALL.upload_bytes
    assert left(strict) == []


def test_an_announced_flood_is_refused_unread(strict):
    connection = http.client.HTTPConnection("127.0.0.1", strict.port, timeout=60)
    connection.putrequest("POST", "/api/photos")
    connection.putheader("X-Studio", "1")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("size", [(20_000, 20_000), (1000, 101), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_by_the_header_alone(strict, size):
    answer = strict.browser().ask("POST", "/api/photos", png_header(*size))
    assert (answer.status, answer.error) == (413, "too_many_pixels")
    assert f"{size[0]} x {size[1]} pixels" in answer.json["message"]


def test_too_small(strict):
    answer = strict.browser().ask("POST", "/api/photos", photo(63, 200))
    assert (answer.status, answer.error) == (422, "too_small")


def test_a_session_has_so_many_pictures(strict):
    browser = strict.browser()
    made = [browser.upload(photo()) for _ in range(SMALL.photos)]
    answer = browser.ask("POST", "/api/photos", photo())
    assert (answer.status, answer.error) == (507, "session_full")
    assert browser.ask("DELETE", f"/api/photos/{made[0]['id']}").status == 204
    browser.upload(photo())
    strict.browser().upload(photo())


def test_a_session_has_so_many_bytes(tmp_path):
    with running(tmp_path / "home", limits=Limits(session_bytes=20_000)) as studio:
        browser = studio.browser()
        browser.upload(photo())
        answer = browser.ask("POST", "/api/photos", photo())
        assert (answer.status, answer.error) == (507, "session_full")


def test_who_hangs_up_leaves_nothing(shared, browser):
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=60)
    connection.putrequest("POST", "/api/photos")
    for name, value in {"X-Studio": "1", "Content-Length": "100000"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(bytes(5000))
    until(lambda: left(shared))
    connection.close()
    until(lambda: not left(shared))


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/photos"), ("POST", "/api/textures")])
def test_who_sends_no_more_is_not_waited_for(tmp_path, method, path):
    with running(tmp_path / "home", stall_s=0.3) as studio:
        connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=60)
        connection.putrequest(method, path)
        for name, value in {"X-Studio": "1", "Content-Length": "100000"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(bytes(5000))
        answer = connection.getresponse()
        assert (answer.status, b"bad_request" in answer.read()) == (400, True)
        connection.close()
        assert left(studio) == []


def test_fifty_uploads_at_once(shared, browser):
    contents = [encoded(made_photo(300, 400, seed=number), "JPEG") for number in range(50)]
    with ThreadPoolExecutor(50) as pool:
        made = list(pool.map(lambda pair: browser.upload(pair[1], f"?parts=0&name={pair[0]}"), enumerate(contents)))
    assert len({one["id"] for one in made}) == 50
    assert {one["name"] for one in browser.get("/api/photos")["photos"]} == {str(number) for number in range(50)}
    until(lambda: left(shared) == [])  # sessions that went before are being cleared away meanwhile
    assert shared.studio.budget.used == 0


def test_memory_is_shared_by_those_who_read(tmp_path):
    """Of six pictures that each take a third of the memory, no more than three are read at once."""
    with running(tmp_path / "home", decode_bytes=3 * BYTES_PER_PIXEL * 400 * 300) as studio:
        browser, used, over = studio.browser(), [], threading.Event()

        def watch():
            while not over.wait(0.001):
                used.append(studio.studio.budget.used)

        watcher = threading.Thread(target=watch)
        watcher.start()
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: browser.upload(photo(400, 300)), range(6)))
        over.set()
        watcher.join()
        assert 0 < max(used) <= 3 * BYTES_PER_PIXEL * 400 * 300


# Zones


def test_a_mask_comes_back_as_it_was_sent(browser):
    made = browser.upload(photo())
    path, values = f"/api/photos/{made['id']}/mask", made_photo(120, 160)[..., 0]
    assert browser.ask("GET", path).status == 404
    answer = browser.ask("PUT", path, encoded(values))
    count = int((values >= 128).sum())
    assert answer.json == {"width": 160, "height": 120, "pixels": count, "share": count / values.size}
    kept = opened(browser.ask("GET", path).body)
    assert kept.mode == "L"
    assert np.array_equal(np.asarray(kept), values)
    assert browser.get(f"/api/photos/{made['id']}")["mask"] == answer.json


def test_a_mask_as_a_canvas_writes_it(browser):
    made = browser.upload(photo())
    values = made_photo(120, 160)[..., 0]
    canvas = np.dstack([values, values, values, np.full_like(values, 255)])
    assert browser.ask("PUT", f"/api/photos/{made['id']}/mask", encoded(canvas)).status == 200
    kept = opened(browser.ask("GET", f"/api/photos/{made['id']}/mask").body)
    assert np.array_equal(np.asarray(kept), values)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (encoded(GREY[:-1]), 422, "wrong_size"),
        (encoded(GREY.T), 422, "wrong_size"),
        (png_header(30_000, 30_000), 422, "wrong_size"),
        (encoded(GREY, "JPEG"), 422, "not_a_mask"),
        (encoded(GREY.astype(np.uint16)), 422, "not_a_mask"),
        (encoded(np.zeros((120, 160, 4), np.uint8)), 422, "not_a_mask"),
        (b"", 422, "not_a_mask"),
        (encoded(GREY)[:60], 422, "not_a_mask"),
        (bytes(9_000_000), 413, "too_big"),
    ],
    ids=["short", "turned", "bomb", "jpeg", "deep", "transparent", "nothing", "cut", "large"],
)
def test_what_is_no_mask(shared, browser, content, status, code):
    made = browser.upload(photo())
    answer = browser.ask("PUT", f"/api/photos/{made['id']}/mask", content)
    assert (answer.status, answer.error) == (status, code)
    assert browser.get(f"/api/photos/{made['id']}")["mask"] is None
    until(lambda: left(shared) == [])  # sessions that went before are being cleared away meanwhile


def test_parts_are_looked_for_again(ready, browser):
    made = browser.upload(photo())
    path = f"/api/photos/{made['id']}/parts"
    first = browser.post(path, None)
    assert browser.post(path, None)["id"] == first["id"] or browser.get(f"/api/jobs/{first['id']}")["state"] == "done"
    browser.done(first)
    assert browser.done(browser.post(path, None))["status"]["state"] == "no_person"


def test_a_search_that_was_cancelled_ends_until_it_is_asked_for_anew(ready, browser):
    made = browser.upload(photo(1500, 1500), "")
    job = made["status"]["job"]
    browser.ask("DELETE", f"/api/jobs/{job}")
    ended = browser.finish({"id": job})[0]
    jobs = browser.get("/api/jobs")["jobs"]
    status = browser.get(f"/api/photos/{made['id']}/status")
    assert (status["state"], status["job"]) == ("none" if ended == "cancelled" else "no_person", None)
    assert browser.get("/api/jobs")["jobs"] == jobs, "to look is not to ask"
    browser.done(browser.post(f"/api/photos/{made['id']}/parts", None))
    assert browser.get(f"/api/photos/{made['id']}/status")["state"] == "no_person"


def test_a_picture_that_was_deleted_is_gone(shared, browser):
    made = browser.upload(photo())
    folder = shared.studio.store.session(next(iter(browser.cookies.values()))).photos[made["id"]].folder
    assert browser.ask("DELETE", f"/api/photos/{made['id']}").status == 204
    assert not folder.exists()
    for path in ("", "/preview", "/thumb", "/status", "/mask", "/labels.png"):
        assert browser.ask("GET", f"/api/photos/{made['id']}{path}").status == 404


def test_parts_are_looked_for(ready, browser):
    made = browser.upload(photo(), "")
    assert made["status"]["state"] in ("waiting", "loading", "parsing")
    data = browser.done({"id": made["status"]["job"]})
    status = browser.get(f"/api/photos/{made['id']}/status")
    assert data["status"] == status
    assert status["state"] == "no_person"
    assert [part["name"] for part in status["parts"]][:3] == ["background", "hat", "hair"]
    labels = opened(browser.ask("GET", f"/api/photos/{made['id']}/labels.png").body)
    assert (labels.mode, labels.size, np.asarray(labels).max()) == ("L", (160, 120), 0)


def test_parts_that_were_found_again_are_not_those_that_a_browser_has_kept(ready, browser):
    made = browser.upload(photo(), "")
    browser.done({"id": made["status"]["job"]})
    path = f"/api/photos/{made['id']}/labels.png"
    first = browser.ask("GET", path)
    assert first.headers["cache-control"] == "private, no-cache"
    kept = {"If-None-Match": first.headers["etag"]}
    same = browser.ask("GET", path, headers=kept)
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", first.headers["etag"])
    browser.done(browser.post(f"/api/photos/{made['id']}/parts", None))
    again = browser.ask("GET", path, headers=kept)
    assert again.status == 200
    assert again.headers["etag"] != first.headers["etag"]


def test_parts_are_looked_for_when_somebody_asks(ready, browser):
    made = browser.upload(photo())
    assert made["status"]["state"] == "none"
    assert browser.ask("GET", f"/api/photos/{made['id']}/labels.png").status == 404
    for path in ("", "/status"):  # which begin nothing
        browser.get(f"/api/photos/{made['id']}{path}")
    assert browser.get("/api/jobs")["jobs"] == []
    job = browser.post(f"/api/photos/{made['id']}/parts", None)
    assert browser.get(f"/api/photos/{made['id']}/status")["job"] in (job["id"], None)
    assert browser.done(job)["status"]["state"] == "no_person"


def test_a_browser_without_cookies_gets_a_session(shared):
    nobody = Browser(shared.port)
    nobody.upload(photo())
    assert len(nobody.get("/api/photos")["photos"]) == 1


def test_a_profile_that_cannot_be_used_is_told(browser):
    def note_of(icc):
        buffer = io.BytesIO()
        Image.fromarray(np.full((80, 90, 3), 90, np.uint8)).save(buffer, "JPEG", icc_profile=icc)
        return [note["code"] for note in browser.upload(buffer.getvalue())["notes"]]

    assert (note_of(corpus.profile()), note_of(b"damaged" * 40), note_of(None)) == ([], ["profile"], [])
