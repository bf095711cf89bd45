"""What a folder is like: sizes, broken and odd pictures, the same ones and nearly the same ones."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from sfumato import image
from sfumato.cli import main
from sfumato.data import hashing, unwanted
from sfumato.data.health import Options, examine
from sfumato.errors import OptionError


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


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_found(folder):
    found = examine(folder).to_dict()
    assert found["pictures"] == 10 and list(found["broken"]) == ["broken.jpg"]
    assert [(g["best"], [o["picture"] for o in g["others"]]) for g in found["exact_duplicates"]] == [
        ("0.png", ["below/copy.png"])
    ]
    (near,) = found["near_duplicates"]
    assert (near["best"], [o["picture"] for o in near["others"]]) == ("1.png", ["smaller.jpg"])
    assert set(found["grey"]) == {"grey.png", "deep.png"}
    assert (found["deep"], found["tiny"], found["other_files"]) == (["deep.png"], ["tiny.png"], {".txt": 1})
    assert found["sizes"]["width"] == {"min": 30.0, "median": 160.0, "max": 160.0}


def test_surplus_pictures_can_be_left_out_of_a_training(folder):
    found = examine(folder)
    assert unwanted.lines(found.surplus, found.kept) == (["below/copy.png", "set/smaller.jpg"], [])


def test_names_that_would_mean_other_pictures_too_are_in_no_list(folder):
    """A training names pictures by FOLDER/NAME alone."""
    (folder / "more" / "below").mkdir(parents=True)
    Image.fromarray(scene(20)).save(folder / "more" / "below" / "copy.png")
    found = examine(folder)
    lines, left = unwanted.lines(found.surplus, found.kept)
    assert (lines, left) == (["set/smaller.jpg"], [folder / "below" / "copy.png"])


def test_a_list_replaces_lists_alone(tmp_path):
    path = tmp_path / "list.txt"
    unwanted.write_list(path, "two\nof many", ["a/b.png"])
    assert path.read_text() == "# two of many\na/b.png\n"
    unwanted.check_list(path)
    path.write_text("what I wanted to buy")
    with pytest.raises(OptionError, match="no list of pictures"):
        unwanted.check_list(path)


def test_duplicates_are_moved_aside(folder, tmp_path, capsys):
    aside = tmp_path / "aside"
    before = {path.relative_to(folder): path.read_bytes() for path in files(folder)}
    assert main(["folder", str(folder), "--move-duplicates", str(aside)]) == 0
    assert f"{aside}: 2 pictures moved here" in capsys.readouterr().out
    moved = {path.relative_to(aside).as_posix() for path in files(aside)}
    assert moved == {"below/copy.png", "smaller.jpg"}
    after = {path.relative_to(root): path.read_bytes() for root in (folder, aside) for path in files(root)}
    assert after == before
    assert examine(folder).surplus == []


def test_a_move_replaces_nothing(folder, tmp_path, capsys):
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "smaller.jpg").write_text("mine")
    assert main(["folder", str(folder), "--move-duplicates", str(aside)]) == 0
    assert "1 duplicates stay" in capsys.readouterr().err
    assert (aside / "smaller.jpg").read_text() == "mine" and (folder / "smaller.jpg").is_file()
    assert (aside / "below" / "copy.png").is_file()


def test_no_move_within_the_folder(folder, capsys):
    assert main(["folder", str(folder), "--move-duplicates", str(folder / "aside")]) == 2
    assert "name one outside" in capsys.readouterr().err
    assert not (folder / "aside").exists() and (folder / "smaller.jpg").is_file()


def test_a_link_is_no_better_than_its_file(folder):
    """Moving the file instead would leave the link without it."""
    (folder / "0-a.png").symlink_to(folder / "3.png")
    assert folder / "0-a.png" in examine(folder).surplus
    assert folder / "3.png" not in examine(folder).surplus


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
