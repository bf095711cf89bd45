"""Variants: drawn, blended anew, saved at full size."""

import numpy as np
import pytest
from PIL import Image
from studios import encoded, opened, photo, running
from stylizers import made_photo
from unit import picture_corpus as corpus

from sfumato.studio.bench import CAREFUL_TILE, Bench
from sfumato.studio.notes import note
from sfumato.studio.problems import Refusal
from sfumato.studio.schema import GATYS, Limits

LEFT = np.zeros((150, 200), np.uint8)
LEFT[40:110, 20:90] = 255


@pytest.fixture
def painted(ready, browser):
    """A photo of which a zone was painted; and its pixels."""
    content = encoded(made_photo(150, 200))
    made = browser.upload(content)
    assert browser.ask("PUT", f"/api/photos/{made['id']}/mask", encoded(LEFT)).status == 200
    return made["id"], np.asarray(opened(content))


def pixels(answer):
    assert answer.status == 200, answer.body
    return np.asarray(opened(answer.body).convert("RGB"), int)


def drawn(browser, photo_id, **chosen):
    """The variants of a job that must succeed."""
    body = {"models": ["faces2toon"]} | chosen
    events = list(browser.listen(f"/api/jobs/{browser.post(f'/api/photos/{photo_id}/jobs', body)['id']}/events"))
    assert events[-1][1] == "done", events[-1]
    return events


def test_each_model_with_each_filter(browser, painted):
    style = browser.upload(photo(90, 90))["id"]
    body = {"models": ["faces2toon", "microast/art"], "filters": ["none", "warm"], "styles": [style]}
    events = drawn(browser, painted[0], **body)
    made = [data for _, name, data in events if name == "variant"]
    assert [(one["number"], one["total"]) for one in made] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    variants = [one["variant"] for one in made]
    assert [(one["model"], one["options"]["filter"]) for one in variants] == [
        ("faces2toon", "none"),
        ("faces2toon", "warm"),
        ("microast/art", "none"),
        ("microast/art", "warm"),
    ]
    assert variants[1]["name"] == "faces2toon, warm"
    assert events[-1][2]["variants"] == [one["id"] for one in variants]
    assert browser.get(f"/api/photos/{painted[0]}")["variants"] == variants
    shown = [pixels(browser.ask("GET", f"/api/variants/{one['id']}/preview")) for one in variants]
    assert all(one.shape == (150, 200, 3) for one in shown)
    assert np.abs(shown[0] - shown[2]).mean() > 1
    assert opened(browser.ask("GET", f"/api/variants/{variants[0]['id']}/thumb").body).size == (200, 150)
    assert browser.get(f"/api/variants/{variants[0]['id']}") == variants[0]


def test_a_variant_knows_its_styles_when_another_was_drawn_since(browser, painted):
    """The same on a folder is planned from them; those that are gone are named."""
    first, second = (browser.upload(encoded(made_photo(90, 90, seed=seed)))["id"] for seed in (5, 6))
    events = [drawn(browser, painted[0], models=["microast/art"], styles=[style]) for style in (first, second)]
    one, other = (data["variant"] for made in events for _, name, data in made if name == "variant")
    assert (one["styles"], other["styles"]) == ([first], [second])
    assert browser.get(f"/api/variants/{one['id']}")["styles"] == [first]
    recipe = {"kind": "collage", "model": one["model"], "styles": one["styles"], "options": one["options"]}
    browser.ask("DELETE", f"/api/photos/{first}")
    assert browser.get(f"/api/variants/{one['id']}")["styles"] == [first]
    answer = browser.ask("POST", "/api/batches", {"photos": [painted[0]], "recipe": recipe})
    assert (answer.status, answer.error) == (404, "style_gone")


def test_a_variant_by_optimisation(tmp_path):
    """What the process does for `gatys`, in two iterations."""
    heard = list[int]()
    bench = Bench("cpu", lambda done, total: heard.append(done), lambda model, size: None)
    content, style, zone, out = (tmp_path / name for name in ("work.png", "style.png", "zone.png", "out"))
    for path, pixels in ((content, made_photo(150, 200)), (style, made_photo(90, 90, seed=5)), (zone, LEFT)):
        path.write_bytes(encoded(pixels))
    out.mkdir()
    given = {"work": str(content), "folder": str(out), "mask": str(zone), "parts": None, "styles": [str(style)]}
    values, _ = bench.do("variant", given | {"model": GATYS, "options": {"size": 96, "iterations": [2]}})
    assert len(heard) == 2
    assert (values["width"], values["height"], values["note"]) == (200, 150, None)
    drawn = np.asarray(Image.open(out / "drawn.png"), int)
    change = np.abs(drawn - np.asarray(opened(encoded(made_photo(150, 200))), int)).max(2)
    assert change[60:90, 40:70].mean() > 5


def test_a_variant_by_optimisation_takes_as_many_iterations_as_are_asked_for(browser, painted):
    style = browser.upload(photo(90, 90))["id"]
    options = {"iterations": [2], "size": 64}
    (variant,) = [
        data["variant"]
        for _, name, data in drawn(browser, painted[0], models=[GATYS], styles=[style], options=options)
        if name == "variant"
    ]
    assert variant["options"]["iterations"] == [2]
    body = {"models": [GATYS], "styles": [style], "options": {"iterations": [0]}}
    assert browser.ask("POST", f"/api/photos/{painted[0]}/jobs", body).error == "wrong_option"


def test_only_the_zone_is_drawn(browser, painted):
    (variant,) = [data["variant"] for _, name, data in drawn(browser, painted[0]) if name == "variant"]
    assert variant["mask"]["share"] == pytest.approx(LEFT.mean() / 255, abs=0.05)
    file = browser.done(browser.post(f"/api/variants/{variant['id']}/export", {"options": {}}))["files"][0]
    saved = pixels(browser.ask("GET", f"/api/files/{file['id']}"))
    change = np.abs(saved - painted[1]).max(2)
    assert saved.shape == painted[1].shape
    assert change[:, 130:].max() == 0, "far from the zone the photo is what it was, byte for byte"
    assert change[60:90, 40:70].mean() > 5


def test_what_is_saved_has_the_own_values_of_the_photo(browser, ready):
    """Colours outside sRGB, too, in the profile that they came in."""
    vivid = np.random.default_rng(3).integers(0, 256, (150, 200, 3)).astype(np.uint8)
    icc = corpus.profile()
    photo_id = browser.upload(encoded(vivid, icc_profile=icc))["id"]
    assert browser.ask("PUT", f"/api/photos/{photo_id}/mask", encoded(LEFT)).status == 200
    (variant,) = [data["variant"] for _, name, data in drawn(browser, photo_id) if name == "variant"]
    file = browser.done(browser.post(f"/api/variants/{variant['id']}/export", {"options": {}}))["files"][0]
    saved = opened(browser.ask("GET", f"/api/files/{file['id']}").body)
    assert saved.info["icc_profile"] == icc
    np.testing.assert_array_equal(np.asarray(saved)[:, 130:], vivid[:, 130:])
    assert (np.asarray(saved) != vivid)[60:90, 40:70].any()


def test_a_slider_blends_anew(browser, painted):
    (variant,) = [data["variant"] for _, name, data in drawn(browser, painted[0]) if name == "variant"]
    path = f"/api/variants/{variant['id']}/blend"
    shown = {share: pixels(browser.ask("POST", path, {"options": {"strength": share}})) for share in (0.0, 0.5, 1.0)}
    plain = pixels(browser.ask("GET", f"/api/photos/{painted[0]}/preview"))
    inside = np.s_[60:90, 40:70]
    change = {share: np.abs(one - plain)[inside].mean() for share, one in shown.items()}
    assert change[0.0] < 2 < change[0.5] < change[1.0]
    np.testing.assert_array_equal(pixels(browser.ask("POST", path, {})), shown[variant["options"]["strength"]])
    assert browser.ask("POST", path, {"options": {"strength": 2}}).error == "wrong_option"
    assert browser.ask("POST", path, {"options": {"blend": "poisson"}}).error == "wrong_option"


def test_a_cut_out(browser, painted):
    (variant,) = [data["variant"] for _, name, data in drawn(browser, painted[0]) if name == "variant"]
    path = f"/api/variants/{variant['id']}/export"
    body = {"options": {}, "cutout": True, "save": {"format": "webp"}}
    file = browser.done(browser.post(path, body))["files"][0]
    alpha = np.asarray(opened(browser.ask("GET", f"/api/files/{file['id']}").body))[..., 3]
    assert (alpha[75, 55], alpha[75, 180], alpha.shape) == (255, 0, (150, 200))
    assert browser.ask("POST", path, body | {"save": {"format": "jpeg"}}).error == "wrong_option"


def test_full_size_is_drawn_once(browser, ready):
    made = browser.upload(encoded(made_photo(1200, 1600)))
    assert made["work"] == [1536, 1152]
    mask = np.zeros((1152, 1536), np.uint8)
    mask[300:800, 500:1000] = 255
    browser.ask("PUT", f"/api/photos/{made['id']}/mask", encoded(mask))
    (variant,) = [data["variant"] for _, name, data in drawn(browser, made["id"]) if name == "variant"]
    path = f"/api/variants/{variant['id']}/export"
    file = browser.done(browser.post(path, {"options": {}}))["files"][0]
    assert (file["width"], file["height"]) == (1600, 1200)
    (full,) = ready.studio.store.home.rglob(f"{variant['id']}/full/drawn.png")
    before = full.stat().st_mtime_ns
    browser.done(browser.post(path, {"options": {"softness": 0.9}, "save": {"format": "jpeg"}}))
    again = browser.done(browser.post(path, {"options": {}}))["files"][0]
    assert full.stat().st_mtime_ns == before
    first, second = (pixels(browser.ask("GET", f"/api/files/{one['id']}")) for one in (file, again))
    np.testing.assert_array_equal(second, first)


def test_an_empty_zone(browser, painted):
    browser.ask("PUT", f"/api/photos/{painted[0]}/mask", encoded(np.zeros_like(LEFT)))
    job = browser.post(f"/api/photos/{painted[0]}/jobs", {"models": ["faces2toon"]})
    name, problem = browser.finish(job)
    assert (name, problem["error"]) == ("error", "empty_zone")
    assert problem["hint"]


def test_a_photo_without_anybody_needs_a_painted_zone(browser, ready):
    made = browser.upload(photo())
    name, problem = browser.finish(browser.post(f"/api/photos/{made['id']}/jobs", {"models": ["faces2toon"]}))
    assert (name, problem["error"]) == ("error", "empty_zone")


def test_a_model_that_fails_does_not_end_the_others(browser, painted):
    events = drawn(browser, painted[0], models=["gone/away", "microast/art", "faces2toon"])
    items = [data for _, name, data in events if name == "item"]
    assert [item["problem"]["error"] for item in items] == ["no_model", "wrong_option"]
    assert (len(events[-1][2]["variants"]), events[-1][2]["failed"]) == (1, 2)


def test_what_a_variant_was_made_of_is_kept(browser, painted):
    """The zone is painted over and the style deleted: the variant is still saved as it was drawn."""
    style = browser.upload(photo(90, 90))["id"]
    events = drawn(browser, painted[0], models=["microast/art"], styles=[style])
    (variant,) = [data["variant"] for _, name, data in events if name == "variant"]
    browser.ask("PUT", f"/api/photos/{painted[0]}/mask", encoded(np.full_like(LEFT, 255)))
    browser.ask("DELETE", f"/api/photos/{style}")
    file = browser.done(browser.post(f"/api/variants/{variant['id']}/export", {"options": {}}))["files"][0]
    saved = pixels(browser.ask("GET", f"/api/files/{file['id']}"))
    assert np.abs(saved - painted[1])[:, 130:].max() == 0


def ids(events):
    """Of variants that a job drew."""
    return [data["variant"]["id"] for _, name, data in events if name == "variant"]


def test_what_is_there_already_is_not_drawn_again(browser, painted):
    first = ids(drawn(browser, painted[0]))
    job = browser.post(f"/api/photos/{painted[0]}/jobs", {"models": ["faces2toon"]})
    assert (job["state"], job["kept"], job["variants"]) == ("done", first, []), "nothing waits for its turn"
    assert browser.done(job) == {"files": [], "variants": [], "kept": first, "failed": 0, "status": None}
    assert browser.get(f"/api/jobs/{job['id']}") == job
    events = drawn(browser, painted[0], filters=["none", "warm"])
    (second,) = [data for _, name, data in events if name == "variant"]
    assert (second["number"], second["total"], second["variant"]["options"]["filter"]) == (1, 1, "warm")
    assert (events[-1][2]["kept"], events[-1][2]["variants"]) == (first, [second["variant"]["id"]])
    assert [one["id"] for one in browser.get(f"/api/photos/{painted[0]}")["variants"]] == [*first, *ids(events)]


@pytest.mark.parametrize(
    "changed",
    [
        {"options": {"softness": 0.9}},
        {"options": {"blend": "hard"}},
        {"options": {"color_match": 0.5}},
        {"options": {"strength": 0.5}},
        {"options": {"seed": 1}},
        {"options": {"padding": 0.5}},
        {"filters": ["cool"]},
        {"models": ["faces2kaokore"]},
    ],
    ids=str,
)
def test_what_is_asked_for_otherwise_is_drawn(browser, painted, changed):
    first = ids(drawn(browser, painted[0]))
    assert len(ids(drawn(browser, painted[0], **changed))) == 1
    assert browser.post(f"/api/photos/{painted[0]}/jobs", {"models": ["faces2toon"]})["kept"] == first


def test_another_zone_is_drawn_and_the_old_one_is_known_again(browser, painted):
    first = ids(drawn(browser, painted[0]))
    path, body = f"/api/photos/{painted[0]}", {"models": ["faces2toon"]}
    moved = np.roll(LEFT, 60, axis=1)  # as large as it was
    assert browser.ask("PUT", f"{path}/mask", encoded(moved)).status == 200
    second = ids(drawn(browser, painted[0]))
    assert len(second) == 1
    for zone, known in ((LEFT, first), (moved, second)):
        assert browser.ask("PUT", f"{path}/mask", encoded(zone)).status == 200
        assert browser.post(f"{path}/jobs", body)["kept"] == known
    assert browser.ask("DELETE", f"/api/variants/{second[0]}").status == 204
    assert len(ids(drawn(browser, painted[0]))) == 1, "what was deleted can be drawn again"


def test_styles_and_looks_count_only_for_models_that_heed_them(browser, painted):
    one, other = (browser.upload(encoded(made_photo(90, 90, seed=seed)))["id"] for seed in (5, 6))
    both = {"models": ["faces2toon", "microast/art"], "options": {"iterations": [2]}}
    toon, painting = ids(drawn(browser, painted[0], **both, styles=[one]))
    assert browser.get(f"/api/variants/{toon}")["styles"] == []
    events = drawn(browser, painted[0], **both | {"options": {}}, styles=[other])
    assert events[-1][2]["kept"] == [toon]
    assert len(ids(events)) == 1
    events = drawn(browser, painted[0], models=["microast/art"], styles=[one])
    assert (ids(events), events[-1][2]["kept"]) == ([], [painting])


def test_of_two_alike_that_wait_the_second_draws_nothing(browser, painted):
    body = {"models": ["faces2toon", "faces2toon"]}
    jobs = [browser.post(f"/api/photos/{painted[0]}/jobs", body) for _ in range(2)]
    first, second = (browser.done(job) for job in jobs)
    assert (len(first["variants"]), first["kept"]) == (1, [])
    assert (second["variants"], second["kept"]) == ([], first["variants"])


def test_parts_that_are_chosen_by_name_count_while_no_zone_was_sent(ready, browser, real_data):
    folder = real_data / "faces_photo" / "sfhq_mit_synthetic"
    content = next(path for path in sorted(folder.rglob("*")) if path.suffix in (".jpg", ".png")).read_bytes()
    made = browser.upload(content)["id"]
    first = ids(drawn(browser, made, options={"parts": ["face"]}))
    assert len(first) == 1, "which looked for the parts first"
    assert drawn(browser, made, options={"parts": ["face"]})[-1][2]["kept"] == first
    assert len(ids(drawn(browser, made, options={"parts": ["hair"]}))) == 1
    mask = np.full(browser.get(f"/api/photos/{made}")["work"][::-1], 255, np.uint8)
    assert browser.ask("PUT", f"/api/photos/{made}/mask", encoded(mask)).status == 200
    zone = ids(drawn(browser, made, options={"parts": ["face"]}))
    assert len(zone) == 1
    assert drawn(browser, made, options={"parts": ["hair"]})[-1][2]["kept"] == zone


def test_a_variant_that_was_deleted_is_gone(ready, browser, painted):
    (variant,) = [data["variant"] for _, name, data in drawn(browser, painted[0]) if name == "variant"]
    assert browser.ask("DELETE", f"/api/variants/{variant['id']}").status == 204
    assert browser.ask("GET", f"/api/variants/{variant['id']}").status == 404
    assert not list(ready.studio.store.home.rglob(variant["id"]))
    assert browser.get(f"/api/photos/{painted[0]}")["variants"] == []


def test_a_face_is_found_and_drawn(ready, browser, real_data):
    folder = real_data / "faces_photo" / "sfhq_mit_synthetic"
    content = next(path for path in sorted(folder.rglob("*")) if path.suffix in (".jpg", ".png")).read_bytes()
    made = browser.upload(content, "")
    status = browser.done({"id": made["status"]["job"]})["status"]
    assert (status["state"], status["source"]) == ("parsed", "parser")
    present = {part["name"]: part["pixels"] for part in status["parts"] if part["pixels"]}
    assert present["face"] > 1000
    assert {"face and hair", "background"} <= {preset["name"] for preset in status["presets"]}
    (variant,) = [data["variant"] for _, name, data in drawn(browser, made["id"]) if name == "variant"]
    assert 0.05 < variant["mask"]["share"] < 0.9


def test_a_batch_of_faces(ready, browser, real_data):
    folder = real_data / "faces_photo" / "sfhq_mit_synthetic"
    faces = [path for path in sorted(folder.rglob("*")) if path.suffix in (".jpg", ".png")][:2]
    many = [browser.upload(path.read_bytes(), f"?parts=0&name={path.name}")["id"] for path in faces]
    nobody = browser.upload(photo())["id"]
    body = {"photos": [*many, nobody], "recipe": {"kind": "collage", "model": "faces2toon"}}
    done = browser.done(browser.post("/api/batches", body))
    assert (done["failed"], len(done["files"])) == (1, 3)


def test_a_batch_names_the_parts_that_it_does_not_find(ready, browser):
    nobody = browser.upload(photo())["id"]
    recipe = {"kind": "collage", "model": "faces2toon", "options": {"parts": ["face", "upper-clothes"]}}
    job = browser.post("/api/batches", {"photos": [nobody], "recipe": recipe})
    events = list(browser.listen(f"/api/jobs/{job['id']}/events"))
    (problem,) = [data["problem"] for _, name, data in events if name == "item"]
    assert problem == {
        "error": "nothing_found",
        "message": "No face and no upper-clothes was found in it.",
        "hint": "Open this photo by itself and paint the zone, or choose other parts.",
        "detail": "no_parts",
        "values": {"parts": "face, upper-clothes"},
    }


def test_variants_count_for_what_a_session_may_hold(tmp_path):
    with running(tmp_path / "home", limits=Limits(session_bytes=150_000)) as studio:
        studio.ready()
        browser = studio.browser()
        source = browser.upload(photo())["id"]
        mask = np.full((120, 160), 255, np.uint8)
        assert browser.ask("PUT", f"/api/photos/{source}/mask", encoded(mask)).status == 200
        wish = {"models": ["faces2toon"], "filters": ["none", "warm", "cool", "vivid", "pale", "contrast"]}
        job = browser.post(f"/api/photos/{source}/jobs", wish)
        events = list(browser.listen(f"/api/jobs/{job['id']}/events"))
        made = [data["variant"]["id"] for _, name, data in events if name == "variant"]
        missed = [data["problem"]["error"] for _, name, data in events if name == "item"]
        assert 1 <= len(made) < 6
        assert missed == ["session_full"] * (6 - len(made))
        for path, body in ((f"photos/{source}/jobs", wish), (f"variants/{made[0]}/export", {"options": {}})):
            answer = browser.ask("POST", f"/api/{path}", body)
            assert (answer.status, answer.error) == (507, "session_full")


@pytest.mark.parametrize("fails", [1, 2])
def test_memory_that_runs_out_is_tried_with_less_and_said(fails):
    bench = Bench("cpu", lambda done, total: True, lambda model, size: None)
    tiles = []

    def work(artist):
        tiles.append(artist.tile)
        if len(tiles) <= fails:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return "made"

    if fails == 1:
        assert bench.with_room("faces2toon", work) == ("made", note("in_parts"))
    else:
        with pytest.raises(Refusal, match="not enough memory") as refused:
            bench.with_room("faces2toon", work)
        assert (refused.value.code, refused.value.status) == ("no_memory", 500)
    assert tiles[1] == CAREFUL_TILE != tiles[0]
    assert not bench.artists, "what is not needed was given back"


def test_a_mistake_in_the_work_is_not_taken_for_want_of_memory():
    bench = Bench("cpu", lambda done, total: True, lambda model, size: None)
    with pytest.raises(ZeroDivisionError):
        bench.with_room("faces2toon", lambda _artist: 1 // 0)
