"""Which Blender there is on this machine.

In this order: a Python that has bpy, named by SFUMATO_BLENDER_PYTHON; a program `blender` on the path; bpy in this
Python's own environment. It is never imported here: it is large, keeps one scene for the whole process, and may end it.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...errors import DataError

VARIABLE = "SFUMATO_BLENDER_PYTHON"
OLDEST = (4, 5)
"""Line Art and the reader of FBX are those of this version or newer."""
HOW = (
    f"set {VARIABLE} to a Python that has it (`python3.11 -m venv blender`, `blender/bin/pip install bpy`, "
    f'{VARIABLE}=blender/bin/python), put a program `blender` on the path, or `pip install "sfumato[blender]"` under '
    "Python 3.11"
)
ASKING_S = 120
_INSIDE = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); from inside import server; server.main()"
_VERSION = "import importlib.metadata as m; print(m.version('bpy'))"


@dataclass(frozen=True, kw_only=True)
class Blender:
    """How to start it."""

    command: tuple[str, ...]
    """Starts the server of `inside`."""
    version: str
    """As 5.0.1."""
    where: str
    """For messages."""


def blender() -> Blender:
    """The Blender of this machine.

    Raises:
        DataError: there is none, it is too old, or the variable names something else; the message says how to get it.
    """
    return _blender(os.environ.get(VARIABLE, ""), shutil.which("blender") or "")


@lru_cache(maxsize=8)
def _blender(python: str, program: str) -> Blender:
    if python:
        version = _said([python, "-E", "-c", _VERSION])
        if not version:
            raise DataError(f"{VARIABLE}={python} is no Python that has bpy; {HOW}")
        return _checked(Blender(command=(python, "-E", "-c", _INSIDE), version=version, where=f"{VARIABLE}={python}"))
    if program:
        version = _said([program, "--version"])
        if not version:
            raise DataError(f"{program} --version does not answer as Blender does; mend or remove it, or {HOW}")
        options = ("--background", "--factory-startup", "--disable-autoexec", "-noaudio", "--python-expr", _INSIDE)
        return _checked(Blender(command=(program, *options), version=version, where=program))
    try:
        version = importlib.metadata.version("bpy")
    except importlib.metadata.PackageNotFoundError:
        raise DataError(f"there is no Blender: {HOW}") from None
    return _checked(Blender(command=(sys.executable, "-E", "-c", _INSIDE), version=version, where="bpy"))


def _said(command: list[str]) -> str:
    """The version in what a command says, as 5.0.1; empty if it says none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=ASKING_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.match(r"\s*(?:Blender )?(\d+(?:\.\d+)+)", done.stdout)
    return match[1] if match and not done.returncode else ""


def _checked(one: Blender) -> Blender:
    if tuple(int(number) for number in one.version.split(".")[:2]) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise DataError(f"Blender {one.version} ({one.where}) is too old, {wanted} or newer is wanted; {HOW}")
    return one
