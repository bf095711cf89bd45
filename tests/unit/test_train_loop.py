import dataclasses
import json
import math

import pytest
import torch
from toy import Config, Training, pictures
from toy import recipe as toy_recipe

from sfumato import image, train, weights
from sfumato.errors import Cancelled, DataError, RecipeError, TrainingDiverged
from sfumato.train import Optimizer, Recipe, checkpoint, loop, products
from sfumato.train.log import Log, read_log
from sfumato.train.loop import due
from sfumato.train.state import State, evaluating

CLOCK = ("seconds", "images_per_s", "data_share")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return toy_recipe(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def straight(recipe, tmp_path_factory):
    """The folder of a run that was never stopped."""
    run = tmp_path_factory.mktemp("runs") / "straight"
    train(dataclasses.replace(recipe, sample_every=24), run, device="cpu")
    return run


def lines(run):
    """The log without what the clock says."""
    return [{key: value for key, value in line.items() if key not in CLOCK} for line in read_log(run / "log.jsonl")]


def saved(run):
    return torch.load(run / "state.pt", weights_only=True)


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def assert_same_run(run, straight):
    assert lines(run) == lines(straight)
    assert same(saved(run), saved(straight))
    ours, theirs = (weights.load_tensors(folder / "paint.safetensors") for folder in (run, straight))
    assert same(ours, theirs)


# What a run leaves


def test_a_run_leaves_its_state_log_plot_samples_and_models(straight):
    names = {path.name for path in straight.iterdir()}
    assert names == {
        "lock",
        "log.jsonl",
        "losses.png",
        "paint.safetensors",
        "recipe.json",
        "report.html",
        "samples",
        "state.previous.pt",
        "state.pt",
    }
    assert [path.name for path in sorted((straight / "samples").iterdir())] == ["00000024.jpg", "00000048.jpg"]
    for picture in ("losses.png", "samples/00000048.jpg"):
        assert image.read(straight / picture).width > 200


def test_the_log_has_a_line_for_each_interval(straight):
    log = read_log(straight / "log.jsonl")
    assert [line["images"] for line in log] == [8, 16, 24, 32, 40, 48]
    losses = {"painter/likeness", "painter/spread", "painter/gan", "critic/gan"}
    for line in log:
        assert line.keys() == {"images", *CLOCK, "lr/painter", "lr/critic", *losses}
        assert 0 <= line["data_share"] <= 1
        assert line["images_per_s"] > 0
    assert all(a["seconds"] < b["seconds"] for a, b in zip(log, log[1:], strict=False))
    assert log[-1]["lr/critic"] == 0
    assert log[1]["lr/critic"] == pytest.approx(2e-2 * (1 + math.cos(math.pi * 16 / 48)) / 2)


def test_the_card_says_what_the_model_is(straight, recipe):
    card = weights.read_card(straight / "paint.safetensors")
    assert (card.name, card.method) == ("toy/paint", "toy")
    assert card.config == dataclasses.asdict(recipe.method)
    assert card.images_seen == 48
    assert {data.name: data.count for data in card.data} == {"photos": 6, "art": 5}
    assert card.losses.keys() == {"painter/likeness", "painter/spread", "painter/gan", "critic/gan"}


def test_the_card_takes_what_the_recipe_says_of_people_and_licences(recipe, tmp_path):
    said = {
        "title": "T",
        "licence": "MIT",
        "attribution": ("A",),
        "notes": ("N",),
        "data_licences": {"photos": "CC0"},
        "images": 4,
    }
    files = train(dataclasses.replace(recipe, **said), tmp_path / "run", device="cpu")
    card = weights.read_card(files["paint"])
    assert (card.title, card.licence, card.attribution, card.notes) == ("T", "MIT", ["A"], ["N"])
    assert {data.name: data.licence for data in card.data} == {"photos": "CC0", "art": "unknown"}
    again = train(dataclasses.replace(recipe, **{**said, "title": "U"}), tmp_path / "run", device="cpu")
    assert weights.read_card(again["paint"]).title == "U"


def test_cards_name_files_but_not_where_they_lie_here(recipe):
    method = dataclasses.make_dataclass("Config", [("a", str), ("b", tuple), ("c", int)])(
        "/home/me/x.pth", ("C:\\v.pth", "vgg"), 3
    )
    method.__class__.__module__ = "sfumato.methods.toy"
    card = products.card("m", dataclasses.replace(recipe, method=method), 1, {"/home/me/photos/": 2}, {})
    assert card.config["a"] == "x.pth"
    assert card.config["b"][1] == "vgg"
    assert "me" not in card.data[0].name


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["/usr/bin/sfumato", "train", "a b"], "sfumato train 'a b'"),
        (["/x/sfumato/__main__.py", "train"], "sfumato train"),
        (["/x/mine.py", "1"], "python mine.py 1"),
        (
            ["sfumato", "train", "--data.content", "/home/me/photos", "--run=/tmp/r"],
            "sfumato train --data.content photos --run=r",
        ),
        (["-c"], ""),
        ([], ""),
    ],
)
def test_the_command_of_a_run_names_no_places(words, command):
    assert products.command(words) == command


def test_the_callers_random_numbers_are_left_alone(recipe, tmp_path):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    train(dataclasses.replace(recipe, images=4), tmp_path / "run", device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


# Exactness


@pytest.mark.parametrize("stops", [[4], [20], [24], [8, 12, 16], [48]])
def test_a_run_in_pieces_is_the_whole_run(recipe, straight, tmp_path, stops):
    for stop in stops:
        train(recipe, tmp_path / "run", device="cpu", until=stop)
        assert saved(tmp_path / "run")["seen"] == stop
    train(recipe, tmp_path / "run", device="cpu")
    assert_same_run(tmp_path / "run", straight)


def test_steps_after_the_last_saved_state_are_done_again(recipe, straight, tmp_path):
    run = tmp_path / "run"
    train(recipe, run, device="cpu", until=20)
    kept = (run / "state.pt").read_bytes()
    train(recipe, run, device="cpu", until=44)
    (run / "state.pt").write_bytes(kept)
    with (run / "log.jsonl").open("a") as file:
        file.write('{"images": 48, "seco')
    train(recipe, run, device="cpu")
    assert_same_run(run, straight)


def test_workers_change_nothing(recipe, straight, tmp_path):
    train(dataclasses.replace(recipe, workers=2, cache_mb=0), tmp_path / "run", device="cpu", until=24)
    train(recipe, tmp_path / "run", device="cpu")
    assert_same_run(tmp_path / "run", straight)


def test_another_seed_is_another_run(recipe, straight, tmp_path):
    train(dataclasses.replace(recipe, seed=2**31 - 1), tmp_path / "run", device="cpu", until=8)
    assert lines(tmp_path / "run")[0] != lines(straight)[0]


def test_a_finished_run_is_left_as_it_is(recipe, straight):
    before = lines(straight), saved(straight)
    assert train(recipe, straight, device="cpu") == {"paint": straight / "paint.safetensors"}
    assert same(list(before), [lines(straight), saved(straight)])


def test_what_is_less_than_a_batch_is_left_out(recipe, tmp_path):
    train(dataclasses.replace(recipe, images=11), tmp_path / "run", device="cpu")
    assert saved(tmp_path / "run")["seen"] == 8
    assert [line["images"] for line in lines(tmp_path / "run")] == [8]


def test_a_finished_run_can_be_made_longer(recipe, tmp_path):
    train(dataclasses.replace(recipe, images=10), tmp_path / "run", device="cpu")
    train(dataclasses.replace(recipe, images=20), tmp_path / "run", device="cpu")
    assert [line["images"] for line in lines(tmp_path / "run")] == [8, 16, 20]


# Stops


def test_progress_is_told_and_can_cancel(recipe, straight, tmp_path):
    told = []

    def progress(done, total):
        told.append((done, total))
        return done < 20

    with pytest.raises(Cancelled, match="stopped after 20 of 48 images; the same command goes on") as caught:
        train(recipe, tmp_path / "run", device="cpu", progress=progress)
    assert caught.value.exit_code == 130
    assert told == [(n, 48) for n in range(0, 21, 4)]
    train(recipe, tmp_path / "run", device="cpu", progress=lambda done, _total: told.append((done, 0)))
    assert told[6:] == [(n, 0) for n in range(20, 49, 4)]
    assert_same_run(tmp_path / "run", straight)


def test_a_loss_that_is_not_finite_stops_the_run(recipe, tmp_path):
    poisoned = dataclasses.replace(recipe, method=Config(poison=8))
    with pytest.raises(TrainingDiverged, match="after 32 images painter/likeness is inf.* the run diverged") as caught:
        train(poisoned, tmp_path / "run", device="cpu")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
    assert saved(tmp_path / "run")["seen"] == 20
    assert read_log(tmp_path / "run" / "log.jsonl")[-1]["images"] == 24


def test_a_run_that_diverges_at_once_keeps_where_it_began(recipe, tmp_path):
    with pytest.raises(TrainingDiverged):
        train(dataclasses.replace(recipe, method=Config(poison=1)), tmp_path / "run", device="cpu")
    state = saved(tmp_path / "run")
    assert state["seen"] == 0
    assert same(
        state["weights"], dict(checkpoint.contents(State(recipe, torch.device("cpu")), Log(tmp_path), "")["weights"])
    )


def test_weights_that_are_not_finite_are_never_saved(recipe, tmp_path):
    poisoned = dataclasses.replace(recipe, method=Config(poison=10), log_every=1000)
    with pytest.raises(TrainingDiverged, match="after 40 images .* not finite"):
        train(poisoned, tmp_path / "run", device="cpu")
    state = saved(tmp_path / "run")
    assert state["seen"] == 20
    assert all(bool(tensor.isfinite().all()) for tensor in state["weights"].values())


def test_data_that_is_missing(recipe, tmp_path):
    with pytest.raises(DataError, match="names no folder"):
        train(
            dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, style=())), tmp_path / "run", device="cpu"
        )
    with pytest.raises(DataError, match="no such folder"):
        train(
            dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, style=("nowhere",))),
            tmp_path / "run",
            device="cpu",
        )


def test_other_pictures_than_before_are_noticed(recipe, tmp_path, caplog):
    folder = pictures(tmp_path / "photos", 3)
    mine = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, content=(str(folder),)))
    train(mine, tmp_path / "run", device="cpu", until=8)
    pictures(folder, 4)
    assert not caplog.records
    train(mine, tmp_path / "run", device="cpu", until=16)
    assert "not those that the run began with" in caplog.text


def test_a_recipe_that_the_first_step_refuses_does_not_bind_the_folder(recipe, tmp_path, monkeypatch):
    def learn(training, _batch):
        if training.config.width == 5:
            raise RecipeError("method.width: 5 does not fit")
        yield from taught(training, _batch)

    taught = Training.learn
    monkeypatch.setattr(Training, "learn", learn)
    with pytest.raises(RecipeError, match="does not fit"):
        train(dataclasses.replace(recipe, method=Config(width=5)), tmp_path / "run", device="cpu")
    assert train(dataclasses.replace(recipe, images=4), tmp_path / "run", device="cpu")


def test_a_group_without_optimizer_is_refused(recipe, tmp_path):
    with pytest.raises(RecipeError, match="no group 'other'"):
        train(dataclasses.replace(recipe, optimizers={"other": Optimizer()}), tmp_path / "run", device="cpu")


# The step


@pytest.fixture
def state(recipe):
    return State(recipe, torch.device("cpu"))


def batch():
    return {name: torch.rand(4, 3, 16, 16) for name in ("content", "style")}


def test_a_step_moves_each_group_by_its_own_losses(state):
    before = {name: p.clone() for name, p in state.training.named_parameters()}
    state.seen = 8
    record = state.step(batch())
    assert record.keys() == {"painter/likeness", "painter/spread", "painter/gan", "critic/gan"}
    assert not any(value.requires_grad for value in record.values())
    moved = {name.split(".")[0] for name, p in state.training.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"painter", "critic"}
    assert state.seen == 12


def test_gradients_are_clipped_by_group(recipe):
    steep = dataclasses.replace(recipe, optimizers={"painter": Optimizer(lr=1e-2, clip=1e-12)}, ema_images=0)
    state = State(steep, torch.device("cpu"))
    state.seen = 8
    norms = []
    state.optimizers["painter"].register_step_pre_hook(
        lambda optimizer, *_: norms.append(
            torch.nn.utils.get_total_norm([p.grad for p in optimizer.param_groups[0]["params"]])
        )
    )
    state.step(batch())
    assert float(norms[0]) <= 1e-12


def test_averages_follow_their_definition(recipe):
    state = State(dataclasses.replace(recipe, ema_images=20), torch.device("cpu"))
    expected = [p.detach().clone() for p in state.training.painter.parameters()]
    for seen in range(4, 41, 4):
        state.step(batch())
        keep = 0.5 ** (4 / min(20, seen / 10 + 1))
        for mean, p in zip(expected, state.training.painter.parameters(), strict=True):
            mean.mul_(keep).add_(p.detach(), alpha=1 - keep)
    for mean, ours in zip(expected, state.models()["paint"].parameters(), strict=True):
        torch.testing.assert_close(ours, mean)
    assert int(state.models()["paint"].steps) == 10


def test_statistics_of_batches_are_averaged_as_weights_are(recipe):
    normed = dataclasses.replace(recipe, method=Config(norm=True), ema_images=20)
    state = State(normed, torch.device("cpu"))
    mean, var = torch.zeros(3), torch.ones(3)
    for seen in range(4, 41, 4):
        state.step(batch())
        keep, own = 0.5 ** (4 / min(20, seen / 10 + 1)), state.training.painter.convs[-1]
        mean.mul_(keep).add_(own.running_mean, alpha=1 - keep)
        var.mul_(keep).add_(own.running_var, alpha=1 - keep)
    kept = state.models()["paint"].convs[-1]
    torch.testing.assert_close(kept.running_mean, mean)
    torch.testing.assert_close(kept.running_var, var)
    assert not torch.equal(kept.running_mean, own.running_mean)
    assert int(kept.num_batches_tracked) == int(own.num_batches_tracked) == 10


def test_samples_are_made_with_the_averaged_statistics(recipe):
    state = State(dataclasses.replace(recipe, method=Config(norm=True)), torch.device("cpu"))
    for _ in range(3):
        state.step(batch())
    images, before = batch(), [b.clone() for b in state.training.buffers()]
    shown, kept = state.sample(images)["painted"], state.models()["paint"].eval()
    assert torch.equal(shown, kept(images["content"]).clamp(0, 1))
    assert all(torch.equal(a, b) for a, b in zip(state.training.buffers(), before, strict=True))


def test_without_averages_the_models_themselves_are_kept(recipe):
    state = State(dataclasses.replace(recipe, ema_images=0), torch.device("cpu"))
    assert state.models()["paint"] is state.training.painter


def test_samples_show_what_is_kept_and_touch_nothing(state):
    for _ in range(3):
        state.step(batch())
    images = batch()
    before = [p.clone() for p in state.training.parameters()]
    shown = state.sample(images)["painted"]
    kept = state.models()["paint"]
    assert torch.equal(shown, kept(images["content"]).clamp(0, 1))
    assert all(torch.equal(p, q) for p, q in zip(state.training.parameters(), before, strict=True))
    assert state.training.painter.training
    assert not state.training.teacher.training


def test_evaluation_gives_each_part_its_own_mode_back(state):
    with pytest.raises(ZeroDivisionError), evaluating(state.training):
        assert not state.training.critic.training
        raise ZeroDivisionError
    assert state.training.critic.training
    assert not state.training.teacher.training


def test_bfloat16_keeps_weights_and_losses_in_float32(recipe):
    state = State(dataclasses.replace(recipe, precision="bf16"), torch.device("cpu"))
    state.seen = 8
    record = state.step(batch())
    assert {p.dtype for p in state.training.parameters()} == {torch.float32}
    assert all(math.isfinite(float(value)) for value in record.values())


def test_filters_are_channels_last(state):
    assert state.training.painter.convs[2].weight.is_contiguous(memory_format=torch.channels_last)


def test_compiling_reaches_the_networks_and_their_parts(recipe, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(self))
    state = State(dataclasses.replace(recipe, compile=True), torch.device("cpu"))
    assert state.training.painter in compiled
    assert state.training.painter.convs in compiled
    assert state.training.teacher in compiled
    assert not any(part in compiled for part in state.averages.values())


def test_what_is_due():
    assert [seen for seen in range(3, 31, 3) if due(seen, 10, 3)] == [12, 21, 30]
    assert [seen for seen in range(50, 501, 50) if due(seen, 20, 50)] == list(range(50, 501, 50))


def test_a_recipe_needs_only_method_data_and_length(recipe, tmp_path):
    files = train(Recipe(method=recipe.method, data=recipe.data, images=2, workers=0), tmp_path / "run", device="cpu")
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["batch"] == 1
    assert files["paint"].exists()


@pytest.mark.parametrize(("fast", "precision"), [(torch.float32, "fp32"), (torch.bfloat16, "bf16")])
def test_an_automatic_precision_is_settled_once_for_the_run(recipe, tmp_path, monkeypatch, fast, precision):
    """On a machine where the other would be faster the run goes on as it began, and with the same losses."""
    automatic = dataclasses.replace(recipe, precision="auto")
    straight, run = tmp_path / "straight", tmp_path / "run"
    train(dataclasses.replace(recipe, precision=precision), straight, device="cpu")
    monkeypatch.setattr(loop, "fast_dtype", lambda device: fast)
    train(automatic, run, device="cpu", until=24)
    other = torch.bfloat16 if fast == torch.float32 else torch.float32
    monkeypatch.setattr(loop, "fast_dtype", lambda device: other)
    train(automatic, run, device="cpu")
    assert json.loads((run / "recipe.json").read_text())["precision"] == precision
    ours, theirs = ([line["painter/gan"] for line in read_log(folder / "log.jsonl")] for folder in (run, straight))
    assert ours == theirs
