"""Says which build of torch pip is about to fetch, and how large it is, before it does.

    python tools/torch_size.py CONSTRAINTS GOAL [PIP_OPTION...]      GOAL: the make goal, for the advice

On Linux the package index of Python holds the build with CUDA, which brings gigabytes of NVIDIA's libraries along.
What pip would take depends on its settings, so pip is asked (`--dry-run`); the sizes are those the addresses tell.
Nothing but metadata is downloaded. Silent where torch is there already. Standard library only: it runs first.
"""

import importlib.util
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

ADVICE = """\
    No NVIDIA card here? The CPU build is about 0.2 GB. Stop this (Ctrl-C) and name its package index,
    which the install page of PyTorch gives (Pip, CPU):
        make {goal} TORCH_INDEX=ADDRESS"""


def plan(constraints: str, options: list[str]) -> list[str]:
    """Addresses of all that `pip install torch` would fetch."""
    command = [sys.executable, "-m", "pip", "install", "torch", "--constraint", constraints, "--dry-run", "--quiet"]
    # fast-deps reads metadata out of remote files where an index does not offer it apart.
    command += ["--use-feature=fast-deps", "--report=-", *options]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300)
    return [package["download_info"]["url"] for package in json.loads(report.stdout)["install"]]


def size(url: str) -> int:
    """Bytes behind an address, local or remote."""
    if url.startswith("file:"):
        return Path(urllib.request.url2pathname(url.removeprefix("file://"))).stat().st_size
    with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=60) as answer:
        return int(answer.headers["Content-Length"])


def main() -> None:
    if importlib.util.find_spec("torch"):
        return
    constraints, goal, *options = sys.argv[1:]
    try:
        urls = plan(constraints, options)
        total = sum(map(size, urls)) / 1e9
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        print(f"==> torch comes next, about 3 GB if it is a build with CUDA (pip did not say: {type(error).__name__}).")
        print(ADVICE.format(goal=goal), flush=True)
        return
    cuda = any("/nvidia_" in url for url in urls)
    kind = "CUDA build, for NVIDIA cards" if cuda else "no CUDA"
    print(f"==> torch comes next: {total:.1f} GB to fetch ({kind}).", flush=True)
    if cuda:
        print(ADVICE.format(goal=goal), flush=True)


if __name__ == "__main__":
    main()
