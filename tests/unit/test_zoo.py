"""Models by name, with a method that stands in for the real ones."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from sfumato import weights, zoo
from sfumato.addresses import ADDRESSES
from sfumato.card import Card
from sfumato.errors import OptionError, WeightsError


@dataclass(frozen=True, kw_only=True)
class Config:
    widths: tuple[int, ...] = (4,)
    flavour: str = "plain"


class Model(nn.Module):
    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        if not self.config.widths:
            raise ValueError("widths must not be empty")
        self.convs = nn.ModuleList(nn.Conv2d(3, width, 3) for width in self.config.widths)


def from_official(states: Mapping[str, Mapping[str, Tensor]], *, flavour: str = "plain") -> Model:
    model = Model(Config(widths=(len(states["encoder"]["first.bias"]),), flavour=flavour))
    convs = {f"convs.0.{k.removeprefix('first.')}": v for k, v in states["encoder"].items()}
    model.load_state_dict(convs | dict(states["extra"]))
    return model


@pytest.fixture(autouse=True)
def fake(monkeypatch, tmp_path) -> ModuleType:
    """The method `fake`; bundled models and cache in empty folders."""
    module = ModuleType("sfumato.methods.fake")
    vars(module).update(Config=Config, Model=Model, OFFICIAL_ROLES=("encoder", "extra"), from_official=from_official)
    monkeypatch.setitem(sys.modules, "sfumato.methods.fake", module)
    monkeypatch.setattr(zoo, "ASSETS", tmp_path / "assets")
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path / "cache"))
    return module


def write(path: Path, **changes: object) -> Model:
    model = Model(Config(widths=(2, 5)))
    values = {"name": "fake/tiny", "method": "fake", "config": {"widths": [2, 5]}, "title": "Tiny", "licence": "MIT"}
    weights.save(path, model, Card(**(values | changes)))
    return model


def test_a_bundled_model_is_loaded_by_name_or_path(tmp_path):
    model = write(tmp_path / "assets" / "fake" / "tiny.safetensors")
    for name in ("fake/tiny", tmp_path / "assets" / "fake" / "tiny.safetensors"):
        loaded = zoo.load(name)
        assert isinstance(loaded, Model) and not loaded.training
        assert loaded.config == Config(widths=(2, 5)), "lists of the card are tuples again"
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), loaded.parameters(), strict=True))


def test_loading_leaves_the_random_numbers_alone(tmp_path):
    write(tmp_path / "assets" / "tiny.safetensors")
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    zoo.load("tiny")
    assert torch.equal(torch.rand(3), expected)


def test_a_device_is_taken_by_name(tmp_path):
    write(tmp_path / "assets" / "tiny.safetensors")
    assert next(zoo.load("tiny", device="cpu").parameters()).device.type == "cpu"
    with pytest.raises(OptionError, match="device 'gpu' is unknown"):
        zoo.load("tiny", device="gpu")


def test_the_list_shows_what_is_bundled_cached_and_to_download(tmp_path):
    write(tmp_path / "assets" / "fake" / "tiny.safetensors", title="The bundled one")
    write(tmp_path / "cache" / "fake" / "tiny.safetensors", title="Hidden by the bundled one")
    write(tmp_path / "cache" / "mine.safetensors")
    (tmp_path / "cache" / "broken.safetensors").write_bytes(b"x")
    (tmp_path / "cache" / "vgg19-dcbb9e9d.pth").write_bytes(b"x")
    entries = {entry.name: entry for entry in zoo.available()}
    assert (entries["fake/tiny"].place, entries["fake/tiny"].title) == ("bundled", "The bundled one")
    assert entries["mine"].place == "cached" and entries["mine"].card.method == "fake" and entries["mine"].size > 100
    assert entries["broken"].problem.endswith("damaged, or not a safetensors file")
    assert (entries["vgg19"].place, entries["vgg19"].size) == ("cached", 1)
    assert (entries["vgg16"].place, entries["vgg16"].path) == ("downloadable", None) and entries["vgg16"].size > 1e8
    assert all(entry.licence for entry in entries.values() if not entry.problem)
    with pytest.raises(WeightsError, match="not a safetensors file"):
        zoo.load("broken")


def test_bundled_models_need_no_home(tmp_path, monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    write(tmp_path / "assets" / "tiny.safetensors")
    for name in ("SFUMATO_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert isinstance(zoo.load("tiny"), Model)
    with pytest.raises(WeightsError, match="models get vgg19"):
        zoo.load("vgg19")


def test_the_list_needs_no_torch(tmp_path):
    code = "import sys; from sfumato import zoo; print(len(zoo.available())); assert 'torch' not in sys.modules"
    env = os.environ | {"PYTHONPATH": str(Path(weights.__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True)


@pytest.mark.parametrize("name", ["fake/none", "../../etc/passwd", "", "x.pth"])
def test_an_unknown_name_tells_the_known_ones(monkeypatch, tmp_path, name):
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b" / "c")  # from where ../../etc/passwd is no file
    write(tmp_path / "assets" / "fake" / "tiny.safetensors")
    with pytest.raises(WeightsError, match="choose from fake/tiny, vgg19") as error:
        zoo.load(name)
    assert "\n" not in str(error.value)


def test_a_file_of_another_kind_is_told(tmp_path):
    (tmp_path / "hrnet_w32.pth").touch()
    with pytest.raises(WeightsError, match=r"hrnet_w32\.pth: is no \.safetensors file; `sfumato import` makes one"):
        zoo.load(tmp_path / "hrnet_w32.pth")


def test_what_is_not_downloaded_tells_the_command():
    with pytest.raises(WeightsError, match=r"`sfumato models get vgg19` downloads it \(575 MB\)"):
        zoo.load("vgg19")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": {"widths": [2, 5], "depth": 3}}, "unknown fields depth"),
        ({"config": {"widths": "wide"}}, "config field widths"),
        ({"config": {"widths": []}}, "widths must not be empty"),
        ({"config": {}}, "2 unexpected: convs.1.bias, convs.1.weight; 2 of another shape"),
        ({"config": {"widths": [2, 6]}}, r"of another shape: convs.1.weight \(5, 3, 3, 3\), not \(6, 3, 3, 3\)"),
        ({"method": "unheard_of"}, "no method 'unheard_of'; there are "),
        ({"method": "base"}, "no method 'base'"),
    ],
)
def test_a_card_that_does_not_fit_is_one_line(tmp_path, changes, message):
    write(tmp_path / "odd.safetensors", **changes)
    with pytest.raises(WeightsError, match=message) as error:
        zoo.load(tmp_path / "odd.safetensors")
    assert "odd.safetensors" in str(error.value) and "\n" not in str(error.value)


def test_an_error_inside_a_method_is_not_hidden(monkeypatch):
    def broken(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr(zoo.importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="scipy"):
        zoo.method_module("fake")


def test_methods_of_other_packages_are_entry_points(monkeypatch):
    class Point:
        name = "foreign"

        def load(self) -> ModuleType:
            return ModuleType("foreign")

    def entry_points(*, group: str, name: str | None = None) -> list[Point]:
        return [Point()] if group == "sfumato.methods" and name in (None, "foreign") else []

    monkeypatch.setattr(zoo.importlib.metadata, "entry_points", entry_points)
    assert zoo.method_module("foreign").__name__ == "foreign"
    assert "foreign" in zoo.methods() and "base" not in zoo.methods()


def test_verify_by_name_and_path(tmp_path, monkeypatch):
    path = tmp_path / "assets" / "tiny.safetensors"
    write(path)
    assert zoo.verify("tiny") == zoo.verify(path) and "compared with its header" in zoo.verify(path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(WeightsError, match="damaged"):
        zoo.verify("tiny")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "vgg_normalised.pth").write_bytes(b"content")
    assert "this first digest is kept" in zoo.verify("vgg19-normalised")
    assert "compared with the first download's digest" in zoo.verify("vgg19-normalised")


@pytest.fixture
def official(tmp_path) -> dict[str, Path]:
    conv = nn.Conv2d(3, 4, 3)
    torch.save({"state_dict": {"module.first.weight": conv.weight, "module.first.bias": conv.bias}}, tmp_path / "e.pth")
    torch.save({"epoch": torch.tensor(1)}, tmp_path / "x.pth")
    return {"encoder": tmp_path / "e.pth", "extra": tmp_path / "x.pth"}


@pytest.fixture
def good(official, tmp_path, monkeypatch) -> dict[str, Path]:
    conv = weights.read_foreign(official["encoder"])
    torch.save({"first.weight": conv["first.weight"]}, tmp_path / "e.pth")
    torch.save({"convs.0.bias": conv["first.bias"]}, tmp_path / "x.pth")
    monkeypatch.setattr(sys.modules["sfumato.methods.fake"], "from_official", lenient)
    return official


def lenient(states: Mapping[str, Mapping[str, Tensor]], *, flavour: str = "plain") -> Model:
    model = Model(Config(flavour=flavour))
    model.load_state_dict({"convs.0.weight": states["encoder"]["first.weight"]} | dict(states["extra"]))
    return model


def test_official_files_become_a_model(good):
    model = zoo.import_official("fake", good, flavour="other")
    assert model.config.flavour == "other" and not model.training
    assert torch.equal(model.convs[0].bias, weights.read_foreign(good["extra"])["convs.0.bias"])


def test_a_converted_model_loads_again(good, tmp_path):
    card = zoo.convert("fake", good, tmp_path / "mine.safetensors", flavour="other")
    assert card.name == "mine" and "e.pth, sha256 " in card.notes[0]
    loaded = zoo.load(tmp_path / "mine.safetensors")
    assert loaded.config == Config(flavour="other")
    assert torch.equal(loaded.convs[0].bias, zoo.import_official("fake", good).convs[0].bias)


def test_a_wrong_official_file_lists_missing_and_unexpected_keys(official):
    with pytest.raises(WeightsError) as error:
        zoo.import_official("fake", official)
    text = str(error.value)
    assert (
        "1 unexpected: epoch" in text
        and "encoder=e.pth has 2 tensors from first.weight on" in text
        and "\n" not in text
    )


def test_official_files_that_were_swapped_are_named(official):
    swapped = {"encoder": official["extra"], "extra": official["encoder"]}
    with pytest.raises(
        WeightsError, match=r"x\.pth: not the file for encoder; 1 missing: first\.bias; 1 unexpected: epoch"
    ):
        zoo.import_official("fake", swapped)


def test_roles_and_hints_are_checked(official, fake):
    with pytest.raises(OptionError, match="fake needs the files encoder, extra; given: encoder"):
        zoo.import_official("fake", {"encoder": official["encoder"]})
    with pytest.raises(OptionError, match="given: none"):
        zoo.import_official("fake", {})
    with pytest.raises(OptionError, match="unexpected keyword argument 'colour'"):
        zoo.import_official("fake", official, colour=1)
    with pytest.raises(OptionError, match="no method 'nothing'"):
        zoo.import_official("nothing", official)
    vars(fake).pop("OFFICIAL_ROLES")
    with pytest.raises(OptionError, match="fake reads no files of other authors"):
        zoo.import_official("fake", official)


def test_the_names_of_downloads_are_those_of_the_vgg_method(monkeypatch, tmp_path):
    seen = []

    def vgg(states: Mapping[str, Mapping[str, Tensor]], *, flavour: str | None = None) -> Model:
        seen.append(flavour)
        return Model()

    module = ModuleType("sfumato.methods.vgg")
    vars(module).update(OFFICIAL_ROLES=("vgg",), from_official=vgg)
    monkeypatch.setitem(sys.modules, "sfumato.methods.vgg", module)
    torch.save({"a": torch.zeros(1)}, tmp_path / "v.pth")
    for name in ("vgg19", "vgg19-caffe"):
        zoo.import_official(name, {"vgg": tmp_path / "v.pth"})
    assert seen == [None, "caffe"]
    (tmp_path / "cache").mkdir()
    (tmp_path / "v.pth").rename(tmp_path / "cache" / ADDRESSES["vgg19"].file)
    assert isinstance(zoo.load("vgg19"), Model)
