"""What stands beside the four steps of the studio's page: styles, textures, many photos, trainings."""

import base64
import io
import zipfile

import browsers
import numpy as np
import pytest
import studio_page as sp
from PIL import Image

pytestmark = pytest.mark.timeout(1800)


def test_a_photo_in_a_style_with_shares_and_a_zone(sized):
    page = sized.page
    page.goto(f"{page.url.split('#')[0]}#stylize")
    page.locator(".stylize .drop .tile").first.click()
    preview = "() => document.querySelector('.stylize img.after').src"
    for number in range(2):
        page.locator(".stylize .shares + button").click()
        page.locator("dialog.picker .tile").nth(number).click()
        page.locator(".stylize .share").nth(number).wait_for()
    sp.until(page, "() => document.querySelector('.stylize img.after').src.startsWith('blob:')")
    sp.until(page, "() => !document.querySelector('.stylize compare-view').classList.contains('waits')")
    first = page.evaluate(preview)
    page.locator(".stylize .share input").first.fill("90")
    sp.until(page, "(old) => document.querySelector('.stylize img.after').src !== old", arg=first)
    assert page.locator(".stylize .share output").first.inner_text() == "64%"
    with page.expect_download() as download:
        page.locator(".stylize .action .go").click()
    example = browsers.STATIC.parents[1] / "assets" / "examples" / "portrait-1.jpg"
    with Image.open(download.value.path()) as made, Image.open(example) as photo:
        assert made.size == photo.size
    page.get_by_role("button", name="Paint the zone").click()
    sp.await_parts(page)
    assert page.locator(".tab[aria-current]").all_inner_texts() == ["Stylize"]
    assert page.locator(".steps").is_hidden()
    sp.paint(page)
    page.get_by_role("button", name="Back to Stylize").click()
    sp.until(page, "() => document.querySelector('#stylize-masked').checked")
    page.locator("#stylize-masked").uncheck()
    page.locator("#stylize-masked").check()
    page.reload()
    page.locator(".stylize .share").nth(1).wait_for()
    assert page.locator("#stylize-masked").is_checked()


SHOWN = """() => {
  const image = document.querySelector('.stylize img.after');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}"""


def test_the_file_of_a_large_photo_looks_as_the_preview_did(seen, address):
    """Its strokes have the same share of the picture; with an empty field they are finer, which is said."""
    page = seen.page
    page.goto(f"{address}#stylize")
    page.locator(".stylize .drop .tile").first.wait_for()
    content = io.BytesIO()
    with Image.open(browsers.STATIC.parents[1] / "assets" / "examples" / "portrait-1.jpg") as photo:
        photo.resize((1600, round(1600 * photo.height / photo.width))).save(content, "PNG")
    sp.bring(page, content.getvalue(), "large.png", "image/png")
    page.locator(".stylize .own-photo img").wait_for()
    page.locator(".stylize .shares + button").click()
    page.locator("dialog.picker .tile").first.click()
    state = page.locator(".stylize .state")
    state.get_by_text("The file has the full size").wait_for()
    shown = Image.open(io.BytesIO(base64.b64decode(page.evaluate(SHOWN)))).convert("RGB")
    fine, broad = (downloaded_with(page, side) for side in ("", "640"))
    assert fine.size == broad.size
    near, far = (
        np.abs(np.asarray(made.resize(shown.size, Image.Resampling.LANCZOS), int) - shown).mean()
        for made in (broad, fine)
    )
    assert near < 4 < far


def downloaded_with(page, side):
    """What is saved when the photo is drawn at so many pixels."""
    page.locator(".stylize").get_by_label("Drawn at").fill(side)
    told = "The file has the full size" if side else "its strokes are finer"
    page.locator(".stylize .state").get_by_text(told).wait_for()
    _, content = sp.downloaded(page, ".stylize .action .go")
    return Image.open(io.BytesIO(content)).convert("RGB")


def test_examples_are_called_by_the_language_of_the_page(sized):
    page = sized.page
    page.goto(f"{page.url.split('#')[0]}#texture")
    page.locator(".texture .drop .tile").first.click()
    name = page.locator(".texture .share .name")
    name.get_by_text("Gravel").wait_for()
    page.get_by_role("button", name="Română").click()
    name.get_by_text("Pietriș").wait_for()
    page.get_by_role("button", name="English").click()


def test_a_texture_is_made_repeated_and_saved(sized):
    page = sized.page
    page.goto(f"{page.url.split('#')[0]}#texture")
    page.locator(".texture .drop .tile").first.click()
    page.locator(".texture .share").wait_for()
    page.locator("#texture-width").fill("96")
    page.locator("#texture-height").fill("64")
    page.evaluate("() => { for (const fold of document.querySelectorAll('.texture details')) fold.open = true; }")
    page.locator(".texture").get_by_label("Looks at the picture").fill("2")
    page.locator(".texture").get_by_label("Smallest size").fill("32")
    page.locator(".texture .action .go").click()
    page.locator(".sheet-view img.result").wait_for()
    page.get_by_role("button", name="Repeat it").click()
    assert page.locator(".sheet-view .floor").is_visible()
    with page.expect_download() as download:
        page.locator(".sheet-view .go").click()
    with Image.open(download.value.path()) as made:
        assert made.size == (96, 64)
    page.reload()
    page.locator(".sheet-view img.result").wait_for()


def test_the_same_on_many_photos_says_which_failed(seen, tmp_path):
    page = seen.page
    sp.zone_of_example(page)
    sp.draw(page)
    sp.open_variant(page)
    page.get_by_role("button", name="Use the same on a folder").click()
    for number in (2, 3):
        source = browsers.STATIC.parents[1] / "assets" / "examples" / f"portrait-{number}.jpg"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "broken.jpg").write_text("no", encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Files").click()
    chooser.value.set_files(sorted(tmp_path.glob("*.jpg")))
    sp.until(page, "() => document.querySelectorAll('.files [data-state=ready]').length === 2")
    assert page.locator('.files [data-state="failed"]').count() == 1
    assert page.locator('.tab[aria-current="page"]').inner_text() == "Collage"
    page.locator(".batch .action .go").click()
    page.get_by_role("button", name="Save all as ZIP").wait_for()
    states = "() => [...document.querySelectorAll('.files li')].map((row) => row.dataset.state).sort()"
    assert page.evaluate(states) == ["done", "done", "failed"]
    _, content = sp.downloaded(page, ".batch .stage .go")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert [name[:10] for name in names] == ["portrait-2", "portrait-3"]
        for name in names:
            with Image.open(io.BytesIO(archive.read(name))) as made, Image.open(tmp_path / f"{name[:10]}.jpg") as photo:
                assert made.size == photo.size
    seen.complaints[:] = [line for line in seen.complaints if "415" not in line]


def test_the_page_says_that_it_looks_for_trainings(seen, address):
    held = []
    seen.page.route("**/api/runs", lambda route: held.append(route))
    seen.page.goto(f"{address}#train")
    told = seen.page.get_by_text("Looking for trainings…")
    told.wait_for()
    sp.arrived(seen.page, held)
    held[0].continue_()
    told.wait_for(state="detached")
    seen.page.locator(".train .run").first.wait_for()


NOTICES = """async () => {
  const { notice } = await import('./notices.js');
  notice('note', 'shelf.cleared');
  notice('error', 'shares.full_style', { n: 4 });
}"""
READ = "() => [...document.querySelectorAll('.notice')].every((box) => performance.now() - box.dataset.since > 1000)"


def test_a_note_that_was_read_does_not_go_along_to_another_screen(seen, address):
    page = seen.page
    page.goto(f"{address}#texture")
    page.locator(".texture .drop .tile").first.wait_for()
    page.evaluate(NOTICES)
    sp.until(page, READ)
    assert page.locator(".notice").count() == 2
    page.goto(f"{address}#train")
    page.locator(".notice.note").wait_for(state="detached")
    assert page.locator(".notice.error").count() == 1, "what went wrong stays until it must have been read"


def test_a_training_is_watched(sized):
    page = sized.page
    page.locator(".tab").nth(3).click()
    page.locator(".train .curve").first.wait_for()
    assert page.locator(".train .curve").count() == page.locator(".train .legend li").count() == 2  # gan and nce
    assert page.locator(".run strong").first.inner_text() == "faces"
    assert "300 of 1,000 images" in page.locator(".run-head").inner_text()
