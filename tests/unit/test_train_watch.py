"""A run between two folders: figures on held-out pictures, the best model, the page."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import shapes
import torch

from sfumato import train, weights
from sfumato.data.domains import Unpaired
from sfumato.errors import Cancelled, RecipeError
from sfumato.methods import cyclegan
from sfumato.recipes import cyclegan as recipes
from sfumato.train import checkpoint, report
from sfumato.train.log import read_log
from sfumato.train.recipe import Watch
from sfumato.train.watch import diversity


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
        sample_every=32,
        title="Discs <of> \"two\" kinds & 'more'",
    )


@pytest.fixture(scope="module")
def straight(recipe, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "straight"
    return run, train(recipe, run, device="cpu")


def figures(run):
    return [line for line in read_log(run / "log.jsonl") if "a2b/fd-compact" in line]


def test_figures_stand_in_the_log(straight):
    lines = figures(straight[0])
    assert [line["images"] for line in lines] == [16, 32, 48, 64]
    for line in lines:
        for model in ("a2b", "b2a"):
            assert line[f"{model}/fd-compact"] > 0
            assert {f"{model}/kd-compact", f"{model}/diversity"} <= line.keys()


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


def test_diversity_of_copies_is_nothing():
    rng = np.random.default_rng(0)
    source, wanted = rng.normal(size=(2, 12, 8))
    assert diversity(np.repeat(source[:1], 12, 0), source, wanted) == pytest.approx(0, abs=1e-6)
    assert diversity(source, source, wanted) >= 1
    assert 0.4 < diversity(0.5 * source, source, wanted) < 0.6


class Grey(cyclegan.Model):
    """A generator that has collapsed."""

    def forward(self, image):
        return 0.5 + 0 * image


def test_a_collapse_comes_into_the_log_and_the_page(recipe, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(cyclegan, "Model", Grey)
    run = tmp_path / "run"
    train(recipe, run, device="cpu", until=48)
    assert figures(run)[-1]["a2b/diversity"] == pytest.approx(0, abs=1e-3)
    assert "after 32 images, mode collapse: what a2b makes" in caplog.text
    assert "mode collapse: what a2b makes" in (run / "report.html").read_text(encoding="utf-8")


# The page


def test_the_page_needs_nothing_else(straight):
    text = (straight[0] / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert sources and all(source.startswith(("data:image/", "#")) for source in sources)
    assert "<script" not in text and "http-equiv" not in text  # it has ended
    for words in ("Finished after 64 images", "a2b/fd-compact", "images per second", "method.width", "best_a2b"):
        assert words in text
    assert text.count("data:image/jpeg") == 2


def test_names_cannot_break_the_page(straight):
    text = (straight[0] / "report.html").read_text(encoding="utf-8")
    assert "Discs &lt;of&gt; &quot;two&quot; kinds &amp; &#x27;more&#x27;" in text
    assert "<of>" not in text


def test_the_page_of_a_run_that_goes_on(recipe, straight):
    text = report.page(straight[0], recipe, report.Status(seen=48))
    assert 'http-equiv="refresh"' in text
    assert re.search(r"Running: 48 of 64 images, about \d", text)


def test_the_page_of_a_run_that_has_not_begun(recipe, tmp_path):
    assert "Running: 0 of 64 images" in report.page(tmp_path, recipe, report.Status(seen=0))


def test_grids_fit_the_room():
    noise = np.random.default_rng(0).integers(0, 256, (900, 1600, 3), np.uint8)
    assert len(report.jpeg(noise, 100_000)) <= 100_000


def test_a_full_disk_below_the_page_stops_the_run_and_keeps_the_state(recipe, tmp_path, monkeypatch):
    from sfumato.errors import DiskError

    run = tmp_path / "run"
    train(recipe, run, device="cpu", until=24)
    monkeypatch.setattr(report, "write", lambda *_: (_ for _ in ()).throw(DiskError("report.html: cannot be written")))
    with pytest.raises(DiskError, match=r"report\.html"):
        train(recipe, run, device="cpu")
    monkeypatch.undo()
    state = torch.load(run / "state.pt", weights_only=True)
    assert state["seen"] >= 24
    assert json.loads((run / checkpoint.RECIPE).read_text())["watch"]["every"] == 16
    train(recipe, run, device="cpu")
    assert read_log(run / "log.jsonl")[-1]["images"] == 64
