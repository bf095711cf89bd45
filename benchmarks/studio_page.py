"""The studio's page on a photo of 12 megapixels at two device pixels for each CSS pixel: brush and memory.

    python benchmarks/studio_page.py [--moves 200] [--name studio_page]

A real Chromium draws without a graphics card (SwiftShader), so the memory of its GPU process is what a card would hold
and more. A move counts from the event, as the system stamped it, to the end of the frame that shows it; processor time
is that of the page's main thread, and that of all the browser's processes together. The machine's cores do all of it.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import report
from PIL import Image

from sfumato import zoo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import browsers
import studio_page

SIDES = (4000, 3000)
BRUSHES = (12, 48, 150, 400)
FRAME_MS = 16.0
LIMIT_MIB = 400
CLOCK = os.sysconf("SC_CLK_TCK")
WATCH = """() => {
  const editor = document.querySelector("mask-editor");
  window.moves = [];
  let waiting = [];
  const drag = editor.drag.bind(editor);
  editor.drag = (event) => {
    const start = performance.now();
    drag(event);
    waiting.push({ stamp: event.timeStamp, handler: performance.now() - start });
    if (waiting.length === 1) requestAnimationFrame(() => {
      const begin = performance.now();
      if (editor.frame) editor.flush();
      const end = performance.now();
      for (const { handler, stamp } of waiting) window.moves.push({ handler, frame: end - begin, whole: end - stamp });
      waiting = [];
    });
  };
}"""


def mebibytes(kind: str) -> float:
    """Resident memory of the browser's processes of a kind."""
    page = os.sysconf("SC_PAGE_SIZE")
    return (
        sum(int(f[21]) * page for _, command, f in browsers.processes(os.getpid()) if f"--type={kind}" in command)
        / 2**20
    )


def seconds() -> float:
    """Processor time of all the browser's processes."""
    return (
        sum(int(f[11]) + int(f[12]) for _, command, f in browsers.processes(os.getpid()) if "chrom" in command) / CLOCK
    )


def photo(path: Path) -> None:
    """A picture of 12 megapixels with detail everywhere."""
    source = Image.open(zoo.ASSETS / "examples" / "portrait-1.jpg").resize(SIDES, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, 6, (SIDES[1], SIDES[0], 1))
    Image.fromarray(np.clip(np.asarray(source) + noise, 0, 255).astype(np.uint8)).save(path, quality=92)


def strokes(seen: Any, clock: Any, size: int, moves: int) -> report.Row:
    """Paints with a brush of so many CSS pixels across the picture, to and fro."""
    page = seen.page
    page.evaluate(f"() => {{ window.moves.length = 0; document.querySelector('mask-editor').resize({size}); }}")
    box = page.locator("mask-editor").bounding_box()
    x, y, across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 220, 200
    page.mouse.move(x, y)
    page.mouse.down()
    before, spent = task_seconds(clock), seconds()
    for k in range(moves):
        angle = k / 9
        page.mouse.move(x + across * np.sin(angle), y + down * np.sin(1.3 * angle + 1))
    page.mouse.up()
    page.wait_for_timeout(200)
    main, whole = task_seconds(clock) - before, seconds() - spent
    rows = page.evaluate("() => window.moves")
    work = [row["handler"] + row["frame"] for row in rows]
    waits = [row["whole"] for row in rows]
    return {
        "brush, CSS px": size,
        "moves": len(rows),
        "script ms, median": float(np.median(work)),
        "script ms, 95 %": float(np.percentile(work, 95)),
        "event to frame ms, median": float(np.median(waits)),
        "event to frame ms, 95 %": float(np.percentile(waits, 95)),
        "main thread ms a move": 1000 * main / len(rows),
        "all processes ms a move": 1000 * whole / len(rows),
    }


def task_seconds(clock: Any) -> float:
    """Processor time of the page's main thread."""
    metrics = {one["name"]: one["value"] for one in clock.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def memory(stage: str) -> report.Row:
    """What the browser's processes hold."""
    return {"stage": stage, "GPU process, MiB": mebibytes("gpu-process"), "page, MiB": mebibytes("renderer")}


def measured(browser: Any, address: str, moves: int, folder: Path) -> dict[str, list[report.Row]]:
    """Both tables."""
    photo(folder / "photo.jpg")
    with browsers.visit(browser, address, device_scale_factor=2) as seen:
        page = seen.page
        page.set_default_timeout(studio_page.WAIT_MS)
        page.locator(".photo .shelves .tile").first.wait_for()
        table = [memory("the page is open")]
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a photo").first.click()
        chooser.value.set_files(folder / "photo.jpg")
        studio_page.await_parts(page)
        page.evaluate(WATCH)
        clock = seen.context.new_cdp_session(page)
        clock.send("Performance.enable", {"timeDomain": "threadTicks"})
        table.append(memory("a photo of 12 megapixels is open"))
        rows = [strokes(seen, clock, size, moves) for size in BRUSHES]
        table.append(memory(f"{len(BRUSHES)} strokes of {moves} moves"))
        for label in ("invert", "grow", "fill"):
            page.get_by_role("button", name=label.capitalize()).first.click()
        page.evaluate("() => document.querySelector('mask-editor').zoom(8)")
        page.wait_for_timeout(500)
        table.append(memory("grown, filled, inverted, zoomed to 8"))
        for key in ("Control+z",) * 6 + ("Control+Shift+z",) * 6:
            page.keyboard.press(key)
        page.wait_for_timeout(500)
        table.append(memory("six steps undone and redone"))
    return {"brush": rows, "memory": table}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--name", default="studio_page")
    given = parser.parse_args(words)
    flags = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with (
        tempfile.TemporaryDirectory() as folder,
        browsers.studio(Path(folder) / "home") as address,
        browsers.started(*flags, without=["--disable-gpu"]) as browser,
    ):
        tables = measured(browser, address, given.moves, Path(folder))
    report.show(given.name, tables)
    slow = [row for row in tables["brush"] if row["main thread ms a move"] >= FRAME_MS]
    large = [row for row in tables["memory"] if row["GPU process, MiB"] >= LIMIT_MIB]
    sys.exit(f"beyond the limits: {slow + large}" if slow or large else 0)


if __name__ == "__main__":
    main()
