"""Faces found, cut out, reported."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sfumato import image
from sfumato.cli import main
from sfumato.data import face_folder, yunet
from sfumato.data.faces import Face, Options, crop, detect, frame, outside

SHEET = Path(__file__).resolve().parent.parent.parent / "docs" / "images" / "faces2kaokore.jpg"
"""A page of synthetic faces and of what the model makes of them."""


@pytest.fixture(scope="module")
def sheet():
    return image.read(SHEET).pixels


@pytest.fixture(scope="module")
def portrait(sheet):
    """The surest face of the sheet with what is around it, upright: (H, W, 3)."""
    face = max(detect(sheet, Options(drawn=False)), key=lambda face: face.score)
    left, top, width, height = map(round, face.box)
    return sheet[top - height // 4 : top + 5 * height // 4, left - width // 4 : left + 5 * width // 4]


def overlap(a, b):
    ends = np.minimum(np.add(a[:2], a[2:]), np.add(b[:2], b[2:]))
    shared = (ends - np.maximum(a[:2], b[:2])).clip(0).prod()
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def test_all_faces_of_a_picture_the_largest_first(sheet):
    faces = detect(sheet, Options(drawn=False))
    areas = [face.box[2] * face.box[3] for face in faces]
    assert len(faces) >= 8 and areas == sorted(areas, reverse=True)
    for face in faces:
        (left, y0), (right, y1), (_, nose), *mouth = face.points
        assert left < right and max(y0, y1) < nose < min(y for _, y in mouth)
    assert len(detect(sheet, Options(drawn=False, largest=True))) == 1


def test_a_picture_without_faces():
    assert detect(np.full((200, 300, 3), 200, np.uint8)) == []
    assert detect(np.zeros((1, 1, 3), np.uint8)) == []
    for _ in range(2):  # strips, of which OpenCV 4 may see something else each time
        assert detect(np.zeros((3, 900, 3), np.uint8)) == []
        assert detect(np.zeros((900, 3, 3), np.uint8)) == []


@pytest.mark.parametrize("angle", [-25, 20])
def test_a_turned_face_is_cut_out_upright(portrait, angle):
    height, width = portrait.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(portrait, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    (face,) = detect(turned, Options(largest=True))
    assert yunet.tilt(face.points) == pytest.approx(-angle, abs=7)
    upright = crop(turned, face, Options(size=160))
    (again,) = detect(upright, Options(largest=True))
    assert abs(yunet.tilt(again.points)) < 6
    as_it_is = crop(turned, face, Options(size=160, align=False))
    (kept,) = detect(as_it_is, Options(largest=True))
    assert yunet.tilt(kept.points) == pytest.approx(-angle, abs=9)


def test_a_crop_shows_the_box_and_its_margin(portrait):
    (face,) = detect(portrait, Options(largest=True))
    for margin in (0.1, 0.4):
        cut = crop(portrait, face, Options(size=200, margin=margin))
        assert cut.shape == (200, 200, 3)
        (found,) = detect(cut, Options(largest=True))
        assert max(found.box[2:]) == pytest.approx(200 / (1 + 2 * margin), rel=0.12)


def test_pixels_of_a_crop_are_where_the_frame_says():
    """A level face whose crop is as large as its frame: nothing is resampled."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    face = Face(box=(20, 12, 32, 32), points=((28, 20), (44, 20), (36, 28), (30, 36), (42, 36)), score=1)
    options = Options(size=32, margin=0, align=True)
    corner, across = frame(face, options)
    assert across.tolist() == [32, 0]
    assert corner.tolist() == pytest.approx([20, 12 - 0.06 * 32])
    moved = Face(box=(20, 12 + 0.06 * 32, 32, 32), points=face.points, score=1)
    np.testing.assert_array_equal(crop(pixels, moved, options), pixels[12:44, 20:52])
    assert outside(moved, options, 60, 80) == 0
    assert outside(Face(box=(-16, 1.92, 32, 32), points=face.points, score=1), options, 60, 80) == 0.5


def test_one_face_of_several_copies():
    rows = np.zeros((3, 15))
    rows[0, :4], rows[0, 14] = (10, 10, 20, 20), 0.9
    rows[1, :4], rows[1, 14] = (12, 10, 20, 20), 0.6
    rows[2, :4], rows[2, 14] = (60, 60, 20, 20), 0.5
    fused = yunet.fuse(rows)
    assert len(fused) == 2
    assert fused[0, 0] == pytest.approx((10 * 0.9 + 12 * 0.6) / 1.5) and fused[0, 14] == 0.9


# The command

QUICK = ["faces", "--size", "64", "--no-drawn"]


@pytest.fixture
def photos(tmp_path, sheet, portrait):
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    Image.fromarray(sheet).save(folder / "many.png")
    Image.fromarray(portrait).save(folder / "below" / "one.png")
    Image.fromarray(portrait).convert("RGBA").save(folder / "below" / "clear.png")
    rotated = Image.Exif()
    rotated[0x0112] = 6  # to be shown turned by a quarter, clockwise
    Image.fromarray(np.rot90(portrait)).save(folder / "below" / "turned.jpg", exif=rotated, quality=95)
    cv2.imwrite(str(folder / "below" / "deep.png"), portrait[..., ::-1].astype(np.uint16) * 257)
    Image.fromarray(np.full((90, 90), 30000, np.uint16)).save(folder / "grey.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    return folder


def report(out):
    return json.loads((out / "faces.json").read_text())


def test_a_folder_of_pictures(photos, tmp_path, capsys):
    out = tmp_path / "faces"
    assert main(["faces", str(photos), "-o", str(out), "--size", "64"]) == 1  # one is broken
    said = capsys.readouterr()
    content = report(out)
    assert content["without_face"] == ["grey.png"] and list(content["broken"]) == ["broken.jpg"]
    same = [f"below/{name}" for name in ("one.png", "clear.png", "deep.png", "turned.jpg")]
    assert set(content["pictures"]) == {"many.png", "grey.png", *same}
    faces = [face for picture in content["pictures"].values() for face in picture["faces"]]
    assert f"{len(faces)} faces in 5 pictures, 1 without a face, 1 broken" in said.out
    assert "broken.jpg" in said.err and "1 of 7 pictures could not be done" in said.err
    for face in faces:
        assert image.read(out / face["file"]).pixels.shape == (64, 64, 3)
    for name in same:  # whatever the file holds it in
        (face,) = content["pictures"][name]["faces"]
        assert overlap(face["box"], content["pictures"][same[0]]["faces"][0]["box"]) > 0.9
    many = content["pictures"]["many.png"]["faces"]
    assert [face["file"] for face in many] == [f"many-{i + 1}.png" for i in range(len(many))]
    assert overlap(many[0]["box"], many[1]["box"]) < 0.1


def test_the_same_command_goes_on(photos, tmp_path, capsys):
    out, words = tmp_path / "faces", [*QUICK, str(photos), "-o", str(tmp_path / "faces")]
    (photos / "broken.jpg").unlink()
    assert main(words) == 0
    first, times = report(out), {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    (out / "below" / "one-1.png").unlink()
    assert main(words) == 0
    assert "5 of 6 pictures left out" in capsys.readouterr().err
    assert report(out) == first
    changed = [path.name for path in out.rglob("*.png") if times[path] != path.stat().st_mtime_ns]
    assert changed == ["one-1.png"]
    assert main([*words, "--margin", "0.5"]) == 2
    assert "faces with margin 0.25, not 0.5" in capsys.readouterr().err
    assert main([*words, "--margin", "0.5", "--overwrite"]) == 0


def test_doing_all_anew_goes_on_where_it_was_stopped(photos, tmp_path, monkeypatch):
    """Crops of the options before are in nobody's way, and none is left in the end."""
    out, words = tmp_path / "faces", [*QUICK, str(photos / "below"), "-o", str(tmp_path / "faces")]
    assert main(words) == 0
    turns = iter(range(100))

    def stopped(pixels, options):
        if next(turns) >= 2:
            raise KeyboardInterrupt
        return detect(pixels, options)

    monkeypatch.setattr(face_folder, "detect", stopped)
    assert main([*words, "--margin", "0.5", "--overwrite"]) == 130
    monkeypatch.undo()
    done = len(report(out)["pictures"])
    assert done < 4 and len(report(out)["outdated"]) == 4 - done
    assert main([*words, "--margin", "0.5"]) == 0
    content = report(out)
    assert len(content["pictures"]) == 4 and content["outdated"] == {}
    for picture in content["pictures"].values():
        (face,) = picture["faces"]
        cut = image.read(out / face["file"]).pixels
        (found,) = detect(cut, Options(drawn=False, smallest=8))
        assert max(found.box[2:]) == pytest.approx(64 / 2, rel=0.15)  # a margin of half a box on each side


def test_the_list_of_pictures_without_a_face(photos, tmp_path, capsys):
    names = tmp_path / "none.txt"
    (photos / "broken.jpg").unlink()
    words = [*QUICK, str(photos), "-o", str(tmp_path / "faces"), "--no-face-list", str(names)]
    for _ in range(2):  # the second run finds all done
        assert main(words) == 0
        assert names.read_text() == "# 1 of 6 pictures, in which no face was found\nphotos/grey.png\n"
    names.write_text("what I wanted to buy")
    assert main(words) == 2
    assert names.read_text() == "what I wanted to buy"


def test_parts_make_a_whole(photos, tmp_path):
    out, words = tmp_path / "faces", [*QUICK, str(photos), "-o", str(tmp_path / "faces")]
    (photos / "broken.jpg").unlink()
    for part in ("0/2", "1/2"):
        assert main([*words, "--shard", part]) == 0
    assert main(words) == 0
    assert len(report(out)["pictures"]) == 6


def test_what_cannot_be_done(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["faces", str(tmp_path / "empty"), "-o", str(tmp_path / "out")]) != 0
    assert main(["faces", "-o", str(tmp_path / "out")]) == 2
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no")
    assert main(["faces", str(broken), "-o", str(tmp_path / "out")]) != 0
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 3 and all(line.startswith("sfumato: ") for line in err)


def test_a_damaged_report(photos, tmp_path, capsys):
    out = tmp_path / "faces"
    out.mkdir()
    (out / "faces.json").write_text("{")
    assert main(["faces", str(photos), "-o", str(out)]) != 0
    assert "--overwrite begins anew" in capsys.readouterr().err
