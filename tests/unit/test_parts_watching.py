"""A run that learns parts: intersection over union on held-out pictures in its log, on its page, on its card."""

from dataclasses import replace

import pytest
import torch
from people import write_people

from sfumato import train, weights
from sfumato.errors import Cancelled, RecipeError
from sfumato.parsing import PartParser, evaluate_parts
from sfumato.parsing.watching import WatchParts
from sfumato.parts import PARTS
from sfumato.recipes import segformer
from sfumato.train import loop
from sfumato.train.log import read_log
from sfumato.train.recipe import Watch

FIGURES = {"parser/mIoU", "parser/IoU-hair", "parser/IoU-face"}


@pytest.fixture(scope="module", autouse=True)
def without_curves():
    """Runs draw no losses.png, which takes longer than all their steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_losses", lambda _: None)
        yield


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    return write_people(folder / "people", 40, size=(48, 40)), write_people(folder / "others", 9, seed=1)


@pytest.fixture(scope="module")
def recipe(sets):
    tiny = segformer.tiny()
    return replace(
        tiny,
        data=replace(tiny.data, root=(str(sets[0]),), hold_out=0.3),
        watch=WatchParts(every=16, side=64),
        images=32,
        batch=4,
        log_every=8,
        save_every=12,
        sample_every=64,
    )


@pytest.fixture(scope="module")
def straight(recipe, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "straight"
    return run, train(recipe, run, device="cpu")


def figures(run):
    return [line for line in read_log(run / "log.jsonl") if "parser/mIoU" in line]


def test_figures_stand_in_the_log_on_the_page_and_on_the_card(straight):
    run, files = straight
    lines = figures(run)
    assert [line["images"] for line in lines] == [16, 32]
    assert all(0 <= line[name] <= 1 for line in lines for name in FIGURES)
    page = (run / "report.html").read_text(encoding="utf-8")
    measured = page[page.index("<h2>Figures") : page.index("<h2>Losses")]
    assert all(name in measured for name in FIGURES)
    assert set(files) == {"parser", "best_parser"}
    best = max(lines, key=lambda line: (line["parser/mIoU"], -line["images"]))
    card = weights.read_card(files["best_parser"])
    assert card.images_seen == best["images"]
    assert {figure.name for figure in card.figures} == {"mIoU", "IoU-hair", "IoU-face"}
    assert card.figures[0].unit.endswith("pictures of people, held out")


def test_the_figures_are_those_of_an_evaluation(sets, recipe, tmp_path):
    watch = WatchParts(every=32, root=(str(sets[1]),), side=64)
    files = train(replace(recipe, watch=watch), tmp_path / "run", device="cpu")
    (line,) = figures(tmp_path / "run")
    report = evaluate_parts(PartParser(files["parser"], device="cpu", side=64, flip=False), sets[1])
    assert line["parser/mIoU"] == pytest.approx(report.agreements["standard"].mean_iou)
    hair = report.agreements["standard"].iou[PARTS.index("hair")]
    assert line["parser/IoU-hair"] == pytest.approx(hair)


@pytest.mark.parametrize("ema_images", [0, 16])
def test_watching_leaves_the_losses_as_they_are(recipe, tmp_path, ema_images):
    recipe = replace(recipe, ema_images=ema_images)
    for name, watch in (("plain", WatchParts()), ("watched", WatchParts(every=8, side=64))):
        train(replace(recipe, watch=watch), tmp_path / name, device="cpu")
    plain, watched = (read_log(tmp_path / name / "log.jsonl") for name in ("plain", "watched"))
    assert [x["network/parts"] for x in plain] == [x["network/parts"] for x in watched]


def test_a_stopped_run_is_the_same(recipe, straight, tmp_path):
    with pytest.raises(Cancelled):
        train(recipe, tmp_path / "run", device="cpu", progress=lambda seen, _: seen < 20)
    train(recipe, tmp_path / "run", device="cpu")
    assert [x["parser/mIoU"] for x in figures(tmp_path / "run")] == [x["parser/mIoU"] for x in figures(straight[0])]
    ours, theirs = (torch.load(run / "state.pt", weights_only=True) for run in (tmp_path / "run", straight[0]))
    assert ours["best"] == theirs["best"]
    assert torch.equal(ours["buffers"]["shares"], theirs["buffers"]["shares"])
    assert float(ours["buffers"]["shares"].std()) > 0


def test_too_few_to_watch_by(recipe, sets, tmp_path, caplog):
    train(replace(recipe, data=replace(recipe.data, hold_out=0.0), images=16), tmp_path / "run", device="cpu")
    assert "the run is not watched: 0 pictures are kept from training, 8 are needed (data.hold_out" in caplog.text
    assert figures(tmp_path / "run") == []


def test_only_parts_are_watched(recipe, tmp_path):
    with pytest.raises(RecipeError):
        train(replace(recipe, watch=Watch(every=8)), tmp_path / "run", device="cpu")


def test_broken_pictures_are_left_out_and_told_once(recipe, tmp_path, caplog):
    root = write_people(tmp_path / "others", 10, size=(48, 40), seed=2)
    watch = WatchParts(every=8, root=(str(root),), side=64)
    (root / "images" / "003.png").write_bytes(b"nothing")
    train(replace(recipe, watch=watch, images=16), tmp_path / "run", device="cpu")
    assert caplog.text.count("left out of what is watched") == 1
    assert len(figures(tmp_path / "run")) == 2
