import dataclasses
import errno
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.keypoints import KEYPOINTS
from sfumato.errors import Cancelled, DataError, DiskError, OptionError
from sfumato.render import native, render
from sfumato.render.job import Config, choice, draw, scene
from sfumato.render.preview import sheet
from sfumato.render.sets import plain

SMALL = Config(size=(96, 96), motion=("builtin:wave",), variants=2)
EVERYTHING = ("lines", "svg", "depth", "normals", "parts", "shaded", "flat", "mask")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A set of four pictures with all that can be written."""
    folder = tmp_path_factory.mktemp("set")
    assert render(dataclasses.replace(SMALL, outputs=EVERYTHING), 4, folder) == 4
    return folder


def labels(folder):
    return json.loads((folder / "keypoints.json").read_text())


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_what_a_set_has(whole):
    found = labels(whole)
    assert [image["file_name"] for image in found["images"]] == [f"images/{i:012d}.png" for i in range(4)]
    assert {path.name for path in whole.iterdir()} >= {"images", "keypoints.json", "manifest.jsonl", "config.json"}
    for figure in found["annotations"]:
        lines = pixels(whole / found["images"][figure["image_id"]]["file_name"])
        assert lines.shape == (96, 96, 4)
        left, top, width, height = figure["bbox"]
        assert figure["num_keypoints"] == 17
        assert 0.3 * 96 < height <= 96
        xs, ys = figure["keypoints"][::3], figure["keypoints"][1::3]
        assert left - 1 <= min(xs)
        assert max(xs) <= left + width
        assert top - 1 <= min(ys)
        assert max(ys) <= top + height


def test_the_outputs_of_a_picture_agree(whole):
    name = f"{2:012d}"
    mask, parts, depth = (pixels(whole / kind / f"{name}.png") for kind in ("mask", "parts", "depth"))
    figure = labels(whole)["annotations"][2]
    assert (mask > 0).sum() == figure["area"]
    assert ((parts > 0) == (mask > 0)).all()
    assert ((depth > 0) == (mask > 0)).all()
    assert depth.dtype == np.uint16
    assert 500 < depth[depth > 0].min() < depth.max() < 30_000
    normals = pixels(whole / "normals" / f"{name}.png")[mask > 0].astype(float) / 127.5 - 1
    assert np.abs(np.linalg.norm(normals, axis=1) - 1).mean() < 0.05
    assert normals[:, 2].mean() > 0.3
    for kind in ("shaded", "flat"):
        assert pixels(whole / kind / f"{name}.png").shape == (96, 96, 4)
    assert (whole / "svg" / f"{name}.svg").read_text().startswith("<svg")


def test_a_picture_depends_on_its_number_alone(tmp_path):
    render(SMALL, 3, tmp_path / "a")
    render(SMALL, 1, tmp_path / "b")
    render(SMALL, 3, tmp_path / "b", processes=2)
    for shard in ((1, 2), (0, 2)):
        render(SMALL, 3, tmp_path / "c", shard=shard)
    for other in ("b", "c"):
        assert labels(tmp_path / other) == labels(tmp_path / "a")
        for i in range(3):
            name = f"images/{i:012d}.png"
            assert (tmp_path / other / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


def test_a_set_that_was_stopped_goes_on(tmp_path):
    with pytest.raises(Cancelled, match="stopped after 2 of 4 pictures"):
        render(SMALL, 4, tmp_path, progress=lambda done, total: done < 2)
    assert len(labels(tmp_path)["images"]) == 2
    seen = []
    render(SMALL, 4, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(3, 4), (4, 4)]


def below(pid):
    """The processes that a process has started, where /proc tells."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def test_a_set_that_was_killed_goes_on(tmp_path):
    command = [sys.executable, "-m", "sfumato", "render", "--count", "400", "--size", "64", "-o", str(tmp_path)]
    with subprocess.Popen([*command, "--workers", "1"]) as process:
        deadline = time.monotonic() + 90
        manifest = tmp_path / "manifest.jsonl"
        while time.monotonic() < deadline and (not manifest.exists() or manifest.read_bytes().count(b"\n") < 2):
            time.sleep(0.05)
        children = [Path(f"/proc/{pid}") for pid in below(process.pid)]
        assert children or sys.platform != "linux"
        process.kill()
    while any(child.exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(child.exists() for child in children)
    made = manifest.read_bytes().count(b"\n")
    assert 2 <= made < 400
    config = Config(size=(64, 64))
    assert render(config, made + 2, tmp_path) == made + 2
    assert [image["id"] for image in labels(tmp_path)["images"]] == list(range(made + 2))


def test_another_set_in_the_folder(whole):
    with pytest.raises(OptionError, match=r"holds a set with .*choose another folder"):
        render(dataclasses.replace(SMALL, outputs=EVERYTHING, seed=5), 4, whole)


@pytest.mark.parametrize("content", ['["x"]', "7", "{"])
def test_a_configuration_that_is_none(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(DataError, match=r"config\.json: cannot be read .* choose another folder with -o"):
        render(SMALL, 1, tmp_path)


@pytest.mark.parametrize("name", ["keypoints.json", "annotations.json"])
def test_labels_of_others_are_not_overwritten(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(OptionError, match=rf"{name} is of another set, which is not overwritten"):
        render(SMALL, 1, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("full_at", "file"),
    [
        (1, "config.json"),
        (2, "000000000000.png"),
        (3, "manifest.jsonl"),
        (4, "000000000001.png"),
        (6, "keypoints.json"),
    ],
)
def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, full_at, file):
    synced = []

    def fsync(descriptor):
        synced.append(descriptor)
        if len(synced) == full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DiskError, match=rf"{file}: cannot be written.*No space left on device") as caught:
        render(SMALL, 2, tmp_path)
    assert full_at == 1 or str(caught.value).endswith("once it can, the same command goes on")
    assert not list(tmp_path.rglob("*.tmp"))
    assert not (tmp_path / "keypoints.json").exists()
    assert render(SMALL, 2, tmp_path) == 2
    lines = (tmp_path / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [0, 1]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match=r"file/set: cannot be written \(Not a directory\)"):
        render(SMALL, 1, tmp_path / "file" / "set")


def test_a_cluster_without_ray(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OptionError, match=r'Ray is not installed; pip install "sfumato\[ray\]"'):
        render(SMALL, 1, tmp_path / "set", ray="auto")
    assert not (tmp_path / "set").exists()


def test_each_combination_comes_once():
    config = dataclasses.replace(SMALL, cameras=3, every=15)
    chosen = [choice(config, number, np.random.default_rng(number)) for number in range(40)]
    stretches = {c.frame * 6 // c.motion.frames for c in chosen}
    total = len(stretches) * 3
    places = [(c.frame * 6 // c.motion.frames, round(c.azimuth_deg / 120) % 3) for c in chosen[:total]]
    assert len(set(places)) == total == 18


def test_several_figures_are_apart():
    made = [scene(dataclasses.replace(SMALL, figures=3, size=(256, 256)), number) for number in range(6)]
    assert {len(s.figures) for s in made} > {1}
    crowds = [s for s in made if len(s.figures) > 1]
    for crowd in crowds:
        middles = [figure.vertices.mean(0)[[0, 2]] for figure in crowd.figures]
        assert min(np.linalg.norm(a - b) for k, a in enumerate(middles) for b in middles[:k]) > 0.3
        assert np.ptp([figure.vertices[:, 1].min() for figure in crowd.figures]) < 0.05  # on one ground
    crowd = crowds[0]
    frame = native.draw(crowd.figures, crowd.camera, crowd.settings)
    for number, points in enumerate(frame.keypoints, 1):
        assert (points[:, 2] > 0).all()
        assert all(frame.figures[int(y), int(x)] == number for x, y, v in points if v == 2)


BONES = {"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand", "hip": "thigh", "knee": "shin", "ankle": "foot"}


def stretched(figure):
    """How much longer than at rest each part of a limb is in the figure's labels."""
    at, heads, limbs = dict(zip(KEYPOINTS, figure.keypoints)), figure.character.skeleton.heads, figure.character.limbs
    found = []
    for side in ("left", "right"):
        for first, second in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            ends = [heads[limbs[f"{side}_{BONES[joint]}"]] for joint in (first, second)]
            now = np.linalg.norm(at[f"{side}_{first}"] - at[f"{side}_{second}"])
            found.append(now / np.linalg.norm(ends[0] - ends[1]))
    return np.array(found)


def test_exaggeration_keeps_labels_on_the_figure():
    config = dataclasses.replace(SMALL, exaggerate=1.0, size=(256, 256))
    frame, made = draw(config, 1)
    (points,) = frame.keypoints
    inside = [frame.mask[int(y), int(x)] for x, y, v in points if v]
    assert sum(inside) >= 15
    assert all(frame.mask[int(y), int(x)] for x, y, v in points if v == 2)
    assert np.allclose(stretched(made.figures[0]), 1)


def test_exaggeration_of_a_character_that_moves_by_its_own_file(real_data):
    knight = str(real_data / "characters" / "kaykit" / "Knight.glb")
    config = dataclasses.replace(SMALL, character=(knight,), motion=("own",), exaggerate=1.0)
    for number in range(4):
        (figure,) = scene(config, number).figures
        assert np.allclose(stretched(figure), 1, atol=0.02)


@pytest.mark.parametrize(
    ("outputs", "main"),
    [
        (("svg",), "images"),
        (("depth", "shaded"), "shaded"),
        (("mask", "svg", "lines"), "images"),
        (("depth", "parts", "mask"), "mask"),
    ],
)
def test_labels_are_of_a_picture(tmp_path, outputs, main):
    render(dataclasses.replace(SMALL, outputs=outputs), 1, tmp_path)
    (entry,) = labels(tmp_path)["images"]
    assert entry["file_name"] == f"{main}/{0:012d}.png"
    assert pixels(tmp_path / entry["file_name"]).shape[:2] == (96, 96)
    assert all((tmp_path / ("images" if output == "lines" else output)).is_dir() for output in outputs)


def test_what_is_guessed_is_marked(tmp_path, whole, real_data):
    knight = str(real_data / "characters" / "kaykit" / "Knight.glb")
    render(dataclasses.replace(SMALL, character=(knight,)), 1, tmp_path)
    (figure,) = labels(tmp_path)["annotations"]
    assert figure["approximate"] == list(KEYPOINTS[:5])
    assert not any("approximate" in figure for figure in labels(whole)["annotations"])
    record = json.loads((tmp_path / "manifest.jsonl").read_text())
    assert record["people"][0]["character"] == knight
    assert record["seed"] == 0


def test_a_preview(whole):
    page = sheet(whole, 4, columns=4, side=64)
    assert page.width > 4 * 64
    found = np.asarray(page).reshape(-1, 3)
    assert (np.abs(found.astype(int) - (230, 120, 20)).sum(1) < 60).any()


def test_no_set_has_no_preview(tmp_path):
    with pytest.raises(DataError, match=r"has no keypoints\.json"):
        sheet(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"character": ("nobody.glb",)}, "nobody.glb: there is no such file"),
        ({"motion": ("nothing.bvh",)}, "nothing.bvh: there is no such motion"),
        ({"motion": ("own",)}, "own"),
    ],
)
def test_what_cannot_be_used_is_named_before_anything_is_written(tmp_path, change, message):
    with pytest.raises(DataError, match=re.escape(message)):
        render(dataclasses.replace(SMALL, **change), 2, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_the_configuration_is_plain():
    assert plain(SMALL)["size"] == [96, 96]
    json.dumps(plain(SMALL))
