import builtins
import json
import sys
import types

import pytest
import torch

from sfumato import image
from sfumato.errors import DiskError, RecipeError, TrainingDiverged
from sfumato.train.log import Log, draw_losses, draw_samples, read_log, smooth


def line(images, **more):
    return json.dumps({"images": images, "seconds": images / 10, **more}) + "\n"


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("", []),
        (line(8), [8]),
        (line(8) + line(16), [8, 16]),
        (line(8) + line(16)[:-1], [8]),
        (line(8) + line(16)[:-9], [8]),
        (line(8) + "\0\0\0\0", [8]),
        (line(8) + '{"images": 16}\n', [8]),
        (line(8) + "16\n" + line(24), [8]),
        ("\xff\n" + line(8), []),
    ],
)
def test_a_log_is_read_up_to_its_first_damage(tmp_path, text, images):
    (tmp_path / "log.jsonl").write_bytes(text.encode("latin-1"))
    assert [found["images"] for found in read_log(tmp_path / "log.jsonl")] == images


def test_no_log_is_an_empty_one(tmp_path):
    assert read_log(tmp_path / "log.jsonl") == []


def test_a_resumed_log_drops_what_came_after_the_state(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(line(8, a=0.1) + line(16, a=1e-300) + line(24) + line(32)[:-5])
    log = Log(tmp_path)
    log.restore({}, 20)
    assert path.read_text() == line(8, a=0.1) + line(16, a=1e-300)
    assert log.seconds == 1.6


def test_a_new_run_begins_a_new_log(tmp_path):
    (tmp_path / "log.jsonl").write_text(line(8))
    Log(tmp_path).restore({}, 0)
    assert read_log(tmp_path / "log.jsonl") == []


def test_a_process_that_does_not_write_leaves_the_log_alone(tmp_path):
    (tmp_path / "log.jsonl").write_text(line(8))
    log = Log(tmp_path, writes=False)
    log.restore({}, 0)
    log.step({"g/a": torch.tensor(1.0)}, 4, 0.0)
    log.line(4, {})
    assert (tmp_path / "log.jsonl").read_text() == line(8)


def test_a_line_holds_means_over_the_steps_that_had_the_term(tmp_path):
    log = Log(tmp_path)
    for i in range(4):
        log.step({"g/a": torch.tensor(float(i))} | ({"g/rare": torch.tensor(5.0)} if i == 2 else {}), 2, 0.0)
    log.line(8, {"g": 0.1})
    log.step({"g/a": torch.tensor(9.0)}, 2, 0.0)
    log.line(10, {"g": 0.05})
    first, second = read_log(tmp_path / "log.jsonl")
    assert (first["g/a"], first["g/rare"], first["lr/g"], first["images"]) == (1.5, 5.0, 0.1, 8)
    assert (second["g/a"], second["lr/g"]) == (9.0, 0.05)
    assert "g/rare" not in second
    assert log.recent == {"g/a": pytest.approx(0.8 * 1.5 + 0.2 * 9)}


def test_half_a_line_survives_a_stop(tmp_path):
    values = [torch.rand(()) for _ in range(10)]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder, stops in ((whole, []), (parts, [3, 7])):
        folder.mkdir()
        log = Log(folder)
        for i, value in enumerate(values):
            if i in stops:
                state = log.state()
                log = Log(folder)
                log.restore(state, i)
            log.step({"g/a": value}, 1, 0.0)
        log.line(10, {})
    assert read_log(whole / "log.jsonl")[0]["g/a"] == read_log(parts / "log.jsonl")[0]["g/a"]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_loss_that_is_not_finite_is_named(tmp_path, value):
    log = Log(tmp_path)
    log.step({"g/a": torch.tensor(1.0), "g/b": torch.tensor(float(value))}, 4, 0.0)
    log.step({"g/a": torch.tensor(1.0), "g/b": torch.tensor(1.0)}, 4, 0.0)
    with pytest.raises(TrainingDiverged, match=f"after 1,008 images g/b is {value}: the run diverged"):
        log.line(1008, {})
    assert not (tmp_path / "log.jsonl").exists()


def test_a_log_that_cannot_be_written(tmp_path):
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(DiskError, match=r"log\.jsonl: cannot be written"):
        Log(tmp_path).line(4, {})


def test_the_share_of_waiting(tmp_path):
    log = Log(tmp_path)
    log.step({}, 4, 1e9)
    log.line(4, {})
    assert read_log(tmp_path / "log.jsonl")[0]["data_share"] == 1


# Pictures


def test_losses_are_drawn(tmp_path):
    with (tmp_path / "log.jsonl").open("w") as file:
        for i in range(1, 30):
            rare = {"d/penalty": -1.0} if i % 3 == 0 or i == 29 else {}
            file.write(line(8 * i, **{"lr/g": 0.1, "g/a": 100 / i**3, "g/b": -float(i)}, **rare))
    draw_losses(tmp_path)
    assert image.read(tmp_path / "losses.png").width > 1000


def test_nothing_is_drawn_of_nothing(tmp_path):
    draw_losses(tmp_path)
    draw_samples(tmp_path, 0, {})
    assert not list(tmp_path.iterdir())


def test_a_running_mean_begins_at_the_first_value():
    assert smooth((3.0,) * 5) == pytest.approx([3.0] * 5)
    assert smooth((1.0, 2.0))[0] == 1.0
    wave = tuple(float(i % 2) for i in range(400))
    assert smooth(wave)[-1] == pytest.approx(0.5, abs=0.05)


def test_samples_are_a_page_of_captions_and_pictures(tmp_path):
    rows = {"content": torch.rand(8, 3, 16, 20), "painted": torch.rand(8, 3, 16, 20) * 3 - 1}
    rows["painted"][0] = float("nan")
    draw_samples(tmp_path, 1234, rows)
    page = image.read(tmp_path / "samples" / "00001234.jpg")
    assert page.width > 6 * 128
    assert page.height > 2 * 100


# TensorBoard


def test_tensorboard_is_told_when_it_is_there(tmp_path, monkeypatch):
    told = []

    class Writer:
        def __init__(self, folder, purge_step):
            told.append((folder, purge_step))

        def add_scalar(self, tag, value, step):
            told.append((tag, value, step))

        def close(self):
            told.append("closed")

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    log = Log(tmp_path, tensorboard=True)
    log.restore({}, 12)
    log.step({"g/a": torch.tensor(2.0)}, 4, 0.0)
    log.line(16, {"g": 0.1})
    log.close()
    assert told[0] == (str(tmp_path / "tensorboard"), 12)
    assert ("g/a", 2.0, 16) in told
    assert ("lr/g", 0.1, 16) in told
    assert told[-1] == "closed"


def test_tensorboard_that_is_missing_is_one_clear_error(tmp_path, monkeypatch):
    real = builtins.__import__

    def imported(name, *rest, **more):
        if name.startswith(("tensorboard", "torch.utils.tensorboard")):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(RecipeError, match="^tensorboard: it is not installed; run pip install"):
        Log(tmp_path, tensorboard=True).restore({}, 0)
