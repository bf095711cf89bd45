"""Programs that pass for a Blender and behave as badly as one can."""

import sys
from pathlib import Path

from sfumato.render.blender import found

HEAD = """#!{python}
import os, signal, sys, time
if "version('bpy')" in sys.argv[-1] or "--version" in sys.argv:
    print("{version}")
    sys.exit()
sys.path.insert(0, {folder!r})
import numpy as np
from inside import messages
out, requests = sys.stdout.buffer, sys.stdin.buffer
started = {count!r}
with open(started, "a") as file:
    file.write(f"{{os.getpid()}}\\n")
starts = len(open(started).readlines())

def greet():
    print("Blender prints what it likes", flush=True)
    out.write(b"no end of a line\\n" + messages.HELLO)
    messages.write(out, {{"version": "{version}"}})

def answer():
    try:
        words, arrays = messages.read(requests)
    except EOFError:
        os._exit(0)
    if words["do"] != "draw":
        messages.write(out, {{}})
        return answer()
    return words, arrays

def square():
    words, _ = answer()
    corners = np.array([[10.0, 10], [50, 10], [50, 40], [10, 40], [10, 10]])
    messages.write(out, {{}}, {{"points": corners, "starts": np.array([0, 5], "<i4"), "kinds": np.zeros(1, "<i4")}})

"""


def fake(folder: Path, body: str, *, version: str = "5.0.1", name: str = "python") -> Path:
    """A program `name` in the folder that answers as `body` does; the file `started` gets a line for each start."""
    inside = str(Path(found.__file__).parent)
    head = HEAD.format(python=sys.executable, version=version, folder=inside, count=str(folder / "started"))
    path = folder / name
    path.write_text(head + body + "\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def starts(folder: Path) -> list[int]:
    """The numbers of the processes that fakes of this folder were."""
    path = folder / "started"
    return [int(line) for line in path.read_text(encoding="ascii").split()] if path.exists() else []
