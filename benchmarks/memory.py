"""How much main memory a large picture takes, from file to file, and how long; each in a process of its own.

    python benchmarks/memory.py [--huge]

Reads a JPEG, stylizes it and writes a PNG, as `sfumato stylize` does, which keeps the memory that it frees. The network
is of the size of `microast/art`; neither time nor memory depends on the weights. The peak is that of the whole process,
Python and PyTorch with it.
`--huge` adds a picture of 10,000 x 10,000 pixels, which takes some minutes.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import report
import torch
from PIL import Image

from sfumato import device

LIMITS_GB = {(4096, 2160): 2.5, (10_000, 10_000): 4.0}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--huge", action="store_true")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        photo, result, precision, tile = given.child
        print(json.dumps(stylize(Path(photo), Path(result), precision, None if tile == "auto" else int(tile))))
        return
    sizes = [(1024, 768), (4096, 2160), *([(10_000, 10_000)] if given.huge else [])]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            photo = make_photo(Path(folder) / "photo.jpg", *size)
            fast = "bf16" if device.fast_dtype(device.pick("cpu")) == torch.bfloat16 else "fp32"
            for precision in ("bf16", "fp32") if size[0] < 10_000 else (fast,):
                rows.append(measure(photo, size, precision, "auto"))
                print(report.table(rows[-1:]), flush=True)
    report.show("memory", {"from file to file, MicroAST": rows})
    if missed := [row for row in rows if row["peak GB"] > row["limit GB"]]:
        sys.exit(f"{len(missed)} above the limit")


def measure(photo: Path, size: tuple[int, int], precision: str, tile: str) -> report.Row:
    """One picture in a process of its own."""
    command = [sys.executable, __file__, "--child", str(photo), str(photo.with_suffix(".png")), precision, tile]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(run.stdout.splitlines()[-1])
    return {"pixels": f"{size[0]} x {size[1]}", "numbers": precision, **found, "limit GB": LIMITS_GB.get(size, 1.5)}


def stylize(photo: Path, result: Path, precision: str, tile: int | None) -> report.Row:
    """What it took, in this process."""
    from sfumato import image
    from sfumato.methods import microast
    from sfumato.translate import Translator

    device.keep_memory()
    made = Translator(microast.Model(), tile, device="cpu", precision=precision)  # type: ignore[arg-type]
    style = np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    made(style[:64, :64], style)
    before = peak()
    start = time.perf_counter()
    picture = image.read(photo)
    read = time.perf_counter()
    changed = made.translate_picture(picture, [style])
    done = time.perf_counter()
    image.write(result, changed, overwrite=True)
    return {
        "tile": made.tile_for(picture.height * picture.width) if tile is None else tile,
        "before GB": before,
        "peak GB": peak(),
        "read s": read - start,
        "stylize s": done - read,
        "write s": time.perf_counter() - done,
    }


def peak() -> float:
    """Most memory that this program ever had, in GB (2^30 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells on Linux includes what the parent had when it started this
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30


def make_photo(path: Path, width: int, height: int) -> Path:
    """Clouds of colour with grain."""
    draw = np.random.default_rng(1)
    clouds = Image.fromarray(draw.integers(0, 256, (height // 64 + 2, width // 64 + 2, 3)).astype(np.uint8))
    pixels = np.asarray(clouds.resize((width, height), Image.Resampling.BICUBIC)).copy()
    for rows in range(0, height, 512):
        pixels[rows : rows + 512] ^= draw.integers(0, 16, pixels[rows : rows + 512].shape).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=92)
    return path


if __name__ == "__main__":
    main()
