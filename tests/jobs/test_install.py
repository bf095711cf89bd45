"""Plain `pip install .`: the wheel holds all that runs need."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(repository)], check=True, timeout=300)
    return next(folder.glob("sfumato-*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel, repository):
    source = repository / "src"
    files = [path for path in (source / "sfumato").rglob("*") if path.is_file()]
    expected = {path.relative_to(source).as_posix() for path in files if "__pycache__" not in path.parts}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("sfumato/")}
    assert packed == expected
    assert "sfumato/py.typed" in packed
    assert any(name.startswith("sfumato/assets/") for name in packed)


def test_the_wheel_runs_away_from_the_repository(wheel, tmp_path):
    place = tmp_path / "site"
    options = ["--quiet", "--no-deps", "--no-index", "--target", str(place)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True, timeout=300)
    environment = os.environ | {"PYTHONPATH": str(place)}
    code = (
        "import sfumato; print(sfumato.__file__); print(*(m.name for m in sfumato.available() if m.place == 'bundled'))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    place_found, models = run.stdout.splitlines()
    assert Path(place_found).is_relative_to(place)
    assert models
