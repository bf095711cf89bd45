"""The examples run on small data, each as a program of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from parity.conftest import Golden
from PIL import Image
from stylizers import made_photo

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(["photo.jpg", "style.jpg", "photos/a.jpg", "paintings/a.jpg"]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(made_photo(100, 140, seed=seed)).save(path)
    return tmp_path


def run(repository: Path, folder: Path, name: str, *words: str) -> str:
    command = [sys.executable, "-W", "error", str(repository / "examples" / name), *words]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ})
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_every_example_is_run_here(repository):
    text = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in (repository / "examples").glob("*.py") if f'"{path.name}"' not in text] == []


def test_stylize(repository, folder):
    run(repository, folder, "stylize.py", "photo.jpg", "style.jpg", "out.png")
    with Image.open(folder / "out.png") as picture:
        assert picture.size == (140, 100)


def test_paint(repository, folder):
    run(repository, folder, "paint.py", "photo.jpg", "style.jpg", "out.png")
    assert (folder / "out.png").is_file()
    assert (folder / "texture.png").is_file()


def test_compare(repository, folder):
    run(repository, folder, "compare.py", "sheet.png", "microast/art", "microast/art")
    with Image.open(folder / "sheet.png") as picture:
        assert picture.width > 6 * 256


def test_train(repository, folder):
    assert "parameters" in run(repository, folder, "train.py", "photos", "paintings", "run", "4")
    assert (folder / "run" / "art.safetensors").is_file()


def test_official(repository, folder):
    for role, state in Golden("microast").states.items():
        torch.save(state, folder / f"{role}_iter_160000.pth.tar")
    run(repository, folder, "official.py", ".", "out.safetensors")
    assert (folder / "out.safetensors").is_file()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_demo(repository, folder):
    sheet = Path(run(repository, folder, "demo.py").strip())
    assert sheet == folder / "demo" / "sheet.jpg"
    with Image.open(sheet) as picture:
        assert picture.width > 1000
    assert len(list((folder / "demo").glob("*.jpg"))) == 15
