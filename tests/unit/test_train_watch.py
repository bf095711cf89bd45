"""A run between two folders: figures on held-out pictures, the best model, what it survives."""

import re
from dataclasses import replace

import numpy as np
import pytest
import shapes
import torch
from PIL import Image

from sfumato import train, weights
from sfumato.data.domains import Unpaired
from sfumato.errors import Cancelled, RecipeError, TrainingDiverged
from sfumato.methods import cyclegan, sketchygan
from sfumato.recipes import cyclegan as recipes
from sfumato.recipes import pix2pix, style2paints
from sfumato.recipes import sketchygan as sketches
from sfumato.train import loop
from sfumato.train.log import read_log
from sfumato.train.recipe import Watch
from sfumato.train.translations import diversity, likeness


@pytest.fixture(scope="module", autouse=True)
def without_curves():
    """Runs draw no losses.png, which takes longer than all their steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_losses", lambda _: None)
        yield


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    sides = shapes.folders(tmp_path_factory.mktemp("shapes"), 60)
    return replace(
        recipes.tiny(),
        data=Unpaired(size=32, shorter=(32, 36), hold_out=0.2, **sides),
        watch=Watch(every=16, count=12, network="compact"),
        images=64,
        ema_images=16,
        log_every=8,
        save_every=24,
        sample_every=64,
    )


@pytest.fixture(scope="module")
def straight(recipe, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "straight"
    return run, train(recipe, run, device="cpu")


def page(run):
    return (run / "report.html").read_text(encoding="utf-8")


def figures(run):
    return [line for line in read_log(run / "log.jsonl") if "a2b/fd-compact" in line]


def test_figures_stand_in_the_log(straight):
    lines = figures(straight[0])
    assert [line["images"] for line in lines] == [16, 32, 48, 64]
    for line in lines:
        for model in ("a2b", "b2a"):
            assert line[f"{model}/fd-compact"] > 0
            assert {f"{model}/kd-compact", f"{model}/diversity"} <= line.keys()


def test_models_of_classes_are_told_them(tmp_path, monkeypatch):
    folders = shapes.folders(tmp_path, 40)
    tiny = sketches.tiny()
    recipe = replace(
        tiny,
        method=replace(tiny.method, classes=("a", "b")),
        data=replace(tiny.data, photos=(*folders["a"], *folders["b"]), hold_out=0.4),
        watch=Watch(every=8, count=16, network="compact"),
    )
    told, forward = [], sketchygan.Model.forward

    def noted(self, sketch, label=None, seed=None):
        told.append(label)
        return forward(self, sketch, label, seed)

    monkeypatch.setattr(sketchygan.Model, "forward", noted)
    run = tmp_path / "run"
    files = train(recipe, run, device="cpu")
    assert "best_sketch2photo" in files
    (line,) = [line for line in read_log(run / "log.jsonl") if "sketch2photo/fd-compact" in line]
    assert line["sketch2photo/fd-compact"] > 0 and 0 < line["sketch2photo/l1"] < 1
    assert [len(labels) for labels in told[:2]] == [8, 8]
    assert torch.cat(told[:2]).tolist() == [0] * 8 + [1] * 8


def test_the_best_and_the_last_are_kept(straight):
    run, files = straight
    assert set(files) == {"a2b", "b2a", "best_a2b", "best_b2a"}
    best = min(figures(run), key=lambda line: line["a2b/fd-compact"])
    card = weights.read_card(files["best_a2b"])
    assert card.images_seen == best["images"]
    assert {f.name: f.value for f in card.figures}["fd-compact"] == pytest.approx(best["a2b/fd-compact"], abs=1e-4)
    state = torch.load(run / "state.pt", weights_only=True)
    assert state["best"]["a2b"]["images"] == best["images"]


def test_a_stopped_run_keeps_the_same_best(recipe, straight, tmp_path):
    run = tmp_path / "stopped"
    for until in (20, 40):
        with pytest.raises(Cancelled):
            train(recipe, run, device="cpu", progress=lambda seen, _, until=until: seen < until)
    train(recipe, run, device="cpu")
    for name in ("best_a2b", "best_b2a", "a2b"):
        ours, theirs = (weights.load_tensors(folder / f"{name}.safetensors") for folder in (run, straight[0]))
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert [line["a2b/fd-compact"] for line in figures(run)] == [
        line["a2b/fd-compact"] for line in figures(straight[0])
    ]


def test_watching_leaves_the_losses_as_they_are(recipe, straight, tmp_path):
    train(replace(recipe, watch=Watch()), tmp_path / "plain", device="cpu", until=32)
    plain, watched = (read_log(run / "log.jsonl") for run in (tmp_path / "plain", straight[0]))
    for a, b in zip(plain, watched[:4], strict=True):
        assert {k: v for k, v in a.items() if k.startswith("gen")} == {
            k: v for k, v in b.items() if k.startswith("gen")
        }


def test_too_few_pictures_are_a_warning(recipe, tmp_path, caplog):
    data = replace(recipe.data, hold_out=0.0)
    files = train(replace(recipe, data=data), tmp_path / "run", device="cpu", until=16)
    assert "not watched" in caplog.text and "data.hold_out" in caplog.text
    assert set(files) == {"a2b", "b2a"}


def test_data_of_one_kind_cannot_be_watched(tmp_path):
    from toy import recipe as toy

    with pytest.raises(RecipeError, match=r"watch\.every.*two kinds"):
        train(toy(tmp_path / "data", watch=Watch(every=8)), tmp_path / "run", device="cpu")


def test_a_method_that_leads_from_no_kind_to_another_cannot_be_watched(tmp_path):
    (tmp_path / "drawn").mkdir()
    for k in range(4):
        Image.new("RGB", (40, 40), (60 * k, 90, 200)).save(tmp_path / "drawn" / f"{k}.png")
    recipe = style2paints.tiny()
    data = replace(recipe.data, images=(str(tmp_path / "drawn"),), hold_out=0.4)
    with pytest.raises(RecipeError, match=r"watch\.every: 8 .*leads from one of images.*; 0 watches nothing"):
        train(replace(recipe, data=data, watch=Watch(every=8)), tmp_path / "run", device="cpu")


def test_diversity_of_copies_is_nothing():
    rng = np.random.default_rng(0)
    source, wanted = rng.normal(size=(2, 12, 8))
    assert diversity(np.repeat(source[:1], 12, 0), source, wanted) == pytest.approx(0, abs=1e-6)
    assert diversity(source, source, wanted) >= 1
    assert 0.4 < diversity(0.5 * source, source, wanted) < 0.6


def frozen(recipe):
    """The run with generators whose weights are nothing and stay so: every picture becomes the same grey."""
    optimizers = recipe.optimizers | {"generators": replace(recipe.optimizers["generators"], lr=1e-12)}
    return replace(recipe, method=replace(recipe.method, gain=1e-12), optimizers=optimizers)


def test_a_collapse_comes_into_the_log_and_the_page_and_is_told_once(recipe, tmp_path, caplog):
    run = tmp_path / "run"
    train(frozen(recipe), run, device="cpu", until=32)
    assert figures(run)[-1]["a2b/diversity"] == pytest.approx(0, abs=1e-3)
    assert "after 32 images, mode collapse: what a2b makes" in caplog.text
    assert "mode collapse: what a2b makes" in page(run)
    caplog.clear()
    train(frozen(recipe), run, device="cpu", until=48)
    assert "mode collapse" not in caplog.text
    assert "After 32 images: mode collapse: what a2b makes" in page(run)


def test_a_sound_run_has_no_warnings(straight, recipe, tmp_path, caplog):
    assert "Warnings" not in page(straight[0])
    train(recipe, tmp_path / "run", device="cpu", until=16)
    assert not caplog.records


def test_done_again_from_an_earlier_state_the_best_is_the_same_file(recipe, straight, tmp_path):
    """As after a kill between the best model and the next saved state."""
    run = tmp_path / "run"
    train(recipe, run, device="cpu", until=24)
    kept = (run / "state.pt").read_bytes()
    train(recipe, run, device="cpu", until=56)
    (run / "state.pt").write_bytes(kept)
    files = train(recipe, run, device="cpu")
    for name, path in straight[1].items():
        assert files[name].read_bytes() == path.read_bytes(), name
    state, other = (torch.load(folder / "state.pt", weights_only=True) for folder in (run, straight[0]))
    assert state["best"] == other["best"]


# What is beside the run


def test_a_disk_that_takes_no_page_and_no_samples_costs_only_those(recipe, straight, tmp_path, caplog):
    run = tmp_path / "run"
    (run / "report.html").mkdir(parents=True)
    (run / "samples").write_text("not a folder")
    files = train(recipe, run, device="cpu")
    warned = sorted(record.getMessage() for record in caplog.records)
    assert len(warned) == 2  # each once, though the page was due six times
    assert warned[0] == f"{run}/report.html: cannot be written (Is a directory); the run goes on without it"
    assert warned[1] == f"{run}: cannot be written (File exists); the run goes on without it"
    for name, path in straight[1].items():
        assert files[name].read_bytes() == path.read_bytes(), name
    assert not list(run.glob(".*.tmp"))


def test_the_page_tells_how_a_run_ended(recipe, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with pytest.raises(Cancelled):
        train(recipe, run, device="cpu", progress=lambda seen, _: seen < 4)
    assert "Stopped after 4 of 64 images; the same command goes on from there" in page(run)
    train(recipe, run, device="cpu", until=8)
    assert "Stopped after 8 of 64 images" in page(run)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(cyclegan.Training, "learn", lambda *_: 1 / 0)
        train(recipe, run, device="cpu")
    assert 'class="status failed">Failed by ZeroDivisionError' in page(run)
    wild = {group: replace(settings, lr=1e30) for group, settings in recipe.optimizers.items()}
    with pytest.raises(TrainingDiverged):
        train(replace(recipe, optimizers=wild), tmp_path / "wild", device="cpu")
    assert re.search(r'class="status failed">After \d+ images .*: the run diverged', page(tmp_path / "wild"))


# Pairs


def test_pairs_are_compared_with_their_partners(tmp_path):
    sides = shapes.folders(tmp_path / "shapes", 60)
    tiny = pix2pix.tiny()
    made = replace(
        tiny,
        data=replace(tiny.data, hold_out=0.3, **sides),
        watch=Watch(every=4, count=12, network="compact"),
    )
    run = tmp_path / "run"
    files = train(made, run, device="cpu")
    last = read_log(run / "log.jsonl")[-1]
    assert 0 < last["a2b/l1"] < 1
    assert -10 < last["a2b/psnr"] < 30
    assert {figure.name for figure in weights.read_card(files["best_a2b"]).figures} == {
        "fd-compact",
        "kd-compact",
        "diversity",
        "l1",
        "psnr",
    }


def test_likeness():
    wanted = torch.full((2, 3, 4, 4), 100, dtype=torch.uint8)
    assert likeness(wanted, wanted) == {"l1": 0, "psnr": pytest.approx(100)}
    made = wanted.clone()
    made[0] += 51
    found = likeness(made, wanted)
    assert found["l1"] == pytest.approx(0.1)
    assert found["psnr"] == pytest.approx((100 - 20 * np.log10(0.2)) / 2)
