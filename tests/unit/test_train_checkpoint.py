import dataclasses
import errno
import json
import logging
import os
import random
import re
import shlex
import shutil

import pytest
import torch
from toy import Config, Model
from toy import recipe as toy_recipe

from sfumato import recipes, train, zoo
from sfumato.card import Card
from sfumato.errors import DiskError, RecipeError, WeightsError
from sfumato.locks import locked
from sfumato.train import checkpoint
from sfumato.train.checkpoint import claimed, describe, is_claimed, unfit
from sfumato.train.overrides import override, said
from sfumato.weights import load_tensors, save


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return dataclasses.replace(toy_recipe(tmp_path_factory.mktemp("data")), sample_every=1000)


@pytest.fixture(scope="module")
def begun(recipe, tmp_path_factory):
    """A run of 32 images, its last saves at 20 and 32."""
    run = tmp_path_factory.mktemp("runs") / "begun"
    train(recipe, run, device="cpu", until=32)
    return run


@pytest.fixture
def run(begun, tmp_path):
    shutil.copytree(begun, tmp_path / "run")
    return tmp_path / "run"


def seen(run):
    return torch.load(run / "state.pt", weights_only=True)["seen"]


# The folder


def test_a_recipe_is_written_as_json(recipe, run):
    values = json.loads((run / "recipe.json").read_text())
    assert values == describe(recipe)
    assert values["method"] == {"name": "toy", **dataclasses.asdict(recipe.method)}
    assert values["data"]["kind"] == "ContentStyle"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch": 2}, "holds a run with batch=4, not 2; choose another --run"),
        ({"method": Config(width=8)}, "method.width=4, not 8"),
        ({"seed": 1}, "seed=0, not 1"),
        ({"optimizers": {}}, "optimizers="),
        ({"ema_images": 0}, "ema_images=20, not 0"),
    ],
)
def test_a_folder_is_of_one_recipe(recipe, run, change, words):
    with pytest.raises(RecipeError) as caught:
        train(dataclasses.replace(recipe, **change), run, device="cpu")
    assert words in str(caught.value)
    assert seen(run) == 32


def test_length_and_housekeeping_may_change(recipe, run):
    other = dataclasses.replace(recipe, images=44, log_every=4, save_every=1000, cache_mb=1, title="T", notes=("N",))
    train(other, run, device="cpu")
    assert seen(run) == 44
    assert json.loads((run / "recipe.json").read_text())["images"] == 44


def test_fields_that_came_later_do_not_matter(recipe, run):
    values = json.loads((run / "recipe.json").read_text())
    del values["compile"], values["method"]["pause_s"], values["optimizers"]["painter"]["muon"]
    values["gone"] = 1
    (run / "recipe.json").write_text(json.dumps(values))
    with claimed(run, recipe):
        pass


def test_a_run_that_never_saved_binds_nobody(recipe, tmp_path):
    with claimed(tmp_path, recipe):
        pass
    with claimed(tmp_path, dataclasses.replace(recipe, batch=2)):
        assert json.loads((tmp_path / "recipe.json").read_text())["batch"] == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_a_damaged_recipe(recipe, run, text):
    (run / "recipe.json").write_text(text, encoding="latin-1")
    with pytest.raises(RecipeError, match=r"recipe\.json"), claimed(run, recipe):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock")
def test_who_looks_whether_a_run_goes_on_keeps_nobody_out(recipe, tmp_path, monkeypatch):
    assert is_claimed(tmp_path) is None, "nobody ever trained there"
    with claimed(tmp_path, recipe):
        assert is_claimed(tmp_path)
    assert is_claimed(tmp_path) is False
    look = (tmp_path / "lock").open("rb")
    assert locked(look.fileno(), shared=True)
    monkeypatch.setattr(checkpoint.time, "sleep", lambda _seconds: look.close())
    with claimed(tmp_path, recipe):
        assert look.closed


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock")
def test_one_process_at_a_time(recipe, tmp_path):
    refused = pytest.raises(RecipeError, match="another process is training there")
    with claimed(tmp_path, recipe), refused, claimed(tmp_path, recipe):
        pass
    with claimed(tmp_path, recipe):
        pass


def test_what_a_killed_process_left_half_written_is_removed(recipe, run):
    (run / ".state.new.pt.0011.tmp").write_bytes(b"half")
    with claimed(run, recipe):
        assert not list(run.glob(".*"))


def test_a_file_in_place_of_the_folder(recipe, tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(DiskError, match="cannot be written"):
        train(recipe, tmp_path / "run", device="cpu")


# Damage


def damage(path, kind):
    content = bytearray(path.read_bytes())
    if kind == "empty":
        content = b""
    elif kind == "cut":
        content = content[: len(content) // 2]
    elif kind == "noise":
        content = random.Random(0).randbytes(len(content))
    else:
        content[content.index(b"data/0") + 200] ^= 1  # within the first tensor
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["empty", "cut", "noise", "one bit"])
def test_in_place_of_a_damaged_state_the_one_before_is_used(recipe, run, begun, kind, caplog):
    damage(run / "state.pt", kind)
    train(recipe, run, device="cpu", until=32)
    assert "state.pt is damaged" in caplog.text
    assert "going on from the one before it, at 20 images" in caplog.text
    ours, theirs = ((folder / "log.jsonl").read_text().splitlines() for folder in (run, begun))
    assert [json.loads(line)["painter/gan"] for line in ours] == [json.loads(line)["painter/gan"] for line in theirs]


def test_the_state_before_serves_where_a_kill_left_no_other(recipe, run):
    (run / "state.pt").unlink()
    train(recipe, run, device="cpu", until=24)
    assert seen(run) == 24


def test_two_damaged_states_are_an_error(recipe, run):
    damage(run / "state.pt", "cut")
    damage(run / "state.previous.pt", "one bit")
    with pytest.raises(
        WeightsError, match=r"state\.pt is damaged .*state\.previous\.pt is damaged .*begin anew"
    ) as caught:
        train(recipe, run, device="cpu")
    assert "\n" not in str(caught.value)


def test_a_state_of_another_version_of_the_method(recipe, run):
    values = torch.load(run / "state.pt", weights_only=True)
    del values["weights"]["critic.bias"]
    torch.save(values, run / "state.pt")
    with pytest.raises(WeightsError, match=r"not of this version of the method \(1 missing: critic\.bias\)"):
        train(recipe, run, device="cpu")


def test_a_state_that_runs_code_is_not_read(recipe, run):
    for name in ("state.pt", "state.previous.pt"):
        torch.save({"seen": print}, run / name)
    with pytest.raises(WeightsError, match="damaged"):
        train(recipe, run, device="cpu")


def test_numbers_that_are_not_finite_are_found_by_name():
    nest = {"a": torch.ones(2), "b": [{"c": torch.tensor([0.0, float("nan")])}], "n": 3, "i": torch.tensor(1)}
    assert list(unfit(nest)) == ["b.0.c"]


# The disk


def test_a_full_disk_leaves_the_last_good_state(recipe, run, monkeypatch):
    def write(values, file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = {path.name: path.read_bytes() for path in run.glob("state*")}
    monkeypatch.setattr(checkpoint, "_write", write)
    with pytest.raises(DiskError, match="cannot be written.*No space left") as caught:
        train(recipe, run, device="cpu")
    assert caught.value.exit_code == 1
    assert {path.name: path.read_bytes() for path in run.glob("state*")} == before
    assert not list(run.glob(".*"))


class Full:
    """A file on a disk that fills up after some bytes."""

    def __init__(self, room):
        self.room = room

    def write(self, data):
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)

    def flush(self):
        pass


@pytest.mark.parametrize("room", [0, 100, 5000])
def test_a_disk_that_fills_up_within_a_state(room):
    with pytest.raises(OSError, match="."):
        checkpoint._write({"a": torch.ones(10000)}, Full(room))


def test_the_log_is_silent_when_all_is_well(recipe, run, caplog):
    with caplog.at_level(logging.INFO):
        train(recipe, run, device="cpu")
    assert not [record for record in caplog.records if record.name.startswith("sfumato")]


# What a run begins with


def test_a_run_begins_with_another_ones_networks(recipe, run, tmp_path):
    """All of them, and the averages; the optimisers and the images seen are its own."""
    saved = torch.load(run / "state.pt", weights_only=True)
    begun = dataclasses.replace(recipe, start=str(run / "state.pt"))
    train(begun, tmp_path / "second", device="cpu", until=0)
    own = torch.load(tmp_path / "second" / "state.pt", weights_only=True)
    assert own["seen"] == 0
    for key, tensor in own["weights"].items():
        assert torch.equal(tensor, saved["weights"][key])
    for key, tensor in own["averages"]["paint"].items():
        assert torch.equal(tensor, saved["averages"]["paint"][key])


def test_a_run_begins_with_a_model(recipe, run, tmp_path):
    """The first network and its average; all others are drawn."""
    begun = dataclasses.replace(recipe, start=str(run / "paint.safetensors"), seed=5)
    train(begun, tmp_path / "second", device="cpu", until=0)
    own = torch.load(tmp_path / "second" / "state.pt", weights_only=True)
    for key, tensor in load_tensors(run / "paint.safetensors").items():
        assert torch.equal(own["averages"]["paint"][key], tensor)
    saved = torch.load(run / "state.pt", weights_only=True)["weights"]
    assert not torch.equal(own["weights"]["critic.weight"], saved["critic.weight"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.pt", None, "cannot be read"),
        ("none.safetensors", None, "none.safetensors"),
        ("broken.pt", b"PK", "of another method or damaged"),
        ("broken.safetensors", b"{}", "broken.safetensors"),
        ("other.safetensors", "vgg/compact", "of another method or damaged"),
    ],
)
def test_what_a_run_cannot_begin_with(recipe, tmp_path, name, content, words):
    file = tmp_path / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        shutil.copy(zoo.find(content).path, file)
    with pytest.raises(WeightsError, match=re.escape(words)):
        train(dataclasses.replace(recipe, start=str(file)), tmp_path / "run", device="cpu")


def overrides_told(recipe, start, tmp_path):
    """The words that the error tells, as a shell splits them."""
    told = r"a network of other sizes than the recipe's \(\d.*\); for one like it add (.*)"
    with pytest.raises(WeightsError, match=told) as caught:
        train(dataclasses.replace(recipe, start=str(start)), tmp_path / "second", device="cpu")
    return shlex.split(re.search(told, str(caught.value))[1])


def test_a_model_of_other_sizes_tells_how_to_begin_with_it(recipe, run, tmp_path):
    larger = dataclasses.replace(recipe, method=Config(width=8, norm=True, pause_s=0.5))
    words = overrides_told(larger, run / "paint.safetensors", tmp_path)
    assert words == ["--method.width", "4", "--method.pause-s", "0.0", "--method.no-norm"]
    assert override(larger, words).method == recipe.method
    wide = Config(width=8, norm=True)
    save(tmp_path / "wide.safetensors", Model(wide), Card(name="w", method="toy", config=dataclasses.asdict(wide)))
    assert override(recipe, overrides_told(recipe, tmp_path / "wide.safetensors", tmp_path)).method == wide


@pytest.mark.parametrize("tensorboard", [True, False])
def test_what_is_said_of_values_is_read_as_they_are(recipe, tensorboard):
    """Switches, numbers and lists, by the command's own reader."""
    values = {"tensorboard": tensorboard, "data.content": ["a", "it's"], "optimizers.painter.betas": [0.25, 0.5]}
    words = [word for field, value in values.items() for word in said(field, value)]
    other = dataclasses.replace(recipe, tensorboard=not tensorboard)
    made = override(other, shlex.split(shlex.join(words)))
    assert (made.tensorboard, made.data.content) == (tensorboard, ("a", "it's"))
    assert made.optimizers["painter"].betas == (0.25, 0.5)


def test_a_model_that_is_not_as_its_card_says_is_called_damaged(recipe, tmp_path):
    """Another pause makes no other sizes, and that width is not the file's."""
    for k, config in enumerate([Config(pause_s=0.5), Config(width=8)]):
        path = tmp_path / f"{k}.safetensors"
        save(path, torch.nn.Conv2d(3, 4, 3), Card(name="w", method="toy", config=dataclasses.asdict(config)))
        with pytest.raises(WeightsError, match=r"is of another method or damaged \(5 missing.*; 2 unexpected"):
            train(dataclasses.replace(recipe, start=str(path)), tmp_path / "run", device="cpu")


def test_a_recipe_names_the_model_that_it_begins_with():
    words = ["--data.a", "x", "--data.b", "y", "--start"]
    assert recipes.parse("cut.tiny", [*words, "faces2kaokore"]).start.endswith("faces2kaokore.safetensors")
    assert recipes.parse("cut.tiny", [*words, "run/mine/state.pt"]).start == "run/mine/state.pt"
    with pytest.raises(WeightsError, match="no model 'faces3'"):
        recipes.parse("cut.tiny", [*words, "faces3"])
