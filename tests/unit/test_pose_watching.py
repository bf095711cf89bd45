"""A run that learns poses: average precision on held-out figures in its log, on its page, on its card."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from figures import write_set

from sfumato import train, weights
from sfumato.data.poses import Poses
from sfumato.errors import Cancelled, DataError, RecipeError
from sfumato.pose import evaluate_pose
from sfumato.pose.watching import WatchPoses
from sfumato.recipes import hrnet
from sfumato.train import loop
from sfumato.train.log import read_log
from sfumato.train.recipe import Watch, validated


@pytest.fixture(scope="module", autouse=True)
def without_curves():
    """Runs draw no losses.png, which takes longer than all their steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_losses", lambda _: None)
        yield


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    return write_set(folder / "sketches", 40), write_set(folder / "others", 12, seed=1)


@pytest.fixture(scope="module")
def recipe(sets):
    tiny = hrnet.tiny()
    return replace(
        tiny,
        data=replace(tiny.data, root=(str(sets[0]),), hold_out=0.3),
        watch=WatchPoses(every=16),
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
    return [line for line in read_log(run / "log.jsonl") if "pose/AP" in line]


def test_figures_stand_in_the_log_and_on_the_page(straight):
    lines = figures(straight[0])
    assert [line["images"] for line in lines] == [16, 32]
    assert all(0 <= line["pose/AP"] <= 1 and 0 <= line["pose/PCK"] <= 1 for line in lines)
    page = (straight[0] / "report.html").read_text(encoding="utf-8")
    measured = page[page.index("<h2>Figures") : page.index("<h2>Losses")]
    assert "pose/AP" in measured and "pose/PCK" in measured
    assert "best_pose.safetensors" in page


def test_the_best_is_kept_with_its_figures(straight):
    run, files = straight
    assert set(files) == {"pose", "best_pose"}
    best = max(figures(run), key=lambda line: (line["pose/AP"], -line["images"]))
    card = weights.read_card(files["best_pose"])
    assert card.images_seen == best["images"]
    found = {figure.name: figure for figure in card.figures}
    assert found["AP"].value == pytest.approx(best["pose/AP"], abs=1e-4)
    assert found["PCK"].value == pytest.approx(best["pose/PCK"], abs=1e-4)
    assert found["AP"].unit.endswith("figures of sketches, held out")


def test_the_figures_are_those_of_an_evaluation(sets, recipe, tmp_path):
    watch = WatchPoses(every=32, root=(str(sets[1]),))
    files = train(replace(recipe, watch=watch), tmp_path / "run", device="cpu")
    (line,) = figures(tmp_path / "run")
    report = evaluate_pose(files["pose"], sets[1], device="cpu")
    assert line["pose/AP"] == pytest.approx(report.precision.stats["AP"])
    assert line["pose/PCK"] == pytest.approx(report.mean_correct)
    assert weights.read_card(files["best_pose"]).figures[0].unit == "12 figures of others, held out"


def test_a_stopped_run_has_the_same_figures(recipe, straight, tmp_path):
    with pytest.raises(Cancelled):
        train(recipe, tmp_path / "run", device="cpu", progress=lambda seen, _: seen < 20)
    train(recipe, tmp_path / "run", device="cpu")
    assert [(x["pose/AP"], x["pose/PCK"]) for x in figures(tmp_path / "run")] == [
        (x["pose/AP"], x["pose/PCK"]) for x in figures(straight[0])
    ]
    ours, theirs = (torch.load(run / "state.pt", weights_only=True)["best"] for run in (tmp_path / "run", straight[0]))
    assert ours == theirs


@pytest.mark.parametrize("ema_images", [0, 16])
def test_watching_leaves_the_losses_as_they_are(recipe, tmp_path, ema_images):
    """Without averages the network that learns is measured itself: its normalisations must stay in training."""
    recipe = replace(recipe, ema_images=ema_images)
    for name, watch in (("plain", WatchPoses()), ("watched", WatchPoses(every=8))):
        train(replace(recipe, watch=watch), tmp_path / name, device="cpu")
    plain, watched = (read_log(tmp_path / name / "log.jsonl") for name in ("plain", "watched"))
    assert [x["network/heatmaps"] for x in plain] == [x["network/heatmaps"] for x in watched]


def test_what_is_held_out_is_not_learned(sets, tmp_path):
    data = Poses(root=(str(sets[0]),), hold_out=0.3, height=64, width=64)
    opened, all_of_it = data.open(), replace(data, hold_out=0.0).open()
    kept, learned = ({f.path for f in figures} for figures in (opened.held, opened.figures))
    assert kept and learned and not kept & learned
    assert kept | learned == {f.path for f in all_of_it.figures}
    assert 0.15 * 40 < len(kept) < 0.45 * 40
    assert opened.digest() != all_of_it.digest()
    assert opened.counts() == {str(sets[0]): len(learned)}


def test_versions_of_a_drawing_are_held_out_alike(sets, tmp_path):
    """A styled set has the labels of the set that it was made of, and other names."""
    other = write_set(tmp_path / "styled", 40)
    content = (other / "keypoints.json").read_text()
    for k in range(1, 41):
        content = content.replace(f'"{k:012}.png"', f'"other{k:03}.png"')
        (other / "images" / f"{k:012}.png").rename(other / "images" / f"other{k:03}.png")
    (other / "keypoints.json").write_text(content)
    opened = Poses(root=(str(sets[0]), str(other)), hold_out=0.3).open()
    first, second = ([f for f in opened.held if str(root) in str(f.path)] for root in (sets[0], other))
    assert [f.joints.tolist() for f in first] == [f.joints.tolist() for f in second] != []


def test_count_takes_figures_from_all_over(sets, recipe, tmp_path):
    watch = WatchPoses(every=32, root=(str(sets[0]), str(sets[1])), count=13)
    train(replace(recipe, watch=watch), tmp_path / "run", device="cpu")
    best = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["best"]["pose"]
    assert (best["figure"], best["figures"]) == ("AP", 13)
    opened = watch.open(loop.State(recipe, torch.device("cpu")), recipe.data.open())
    assert np.unique([f.path.parent.parent.name for f in opened.figures], return_counts=True)[1].tolist() == [3, 10]
    assert len({f.image for f in opened.figures}) == 13  # though both sets count from 1


def test_too_few_figures_are_a_warning(recipe, tmp_path, caplog):
    files = train(replace(recipe, data=replace(recipe.data, hold_out=0.0)), tmp_path / "run", device="cpu")
    assert "the run is not watched: 0 figures are kept from training, 8 are needed (data.hold_out" in caplog.text
    assert set(files) == {"pose"}


def test_a_broken_picture_is_left_out_and_told_once(recipe, tmp_path, caplog):
    others = write_set(tmp_path / "others", 12)
    (others / "images" / "000000000003.png").write_bytes(b"no picture")
    train(replace(recipe, watch=WatchPoses(every=16, root=(str(others),))), tmp_path / "run", device="cpu")
    assert len(figures(tmp_path / "run")) == 2
    assert caplog.text.count("left out of what is watched") == 1


def test_what_cannot_be_watched(recipe, tmp_path):
    with pytest.raises(DataError, match="there is no such folder of labelled pictures"):
        train(replace(recipe, watch=WatchPoses(every=8, root=("nowhere",))), tmp_path / "a", device="cpu")
    with pytest.raises(RecipeError, match=r"watch\.every.*two kinds of pictures, not Poses"):
        train(replace(recipe, watch=Watch(every=8)), tmp_path / "b", device="cpu")
    with pytest.raises(DataError, match=r"data\.hold_out: 0\.99 leaves none of 1 figures to learn"):
        Poses(root=(str(write_set(tmp_path / "one", 1)),), hold_out=0.99).open()
    with pytest.raises(RecipeError, match=r"watch\.every: input should be greater than or equal to 0"):
        validated(replace(recipe, watch=WatchPoses(every=-1)))


def test_poses_are_watched_where_there_are_some(tmp_path):
    from toy import recipe as toy

    with pytest.raises(RecipeError, match=r"watch\.every: 8 needs poses to learn; 0 watches nothing"):
        train(toy(tmp_path / "data", watch=WatchPoses(every=8)), tmp_path / "run", device="cpu")
