"""How long the studio takes to answer, and what memory its processes hold after many sessions.

    python benchmarks/studio.py [--sessions 40] [--size 4000 3000] [--previews 30] [--folder DIR]

Starts `sfumato studio` in a folder of its own. Each session is a browser that brings a photograph of that size and a
style and asks for a preview; then one of them asks for a preview again and again, as a slider does, and for the whole
picture. Memory is the resident set of each process, in MB (Linux).
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import report
from PIL import Image

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

    def bring(self, content: bytes) -> str:
        """The id of a picture that is brought."""
        return str(json.loads(self.ask("POST", "/api/photos?parts=0", content))["id"])

    def preview(self, photo: str, style: str, strength: float) -> float:
        """Seconds that a preview takes."""
        start = time.perf_counter()
        body = {"styles": [style], "options": {"strength": strength}}
        self.ask("POST", f"/api/photos/{photo}/stylize/preview", body)
        return time.perf_counter() - start

    def whole(self, photo: str, style: str) -> float:
        """Seconds that the whole picture takes."""
        start = time.perf_counter()
        job = json.loads(self.ask("POST", f"/api/photos/{photo}/stylize", {"styles": [style]}))["id"]
        events = self.ask("GET", f"/api/jobs/{job}/events").decode()
        if "event: done" not in events:
            raise SystemExit(events)
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--size", type=int, nargs=2, default=(4000, 3000))
    parser.add_argument("--previews", type=int, default=30)
    parser.add_argument("--port", type=int, default=7999)
    given = parser.parse_args()
    buffer = io.BytesIO()
    with Image.open(EXAMPLES / "lake.jpg") as lake:
        lake.resize(given.size).save(buffer, "JPEG", quality=92)
    style = (EXAMPLES / "arlesiennes.jpg").read_bytes()
    memory, uploads = list[dict[str, Any]](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        process, ready = started(folder, given.port)
        try:
            for number in range(1, given.sessions + 1):
                browser = Browser(f"http://127.0.0.1:{given.port}")
                start = time.perf_counter()
                photo, painting = browser.bring(buffer.getvalue()), browser.bring(style)
                uploads.append(time.perf_counter() - start)
                browser.preview(photo, painting, 1.0)
                if number in (1, 2, 5, 10, 20, 40, 80, given.sessions):
                    memory.append({"sessions": number} | family(process.pid))
            draw = np.random.default_rng(0)
            previews = [browser.preview(photo, painting, float(draw.uniform())) for _ in range(given.previews)]
            first, second = browser.whole(photo, painting), browser.whole(photo, painting)
            memory.append({"sessions": "and a whole picture"} | family(process.pid))
        finally:
            process.terminate()
            process.wait()
    times = [
        {"what": "ready after", "seconds": ready},
        {"what": "a photograph and a style brought, median", "seconds": statistics.median(uploads)},
        {"what": "a preview of 384 pixels, median", "seconds": statistics.median(previews)},
        {"what": "a preview, 9 of 10 within", "seconds": statistics.quantiles(previews, n=10)[-1]},
        {"what": "the whole picture", "seconds": first},
        {"what": "the same again", "seconds": second},
    ]
    size = f"{given.size[0]} x {given.size[1]} pixels"
    report.show("studio", {f"times, {size}": times, f"memory in MB, {size}": memory})


if __name__ == "__main__":
    main()
