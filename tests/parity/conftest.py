"""The golden files: what the papers' own code gave for weights and inputs that are formulas."""

import functools
import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from parity.golden.fill import golden_fill, golden_image
from torch import Tensor

FOLDER = Path(__file__).parent / "golden"
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TOLERANCE = 2e-4
CUT = 29
"""The last layer of the normalised VGG that is needed: relu4_1."""


class Golden:
    """One golden file.

    Attributes:
        states: the weights by the authors' file (its name's beginning), as their own code saves them.
    """

    def __init__(self, name: str) -> None:
        self.arrays = np.load(FOLDER / f"{name}.npz", allow_pickle=False)
        meta = json.loads(str(self.arrays["meta"]))
        self.states = {
            prefix.rstrip("."): fill({key: shape for key, shape in meta["keys"][file] if wanted(prefix, key)}, prefix)
            for file, prefix in meta["fill_key_prefix"].items()
        }

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])


def wanted(prefix: str, key: str) -> bool:
    return prefix != "vgg." or int(key.split(".")[0]) <= CUT


def fill(shapes: dict[str, tuple[int, ...]], prefix: str = "") -> dict[str, Tensor]:
    """Weights of these keys and shapes."""
    return {key: torch.from_numpy(golden_fill(prefix + key, shape)) for key, shape in shapes.items()}


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Golden]:
    """A golden file by name."""
    return functools.cache(Golden)


@pytest.fixture(scope="session")
def plain() -> Callable[[str], ModuleType]:
    """A plain transcription of authors' code, one of benchmarks/, by name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return functools.cache(load)


@pytest.fixture(scope="session")
def benchmark() -> Iterator[Callable[[str], ModuleType]]:
    """A module of benchmarks/ by name, with those that it imports from there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module


@pytest.fixture(scope="session")
def picture() -> Callable[..., Tensor]:
    """A made picture (1, 3, height, width) by its size and phase."""
    return lambda height, width, phase=0.0: torch.from_numpy(golden_image(height, width, 3, phase))[None]


@pytest.fixture(scope="session")
def vgg_file(golden: Callable[[str], Golden], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a `vgg_normalised.pth` up to relu4_1 with the golden weights."""
    path = tmp_path_factory.mktemp("vgg") / "vgg_normalised.pth"
    torch.save(golden("adain").states["vgg"], path)
    return str(path)


@pytest.fixture
def equal() -> Callable[..., None]:
    """Asserts that a result is the recorded one but for `TOLERANCE` of its standard deviation."""

    def check(result: Tensor, recorded: Tensor) -> None:
        assert result.shape == recorded.shape
        scale = recorded.std() if recorded.numel() > 3 else recorded.abs()
        difference = float(((result - recorded).abs() / scale).max())
        print(f"largest difference {difference:.1e} of the standard deviation")
        assert difference < TOLERANCE

    return check
