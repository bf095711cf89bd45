"""Draws the pictures of docs/studio.md: a real studio in a real browser, with the bundled examples.

    python tools/studio_pictures.py [FOLDER]

Writes docs/images/studio-SCREEN.jpg; or into a folder every screen at 390 and 1280 pixels, light and dark, to look at.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import browsers
import studio_page as sp

from sfumato import zoo

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
PAGE = {"width": 1280, "height": 800, "device_scale_factor": 1.5}
LOOKS: dict[str, dict[str, Any]] = {
    "desk": {"width": 1280, "height": 800},
    "dark": {"width": 1280, "height": 800, "color_scheme": "dark"},
    "retina": {"width": 1280, "height": 800, "device_scale_factor": 2},
    "phone": sp.SIZES["phone"],
    "phone-dark": sp.SIZES["night"],
}
IN_DOCS = ("photo", "zone", "variants", "save", "batch", "stylize", "texture", "train", "phone-zone", "phone-save")
Shoot = Callable[[str], None]


def collage(page: Any, shoot: Shoot) -> None:
    """The four steps."""
    page.locator(".photo .shelves .tile").first.wait_for()
    shoot("photo")
    sp.zone_of_example(page)
    page.mouse.move(1, 1)
    shoot("zone")
    sp.wish(page, ("faces2toon", "faces2kaokore"), ("none", "warm", "vivid"))
    page.locator("#make").click()
    page.locator(".variant[data-id]").nth(1).wait_for()
    shoot("variants-working")
    sp.await_variants(page)
    page.locator(".variant[data-id]").nth(1).get_by_role("button").nth(1).click()
    close_notices(page)
    shoot("variants")
    sp.open_variant(page)
    page.wait_for_timeout(600)
    shoot("save")
    page.locator(".screen.save .saving > button").click()
    with page.expect_file_chooser() as chooser:
        page.locator(".batch .drop button").last.click()
    chooser.value.set_files([zoo.ASSETS / "examples" / f"portrait-{number}.jpg" for number in (1, 2, 3)])
    sp.until(page, "() => document.querySelectorAll('.files [data-state=ready]').length === 3")
    shoot("batch")


def others(page: Any, shoot: Shoot) -> None:
    """The tabs beside the collage."""
    page.locator(".tab").nth(1).click()
    shoot("stylize-empty")
    page.locator(".stylize .drop .tile").nth(4).click()
    for number in (0, 3):
        page.locator(".stylize .shares + button").click()
        page.locator("dialog.picker .tile").nth(number).click()
    sp.until(page, "() => document.querySelector('.stylize img.after').src.startsWith('blob:')")
    sp.until(page, "() => !document.querySelector('.stylize compare-view').classList.contains('waits')")
    shoot("stylize")
    page.locator(".tab").nth(2).click()
    page.locator(".texture .drop .tile").first.click()
    page.locator("#texture-width").fill("256")
    page.locator("#texture-height").fill("256")
    page.locator(".texture .action .go").click()
    page.locator(".sheet-view img.result").wait_for()
    page.locator(".sheet-view button").first.click()
    close_notices(page)
    shoot("texture")
    page.locator(".tab").nth(3).click()
    page.locator(".train .curve").first.wait_for()
    shoot("train")


def close_notices(page: Any) -> None:
    page.evaluate("() => document.getElementById('notices').replaceChildren()")


def visit(
    browser: Any,
    address: str,
    shot: Callable[[str], Path | None],
    parts: Sequence[Callable[[Any, Shoot], None]] = (collage, others),
    **look: Any,
) -> None:
    """All screens as they look one way; `shot` says where each goes, if anywhere."""
    with browsers.visit(browser, address, **look) as seen:
        seen.page.set_default_timeout(sp.WAIT_MS)

        def shoot(screen: str) -> None:
            if path := shot(screen):
                seen.page.evaluate(
                    "() => { for (const one of document.querySelectorAll('.panel')) one.scrollTop = 0; }"
                )
                seen.page.wait_for_timeout(500)
                seen.page.screenshot(path=path, **({"quality": 86} if path.suffix == ".jpg" else {}))
                print(f"wrote {path}")

        for part in parts:
            part(seen.page, shoot)


def main() -> None:
    with tempfile.TemporaryDirectory() as work, browsers.started() as browser:
        runs = Path(work) / "runs"
        sp.training(runs)
        with browsers.studio(Path(work) / "home", "--runs", str(runs)) as address:
            draw(browser, address)


def draw(browser: Any, address: str) -> None:
    """All pictures that are asked for."""
    if len(sys.argv) > 1:
        for name, look in LOOKS.items():
            visit(browser, address, lambda screen, name=name: Path(sys.argv[1]) / f"{name}-{screen}.png", **look)
    else:
        visit(browser, address, picture_of, **PAGE)
        visit(browser, address, lambda screen: picture_of(f"phone-{screen}"), (collage,), **sp.SIZES["phone"])


def picture_of(screen: str) -> Path | None:
    """Where a screen's picture stands in the docs."""
    return IMAGES / f"studio-{screen}.jpg" if screen in IN_DOCS else None


if __name__ == "__main__":
    main()
