"""The thesis's tables in little: which rows there are, what they share, and that all goes on where it stopped."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from figures import write_set
from PIL import Image

from sfumato import weights
from sfumato.card import Card
from sfumato.errors import Cancelled, DataError, OptionError
from sfumato.methods import hrnet
from sfumato.reproduce import sketch_pose, tables
from sfumato.reproduce.rows import SCALES, TABLES, Row, Scale, recipe
from sfumato.reproduce.sketch_pose import Config, SketchPose, reproduce
from sfumato.train import loop

LITTLE = Scale(
    pictures=4,
    held=3,
    size=64,
    variant="tiny",
    shape=(64, 64),
    images=8,
    batch=4,
    warmup=4,
    workers=0,
    muon=0.95,
    seconds=(1.0, 1.0, 1.0, 1.0),
)
FEW = {
    "Table 2": [Row(name="not taught any further", start="coco", learned=None, thesis=0.55)],
    "Ours": [
        Row(name="clean sketches", start="scratch"),
        Row(name="StyTr2, 12 styles", start="scratch", learned="stytr2-12"),
        Row(name="AdaIN, 12 styles", start="scratch", learned="adain-12"),
    ],
    "Table 1": [Row(name="clean sketches", start="imagenet", thesis=0.33)],
}


@pytest.fixture
def little(monkeypatch):
    """Three rows of four pictures."""
    monkeypatch.setitem(SCALES, "tiny", LITTLE)
    monkeypatch.setattr(sketch_pose, "TABLES", FEW)
    monkeypatch.setattr(loop, "draw_losses", lambda _: None)


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """A model that stands for COCO's."""
    torch.manual_seed(0)
    config = {"variant": "tiny", "height": 64, "width": 64}
    path = tmp_path_factory.mktemp("model") / "coco.safetensors"
    weights.save(path, hrnet.Model(hrnet.Config(**config)), Card(name="pose", method="hrnet", config=config))
    return path


@pytest.fixture
def styles(tmp_path):
    (tmp_path / "paintings").mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(tmp_path / "paintings" / f"{i}.png")
    return (str(tmp_path / "paintings"),)


@pytest.mark.usefixtures("little")
def test_all_of_it(tmp_path, coco, styles):
    out, real = tmp_path / "tables", write_set(tmp_path / "real", 3)
    config = Config(scale="tiny", motion=("builtin:walk",), styles=styles, real=str(real))
    told, seen = [], []
    report = lambda done, total: seen.append((done, total))  # noqa: E731
    page = reproduce(config, out, starts={"coco": coco}, device="cpu", progress=report, tell=told.append)
    text, made = page.read_text(), json.loads((out / "tables.json").read_text())
    assert [stage.split(",")[0].split(" ")[0] for stage in told] == [
        *("rendering", "rendering", "styling"),
        *("measuring", "measuring"),
        *("training", "measuring", "measuring") * 2,
    ]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len({total for _, total in seen}) == 1
    start, clean, stytr2, adain, imagenet = (row for rows in made["tables"].values() for row in rows)
    assert (start["thesis_AP"], start["images"]) == (0.55, 0)
    assert clean["run"] == "scratch-clean"
    assert stytr2["run"] == adain["run"] == "scratch-microast-2"  # two styles, one stylizer: one set and one run
    assert stytr2["styled_by"] == "microast/art"
    assert imagenet["left_out"] == "no ImageNet's weights" and "rendered" not in imagenet
    for row in (start, clean, stytr2, adain):
        assert 0 <= row["rendered"]["AP"] <= 1 and 0 <= row["real"]["PCK@0.1"] <= 1
        assert (row["rendered"]["figures"], row["real"]["figures"]) == (3, 3)
    for part in (
        "| StyTr2, 12 styles | MicroAST |",
        "| 0.55 |",
        "left out: no ImageNet's weights",
        "12 styles: there are",
    ):
        assert part in text
    assert "StyTr2: there is no model of it here, microast/art stands in" in text
    assert "StyTr2, 12 styles and AdaIN, 12 styles are one set here, and so one run." in text
    assert "its figures mean nothing" in text
    assert "longer side; of 3 rendered and 3 real figures." in text
    held, learned = (
        [json.loads(line)["people"][0] for line in (out / "sets" / name / "manifest.jsonl").read_text().splitlines()]
        for name in ("held", "clean")
    )
    assert not {person["motion"] for person in held} & {person["motion"] for person in learned}

    files = {p: p.stat().st_mtime_ns for folder in ("sets", "runs", "scores") for p in (out / folder).rglob("*.*")}
    reproduce(config, out, starts={"coco": coco}, device="cpu")
    assert json.loads((out / "tables.json").read_text()) == made
    redone = [p.name for p, t in files.items() if p.stat().st_mtime_ns != t]
    assert set(redone) <= {"keypoints.json", "manifest.jsonl"}

    write_set(tmp_path / "real", 2, seed=5)  # other labels: what was measured on the old ones no longer counts
    reproduce(config, out, starts={"coco": coco}, device="cpu")
    again = json.loads((out / "tables.json").read_text())["tables"]["Ours"][0]
    assert (again["real"]["figures"], again["rendered"]) == (2, clean["rendered"])


@pytest.mark.usefixtures("little")
def test_what_was_stopped_goes_on(tmp_path, styles):
    config = Config(scale="tiny", motion=("builtin:walk",), styles=styles)
    with pytest.raises(Cancelled, match="stopped after"):
        reproduce(config, tmp_path / "out", device="cpu", progress=lambda done, _: done < 2)
    assert not (tmp_path / "out" / "tables.md").exists()
    with pytest.raises(OptionError, match=r"holds a set with seed=0, not 3"):
        reproduce(replace(config, seed=3), tmp_path / "out", device="cpu")


def test_the_rows_are_the_thesis(tmp_path):
    known = {
        (row.start, row.learned, row.wear): row.thesis
        for rows in TABLES.values()
        for row in rows
        if row.thesis is not None
    }
    assert known == {
        ("imagenet", "clean", ""): 0.33,
        ("imagenet", "adain-12", ""): 0.40,
        ("coco", None, ""): 0.55,
        ("coco", "clean", ""): 0.62,
        ("coco", "adain-1", ""): 0.54,
        ("coco", "adain-12", ""): 0.51,
        ("coco", "stytr2-12", ""): 0.47,
        ("coco", "clean", "worn"): 0.66,
    }
    plain, worn, everything = (recipe(Row(name="x", start="scratch", wear=wear)).data for wear in ("", "worn", "all"))
    assert plain.wear.blur == 0 and worn.wear.blur > 0 and worn.wear.jpeg == 0
    assert everything.wear.jpeg > 0 and everything.bend_px > 0


def test_the_runs_of_each_scale(tmp_path, coco):
    for name, scale in SCALES.items():
        work = SketchPose(Config(scale=name), tmp_path / name, {}, "cpu", 0)
        assert len({work.key(row) for row in work.rows}) == 5  # one stylizer stands for two
        for row in work.rows:
            made = work.recipe(row)
            assert (made.method.variant, made.images, made.data.hold_out) == (scale.variant, scale.images, 0)
            assert made.optimizers["network"].muon == scale.muon
            assert (made.data.height, made.data.width) == (made.method.height, made.method.width) == scale.shape
        assert sum(stage.seconds for stage in work.stages()) > 0
    begun = SketchPose(Config(scale="full"), tmp_path / "coco", {"coco": coco}, "cpu", 0)
    made = begun.recipe(Row(name="x", start="coco"))
    assert (made.method.variant, made.start) == ("tiny", str(coco))  # the network is that of the weights
    assert made.optimizers["network"].muon == 0
    assert 60 * 60 < sum(s.seconds for s in SketchPose(Config(), tmp_path / "b", {}, "cpu", 0).stages()) < 2.5 * 3600


def test_mistakes(tmp_path, coco, styles):
    out = tmp_path / "out"
    with pytest.raises(OptionError, match=r"--start vgg: runs begin with the weights of imagenet or coco"):
        reproduce(Config(scale="tiny"), out, starts={"vgg": coco})
    with pytest.raises(OptionError, match=r"--start coco=.*is a model of microast, not of hrnet"):
        reproduce(Config(scale="tiny"), out, starts={"coco": sketch_pose.materials.zoo.find("microast/art").path})
    with pytest.raises(OptionError, match=r"--adain microast/art: is a model of microast, not of adain"):
        reproduce(Config(scale="tiny", adain="microast/art"), out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="there are no pictures"):
        reproduce(Config(scale="tiny", styles=(str(tmp_path / "empty"),)), out)
    with pytest.raises(DataError, match="there is no such folder of labelled pictures"):
        reproduce(Config(scale="tiny", real="nowhere"), out)
    assert not (out / "sets").exists()


def test_markdown_of_a_model_of_ones_own():
    row = {"row": "AdaIN, 1 style", "styled_by": "my.safetensors", "thesis_AP": None}
    score = {"figures": 4, "AP": None, "AP_interval": [None, None], "PCK@0.1": 0.5}
    made = {
        "scale": {"name": "tiny"},
        "measured_by": {"rendered": "x"},
        "notes": ["n"],
        "command": "",
        "machine": "m",
        "tables": {"T": [row | {"rendered": score}]},
    }
    assert "| AdaIN, 1 style | my.safetensors |  |  | 0.500 |" in tables.markdown(made)
    assert "; of 4 rendered figures" in tables.markdown(made)
    uncounted = row | {"rendered": score | {"figures": None}}
    assert "; of 4 rendered figures" in tables.markdown(
        made | {"tables": {"T": [uncounted, row | {"rendered": score}]}}
    )
    assert "figures." not in tables.markdown(made | {"tables": {"T": [uncounted]}})
