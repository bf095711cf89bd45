"""What answers at once imports nothing heavy, and the layers hold."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "cv2", "matplotlib", "scipy")


@pytest.mark.parametrize("module", ["sfumato", "sfumato.cli", "sfumato.image", "sfumato.errors"])
def test_nothing_heavy_is_imported(module):
    code = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []


@pytest.mark.parametrize("module", ["sfumato.collage", "sfumato.parsing"])
def test_no_torch_before_a_model_is_at_work(module):
    code = f"import sys, {module}; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.split()) == (0, ["False"]), run.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    code = f"""
import sys
from sfumato.cli import main
try:
    main({arguments})
except SystemExit as stop:
    assert not stop.code, stop.code
print("heavy:", *(name for name in {HEAVY} if name in sys.modules))
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].split() == ["heavy:"]
