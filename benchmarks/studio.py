"""How long the studio takes to answer, and what memory its processes hold after many sessions.

    python benchmarks/studio.py [--sessions 200] [--size 4000 3000] [--times 10] [--model faces2toon]

Starts `sfumato studio` in a folder of its own and asks as its page does. Five seconds after it is ready one browser
goes all the way with a photograph of that size in which there is a head: the zone is shown, a model draws it 512 pixels
wide, sliders blend it anew, it is saved at full size; then a style, by its preview and as a whole. Then come sessions,
each with a photograph, a style and a preview. Memory is the resident set of each process, in MB (Linux).
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import report
from PIL import Image

VARIANT_PX = 512
"""Longest side at which a model draws a head."""
SIDES = (384, 640)
"""Of previews: what scripts get if they ask for none, and what the page asks for."""
CHOOSING_S = 5.0
"""Seconds that somebody takes to choose the first photograph; the studio loads the parser meanwhile."""
EXAMPLES = Path(__file__).resolve().parent.parent / "src" / "sfumato" / "assets" / "examples"


class Browser:
    """One session."""

    def __init__(self, address: str) -> None:
        self.address = address
        with urlopen(f"{address}/api/examples") as answer:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def ask(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> bytes:
        """The body of an answer."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"X-Studio": "1", "Cookie": self.cookie}
        with urlopen(Request(self.address + path, content, headers, method=method)) as answer:
            return bytes(answer.read())

    def json(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> Any:
        """The JSON of an answer."""
        return json.loads(self.ask(method, path, body))

    def bring(self, content: bytes) -> str:
        """The id of a picture that is brought."""
        return str(self.json("POST", "/api/photos?parts=0", content)["id"])

    def done(self, job: str) -> Any:
        """What the last event of a job says, once it has come."""
        events = self.ask("GET", f"/api/jobs/{job}/events").decode()
        *_, last = events.strip().split("\n\n")
        if "event: done" not in last:
            raise SystemExit(f"a job failed: {last}")
        return json.loads(last.partition("data: ")[2])

    def zone(self, content: bytes) -> tuple[float, float, str]:
        """Seconds until a photograph has come and until its zone can be shown, and its id."""
        start = time.perf_counter()
        photo = self.json("POST", "/api/photos", content)
        came = time.perf_counter() - start
        status = self.done(photo["status"]["job"])["status"]
        if not status["selected"]:
            raise SystemExit("no head was found in the photograph")
        for page in ("preview", "labels.png"):
            self.ask("GET", f"/api/photos/{photo['id']}/{page}")
        return came, time.perf_counter() - start, str(photo["id"])

    def variant(self, photo: str, model: str, seed: int = 0) -> tuple[float, str]:
        """Seconds until a variant is shown, and its id."""
        start = time.perf_counter()
        body = {"models": [model], "options": {"size": VARIANT_PX, "seed": seed}}
        variant = self.done(self.json("POST", f"/api/photos/{photo}/jobs", body)["id"])["variants"][0]
        self.ask("GET", f"/api/variants/{variant}/preview")
        return time.perf_counter() - start, str(variant)

    def blend(self, variant: str, softness: float) -> float:
        """Seconds that another softness takes."""
        start = time.perf_counter()
        self.ask("POST", f"/api/variants/{variant}/blend", {"options": {"softness": softness}})
        return time.perf_counter() - start

    def export(self, variant: str, softness: float, form: str) -> float:
        """Seconds until the file of a variant is there, at full size."""
        start = time.perf_counter()
        body = {"options": {"softness": softness}, "save": {"format": form}}
        made = self.done(self.json("POST", f"/api/variants/{variant}/export", body)["id"])["files"][0]
        self.ask("GET", f"/api/files/{made['id']}")
        return time.perf_counter() - start

    def preview(self, photo: str, style: str, strength: float, side: int = 384) -> float:
        """Seconds that a preview of a style takes."""
        start = time.perf_counter()
        body = {"styles": [style], "options": {"strength": strength}, "side": side}
        self.ask("POST", f"/api/photos/{photo}/stylize/preview", body)
        return time.perf_counter() - start

    def whole(self, photo: str, style: str, draw_size: int | None = None) -> float:
        """Seconds that the whole picture in a style takes, drawn at that size."""
        start, body = time.perf_counter(), {"styles": [style], "options": {"draw_size": draw_size}}
        self.done(self.json("POST", f"/api/photos/{photo}/stylize", body)["id"])
        return time.perf_counter() - start


def resident(pid: int) -> float:
    """The resident set of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return 0.0


def family(pid: int) -> dict[str, float]:
    """The memory of the server and of its processes."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    children = sorted(int(text) for text in found.stdout.split())
    return {"server": resident(pid)} | {f"process {n}": resident(child) for n, child in enumerate(children, 1)}


def started(folder: str, port: int) -> "tuple[subprocess.Popen[bytes], float]":
    """The studio, and the seconds until it was ready."""
    start = time.perf_counter()
    code = "import sys; from sfumato.cli import main; sys.exit(main())"
    words = ["studio", "--no-browser", "--port", str(port), "--folder", folder, "--quiet"]
    process = subprocess.Popen([sys.executable, "-c", code, *words])
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/health"):
                return process, time.perf_counter() - start
        except OSError:
            time.sleep(0.1)


def portrait(size: tuple[int, int]) -> bytes:
    """A photograph of a head before a lake, as JPEG."""
    buffer = io.BytesIO()
    with Image.open(EXAMPLES / "lake.jpg") as lake, Image.open(EXAMPLES / "portrait-1.jpg") as head:
        made, side = lake.convert("RGB").resize(size), min(size)
        made.paste(head.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), ((size[0] - side) // 2, 0))
        made.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def row(what: str, seconds: Sequence[float], limit: float | str = "") -> dict[str, Any]:
    """A line of the table: the median, the slowest of nine in ten, and what it must not exceed."""
    worst = statistics.quantiles(seconds, n=10)[-1] if len(seconds) > 1 else seconds[0]
    return {"what": what, "seconds": statistics.median(seconds), "9 of 10": worst, "at most": limit, "n": len(seconds)}


def steps(browser: Browser, content: bytes, model: str, times: int) -> list[dict[str, Any]]:
    """What a collage and a style take."""
    time.sleep(CHOOSING_S)
    cold = browser.zone(content)[1]
    zones = [browser.zone(content) for _ in range(times)]
    photo = zones[-1][2]
    first, _ = browser.variant(photo, model)
    drawn = [browser.variant(photo, model, 1 + number) for number in range(times)]  # the same is not drawn twice
    variant, draw = drawn[-1][1], np.random.default_rng(0)
    browser.blend(variant, 0.5)
    blends = [browser.blend(variant, float(draw.uniform())) for _ in range(times)]
    full = browser.export(variant, 0.5, "png")
    saved = {form: [browser.export(variant, float(draw.uniform()), form) for _ in range(2)] for form in ("png", "jpeg")}
    style = browser.bring((EXAMPLES / "arlesiennes.jpg").read_bytes())
    browser.preview(photo, style, 1.0)
    previews = {
        side: [browser.preview(photo, style, float(draw.uniform()), side) for _ in range(times)] for side in SIDES
    }
    return [
        row("the first photograph brought and its zone shown", [cold], 3.0),
        row("a photograph brought", [zone[0] for zone in zones]),
        row("a photograph brought and its zone shown", [zone[1] for zone in zones], 3.0),
        row(f"the first variant of {VARIANT_PX} pixels", [first]),
        row(f"a variant of {VARIANT_PX} pixels", [seconds for seconds, _ in drawn], 1.5),
        row("a variant blended anew", blends),
        row("a variant drawn, blended and saved at full size", [full]),
        *(row(f"blended at full size and saved as {form}", seconds, 4.0) for form, seconds in saved.items()),
        *(row(f"a preview of {side} pixels in a style", seconds, 0.5) for side, seconds in previews.items()),
        row("the whole picture in a style, drawn at 640 pixels", [browser.whole(photo, style, 640)]),
        row("the whole picture in a style", [browser.whole(photo, style)]),
        row("the same again", [browser.whole(photo, style)]),
    ]


def growth(address: str, pid: int, content: bytes, sessions: int) -> list[dict[str, Any]]:
    """The memory of all processes after so many sessions."""
    style, memory = (EXAMPLES / "arlesiennes.jpg").read_bytes(), [{"sessions": 0} | family(pid)]
    for number in range(1, sessions + 1):
        browser = Browser(address)
        browser.preview(browser.bring(content), browser.bring(style), 1.0)
        if number in (1, 2, 5, 10, 20, 50, 100, 150, 200, sessions):
            memory.append({"sessions": number} | family(pid))
    return memory


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--size", type=int, nargs=2, default=(4000, 3000))
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--model", default="faces2toon")
    parser.add_argument("--port", type=int, default=7999)
    given = parser.parse_args()
    content, address = portrait(tuple(given.size)), f"http://127.0.0.1:{given.port}"
    with tempfile.TemporaryDirectory() as folder:
        process, ready = started(folder, given.port)
        try:
            times = [row("ready after", [ready]), *steps(Browser(address), content, given.model, given.times)]
            memory = growth(address, process.pid, content, given.sessions)
        finally:
            process.terminate()
            process.wait()
    size = f"{given.size[0]} x {given.size[1]} pixels"
    report.show("studio", {f"times, {size}": times, f"memory in MB, {size}": memory})


if __name__ == "__main__":
    main()
