"""How fast sets are rendered, whole: pictures a second of `sfumato render` by several processes, and their memory.

    python benchmarks/render.py [--count 400] [--workers 2] [--size 512] [--makehuman FOLDER] [--blender]
    python benchmarks/render.py --memory --count 10000 --size 96 [--makehuman FOLDER]

Each set is made by the command in a folder of its own, lines and COCO labels, files and all; the seconds are those
between the first tenth of the pictures and the last one, so that starting the processes is told apart. Memory is the
largest of all processes at a tenth of the way and at the end. The characters: the built-in figure in 64 variants, and
MakeHuman's body in clothes, if its folder is named; with --blender the built-in figure again, by Line Art. CPU is that
of all processes, Blender's among them, for a picture: it tells what a machine with nothing else to do would take.

With `--memory` one process draws, and what it holds is noted every 500 pictures: it must not grow with their number.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from report import Row, show

STEP = 500
"""Pictures between two looks at the memory."""
SETTLED = 1000
"""Pictures after which caches are full."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--makehuman", metavar="FOLDER")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--blender", action="store_true")
    given = parser.parse_args()
    if given.memory:
        named = {"the built-in figure": "mannequin"} | (
            {"MakeHuman, clothed": given.makehuman} if given.makehuman else {}
        )
        show("render_memory", {name: held(character, given) for name, character in named.items()})
        return
    rows = [measured("mannequin", "the built-in figure", given)]
    if given.makehuman:
        rows.append(measured(given.makehuman, "MakeHuman, clothed", given))
    if given.blender:
        rows.append(measured("mannequin", "the built-in figure, Line Art", given, "--engine", "blender"))
    show("render", {f"{given.size} x {given.size} pixels, {given.workers} processes": rows})


def held(character: str, given: argparse.Namespace) -> list[Row]:
    """MB of the process that draws and of the one that gathers, every so many pictures; last, how they grow."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        words = ["--character", character, "--count", str(given.count), "--size", str(given.size), "--workers", "1"]
        command = [sys.executable, "-m", "sfumato", "render", *words, "-o", folder, "--quiet"]
        with subprocess.Popen(command) as process:
            for count in range(STEP, given.count, STEP):
                done = reached(Path(folder), count, process)
                gathers, *draws = family(process.pid)
                drawing = max(map(resident, draws), default=0) / 1e6
                rows.append({"pictures": done, "MB, draws": drawing, "MB, gathers": resident(gathers) / 1e6})
                print(rows[-1], file=sys.stderr)
        if process.returncode:
            raise SystemExit("the command failed")
    late = [row for row in rows if row["pictures"] >= SETTLED]
    at, *columns = ([float(row[key]) for row in late] for key in ("pictures", "MB, draws", "MB, gathers"))
    slopes = [float(np.polyfit(at, column, 1)[0]) * 1000 for column in columns]
    return [*rows, {"pictures": "growth in a thousand", "MB, draws": slopes[0], "MB, gathers": slopes[1]}]


def measured(character: str, name: str, given: argparse.Namespace, *more: str) -> Row:
    """A set of the character: pictures a second, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--character", character, "--count", given.count, "--size", given.size, "--workers", given.workers]
        command = [sys.executable, "-m", "sfumato", "render", *map(str, words), *more, "-o", folder, "--quiet"]
        start = time.perf_counter()
        with subprocess.Popen(command) as process:
            first = reached(Path(folder), given.count // 10, process)
            early, begun, busy = memory(process), time.perf_counter(), cpu(process)
            last, late, worked = first, early, 0.0
            while process.poll() is None:
                late = max(late, memory(process))
                last = made(Path(folder))
                worked = max(worked, cpu(process) - busy)
                time.sleep(0.2)
        seconds = time.perf_counter() - begun
        if process.returncode or last < given.count * 0.9:
            raise SystemExit(f"{name}: the command failed")
    return {
        "character": name,
        "pictures": given.count,
        "a second": (given.count - first) / seconds,
        "CPU s each": worked / (given.count - first),
        "seconds to the first tenth": begun - start,
        "GB at a tenth": early,
        "GB at most": late,
    }


def made(folder: Path) -> int:
    """Lines of the manifest."""
    path = folder / "manifest.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def reached(folder: Path, count: int, process: "subprocess.Popen[bytes]") -> int:
    """Waits for so many pictures; how many there are then."""
    while process.poll() is None and (done := made(folder)) < count:
        time.sleep(0.05)
    return made(folder) if process.poll() is not None else done


def memory(process: "subprocess.Popen[bytes]") -> float:
    """GB of the process and those that it started, as Linux tells it."""
    return sum(resident(pid) for pid in family(process.pid)) / 1e9


def cpu(process: "subprocess.Popen[bytes]") -> float:
    """Seconds that the processes worked so far."""
    ticks = 0
    for pid in family(process.pid):
        if fields := words(Path(f"/proc/{pid}/stat")):
            after = fields[len(fields) - 50 :]  # the name before them may have blanks
            ticks += int(after[11]) + int(after[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    below = words(Path(f"/proc/{pid}/task/{pid}/children"))
    return [pid, *(one for child in below for one in family(int(child)))]


def resident(pid: int) -> int:
    """Bytes in memory; 0 where it has ended."""
    pages = words(Path(f"/proc/{pid}/statm"))
    return int(pages[1]) * resource.getpagesize() if pages else 0


def words(path: Path) -> list[str]:
    """Of a file that may vanish at any moment."""
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError:
        return []


if __name__ == "__main__":
    main()
