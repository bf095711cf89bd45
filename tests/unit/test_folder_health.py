"""What a folder is like: sizes, broken and odd pictures, the same ones and nearly the same ones."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from sfumato import image
from sfumato.cli import main
from sfumato.data import hashing
from sfumato.data.health import Options, examine, exclude_lines


def scene(seed, height=120, width=160):
    """Something smooth and coloured, as photographs are."""
    noise = np.random.default_rng(seed).normal(0, 1, (6, 8, 3)).astype(np.float32)
    large = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 50 * large, 0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "set"
    (folder / "below").mkdir(parents=True)
    for i in range(4):
        Image.fromarray(scene(i)).save(folder / f"{i}.png")
    Image.fromarray(scene(0)).save(folder / "below" / "copy.png")
    Image.fromarray(scene(1)).resize((96, 72)).save(folder / "smaller.jpg", quality=70)
    Image.fromarray(scene(7)).convert("L").save(folder / "grey.png")
    Image.fromarray(scene(8)).convert("RGBA").save(folder / "clear.png")
    Image.fromarray(scene(9)[..., 0].astype(np.uint16) * 257).save(folder / "deep.png")
    Image.fromarray(scene(10, 20, 30)).save(folder / "tiny.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no")
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_what_is_found(folder):
    found = examine(folder, Options(), progress=None).to_dict()
    assert found["pictures"] == 10 and list(found["broken"]) == ["broken.jpg"]
    assert [(g["best"], [o["picture"] for o in g["others"]]) for g in found["exact_duplicates"]] == [
        ("0.png", ["below/copy.png"])
    ]
    (near,) = found["near_duplicates"]
    assert (near["best"], [o["picture"] for o in near["others"]]) == ("1.png", ["smaller.jpg"])
    assert set(found["grey"]) == {"grey.png", "deep.png"}
    assert (found["deep"], found["tiny"], found["other_files"]) == (["deep.png"], ["tiny.png"], {".txt": 1})
    assert found["sizes"]["width"] == {"min": 30.0, "median": 160.0, "max": 160.0}


def test_surplus_pictures_can_be_left_out_of_a_training(folder, tmp_path):
    lines, left = exclude_lines(examine(folder, Options(), progress=None))
    assert (lines, left) == (["below/copy.png", "set/smaller.jpg"], [])


def test_the_command(folder, tmp_path, capsys):
    sheet, names = tmp_path / "sheet.png", tmp_path / "doubles.txt"
    assert main(["folder", str(folder), "--sheet", str(sheet), "--dedupe-list", str(names)]) == 0
    out = capsys.readouterr().out
    assert "10 pictures" in out and "smaller.jpg as 1.png" in out and "below/copy.png as 0.png" in out
    assert names.read_text().splitlines()[1:] == ["below/copy.png", "set/smaller.jpg"]
    assert image.read(sheet).width > 1000
    assert main(["folder", str(folder), "--sheet", str(sheet)]) != 0  # nothing is replaced unasked
    assert main(["folder", str(folder), "--json"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :])["pictures"] == 10
    assert main(["folder", str(tmp_path / "none")]) != 0
    assert "no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["smaller", "compressed", "brighter", "sharper"])
def test_changes_that_leave_the_picture_the_same(change):
    for seed in range(8):
        pixels = scene(seed, 240, 320)
        if change == "smaller":
            other = cv2.resize(pixels, (100, 75), interpolation=cv2.INTER_AREA)
        elif change == "compressed":
            other = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
        elif change == "brighter":
            other = np.clip(pixels.astype(int) + 15, 0, 255).astype(np.uint8)
        else:
            other = cv2.addWeighted(pixels, 1.4, cv2.GaussianBlur(pixels, (0, 0), 2), -0.4, 0)
        apart = bin(hashing.perceptual(pixels) ^ hashing.perceptual(other)).count("1")
        assert apart <= Options().distance
        assert hashing.alike(hashing.look(pixels), hashing.look(other)[None]).all()


def test_different_pictures_are_far_apart():
    bits = [hashing.perceptual(scene(seed)) for seed in range(40)]
    apart = [bin(a ^ b).count("1") for i, a in enumerate(bits) for b in bits[:i]]
    assert min(apart) > Options().distance


def test_pairs_are_those_that_comparing_all_finds():
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2**63, 60, np.uint64)
    flips = np.array([sum(1 << int(k) for k in rng.choice(64, rng.integers(1, 14), replace=False)) for _ in base])
    values = np.unique(np.concatenate([base, base ^ flips.astype(np.uint64)]))
    for distance in (0, 5, 9, 15):
        found = {(a, b): d for a, b, d in hashing.pairs(values, distance).tolist()}
        expected = {
            (i, j): d
            for i in range(len(values))
            for j in range(i + 1, len(values))
            if (d := bin(int(values[i]) ^ int(values[j])).count("1")) <= distance
        }
        assert found == expected
