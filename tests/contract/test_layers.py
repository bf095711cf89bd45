"""The layers of docs/design.md hold, and the check that says so can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports('.importlinter', no_cache=True))"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Checks the imports of the package in root/src; lint_imports puts the working folder first on the path."""
    environment = os.environ | {"PYTHONPATH": str(root / "src")}
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    shutil.copy(repository / ".importlinter", tmp_path)
    only_code = shutil.ignore_patterns("assets", "__pycache__")
    shutil.copytree(repository / "src" / "sfumato", tmp_path / "src" / "sfumato", ignore=only_code)
    return tmp_path


def test_layers_hold(repository):
    run = lint(repository)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("nets/norms.py", "from ..methods import base"),
        ("methods/microast.py", "from . import vgg"),
        ("losses/style.py", "import PIL.Image"),
        ("nets/norms.py", "import urllib.request"),
        ("render/native.py", "import bpy"),
        ("newcomer.py", "import math"),
    ],
)
def test_a_wrong_import_is_found(copy, file, line):
    with (copy / "src" / "sfumato" / file).open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")
    run = lint(copy)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "BROKEN" in run.stdout
