"""Sketches and photographs of classes: found, paired, cropped alike; the share of drawings grows."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato.data.sketch_pairs import SketchPhotos, share_at
from sfumato.errors import DataError, RecipeError

SMALL = SketchPhotos(photos=("cat", "dog"), size=16, shorter=(16, 20), side=48, hold_out=0, first_share=0, last_share=0)


def picture(path, color, size=(48, 60)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((*size, 3), 200, np.uint8)
    pixels[12:36, 15:45] = color
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
    settings = dataclasses.replace(SMALL, root=str(root), drawings=str(drawings), last_share=1.0, real_share=1.0)
    samples = settings.open()
    assert samples.counts()[str(drawings)] == 2
    sample = samples.sample(0, 0)
    assert sample["label"].tolist() == sample["real_label"].tolist() == [0, 1]
    assert sample["photo"][1].float().mean() > sample["photo"][0].float().mean()
    assert samples.digest() != dataclasses.replace(SMALL, root=str(root)).open().digest()


def test_the_share_grows():
    assert [share_at(n, 0.1, 0.9, 100) for n in (0, 50, 100, 1000)] == pytest.approx([0.1, 0.5, 0.9, 0.9])
    assert share_at(0, 0.1, 0.9, 0) == 0.9


def test_the_share_of_drawings_grows(root, drawings):
    settings = dataclasses.replace(
        SMALL, root=str(root), drawings=str(drawings), first_share=0.0, last_share=1.0, share_images=200, real_share=0.0
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
