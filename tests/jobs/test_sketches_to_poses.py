"""From nothing to a measured pose model, by the command line alone: render, restyle, train, evaluate."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stylizers import made_photo

from sfumato import cli
from sfumato.train.log import read_log

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

COUNT = 400


def run(*words: object) -> None:
    assert cli.main([*map(str, words), "-q"]) == 0


def content(folder: Path):
    """Labels by picture, and the annotations without ids."""
    found = json.loads((folder / "keypoints.json").read_text(encoding="utf-8"))
    kept = ("keypoints", "num_keypoints", "bbox", "area", "segmentation", "iscrowd", "category_id")
    return found["images"], [{k: a[k] for k in kept} for a in found["annotations"]]


def test_four_hundred_drawings_become_a_pose_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("paintings").mkdir()
    for seed in range(4):
        Image.fromarray(made_photo(96, 128, seed=seed)).save(f"paintings/{seed}.jpg")
    run("render", "--count", COUNT, "--size", 96, "--motion", "builtin", "--workers", 2, "-o", "sketches")
    run("render", "--count", 60, "--size", 96, "--motion", "random", "--seed", 7, "--workers", 2, "-o", "held")
    run("restyle", "sketches", "--styles", "paintings", "-o", "styled", "--device", "cpu")
    drawn, labels = content(Path("sketches"))
    styled, kept = content(Path("styled"))
    assert len(drawn) == len(styled) == COUNT
    assert kept == labels
    first, second = (
        np.asarray(Image.open(f"{name}/images/{0:012}.png").convert("RGB")) for name in ("sketches", "styled")
    )
    assert first.shape == second.shape and np.abs(first.astype(float) - second).mean() > 10
    assert len({json.dumps(label["keypoints"]) for label in labels}) == len(labels)

    size = ["--method.height", 64, "--method.width", 64, "--data.height", 64, "--data.width", 64]
    length = ["--images", 6_400, "--batch", 32, "--schedule.warmup", 640, "--ema-images", 640]
    rate = ["--optimizers.network.lr", 3e-3]
    often = ["--log-every", 480, "--save-every", 3_200, "--sample-every", 3_200, "--workers", 0]
    plain = ["--data.bend-px", 1, "--data.scale", 0.15, "--data.rotation-deg", 15, "--data.half-body", 0]
    watch = ["--watch.every", 3_200, "--watch.root", "held", "--watch.count", 30]
    run(
        *("train", "hrnet.sketches", "--run", "run", "--method.variant", "tiny", "--device", "cpu"),
        *("--data.root", "sketches", "styled", "--precision", "fp32", "--method.sigma", 1),
        *(*size, *length, *rate, *often, *plain, *watch),
    )
    lines = read_log(Path("run/log.jsonl"))
    losses = [line["network/heatmaps"] for line in lines]
    assert np.mean(losses[-3:]) < 0.8 * losses[0]
    assert [line["images"] for line in lines if "pose/AP" in line] == [3_200, 6_400]
    assert {p.name for p in Path("run").glob("*.safetensors")} == {"pose.safetensors", "best_pose.safetensors"}

    run("evaluate", "run/pose.safetensors", "held", "-o", "report", "--device", "cpu")
    report = json.loads(Path("report/report.json").read_text(encoding="utf-8"))
    assert {"AP", "AP50", "AP75", "AR", "AP_interval", "PCK@0.1", "PCK", "seconds", "machine"} <= report.keys()
    assert (report["figures"], len(report["by_figure"]), len(report["PCK"])) == (60, 60, 17)
    assert report["PCK@0.1"] > 0.05
    assert Path("report/sheet.jpg").is_file()
