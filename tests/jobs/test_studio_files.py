"""Files that go into the studio's page and come out of it, on screens of three kinds."""

import io
import zipfile
from typing import Any

import browsers
import cv2
import numpy as np
import pytest
import studio_page as sp
from PIL import Image
from stylizers import made_photo
from unit.picture_corpus import profile

pytestmark = pytest.mark.timeout(1800)

HEIGHT, WIDTH = 120, 160
SAVE = ".screen.save .action .go"
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""What was done to an upright picture so that its file needs an orientation: EXIF 2.32, table 6."""


def smooth(height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> np.ndarray:
    """A photo (H, W, 3) that formats with losses keep, in colours that every profile has."""
    pale = 112 + made_photo(height, width, seed=seed) // 4
    return cv2.GaussianBlur(pale, (0, 0), 3)


def png(pixels: np.ndarray, **more: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **more)
    return file.getvalue()


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def zone_in_the_corner(page: Any, tmp_path: Any) -> np.ndarray:
    """Opens a mask as the zone, far from the other corner; returns it, (H, W) of bool."""
    zone = np.zeros((HEIGHT, WIDTH), bool)
    zone[20:80, 20:80] = True
    (tmp_path / "zone.png").write_bytes(png(zone.astype(np.uint8) * 255))
    sp.unfold_tools(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open", exact=True).click()
    chooser.value.set_files(tmp_path / "zone.png")
    sp.until(page, f"() => document.querySelector('mask-editor').mask.area === {zone.sum()}")
    sp.fold_tools(page)
    return zone


def test_a_zone_is_the_same_here_there_and_as_a_file(sized, address, tmp_path):
    page = sized.page
    sp.open_photo(page, png(made_photo(HEIGHT, WIDTH)))
    brought = zone_in_the_corner(page, tmp_path)
    sp.saved(page)
    assert np.array_equal(sp.bits(page), brought)
    assert np.array_equal(sp.held(sized, address), brought * 255)
    sp.paint(page, size=23)
    sp.saved(page)
    painted = sp.bits(page)
    assert (painted & ~brought).any()
    assert np.array_equal(sp.held(sized, address), painted * 255)
    sp.unfold_tools(page)
    with page.expect_download() as download:
        page.locator(".mask-tools").get_by_role("button", name="Save", exact=True).click()
    with Image.open(download.value.path()) as file:
        assert (file.format, file.mode) == ("PNG", "L")
        assert np.array_equal(np.asarray(file), painted * 255)


def test_one_drawing_is_saved_in_every_format(sized, tmp_path):
    page, photo = sized.page, smooth()
    sp.quickly(page)
    sp.open_photo(page, png(photo))
    zone_in_the_corner(page, tmp_path)
    sp.draw(page)
    sp.open_variant(page)
    files = {}
    for kind in ("png", "jpeg", "webp", "avif"):
        page.locator(".screen.save .saving select").select_option(kind)
        name, content = sp.downloaded(page, SAVE)
        assert name == f"photo-faces2toon.{'jpg' if kind == 'jpeg' else kind}"
        with Image.open(io.BytesIO(content)) as file:
            assert (file.format, file.size) == (kind.upper(), (WIDTH, HEIGHT))
            files[kind] = np.asarray(file.convert("RGB"), int)
    assert np.abs(files["png"] - photo)[30:70, 30:70].mean() > 3, "nothing was drawn"
    assert np.array_equal(files["png"][:, 130:], photo[:, 130:]), "far from the zone it is the photo"
    for kind, pixels in files.items():
        assert np.abs(pixels - files["png"]).mean() < 6, kind


def test_every_orientation_is_shown_upright(sized, address):
    page = sized.page
    upright = Image.fromarray(smooth())
    for number in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = number
        file = io.BytesIO()
        turned = upright if number == 1 else upright.transpose(TURNS[number])
        turned.save(file, "JPEG", quality=98, subsampling=0, exif=exif)
        page.goto(f"{address}#photo")
        sp.open_photo(page, file.getvalue(), f"{number}.jpg", "image/jpeg")
        size = page.evaluate(
            "() => { const { mask } = document.querySelector('mask-editor'); return [mask.width, mask.height]; }"
        )
        assert size == [WIDTH, HEIGHT], number
        preview = sized.context.request.get(f"{address}/api/photos/{sp.photo_id(page)}/preview")
        away = np.abs(decoded(preview.body()).astype(int) - np.asarray(upright, int))
        assert away.mean() < 4, number


def test_a_turned_photo_is_saved_upright_with_its_camera_and_without_its_place(seen, tmp_path):
    page = seen.page
    upright = Image.fromarray(smooth())
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010F] = 6, "A maker"
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    upright.transpose(TURNS[6]).save(file, "PNG", exif=exif)
    sp.quickly(page)
    sp.open_photo(page, file.getvalue())
    zone_in_the_corner(page, tmp_path)
    sp.draw(page)
    sp.open_variant(page)
    _, content = sp.downloaded(page, SAVE)
    with Image.open(io.BytesIO(content)) as made:
        told = made.getexif()
        assert made.size == (WIDTH, HEIGHT)
        assert np.array_equal(np.asarray(made)[:, 130:], np.asarray(upright)[:, 130:])
        assert (told.get(ORIENTATION, 1), told[0x010F]) == (1, "A maker")
        assert not told.get_ifd(0x8825)


def test_colour_profile_and_transparency_come_back(sized, tmp_path):
    page, icc = sized.page, profile()
    photo = np.dstack([smooth(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    photo[90:, :, 3] = 120
    sp.quickly(page)
    sp.open_photo(page, png(photo, icc_profile=icc))
    zone_in_the_corner(page, tmp_path)
    sp.draw(page)
    sp.open_variant(page)
    _, content = sp.downloaded(page, SAVE)
    with Image.open(io.BytesIO(content)) as made:
        assert (made.mode, made.info["icc_profile"]) == ("RGBA", icc)
        pixels = np.asarray(made)
    away = np.abs(pixels.astype(int) - photo)
    assert away[:, 130:].max() <= 2, "on the way through sRGB and back values are rounded, twice"
    assert away[30:70, 30:70, :3].mean() > 3, "nothing was drawn"
    assert np.array_equal(pixels[..., 3], photo[..., 3])


def test_a_folder_is_done_without_what_was_taken_off_the_list(sized, tmp_path):
    page = sized.page
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(png(made_photo(96, 128, seed=number)))
    (folder / "broken.png").write_text("no", encoding="utf-8")
    page.goto(f"{page.url.split('#')[0]}#stylize")
    page.locator(".stylize .drop .tile").first.click()
    page.locator(".stylize .shares + button").click()
    page.locator("dialog.picker .tile").first.click()
    page.locator(".stylize .share").wait_for()
    page.get_by_role("button", name="Use the same on a folder").last.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="A folder").click()
    chooser.value.set_files(folder)
    sp.until(page, "() => document.querySelectorAll('.files [data-state=ready]').length === 3")
    sp.until(page, "() => document.querySelectorAll('.files [data-state=failed]').length === 1")
    for name in ("broken.png", "1.png"):
        page.locator(".files li").filter(has_text=name).get_by_role("button", name="Take off the list").click()
    assert page.locator(".files li [data-own]").all_inner_texts() == ["0.png", "2.png"]
    assert page.locator(".batch .info").inner_text() == "Photos: 2"
    assert sp.errors(page) == []
    page.locator(".batch .action .go").click()
    page.get_by_role("button", name="Save all as ZIP").wait_for()
    assert page.locator('.files [data-state="done"]').count() == 2
    _, content = sp.downloaded(page, ".batch .stage .go")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(archive.namelist())
        assert [name.split("-")[0] for name in names] == ["0", "2"]
        assert all(decoded(archive.read(name)).shape[:2] == (96, 128) for name in names)
    sized.complaints[:] = [line for line in sized.complaints if "415" not in line]


def test_what_the_studio_refuses_is_said_in_the_language_of_the_page(browser, address):
    with browsers.visit(browser, address, locale="ro-RO") as seen:
        page = seen.page
        page.set_default_timeout(sp.WAIT_MS)
        page.locator(".photo .shelves .tile").first.wait_for()
        sp.bring(page, png(made_photo(90, 90))[:-400], "cut.png", "image/png")
        page.get_by_text("Fișierul este stricat sau tăiat.").wait_for()
        sp.bring(page, b"words", "words.png", "image/png")
        page.get_by_text("Formatul nu este JPEG, PNG, WebP sau AVIF").wait_for()
        assert "picture" not in page.locator(".photo .state").inner_text()
        page.goto(f"{address}#texture")
        page.locator(".texture .drop .tile").first.click()
        page.locator(".texture .share").wait_for()
        for side in ("width", "height"):
            page.locator(f"#texture-{side}").fill("16384")
        page.locator(".texture .action .go").click()
        page.get_by_text("16.384 × 16.384 pixeli este prea mare; cel mult 80 megapixeli.").wait_for()
        seen.complaints[:] = [line for line in seen.complaints if "415" not in line and "422" not in line]


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (
            "en-US",
            "There is nothing to draw in this photo. What was not found: Face and Top."
            " Open the photo by itself and paint the zone, or choose other parts.",
        ),
        (
            "ro-RO",
            "În această fotografie nu este nimic de desenat. Ce nu s-a găsit: Față și Bluză."
            " Deschide fotografia separat și pictează zona sau alege alte părți.",
        ),
    ],
)
def test_parts_that_a_photo_of_a_batch_has_not_are_named(browser, address, locale, told):
    problem = {
        "error": "nothing_found",
        "message": "",
        "hint": "",
        "detail": "no_parts",
        "values": {"parts": "face, upper-clothes"},
    }
    with browsers.visit(browser, address, locale=locale) as seen:
        said = seen.page.evaluate("(problem) => import('./api.js').then((api) => api.sentence(problem))", problem)
        assert said == told


def test_gatys_draws_a_variant_with_as_many_looks_as_are_asked_for(seen, address):
    page = seen.page
    sp.open_photo(page, png(made_photo(HEIGHT, WIDTH)))
    sp.paint(page, size=40)
    sp.wish(page, ["faces2toon"], ["none"])
    sp.draw(page)
    looks = page.locator(".screen.variants").get_by_label("Looks at the picture")
    assert looks.is_hidden()
    page.locator('.screen.variants .card input[value="faces2toon"]').uncheck()
    page.locator('.screen.variants .card input[value="gatys"]').check()
    page.locator(".screen.variants .shares + button").click()
    page.locator("dialog.picker .tile").first.click()
    page.locator(".screen.variants .share").wait_for()
    looks.fill("0")
    page.locator("#draw").click()
    assert page.locator(".variants .job:not([hidden])").count() == 0, "0 is no number of looks"
    looks.fill("2")
    page.locator("#draw").click()
    sp.until(page, "() => document.querySelectorAll('.variant[data-id]').length === 2")
    photo = seen.context.request.get(f"{address}/api/photos/{sp.photo_id(page)}").json()
    assert [one["options"]["iterations"] for one in photo["variants"]] == [[], [2]]
