"""Sketches and photographs of classes: found, paired, cropped alike; the share of drawings grows."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato.data.mixed import Share
from sfumato.data.sketch_pairs import SketchPhotos
from sfumato.errors import DataError, RecipeError

SMALL = SketchPhotos(photos=("cat", "dog"), size=16, shorter=(16, 20), side=48, hold_out=0, share=Share(last=0))


def picture(path, color, size=(48, 60), left=15):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((*size, 3), 200, np.uint8)
    pixels[12:36, left : left + 30] = color
    Image.fromarray(pixels).save(path)


@pytest.fixture
def root(tmp_path):
    for k in range(3):
        picture(tmp_path / f"photos/cat/{k}.png", (200, 0, 0))
        picture(tmp_path / f"photos/dog/{k}.png", (0, 0, 200))
    return tmp_path / "photos"


@pytest.fixture
def drawings(tmp_path):
    picture(tmp_path / "drawn/photo/dog/n1.png", (0, 200, 0))
    picture(tmp_path / "drawn/sketch/dog/n1-1.png", (9, 9, 9))
    picture(tmp_path / "drawn/sketch/dog/n1-2.png", (9, 9, 9))
    picture(tmp_path / "drawn/sketch/dog/n7-1.png", (9, 9, 9))
    return tmp_path / "drawn"


def test_what_is_held_out_and_what_is_learned_are_all(root, tmp_path):
    (tmp_path / "exclude.txt").write_text("cat/0.png\n")
    samples = dataclasses.replace(SMALL, root=str(root), hold_out=0.5, exclude=str(tmp_path / "exclude.txt"))
    names = [f"{k}-{n}" for k in range(2) for n in range(3)]
    for k, name in enumerate(names):
        picture(root / f"{('cat', 'dog')[k // 3]}/{name}.png", (9, 9, 9))
    opened = samples.open()
    learned = [(label, sketch.shape, photo.shape) for label, _, sketch, photo in opened.pairs()]
    held = {key: list(found) for key, found in opened.held_out(100).items()}
    assert held.keys() == {"sketch", "photo", "label"}
    assert len(learned) + len(held["photo"]) == 11  # without cat/0.png
    assert sorted({int(x) for x in held["label"]}) == [0, 1] and {label for label, *_ in learned} == {0, 1}
    assert all(sketch == photo for _, sketch, photo in learned)
    assert len(list(opened.held_out(2)["photo"])) == 2


def test_a_sample(root):
    samples = dataclasses.replace(SMALL, root=str(root)).open()
    seen = set()
    for n in range(12):
        sample = samples.sample(0, n)
        assert {key: tuple(x.shape) for key, x in sample.items()} == {
            "sketch": (3, 16, 16),
            "photo": (3, 16, 16),
            "label": (2,),
            "real": (3, 16, 16),
            "real_label": (2,),
        }
        label = int(sample["label"].argmax())
        seen.add(label)
        assert sample["photo"][2 - 2 * label].float().mean() < sample["photo"][2 * label].float().mean()
        assert sample["sketch"].min() < 200
        again = samples.sample(0, n)
        assert all(torch.equal(sample[key], again[key]) for key in sample)
    assert seen == {0, 1}


def test_lines_are_where_the_photograph_changes(root):
    samples = dataclasses.replace(SMALL, root=str(root), size=48, shorter=(48, 48)).open()
    for n in range(4):
        sample = samples.sample(0, n)
        photo = sample["photo"][1].float()
        change = torch.zeros(48, 48, dtype=torch.bool)
        change[:, 1:] |= (photo[:, 1:] - photo[:, :-1]).abs() > 90
        change[1:] |= (photo[1:] - photo[:-1]).abs() > 90
        near = torch.nn.functional.max_pool2d(change[None].float(), 7, 1, 3)[0] > 0
        assert near[sample["sketch"][0] < 128].float().mean() > 0.95


def test_edge_maps_are_kept_and_found_again(root, tmp_path):
    kept = dataclasses.replace(SMALL, root=str(root), edges=str(tmp_path / "edges"))
    first = [kept.open().sample(0, n) for n in range(6)]
    files = sorted(path.relative_to(tmp_path / "edges").as_posix() for path in (tmp_path / "edges").rglob("*.png"))
    assert files == [f"{name}/{k}-sketch.png" for name in ("cat", "dog") for k in range(3)]
    again = [kept.open().sample(0, n) for n in range(6)]
    assert all(torch.equal(a["sketch"], b["sketch"]) for a, b in zip(first, again, strict=True))
    Image.new("L", (60, 48), 7).save(tmp_path / "edges/cat/0-sketch.png")
    found = [kept.open().sample(0, n)["sketch"] for n in range(6)]
    assert sum(bool((x == 7).all()) for x in found) == 1


def test_real_drawings(root, drawings):
    settings = dataclasses.replace(SMALL, root=str(root), drawings=str(drawings), share=Share(last=1.0), real_share=1.0)
    samples = settings.open()
    assert samples.counts()[str(drawings)] == 2
    sample = samples.sample(0, 0)
    assert sample["label"].tolist() == sample["real_label"].tolist() == [0, 1]
    assert sample["photo"][1].float().mean() > sample["photo"][0].float().mean()
    assert samples.digest() != dataclasses.replace(SMALL, root=str(root)).open().digest()


def test_the_share_of_drawings_grows(root, drawings):
    settings = dataclasses.replace(
        SMALL,
        root=str(root),
        drawings=str(drawings),
        share=Share(first=0.0, last=1.0, images=200),
        real_share=0.0,
    )
    samples = settings.open()
    drawn = [bool((x := samples.sample(0, n)["photo"].float().mean((1, 2)))[1] > x[[0, 2]].max()) for n in range(200)]
    assert sum(drawn[:50]) < 12
    assert sum(drawn[150:]) > 38


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.25, 12, 42), (1.0, 100, 100)])
def test_the_share_of_real_pictures_that_have_drawings(root, drawings, share, low, high):
    """Green is the photograph that was drawn."""
    samples = dataclasses.replace(SMALL, root=str(root), drawings=str(drawings), real_share=share).open()
    means = [samples.sample(0, n)["real"].float().mean((1, 2)) for n in range(100)]
    assert low <= sum(bool(x[1] > x[[0, 2]].max()) for x in means) <= high


def test_mistakes_are_told(root, tmp_path):
    with pytest.raises(DataError, match=r"data\.photos names no folders"):
        SketchPhotos().open()
    with pytest.raises(DataError, match="no such folder"):
        dataclasses.replace(SMALL, photos=("cow",), root=str(root)).open()
    with pytest.raises(RecipeError, match="must rise"):
        dataclasses.replace(SMALL, root=str(root), shorter=(8, 9)).open()
    with pytest.raises(DataError, match="no sketch/CLASS"):
        dataclasses.replace(SMALL, root=str(root), drawings=str(tmp_path)).open()


def test_a_broken_photograph_is_replaced(root):
    samples = dataclasses.replace(SMALL, root=str(root)).open()
    (root / "cat" / "1.png").write_bytes(b"nothing")
    for n in range(6):
        samples.sample(0, n)
    assert len(samples.broken()) == 1


def test_what_is_kept_from_training(root):
    for k in range(3, 40):
        picture(root / f"cat/{k}.png", (200, 0, 0))
        picture(root / f"dog/{k}.png", (0, 0, 200))
    samples = dataclasses.replace(SMALL, root=str(root), hold_out=0.2).open()
    kept = list(samples.kept_apart(3))
    assert [int(x["label"].argmax()) for x in kept] == [0, 0, 0, 1, 1, 1]
    assert all(x["sketch"].shape == x["photo"].shape == (3, 16, 16) for x in kept)
    assert sum(samples.counts().values()) < 80


def test_drawings_are_left_out_by_name(root, drawings, tmp_path):
    (tmp_path / "not.txt").write_text("dog/n1-2.png\n")
    settings = dataclasses.replace(SMALL, root=str(root), drawings=str(drawings), exclude=str(tmp_path / "not.txt"))
    assert settings.open().counts()[str(drawings)] == 1


def fits(sketch, photo):
    """Whether the lines of a sketch (H, W, 3) are about where the photograph (H, W, 3) changes from left to right."""
    change = np.flatnonzero(np.abs(np.diff(photo[24, :, 1].astype(int))) > 90)
    lines = np.flatnonzero(np.diff((sketch[24, :, 0] < 128).astype(int)))
    return len(change) == 2 and len(lines) > 0 and np.abs(lines[:, None] - change).min(1).max() <= 4


@pytest.fixture
def apart(tmp_path):
    """Photographs whose edges are at different places."""
    for k, left in enumerate((3, 12, 27)):
        picture(tmp_path / f"apart/cat/{k}.png", (200, 0, 0), left=left)
    return dataclasses.replace(SMALL, photos=("cat",), root=str(tmp_path / "apart"), edges=str(tmp_path / "edges"))


def cut(path):
    path.write_bytes(b"nothing")


@pytest.mark.parametrize("of", ["pairs", "sample", "kept_apart"])
def test_edges_belong_to_the_photograph_that_was_read(apart, tmp_path, of):
    settings = dataclasses.replace(apart, size=48, shorter=(48, 48), flip=False)
    if of == "kept_apart":
        settings = dataclasses.replace(settings, hold_out=0.9)
        picture(tmp_path / "apart/cat/20.png", (200, 0, 0))  # the one that is learned from
    opened = settings.open()
    cut(tmp_path / "apart/cat/0.png")
    if of == "pairs":
        found = {path: (sketch, photo) for _, path, sketch, photo in opened.pairs()}
        assert [path[-5:] for path in found] == ["1.png", "2.png"]
        assert all(fits(*both) for both in found.values())
    else:
        samples = list(opened.kept_apart(2)) if of == "kept_apart" else [opened.sample(0, n) for n in range(3)]
        assert len(samples) == (2 if of == "kept_apart" else 3)
        if of == "kept_apart":
            assert not torch.equal(samples[0]["photo"], samples[1]["photo"])
    kept = sorted(path.name for path in (tmp_path / "edges").rglob("*.png"))
    assert "0-sketch.png" not in kept and "1-sketch.png" in kept
    for name in kept:
        photo = np.asarray(Image.open(tmp_path / "apart/cat" / name.replace("-sketch", "")))
        assert fits(np.asarray(Image.open(tmp_path / "edges/cat" / name).convert("RGB")), photo)


def test_classes_of_one_name_are_refused_where_they_would_share_files(root, tmp_path):
    picture(tmp_path / "more/cat/0.png", (9, 9, 9))
    both = dataclasses.replace(SMALL, photos=(str(root / "cat"), str(tmp_path / "more/cat")))
    assert len(both.open().names) == 2
    for kept in ({"edges": str(tmp_path / "edges")}, {"drawings": str(tmp_path / "drawn")}):
        with pytest.raises(DataError, match=r"two folders are called cat.*rename one"):
            dataclasses.replace(both, **kept).open()


def test_photographs_of_one_stem_have_an_edge_map_each(apart, tmp_path):
    picture(tmp_path / "apart/cat/0.bmp", (200, 0, 0), left=20)
    sketches = [sketch for _, _, sketch, _ in apart.open().pairs()]
    names = sorted(path.name for path in (tmp_path / "edges").rglob("*.png"))
    assert names == ["0.bmp-sketch.png", "0.png-sketch.png", "1-sketch.png", "2-sketch.png"]  # as `sfumato sketch` does
    again = [sketch for _, _, sketch, _ in apart.open().pairs()]
    assert all(np.array_equal(a, b) for a, b in zip(sketches, again, strict=True))


@pytest.mark.parametrize("change", [{"side": 64}, {"threshold": 0.2}])
def test_edge_maps_of_other_settings_are_refused(apart, tmp_path, change):
    list(apart.open().pairs())
    list(apart.open().pairs())
    made = tmp_path / "edges" / "made.json"
    assert json.loads(made.read_text()) == {"data.side": 48, "data.threshold": 0.35}
    with pytest.raises(DataError, match=r"data\.side 48, data\.threshold 0\.35, and not .*data\.edges"):
        dataclasses.replace(apart, **change).open()
    made.write_text("{")
    with pytest.raises(DataError, match="delete it"):
        apart.open()


def test_edge_maps_made_by_hand_serve_any_settings(apart, tmp_path):
    for k in range(3):
        picture(tmp_path / f"edges/cat/{k}-sketch.png", (0, 0, 0))
    for threshold in (0.35, 0.2):
        settings = dataclasses.replace(apart, threshold=threshold)
        assert [sketch.min() for *_, sketch, _ in settings.open().pairs()] == [0, 0, 0]
    assert not (tmp_path / "edges" / "made.json").exists()


def test_settings_that_changed_while_a_run_was_open_are_noticed(apart):
    first, second = apart.open(), dataclasses.replace(apart, threshold=0.2).open()
    first.sample(0, 0)
    with pytest.raises(DataError, match=r"data\.threshold 0\.35"):
        list(second.pairs())
