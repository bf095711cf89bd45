"""A tiny model in a file, small pictures, and the command line in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from PIL import Image
from stylizers import made_photo, make_microast

from sfumato import progress, weights
from sfumato.card import Card
from sfumato.cli import main
from sfumato.methods import cyclegan
from sfumato.nets.initial import initialise


class Result(NamedTuple):
    code: int
    out: list[str]
    err: list[str]


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    weights.save(path, make_microast(), Card(name="tiny", method="microast", config={"width": 8}, title="A tiny one"))
    return str(path)


@pytest.fixture(scope="session")
def generator_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    model = cyclegan.Model(cyclegan.Config(width=4, blocks=1))
    initialise(model, "xavier", 1.5)
    path = tmp_path_factory.mktemp("model") / "mine.safetensors"
    weights.save(path, model, Card(name="mine", method="cyclegan", config={"width": 4, "blocks": 1}))
    return str(path)


@pytest.fixture
def sfumato(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command line: `sfumato("models", "list")`. However slow the machine is, no line tells of progress."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(progress, "PLAIN_S", 3600.0)

    def run(*words: object) -> Result:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Result(code, captured.out.splitlines(), captured.err.splitlines())

    return run


def save_picture(path: Path, height: int = 24, width: int = 24, *, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(made_photo(height, width, seed=seed)).save(path)
    return path


@pytest.fixture
def save() -> Callable[..., Path]:
    """Writes a small picture: `save(path, height, width, seed=)`."""
    return save_picture


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with photo.jpg (48 x 36), wave.png and night.jpg in it."""
    monkeypatch.chdir(tmp_path)
    for seed, (name, size) in enumerate([("photo.jpg", (36, 48)), ("wave.png", (40, 32)), ("night.jpg", (24, 24))]):
        save_picture(tmp_path / name, *size, seed=seed)
    return tmp_path
