"""Model files and their cards: written whole, read strictly."""

import dataclasses
import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sfumato import weights
from sfumato.card import Card, DataSet, Figure
from sfumato.errors import DiskError, WeightsError

CARD = Card(
    name="fake/tiny",
    method="fake",
    config={"width": 4, "layers": ["relu1_1"]},
    title="A tiny model",
    licence="MIT",
    attribution=["Ärzte & Co"],
    data=[DataSet(name="photos", licence="CC0", count=3)],
    images_seen=12,
    losses={"style": 0.5},
    figures=[Figure(name="PSNR", value=25.0, unit="dB", command="benchmarks/x.py", machine="a CPU")],
    notes=["only a test"],
)


def module() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8))


def test_a_model_file_gives_back_card_and_tensors(tmp_path):
    model = module().to(memory_format=torch.channels_last)
    written = weights.save(tmp_path / "deep" / "tiny.safetensors", model, CARD)
    assert written.created and dataclasses.replace(written, created="", sfumato_version="") == CARD
    assert weights.read_card(tmp_path / "deep" / "tiny.safetensors") == written
    tensors = weights.load_tensors(tmp_path / "deep" / "tiny.safetensors")
    assert tensors.keys() == model.state_dict().keys()
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensors[key], tensor) and tensors[key].dtype == tensor.dtype
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["tiny.safetensors"], "no temporary file stays"


def test_equal_models_are_equal_files(tmp_path):
    model = module()
    for i in range(12):
        weights.save(tmp_path / f"{i}.safetensors", model, dataclasses.replace(CARD, created="2026-01-01"))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_half_precision_storage_is_smaller_and_read_as_float32(tmp_path):
    tensors = {"w": torch.randn(64, 64), "n": torch.tensor(7)}
    weights.save(tmp_path / "full.safetensors", tensors, CARD)
    weights.save(tmp_path / "half.safetensors", tensors, CARD, dtype=torch.float16)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * (tmp_path / "full.safetensors").stat().st_size
    read = weights.load_tensors(tmp_path / "half.safetensors")
    assert read["w"].dtype == torch.float32 and read["n"].dtype == torch.int64 and read["n"] == 7
    assert torch.equal(read["w"], tensors["w"].half().float())


def test_tensors_that_share_memory_are_saved(tmp_path):
    shared = torch.randn(4)
    weights.save(tmp_path / "tied.safetensors", {"a": shared, "b": shared[:2]}, CARD)
    assert torch.equal(weights.load_tensors(tmp_path / "tied.safetensors")["b"], shared[:2])


def test_a_card_is_read_without_torch(tmp_path):
    weights.save(tmp_path / "m.safetensors", module(), CARD)
    code = (
        "import sys; from sfumato import weights; c = weights.read_card(sys.argv[1]); weights.verify(sys.argv[1]);"
        "assert 'torch' not in sys.modules; print(c.name)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "m.safetensors")]
    env = os.environ | {"PYTHONPATH": str(Path(weights.__file__).parent.parent)}
    assert subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout == "fake/tiny\n"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"images_seen": "12"}, "images_seen"),
        ({"images_seen": -1}, "images_seen"),
        ({"data": [{"name": "x", "licence": "y"}]}, "data.0.count"),
        ({"figures": [{"name": "x", "value": None}]}, "figures.0.value"),
        ({"name": None}, "name"),
        ({"method": "os.system"}, "os.system"),
        ({"method": "../evil"}, "../evil"),
        ({"method": "__import__"}, "__import__"),
    ],
)
def test_a_card_with_a_wrong_field_is_refused_by_its_name(change, field):
    text = json.dumps(json.loads(CARD.to_json()) | change)
    with pytest.raises(WeightsError) as error:
        Card.from_json(text)
    assert field in str(error.value) and "\n" not in str(error.value)


def test_a_card_that_lacks_a_field_names_it():
    with pytest.raises(WeightsError, match="method: .*required"):
        Card.from_json('{"name": "x"}')
    with pytest.raises(WeightsError, match="its text"):
        Card.from_json("{")


@pytest.mark.parametrize(
    ("field", "value"), [("losses", {"style": float("nan")}), ("config", {"net": object()}), ("title", 3)]
)
def test_a_card_that_no_reader_would_accept_is_not_written(tmp_path, field, value):
    with pytest.raises(WeightsError, match=field):
        weights.save(tmp_path / "m.safetensors", module(), dataclasses.replace(CARD, **{field: value}))
    assert not list(tmp_path.iterdir())


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=4), st.text(), st.lists(st.text()))
def test_every_card_survives_json(config, title, notes):
    card = dataclasses.replace(CARD, config=config, title=title, notes=notes)
    assert Card.from_json(card.to_json()) == card


def test_values_that_are_not_finite_are_not_saved(tmp_path):
    with pytest.raises(WeightsError, match="big has values that are not finite as torch.float16"):
        weights.save(tmp_path / "m.safetensors", {"big": torch.tensor([1e6])}, CARD, dtype=torch.float16)
    with pytest.raises(WeightsError, match="nan"):
        weights.save(tmp_path / "m.safetensors", {"nan": torch.tensor([float("nan")])}, CARD)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    weights.save(path, {"a": torch.zeros(1)}, CARD)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match="m.safetensors.*No space left"):
        weights.save(path, {"a": torch.ones(1)}, CARD)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_an_interrupted_write_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), weights.replacing(tmp_path / "x.bin") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_a_disk_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="cannot be written"):
        weights.save(tmp_path / "file" / "m.safetensors", {"a": torch.zeros(1)}, CARD)


@pytest.fixture
def model_file(tmp_path):
    weights.save(tmp_path / "good.safetensors", module(), CARD)
    return tmp_path / "good.safetensors"


def one_line(error: pytest.ExceptionInfo[WeightsError], path: Path) -> bool:
    return str(path) in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.5, 0.999])
def test_truncated_files_are_refused(model_file, share):
    content = model_file.read_bytes()
    model_file.write_bytes(content[: int(len(content) * share)])
    for read in (weights.read_card, weights.load_tensors, weights.verify, weights.read_foreign):
        with pytest.raises(WeightsError) as error:
            read(model_file)
        assert one_line(error, model_file)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x89PNG\r\n\x1a\n" * 9, b"8\0\0\0\0\0\0\0not json", b"{}"])
@pytest.mark.parametrize("name", ["x.safetensors", "x.pth", "x.npz"])
def test_foreign_files_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError) as error:
        weights.read_foreign(tmp_path / name)
    assert one_line(error, tmp_path / name)


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        weights.read_card(tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="no such file"):
        weights.read_foreign(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="is a folder"):
        weights.load_tensors(tmp_path)


def test_a_file_without_a_card_says_what_to_do(tmp_path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "bare.safetensors")
    with pytest.raises(WeightsError, match="no card; `sfumato import`"):
        weights.read_card(tmp_path / "bare.safetensors")


def test_verify_finds_a_flipped_bit_in_tensors_and_card(model_file):
    digest = weights.verify(model_file)
    assert len(digest) == 64 and weights.verify(model_file) == digest
    content = model_file.read_bytes()
    model_file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(WeightsError, match="damaged"):
        weights.verify(model_file)
    model_file.write_bytes(content.replace(b"A tiny model", b"A tidy model"))
    with pytest.raises(WeightsError, match="damaged"):
        weights.verify(model_file)


def test_authors_files_are_read_whatever_they_wrap_the_tensors_in(tmp_path):
    state = {"conv.weight": torch.randn(2, 2), "steps": torch.tensor(3)}
    wrappings = {
        "plain.pth": state,
        "nest.pth": {"epoch": 3, "state_dict": state},
        "nests.pth.tar": {"model": {"state_dict": state}},
        "parallel.pt": {f"module.{k}": v for k, v in state.items()},
        "extras.bin": state | {"note": "a string", "lr": 0.1},
    }
    for name, content in wrappings.items():
        torch.save(content, tmp_path / name)
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    np.savez(tmp_path / "arrays.npz", **{k: v.numpy() for k, v in state.items()}, text=np.array("a note"))
    safetensors.torch.save_file(state, tmp_path / "safe.safetensors")
    for name in [*wrappings, "old.pth", "arrays.npz", "safe.safetensors"]:
        read = weights.read_foreign(tmp_path / name)
        assert read.keys() == state.keys(), name
        assert all(torch.equal(read[k], state[k]) for k in state), name


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": torch.zeros(1), "b": Evil()}, "evil.pth")
    np.savez("evil.npz", a=np.array([Evil()], dtype=object))
    for name in ("evil.pth", "evil.npz"):
        with pytest.raises(WeightsError) as error:
            weights.read_foreign(name)
        assert one_line(error, Path(name))
    assert not Path("evil").exists()


def test_a_file_with_other_things_than_tensors_is_refused(tmp_path):
    torch.save({"epoch": 3, "other": {"a": torch.zeros(1)}}, tmp_path / "other.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with zipfile.ZipFile(tmp_path / "zip.pth", "w") as archive:
        archive.writestr("readme.txt", "hello")
    for name in ("other.pth", "list.pth", "zip.pth"):
        with pytest.raises(WeightsError) as error:
            weights.read_foreign(tmp_path / name)
        assert one_line(error, tmp_path / name)


def test_tensors_that_do_not_fit_a_module_are_listed():
    target = torch.nn.Linear(2, 3)
    with pytest.raises(WeightsError) as error:
        weights.load_into(
            target, {"weight": torch.zeros(3, 3)} | {f"k{i}": torch.zeros(1) for i in range(9)}, "file.pth"
        )
    text = str(error.value)
    assert text.startswith("file.pth: 1 missing: bias; 9 unexpected: k0, k1, k2, k3, ...;")
    assert "1 of another shape: weight (3, 3), not (3, 2)" in text
    weights.load_into(target, {"weight": torch.ones(3, 2), "bias": torch.ones(3)}, "file.pth")
    assert target.weight.sum() == 6
